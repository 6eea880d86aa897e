"""The official Python SDK drives the simulator: what it accepts, an engine's own clients accept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Callable

import pytest

sdk = pytest.importorskip("ovirtsdk4", reason="ovirtsdk4 is not installed (it compiles against libcurl and libxml2)")
types = pytest.importorskip("ovirtsdk4.types")

GIB = 1 << 30


@pytest.fixture
def connection(simulator: Any) -> Iterator[Any]:
    """Connected with SSO, the CA verified."""
    opened = connect(simulator)
    yield opened
    opened.close()


def connect(simulator: Any, **more: Any) -> Any:
    told = {"username": simulator.user, "password": simulator.password, **more}
    return sdk.Connection(url=simulator.v4, ca_file=simulator.ca, **told)


def wait(read: Callable[[], Any], wanted: Any, seconds: float = 300) -> Any:
    """Read until the status is there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = read()
        if found.status == wanted:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{read().status} is not {wanted}")


def services(connection: Any) -> Any:
    return connection.system_service()


def vm_service(connection: Any, name: str) -> Any:
    vms = services(connection).vms_service()
    return vms.vm_service(vms.list(search=f"name={name}")[0].id)


def new_vm(connection: Any, name: str, template: str = "Blank", **more: Any) -> Any:
    vms = services(connection).vms_service()
    vm = types.Vm(name=name, cluster=types.Cluster(name="Default"), template=types.Template(name=template), **more)
    made = vms.add(vm)
    return vms.vm_service(made.id)


def test_connect_and_test(connection: Any) -> None:
    assert connection.test(raise_exception=True)
    api = services(connection).get()
    assert api.product_info.version.major == 4
    assert api.summary.vms.total == 3
    assert api.special_objects.blank_template.id == "00000000-0000-0000-0000-000000000000"


def test_wrong_password_is_an_auth_error(simulator: Any) -> None:
    with pytest.raises(sdk.AuthError, match="Cannot authenticate user 'admin@internal'"):
        connect(simulator, password="wrong").test(raise_exception=True)


def test_unknown_ca_is_refused(simulator: Any, tmp_path: Any, start_simulator: Any) -> None:
    other = start_simulator()
    with pytest.raises(sdk.Error, match="SSL|certificate"):
        sdk.Connection(url=simulator.v4, ca_file=other.ca, username="a", password="b").test(raise_exception=True)


def test_list_with_search_max_and_follow(connection: Any) -> None:
    vms = services(connection).vms_service()
    assert [vm.name for vm in vms.list(search="name=vm* sortby name desc", max=2)] == ["vm3", "vm2"]
    assert [vm.name for vm in vms.list(search='name="VM1"', case_sensitive=False)] == ["vm1"]
    assert vms.list(search='name="VM1"', case_sensitive=True) == []
    vm = vms.list(search="name=vm1", follow="disk_attachments.disk,nics.vnic_profile,tags,graphics_consoles,cluster")[0]
    assert vm.disk_attachments[0].disk.provisioned_size == 10 * GIB
    assert vm.disk_attachments[0].disk.status == types.DiskStatus.OK
    assert vm.nics[0].vnic_profile.name == "ovirtmgmt"
    assert vm.cluster.name == "Default"
    assert connection.follow_link(vm.cluster).name == "Default"
    assert [nic.name for nic in connection.follow_link(vms.list(search="name=vm2")[0].nics)] == ["eth0"]


