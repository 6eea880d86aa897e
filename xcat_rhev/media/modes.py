"""What a live image does when it has started: the words of a kernel line that decide it, and what they do to disks.

A line that has none comes to the interactive installer. Ours are `storage_init` and `reinstall`: with the first and
BOOTIF the image installs itself, and for the second its initramfs wipes the volume groups of those disks before
(ovirt-early, ovirt-auto-install, and dracut/ovirt-cleanup.sh, of ovirt-node). The latter looks at nothing else, so it
wipes as well when `upgrade` or `rescue` is beside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

#: Words that name disks, and those for which the initramfs wipes them; `=0` and `=no` turn the latter off.
DISKS = ("storage_init", "ovirt_init")
WIPES = ("reinstall", "firstboot", "ovirt_firstboot")
_OFF = ("0", "no")


class Mode(Enum):
    """What a word makes of a start; the value is what it does, for messages."""

    UPGRADE = "replaces the installed image and keeps its settings"
    STATELESS = "runs without a disk"
    RESCUE = "comes to an emergency shell"


_MODES = {
    "upgrade": Mode.UPGRADE,
    "ovirt_upgrade": Mode.UPGRADE,
    "local_boot": Mode.UPGRADE,
    "ovirt_local_boot": Mode.UPGRADE,
    "stateless": Mode.STATELESS,
    "ovirt_stateless": Mode.STATELESS,
    "rescue": Mode.RESCUE,
}


def mode_of(words: Sequence[str]) -> tuple[Mode, str] | None:
    """The first word that makes something else of a start than an installation, and what; None if there is none."""
    for word in words:
        name, _, value = word.partition("=")
        if name in _MODES and not (_MODES[name] is Mode.STATELESS and value in _OFF):
            return _MODES[name], word
    return None


def names_wiping(words: Sequence[str]) -> bool:
    """Whether a site says itself whether disks are wiped."""
    return any(word.partition("=")[0] in WIPES for word in words)


def dangers(words: Sequence[str]) -> Iterator[str]:
    """Warn of what destroys data though the start is to be no installation.

    Args:
        words: What the site wants, none of ours.
    """
    found = mode_of(words)
    if not found:
        return
    mode, why = found
    for word in words:
        name, _, value = word.partition("=")
        if name in WIPES and value not in _OFF:
            yield f"'{why}' {mode.value}, but '{word}' wipes the volume groups of its disks first. Leave {word} out"
        elif name in DISKS and mode is Mode.UPGRADE:
            yield f"'{why}' {mode.value}, but '{word}' lays out its disks again. Leave {word} out"
