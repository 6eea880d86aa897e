"""What engines do that a client stumbles over, each as the simulator does it too."""

from __future__ import annotations

import json
import resource
import shutil
import socket
import ssl
import uuid
from pathlib import Path
from typing import Any

import pytest

from simulator import SimulatorProgram
from xcat_rhev.clock import ManualClock, SystemClock
from xcat_rhev.engine.managers import Managers
from xcat_rhev.engine.nouns import Disk, Host, Nic, Ref, StorageDomain, Vm
from xcat_rhev.engine.waiting import Goal, until
from xcat_rhev.errors import BadAnswer, Conflict, Denied, Locked, NotFound, RhevError, TimedOut, Unreachable, Usage
from xcat_rhev.secret import Secret

V30 = ("--api", "3", "--v3-version", "3.0")
DOWN, UP = frozenset({"down"}), frozenset({"up"})


def ended(manager: Any, what: Any, wanted: frozenset[str], **more: Any) -> Any:
    return until(manager, [Goal(what, wanted, **more)], manager.clock)[what.id]


@pytest.mark.parametrize("version", ["3.0", "3.1", "3.3", "3.4"])
def test_a_long_list_is_whole(start: Any, version: str) -> None:
    manager = start("--hosts", "1", "--vms", "250", "--api", "3", "--v3-version", version).open()
    names = [vm.name for vm in manager.list(Vm)]
    assert sorted(names) == sorted(f"vm{number}" for number in range(1, 251))
    assert len(manager.find(Vm, [f"vm{number}" for number in range(1, 251)])) == 250


def test_an_underscore_fits_any_letter(start: Any) -> None:
    manager = start("--api", "3").open()
    for name in ("node_1", "nodeX1", "NODE_1"):
        manager.create(Vm(name=name, cluster=Ref(name="Default"), template=Ref(name="Blank")))
    assert len(manager.list(Vm, where='name="node_1"')) == 3
    assert manager.find(Vm, ["node_1"])["node_1"].name == "node_1"


def test_a_start_that_is_complete_is_not_up(start: Any) -> None:
    manager = start("--hosts", "1", "--vms", "1", "--api", "4", "--speed", "1").open()
    vm = manager.one(Vm, "vm1")
    assert manager.act(vm, "start").status == "complete"
    assert manager.one(Vm, "vm1").status in ("wait_for_launch", "powering_up")
    assert ended(manager, vm, UP).status == "up"


@pytest.mark.parametrize("words", [V30, ("--api", "3"), ("--api", "4")], ids=["3.0", "3.6", "v4"])
def test_a_locked_machine_is_waited_for(start: Any, words: tuple[str, ...]) -> None:
    engine = start("--hosts", "1", *words)
    manager = engine.open()
    made = manager.create(Vm(name="n1", cluster=Ref(name="Default"), template=Ref(name="Blank")))
    assert made.status == ("down" if "4" in words else "image_locked")  # since 4.0 nothing is locked before the disk is
    manager.add_disk(
        made,
        Disk(
            name="d",
            size=1 << 30,
            format="cow",
            interface="virtio",
            bootable=True,
            storage_domains=(Ref(manager.one(StorageDomain, "data1").id),),
        ),
    )
    manager.act(made, "start")
    assert ended(manager, made, UP).status == "up"


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("--api", "4"), ("/ovirt-engine/api", 4, (4, 5))),
        (("--api", "3"), ("/ovirt-engine/api", 3, (3, 6))),
        (("--api", "3", "--v3-version", "3.3"), ("/api", 3, (3, 3))),
        (V30, ("/api", 3, (3, 0))),
        (("--api", "both", "--v4-version", "4.3"), ("/ovirt-engine/api", 4, (4, 3))),
    ],
)
def test_where_the_api_is_and_what_it_speaks(start: Any, words: tuple[str, ...], where: tuple[Any, ...]) -> None:
    engine = start(*words)
    manager = engine.open()
    assert (engine.session.base, manager.dialect, manager.version) == where


def test_v3_on_a_4_3_engine_if_the_site_insists(start: Any) -> None:
    engine = start("--hosts", "1", "--vms", "1", "--api", "both", "--v4-version", "4.3")
    manager = engine.open(api="3")
    assert manager.dialect == 3
    assert manager.find(Vm, ["vm1"], details=True)["vm1"].disks[0].size


