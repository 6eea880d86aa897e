"""Which file a machine starts with: by the loader of its node, its architecture, and whether iPXE asks already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .dhcpnetworks import Served
from .reservations import Reservation

#: Tag -> the architectures of RFC 4578 and of the IANA's list that mean it.
ARCHITECTURES = {
    "bios": (0,),
    "efi": (6, 7, 9),
    "arm": (11,),
    "http": (15, 16),
    "httparm": (19,),
}
#: The tag of a machine in which iPXE runs, and the user classes by which that is known; xNBA is xCAT's iPXE.
IPXE, USER_CLASSES = "ipxe", ("xNBA", "iPXE")
#: Machines whose firmware boots by HTTP want URLs, and want to hear this vendor class.
HTTP_TAGS, HTTP_VENDOR = ("http", "httparm"), "HTTPClient"


class Choice(NamedTuple):
    """A file, and who gets it.

    Attributes:
        arch: A tag of ARCHITECTURES.
        ipxe: Whether iPXE has to run; None for both.
        file: A path below tftpdir, or a URL.
    """

    arch: str
    ipxe: bool | None
    file: str


def choices(machine: Reservation, served: Served) -> Iterator[Choice]:
    """What a machine may start with; no two choices fit the same question."""
    files = f"{machine.http or served.http}/tftpboot"
    if machine.loader == "pxe":
        yield Choice("bios", None, "pxelinux.0")
    elif machine.loader == "xnba":
        script = f"{files}/xcat/xnba/nodes/{machine.node}"
        yield Choice("bios", False, "xcat/xnba.kpxe")
        yield Choice("bios", True, script)
        yield Choice("efi", False, "xcat/xnba.efi")
        yield Choice("efi", True, f"{script}.uefi")
        yield Choice("http", False, f"{files}/xcat/xnba.efi")
        yield Choice("http", True, f"{script}.uefi")
    elif machine.loader == "grub2":
        image = f"boot/grub2/grub2-{machine.node}"
        yield from (Choice(arch, None, f"/{image}") for arch in ("bios", "efi", "arm"))
        yield from (Choice(arch, None, f"{files}/{image}") for arch in HTTP_TAGS)
