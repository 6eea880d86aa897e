"""chhypervisor: hosts approved, connected to networks and power management, brought into use and out of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable

from ..errors import Usage
from .common import Command, Context, Option, Place, Plan
from .hypervisor import admit, networks, power, state, upgrade

_ACTIONS: Mapping[str, Callable[[Context], Plan]] = {
    "approve": admit.approve,
    "networks": networks.configure,
    "power": power.configure,
    "activate": state.activate,
    "deactivate": state.deactivate,
    "reinstall": admit.reinstall,
    "upgrade": upgrade.upgrade,
}

SPEC = Command(
    name="chhypervisor",
    summary="configure the virtualization hosts",
    usage="noderange [-a | -n | -p | -e | -d | --reinstall | --upgrade [--image FILE]]",
    place=Place.MANAGER,
    routes=("hypervisor:type=(rhev.*|ovirt.*)", "nodetype:os=(rhev.*|rhvh.*|ovirt.*)"),
    options=(
        Option(("-a", "--approve"), "approve",
               "approve a host that registered, or add one that does not, to hypervisor.cluster"),
        Option(("-n", "--networks"), "networks", "put logical networks on interfaces, as hypervisor.interface says"),
        Option(("-p", "--power"), "power", "configure its power management, and try it"),
        Option(("-e", "--activate"), "activate", "activate it"),
        Option(("-d", "--deactivate"), "deactivate", "take it to maintenance; its virtual machines migrate"),
        Option(("--reinstall",), "reinstall", "let the manager install it again"),
        Option(("--upgrade",), "upgrade", "let the manager upgrade it; it goes to maintenance for it and comes back"),
        Option(("--image",), "image", "with --upgrade of a RHEV-H: the ISO on the manager", value="FILE"),
    ),
    description=(
        "A RHEV-H registers at its manager by itself and waits to be approved. Any other host is added: the manager "
        "logs in to it as hypervisor.user (root) with hypervisor.password, a password of the passwd table, or its own "
        "SSH key, and installs what it needs. The command ends when the host is up, or with the manager's own events "
        "when it does not come up. hypervisor.interface holds network:interface:protocol:address:netmask:gateway, "
        "several joined by bars; the interface may be a bond, as bond0=eth1+eth2,mode=4."
    ),
    examples=(
        ("chhypervisor host1 -a", "approve host1"),
        ("chhypervisor host1-host9 -n", "configure the networks of nine hosts"),
        ("chhypervisor host1-host9 --upgrade", "upgrade nine hosts, which leave their cluster and come back"),
        ("chhypervisor host1 -d --timeout 7200", "empty host1, and wait up to two hours for it"),
    ),
)


def plan(context: Context) -> Plan:
    """Do the one thing that was asked."""
    if context.words:
        raise Usage(f"chhypervisor does not know '{' '.join(context.words)}'", f"Usage: chhypervisor {SPEC.usage}")
    given = [name for name in _ACTIONS if name in context.options]
    if len(given) != 1:
        raise Usage("chhypervisor needs exactly one of its options", f"Usage: chhypervisor {SPEC.usage}")
    if "image" in context.options and given != ["upgrade"]:
        raise Usage("--image means nothing without --upgrade")
    yield from _ACTIONS[given[0]](context)
