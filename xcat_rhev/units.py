"""Sizes as xCAT's tables write them, and as a person reads them.

All suffixes are binary, as in xCAT's other plugins: `4g` is 4 GiB. rhevm.pm read them as powers of ten.
"""

from __future__ import annotations

import re

from .errors import Usage

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40
_FACTORS = {"": MIB, "b": 1, "k": KIB, "m": MIB, "g": GIB, "t": TIB}
#: Engines keep sizes in 64 bits, and read a number that has more as none at all.
_MOST = (1 << 63) - 1
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(?:([kmgt])(?:i?b)?|(b))?\s*", re.IGNORECASE)


def parse_size(text: str, what: str = "size") -> int:
    """Read a memory or disk size.

    Args:
        text: A number with a suffix b, k, m, g or t (any case, also `GB` or `GiB`); a bare number is MiB, as the vm
            table's description says.
        what: What the size is for, named in the error, e.g. `vm.memory of vm1`.

    Returns:
        Bytes, rounded down to a whole byte.

    Raises:
        Usage: The text is not a size, is nothing, or is more than any engine can write down.
    """
    found = _SIZE.fullmatch(text)
    if not found:
        raise Usage(f"{what}: '{text}' is not a size", "Write a number with a suffix m, g or t, such as 4g")
    size = float(found[1]) * _FACTORS[(found[2] or found[3] or "").lower()]
    if size < 1:
        raise Usage(f"{what}: '{text}' is not more than zero", "Write a size above zero, such as 4g")
    if size > _MOST:
        raise Usage(f"{what}: '{text[:40]}' is too large", "Write a size such as 4g")
    return int(size)


def parse_memory(text: str, what: str = "memory") -> int:
    """Read a memory size and cut it to whole MiB, which is what an engine stores.

    Args:
        text: As for `parse_size`.
        what: As for `parse_size`.

    Returns:
        Bytes, a multiple of MiB.

    Raises:
        Usage: No size, or less than one MiB.
    """
    size = parse_size(text, what) // MIB * MIB
    if not size:
        raise Usage(f"{what}: '{text}' is less than 1 MiB", "Write a size such as 4g")
    return size


def show_size(size: float) -> str:
    """Write a number of bytes for a person: `4 GiB`, `1.5 GiB`, `512 MiB`, `17 B`.

    Args:
        size: Bytes.
    """
    for factor, name in ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= factor:
            return f"{size / factor:.1f}".removesuffix(".0") + f" {name}"
    return f"{int(size)} B"
