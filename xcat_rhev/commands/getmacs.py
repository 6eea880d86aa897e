"""getmacs: the MAC addresses of virtual machines, as their manager has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from ..declare.command import Command, Option, Place
from ..engine.nouns import Nic, Vm
from ..messages import Data, Error
from ..ordering import natural
from ..plan.context import Context, Plan
from ..plan.jobs import Job, Step
from ..rows.vmnics import read_nics
from .vm.machines import find

SPEC = Command(
    name="getmacs",
    summary="MAC addresses of virtual machines",
    usage="noderange [-d] [-i NIC]",
    place=Place.MANAGER,
    routes=("nodehm:getmac,mgt",),
    options=(
        Option(("-d",), "display", "show all of them, and write nothing"),
        Option(("-i",), "nic", "the NIC whose address is written", value="NIC"),
    ),
    description=(
        "Without -d mac.mac gets the address of the NIC that the node is installed through: that of -i, else the one "
        "that vm.nics marks, else the first. A mac.mac that has the address already stays as it is. "
        "makedhcp reads it from there."
    ),
    examples=(
        ("getmacs vm1-vm30", "write the addresses to the mac table"),
        ("getmacs vm1 -d", "show all of vm1's addresses"),
        ("getmacs vm1 -i nic2", "write the address of nic2"),
    ),
)


def plan(context: Context) -> Plan:
    """Read all machines with one search; each gets a job of its own."""
    machines = find(context, details=True)
    nics = context.xcat.node_attrs("vm", context.nodes, ["nics"])
    known = context.xcat.node_attrs("mac", context.nodes, ["mac"])
    for node in context.nodes:
        vm = machines.get(node)
        if vm is None:
            yield machines.lack(node)
        elif context.options.get("display"):
            yield from _show(node, vm)
        else:
            yield _write(context, node, vm, nics[node], known[node])


def _show(node: str, vm: Vm) -> Plan:
    found = _with_mac(vm)
    for nic in found:
        yield Data((nic.mac or "").upper(), node, f"MAC address of {nic.name}")
    if not found:
        yield Error("the machine has no NIC with an address", node)


def _write(context: Context, node: str, vm: Vm, row: Mapping[str, str], known: Mapping[str, str]) -> Job | Data | Error:
    """Write the address of the installation NIC to mac.mac, unless it has it already."""
    wanted = context.options.get("nic") or _install_nic(row.get("nics", ""))
    nic = next((nic for nic in _with_mac(vm) if wanted in ("", nic.name)), None)
    if nic is None or not nic.mac:
        return Error(f"the machine has no NIC{f' {wanted}' if wanted else ''} with an address", node)
    mac = nic.mac.lower()
    if mac in (part.partition("!")[0].strip().lower() for part in known.get("mac", "").split("|")):
        return Data(f"mac.mac is {mac} already. There is nothing to do", node)
    return Job(node, [Step(f"write {mac} of {nic.name} to mac.mac", partial(_put, context, node, mac))])


def _put(context: Context, node: str, mac: str) -> Iterator[Data]:
    context.xcat.set_node_attrs("mac", {node: {"mac": mac}})
    yield Data(f"mac.mac set to {mac}", node)


def _with_mac(vm: Vm) -> list[Nic]:
    return sorted((nic for nic in vm.nics or () if nic.mac), key=lambda nic: natural(nic.name or ""))


def _install_nic(text: str) -> str:
    """The NIC that vm.nics marks; empty where it marks none, or cannot be read."""
    faults: list[str] = []
    found = read_nics(text, lambda *words: faults.append(str(words))) or ()
    return "" if faults else next((nic.name for nic in found if nic.install), "")
