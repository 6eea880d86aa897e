"""The files of dnsmasq: DHCP and TFTP as the networks say, and machines in files that it reads again on a signal.

The program's own configuration, below /etc, is never touched: it is started with the file that is written here, or a
site names that file in its own by `conf-file=`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from .dhcpnetworks import Served, network_of
from .loaders import ARCHITECTURES, HTTP_TAGS, HTTP_VENDOR, IPXE, USER_CLASSES, choices
from .reservations import Reservation

#: The DHCP server's options by RFC's names -> by its own.
_OPTIONS = {
    "routers": "router",
    "domain-name": "domain-name",
    "domain-search": "domain-search",
    "domain-name-servers": "dns-server",
    "log-servers": "log-server",
    "ntp-servers": "ntp-server",
    "interface-mtu": "mtu",
}
#: Options that it sends by itself.
_UNASKED = ("routers", "domain-name-servers")
#: What it takes for a host's name; a name of another form is left out, and the machine keeps its own.
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?", re.ASCII)
#: InfiniBand's hardware type, RFC 4391, in hexadecimal digits.
_INFINIBAND = "20"
HEAD = ("# Written by makedhcp and makedns. Changes here are lost.",)


class DnsmasqFiles:
    """Where its files are.

    Args:
        folder: The folder of all of them.
    """

    def __init__(self, folder: Path) -> None:
        self.config = folder / "dnsmasq.conf"
        self.hosts, self.options = folder / "dhcp-hosts", folder / "dhcp-options"
        self.names, self.leases = folder / "dns-hosts", folder / "leases"
        #: Which card is which machine's; read at a start only.
        self.cards = folder / "dhcp-cards"


def config(
    files: DnsmasqFiles, served: Sequence[Served], tftp: Path, dns: Iterable[str] | None, dhcp: bool = True
) -> list[str]:
    """The configuration file.

    Args:
        files: Where its other files are.
        served: The networks.
        tftp: The folder for TFTP.
        dns: More lines, for a name server; None if it should be none.
        dhcp: It answers DHCP; else another server does.
    """
    lines = [*HEAD, "bind-dynamic", "except-interface=lo"]
    lines += [f"interface={name}" for name in dict.fromkeys(each.interface for each in served) if name]
    lines += ["enable-tftp", f"tftp-root={tftp}", "tftp-no-fail"]
    lines += ["port=0"] if dns is None else [*dns]
    return [*lines, *(_dhcp(files, served) if dhcp else ())]


def _dhcp(files: DnsmasqFiles, served: Sequence[Served]) -> Iterator[str]:
    yield from ("dhcp-authoritative", "log-dhcp", f"dhcp-leasefile={files.leases}")
    yield from (f"dhcp-hostsfile={files.hosts}", f"dhcp-optsfile={files.options}", f"conf-file={files.cards}")
    for tag, numbers in ARCHITECTURES.items():
        yield from (f"dhcp-match=set:{tag},option:client-arch,{number}" for number in numbers)
    yield from (f"dhcp-userclass=set:{IPXE},{name}" for name in USER_CLASSES)
    yield from (f"dhcp-option-force=tag:{tag},option:vendor-class,{HTTP_VENDOR}" for tag in HTTP_TAGS)
    for number, each in enumerate(served):
        tag = f"net{number}"
        ranges = [f"{first},{last}" for first, last in each.ranges] or [f"{each.net.network_address},static"]
        yield from (f"dhcp-range=set:{tag},{one},{each.net.netmask},{each.lease}s" for one in ranges)
        # Not dhcp-boot, beside which the files of single machines would not count; those name their server themselves.
        yield f"dhcp-option=tag:{tag},tag:!known,option:server-ip-address,{each.tftpserver}"
        yield from (f"dhcp-option=tag:{tag},option:{_OPTIONS[name]},{text}" for name, text in each.options.items())
        # Without a value an option is not sent; without a line dnsmasq names itself.
        yield from (f"dhcp-option=tag:{tag},option:{_OPTIONS[name]}" for name in _UNASKED if name not in each.options)


def hosts(machines: Sequence[Reservation]) -> list[str]:
    """The file of machines and their addresses."""
    return [*HEAD, *(",".join(_host(machine)) for machine in machines)]


def cards(machines: Sequence[Reservation]) -> list[str]:
    """The file of cards: they give a machine its tag.

    It would stand shorter as `set:` in the file of machines. But dnsmasq (2.86 and 2.90 were seen) links the tags of
    that file with others at each question, frees all of them when it reads the file again, and dies of it.
    """
    known = [machine for machine in machines if not machine.denied and not machine.is_infiniband]
    return [*HEAD, *(f"dhcp-mac=set:{_tag(machine)},{mac}" for machine in known for mac in machine.macs)]


def reads_again(hosts_file: bytes) -> bool:
    """Whether it can read that file of machines again while it runs; see `cards`."""
    return b",set:" not in hosts_file


def _host(machine: Reservation) -> Iterator[str]:
    for mac in machine.macs:
        if machine.is_infiniband:  # asks without its hardware address, and is known by its identifier: RFC 4390
            yield f"{_INFINIBAND}-{mac}"
            yield f"id:{mac}"
        else:
            yield mac
    if machine.denied:
        yield "ignore"
        return
    if machine.is_infiniband:
        yield f"set:{_tag(machine)}"
    if machine.address:
        yield machine.address
    short = machine.name.partition(".")[0]
    if _HOST.fullmatch(short):
        yield short


def options(machines: Sequence[Reservation], served: Sequence[Served]) -> list[str]:
    """The file of what single machines boot."""
    lines = list(HEAD)
    for machine in machines:
        place = network_of(served, machine.address) or next(iter(served), None)
        if place is None or machine.denied:
            continue
        tag = f"tag:{_tag(machine)}"
        lines.append(f"{tag},option:server-ip-address,{machine.server or place.tftpserver}")
        for choice in choices(machine, place):
            tags = [tag, f"tag:{choice.arch}"]
            tags += [] if choice.ipxe is None else [f"tag:{'' if choice.ipxe else '!'}{IPXE}"]
            lines.append(f"{','.join(tags)},option:bootfile-name,{choice.file}")
    return lines


def _tag(machine: Reservation) -> str:
    """A tag that no other machine has, and that holds nothing with a meaning."""
    return "node-" + re.sub(r"[^A-Za-z0-9.-]", lambda found: f"_{ord(found[0]):x}_", machine.name)


def names(lines: Mapping[str, Sequence[str]]) -> list[str]:
    """The file of names: node -> its lines, as a hosts file has them."""
    return [*HEAD, *(f"{line.strip()} # {node}" for node, several in lines.items() for line in several)]


def name_server(files: DnsmasqFiles, domains: Sequence[str], forwarders: Sequence[str]) -> list[str]:
    """What makes it a name server for domains.

    Args:
        files: Where the names are.
        domains: Domains that no other name server is asked about, the site's own first.
        forwarders: Who is asked about others; none means those of /etc/resolv.conf.
    """
    lines = ["no-hosts", f"addn-hosts={files.names}", "domain-needed", "bogus-priv", "localise-queries"]
    lines += [f"domain={domain}" for domain in domains[:1]] + [f"local=/{domain}/" for domain in domains]
    return [*lines, *(["no-resolv", *(f"server={address}" for address in forwarders)] if forwarders else [])]
