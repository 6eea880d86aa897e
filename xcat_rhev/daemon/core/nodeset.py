"""nodeset: what nodes boot next, in the tables and in the files of their boot loaders."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ...declare.command import CommandWords, Option
from ...errors import NotFound, RhevError
from ...messages import Data, Error
from ...ordering import natural
from ...xcat.host import Row
from ..facing import address_of, facing
from ..netservices.state import NetState
from ..reply import Output, Reply
from . import bootfiles
from .bootfiles import Boot
from .declare import CommandCall, Core, own_command
from .destiny import Destiny, set_destiny

_DIGITS = re.compile("[0-9a-fA-F]{12}")
#: What ends a line for some boot loader; in a value it would begin a line of its own.
_LINES = re.compile(r"[\n\v\f\r\x85\u2028\u2029]+")
#: What some boot loader reads as the end of a command, as a quote or as a variable.
_WORDS = re.compile(r"[;&|\"'`$\\]")
_NODE_VALUE = re.compile(r"#NODEATTRIB:([^:#]+):([^:#]+)#|#TABLE:([^:#]+):(?:THISNODE|\$NODE):([^:#]+)#")


def run(call: CommandCall) -> Iterator[Output]:
    """Answer `nodeset NODERANGE [osimage[=IMAGE] | boot | next | offline | stat | enact]`."""
    nodes = call.request.nodes
    if len(call.words) != 1 or not nodes:
        yield Reply({"error": f"Invalid argument: '{' '.join(call.words)}'", "errorcode": "1"})
        yield NODESET.help(1)
    elif call.words[0] == "stat":
        for node, folder in _folders(call, nodes).items():
            yield Data(bootfiles.state(call.module, folder, node), node)
    else:
        yield from _set(call, call.words[0])


def _set(call: CommandCall, wanted: str) -> Iterator[Output]:
    """Set the destiny of the nodes that have an address, then write their files."""
    hosts = call.tables.node_attrs("hosts", call.request.nodes, ("ip",))
    addresses = {node: address_of(node, hosts[node].get("ip", "")) for node in call.request.nodes}
    ready = [node for node in addresses if addresses[node]]
    failed = [node for node in addresses if not addresses[node]]
    for node in failed:
        yield Error(f"its name does not resolve and hosts.ip is not set. Run: chdef {node} ip=ADDRESS", node)
    destiny = Destiny()
    yield from set_destiny(call, ready, wanted, destiny)
    attrs = _Attributes(call, ready)
    for node in ready:
        if node not in destiny.states:
            if wanted in ("next", "enact"):
                yield Error(
                    "Cannot determine current state for this node. Set chain.currchain, or run: nodeset "
                    f"{node} osimage=IMAGE",
                    node,
                )
            failed.append(node)
            continue
        try:
            bootfiles.write(call.module, attrs.boot(node, destiny, addresses[node]))
        except (RhevError, OSError) as problem:
            failed.append(node)
            yield Error(str(problem), node)
        else:
            yield Data(destiny.states[node], node)
    served = [node for node in ready if node not in failed]
    if served and NetState(call.home).is_made and call.tables.site("dhcpsetup").lower() not in ("n", "no", "0"):
        yield from call.host.ask("makedhcp", served)
    if failed:
        yield Error(
            f"Failed to generate {call.module} configurations for some node(s): {','.join(sorted(failed, key=natural))}"
        )


class _Attributes:
    """The columns that boot files are made of, read once for all nodes."""

    def __init__(self, call: CommandCall, nodes: Sequence[str]) -> None:
        tables = self._tables = call.tables
        self._call, self._folders = call, _folders(call, nodes)
        self._noderes = tables.node_attrs("noderes", nodes, ("netboot", "tftpserver", "xcatmaster", "installnic"))
        self._nodetype = tables.node_attrs("nodetype", nodes, ("arch", "provmethod"))
        self._mac = tables.node_attrs("mac", nodes, ("mac",))
        self._iscsi = tables.node_attrs("iscsi", nodes, ("server", "target"))
        self._bootparams = tables.node_attrs("bootparams", nodes, ("addkcmdline",))
        self._images: Mapping[str, Row] = {row["imagename"]: row for row in tables.rows("linuximage")}
        port = tables.site("httpport", "80")
        self._port = "" if port == "80" else f":{port}"

    def boot(self, node: str, destiny: Destiny, address: str) -> Boot:
        """What the boot loader of a node should do."""
        params = destiny.boots.get(node)
        if params:
            params = params._replace(kcmdline=_LINES.sub(" ", params.kcmdline + self._more_arguments(node)))
        macs = [part.partition("!")[::2] for part in self._mac[node].get("mac", "").split("|") if part]
        named = [address_of(name, "") for _, name in macs if name and not name.startswith("*")]
        iscsi, row = self._iscsi[node], self._noderes[node]
        server = self._server(node, address) if params else ""
        return Boot(
            node,
            destiny.states[node],
            self._folders[node],
            server,
            self._port,
            params,
            tuple(dict.fromkeys([address, *filter(None, named)])),
            _own_mac(node, macs, row.get("installnic", "")),
            self._nodetype[node].get("arch", ""),
            row.get("netboot", ""),
            bool(iscsi.get("server") and iscsi.get("target")),
            self._first_address(node, ("tftpserver",)) or server,
        )

    def _server(self, node: str, address: str) -> str:
        """This host as the node sees it. Where they have no network in common, what the tables say: DHCP is relayed.

        Raises:
            NotFound: They say that the node is this host.
        """
        server = (
            facing(address) or self._first_address(node, ("tftpserver", "xcatmaster")) or self._tables.site("master")
        )
        if _is_loopback(server) and not _is_loopback(address):
            raise NotFound(
                f"Unable to determine or reasonably guess the image server for {node}",
                f"Run: chdef {node} xcatmaster=ADDRESS",
            )
        return server

    def _first_address(self, node: str, columns: Sequence[str]) -> str:
        """The address of the first host that noderes names."""
        name = next(filter(None, map(self._noderes[node].get, columns)), "")
        return address_of(name, "") if name else ""

    def _more_arguments(self, node: str) -> str:
        """The arguments that an admin adds; those with `R::` are for the installed system."""
        image = self._images.get(self._nodetype[node].get("provmethod", ""), {})
        text = f"{self._bootparams[node].get('addkcmdline', '')} {image.get('addkcmdline', '')}"
        added = [word for word in self._with_values(text, node).split() if not word.startswith("R::")]
        return f" {' '.join(added)} " if added else ""

    def _with_values(self, text: str, node: str) -> str:
        """Replace `#NODEATTRIB:table:column#` and `#TABLE:table:THISNODE:column#` by the node's values."""

        def value(found: re.Match[str]) -> str:
            table, column = found[1] or found[3], found[2] or found[4]
            return _WORDS.sub("", self._tables.node_attrs(table, (node,), (column,))[node].get(column, ""))

        return _NODE_VALUE.sub(value, text)


