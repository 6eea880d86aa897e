"""mkvm: make virtual machines as the tables vm and mac describe them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from ..jobs import Step
from ..units import parse_memory
from .common import VM_ROUTES, Command, Context, Option, Place, Plan
from .vm.batch import apart, make
from .vm.machines import errors, no_words
from .vm.making import Making
from .vm.rows import Typed, read_rows
from .vm.words import listed, option_size, topology, with_unit

SPEC = Command(
    name="mkvm",
    summary="make virtual machines",
    usage="noderange [-s SIZE[,SIZE...]] [--mem SIZE] [--cpus SOCKETS[:CORES[:THREADS]]] [-m TEMPLATE] [-f]",
    place=Place.MANAGER,
    routes=VM_ROUTES,
    alone=True,
    options=(
        Option(("-s", "--size"), "size", "sizes of the disks, in GiB unless a suffix says otherwise", value="SIZE"),
        Option(("--mem",), "mem", "memory, in MiB unless a suffix says otherwise", value="SIZE"),
        Option(("--cpus",), "cpus", "sockets, cores of each, threads of each", value="NUMBER"),
        Option(("-m", "--master"), "master", "the template to make them from", value="TEMPLATE"),
        Option(("-f", "--force"), "force", "remove a machine of that name first, with its disks; it must be off"),
    ),
    description=(
        "Each machine is made in the cluster vm.cluster (Default) from the template vm.master (Blank), with vm.memory, "
        "vm.cpus (sockets:cores:threads), vm.bootorder, vm.vidproto, vm.guestostype, the disks of vm.storage "
        "(domain:size:system or data, joined by bars), and the NICs of vm.nics (network:name:yes, joined by bars; the "
        "one with yes is the one that the node is installed through; model in vm.nicmodel). vm.storagemodel is "
        "virtio, scsi, ide or sata, and after a colon cow or raw; since 4.4 machines have ide with the chipset i440fx "
        "alone and sata with q35 alone. vm.host names the hypervisor it shall run on, vm.virtflags has "
        "placement_affinity. Sizes are binary: 4g is 4 GiB.\n\n"
        "vm.othersettings holds name:value pairs joined by semicolons: ha, ha_priority, lease (the storage domain for "
        "its lease, or none; since 4.1), tags, affinity_groups, delete_protected, stateless, console (a serial one; "
        "since 3.4), description, custom (NAME=VALUE), and for the guest's first start init "
        "(cloud-init or sysprep), hostname, domain, timezone, user, password (a key of the passwd table), sshkey, dns, "
        "search, nic (NAME,dhcp or NAME,static,ADDRESS,NETMASK,GATEWAY), script.\n\n"
        "The MAC address of the installation NIC is taken from mac.mac, or written there when the manager draws it. "
        "Options take the place of columns and are written to the vm table. A machine that is there already is left as "
        "it is, and a warning tells what of the options it has otherwise; one that lacks disks or NICs, because an "
        "earlier run was cut off, is completed. The command ends when the machine is down and its disks are made; it "
        "does not start it."
    ),
    examples=(
        ("mkvm vm1-vm30", "make thirty machines as the tables say"),
        ("mkvm vm1 -s 20,100 --mem 8g --cpus 2:2", "two disks, 8 GiB, two sockets with two cores each"),
    ),
)


def plan(context: Context) -> Plan:
    """Check every row and all that the rows name, then say what each machine lacks."""
    no_words(context, f"mkvm {SPEC.usage}")
    typed = _typed(context)
    rows, faults = read_rows(context.host, context.nodes, typed)
    yield from errors(faults)
    yield from make(context, rows, typed, partial(_recorded, context, typed))


def _typed(context: Context) -> Typed:
    """The options, read.

    Raises:
        Usage: One is none.
    """
    options = context.options
    return Typed(
        sizes=tuple(option_size(size, "--size") for size in listed(options.get("size", ""))),
        memory=parse_memory(options["mem"], "--mem") if "mem" in options else None,
        topology=topology(options["cpus"], "--cpus") if "cpus" in options else None,
        master=options.get("master", ""),
    )


def _recorded(context: Context, typed: Typed, making: Making) -> Iterator[Step]:
    """Options that stand for columns are written there, so that chvm does not take them back."""
    options = context.options
    columns = {
        "memory": options.get("mem", ""), "cpus": options.get("cpus", ""), "master": options.get("master", ""),
        "storage": _storage(making, listed(options.get("size", ""))),
    }
    left = apart(making, typed)
    given = {column: text for column, text in columns.items() if text and column not in left}
    if given:
        names = ", ".join(f"vm.{column}" for column in given)
        yield Step(f"write {names}", partial(context.host.set_node_attrs, "vm", {making.row.node: given}))


def _storage(making: Making, sizes: Sequence[str]) -> str:
    """The sizes as vm.storage has them, with the storage domain that was chosen where none was named."""
    return "|".join(
        f"{making.place.domain(disk.domain).name}:{with_unit(size)}:{'system' if disk.bootable else 'data'}"
        for disk, size in zip(making.row.disks, sizes)
    ) if making.place.domains else ""
