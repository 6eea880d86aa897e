"""The line that a hypervisor's installer is started with, whatever kind it is, and what boot loaders can hand over."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import Usage
from .anaconda import anaconda_line, old_anaconda_line
from .grammar import unknown_to_kernel
from .liveline import live_line
from .settings import BootSettings
from .store import Image

#: iPXE cuts a line at 2047 characters without a word; through pxelinux 6, 1966 arrive whole and 2300 never start.
MOST_CHARACTERS = 1966
#: The kernel panics at the 32nd; the boot loader adds its own.
MOST_UNKNOWN = 28
#: The Enterprise Linux whose loader is not dracut's.
_OLD = 6
_ADDED = "BOOTIF=01-00-00-00-00-00-00"


def kernel_line(image: Image, settings: BootSettings, tree_url: str = "", kickstart_url: str = "") -> str:
    """Write the kernel arguments for one node; `addkcmdline` is left for nodeset to add.

    Args:
        image: What it boots.
        settings: The node.
        tree_url: Where Anaconda finds its second stage; for kickstart images.
        kickstart_url: Where it finds the node's kickstart.

    Raises:
        Usage: A word would be misread by this image, or the line is beyond what kernels and boot loaders take.
    """
    if image.kickstart:
        write = old_anaconda_line if image.linux == _OLD else anaconda_line
        words = list(write(settings, tree_url, kickstart_url))
    else:
        words = live_line(image, settings)
    _check_size(image, words, settings)
    return " ".join(words)


def _check_size(image: Image, words: Sequence[str], settings: BootSettings) -> None:
    every = [*words, *settings.extra]
    length = len(" ".join([*every, settings.loaders_own, _ADDED]))
    most = min(MOST_CHARACTERS, image.cmdline_size or MOST_CHARACTERS)
    if length > most:
        longest = max(settings.extra or words, key=len).partition("=")[0]
        raise Usage(
            f"the kernel arguments of {settings.node} have {length} characters with what boot loaders add, "
            f"{most} can be handed over",
            f"Leave some out or shorten them; {longest} is the longest",
        )
    unknown = unknown_to_kernel(every)
    if len(unknown) > MOST_UNKNOWN:
        raise Usage(
            f"the kernel arguments of {settings.node} have {len(unknown)} key=value words that are not the "
            f"kernel's own; it panics at 32",
            f"Leave out some of: {', '.join(unknown[-6:])}",
        )
