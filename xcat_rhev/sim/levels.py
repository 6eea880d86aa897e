"""Compatibility levels and the CPU types of each, by engine version."""

from __future__ import annotations

from .dialect import Dialect, Version

_INTEL_OLD = ("Intel Conroe Family", "Intel Penryn Family")
_INTEL = ("Intel Nehalem Family", "Intel Westmere Family")
_AMD = ("AMD Opteron G1", "AMD Opteron G2", "AMD Opteron G3")
_LATER = ("Intel SandyBridge Family", "Intel Haswell Family", "AMD Opteron G4", "AMD Opteron G5")
_LATEST = (
    "Intel Nehalem Family",
    "Secure Intel Nehalem Family",
    "Intel Westmere Family",
    "Secure Intel Westmere Family",
    "Intel SandyBridge Family",
    "Secure Intel SandyBridge Family",
    "Intel IvyBridge Family",
    "Intel Haswell Family",
    "Secure Intel Haswell Family",
    "Intel Broadwell Family",
    "Intel Skylake Client Family",
    "Intel Skylake Server Family",
    "Secure Intel Skylake Server Family",
    "Intel Cascadelake Server Family",
    "Secure Intel Cascadelake Server Family",
    "Secure Intel Icelake Server Family",
    "AMD Opteron G4",
    "AMD Opteron G5",
    "AMD EPYC",
    "Secure AMD EPYC",
)
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
    (4, 5): ((4, 2), (4, 3), (4, 4), (4, 5), (4, 6), (4, 7)),
}


def supported(dialect: Dialect) -> tuple[Version, ...]:
    """Give the levels of the engine version that is spoken to."""
    return LEVELS[max(version for version in LEVELS if version <= dialect.version)]


def newest(dialect: Dialect) -> Version:
    """Give the level that an engine takes if none is asked for."""
    return supported(dialect)[-1]


def cpus(level: Version) -> tuple[str, ...]:
    """Give the CPU types of a level, the oldest first; the exact texts count."""
    if level >= (4, 3):
        return _LATEST
    if level >= (4, 0):
        return (*_INTEL, *_LATER, *_AMD)
    if level >= (3, 2):
        return (*_INTEL_OLD, *_INTEL, *_LATER, *_AMD)
    return (*_INTEL_OLD, *_INTEL, *_AMD)
