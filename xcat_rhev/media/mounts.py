"""Find the image behind a mount point, so that it can be read as it is."""

from __future__ import annotations

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(r"\\([0-7]{3})")


def source_of(mount: Path) -> Path | None:
    """Give the block device or image that is mounted at a folder; None if nothing is, or if it is not a device.

    Args:
        mount: A folder, such as the one that copycds has mounted an ISO at.
    """
    try:
        lines = _MOUNTS.read_text().splitlines()
    except OSError:
        return None
    found = None
    for line in lines:
        mounted, _, source = line.partition(" - ")
        fields, origin = mounted.split(" "), source.split(" ")
        if len(fields) > 4 and len(origin) > 1 and Path(_plain(fields[4])) == mount:
            found = Path(_plain(origin[1]))
    return found if found and found.is_absolute() and found.is_block_device() else None


def _plain(field: str) -> str:
    """The kernel writes spaces and their like as octal numbers."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), field)