def test_vm_from_blank_with_disk_and_nic_start_migrate_stop(simulator: Any, connection: Any) -> None:
    boot = types.Boot(devices=[types.BootDevice.NETWORK, types.BootDevice.HD])
    service = new_vm(
        connection,
        "n1",
        memory=2 * 10**9,
        cpu=types.Cpu(topology=types.CpuTopology(cores=2, sockets=1, threads=1)),
        os=types.OperatingSystem(type="rhel_8x64", boot=boot),
        display=types.Display(type=types.DisplayType.VNC),
        placement_policy=types.VmPlacementPolicy(affinity=types.VmAffinity.MIGRATABLE),
    )
    vm = service.get()
    assert vm.memory == 1907 << 20  # whole MiB
    assert [device.value for device in vm.os.boot.devices] == ["network", "hd"]
    wait(service.get, types.VmStatus.DOWN)
    attachments = service.disk_attachments_service()
    attachment = attachments.add(
        types.DiskAttachment(
            bootable=True,
            active=True,
            interface=types.DiskInterface.VIRTIO_SCSI,
            disk=types.Disk(
                name="n1_1",
                format=types.DiskFormat.COW,
                provisioned_size=5 * GIB,
                storage_domains=[types.StorageDomain(name="data1")],
            ),
        )
    )
    disks = services(connection).disks_service()
    wait(disks.disk_service(attachment.disk.id).get, types.DiskStatus.OK)
    profile = services(connection).vnic_profiles_service().list()[0]
    nic = service.nics_service().add(
        types.Nic(
            name="eth0",
            interface=types.NicInterface.VIRTIO,
            mac=types.Mac(address="00:1A:4A:77:00:01"),
            vnic_profile=types.VnicProfile(id=profile.id),
        )
    )
    assert nic.mac.address == "00:1a:4a:77:00:01"
    service.start()
    assert service.get().status in (types.VmStatus.WAIT_FOR_LAUNCH, types.VmStatus.POWERING_UP)
    running = wait(service.get, types.VmStatus.UP)
    service.migrate()
    wait(service.get, types.VmStatus.UP)
    assert service.get().host.id != running.host.id
    console = service.graphics_consoles_service().list(current=True)[0]
    assert console.port >= 5900 and console.address
    service.shutdown(reason="enough")
    wait(service.get, types.VmStatus.DOWN)
    service.start(vm=types.Vm(os=types.OperatingSystem(boot=types.Boot(devices=[types.BootDevice.NETWORK]))))
    wait(service.get, types.VmStatus.UP)
    assert [device.value for device in service.get().os.boot.devices] == ["network"]
    assert [device.value for device in service.get(next_run=True).os.boot.devices] == ["network", "hd"]
    service.suspend()
    wait(service.get, types.VmStatus.SUSPENDED)
    service.start()
    wait(service.get, types.VmStatus.UP)
    service.stop()
    wait(service.get, types.VmStatus.DOWN)
    service.remove()
    simulator.call("PUT", f"{simulator.origin}/-/clock", '{"advance": 60}')
    assert services(connection).vms_service().list(search="name=n1") == []


def test_template_and_vm_from_it(connection: Any) -> None:
    templates = services(connection).templates_service()
    made = templates.add(types.Template(name="gold", vm=types.Vm(name="vm1")))
    wait(templates.template_service(made.id).get, types.TemplateStatus.OK)
    wait(vm_service(connection, "vm1").get, types.VmStatus.DOWN)
    service = new_vm(connection, "n2", "gold")
    wait(service.get, types.VmStatus.DOWN)
    assert len(service.disk_attachments_service().list()) == 1
    with pytest.raises(sdk.Error, match="being used by the following VMs: n2"):
        templates.template_service(made.id).remove()
    clone = new_vm(connection, "n3", "gold")
    wait(clone.get, types.VmStatus.DOWN)
    assert clone.nics_service().list()[0].mac.address != service.nics_service().list()[0].mac.address


