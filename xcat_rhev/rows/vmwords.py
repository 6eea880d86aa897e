"""Values as the vm table writes them: boot devices, disk sizes, MAC addresses, lists."""

from __future__ import annotations

import re

from ..errors import Usage
from ..units import GIB, MIB, parse_size

#: xCAT's words for boot devices, and rhevm.pm's.
BOOT_DEVICES = {
    "network": "network",
    "net": "network",
    "n": "network",
    "hd": "hd",
    "h": "hd",
    "cdrom": "cdrom",
    "cd": "cdrom",
    "c": "cdrom",
    "dvd": "cdrom",
}
BOOT_HINT = "Supported boot device: net, hd, cd, several joined by commas"

_MAC = re.compile(r"[0-9a-fA-F]{2}([:-]?)[0-9a-fA-F]{2}(\1[0-9a-fA-F]{2}){4}")
_YES = {"yes", "y", "true", "1", "on"}
_NO = {"no", "n", "false", "0", "off"}


def boot_order(text: str, what: str = "") -> tuple[str, ...]:
    """Read a boot order, such as `net,hd`.

    Args:
        text: Words joined by commas.
        what: Where it is written, for the error.

    Returns:
        The manager's words in order: network, hd, cdrom.

    Raises:
        Usage: A word is not known, or is given twice.
    """
    words = [word.strip().lower() for word in text.split(",")]
    devices = tuple(BOOT_DEVICES.get(word, "") for word in words)
    if not all(devices) or len(set(devices)) < len(devices):
        raise Usage(f"{what}: '{text}' is not a boot order".removeprefix(": "), BOOT_HINT)
    return devices


def option_size(text: str, what: str) -> int:
    """Read a disk size from the command line, where a bare number is GiB, as mkvm's and chvm's manual pages say.

    Raises:
        Usage: No size.
    """
    size = parse_size(text, what)
    return size * (GIB // MIB) if text.strip().isdigit() else size


def with_unit(text: str) -> str:
    """Such a size as vm.storage needs it: there a bare number is MiB."""
    return f"{text}g" if text.isdigit() else text


def topology(text: str, what: str) -> tuple[int, int, int]:
    """Read a number of CPUs, such as `2` or `2:4:1`.

    Args:
        text: Sockets, cores of each, threads of each.
        what: Where it is written, for the error.

    Returns:
        Sockets, cores, threads.

    Raises:
        Usage: Not of the form sockets[:cores[:threads]].
    """
    words = text.split(":")
    if len(words) > 3 or not all(word.isdigit() and len(word) < 5 and 0 < int(word) <= 1024 for word in words):
        raise Usage(f"{what}: '{text}' is not of the form sockets[:cores[:threads]]", "Write 4, or 2:4")
    sockets, cores, threads = [*map(int, words), 1, 1][:3]
    return sockets, cores, threads


def mac_addresses(text: str, node: str) -> tuple[str, ...]:
    """Read mac.mac, such as `42:0a:00:00:00:01!vm1|42:0a:00:00:00:02!vm1-eth1`.

    Returns:
        The addresses in order, with colons and in lower case; that of the node's own name, or without a name, first.

    Raises:
        Usage: Something in it is not a MAC address.
    """
    own: list[str] = []
    others: list[str] = []
    for part in filter(None, (part.strip() for part in text.split("|"))):
        address, _, name = part.partition("!")
        if not _MAC.fullmatch(address):
            raise Usage(
                f"mac.mac: '{address}' is not a MAC address", f"Run: chtab node={node} mac.mac=52:54:00:00:00:01"
            )
        digits = address.replace(":", "").replace("-", "").lower()
        (own if name in ("", node) else others).append(":".join(re.findall("..", digits)))
    return tuple(own + others)


def yes_or_no(text: str, what: str) -> bool:
    """Read a switch.

    Raises:
        Usage: Neither yes nor no.
    """
    word = text.strip().lower()
    if word not in _YES | _NO:
        raise Usage(f"{what} is '{text}'", "Write yes or no")
    return word in _YES


def split_list(text: str) -> tuple[str, ...]:
    """Split at commas, without blanks and empty parts."""
    return tuple(word for word in (word.strip() for word in text.split(",")) if word)
