"""What each piece of work costs in requests, exactly, in each generation of engine.

The client talks to the simulator's application without a socket, on one clock that stands still until somebody sleeps.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from enginehelp import Script, manager_on
from xcat_rhev.clock import ManualClock
from xcat_rhev.engine.documents.dialect import Dialect
from xcat_rhev.engine.manager import Manager
from xcat_rhev.engine.nouns import Cluster, Disk, Host, Network, Nic, Ref, StorageDomain, Template, Vm
from xcat_rhev.engine.waiting import Goal, until
from xcat_rhev.engine.wire.transport import HttpRequest
from xcat_rhev.sim import app, build, http, plan, settings, world

VERSIONS = [(3, 0), (3, 3), (3, 6), (4, 1), (4, 5)]
GIB = 1 << 30


class Budget:
    """A facade on an engine in memory, and the requests that it cost since it was last asked."""

    def __init__(self, version: tuple[int, int], vms: int = 0) -> None:
        major = version[0]
        clock = ManualClock()
        versions: Any = {"v3_version": version} if major == 3 else {"v4_version": version}
        told = settings.Settings(api=str(major), management="rhevm", strict=True, **versions)
        made = world.World(clock, epoch=1_700_000_000.0)
        long = "/ovirt-engine/api" if version >= (3, 4) else "/api"
        dialect, _, _ = told.dialect(long, "")
        assert dialect is not None
        build.build(made, dialect, "rhevm", 2, vms)
        self._front = http.Front(app.Application(made, told, b""), plan.Plan())
        self._script = Script([self._answer])
        token = self._login()
        self.manager: Manager = manager_on(
            self._script, Dialect(major, version), clock, token=token if major == 4 else ""
        )

    def _login(self) -> str:
        form = urlencode(
            {"grant_type": "password", "scope": "ovirt-app-api", "username": "admin@internal", "password": "sentinel"}
        )
        self._front.app.settings.__dict__["password"] = type(self._front.app.settings.password)("sentinel")
        headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
        answer = self._front.handle(app.SimRequest("POST", "/ovirt-engine/sso/oauth/token", headers, form.encode(), ""))
        text = answer.raw.body.decode()
        return text.partition('"access_token"')[2].partition('"')[2].partition('"')[0]

    def _answer(self, request: HttpRequest) -> tuple[int, str]:
        headers = {name.lower(): value for name, value in request.headers.items()}
        raw = self._front.handle(app.SimRequest(request.method, request.path, headers, request.body, "")).raw
        return raw.status, raw.body.decode()

    def spent(self) -> int:
        count = len(self._script.asked)
        self._script.asked.clear()
        return count


@pytest.fixture(params=VERSIONS, ids=lambda version: f"{version[0]}.{version[1]}")
def budget(request: pytest.FixtureRequest) -> Budget:
    return Budget(request.param, vms=300)


def names(count: int) -> list[str]:
    return [f"vm{number}" for number in range(1, count + 1)]


@pytest.mark.parametrize("count", [1, 99, 300])
def test_state_of_machines(budget: Budget, count: int) -> None:
    assert len(budget.manager.find(Vm, names(count))) == count
    batch = 125 if budget.manager.version >= (3, 4) else 99
    assert budget.spent() == -(-count // batch)


def test_the_list_of_all(budget: Budget) -> None:
    assert len(budget.manager.list(Vm)) == 300
    assert budget.spent() == (4 if budget.manager.version == (3, 0) else 1)


def test_details_of_fifty_machines(budget: Budget) -> None:
    found = budget.manager.find(Vm, names(50), details=True)
    assert all(len(vm.disks) == 1 and vm.nics[0].network.name for vm in found.values())
    cost = {
        # v3: one search, and the list of networks, for a NIC says its network's id alone.
        3: 2,
        # 4.2 and later: one search, the lists of profiles and networks. Before: the attachments and NICs of each, too,
        # and the list of disks.
        4: 3 if budget.manager.version >= (4, 2) else 4 + 2 * 50,
    }
    assert budget.spent() == cost[budget.manager.dialect]


def test_names_of_references(budget: Budget) -> None:
    for vm in budget.manager.find(Vm, names(10)).values():
        assert budget.manager.name_of(Cluster, vm.cluster) == "Default"
        assert budget.manager.name_of(Template, vm.template) == "Blank"
    assert budget.spent() == 3


@pytest.mark.parametrize("count", [1, 2, 400])
def test_hosts(budget: Budget, count: int) -> None:
    assert len(budget.manager.find(Host, [f"rhevh{number}" for number in range(1, count + 1)])) == min(count, 2)
    assert budget.spent() == 1


def test_a_machine_with_two_disks_and_two_nics(budget: Budget) -> None:
    manager = budget.manager
    domain = manager.one(StorageDomain, "data1")
    budget.spent()
    vm = manager.create(Vm(name="n1", cluster=Ref(name="Default"), template=Ref(name="Blank"), memory=GIB))
    assert budget.spent() == 1
    assert until(manager, [Goal(vm, frozenset({"down"}))], manager.clock)[vm.id].status == "down"
    assert budget.spent() == (1 if manager.dialect == 4 else 2)  # since 4.0 a machine without disks is down at once
    for number in (1, 2):
        manager.add_disk(
            vm, Disk(name=f"d{number}", size=GIB, format="cow", interface="virtio", storage_domains=(Ref(domain.id),))
        )
    assert budget.spent() == 2
    for number in (0, 1):
        manager.add_nic(vm, Nic(name=f"eth{number}", network=Ref(name="rhevm")))
    # The networks once, for their names; in v4 the clusters and the profiles once as well.
    assert budget.spent() == 2 + (3 if manager.dialect == 4 else 1)


def test_a_hundred_starts_and_the_wait_for_all(budget: Budget) -> None:
    manager = budget.manager
    found = manager.find(Vm, names(90))
    budget.spent()
    for vm in found.values():
        manager.act(vm, "start")
    assert budget.spent() == 90
    outcomes = until(manager, [Goal(vm, frozenset({"up"})) for vm in found.values()], manager.clock)
    assert {vm.status for vm in outcomes.values()} == {"up"}
    # Looks after 0.25, 0.63 and 1.19 s: machines are up after 1 s.
    assert budget.spent() == 3


def test_what_is_as_wanted_costs_nothing(budget: Budget) -> None:
    vm = budget.manager.one(Vm, "vm1")
    budget.spent()
    assert budget.manager.change(vm, memory=vm.memory, boot=vm.boot, stateless=False) is None
    assert budget.spent() == 0
    assert budget.manager.change(vm, description="new").description == "new"
    consoles, labels = (3, 4) <= budget.manager.version < (4, 4), (4, 1) <= budget.manager.version < (4, 4)
    assert budget.spent() == 1 + consoles + labels, "engines up to 4.3 take away what is not named"


def test_a_network_by_name(budget: Budget) -> None:
    budget.manager.one(Network, "rhevm")
    assert budget.spent() == 1
    budget.manager.one(Network, "rhevm", data_center="Default")
    assert budget.spent() == 2


def test_removal_is_one_request(budget: Budget) -> None:
    vm = budget.manager.one(Vm, "vm1")
    budget.spent()
    budget.manager.remove(vm)
    assert budget.spent() == 1