def test_data_center_cluster_network_and_storage(connection: Any) -> None:
    system = services(connection)
    center = system.data_centers_service().add(types.DataCenter(name="dc1", local=False))
    assert center.status == types.DataCenterStatus.UNINITIALIZED
    cluster = system.clusters_service().add(
        types.Cluster(
            name="cl1",
            data_center=types.DataCenter(id=center.id),
            cpu=types.Cpu(type="Intel Nehalem Family"),
        )
    )
    network = system.networks_service().add(
        types.Network(
            name="blue",
            vlan=types.Vlan(id=12),
            data_center=types.DataCenter(id=center.id),
            usages=[types.NetworkUsage.VM],
        )
    )
    there = system.clusters_service().cluster_service(cluster.id).networks_service()
    attached = there.add(types.Network(id=network.id, required=False))
    assert attached.status == types.NetworkStatus.OPERATIONAL and attached.required is False
    assert {
        profile.name for profile in system.networks_service().network_service(network.id).vnic_profiles_service().list()
    } == {"blue"}
    hosts = system.hosts_service()
    host = hosts.add(types.Host(name="h9", address="10.0.0.99", root_password="x", cluster=types.Cluster(name="cl1")))
    wait(hosts.host_service(host.id).get, types.HostStatus.UP)
    domain = system.storage_domains_service().add(
        types.StorageDomain(
            name="nfs1",
            type=types.StorageDomainType.DATA,
            host=types.Host(name="h9"),
            storage=types.HostStorage(type=types.StorageType.NFS, address="10.0.0.5", path="/export/1"),
        )
    )
    assert domain.status == types.StorageDomainStatus.UNATTACHED
    inside = system.data_centers_service().data_center_service(center.id).storage_domains_service()
    inside.add(types.StorageDomain(id=domain.id))
    one = inside.storage_domain_service(domain.id)
    wait(one.get, types.StorageDomainStatus.ACTIVE)
    assert system.storage_domains_service().storage_domain_service(domain.id).get().status is None
    wait(system.data_centers_service().data_center_service(center.id).get, types.DataCenterStatus.UP)
    one.deactivate()
    wait(one.get, types.StorageDomainStatus.MAINTENANCE)
    one.activate()
    wait(one.get, types.StorageDomainStatus.ACTIVE)
    levels = system.cluster_levels_service().level_service("4.7").get()
    assert "Intel Nehalem Family" in [cpu.name for cpu in levels.cpu_types]


def test_host_registers_and_is_approved_deactivated_removed(simulator: Any, connection: Any) -> None:
    where = "/OvirtEngineWeb/register?vds_ip=10.0.0.7&vds_name=node7&vds_unique_id=4C4C_52:54:00:12:34:56"
    where += "&port=54321&__VIEWSTATE="
    assert simulator.call("GET", f"{simulator.origin}{where}")[0] == 200
    hosts = services(connection).hosts_service()
    host = hosts.list(search="name=node7")[0]
    assert host.status == types.HostStatus.PENDING_APPROVAL
    service = hosts.host_service(host.id)
    service.approve(cluster=types.Cluster(name="Default"))
    wait(service.get, types.HostStatus.UP)
    with pytest.raises(sdk.Error, match="switch Host to Maintenance mode first"):
        service.remove()
    service.deactivate()
    wait(service.get, types.HostStatus.MAINTENANCE)
    service.activate()
    wait(service.get, types.HostStatus.UP)
    service.deactivate()
    wait(service.get, types.HostStatus.MAINTENANCE)
    agents = service.fence_agents_service()
    agents.add(types.Agent(address="bmc", type="ipmilan", username="u", password="p", order=1))
    service.update(types.Host(power_management=types.PowerManagement(enabled=True)))
    status = service.fence(fence_type="status")
    assert status.status == types.PowerManagementStatus.ON
    service.remove()
    assert hosts.list(search="name=node7") == []


def test_host_networks(connection: Any) -> None:
    system = services(connection)
    center = system.data_centers_service().list()[0]
    network = system.networks_service().add(types.Network(name="store", data_center=types.DataCenter(id=center.id)))
    cluster = system.clusters_service().list()[0]
    system.clusters_service().cluster_service(cluster.id).networks_service().add(
        types.Network(id=network.id, required=False)
    )
    host = system.hosts_service().list(search="name=rhevh1", follow="nics")[0]
    assert [nic.name for nic in host.nics] == ["eth0", "eth1", "eth2", "eth3"]
    service = system.hosts_service().host_service(host.id)
    address = types.IpAddressAssignment(
        assignment_method=types.BootProtocol.STATIC,
        ip=types.Ip(address="10.5.0.1", netmask="255.255.255.0"),
    )
    service.setup_networks(
        modified_network_attachments=[
            types.NetworkAttachment(
                network=types.Network(id=network.id),
                host_nic=types.HostNic(name="eth1"),
                ip_address_assignments=[address],
            )
        ],
        check_connectivity=True,
        connectivity_timeout=60,
        commit_on_success=True,
    )
    found = service.network_attachments_service().list()
    assert {attachment.network.id for attachment in found} >= {network.id}
    bond = types.HostNic(
        name="bond0",
        bonding=types.Bonding(
            options=[types.Option(name="mode", value="4")],
            slaves=[types.HostNic(name="eth2"), types.HostNic(name="eth3")],
        ),
    )
    service.setup_networks(modified_bonds=[bond])
    assert "bond0" in [nic.name for nic in service.nics_service().list()]


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({"do": "status", "status": 500}, sdk.Error),
        ({"do": "status", "status": 409, "times": 1}, sdk.Error),
        ({"do": "status", "status": 404}, sdk.NotFoundError),
        ({"do": "status", "status": 403}, sdk.AuthError),
        ({"do": "status", "status": 503}, sdk.Error),
        ({"do": "drop"}, sdk.Error),
        ({"do": "html"}, sdk.Error),
        ({"do": "empty"}, sdk.Error),
        ({"do": "truncate"}, sdk.Error),
    ],
)
def test_faults_come_as_the_sdks_errors(simulator: Any, connection: Any, rule: Any, error: Any) -> None:
    services(connection).vms_service().list()
    simulator.faults({**rule, "path": "/vms"})
    with pytest.raises(error):
        services(connection).vms_service().list()
    simulator.faults()
    assert len(services(connection).vms_service().list()) == 3


