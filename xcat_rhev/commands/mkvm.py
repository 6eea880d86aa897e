"""mkvm: make virtual machines as the tables vm and mac describe them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from ..declare.command import VM_ROUTES, Command, Option, Place
from ..engine.nouns import DiskImage
from ..errors import Usage
from ..messages import Message, Warn, few
from ..plan.context import Context, Plan
from ..plan.jobs import Step
from ..rows.othersettings import OTHERSETTINGS
from ..rows.vm import Typed, read_rows
from ..rows.vmwords import option_size, split_list, topology, with_unit
from ..units import parse_memory
from .environment import disk
from .vm import ova
from .vm.batch import apart, make
from .vm.machines import errors
from .vm.make import Making

SPEC = Command(
    name="mkvm",
    summary="make virtual machines",
    usage="noderange [-s SIZE[,SIZE...]] [--mem SIZE] [--cpus SOCKETS[:CORES[:THREADS]]] [-m TEMPLATE] [-f] "
    "| --import HYPERVISOR:/FOLDER",
    place=Place.MANAGER,
    routes=VM_ROUTES,
    alone=True,
    options=(
        Option(("-s", "--size"), "size", "sizes of the disks, in GiB unless a suffix says otherwise", value="SIZE"),
        Option(("--mem", "--memory"), "mem", "memory, in MiB unless a suffix says otherwise", value="SIZE"),
        Option(("--cpus", "--cpu"), "cpus", "sockets, cores of each, threads of each", value="NUMBER"),
        Option(("-m", "--master"), "master", "the template to make them from", value="TEMPLATE"),
        Option(("--import",), "import", "make it of NODE.ova on a hypervisor", value="HYPERVISOR:/FOLDER"),
        Option(("-f", "--force"), "force", "remove a machine of that name first, with its disks; it must be off"),
    ),
    description=(
        "Each machine is made in the cluster vm.cluster (Default) from the template vm.master (Blank), with "
        "vm.memory, vm.cpus (sockets:cores:threads), vm.bootorder, vm.vidproto, vm.guestostype, the disks of "
        "vm.storage, and the NICs of vm.nics. Defaults are for making machines only: no command changes what "
        "the row of an existing machine does not name. vm.storagemodel is "
        "virtio, scsi, ide or sata, and after a colon cow or raw; since 4.4 machines have ide with the chipset "
        "i440fx alone and sata with q35 alone. vm.host names the hypervisors it may run on, joined by commas; "
        "vm.virtflags has placement_affinity. Sizes are binary: 4g is 4 GiB.\n\n"
        "vm.storage is domain:size:system or domain:size:data, joined by bars. domain:size:data=NAME says which "
        "disk of the machine it is, by name or id; without a name it is the one that fits. data=NAME alone is a "
        "disk that is there already and is only attached: one that machines share, or a LUN. vm.nics is "
        "network:name:yes, joined by bars; the one with yes is the one that the node is installed through. "
        "network:name:no:e1000 has a model of its own beside vm.nicmodel, -:name is on no network, *:name stays "
        "on the one it has. network/profile:name names a vNIC profile of the network (3.3 and later): for its "
        "quality of service, or for pass-through, which gives the NIC its model. Without it a new NIC gets the "
        "profile that is called as the network, else the first, and one that is there keeps its own; names with : or "
        "| are written as ids. The word none means no disk, or no NIC.\n\n"
        "vm.othersettings holds name:value pairs joined by semicolons; the table OTHERSETTINGS of this page lists "
        "them. init and those below it are for the guest's first start.\n\n"
        "Lists are added to what a machine has. To take something away, write it with a minus: "
        "tags:-NAME, affinity_groups:-NAME, custom:-NAME, and -HYPERVISOR in vm.host (several hypervisors since "
        "3.6).\n\n"
        "Machines of one name may be in several data centers: vm.cluster or vm.datacenter say which is the "
        "node's.\n\n"
        "The MAC address of the installation NIC is taken from mac.mac, or written there when the manager draws "
        "it. Options take the place of columns and are written to the vm table. A machine that is there already "
        "is left as it is, and a warning names the options that it has with other values; one that lacks disks or "
        "NICs, because an earlier run was cut off, is completed, and a disk of the same name that no machine has is "
        "told. The command ends when the machine is down and its disks are made; it does not start it.\n\n"
        "--import makes the machine of an OVA file that is on a hypervisor, /FOLDER/NODE.ova or the file that is "
        "named, in vm.cluster and on the domain of the first disk in vm.storage; run chvm for what else the row "
        "says."
    ),
    examples=(
        ("mkvm vm1-vm30", "make thirty machines as the tables say"),
        ("mkvm vm1 -s 20,100 --mem 8g --cpus 2:2", "two disks, 8 GiB, two sockets with two cores each"),
        ("mkvm web1 --import rhevh1:/var/tmp", "of the file web1.ova there, as chvm --export writes it"),
        ("mkvm web -m golden --dry-run", "show how the group web would be made from the template golden"),
    ),
    settings=OTHERSETTINGS,
)


def plan(context: Context) -> Plan:
    """Check every row and all that the rows name, then plan what each machine lacks."""
    if "import" in context.options:
        if {"size", "mem", "cpus", "master", "force"} & set(context.options):
            raise Usage("--import takes what is in the file", f"Usage: mkvm {SPEC.usage}")
        yield from ova.plan_import(context)
        return
    typed = _read_options(context)
    rows, faults = read_rows(context.xcat, context.nodes, typed)
    yield from errors(faults)
    yield from make(context, rows, typed, partial(_write_options, context, typed))


def _read_options(context: Context) -> Typed:
    """The options, read.

    Raises:
        Usage: One is not valid.
    """
    options = context.options
    return Typed(
        sizes=tuple(option_size(size, "--size") for size in split_list(options.get("size", ""))),
        memory=parse_memory(options["mem"], "--mem") if "mem" in options else None,
        topology=topology(options["cpus"], "--cpus") if "cpus" in options else None,
        master=options.get("master", ""),
    )


def _write_options(context: Context, typed: Typed, making: Making) -> Iterator[Step]:
    """Options that stand for columns are written there, so that chvm does not take them back."""
    options = context.options
    columns = {
        "memory": options.get("mem", ""),
        "cpus": options.get("cpus", ""),
        "master": options.get("master", ""),
        "storage": _storage(making, split_list(options.get("size", ""))),
    }
    left = apart(making, typed)
    given = {column: text for column, text in columns.items() if text and column not in left}
    if given:
        names = ", ".join(f"vm.{column}" for column in given)
        yield Step(f"write {names}", partial(context.xcat.set_node_attrs, "vm", {making.row.node: given}))
    anew = [part.name for part in making.lacking_disks() if not part.existing] if making.vm is not None else []
    if anew:
        yield Step("", partial(_look_for_left, context, making.row.node, anew))
    if making.vm is None and not (making.row.disks or making.row.template or _says_none(context, making.row.node)):
        yield Step("", lambda: [Warn(_NO_DISK.format(making.row.node), making.row.node)])


_NO_DISK = "it has no disk, because vm.storage is empty. Run: chvm {} -a 20, or write none there if it should have none"


def _look_for_left(context: Context, node: str, names: Sequence[str]) -> list[Message]:
    """Tell of disks that have the names of those which a half-made machine has got now, and that no machine has."""
    manager = context.manager
    if not manager.keeps_disks or len(manager.look(DiskImage, names)) <= len(names):
        return []
    left = disk.unused_images(manager, disk.list_images(manager, names))
    shown = few(f"{each.name} ({each.id}, {each.status})" for each in left)
    return [Warn(_LEFT.format(shown, manager.name), node)] if left else []


_LEFT = "no machine has the disk {}, which a run that was cut off may have left. Run: lsve -m {} -t disk --unused"


def _says_none(context: Context, node: str) -> bool:
    return bool(context.attrs_of([node], "vm", "storage")[node])


def _storage(making: Making, sizes: Sequence[str]) -> str:
    """The sizes as vm.storage has them, with the storage domain that was chosen where none was named."""
    return (
        "|".join(
            f"{making.place.domain(disk.domain).name}:{with_unit(size)}:{'system' if disk.bootable else 'data'}"
            for disk, size in zip(making.row.disks, sizes)
        )
        if making.place.domains
        else ""
    )
