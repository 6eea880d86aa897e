#!/usr/bin/env python3
"""How fast the engine client is, against a naive one, on simulators with 20 ms per request.

    share/bench/bench_engine.py [--vms N] [--creates N] [--managers N]

The naive client does what rhevm.pm does: a new TLS connection and a login for every call, and a search for every VM.
Both talk to the same simulators in the same run, so that the ratios say something on any machine. The table's last
column is the client's time as a part of the naive one's (for several managers: of one manager's).
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable

from xcat_rhev.clock import SystemClock
from xcat_rhev.engine.manager import Manager
from xcat_rhev.engine.managers import Access, Managers
from xcat_rhev.engine.nouns import Disk, Network, Nic, Ref, StorageDomain, Vm
from xcat_rhev.engine.waiting import Goal, until
from xcat_rhev.plan.jobs import Job, Step, Wait
from xcat_rhev.run.runner import Runner
from xcat_rhev.secret import Secret

GIB = 1 << 30


class Simulator:
    """A simulator with 20 ms per request, in a process of its own.

    Args:
        vms: How many machines there are.
        running: How many of a hundred of them run.
        version: The engine's version, which decides what API it speaks.
    """

    def __init__(self, vms: int, running: int = 0, version: str = "4.5") -> None:
        words = [
            "--hosts",
            "20",
            "--vms",
            str(vms),
            "--latency",
            "20",
            "--port",
            "0",
            "--threads",
            "24",
            "--running",
            str(running),
            "--api",
            version[0],
            f"--v{version[0]}-version",
            version,
        ]
        self._process = subprocess.Popen(  # noqa: S603  # our own simulator, no shell
            [sys.executable, "-m", "xcat_rhev.cli", "sim", *words], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.ready: dict[str, Any] = json.loads(self._process.stdout.readline())
        self.port = int(self.ready["port"])
        self.trust = ssl.create_default_context(cafile=str(self.ready["ca"]))

    def call(self, method: str, path: str, body: str = "") -> bytes:
        """A call over a connection of its own."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.trust, timeout=60)
        login = base64.b64encode(b"admin@internal:secret").decode()
        headers = {"Authorization": f"Basic {login}", "Accept": "application/xml", "Content-Type": "application/xml"}
        connection.request(method, path, body or None, headers)
        data = connection.getresponse().read()
        connection.close()
        return data

    def counted(self) -> int:
        """Requests since the last time; its own addresses do not count."""
        stats = json.loads(self.call("GET", "/-/stats"))
        self.call("DELETE", "/-/stats")
        return sum(stats["requests"].values())

    def stop(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10)


