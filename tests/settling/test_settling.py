"""Reading back is complete, and what nobody asked for stays: worlds as engines have them, in three versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import Machine, Stage, worlds

from vesim import VERSIONS, version_name
from vmsite import VmSite
from xcat_rhev.messages import Data, Error

HERE = settings(
    max_examples=settings.default.max_examples // 20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
NOTHING = ("nothing to do", "virtual machine has been created. There is nothing to do")
#: A column, a value, and what that changes in a machine's document, with what an engine keeps beside it.
WISHES = {
    "memory": ("3g", ("memory", "memory_policy")),
    "cpus": ("4:3", ("cpu/topology",)),
    "bootorder": ("cd,hd", ("os/boot",)),
    "vidproto": ("spice", ("display",)),
    "guestostype": ("rhel_6x64", ("os",)),
    "virtflags": ("placement_affinity=user_migratable", ("placement_policy/affinity",)),
    "othersettings": ("custom:sndbuf=7", ("custom_properties",)),
}


@pytest.fixture(scope="module", params=VERSIONS, ids=version_name)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    site = VmSite(tmp_path_factory, request.param)
    site.hypervisor("rhevh1")
    yield Stage(site)
    site.close()


def scanned(stage: Stage, data: st.DataObject, words: str = "-w") -> list[str]:
    """Put a world up and have it written to the tables; the nodes of its machines that were written."""
    machines = data.draw(worlds(stage.site.version))
    stage.put(machines)
    lines = stage.site.ok(f"rscan {words}", ["rhevh1"])
    written = {line.split(":")[0] for line in lines if line.endswith("written to the tables")}
    names = [machine.name for machine in machines]
    assert written >= {name for name in names if names.count(name) == 1}
    return sorted(written & set(names))


def planned(stage: Stage, command: str, nodes: list[str]) -> list[str]:
    """What a command would do."""
    return stage.site.ok(f"{command} --dry-run", nodes) if nodes else []


def fit_for_mkvm(stage: Stage, nodes: list[str]) -> list[str]:
    """Without those whose disks cannot be used, or are at work: mkvm does not call these done, and changes nothing."""
    said = stage.site.say("mkvm --dry-run", nodes) if nodes else []
    bad = {each.node for each in said if "is illegal" in each.text or each.text.startswith("wait until")}
    world = stage.site.world
    odd = [disk for disk in world.things["disk"].values() if disk["status"] != "ok"]
    assert not bad or odd or "image_locked" in {vm["status"] for vm in world.all("vm")}
    return [node for node in nodes if node not in bad]


@HERE
@given(data=st.data())
def test_what_was_read_plans_nothing(stage: Stage, data: st.DataObject) -> None:
    nodes = scanned(stage, data)
    before = stage.shown()
    for command, idle in zip(("chvm", "mkvm"), NOTHING):
        if command == "mkvm":
            nodes = fit_for_mkvm(stage, nodes)
        assert sorted(planned(stage, command, nodes)) == sorted(f"{node}: {idle}" for node in nodes)
        assert not nodes or stage.site.ok(command, nodes)
    assert stage.shown() == before


@HERE
@given(data=st.data())
def test_reading_again_writes_the_same(stage: Stage, data: st.DataObject) -> None:
    nodes = scanned(stage, data)
    kept = {table: [dict(row) for row in rows] for table, rows in stage.site.host.tables.items()}
    stage.site.ok("rscan -u", ["rhevh1"])
    assert stage.site.host.tables == kept
    assert all(stage.site.row_of(node) for node in nodes)


@HERE
@given(data=st.data(), column=st.sampled_from(sorted(WISHES)))
def test_a_row_that_names_one_thing_changes_one_thing(stage: Stage, data: st.DataObject, column: str) -> None:
    site = stage.site
    text, mine = WISHES[column]
    machines = [machine for machine in data.draw(worlds(site.version)) if not machine.far]
    stage.put([at_rest(machine) for machine in machines])
    nodes = [site.node(machine.name, **{column: text}) for machine in machines]
    site.world.settle()
    before, parts = stage.documents(), stage.shown()
    site.say("chvm", nodes)
    site.world.settle()
    after = stage.documents()
    assert set(after) == set(before) and set(stage.shown()) == set(parts)
    changed = {
        (address.split("/")[-2], path)
        for address, leaves in after.items()
        for path in {*leaves, *before[address]}
        if leaves.get(path) != before[address].get(path)
    }
    assert not [one for one in changed if one[0] != "vms" or not one[1].startswith(mine)]


def at_rest(machine: Machine) -> Machine:
    """The same machine, off."""
    return Machine(**{**machine.__dict__, "values": {**machine.values, "status": "down"}})


@HERE
@given(data=st.data())
def test_making_what_is_there_makes_nothing(stage: Stage, data: st.DataObject) -> None:
    """mkvm by a row that says next to nothing."""
    site: Any = stage.site
    machines = [at_rest(machine) for machine in data.draw(worlds(site.version)) if not machine.far]
    stage.put(machines)
    nodes = [site.node(machine.name, memory="1g") for machine in machines]
    before = stage.shown()
    site.say("mkvm", nodes)
    assert stage.shown() == before


def exported(stage: Stage) -> str:
    """The file, without what it says that it leaves out."""
    pytest.importorskip("yaml")
    return "\n".join(line for line in stage.site.ok("lsve -m MGR --export") if not line.startswith("# Left out"))


@HERE
@given(data=st.data())
def test_what_was_exported_plans_nothing(stage: Stage, data: st.DataObject) -> None:
    stage.put(data.draw(worlds(stage.site.version)))
    text = exported(stage)
    before = stage.shown()
    said = stage.site.say("cfgve -m MGR --from - --dry-run", stdin=text)
    assert not [message for message in said if isinstance(message, Error)], said
    planned = {message.text for message in said if isinstance(message, Data)}
    assert {words for words in planned if not words.startswith("wait until")} <= {"nothing to do"}
    assert stage.shown() == before


def makeable(machine: Machine) -> Machine:
    """The same machine without what nobody makes from a file: LUNs, shared and broken disks, CPU pins, groups,
    and names that no column can hold."""
    kept = {disk.name: disk for disk in machine.disks if disk.size and not disk.shareable and "|" not in disk.name}
    disks = tuple(replace(disk, status="ok", interface="virtio") for disk in kept.values())
    values = {**machine.values, "status": "down", "vcpu_pins": []}
    if values["affinity"] == "pinned" and not machine.hosts:
        values["affinity"] = "migratable"
    return replace(machine, values=values, disks=disks, groups=())


@HERE
@given(data=st.data())
def test_machines_made_anew_export_the_same(stage: Stage, data: st.DataObject) -> None:
    stage.put([makeable(machine) for machine in data.draw(worlds(stage.site.version))])
    text = exported(stage)
    stage.clear()
    said = stage.site.say("cfgve -m MGR --from -", stdin=text)
    assert not [message for message in said if isinstance(message, Error)], said
    stage.site.world.settle()
    assert exported(stage) == text
