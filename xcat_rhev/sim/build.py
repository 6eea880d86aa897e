"""What is in the world when the simulator starts."""

from __future__ import annotations

from .dialect import SimDialect, Thing
from .levels import newest
from .resources import policies, pools, rights
from .resources.clusters import USUAL, attach
from .resources.connections import connect
from .resources.datacenters import MAC_POOL, management
from .resources.hostnics import bring_parts
from .resources.hostshape import hardware
from .resources.vmshape import BLANK, blank
from .world import ZERO, World

GIB, TIB = 1 << 30, 1 << 40


def build(world: World, dialect: SimDialect, network: str, hosts: int = 0, vms: int = 0, running: int = 0) -> None:
    """Make the world that an engine has after its setup, and what was asked for.

    Args:
        world: Empty.
        dialect: Its version decides the compatibility level of `Default`.
        network: The name of the management network.
        hosts: So many hosts, `rhevh1` ..., up, with the data domain `data1`.
        vms: So many machines, `vm1` ..., each with a disk and a NIC.
        running: The part of them that is up, in percent.
    """
    cluster, profile = _after_setup(world, dialect, network)
    made = [_host(world, cluster, number) for number in range(1, hosts + 1)]
    domain = _domain(world, world.the("data_center", cluster["data_center"]), made[0]) if made else None
    for number in range(1, vms + 1):
        up = made[number % len(made)] if made and 100 * number <= vms * running + 99 else None
        vm = _vm(world, cluster, number, up)
        _parts(world, vm, profile, domain)
    world.event(1, "normal", "The engine was started.")


def _after_setup(world: World, dialect: SimDialect, network: str) -> tuple[Thing, Thing]:
    """Make what every engine has; the cluster `Default` and the profile of the management network."""
    blank(world, dialect)
    rights.build(world)
    policies.build(world)
    pools.build(world)
    world.add("tag", id=ZERO, name="root", description="root", parent=None)
    _mac_pool(world)
    major, minor = newest(dialect)
    level = {"major": major, "minor": minor}
    center = _data_center(world, level)
    net = management(world, center, network)
    cluster = world.add(
        "cluster",
        **USUAL,
        **level,
        name="Default",
        description="The default server cluster",
        data_center=center["id"],
        management_network=net["id"],
        cpu_type="Intel Nehalem Family",
        migration_policy="80554327-0569-496b-bdeb-fcbbf52b827b",
    )
    attach(world, cluster, net)
    return cluster, world.of("vnic_profile", "network", net["id"])[0]


def _mac_pool(world: World) -> None:
    span = {"from": "00:1a:4a:16:01:51", "to": "00:1a:4a:16:01:e6"}
    world.add(
        "mac_pool",
        id=MAC_POOL,
        name="Default",
        ranges=[span],
        allow_duplicates=False,
        default_pool=True,
        description="Default MAC pool",
    )


def _data_center(world: World, level: Thing) -> Thing:
    return world.add(
        "data_center",
        **level,
        name="Default",
        description="The default Data Center",
        storage_type="nfs",
        local=False,
        status="uninitialized",
        quota_mode="disabled",
        storage_format=None,
        mac_pool=MAC_POOL,
    )


def _host(world: World, cluster: Thing, number: int) -> Thing:
    name = f"rhevh{number}"
    host = world.add(
        "host",
        **hardware(name, number),
        name=name,
        address=f"10.9.{number // 250}.{number % 250 + 1}",
        cluster=cluster["id"],
        status="up",
    )
    bring_parts(world, host)
    return host


def _domain(world: World, center: Thing, host: Thing) -> Thing:
    """Make the data domain and thereby bring the data center up."""
    world.change(center, status="up", storage_format="v1")
    world.change(host, spm=True)
    domain = world.add(
        "storage_domain",
        name="data1",
        type="data",
        storage_type="nfs",
        address="10.9.255.1",
        path="/export/data1",
        data_center=center["id"],
        status="active",
        master=True,
        available=100 * TIB,
        used=TIB,
        committed=0,
        storage_format="v1",
        external_status="ok",
        block_size=512,
    )
    connect(world, domain)
    return domain


def _vm(world: World, cluster: Thing, number: int, host: Thing | None) -> Thing:
    """A machine without parts; it runs on the host, if there is one."""
    name = f"vm{number}"
    run: Thing = {"status": "down"}
    if host is not None:
        run = {
            "status": "up",
            "host": host["id"],
            "start_time": world.now(),
            "display_address": host["address"],
            "display_port": 5900 + number % 1000,
            "fqdn": f"{name}.example.com",
        }
    return world.add(
        "vm",
        **{**BLANK, **run},
        name=name,
        cluster=cluster["id"],
        template=ZERO,
        creation_time=world.now(),
        description="",
    )


def _parts(world: World, vm: Thing, profile: Thing, domain: Thing | None) -> None:
    """Give a machine its NIC, and a disk where there is storage."""
    world.add(
        "nic",
        vm=vm["id"],
        name="eth0",
        interface="virtio",
        mac=world.free_mac(),
        vnic_profile=profile["id"],
        network=profile["network"],
        plugged=True,
        linked=True,
    )
    if domain is not None:
        world.add(
            "disk",
            vm=vm["id"],
            name=f"{vm['name']}_Disk1",
            size=10 * GIB,
            actual_size=GIB,
            status="ok",
            format="cow",
            sparse=True,
            interface="virtio",
            bootable=True,
            active=True,
            storage_domain=domain["id"],
            wipe_after_delete=False,
            shareable=False,
            propagate_errors=False,
            disk_type="system",
        )
