"""Worlds as engines have them after years of many hands: drawn by hypothesis, put into the simulator by its back door.

A world is drawn as plain data first, so that a failing one can be read. Nothing in it is made by our own commands:
disks were removed and renamed, NICs lost their network, machines of one name stand in two data centers, LUNs are disks.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st
from lxml import etree

from vmsite import VmSite
from xcat_rhev.sim.app import SimRequest
from xcat_rhev.sim.resources.clusters import attach
from xcat_rhev.sim.resources.datacenters import management
from xcat_rhev.sim.resources.sharing import share
from xcat_rhev.sim.resources.vmshape import BLANK
from xcat_rhev.sim.world import ZERO

MIB, GIB = 1 << 20, 1 << 30
Version = tuple[int, int]

#: States of a machine; while it is in one of the second kind it has a host.
AT_REST = ("down", "suspended", "image_illegal", "image_locked")
ON_HOST = (
    "up",
    "powering_up",
    "paused",
    "not_responding",
    "reboot_in_progress",
    "powering_down",
    "migrating",
    "unknown",
    "wait_for_launch",
    "saving_state",
    "restoring_state",
)
MODELS = ("virtio", "e1000", "rtl8139")
BUSES = ("virtio", "virtio_scsi")
#: Custom properties, each with a value that engines take.
PROPERTIES = {"sap_agent": "true", "hugepages": "1048576", "sndbuf": "7"}


@dataclass(frozen=True)
class Disk:
    """A disk. `size` is None for a LUN; `shared` names further machines that have it."""

    name: str
    size: int | None
    bootable: bool = False
    domain: str = "data1"
    interface: str = "virtio"
    format: str = "cow"
    sparse: bool = True
    status: str = "ok"
    shareable: bool = False


@dataclass(frozen=True)
class Nic:
    """A NIC; without network it hangs in the air. Networks are called alike in both data centers."""

    name: str
    network: str = "management"
    interface: str = "virtio"
    plugged: bool = True
    linked: bool = True


@dataclass(frozen=True)
class Machine:
    """A machine. `values` are the simulator's own words for it; `template` is a version of the one that there is."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    disks: tuple[Disk, ...] = ()
    nics: tuple[Nic, ...] = ()
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    far: bool = False
    template: int = 0


def sizes() -> st.SearchStrategy[int]:
    """Sizes that people choose, and sizes that came with an import."""
    return st.sampled_from([30 * MIB, 50 * MIB, GIB, 11 * GIB, 11 * GIB + 512 * MIB, 20 * GIB, 5 * GIB + 12345 * 512])


@st.composite
def disks(draw: Any, machine: str, version: Version) -> tuple[Disk, ...]:
    """Disks with names of this and of other machines, some twice, at most one to boot from."""
    names = [f"{machine}_Disk{number}" for number in (1, 2, 3, 12)]
    others = ["deb10_Disk1", "data disk", "a|b:c", "Disk 1", "5"]
    count = draw(st.integers(0, 4))
    boot = draw(st.integers(-1, count - 1)) if count else -1
    found = []
    for number in range(count):
        direct = version >= (3, 1) and draw(st.integers(0, 4)) == 0
        # 3.0 names the disks itself.
        name = f"Disk {number + 1}" if version < (3, 1) else draw(st.sampled_from(names + others))
        found.append(
            Disk(
                name,
                None if direct else draw(sizes()),
                number == boot,
                draw(st.sampled_from(["data1", "data2"])),
                draw(st.sampled_from(BUSES if version > (3, 3) else BUSES[:1])),
                draw(st.sampled_from(["cow", "raw"])),
                draw(st.booleans()),
                draw(st.sampled_from(["ok", "ok", "ok", "illegal"])),
                version >= (3, 1) and draw(st.integers(0, 5)) == 0,
            )
        )
    return tuple(found)


@st.composite
def nics(draw: Any, version: Version) -> tuple[Nic, ...]:
    """NICs with names of the web UI and others, in no order, some without a network."""
    names = draw(st.lists(st.sampled_from(["nic1", "eth0", "eth1", "net-0", "weird.nic-1"]), unique=True, max_size=3))
    lost = version >= (3, 1)
    return tuple(
        Nic(
            name,
            draw(st.sampled_from(["management", "lan", *([""] if lost else [])])),
            draw(st.sampled_from(MODELS)),
            draw(st.booleans()) if version >= (3, 6) else True,
            draw(st.booleans()) if version >= (3, 6) else True,
        )
        for name in names
    )