def test_v3_is_gone_from_4_4(start: Any) -> None:
    engine = start("--api", "4", "--v4-version", "4.4")
    with pytest.raises(Usage, match="does not speak API v3. site.rhevmapi=3 asks for it"):
        engine.open(api="3")
    with pytest.raises(Usage, match="does not speak API v4"):
        start("--api", "3").open(api="4")


@pytest.mark.parametrize("version", ["4.0", "4.1", "4.2"])
def test_details_without_follow(start: Any, version: str) -> None:
    manager = start("--hosts", "1", "--vms", "3", "--api", "4", "--v4-version", version).open()
    found = manager.find(Vm, ["vm1", "vm3"], details=True)
    assert [len(vm.disks) for vm in found.values()] == [1, 1]
    assert all(vm.disks[0].size and vm.nics[0].network.name == "ovirtmgmt" for vm in found.values())


def test_what_was_found_out_is_remembered(start: Any) -> None:
    engine = start(*V30)
    access = engine.access()
    for lines in (4, 2):
        said: list[str] = []
        managers = Managers(SystemClock())
        managers.open(access, said.append).list(Host)
        managers.close()
        assert len(said) == lines
    assert (access.folder / "api").read_text().count('"/api"') == 1


def test_what_was_remembered_may_be_out_of_date(start: Any) -> None:
    access = start("--api", "4").access()
    access.folder.mkdir(parents=True)
    old = json.dumps({"origin": f"https://{access.name}", "path": "/api"})
    for note in (old, "garbage", "[1]", '{"origin": 3}', '{"origin": "https://evil.example.com:1", "path": "/api"}'):
        (access.folder / "api").write_text(note)
        assert Managers(SystemClock()).open(access).dialect == 4


# What goes wrong on the way.

GET = {"method": "GET", "path": "/vms*"}


@pytest.mark.parametrize(
    "rule",
    [
        {"do": "drop", "times": 2, **GET},
        {"do": "drop-after", "times": 2, **GET},
        {"do": "truncate", "times": 2, **GET},
        {"do": "status", "status": 503, "times": 2, **GET},
        {"do": "status", "status": 502, "times": 1, **GET},
        {"do": "status", "status": 504, "times": 1, **GET},
        {"do": "chunked", **GET},
        {"do": "expire", "times": 1, **GET},
        {"do": "status", "status": 401, "times": 1, **GET},
        {"do": "delay", "seconds": 0.2, **GET},
    ],
    ids=lambda rule: f"{rule['do']}{rule.get('status', '')}",
)
def test_what_a_read_survives(engine: Any, manager: Any, rule: dict[str, Any]) -> None:
    engine.only_simulated("it takes no orders for faults")
    manager.find(Vm, ["vm1"])
    engine.faults(rule)
    assert set(manager.find(Vm, ["vm1", "vm5"])) == {"vm1", "vm5"}


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ({"do": "html"}, BadAnswer),
        ({"do": "empty"}, BadAnswer),
        ({"do": "status", "status": 500}, BadAnswer),
        ({"do": "status", "status": 401}, Denied),
        ({"do": "drop"}, Unreachable),
        ({"do": "truncate"}, Unreachable),
        ({"do": "status", "status": 503}, Unreachable),
        ({"do": "status", "status": 404}, NotFound),
        ({"do": "status", "status": 403}, Denied),
    ],
    ids=lambda each: str(each.get("status", each["do"])) if isinstance(each, dict) else "",
)
def test_what_a_read_does_not_survive(engine: Any, rule: dict[str, Any], kind: type[RhevError]) -> None:
    engine.only_simulated("it takes no orders for faults")
    engine.faults()
    access = engine.access()
    managers = Managers(ManualClock())
    manager = managers.open(access)
    manager.find(Vm, ["vm1"])
    engine.faults({**rule, **GET})
    with pytest.raises(kind) as caught:
        manager.find(Vm, ["vm1"])
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    managers.close()


