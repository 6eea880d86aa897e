"""getcons: where a virtual machine's serial console is, for rcons."""

from __future__ import annotations

import re

from ..declare.command import Command, CommandWords, Place
from ..engine.states import VM_WITHOUT_CONSOLE
from ..messages import Data, Error
from ..plan.context import Context, Plan
from .vm.machines import find_named

SPEC = Command(
    name="getcons",
    summary="where virtual machines' serial consoles are",
    usage="noderange [text]",
    place=Place.MANAGER,
    routes=("nodehm:mgt",),
    words=CommandWords(most=1, known=("text",)),
    arguments={"text": "accepted from rcons; it changes nothing"},
    description=(
        "The manager's host has a proxy for serial consoles (ovirt-vmconsole-proxy, since oVirt 3.6) on port 2222. It "
        "takes the SSH key that is stored with a user of the manager, and joins it with the machine whose id is named. "
        "The machine needs its serial console: console:yes in vm.othersettings, for mkvm or chvm. The command that "
        "rcons runs is in the answer."
    ),
    examples=(
        ("getcons vm1", "how to reach the console of vm1"),
        ("rcons vm1", "open the console; rcons asks getcons by itself"),
        ("getcons vm1 text", "what rcons says"),
    ),
)

#: The proxy's port, and the user to log in as (ovirt-vmconsole's README).
PORT, USER = "2222", "ovirt-vmconsole"

#: An id that a shell takes as one word, and ssh not as an option.
_WORD = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9.:_\]-]*", re.ASCII)


def plan(context: Context) -> Plan:
    """Find all machines with one search; the client connects to the proxy itself."""
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
        elif vm.status in VM_WITHOUT_CONSOLE:
            yield Error(f"the machine is {vm.status} and has no console. Run: rpower {node} on", node)
        elif not vm.console:
            yield Error(
                f"its serial console is off. Add console:yes to vm.othersettings, run chvm {node}, and start it again",
                node,
            )
        elif not (_WORD.fullmatch(vm.id or "") and _WORD.fullmatch(address)):
            yield Error("the manager gives it an id that cannot be used in a command", node)
        else:
            yield Data(address, node, "sshhost")
            yield Data(PORT, node, "sshport")
            yield Data(USER, node, "sshuser")
            yield Data(vm.id, node, "vmid")
            yield Data(f"ssh -t -p {PORT} {USER}@{address} connect --vm-id={vm.id}", node, "command")