def test_expired_token_is_renewed_and_chunks_are_read(simulator: Any, connection: Any) -> None:
    services(connection).vms_service().list()
    simulator.faults({"do": "expire", "times": 1}, {"do": "chunked", "path": "/vms"})
    assert len(services(connection).vms_service().list()) == 3
    simulator.faults({"do": "delay", "seconds": 0.05})
    assert len(services(connection).vms_service().list()) == 3


def test_refusals_carry_the_engines_words(connection: Any) -> None:
    service = vm_service(connection, "vm1")
    service.start()
    with pytest.raises(
        sdk.Error,
        match=r'Fault detail is "\[Cannot run VM because the VM is in (Up|Wait for Launch|Powering Up) status.\]". '
        r"HTTP response code is 409",
    ):
        service.start()
    with pytest.raises(sdk.Error, match="already in use"):
        new_vm(connection, "vm2")
    with pytest.raises(sdk.NotFoundError):
        services(connection).vms_service().vm_service("00000000-0000-0000-0000-00000000beef").get()
    with pytest.raises(sdk.Error, match="Entity not found: Cluster: name=nowhere"):
        services(connection).vms_service().add(
            types.Vm(
                name="x",
                cluster=types.Cluster(name="nowhere"),
                template=types.Template(name="Blank"),
            )
        )
    with pytest.raises(sdk.Error, match=r"Vm \[cluster.id\|name\] required for add"):
        services(connection).vms_service().add(types.Vm())


def test_events_jobs_tags_snapshots_and_affinity(connection: Any) -> None:
    system = services(connection)
    system.tags_service().add(types.Tag(name="red"))
    service = vm_service(connection, "vm1")
    service.tags_service().add(types.Tag(name="red"))
    assert [vm.name for vm in system.vms_service().list(search="tag=red")] == ["vm1"]
    snapshots = service.snapshots_service()
    made = snapshots.add(types.Snapshot(description="before", persist_memorystate=False))
    assert made.snapshot_status in (types.SnapshotStatus.LOCKED, types.SnapshotStatus.OK)
    assert [one.description for one in snapshots.list()] == ["Active VM", "before"]
    wait(service.get, types.VmStatus.DOWN)
    service.start(query={"correlation_id": "abc-1"})
    assert "vm1" in system.events_service().list(search="correlation_id=abc-1")[0].description
    events = system.events_service().list(max=1)
    assert len(events) == 1 and events[0].severity is not None
    cluster = system.clusters_service().list()[0]
    groups = system.clusters_service().cluster_service(cluster.id).affinity_groups_service()
    group = groups.add(types.AffinityGroup(name="apart", positive=False, enforcing=True))
    groups.group_service(group.id).vms_service().add(types.Vm(id=system.vms_service().list(search="name=vm2")[0].id))
    assert len(groups.group_service(group.id).vms_service().list()) == 1
    assert system.jobs_service().list() is not None
    statistics = {one.name: one for one in service.statistics_service().list()}
    assert statistics["memory.installed"].values[0].datum == 512 << 20
