"""The operating systems that an engine knows by name, and what becomes of other words."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from .dialect import SimDialect, Version
from .faults import bad_value

#: Since when -> numbers and names (osinfo-defaults.properties; 4.2.8 answers 48 of them, 4.5.8 answers 61).
_SYSTEMS: dict[Version, str] = {
    (3, 3): """
        0 other  1 windows_xp  3 windows_2003  4 windows_2008  5 other_linux  7 rhel_5  8 rhel_4  9 rhel_3
        10 windows_2003x64  11 windows_7  12 windows_7x64  13 rhel_5x64  14 rhel_4x64  15 rhel_3x64  16 windows_2008x64
        17 windows_2008R2x64  18 rhel_6  19 rhel_6x64  20 windows_8  21 windows_8x64  23 windows_2012x64
        1193 sles_11  1252 ubuntu_12_04  1253 ubuntu_12_10  1254 ubuntu_13_04  1255 ubuntu_13_10""",
    (3, 6): """
        24 rhel_7x64  25 windows_2012R2x64  26 windows_10  27 windows_10x64  28 rhel_atomic7x64  1001 other_ppc64
        1002 other_linux_ppc64  1003 rhel_6_ppc64  1004 sles_11_ppc64  1005 ubuntu_14_04_ppc64  1006 rhel_7_ppc64
        1256 ubuntu_14_04""",
    (4, 2): """
        29 windows_2016x64  1007 rhel_6_9_plus_ppc64  1300 debian_7  1500 freebsd  1501 freebsdx64  2001 other_s390x
        2002 other_linux_s390x  2003 rhel_7_s390x  2004 sles_12_s390x  2005 ubuntu_16_04_s390x""",
    (4, 4): """
        30 rhel_8x64  31 windows_2019x64  33 other_linux_kernel_4  35 rhcos_x64  1008 rhel_8_ppc64  1257 ubuntu_18_04
        1301 debian_9""",
    (4, 5): "34 rhel_9x64  36 windows_11  37 windows_2022  38 windows_2025  39 rhel_10x64  1009 rhel_9_ppc64",
}
#: Before that the API has an enumeration (OsType.java at engine_3.0 to engine_3.2): since when -> its words.
_ENUM: dict[Version, str] = {
    (3, 0): """
        unassigned other other_linux rhel_3 rhel_3x64 rhel_4 rhel_4x64 rhel_5 rhel_5x64 rhel_6 rhel_6x64 windows_xp
        windows_2003 windows_2003x64 windows_2008 windows_2008x64 windows_2008r2 windows_7 windows_7x64""",
    (3, 2): "windows_8 windows_8x64 windows_2012x64",
}
#: What a word becomes that is not a name: machines of engines that know no names keep it.
OTHER = "other"
KNOWN_SINCE: Version = (3, 3)


def systems(version: Version) -> Iterator[tuple[int, str]]:
    """Give the numbers and names that an engine of that version knows."""
    for since, text in _SYSTEMS.items():
        words = text.split() if since <= version else []
        yield from zip(map(int, words[::2]), words[1::2])


def kept_as(word: str, dialect: SimDialect) -> str:
    """Give what an engine shows of a word that was taken once, by itself or by an older version."""
    return system_name(word, dialect) if dialect.knows(KNOWN_SINCE) else word


def system_name(word: str, dialect: SimDialect) -> str:
    """Give what an engine makes of a word: names count as they are written, all else is `other`, without a word.

    Raises:
        Refused: 3.2 checks that the word is in its enumeration; older versions ignore a word that is not.
    """
    if not dialect.knows(KNOWN_SINCE):
        return _member(word, dialect)
    return word if word in _names(dialect.version) else OTHER


def _member(word: str, dialect: SimDialect) -> str:
    known = {each for since, text in _ENUM.items() if since <= dialect.version for each in text.split()}
    if word.lower() not in known and dialect.version >= (3, 2):
        raise bad_value(word, "OsType")
    return word.lower() if word.lower() in known else "unassigned"


@functools.lru_cache
def _names(version: Version) -> frozenset[str]:
    return frozenset(name for _, name in systems(version))


def architecture(name: str) -> str:
    """Give the CPU architecture that a system is for."""
    return next((end for end in ("ppc64", "s390x") if name.endswith(f"_{end}")), "x86_64")
