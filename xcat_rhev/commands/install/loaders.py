"""How boot loaders change a kernel line, and which one a node should start with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...errors import Usage
from ...media.liveline import has_trigger, waits_for_network, wanted_words
from ...media.modes import Mode, dangers, mode_of
from ...media.settings import BootSettings
from ...media.store import Image

#: noderes.netboot as xCAT documents it for x86_64. Only GRUB does not add `BOOTIF=` with the card that it started from.
ADD_BOOTIF = ("xnba", "pxe")
GRUB = ("grub2", "grub2-http", "grub2-tftp")
#: GRUB hands these to the kernel with a backslash before them, whatever is in its file.
_CHANGED_BY_GRUB = re.compile(r"[\\'\"]")
_SPECIAL_TO_GRUB = re.compile(r"[$;&|<>{}]")
_RHEL_7 = 7


def alternatives(names: tuple[str, ...]) -> str:
    """Names as a sentence has them: `a, b or c`."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def by_grub(netboot: str) -> bool:
    """Whether a node starts by GRUB."""
    return netboot.startswith("grub2")


def for_loader(line: str, settings: BootSettings, netboot: str) -> str:
    """Write a line as the node's boot loader reads it.

    GRUB puts variables in and splits at semicolons and their like. xCAT's grub2 plugin ends the line with `BOOTIF=` and
    a MAC with colons; images since ovirt-node 2.4 take one that begins with `e` for the name of a card. So the words of
    addkcmdline, which it puts before that, are put in here, and whatever it adds is behind a `#`.

    Args:
        line: The line.
        settings: The node.
        netboot: Its noderes.netboot.

    Raises:
        Usage: GRUB would change a word.
    """
    if not by_grub(netboot):
        return line
    words = [word for word in settings.extra if not word.startswith("R::")]
    for word in words:
        if word.startswith("#") or _CHANGED_BY_GRUB.search(word):
            raise Usage(
                f"addkcmdline: GRUB would change '{word}'", f"Set noderes.netboot to {alternatives(ADD_BOOTIF)}"
            )
    return _SPECIAL_TO_GRUB.sub(r"\\\g<0>", " ".join([line, *words])) + " #"


def warnings(image: Image, settings: BootSettings, netboot: str) -> Iterator[str]:
    """Warnings for the install of a node with this image.

    Args:
        image: The image.
        settings: The node.
        netboot: Its noderes.netboot.
    """
    if netboot and netboot not in (*ADD_BOOTIF, *GRUB):
        yield f"noderes.netboot={netboot} starts no such image. Set it to {alternatives((*ADD_BOOTIF, *GRUB))}"
    if not image.kickstart:
        yield from _of_live(image, settings)
    if settings.card.on_top and not by_grub(netboot):
        yield from _of_bootif(image, settings, netboot)


def _of_live(image: Image, settings: BootSettings) -> Iterator[str]:
    node, wanted = settings.node, wanted_words(settings)
    if not settings.manager:
        yield f"it will know no manager. Run: chtab node={node} hypervisor.mgr=MANAGER"
    yield from dangers([*wanted, *image.append.split()])
    if settings.card.bond and settings.card.vlan and not settings.addresses and waits_for_network(image):
        yield (
            f"when it starts, it asks DHCP over {settings.card.nic} without the VLAN as well, and waits for an answer. "
            "Give it a fixed address (site.managedaddressmode=static) where there is none"
        )
    mode = mode_of(wanted)
    if (mode and mode[0] is Mode.UPGRADE) or not has_trigger(image):
        after = "updated" if mode else "installed"
        yield f"{image.distname} cannot report when it is {after}. Run nodeset {node} boot then"


def _of_bootif(image: Image, settings: BootSettings, netboot: str) -> Iterator[str]:
    card = settings.card
    loader = f"its boot loader ({netboot})" if netboot else "a boot loader such as xnba"
    remedy = f"Set noderes.netboot to {alternatives(GRUB)}"
    if not image.kickstart and card.bond:
        yield (
            f"{loader} adds BOOTIF= with the card it started from, which {image.distname} takes before {card.nic}. "
            f"{remedy}"
        )
    elif image.kickstart and image.linux == _RHEL_7:
        yield (
            f"{loader} adds BOOTIF= with the card it started from; early installers of RHEL 7 do not know rd.bootif=0 "
            f"and may wait for that card beside {card.names[0]}. {remedy}"
        )