class Naive:
    """A client that looks up each VM by name, with a connection for each call, one after the other."""

    def __init__(self, simulator: Simulator) -> None:
        self._call = simulator.call

    def look(self, name: str) -> str:
        """One VM by its name."""
        return self._call("GET", f"/ovirt-engine/api/vms?search=name%3D{urllib.parse.quote(name)}").decode()

    def start(self, name: str) -> None:
        """Look it up and start it."""
        self._call("POST", f"/ovirt-engine/api/vms/{_id(self.look(name), 'vm')}/start", "<action/>")

    def create(self, name: str, nics: int = 2) -> None:
        """Make one VM with a disk and some NICs, and wait for each step."""
        self.look(name)
        made = self._call(
            "POST",
            "/ovirt-engine/api/vms",
            (
                f"<vm><name>{name}</name><memory>{GIB}</memory><cluster><name>Default</name></cluster>"
                "<template><name>Blank</name></template></vm>"
            ),
        )
        vm = f"/ovirt-engine/api/vms/{_id(made.decode(), 'vm')}"
        self._wait(lambda: b"<status>down</status>" in self._call("GET", vm))
        domains = self._call("GET", "/ovirt-engine/api/storagedomains?search=name%3Ddata1")
        domain = _id(domains.decode(), "storage_domain")
        disk = _id(
            self._call(
                "POST",
                f"{vm}/diskattachments",
                (
                    "<disk_attachment><interface>virtio</interface><bootable>true</bootable><active>true</active><disk>"
                    f"<format>cow</format><provisioned_size>{GIB}</provisioned_size><storage_domains>"
                    f'<storage_domain id="{domain}"/></storage_domains></disk></disk_attachment>'
                ),
            ).decode(),
            "disk_attachment",
        )
        for number in range(nics):
            profile = _id(self._call("GET", "/ovirt-engine/api/vnicprofiles").decode(), "vnic_profile")
            self._call("POST", f"{vm}/nics", f'<nic><name>eth{number}</name><vnic_profile id="{profile}"/></nic>')
        self._wait(lambda: b"<status>ok</status>" in self._call("GET", f"/ovirt-engine/api/disks/{disk}"))

    def remove(self, name: str) -> None:
        """Stop one VM, wait until it is down, remove it, wait until it is gone."""
        vm = f"/ovirt-engine/api/vms/{_id(self.look(name), 'vm')}"
        self._call("POST", f"{vm}/stop", "<action/>")
        self._wait(lambda: b"<status>down</status>" in self._call("GET", vm))
        self._call("DELETE", vm)
        self._wait(lambda: "<vm " not in self.look(name))

    def until(self, name: str, *states: str) -> None:
        """Wait until one VM is in one of some states."""
        self._wait(lambda: any(f"<status>{state}</status>" in self.look(name) for state in states))

    @staticmethod
    def _wait(reached: Callable[[], bool]) -> None:
        while not reached():
            time.sleep(0.25)


def _id(text: str, tag: str) -> str:
    found = re.search(rf'<{tag} [^>]*\bid="([^"]+)"', text)
    assert found, text[:300]
    return found[1]


@contextmanager
def opened(simulators: Sequence[Simulator], workers: int = 16) -> Iterator[list[Manager]]:
    """Facades on new sessions, one for each simulator."""
    with tempfile.TemporaryDirectory() as folder:
        managers = Managers(SystemClock())
        accesses = [
            Access(
                f"127.0.0.1:{each.port}",
                "admin@internal",
                Secret("secret"),
                Path(folder) / str(each.port),
                ca=str(each.ready["ca"]),
                workers=workers,
            )
            for each in simulators
        ]
        with ThreadPoolExecutor(len(accesses)) as pool:
            yield list(pool.map(managers.open, accesses))
        managers.close()


