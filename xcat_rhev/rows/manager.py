"""What the site table says of managers: where what is known of them is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class HasSite(Protocol):
    """A reader of the site table: an `Xcat`, or a program that asks xcatd."""

    def site(self, key: str, default: str = "") -> str:
        """Read one value of the site table."""


def manager_folder(xcat: HasSite, name: str) -> Path:
    """Where what is known of a manager is kept: its CA, its API, its passing state.

    Args:
        xcat: What reads the site table.
        name: The manager as the tables name it, `host` or `host:port`.
    """
    return folder_of(Path(xcat.site("xcatconfdir", "/etc/xcat")), name)


def folder_of(config: Path, name: str) -> Path:
    """The same, for who knows the configuration's folder."""
    return config / "rhevm" / name.replace(":", "_")
