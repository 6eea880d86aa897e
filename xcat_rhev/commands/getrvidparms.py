"""getrvidparms: where a virtual machine's graphical console is, for wvid."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..declare.command import VM_ROUTES, Command, Option, Place
from ..engine.manager import Console
from ..engine.nouns import Vm
from ..engine.states import VM_WITHOUT_CONSOLE
from ..messages import Data, Error, Message, Warn
from ..plan.context import Context, Plan
from ..plan.jobs import Job, Step
from ..secret import Secret
from .vm.machines import find

SPEC = Command(
    name="getrvidparms",
    summary="where virtual machines' graphical consoles are",
    usage="noderange [--vv]",
    place=Place.MANAGER,
    routes=VM_ROUTES,
    options=(Option(("--vv",), "vv", "the text of a file that remote-viewer opens"),),
    description=(
        "For a machine that runs: the protocol, the address, the port, and a password that lives for two minutes: "
        "vm.vidpassword if it is set, else a random one. The port of an encrypted console is vidtlsport. wvid asks for "
        "this; with --vv it can be done by hand."
    ),
    examples=(
        ("getrvidparms vm1 --vv", "what remote-viewer needs"),
        ("getrvidparms vm1", "address, port and password, one a line"),
        ("chtab node=vm1 vm.vidpassword=SECRET", "let it always be this password"),
    ),
)

#: Seconds in which the password has to be used.
TICKET = 120


def plan(context: Context) -> Plan:
    """Find all machines with one search; each is then asked for its own console."""
    found = find(context)
    rows = context.attrs("vm", "vidpassword")
    for node in context.nodes:
        vm = found.get(node)
        if vm is None:
            yield found.lack(node)
        elif vm.status in VM_WITHOUT_CONSOLE:
            yield Error(f"the machine is {vm.status} and has no console. Run: rpower {node} on", node)
        else:
            ask = partial(_ask, context, vm, rows[node].get("vidpassword", ""))
            yield Job(node, [Step("get a ticket for its console", ask)])


def _ask(context: Context, vm: Vm, password: str) -> Iterator[Message]:
    node = vm.name
    console = context.manager.console(vm, TICKET, Secret(password) if password else None)
    if "vv" in context.options:
        yield from (Data(line, node) for line in _viewer_file(node, console))
    else:
        if not console.port:
            yield Warn(f"its console takes only TLS, which rvid does not know. Run: getrvidparms {node} --vv", node)
        yield from (Data(text, node, desc) for desc, text in _parameters(console))


def _parameters(console: Console) -> Iterator[tuple[str, str]]:
    """What wvid reads, by the names that it knows from KVM."""
    yield "method", "kvm"
    yield "server", console.address
    if console.port:
        yield "vidport", str(console.port)
    if console.secure_port:
        yield "vidtlsport", str(console.secure_port)
    yield "vidproto", console.protocol
    yield "password", console.ticket.reveal()


def _viewer_file(node: str, console: Console) -> Iterator[str]:
    yield "[virt-viewer]"
    yield f"type={console.protocol}"
    yield f"host={console.address}"
    if console.port:
        yield f"port={console.port}"
    if console.secure_port:
        yield f"tls-port={console.secure_port}"
    yield f"password={console.ticket.reveal()}"
    yield f"title={node}"
    yield "delete-this-file=1"
