"""Where the files that are not Python are: in a checkout beside the package, else where pip put them."""

from __future__ import annotations

import sys
from pathlib import Path

from ..errors import NotFound

#: The folder that holds the package `xcat_rhev`.
PACKAGES = Path(__file__).resolve().parents[2]


def find_shared(path: str) -> Path:
    """Find a file or folder of cgi-bin, policy or share.

    Args:
        path: Its path in a checkout, e.g. `share/perl/rhevm.pm`.

    Raises:
        NotFound: The installation is not whole.
    """
    for top in (PACKAGES, Path(sys.prefix) / "share" / "xcat-rhev"):
        if (top / path).exists():
            return top / path
    raise NotFound(f"{path} is missing from this installation", "Install the package again")