def _own_mac(node: str, macs: Sequence[tuple[str, str]], installnic: str) -> str:
    """The card that a node installs by: the one that noderes names, that of its name, one without name, any."""
    named = {name: mac for mac, name in reversed(macs)}
    mac = next(filter(None, (named.get(node), named.get(""), *(mac for mac, _ in macs))), "")
    return _with_colons(installnic) or _with_colons(mac) or mac


def _with_colons(mac: str) -> str:
    """A MAC as boot loaders spell it, of whatever form: with dashes, Cisco's dots or nothing; empty if it is none."""
    digits = re.sub("[:.-]", "", mac)
    return ":".join(re.findall("..", digits)) if _DIGITS.fullmatch(digits) else ""


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _folders(call: CommandCall, nodes: Sequence[str]) -> dict[str, Path]:
    """The directory that each node's boot loader sees."""
    usual = call.tables.site("tftpdir", str(call.home.tftp))
    return {
        node: Path(row.get("tftpdir") or usual)
        for node, row in call.tables.node_attrs("noderes", nodes, ("tftpdir",)).items()
    }


NODESET = Core(
    own_command(
        "nodeset",
        "what nodes do at their next start",
        ("nodeset <noderange> [osimage[=<imagename>]|boot|next|offline|stat|enact]",),
        (
            Option(("-a",), "all", "accepted as in xCAT, without effect"),
            Option(("--noupdateinitrd",), "noupdateinitrd", "accepted as in xCAT, without effect"),
            Option(("--ignorekernelchk",), "ignorekernelchk", "accepted as in xCAT, without effect"),
        ),
        CommandWords(most=None),
    ),
    run,
    routes=(
        ("grub2", "noderes:netboot=(grub2[-]?.*)"),
        ("pxe", "noderes:netboot"),
        ("xnba", "noderes:netboot"),
    ),
    remedy=f"Set noderes.netboot to {bootfiles.LOADERS}",
)
