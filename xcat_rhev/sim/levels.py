"""Compatibility levels and the CPU types of each, by engine version."""

from __future__ import annotations

from typing import NamedTuple

from .dialect import SimDialect, Version


class Cpu(NamedTuple):
    """A CPU type; each maker counts its own from the weakest on."""

    level: int
    name: str
    architecture: str = "x86_64"


def _count(first: int, *names: str, architecture: str = "x86_64") -> tuple[Cpu, ...]:
    return tuple(Cpu(number, name, architecture) for number, name in enumerate(names, first))


_INTEL_OLD = ("Intel Conroe Family", "Intel Penryn Family", "Intel Nehalem Family", "Intel Westmere Family")
_AMD_OLD = ("AMD Opteron G1", "AMD Opteron G2", "AMD Opteron G3")
#: As the configurations of engines count them (ServerCPUList in 0000_config.sql): levels up to 3.1, to 4.2, and later.
_OLDEST = _count(3, *_INTEL_OLD) + _count(2, *_AMD_OLD)
_OLD = (
    _count(3, *_INTEL_OLD, "Intel SandyBridge Family", "Intel Haswell Family")
    + _count(2, *_AMD_OLD, "AMD Opteron G4", "AMD Opteron G5")
    + _count(3, "IBM POWER8", architecture="ppc64")
)
_NEW = (
    _count(
        1,
        "Intel Nehalem Family",
        "Secure Intel Nehalem Family",
        "Intel Westmere Family",
        "Secure Intel Westmere Family",
        "Intel SandyBridge Family",
        "Secure Intel SandyBridge Family",
        "Intel IvyBridge Family",
        "Secure Intel IvyBridge Family",
        "Intel Haswell Family",
        "Secure Intel Haswell Family",
        "Intel Broadwell Family",
        "Secure Intel Broadwell Family",
        "Intel Skylake Client Family",
        "Secure Intel Skylake Client Family",
        "Intel Skylake Server Family",
        "Secure Intel Skylake Server Family",
        "Intel Cascadelake Server Family",
        "Secure Intel Cascadelake Server Family",
        "Intel Icelake Server Family",
        "Secure Intel Icelake Server Family",
    )
    + _count(1, "AMD Opteron G4", "AMD Opteron G5", "AMD EPYC", "Secure AMD EPYC")
    + _count(1, "IBM POWER8", "IBM POWER9", architecture="ppc64")
    + _count(1, "IBM z114, z196", "IBM zBC12, zEC12", "IBM z13s, z13", "IBM z14", architecture="s390x")
)
_AFTER = {
    "Secure Intel Icelake Server Family": _count(
        21, "Intel Sapphire Rapids Server Family", "Secure Intel Sapphire Rapids Server Family"
    ),
    "Secure AMD EPYC": _count(
        5, "AMD EPYC-Rome", "Secure AMD EPYC-Rome", "AMD EPYC-Milan", "AMD EPYC-Milan-v2", "AMD EPYC-Genoa"
    ),
    "IBM POWER9": _count(3, "IBM POWER10", architecture="ppc64"),
}
#: Level 4.8, as 4.5.8 answers it.
_NEWEST = tuple(each for cpu in _NEW for each in (cpu, *_AFTER.get(cpu.name, ())))
#: Engine version (and all up to the next) -> the levels it supports, oldest first.
LEVELS: dict[Version, tuple[Version, ...]] = {
    (3, 0): ((2, 2), (3, 0)),
    (3, 1): ((2, 2), (3, 0), (3, 1)),
    (3, 2): ((3, 0), (3, 1), (3, 2)),
    (3, 3): ((3, 0), (3, 1), (3, 2), (3, 3)),
    (3, 4): ((3, 0), (3, 1), (3, 2), (3, 3), (3, 4)),
    (3, 5): ((3, 0), (3, 1), (3, 2), (3, 3), (3, 4), (3, 5)),
    (3, 6): ((3, 0), (3, 1), (3, 2), (3, 3), (3, 4), (3, 5), (3, 6)),
    (4, 0): ((3, 6), (4, 0)),
    (4, 1): ((3, 6), (4, 0), (4, 1)),
    (4, 2): ((3, 6), (4, 0), (4, 1), (4, 2)),
    (4, 3): ((4, 1), (4, 2), (4, 3)),
    (4, 4): ((4, 2), (4, 3), (4, 4), (4, 5), (4, 6)),
    (4, 5): ((4, 2), (4, 3), (4, 4), (4, 5), (4, 6), (4, 7), (4, 8)),
}


def supported_levels(dialect: SimDialect) -> tuple[Version, ...]:
    """Give the levels of the engine that is spoken to, whatever the dialect."""
    return LEVELS[max(version for version in LEVELS if version <= max(dialect.version, dialect.engine))]


def newest(dialect: SimDialect) -> Version:
    """Give the level that an engine takes if none is asked for."""
    return supported_levels(dialect)[-1]


def cpus(level: Version) -> tuple[Cpu, ...]:
    """Give the CPU types of a level, maker by maker; the exact names count."""
    if level >= (4, 8):
        return _NEWEST
    if level >= (4, 3):
        return _NEW
    return _OLD if level >= (3, 2) else _OLDEST
