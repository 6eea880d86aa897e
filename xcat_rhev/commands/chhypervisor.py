"""chhypervisor: approves hosts, sets their networks and power management, activates and deactivates them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable

from ..declare.command import HOST_ROUTES, Command, CommandWords, Option, Place
from ..errors import Usage
from ..plan.context import Context, Plan
from .hypervisor import admit, fencing, networks, power, renew, rolling, state, upgrade

_ACTIONS: Mapping[str, Callable[[Context], Plan]] = {
    "approve": admit.approve,
    "networks": networks.configure,
    "power": power.configure,
    "activate": state.activate,
    "deactivate": state.deactivate,
    "reinstall": admit.reinstall,
    "upgrade": upgrade.upgrade,
    "renew": renew.renew,
    "reboot": fencing.restart,
}
#: What a host has to be in maintenance for when it is done in turn; the others see to that themselves.
_AWAY = ("reinstall", "reboot")
_IN_TURN = ("upgrade", "reinstall", "renew", "reboot")
#: What is done in turn even without --rolling.
_ALWAYS_IN_TURN = ("renew", "reboot")

SPEC = Command(
    name="chhypervisor",
    summary="configure the virtualization hosts",
    usage="noderange [-a | -n | -p | -e | -d | --reinstall | --upgrade [--image FILE] | --renew | --reboot] "
    "[--rolling [N]] [--stop-pinned]",
    place=Place.MANAGER,
    routes=HOST_ROUTES,
    options=(
        Option(
            ("-a", "--approve"),
            "approve",
            "approve a host that registered, or add one that does not, to hypervisor.cluster",
        ),
        Option(("-n", "--networks"), "networks", "put logical networks on interfaces, as hypervisor.interface says"),
        Option(("-p", "--power"), "power", "configure its power management, and try it"),
        Option(("-e", "--activate"), "activate", "activate it"),
        Option(("-d", "--deactivate"), "deactivate", "take it to maintenance; its virtual machines migrate"),
        Option(("--reinstall",), "reinstall", "let the manager install it again"),
        Option(("--upgrade",), "upgrade", "let the manager upgrade it; it goes to maintenance for it and comes back"),
        Option(("--renew",), "renew", "give it a new certificate, in maintenance; in turn as with --rolling"),
        Option(
            ("--reboot",), "reboot", "restart it by its power management, in maintenance; in turn as with --rolling"
        ),
        Option(("--rolling",), "rolling", "the hosts of each cluster in turn, the next when the one before is back"),
        Option(
            ("--stop-pinned",),
            "stop_pinned",
            "in turn: shut down machines that are pinned to a host, and start them at the end",
        ),
        Option(("--image",), "image", "with --upgrade of a RHEV-H: the ISO on the manager", value="FILE"),
    ),
    words=CommandWords(most=1),
    arguments={"N": "with --rolling: how many hosts of a cluster at a time; default 1"},
    description=(
        "A RHEV-H registers at its manager by itself and waits to be approved. Any other host is added: the manager "
        "logs in to it as hypervisor.user (root) with hypervisor.password, a password of the passwd table (key rhevh, "
        "for a full Linux the key system alone), or its own SSH key, and installs what it needs. The "
        "command ends when the host is up, or with the manager's own events when it does not come up. "
        "hypervisor.interface holds network:interface:protocol:address:netmask:gateway, "
        "several joined by bars; the interface may be a bond, as bond0=eth1+eth2,mode=4. The protocol is dhcp, static "
        "or none, for IPv6 dhcp6, autoconf, dhcp6-autoconf, none6 or static; keep leaves the address alone. A network "
        "with addresses of both IP versions is named twice. What is not written stays: the other IP version, a "
        "gateway (the word none takes it away), networks that are not named. A bond whose members are used otherwise "
        "is taken apart if nothing is left on it.\n\n"
        "With --rolling the hosts of a cluster are upgraded, installed, renewed or restarted in turn: those with the "
        "fewest machines first, the one that manages the storage last. What is in the way of a host is looked at when "
        "its turn comes: machines that are pinned to it, or no other host that could take its machines, for want of "
        "memory or by the rule of an affinity group. A host that "
        "was up goes to maintenance for it and comes back before the next one begins; one that was in maintenance "
        "stays there. For that time the cluster has the scheduling policy cluster_maintenance (oVirt 4.2 and later), "
        "under which the manager balances nothing and starts highly available machines alone; what the cluster had "
        "before is noted in the manager's events and put back at the end, also after a failure. Where the work was cut "
        "off, typing the same again puts it back. Machines that are pinned to a host are named as in the way; with "
        "--stop-pinned they are shut down and started again at the end. In a cluster with Gluster the next host waits "
        "until all bricks are up, and, from 4.0 on, until the manager finds all volumes healed. "
        "The first failure ends the turns of its cluster. The same typed again goes on with the hosts that are left; "
        "what --reinstall and --reboot have done is noted in the manager's events (3.2 and later). "
        "--dry-run prints the order. Clusters are done side by side.\n\n"
        "--renew enrolls a host's certificates again; managers can since 3.6, and hosts that do not answer since 4.5. "
        "rvitals HOSTS cert shows when they end."
    ),
    examples=(
        ("chhypervisor host1 -a", "approve host1"),
        ("chhypervisor host1-host9 -n", "configure the networks of nine hosts"),
        ("chhypervisor host1-host9 --upgrade", "upgrade nine hosts, which leave their cluster and come back"),
        ("chhypervisor host1-host9 --upgrade --rolling 2", "the same, never more than two of a cluster at a time"),
        (
            "chhypervisor host1-host9 --reboot --stop-pinned",
            "restart nine hosts, with leave to shut down what is pinned to them",
        ),
        ("chhypervisor host1-host9 --renew", "new certificates, one host after the other"),
        ("chhypervisor host1 -d --timeout 7200", "empty host1, and wait up to two hours for it"),
    ),
)


def plan(context: Context) -> Plan:
    """Do the one thing that was asked."""
    given = [name for name in _ACTIONS if name in context.options]
    if len(given) != 1:
        raise Usage("chhypervisor needs exactly one of its options", f"Usage: chhypervisor {SPEC.usage}")
    if "image" in context.options and given != ["upgrade"]:
        raise Usage("--image can only be used with --upgrade")
    action = given[0]
    in_turn = "rolling" in context.options or action in _ALWAYS_IN_TURN
    if "rolling" in context.options and action not in _IN_TURN:
        raise Usage(f"--rolling can only be used with {', '.join(f'--{each}' for each in _IN_TURN)}")
    if context.words and "rolling" not in context.options:
        raise Usage(f"chhypervisor does not know '{context.words[0]}'", f"Usage: chhypervisor {SPEC.usage}")
    if "stop_pinned" in context.options and not in_turn:
        raise Usage("--stop-pinned can only be used with --rolling, --renew and --reboot")
    if action == "renew":
        renew.check(context)
    if in_turn:
        yield from rolling.plan(context, _ACTIONS[action], action, action in _AWAY)
    else:
        yield from _ACTIONS[action](context)
