"""getrvidparms: where a virtual machine's graphical console is, for wvid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote, urlencode

from ..declare.command import VM_ROUTES, Command, Option, Place
from ..engine.manager import BrowserConsole, Console, WebsocketProxy
from ..engine.nouns import Vm
from ..engine.states import VM_WITHOUT_CONSOLE
from ..errors import Usage
from ..messages import Data, Error, Message, Warn
from ..plan.context import Context, Plan
from ..plan.jobs import Job, Step
from ..secret import Secret
from .vm.machines import find

SPEC = Command(
    name="getrvidparms",
    summary="where virtual machines' graphical consoles are",
    usage="noderange [--vv | --browser]",
    place=Place.MANAGER,
    routes=VM_ROUTES,
    options=(
        Option(("--vv",), "vv", "the text of a file that remote-viewer opens"),
        Option(("--browser",), "browser", "an address that shows the console in a browser; since 4.2, VNC only"),
    ),
    description=(
        "For a machine that runs: the protocol, the address, the port, and a password that lives for two minutes: "
        "vm.vidpassword if it is set, else a random one. The port of an encrypted console is vidtlsport. wvid asks for "
        "this; with --vv it can be done by hand.\n\n"
        "--browser gives an address of noVNC, which site.rhevmnovnc says (https://MASTER/novnc): any web server "
        "that shows the folder of the package novnc. The browser connects to the websocket proxy of the manager, "
        "with a ticket that the manager has signed, and a password; both end after two minutes, and whoever has "
        "the address until then can see the console. They are behind the # of the address, which browsers send to"
        " no server. The browser must trust the manager's CA. vm.vidpassword is not used for it."
    ),
    examples=(
        ("getrvidparms vm1 --vv", "what remote-viewer needs"),
        ("getrvidparms vm1 --browser", "an address to open within two minutes"),
        ("getrvidparms vm1", "address, port and password, one a line"),
        ("chtab node=vm1 vm.vidpassword=SECRET", "let it always be this password"),
    ),
)

#: Seconds in which the password has to be used.
TICKET = 120


@dataclass(frozen=True)
class Browser:
    """How consoles come into browsers.

    Attributes:
        page: Where noVNC is.
        proxy: Through what it reaches them.
    """

    page: str
    proxy: WebsocketProxy


def plan(context: Context) -> Plan:
    """Find all machines with one search; each is then asked for its own console."""
    browser = None
    if "browser" in context.options:
        if "vv" in context.options:
            raise Usage("--vv and --browser cannot be used together")
        browser = Browser(_base(context), context.manager.websocket_proxy())
    found = find(context)
    rows = context.attrs("vm", "vidpassword")
    for node in context.nodes:
        vm = found.get(node)
        if vm is None:
            yield found.lack(node)
        elif vm.status in VM_WITHOUT_CONSOLE:
            yield Error(f"the machine is {vm.status} and has no console. Run: rpower {node} on", node)
        else:
            ask = partial(_ask, context, vm, rows[node].get("vidpassword", ""), browser)
            yield Job(node, [Step("get a ticket for its console", ask)])


def _ask(context: Context, vm: Vm, password: str, browser: Browser | None) -> Iterator[Message]:
    node = vm.name
    if browser is not None:
        yield Data(_address(browser.page, context.manager.browser_console(vm, TICKET, browser.proxy)), node)
        return
    console = context.manager.console(vm, TICKET, Secret(password) if password else None)
    if "vv" in context.options:
        yield from (Data(line, node) for line in _viewer_file(node, console))
    else:
        if not console.port:
            yield Warn(f"its console takes only TLS, which rvid does not know. Run: getrvidparms {node} --vv", node)
        yield from (Data(text, node, desc) for desc, text in _parameters(console))


def _parameters(console: Console) -> Iterator[tuple[str, str]]:
    """The parameters for wvid, with the names of xCAT's KVM plugin."""
    yield "method", "kvm"
    yield "server", console.address
    if console.port:
        yield "vidport", str(console.port)
    if console.secure_port:
        yield "vidtlsport", str(console.secure_port)
    yield "vidproto", console.protocol
    yield "password", console.ticket.reveal()


def _base(context: Context) -> str:
    """Where noVNC is.

    Raises:
        Usage: It would be loaded unencrypted, so that an attacker could replace the page that gets the password.
    """
    base = context.xcat.site("rhevmnovnc") or f"https://{context.xcat.site('master')}/novnc"
    if not re.fullmatch(r"https://[^\s#?]+|http://(localhost|127\.0\.0\.1)(:\d+)?(/[^\s#?]*)?", base):
        raise Usage(f"site.rhevmnovnc is '{base}'", "Run: chtab key=rhevmnovnc site.value=https://SERVER/novnc")
    return base.rstrip("/")


def _address(base: str, console: BrowserConsole) -> str:
    """The address of noVNC's page; what is behind the # stays in the browser."""
    told = {
        "autoconnect": "true",
        "encrypt": "1",
        "host": f"[{console.host}]" if ":" in console.host else console.host,
        "port": str(console.port),
        "path": console.ticket.reveal(),
        "password": console.password.reveal(),
    }
    return f"{base}/vnc.html#{urlencode(told, quote_via=quote, safe='')}"


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
