"""makenetworks: the networks that this machine is in, as rows of the networks table."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network

from ...addresses import parse_address
from ...declare.command import CommandWords, Option
from ...messages import Data, Info, Warn
from ...xcat.host import Row
from .. import interfaces
from ..interfaces import Link
from ..netservices.dhcpnetworks import MYSELF
from ..networks import subnets
from ..reply import Output
from .declare import CommandCall, Core, own_command


def run(call: CommandCall) -> Iterator[Output]:
    """Answer `makenetworks [-d] [-V]`."""
    rows = call.tables.rows("networks")
    present, named = subnets(rows), {row.get("netname", "") for row in rows}
    for link in interfaces.links():
        row = _row(link)
        known = any(subnet.net == link.net for subnet in present)
        if "display" in call.options:
            yield Data("\n".join(_stanza(row, link, known)))
        elif row["netname"] in named:
            yield Warn(
                f"The network entry '{row['netname']}' already exists in xCAT networks table. Cannot create a "
                f"definition for '{row['netname']}'"
            )
        elif not known:
            call.tables.put("networks", {"net": row["net"], "mask": row["mask"]}, row)
            if "verbose" in call.options:
                yield Info(f"Added network {row['netname']} of interface {link.interface}")


def _row(link: Link) -> Row:
    net, size = link.net, interfaces.mtu(link.interface)
    if isinstance(net, IPv4Network):
        address, mask = str(net.network_address), str(net.netmask)
        name = f"{address}-{mask}".replace(".", "_")
        router = interfaces.gateway()
        more = {"gateway": router if router and parse_address(router) in net else MYSELF, "tftpserver": MYSELF}
    else:
        address, mask, name, more = str(net), f"/{net.prefixlen}", str(net), {}
    row = {"netname": name, "net": address, "mask": mask, "mgtifname": link.interface, **more}
    return {**row, "mtu": size} if size and more else row


def _stanza(row: Row, link: Link, known: bool) -> Sequence[str]:
    """The row as a stanza, which `mkdef -z` takes."""
    tftp = interfaces.mine(link.net)
    pairs = {"objtype": "network", **row, **({"tftpserver": tftp} if tftp and "tftpserver" in row else {})}
    lines = [
        "",
        f"#From {socket.gethostname()}.",
        f"{pairs.pop('netname')}:",
        *(f"    {key}={value}" for key, value in pairs.items()),
    ]
    return [*lines, *(["# Note: An equivalent xCAT network definition already exists."] if known else [])]


MAKENETWORKS = Core(
    own_command(
        "makenetworks",
        "write the networks of this machine to the networks table",
        (
            "Usage: makenetworks - Gather cluster network information and add it to the xCAT database.",
            "  makenetworks [-h|--help ]",
            "  makenetworks [-v|--version]",
            "  makenetworks [-V|--verbose] [-d|--display]",
        ),
        (Option(("-d", "--display"), "display", "show them and write nothing"),),
        CommandWords(most=None),  # xCAT passes them over
    ),
    run,
)