@pytest.mark.parametrize(
    "rule",
    [
        {"do": "drop-after"},
        {"do": "truncate"},
        {"do": "status", "status": 503},
        {"do": "status", "status": 500},
        {"do": "status", "status": 409},
        {"do": "delay", "seconds": 0.1},
        {"do": "chunked"},
        {"do": "empty"},
        {"do": "no-status"},
        {"do": "expire"},
    ],
    ids=lambda rule: f"{rule['do']}{rule.get('status', '')}",
)
def test_what_a_create_survives(engine: Any, manager: Any, rule: dict[str, Any]) -> None:
    engine.only_simulated("it takes no orders for faults")
    name = f"made-{uuid.uuid4().hex[:8]}"
    domain = Ref(manager.one(StorageDomain, "data1").id)
    engine.faults(
        {**rule, "method": "POST", "path": "/vms*", "times": 1},
        {**rule, "method": "POST", "path": "/vms/*/disk*", "times": 1},
        {**rule, "method": "POST", "path": "/vms/*/nics", "times": 1},
    )
    vm = manager.create(Vm(name=name, cluster=Ref(name="Default"), template=Ref(name="Blank")))
    ended(manager, vm, DOWN)
    disk = Disk(name="d", size=1 << 30, format="cow", interface="virtio", storage_domains=(domain,))
    manager.add_disk(vm, disk)
    network = Ref(name="rhevm" if manager.dialect == 3 else "ovirtmgmt")
    manager.add_nic(vm, Nic(name="eth0", interface="virtio", network=network))
    found = ended(manager, vm, DOWN, settled=True)
    assert len(manager.look(Vm, [name])) == 1
    assert (len(found.disks), [nic.name for nic in found.nics]) == (1, ["eth0"])


def test_a_state_that_never_comes_and_one_that_fails(start: Any) -> None:
    engine = start("--hosts", "1", "--vms", "2", "--api", "4")
    manager = engine.open()
    engine.faults(
        {"do": "never", "state": "vm.start", "name": "vm1"},
        {"do": "fail", "state": "vm.start", "name": "vm2", "text": "VM vm2 is down with error. No space."},
    )
    one, two = manager.one(Vm, "vm1"), manager.one(Vm, "vm2")
    for vm in (one, two):
        manager.act(vm, "start")
    outcomes = until(manager, [Goal(one, UP, limit=2), Goal(two, UP, failed=DOWN)], manager.clock)
    assert isinstance(outcomes[one.id], TimedOut)
    assert "No space" in str(outcomes[two.id])


def test_a_lock_that_stays_is_told_as_one(start: Any) -> None:
    engine = start("--hosts", "1", "--vms", "1", "--api", "4")
    managers = Managers(ManualClock())
    manager = managers.open(engine.access())
    vm = manager.one(Vm, "vm1")
    engine.faults({"do": "status", "status": 409, "method": "POST"})
    with pytest.raises(Locked, match="currently in progress"):
        manager.act(vm, "start")


def test_two_of_a_name(start: Any) -> None:
    engine = start("--hosts", "1", "--vms", "1", "--api", "4")
    engine.faults({"do": "duplicate", "kind": "vm", "name": "vm1"})
    with pytest.raises(Conflict.__mro__[1], match="several VMs named vm1"):
        engine.open().one(Vm, "vm1")


# Whom we believe, and who we are.


def test_the_ca_is_pinned_and_never_replaced(start: Any) -> None:
    engine, other = start("--api", "4"), start("--api", "4")
    access = engine.access()
    notes: list[str] = []
    Managers(SystemClock()).open(access, tell=notes.append)
    pinned = (access.folder / "ca.crt").read_text()
    assert pinned == Path(str(engine.sim.ready["ca"])).read_text()
    assert "SHA-256" in notes.pop()
    Managers(SystemClock()).open(access, tell=notes.append)
    assert notes == []
    shutil.copy(str(other.sim.ready["ca"]), access.folder / "ca.crt")
    with pytest.raises(Unreachable, match=r"was not signed by .*ca\.crt"):
        Managers(SystemClock()).open(access)
    assert (access.folder / "ca.crt").read_text() != pinned


def test_other_sources_of_trust(start: Any, tmp_path: Path) -> None:
    engine = start("--api", "4")
    assert engine.open(ca=str(engine.sim.ready["ca"])).dialect == 4
    assert engine.open(insecure=True).dialect == 4
    assert engine.open(old_tls=True).dialect == 4
    with pytest.raises(Unreachable, match="not signed by the system's CAs"):
        engine.open(ca="system")
    (tmp_path / "page.html").write_text("<html>not found</html>")
    for file in (tmp_path / "page.html", tmp_path / "missing"):
        with pytest.raises(Usage, match="holds no CA certificate"):
            engine.open(ca=str(file))