def texts() -> st.SearchStrategy[str]:
    """Descriptions, some of which no column can hold."""
    return st.sampled_from(["", "web server", "a: b = c", "made; by hand", "two\nlines", "Grüße"])


@st.composite
def values(draw: Any, version: Version) -> dict[str, Any]:
    """What a machine is, in the simulator's words."""
    memory = draw(st.sampled_from([256 * MIB, GIB, 1537 * MIB, 4 * GIB]))
    found: dict[str, Any] = {
        "memory": memory,
        "memory_guaranteed": draw(st.sampled_from([memory, memory // 2 // MIB * MIB])),
        "sockets": draw(st.integers(1, 3)),
        "cores": draw(st.integers(1, 2)),
        "boot": draw(st.permutations(["hd", "network", "cdrom"]))[: draw(st.integers(1, 3))],
        "display_type": draw(st.sampled_from(["vnc", "spice"])),
        "os_type": draw(st.sampled_from(["other", "unassigned"])),
        "type": draw(st.sampled_from(["server", "desktop"])),
        "description": draw(texts()),
        "ha_enabled": draw(st.booleans()),
        "ha_priority": draw(st.sampled_from([1, 50, 100])),
        "stateless": draw(st.integers(0, 5)) == 0,
        "affinity": draw(st.sampled_from(["migratable", "user_migratable", "pinned"])),
        "origin": draw(st.sampled_from(["rhev", "external", "vmware", "managed_hosted_engine"])),
    }
    if version >= (3, 1):
        names = draw(st.lists(st.sampled_from(list(PROPERTIES)), unique=True, max_size=3))
        found["custom_properties"] = [{"name": name, "value": PROPERTIES[name]} for name in names]
    if version >= (3, 6):
        found.update(
            threads=draw(st.integers(1, 2)),
            delete_protected=draw(st.booleans()),
            console_enabled=draw(st.booleans()),
            vcpu_pins=[{"vcpu": 0, "cpu_set": "1-3"}] if draw(st.integers(0, 3)) == 0 else [],
        )
        if draw(st.booleans()):
            found.update(init_host_name=draw(st.sampled_from(["web1", "db.example.com"])), init_dns_servers="10.0.0.1")
            if draw(st.booleans()):
                found.update(init_custom_script="runcmd: [a]", init_user_name="root")
    if version >= (4, 0):
        found["memory_max"] = memory * draw(st.sampled_from([1, 4]))
        if draw(st.integers(0, 3)) == 0:
            found["type"] = "high_performance"
        if draw(st.integers(0, 3)) == 0:
            found.update(compat_major=4, compat_minor=draw(st.integers(0, 3)), cpu_model="Nehalem")
    return found


@st.composite
def machines(draw: Any, name: str, version: Version) -> Machine:
    """One machine."""
    told = draw(values(version))
    told["status"] = draw(st.sampled_from(["down", "down", "up", *AT_REST, *ON_HOST]))
    if told["status"] == "paused":
        told["status_detail"] = draw(st.sampled_from([None, "eio", "noerr"]))
    wanted = draw(st.lists(st.sampled_from(["rhevh1", "rhevh2", "rhevh3"]), unique=True, max_size=3))
    if version < (3, 6):
        wanted = wanted[:1]
    if not wanted:
        told.pop("vcpu_pins", None)  # no engine pins the CPUs of a machine that may be anywhere
    versions = st.sampled_from([0, 0, 2, 3] if version >= (3, 6) else [0, 2])
    return Machine(
        name,
        told,
        draw(disks(name, version)),
        draw(nics(version)),
        tuple(draw(st.lists(st.sampled_from(["web", "prod"]), unique=True))),
        tuple(draw(st.lists(st.sampled_from(["apart", "near"]), unique=True))) if version >= (3, 6) else (),
        tuple(wanted),
        template=draw(versions),
    )


@st.composite
def worlds(draw: Any, version: Version) -> list[Machine]:
    """One to four machines; since 3.6 the first may have a twin in another data center."""
    names = draw(st.lists(st.sampled_from(["vm1", "vm2", "Debbie", "n-1.x"]), unique=True, min_size=1, max_size=3))
    found = [draw(machines(name, version)) for name in names]
    if version >= (3, 6) and draw(st.integers(0, 2)) == 0:
        found.append(replace(draw(machines(names[0], version)), hosts=(), far=True, groups=(), disks=()))
    return found


class Stage:
    """The simulator of a site, on which one world after the other is put up.

    Args:
        site: With three hypervisors.
    """

    def __init__(self, site: VmSite) -> None:
        self.site, self.world = site, site.world
        self.cluster = site.thing("cluster", "Default")
        self.domains = {"data1": site.thing("storage_domain", "data1")}
        self.domains["data2"] = self._like("storage_domain", self.domains["data1"], name="data2", master=False)
        home = self._like("data_center", site.thing("data_center", "Default"), name="other")
        self.far = self._like("cluster", self.cluster, name="far", data_center=home["id"], management_network=None)
        self.nets = {
            (far, name): self._network(far, called)
            for far in (False, True)
            for name, called in (("management", site.network), ("lan", "lan"))
        }
        self._templates = {number: self._template(number) for number in (2, 3) if number < 3 or site.version >= (3, 4)}
        self._tables = {name: [dict(row) for row in rows] for name, rows in site.host.tables.items()}

    def _like(self, kind: str, other: dict[str, Any], **more: Any) -> dict[str, Any]:
        kept = {key: value for key, value in other.items() if key not in ("kind", "id", "v", "turn")}
        return self.world.add(kind, **{**kept, **more})

    def _network(self, far: bool, name: str) -> dict[str, Any]:
        """A network of one of both data centers, made where it is not there."""
        cluster = self.far if far else self.cluster
        made = management(self.world, self.world.the("data_center", cluster["data_center"]), name)
        if not [one for one in self.world.of("cluster_network", "network", made["id"])]:
            attach(self.world, cluster, made, required=False)
        if name == self.site.network:
            self.world.change(cluster, management_network=made["id"])
        return made

    def _template(self, number: int) -> dict[str, Any]:
        """A version of the template; the first one was removed long ago."""
        first = next(iter(self.world.by_name("template", "base")), None)
        return self.world.add(
            "template",
            **BLANK,
            name="base",
            description="",
            status="ok",
            cluster=self.cluster["id"],
            creation_time=self.world.now(),
            base=first["id"] if first else None,
            version_number=number,
            version_name="spring",
        )

    def clear(self) -> None:
        """Take down what is there, and what the tables say of it."""
        for kind in ("sharing", "disk", "nic", "snapshot", "tagging", "affinity_group", "vm"):
            for thing in self.world.all(kind):
                self.world.remove(thing)
        for tag in self.world.all("tag"):
            if tag["id"] != ZERO:
                self.world.remove(tag)
        self.site.host.tables.clear()
        self.site.host.tables.update({name: [dict(row) for row in rows] for name, rows in self._tables.items()})

    def put(self, machines: list[Machine]) -> None:
        """Put a world up, in place of the one before."""
        self.clear()
        with self.world.lock:
            made = [self._machine(machine) for machine in machines]
            for machine, thing in zip(machines, made):
                for disk in machine.disks:
                    self._disk(disk, thing, [other for other in made if other["cluster"] == thing["cluster"]])

    def _machine(self, machine: Machine) -> dict[str, Any]:
        world, cluster = self.world, self.far if machine.far else self.cluster
        hosts = [self.site.thing("host", name)["id"] for name in machine.hosts]
        on = {"host": self.site.thing("host", "rhevh1")["id"]} if machine.values["status"] in ON_HOST else {}
        vm = world.add(
            "vm",
            **{**BLANK, **machine.values, **on},
            name=machine.name,
            cluster=cluster["id"],
            template=self._templates[machine.template]["id"] if machine.template and not machine.far else ZERO,
            pinned=hosts,
            creation_time=world.now(),
        )
        for nic in machine.nics:
            network = self.nets[machine.far, nic.network] if nic.network else None
            profiles = world.of("vnic_profile", "network", network["id"]) if network else []
            world.add(
                "nic",
                vm=vm["id"],
                name=nic.name,
                interface=nic.interface,
                mac=world.free_mac(),
                plugged=nic.plugged,
                linked=nic.linked,
                network=network["id"] if network else None,
                vnic_profile=profiles[-1]["id"] if profiles else None,
            )
        for name in machine.tags:
            tag = world.exactly("tag", name) or world.add("tag", name=name, description="", parent=ZERO)
            world.add("tagging", tag=tag["id"], owner=vm["id"])
        for name in machine.groups:
            group = world.exactly("affinity_group", name) or world.add(
                "affinity_group",
                name=name,
                description="",
                positive=True,
                enforcing=False,
                vms=[],
                cluster=cluster["id"],
            )
            world.change(group, vms=[*group["vms"], vm["id"]])
        return vm

    def _disk(self, disk: Disk, vm: dict[str, Any], others: list[dict[str, Any]]) -> None:
        how = {"bootable": disk.bootable, "interface": disk.interface, "active": True}
        usual = {
            "wipe_after_delete": False,
            "propagate_errors": False,
            "shareable": disk.shareable,
            "disk_type": "system",
        }
        if disk.size is None:
            about: dict[str, Any] = {
                **dict.fromkeys(("size", "actual_size", "status", "format", "sparse", "storage_domain")),
                "luns": [{"id": f"36{self.world.new_id()}", "size": 107374182400}],
            }
        else:
            about = {
                "size": disk.size,
                "actual_size": 0,
                "status": disk.status,
                "format": disk.format,
                "sparse": disk.sparse,
                "storage_domain": self.domains[disk.domain]["id"],
            }
        made = self.world.add("disk", **{**usual, **how, **about}, name=disk.name, vm=vm["id"])
        if disk.shareable:
            for other in others:
                if other is not vm:
                    share(self.world, made, other, {**how, "bootable": False})

    def documents(self) -> dict[str, dict[str, list[str]]]:
        """What the engine itself tells: by address and path inside, all texts and attributes that stand there."""
        base = "/api" if self.site.version[0] == 3 else "/ovirt-engine/api"
        found: dict[str, dict[str, list[str]]] = {}
        vms = self._told(f"{base}/vms")
        lists = ["disks" if self.site.version[0] == 3 else "diskattachments", "nics", "tags", "snapshots", "cdroms"]
        addresses = [f"{vm.get('href')}/{name}" for vm in vms for name in lists]
        tops = ["disks", "tags", "templates", "clusters", "hosts", "networks", "storagedomains"]
        for address in [*addresses, *(f"{base}/{name}" for name in tops)]:
            vms.extend(self._told(address))
        for thing in vms:
            leaves = found.setdefault(str(thing.get("href")), {})
            for leaf in thing.iter():
                path = _path(leaf, thing)
                texts = [*([leaf.text] if leaf.text and leaf.text.strip() else []), *map(str, leaf.attrib.values())]
                leaves.setdefault(path, []).extend(texts if not path.startswith(("link", "actions")) else ())
        return found

    def _told(self, address: str) -> list[Any]:
        login = base64.b64encode(b"admin@internal:secret").decode()
        headers = {"authorization": f"Basic {login}", "all-content": "true", "accept": "application/xml"}
        answer = self.site.front.app.answer(SimRequest("GET", address, headers))
        return list(etree.fromstring(answer.body)) if answer.status == 200 else []

    def shown(self) -> dict[str, dict[str, Any]]:
        """All that the engine has, by id, less what changes by itself."""
        kinds = ("vm", "disk", "nic", "sharing", "snapshot", "tag", "tagging", "affinity_group")
        aside = ("v", "turn")
        return {
            thing["id"]: {key: repr(value) for key, value in thing.items() if key not in aside}
            for kind in kinds
            for thing in self.world.all(kind)
        }


def _path(leaf: Any, thing: Any) -> str:
    steps = [str(leaf.tag)]
    for above in leaf.iterancestors():
        if leaf is thing or above is thing:
            break
        steps.append(str(above.tag))
    return "/".join(reversed(steps)) if leaf is not thing else ""
