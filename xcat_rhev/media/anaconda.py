"""The line that Anaconda is started with, for RHVH and oVirt Node NG: its own words, and those for the network.

The latter are read by dracut's own scripts in RHEL 7 and early RHEL 8, by NetworkManager's reader since (both after
dracut.cmdline(7)), so every word here is one that all of them take.
"""

from __future__ import annotations

from collections.abc import Iterator

from .cards import Card
from .macs import bootif, is_mac
from .networks import Address, in_url
from .settings import BootSettings


def old_anaconda_line(settings: BootSettings, tree_url: str, kickstart_url: str) -> Iterator[str]:
    """The same for Enterprise Linux 6, whose loader reads words of its own and no bonds."""
    card = settings.card
    yield f"method={tree_url}"
    yield f"ks={kickstart_url}"
    yield from ("text", f"ksdevice={card.nic}")
    if settings.addresses:
        address: Address = settings.addresses[0]
        yield from (f"ip={address.ip}", f"netmask={address.netmask}")
        yield from (f"gateway={gateway}" for gateway in [address.gateway] if gateway)
    else:
        yield "ip=dhcp"
    if settings.nameservers:
        yield f"dns={','.join(settings.nameservers)}"
    yield from _console(settings)


def anaconda_line(settings: BootSettings, tree_url: str, kickstart_url: str) -> Iterator[str]:
    """The words of Anaconda's line.

    Args:
        settings: The node.
        tree_url: Where Anaconda finds its second stage.
        kickstart_url: Where it finds the node's kickstart.
    """
    yield f"inst.stage2={tree_url}"
    yield f"inst.ks={kickstart_url}"
    yield "inst.text"
    card = settings.card
    if is_mac(card.nic):
        yield f"BOOTIF={bootif(card.nic)}"
    yield from _on_top(card)
    yield _ip(settings, device(card))
    yield from (f"nameserver={server}" for server in settings.nameservers)
    yield from _console(settings)


def _console(settings: BootSettings) -> Iterator[str]:
    if settings.console and not any(word.startswith("console=") for word in settings.extra):
        yield "console=tty0"
        yield f"console={settings.console}"


def device(card: Card) -> str:
    """The name of what has the address; empty for a card that is known by its MAC only."""
    name = "" if is_mac(card.nic) else card.nic
    return f"{name}.{card.vlan}" if card.vlan else name


def _on_top(card: Card) -> Iterator[str]:
    """Bond and VLAN. The card that the node started from must not get an address by itself beside them.

    With the `BOOTIF=` that boot loaders add, dracut would wait for that card, and NetworkManager ask DHCP over it.
    """
    if card.bond:
        yield ":".join(filter(None, (f"bond={card.nic}", ",".join(card.bond.slaves), ",".join(card.bond.options))))
    if card.vlan:
        yield f"vlan={device(card)}:{card.nic}"
    if card.on_top:
        yield "rd.bootif=0"


def _ip(settings: BootSettings, name: str) -> str:
    if not settings.addresses:
        return f"ip={name}:dhcp" if name else "ip=dhcp"
    address: Address = settings.addresses[0]
    ip, gateway = in_url(address.ip), in_url(address.gateway)
    return f"ip={ip}::{gateway}:{address.netmask}:{settings.hostname}:{name}:none"