def test_the_name_must_be_the_certificates(start: Any) -> None:
    engine = start("--api", "4", "--host", "0.0.0.0")
    access = engine.access(name=f"127.0.0.2:{engine.sim.ready['port']}", ca=str(engine.sim.ready["ca"]))
    with pytest.raises(Unreachable, match="is not made for that name"):
        Managers(SystemClock()).open(access)


def test_a_wrong_password(start: Any) -> None:
    engine = start("--api", "4", "--html-errors")
    with pytest.raises(Denied, match="refuses the login of admin@internal") as caught:
        engine.open(password=Secret("sentinel"))
    assert "sentinel" not in str(caught.value)


def test_no_secret_in_the_trace(start: Any) -> None:
    engine = start("--hosts", "1", "--api", "4")
    said: list[str] = []
    manager = engine.open(said.append)
    manager.create(Host(name="h9", address="10.9.9.9", cluster=Ref(name="Default"), root_password=Secret("sentinel")))
    text = "\n".join(said)
    assert "root_password>******<" in text
    assert "sentinel" not in text
    assert "secret" not in text
    assert str(manager.counts) == f"{len(said)} requests, 1 connection"


def test_one_session_on_v3(start: Any) -> None:
    engine = start("--api", "3", "--hosts", "1")
    manager = engine.open()
    manager.list(Host)
    assert engine.session.http.has_session()
    engine.faults({"do": "expire", "times": 1})
    assert manager.list(Host)
    old = start(*V30, "--hosts", "1")
    assert old.open().list(Host)
    assert not old.session.http.has_session()


def test_as_many_connections_as_workers(start: Any) -> None:
    engine = start("--hosts", "1", "--vms", "1000", "--api", "4", "--latency", "20")
    manager = engine.open(workers=3)
    manager.find(Vm, [f"vm{number}" for number in range(1, 1001)])
    assert str(manager.counts) in ("10 requests, 3 connections", "10 requests, 2 connections")


def test_a_count_is_the_commands_own(start: Any) -> None:
    engine = start("--hosts", "1", "--vms", "1000", "--api", "4", "--latency", "20")
    managers, access = Managers(SystemClock()), engine.access(workers=3)
    managers.open(access).find(Vm, [f"vm{number}" for number in range(1, 1001)])
    second = managers.open(access)
    assert str(second.counts) == "0 requests, 0 connections"
    second.find(Vm, ["vm1"])
    assert str(second.counts) == "1 request, 1 connection"
    managers.close()


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        name = f"127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(Unreachable, match="connection refused") as caught:
        Managers(SystemClock()).open(_access(name))
    assert caught.value.may_retry is False


def test_somebody_who_does_not_answer() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        filling = []
        for _ in range(3):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(full.getsockname())
            filling.append(one)
        with pytest.raises(Unreachable, match="no answer within 0.3 s"):
            Managers(SystemClock()).open(_access(f"127.0.0.1:{full.getsockname()[1]}", connect_timeout=0.3))
        for one in filling:
            one.close()


def _access(name: str, **more: Any) -> Any:
    from enginehelp import access

    return access(name=name, **more)


@pytest.mark.parametrize("name", ["", "a b", "http://x", "x/y", "x:99999", "user@x", "x:y"])
def test_what_is_no_manager(name: str) -> None:
    with pytest.raises(Usage, match="is not a manager"):
        Managers(SystemClock()).open(_access(name))


def test_tls_1_2_and_later_alone() -> None:
    from xcat_rhev.engine.wire.trust import context

    assert context(None).minimum_version == ssl.TLSVersion.TLSv1_2
    assert context(None).check_hostname
    assert context(None, old=True).minimum_version == ssl.TLSVersion.TLSv1


@pytest.mark.slow
@pytest.mark.parametrize("details", [False, True])
def test_thousands_of_machines_in_little_memory(start: Any, details: bool) -> None:
    manager = start("--hosts", "20", "--vms", "3000", "--api", "4", kind=SimulatorProgram).open()
    manager.find(Vm, ["vm1"], details=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(manager.list(Vm, details=details)) == 3000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 << 10
