"""The daemon's own commands by name."""

from __future__ import annotations

from .core import tabch, tabdump
from .core.declare import Core

CORES: dict[str, Core] = {
    core.name: core for core in (
        tabch.CHTAB, tabch.TABCH, tabdump.TABDUMP,
    )
}
