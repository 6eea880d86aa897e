"""getcons: where a virtual machine's serial console is, for rcons."""

from __future__ import annotations

from ..errors import Usage
from ..messages import Data, Error
from .common import Command, Context, Place, Plan
from .vm.machines import find_named

SPEC = Command(
    name="getcons",
    summary="where virtual machines' serial consoles are",
    usage="noderange [text]",
    place=Place.MANAGER,
    routes=("nodehm:mgt",),
    arguments={"text": "what rcons says; it changes nothing"},
    description=(
        "The manager's host has a proxy for serial consoles (ovirt-vmconsole-proxy, since oVirt 3.6) on port 2222. It "
        "takes the SSH key that is stored with a user of the manager, and joins it with the machine whose id is named. "
        "The machine needs its serial console: console:yes in vm.othersettings, for mkvm or chvm. The command that "
        "rcons runs is in the answer."
    ),
    examples=(("getcons vm1", "how to reach the console of vm1"),),
)

#: Where the proxy listens, and as whom one logs in (ovirt-vmconsole's README).
PORT, USER = "2222", "ovirt-vmconsole"
OFF = frozenset({"down", "suspended", "image_locked"})


def plan(context: Context) -> Plan:
    """Find all machines with one search; the proxy is asked by who wants the console."""
    if [word for word in context.words if word != "text"]:
        raise Usage(f"getcons does not know '{' '.join(context.words)}'", f"Usage: getcons {SPEC.usage}")
    found = find_named(context, context.nodes, everything=True)
    name = context.manager.name
    address = name.rpartition(":")[0] or name
    for node in context.nodes:
        vm = found.get(node)
        if vm is None:
            yield found.lack(node)
        elif not context.manager.joins_consoles:
            version = ".".join(map(str, context.manager.version))
            yield Error(f"the manager is {version}; serial consoles came with 3.6", node)
        elif vm.status in OFF:
            yield Error(f"the machine is {vm.status} and has no console. Run: rpower {node} on", node)
        elif not vm.console:
            yield Error(f"its serial console is off. Add console:yes to vm.othersettings, run chvm {node}, and start "
                        "it anew", node)
        else:
            yield Data(address, node, "sshhost")
            yield Data(PORT, node, "sshport")
            yield Data(USER, node, "sshuser")
            yield Data(vm.id, node, "vmid")
            yield Data(f"ssh -t -p {PORT} {USER}@{address} connect --vm-id={vm.id}", node, "command")
