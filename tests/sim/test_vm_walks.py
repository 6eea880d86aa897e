"""Random walks on one machine: after each command, and when it is off, it is what was asked for last.

`--walks 200` takes that many for each version; walks that once went wrong are always taken. With `--engine` they are
taken on that engine, each on a machine of its own that is removed at the end.
"""

from __future__ import annotations

import pytest

from enginesite import EngineSite
from vmsite import VmSite, each_version
from walks import Seen, Walk

VERSIONS = ((3, 6), (4, 2), (4, 5))
STEPS = 9
#: Walks that found something: what was asked of a machine on its way up was lost.
KNOWN = (7, 8)
_SAME = ("memory", "boot", "os_type")


class WalkSite(VmSite):
    """A site whose machines are seen as walks see them."""

    def seen(self, name: str) -> Seen:
        vm = self.vm(name)
        return {
            **{key: vm[key] for key in _SAME},
            "cpus": tuple(vm.get(key) or 1 for key in ("sockets", "cores", "threads")),
            "display": vm.get("display_type"),
            "description": vm.get("description") or "",
            "ha": bool(vm.get("ha_enabled")),
            "console": bool(vm.get("console_enabled")),
            "protected": bool(vm.get("delete_protected")),
            "disks": {disk["name"]: disk["size"] for disk in self.parts("disk", name)},
            "nics": sorted((nic["name"], nic["interface"]) for nic in self.parts("nic", name)),
            "status": vm["status"],
        }


site = each_version(VERSIONS, WalkSite)


@pytest.fixture
def engine_site(tmp_path, pytestconfig):
    """The engine that --engine names."""
    found = EngineSite(tmp_path, pytestconfig.getoption("--engine"))
    yield found
    found.close()


def test_on_an_engine_a_machine_is_what_was_asked_for_last_too(engine_site, pytestconfig):
    first = pytestconfig.getoption("--first-walk")
    for seed in range(first, first + pytestconfig.getoption("--walks")):
        name = f"xwalk{seed}"
        engine_site.made(name, memory="1g")
        walk = Walk(engine_site, name, seed)
        walk.run(STEPS)
        assert walk.differences() == {}


def test_after_any_commands_a_machine_is_what_was_asked_for_last(site, pytestconfig):
    for seed in sorted({*KNOWN, *range(pytestconfig.getoption("--walks"))}):
        name = f"vm{seed}"
        site.made(name, memory="1g")
        walk = Walk(site, name, seed)
        walk.run(STEPS)
        assert walk.differences() == {}