def timed(work: Callable[[], object]) -> float:
    """Seconds that something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def best(work: Callable[[], object], count: Callable[[], int]) -> tuple[int, float]:
    """Requests and seconds of the fastest of three runs: what takes a moment is easily disturbed."""
    runs = [(timed(work), count()) for _ in range(3)]
    seconds, requests = min(runs)
    return requests, seconds


def state_of(simulators: Sequence[Simulator], names: Sequence[str]) -> None:
    """The state of all VMs, connecting included, managers side by side."""
    with opened(simulators) as managers, ThreadPoolExecutor(len(managers)) as pool:
        for found in pool.map(lambda manager: manager.look(Vm, names, only={"status"}), managers):
            assert len(found) == len(names) and all(vm.status for vm in found)


def start_all(simulator: Simulator, names: Sequence[str]) -> None:
    """Start all VMs, connecting included."""
    with opened([simulator]) as (manager,):
        found = manager.find(Vm, names)
        jobs = [Job(name, [Step("start", lambda vm=found[name]: manager.act(vm, "start") and None)]) for name in names]
        assert not list(Runner(None, manager.workers, threading.Event()).run(jobs))


def create_all(simulator: Simulator, names: Sequence[str]) -> None:
    """Make VMs with a disk and two NICs each, and wait until all can be started."""
    from xcat_rhev.engine.waiting import Watch

    with opened([simulator]) as (manager,):
        assert not manager.find(Vm, names)
        domain, network = manager.one(StorageDomain, "data1"), next(iter(manager.list(Network)))
        jobs = [_creation(manager, name, domain, network) for name in names]
        said = list(Runner(Watch(manager, manager.clock), manager.workers, threading.Event()).run(jobs))
        assert not said, said[:3]


def _creation(manager: Manager, name: str, domain: StorageDomain, network: Network) -> Job:
    made: list[Vm] = []

    def vm() -> None:
        made.append(manager.create(Vm(name=name, memory=GIB, cluster=Ref(name="Default"), template=Ref(name="Blank"))))

    def disk() -> None:
        manager.add_disk(
            made[0],
            Disk(
                name=f"{name}_1",
                size=GIB,
                format="cow",
                interface="virtio",
                bootable=True,
                storage_domains=(domain.ref,),
            ),
        )

    def nic(number: int) -> Callable[[], None]:
        return lambda: manager.add_nic(made[0], Nic(name=f"eth{number}", network=network.ref)) and None

    def goal(settled: bool) -> Callable[[], Goal]:
        return lambda: Goal(made[0], frozenset({"down"}), settled=settled)

    return Job(
        name,
        [
            Step("create", vm),
            Wait("down", goal(False)),
            Step("disk", disk),
            Step("nic", nic(0)),
            Step("nic", nic(1)),
            Wait("settled", goal(True)),
        ],
    )


def main() -> int:
    """Run all and print the table."""
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("--vms", type=int, default=1000)
    words.add_argument("--creates", type=int, default=100)
    words.add_argument("--managers", type=int, default=10)
    told = words.parse_args()
    names = [f"vm{number}" for number in range(1, told.vms + 1)]
    simulators = [Simulator(told.vms) for _ in range(told.managers)]
    first = simulators[0]
    rows = []
    try:
        naive = Naive(first)
        # What is measured is the client: the simulators have shown every VM once.
        state_of(simulators, names)
        for each in simulators:
            each.counted()
        count, ours = best(lambda: state_of([first], names), first.counted)
        counts, many = best(lambda: state_of(simulators, names), lambda: sum(each.counted() for each in simulators))
        rows.append((f"state of {told.vms} VMs", count, ours, timed(lambda: [naive.look(n) for n in names])))
        rows.append((f"{told.managers} managers x {told.vms} VMs, state", counts, many, ours))
        first.counted()
        began = timed(lambda: start_all(first, names))
        count = first.counted()
        _stopped(first, names)
        rows.append((f"start {told.vms} VMs, pool 16", count, began, timed(lambda: [naive.start(n) for n in names])))
        first.counted()
        ours = timed(lambda: create_all(first, [f"fast{number}" for number in range(told.creates)]))
        count = first.counted()
        slow = timed(lambda: [naive.create(f"slow{number}") for number in range(told.creates)])
        rows.append((f"create {told.creates} VMs, 1 disk, 2 NICs each", count, ours, slow))
    finally:
        for simulator in simulators:
            simulator.stop()
    show(rows)
    return 0


def _stopped(simulator: Simulator, names: Sequence[str]) -> None:
    """Bring all VMs down again, for the naive client's turn."""
    with opened([simulator]) as (manager,):
        machines = manager.find(Vm, names).values()
        until(manager, [Goal(vm, frozenset({"up"})) for vm in machines], manager.clock)
        with ThreadPoolExecutor(manager.workers) as pool:
            list(pool.map(lambda vm: manager.act(vm, "stop"), machines))
        until(manager, [Goal(vm, frozenset({"down"})) for vm in machines], manager.clock)


def show(rows: Sequence[tuple[str, int, float, float]]) -> None:
    """Print the table."""
    print(f"{'work on the simulator, 20 ms per request':44} {'requests':>8} {'seconds':>8} {'against':>8} {'part':>7}")
    for title, count, ours, other in rows:
        part = f"1/{other / ours:.1f}" if ours < other else f"{ours / other:.1f} x"
        print(f"{title:44} {count:8} {ours:8.2f} {other:8.2f} {part:>7}")


if __name__ == "__main__":
    sys.exit(main())
