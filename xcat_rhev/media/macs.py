"""Hardware addresses as xCAT's tables hold them."""

from __future__ import annotations

import re

from ..errors import Usage

_DIGITS = re.compile(r"[0-9a-fA-F]+")
_BETWEEN = re.compile(r"[:.-]")
#: Six bytes as people write them: 52:54:00:12:34:56, 52-54-00-12-34-56, 525400123456, and Cisco's 5254.0012.3456; in
#: front of them what boot loaders add, 01 for Ethernet.
_ETHERNET = re.compile(
    r"(?:01[:-])?(?:[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}|[0-9a-f]{12}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2})",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.IGNORECASE)
#: What people and forms write where they know none.
_NOBODYS = ("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff")
#: Lengths in bytes of what is none: the port's identity, the address with and without the queue pair.
_INFINIBAND = {8: "the GUID of an InfiniBand port", 16: "an InfiniBand address", 20: "an InfiniBand address"}


def mac_of(text: str, where: str) -> str:
    """Write a MAC with colons, in lower case; empty if the text is not a hardware address of any kind.

    Args:
        text: What somebody wrote: an address, or the name of a card.
        where: The column, for the error.

    Raises:
        Usage: It is a hardware address, but not of six bytes, or that of no card.
    """
    if _ETHERNET.fullmatch(text):
        digits = re.sub("[^0-9a-f]", "", text.lower())[-12:]
        address = ":".join(digits[at : at + 2] for at in range(0, 12, 2))
        if address in _NOBODYS:
            raise Usage(f"{where}: '{text}' is not the address of a card", "Write the card's own, as 52:54:00:12:34:56")
        return address
    parts = _BETWEEN.split(text)
    digits = "".join(parts)
    if not _DIGITS.fullmatch(digits) or (len(parts) < 3 and len(digits) < 12):
        return ""
    kind = _INFINIBAND.get(len(digits) // 2, "not a MAC address")
    raise Usage(
        f"{where}: '{text}' is {kind}; node images start from cards with a MAC of six bytes",
        "Name the card itself, such as noderes.installnic=ib0"
        if "InfiniBand" in kind
        else "Write it as 52:54:00:12:34:56",
    )


def of_node(mac: str, node: str) -> str:
    """The entry of `mac.mac` that a node starts from, as it is there.

    Of `address!name|address!name` that is the one with the node's own name, else the first without a name, else the
    first that is not marked `*NOIP*`.

    Args:
        mac: The column.
        node: The node's name.
    """
    entries = [(address.strip(), name.strip()) for address, _, name in (part.partition("!") for part in mac.split("|"))]
    own = [address for address, name in entries if name == node]
    bare = [address for address, name in entries if not name]
    usable = [address for address, name in entries if name != "*NOIP*"]
    return [*own, *bare, *usable, entries[0][0]][0]


def bootif(nic: str) -> str:
    """Write a MAC as boot loaders hand it on, with the hardware type in front; a name stays as it is."""
    return "01-" + nic.lower().replace(":", "-") if is_mac(nic) else nic


def is_mac(nic: str) -> bool:
    """Whether a card is known by its MAC, not by a name."""
    return _PLAIN.fullmatch(nic) is not None
