"""Two hundred machines made through a plan of faults: none is missing in the end, and none is double."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any, Callable

import pytest

from xcat_rhev.engine.manager import Manager
from xcat_rhev.engine.nouns import Disk, Network, Nic, Ref, StorageDomain, Vm
from xcat_rhev.engine.waiting import Goal, Watch
from xcat_rhev.errors import RhevError
from xcat_rhev.plan.jobs import Job, Step, Wait
from xcat_rhev.run.runner import Runner

GIB = 1 << 30
NAMES = [f"node{number:03}" for number in range(200)]
EVERY = ("delay", "drop-after", "truncate")
SHARE = 0.036


def plan() -> list[dict[str, Any]]:
    """One call of five: for writes all kinds of trouble, for reads those that reads are tried again for."""
    rules: list[dict[str, Any]] = []
    for method, statuses, share in (("POST", (500, 503, 409), SHARE), ("GET", (503,), 0.054)):
        about = {"method": method, "path": "/vms*", "share": share}
        rules += [{"do": do, "seconds": 0.3, **about} for do in EVERY]
        rules += [{"do": "status", "status": status, **about} for status in statuses]
    return rules


def run(manager: Manager) -> list[Any]:
    """Make what is missing, as mkvm does: look first, then one job for each machine."""
    there = manager.find(Vm, NAMES, details=True)
    domain, network = manager.one(StorageDomain, "data1"), manager.one(Network, management(manager))
    jobs = [creation(manager, name, there.get(name), domain.ref, network.ref) for name in NAMES]
    return list(Runner(Watch(manager, manager.clock), manager.workers, threading.Event()).run(jobs))


def management(manager: Manager) -> str:
    return "rhevm" if manager.dialect == 3 else "ovirtmgmt"


def creation(manager: Manager, name: str, vm: Vm | None, domain: Ref, network: Ref) -> Job:
    made = [vm] if vm else []

    def create() -> None:
        new = Vm(name=name, memory=GIB, cluster=Ref(name="Default"), template=Ref(name="Blank"))
        made.append(manager.create(new).replace(disks=(), nics=()))

    def add_disk() -> None:
        manager.add_disk(
            made[0],
            Disk(
                name=f"{name}_1",
                size=GIB,
                format="cow",
                interface="virtio",
                bootable=True,
                storage_domains=(Ref(domain.id),),
            ),
        )

    def add_nic(nic: str) -> Callable[[], None]:
        return lambda: manager.add_nic(made[0], Nic(name=nic, network=network)) and None

    parts: list[Any] = [] if vm else [Step("create", create)]
    parts.append(Wait("wait until down", lambda: Goal(made[0], frozenset({"down"}))))
    if not vm or not vm.disks:
        parts.append(Step("add disk", add_disk))
    missing = {"eth0", "eth1"} - ({nic.name for nic in vm.nics or ()} if vm else set())
    parts += [Step(f"add {nic}", add_nic(nic)) for nic in sorted(missing)]
    parts.append(Wait("wait until settled", lambda: Goal(made[0], frozenset({"down"}), settled=True)))
    return Job(name, parts)


@pytest.mark.slow
@pytest.mark.parametrize("words", [("--api", "3", "--v3-version", "3.0"), ("--api", "4")], ids=["3.0", "v4"])
def test_two_hundred_machines_through_trouble(start: Any, words: tuple[str, ...]) -> None:
    engine = start("--hosts", "2", *words)
    engine.faults(*plan())
    for _ in range(2):
        try:
            said = run(engine.open())
        except RhevError as problem:
            said = [problem]
        if not said:
            break
    struck = sum(rule["hit"] for rule in engine.own("faults"))
    engine.faults()
    machines = engine.open().list(Vm, details=True)
    assert Counter(vm.name for vm in machines) == Counter(NAMES)
    assert {len(vm.disks) for vm in machines} == {1}
    assert {tuple(sorted(nic.name for nic in vm.nics)) for vm in machines} == {("eth0", "eth1")}
    assert {disk.status for vm in machines for disk in vm.disks} == {"ok"}
    assert said == []
    assert struck > 100
