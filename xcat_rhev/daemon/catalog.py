"""The daemon's own commands by name."""

from __future__ import annotations

from .core import definitions, lsdef, nodech, nodels, tabch, tabdump
from .core.declare import Core

CORES: dict[str, Core] = {
    core.name: core for core in (
        tabch.CHTAB, tabch.TABCH, tabdump.TABDUMP, nodels.NODELS, nodech.NODEADD, nodech.NODECH, nodech.NODERM,
        definitions.MKDEF, definitions.CHDEF, definitions.RMDEF, lsdef.LSDEF,
    )
}
