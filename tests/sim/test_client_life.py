"""The life of everything a manager has, through the client over real HTTPS, in each version."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterable
from typing import Any

import pytest

from xcat_rhev.engine.manager import Manager
from xcat_rhev.engine.nouns import (
    AffinityGroup,
    Cluster,
    DataCenter,
    Disk,
    DiskImage,
    EngineJob,
    FenceAgent,
    GraphicsConsole,
    Host,
    HostNic,
    HostStorage,
    Network,
    NetworkAttachment,
    Nic,
    Noun,
    Ref,
    Snapshot,
    Statistic,
    StorageConnection,
    StorageDomain,
    Tag,
    Template,
    Ticket,
    Vm,
)
from xcat_rhev.engine.waiting import GONE, Goal, until
from xcat_rhev.errors import Conflict, NotFound, RhevError
from xcat_rhev.secret import Secret

GIB = 1 << 30
DOMAIN = os.environ.get("ENGINE_DOMAIN", "data1")
CLUSTER = os.environ.get("ENGINE_CLUSTER", "Default")
#: For what RHEV 3.0 does not have.
newer = pytest.mark.parametrize("engine", ["v3.6", "v4"], indirect=True, scope="module")


def reach(manager: Manager, what: Noun, *wanted: str, **more: Any) -> Any:
    outcome = until(manager, [Goal(what, frozenset(wanted), limit=60, **more)], manager.clock)[what.id]
    assert not isinstance(outcome, RhevError), outcome
    return outcome


def named(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def machine(manager: Manager, **more: object) -> Vm:
    """A VM from Blank that is down."""
    values = {
        "name": named("vm"),
        "cluster": Ref(name=CLUSTER),
        "template": Ref(name="Blank"),
        "memory": GIB,
        "display_type": "vnc",
        **more,
    }
    vm = manager.create(Vm(**values))
    found = reach(manager, vm, "down")
    assert isinstance(found, Vm)
    return found


def with_parts(manager: Manager, **more: object) -> Vm:
    vm = machine(manager, boot=("network", "hd"), **more)
    manager.add_disk(
        vm,
        Disk(
            name=f"{vm.name}_1",
            size=GIB,
            format="cow",
            interface="virtio",
            bootable=True,
            storage_domains=(Ref(manager.one(StorageDomain, DOMAIN).id),),
        ),
    )
    manager.add_nic(vm, Nic(name="eth0", network=Ref(name=management(manager)), interface="virtio"))
    found = reach(manager, vm, "down", settled=True)
    assert isinstance(found, Vm)
    return found


def management(manager: Manager) -> str:
    return next(network.name for network in manager.list(Network) if network.name in ("rhevm", "ovirtmgmt"))


def gone(manager: Manager, things: Iterable[Noun]) -> None:
    for thing in things:
        manager.remove(thing)
        reach(manager, thing, GONE)


def test_a_machine_with_disk_and_nic(manager: Manager) -> None:
    vm = with_parts(manager, sockets=2, cores=2, description="made by a test")
    again = manager.find(Vm, [vm.name, "no such"], details=True)
    assert list(again) == [vm.name]
    full = again[vm.name]
    assert (full.memory, full.sockets, full.cores, full.boot) == (GIB, 2, 2, ("network", "hd"))
    assert full.description == "made by a test"
    disks = [(disk.size, disk.status, disk.interface, disk.bootable) for disk in full.disks]
    assert disks == [(GIB, "ok", "virtio", True)]
    assert [(nic.name, nic.network.name) for nic in full.nics] == [("eth0", management(manager))]
    assert len(full.nics[0].mac) == 17
    assert manager.name_of(Cluster, full.cluster) == CLUSTER
    assert manager.name_of(Template, full.template) == "Blank"
    gone(manager, [vm])
    assert manager.find(Vm, [vm.name]) == {}


def test_power(manager: Manager) -> None:
    vm = with_parts(manager)
    manager.act(vm, "start")
    up = reach(manager, vm, "up")
    assert manager.name_of(Host, up.host) in {host.name for host in manager.list(Host)}
    with pytest.raises(Conflict, match="VM is running|in Up status"):
        manager.act(vm, "start")
    with pytest.raises(Conflict, match="running"):
        manager.remove(vm)
    console = manager.console(vm, 60)
    assert console.protocol == "vnc"
    assert console.port
    assert console.ticket
    manager.act(vm, "suspend")
    reach(manager, vm, "suspended")
    manager.act(vm, "start")
    reach(manager, vm, "up")
    manager.act(vm, "shutdown")
    reach(manager, vm, "down")
    assert any(vm.name in event.description for event in manager.events(vm))
    gone(manager, [vm])


def test_a_run_once_from_the_network(manager: Manager) -> None:
    vm = with_parts(
        manager,
    )
    manager.act(vm, "start", vm=Vm(boot=("network",)))
    reach(manager, vm, "up")
    manager.act(vm, "stop")
    assert reach(manager, vm, "down").boot == ("network", "hd")
    gone(manager, [vm])


def test_migration(manager: Manager) -> None:
    vm = with_parts(manager)
    manager.act(vm, "start")
    home = reach(manager, vm, "up").host
    with pytest.raises(RhevError, match="source and destination is the same|no hosts to use"):
        manager.act(vm, "migrate", host=Ref(home.id))
    other = next(host for host in manager.list(Host, where="status=up") if host.id != home.id)
    manager.act(vm, "migrate", host=other.ref, force=True)
    moved = reach(manager, vm, "up", also=lambda found: found.host and found.host.id == other.id)
    assert moved.host.id == other.id
    manager.act(vm, "stop")
    reach(manager, vm, "down")
    gone(manager, [vm])


def test_changes_send_what_differs(manager: Manager) -> None:
    vm = machine(manager)
    assert manager.change(vm, memory=GIB, display_type="vnc") is None
    changed = manager.change(vm, memory=2 * GIB + 12345, description="new", boot=("cdrom", "hd"))
    assert (changed.memory, changed.description, changed.boot) == (2 * GIB, "new", ("cdrom", "hd"))
    assert manager.change(changed, memory=2 * GIB + 999) is None
    assert manager.change(changed, memory=GIB // 2).memory == GIB // 2
    gone(manager, [vm])


def test_parts_change_and_go(manager: Manager) -> None:
    vm = with_parts(manager)
    nic = manager.list(Nic, under=vm)[0]
    assert manager.change_nic(vm, nic, network=Ref(name=management(manager))) is None
    assert manager.change_nic(vm, nic, mac="00:1a:4a:99:99:01").mac == "00:1a:4a:99:99:01"
    manager.remove(nic, under=vm)
    assert manager.list(Nic, under=vm) == []
    disk = manager.list(Disk, under=vm)[0]
    manager.remove_disk(vm, disk)
    reach(manager, disk, GONE, under=vm)
    gone(manager, [vm])


@newer  # RHEV 3.0 has no disks without a machine
def test_a_kept_disk_goes_to_another_machine(manager: Manager) -> None:
    vm, other = with_parts(manager), machine(manager)
    disk = manager.list(Disk, under=vm)[0]
    manager.remove_disk(vm, disk, keep=True)
    assert manager.list(Disk, under=vm) == []
    manager.add_disk(other, Disk(id=disk.id, interface="virtio"))
    assert [each.id for each in manager.list(Disk, under=other)] == [disk.id]
    gone(manager, [vm, other])


def test_templates_and_copies(manager: Manager) -> None:
    vm = with_parts(manager)
    template = manager.create(Template(name=named("t"), vm=vm.ref, description="a test's"))
    reach(manager, template, "ok")
    reach(manager, vm, "down", settled=True)
    thin = manager.create(Vm(name=named("thin"), template=template.ref, cluster=Ref(name=CLUSTER)))
    full = manager.create(Vm(name=named("full"), template=template.ref, cluster=Ref(name=CLUSTER), clone=True))
    for made in (thin, full):
        reach(manager, made, "down", settled=True)
        assert len(manager.list(Disk, under=made)) == 1
    based = manager.list(Disk, under=thin)
    with pytest.raises(Conflict, match=thin.name):
        manager.remove(template)
    gone(manager, [thin, full])
    for disk in based if manager.version > (3, 0) else []:  # it goes a moment after its machine
        reach(manager, DiskImage(id=disk.id, name=disk.name), GONE)
    gone(manager, [template, vm])


@newer  # snapshots of RHEV 3.0 are those of single disks
def test_snapshots(manager: Manager) -> None:
    vm = with_parts(manager)
    snapshot = manager.create(Snapshot(description="before"), under=vm)
    reach(manager, snapshot, "ok", under=vm)
    reach(manager, vm, "down", settled=True)
    assert "before" in [each.description for each in manager.list(Snapshot, under=vm)]
    manager.act(snapshot, "restore", under=vm)
    reach(manager, vm, "down", settled=True)
    manager.remove(snapshot, under=vm)
    reach(manager, snapshot, GONE, under=vm)
    gone(manager, [vm])


def test_tags_and_statistics(manager: Manager) -> None:
    vm = machine(manager)
    tag = manager.create(Tag(name=named("tag")))
    manager.create(Tag(name=tag.name), under=vm)
    assert tag.name in [each.name for each in manager.list(Tag, under=vm)]
    installed = {each.name: each.value for each in manager.list(Statistic, under=vm)}
    assert installed["memory.installed"] == GIB
    manager.remove(tag)
    gone(manager, [vm])


def test_an_environment_from_nothing_and_back(manager: Manager) -> None:
    center = manager.create(DataCenter(name=named("dc"), storage_type="nfs", local=False))
    cluster = manager.create(Cluster(name=named("cl"), data_center=center.ref, cpu_type=manager.cpu_types()[-1]))
    assert manager.one(Cluster, cluster.name, data_center=center.name).id == cluster.id
    network = manager.create(Network(name=named("n")[:15], data_center=center.ref, vlan=7))
    manager.create(Network(id=network.id, name=network.name, required=False), under=cluster)
    assert network.name in [each.name for each in manager.list(Network, under=cluster)]
    with pytest.raises(Conflict):
        manager.create(Network(id=network.id, name=network.name, required=False), under=cluster)
    manager.remove(network, under=cluster)
    assert network.name not in [each.name for each in manager.list(Network, under=cluster)]
    assert manager.one(Network, network.name, data_center=center.name).vlan == 7
    for thing in (network, cluster):
        manager.remove(thing)
    manager.remove(center, force=True)
    assert manager.find(DataCenter, [center.name]) == {}


def test_a_storage_domain_has_its_state_in_its_data_center_alone(manager: Manager, engine: Any) -> None:
    engine.only_simulated("it makes a domain on an NFS server that is not there")
    center = manager.one(DataCenter, "Default")
    host = manager.one(Host, "rhevh1")
    domain = manager.create(
        StorageDomain(
            name=named("iso"),
            type="iso",
            storage_type="nfs",
            address="nfs.example.com",
            path=f"/{named('export')}",
            host=host.ref,
        )
    )
    assert domain.status == "unattached"
    manager.attach_storage(center, domain)
    there = reach(manager, domain, "active", "maintenance", under=center)
    if there.status == "maintenance":
        manager.activate_storage(center, domain)
        reach(manager, domain, "active", under=center)
    assert manager.one(StorageDomain, domain.name).status is None
    assert manager.one(StorageDomain, domain.name, data_center="Default").status == "active"
    with pytest.raises(Conflict):
        manager.remove(domain, host=host.ref, format=True)
    manager.deactivate_storage(center, domain)
    reach(manager, domain, "maintenance", under=center)
    manager.detach_storage(center, domain)
    reach(manager, domain, GONE, under=center)
    manager.remove(domain, host=host.ref, format=True)
    assert manager.find(StorageDomain, [domain.name]) == {}


def test_a_host_is_switched_and_fenced(manager: Manager, engine: Any) -> None:
    engine.only_simulated("it puts a host into maintenance")
    host = manager.one(Host, "rhevh3")
    with pytest.raises(Conflict, match="Maintenance"):
        manager.remove(host)
    agent = FenceAgent(type="ipmilan", address="bmc3", username="root", password=Secret("p"))
    manager.act(host, "deactivate")
    host = reach(manager, host, "maintenance")
    assert manager.set_fencing(host, agent) is True
    assert manager.set_fencing(manager.one(Host, "rhevh3"), agent) is False
    assert manager.fence(host, "status") == "on"
    manager.act(host, "activate")
    reach(manager, host, "up")


def test_a_network_on_a_hosts_nic(manager: Manager, engine: Any) -> None:
    engine.only_simulated("it changes a host's network")
    host = manager.one(Host, "rhevh3")
    network = manager.create(Network(name=named("d")[:15], data_center=manager.one(DataCenter, "Default").ref))
    cluster = manager.one(Cluster, "Default")
    manager.create(Network(id=network.id, name=network.name, required=False), under=cluster)
    if manager.version < (3, 6):
        manager.act(host, "deactivate")
        reach(manager, host, "maintenance")
    free = next(nic for nic in manager.list(HostNic, under=host) if not nic.network)
    wanted = NetworkAttachment.on(network.ref, Ref(name=free.name), "static", "10.77.0.3", "255.255.0.0")
    assert manager.set_host_networks(host, [wanted]) is True
    there = {each.network.name: each for each in manager.host_networks(host)}[network.name]
    assert (there.host_nic.name, there.boot_protocol, there.ip) == (free.name, "static", "10.77.0.3")
    assert manager.set_host_networks(host, [wanted]) is False
    assert manager.set_host_networks(host, [], removed=[wanted]) is True
    assert network.name not in [each.network.name for each in manager.host_networks(host)]
    if manager.version < (3, 6):
        manager.act(host, "activate")
        reach(manager, host, "up")
    manager.remove(network, under=cluster)
    manager.remove(network)


def test_block_storage_of_a_host(manager: Manager, engine: Any) -> None:
    engine.only_simulated("it logs a host in to an iSCSI target that is not there")
    host = manager.one(Host, "rhevh1")
    answer = manager.act(host, "iscsidiscover", address="10.0.0.9", port=3260)
    assert answer.targets
    manager.act(host, "iscsilogin", address="10.0.0.9", port=3260, target=answer.targets[0].target)
    units = [
        unit
        for storage in manager.list(HostStorage, under=host)
        for unit in (*storage.logical_units, *storage.group_units)
    ]
    assert all(unit.id and unit.size for unit in units)


def test_a_host_joins(manager: Manager, engine: Any) -> None:
    engine.only_simulated("it installs a host that is not there")
    host = manager.create(
        Host(name=named("h"), address="10.99.0.1", cluster=Ref(name=CLUSTER), root_password=Secret("sentinel"))
    )
    reach(manager, host, "up", failed=frozenset({"install_failed"}))
    manager.act(host, "deactivate")
    reach(manager, host, "maintenance")
    gone(manager, [host])
    assert not manager.find(Host, [host.name])


def test_what_is_not_there(manager: Manager) -> None:
    with pytest.raises(NotFound):
        manager.get(Vm, "12345678-1234-1234-1234-123456789012")
    with pytest.raises(NotFound):
        manager.act(Vm(id="12345678-1234-1234-1234-123456789012"), "start")
    with pytest.raises(NotFound, match="nosuch"):
        manager.create(Vm(name=named("x"), cluster=Ref(name="nosuch"), template=Ref(name="Blank")))
    manager.remove(Vm(id="12345678-1234-1234-1234-123456789012", name="never was"))


@pytest.mark.parametrize("name", ["my vm", "it's", "50%", "a&b", "x=y", "and", "or", "page 2", "ä€", "<b>", 'say "hi"'])
def test_awkward_names(manager: Manager, name: str) -> None:
    if manager.version >= (4, 0) and not re.fullmatch(r"[\w.-]+", name):
        with pytest.raises(RhevError, match="special characters"):
            manager.create(Vm(name=name, cluster=Ref(name=CLUSTER), template=Ref(name="Blank")))
        return
    with pytest.raises(RhevError, match="Invalid tag name"):  # which engines keep simple, as no other names
        manager.create(Tag(name=f"{name} {uuid.uuid4().hex[:6]}"))
    vm = manager.create(Vm(name=name, cluster=Ref(name=CLUSTER), template=Ref(name="Blank")))
    reach(manager, vm, "down")
    assert manager.find(Vm, [name, "other"])[name].id == vm.id
    gone(manager, [vm])


def test_a_ticket_of_ones_own(manager: Manager) -> None:
    vm = with_parts(manager)
    manager.act(vm, "start")
    reach(manager, vm, "up")
    answer = manager.act(vm, "ticket", ticket=Ticket(value=Secret("sesame"), expiry=30))
    assert (answer.ticket, answer.ticket_expiry) == (Secret("sesame"), 30)
    manager.act(vm, "stop")
    reach(manager, vm, "down")
    gone(manager, [vm])


@newer  # affinity groups came with 3.5
def test_affinity_groups(manager: Manager) -> None:
    cluster = manager.one(Cluster, CLUSTER)
    group = manager.create(AffinityGroup(name=named("apart"), positive=False, enforcing=True), under=cluster)
    assert [
        (each.positive, each.enforcing) for each in manager.list(AffinityGroup, under=cluster) if each.id == group.id
    ] == [(False, True)]
    vm = machine(manager)
    manager.create(Vm(id=vm.id), under=group)
    assert [each.id for each in manager.list(Vm, under=group)] == [vm.id]
    manager.remove(vm, under=group)
    assert manager.list(Vm, under=group) == []
    manager.remove(group, under=cluster)
    gone(manager, [vm])


@newer  # of these, 3.6 has all and 3.0 none
def test_jobs_consoles_and_connections(manager: Manager) -> None:
    vm = machine(manager)
    assert [console.protocol for console in manager.list(GraphicsConsole, under=vm)] == ["vnc"]
    assert {job.status for job in manager.list(EngineJob)} <= {"started", "finished", "failed", "aborted", "unknown"}
    assert all(connection.type for connection in manager.list(StorageConnection))
    gone(manager, [vm])


def test_events_are_the_newest_first(manager: Manager) -> None:
    vm = machine(manager)
    manager.change(vm, description="changed")
    times = [event.time for event in manager.events(vm)]
    assert times == sorted(times, reverse=True)
    assert len(manager.events(vm, 1)) == 1
    gone(manager, [vm])
