"""The way from a site's file to running machines, killed on it, and what stands at its end.

By hand, with machines of QEMU (some minutes; as root):

    PYTHONPATH=.:tests:tests/racks .venv/bin/python tests/racks/walk.py [--namespaces] [--kills N]
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Sequence
from typing import Any

from lxml import etree
from world import IMAGE, MANAGER, MANAGER_NODE, NODES, NamespaceRack, QemuRack, Rack, World, world

#: What the site says when everything is killed, once each; and whether the machines lose their power, too.
POINTS = (
    (r"kit for ovirt4.5", False),
    (r"written: .*/answers/mgr1", False),
    (r"mgr1: ready to be installed", True),
    (r"install kvm1 with", False),
    (r"kvm2: ready to be installed", True),
    (r"mgr1: waiting", True),
    (r"mgr1: running", True),
    (r"mgr1: up", False),
    (r"data centers, clusters, networks", False),
    (r"  (sd1|blue|cl1): ", True),
    (r"networks, power management", False),
)
#: Collections of the manager whose things are counted.
KINDS = ("datacenters", "clusters", "networks", "hosts", "storagedomains", "vms", "disks")
_PRESS = re.compile(r"(\w+): ready to be installed")


class Walk:
    """One way through.

    Args:
        made: The world.
        points: Where everything is killed.
    """

    def __init__(self, made: World, points: Sequence[tuple[str, bool]]) -> None:
        self.world, self.points = made, list(points)
        self.killed: list[str] = []
        self._pressed = 0

    def go(self) -> None:
        """From the file to the end."""
        self.world.start_site()
        while (rc := self.world.programs["site"].ended()) is None or self._left():
            assert rc in (None, 0), self.world.programs["site"].said()[-3000:]
            self._people()
            if not self._kill() and rc == 0:
                break
            time.sleep(0.05)
        assert rc == 0, self.world.programs["site"].said()[-3000:]

    def _left(self) -> bool:
        return any(re.search(point, self.world.programs["site"].said()) for point, _ in self.points)

    def _people(self) -> None:
        """Who presses a button when the site asks for it; and the manager, once its machine says that it is up."""
        site = self.world.programs["site"]
        asked = list(_PRESS.finditer(site.said()))
        for found in asked[self._pressed :]:
            self.world.racks[found[1]].switch_on()
        self._pressed = len(asked)
        for rack in self.world.racks.values():
            rack.look()
        if "sim" not in self.world.programs and "IDLE" in self.world.racks[MANAGER_NODE].marks():
            self.world.start_manager()

    def _kill(self) -> bool:
        said = self.world.programs["site"].said()
        for point, racks in self.points:
            if re.search(point, said):
                self.points.remove((point, racks))
                self.killed.append(point)
                self.world.everything_dies(racks)
                self._pressed = 0
                self.world.everything_returns()
                return True
        return False


def end_state(made: World) -> dict[str, Any]:
    """What is there: in the tables without times, on the manager, on the machines."""
    state: dict[str, Any] = {}
    for table in ("hypervisor", "nodetype", "chain"):
        state[table] = sorted(made.run("run", "tabdump", table).splitlines())
    lines = made.run("run", "nodels", "all", "nodelist.status", "nodelist.appstatus").splitlines()
    state["nodelist"] = sorted(lines)
    state["export"] = made.run("run", "lsve", "-t", "dc", "-m", MANAGER, "-o", "dc1", "--export")
    state["machines"] = made.run("run", "lsve", "-t", "dc", "-m", MANAGER)
    state["engine"] = {kind: named(made.asks_manager(kind)) for kind in KINDS}
    state["setups"] = made.racks[MANAGER_NODE].setups()
    state["errors"] = [mark for rack in made.racks.values() for mark in rack.marks() if mark.startswith("ERROR")]
    waited = [made.run("engine", "wait", MANAGER_NODE).replace(str(made.home), "HOME") for _ in range(2)]
    state["waits"] = [text.splitlines() for text in waited]
    pinned = made.home / f"etc/xcat/rhevm/{MANAGER}/ca.crt"
    state["pinned"] = pinned.read_text().split() == made.authority.read_text().split()
    made.run("engine", "hostkit", "ovirt4.5", "--image", IMAGE, "--manager", MANAGER)
    state["key"] = (made.home / f"install/postscripts/rhevmkeys/{MANAGER}.pub").read_text()
    state["idle"] = {node: "IDLE" in made.racks[node].marks() for node in NODES}
    return state


def named(document: str) -> list[str]:
    """The names of all things in a collection."""
    return sorted(each.findtext("name") or "" for each in etree.fromstring(document.encode()))


def walked(kind: type[Rack], points: Sequence[tuple[str, bool]]) -> tuple[dict[str, Any], list[str], dict[str, int]]:
    """One way through a world of its own.

    Returns:
        The end state, where it was killed, and how often each machine was installed.
    """
    with world(kind) as made:
        walk = Walk(made, points)
        try:
            walk.go()
        except BaseException:
            for path in sorted(made.folder.glob("*.log")):
                print(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}")
            raise
        installs = {node: rack.marks().count("INSTALLED") for node, rack in made.racks.items()}
        return end_state(made), walk.killed, installs


def main() -> int:
    """A way without kills, one with kills, and whether they end in the same."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--namespaces", action="store_true", help="machines that are namespaces, not QEMU's")
    parser.add_argument("--kills", type=int, default=len(POINTS), help="at so many points")
    options = parser.parse_args()
    kind: type[Rack] = NamespaceRack if options.namespaces else QemuRack
    states = []
    for points in ((), POINTS[: options.kills]):
        begin = time.monotonic()
        state, killed, installs = walked(kind, points)
        states.append(state)
        print(f"{len(killed)} kills, {time.monotonic() - begin:.0f} s, installations {installs}", flush=True)
        for point in killed:
            print(f"  killed at {point}")
    print(json.dumps(states[0], indent=1))
    print("the same end" if states[0] == states[1] else f"ANOTHER END: {json.dumps(states[1], indent=1)}")
    return states[0] != states[1]


if __name__ == "__main__":
    raise SystemExit(main())
