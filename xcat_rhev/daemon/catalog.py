"""The daemon's own commands by name."""

from __future__ import annotations

from .core import (
    copycds,
    definitions,
    lsdef,
    lsxcatd,
    makehosts,
    nodech,
    nodels,
    nodeset,
    rinstall,
    smalltables,
    status,
    tabch,
    tabdump,
)
from .core.declare import Core

CORES: dict[str, Core] = {
    core.name: core for core in (
        tabch.CHTAB, tabch.TABCH, tabdump.TABDUMP, nodels.NODELS, nodech.NODEADD, nodech.NODECH, nodech.NODERM,
        smalltables.GETTAB, smalltables.TABGREP, smalltables.TABRESTORE, lsxcatd.LSXCATD, lsxcatd.RESCANPLUGINS,
        definitions.MKDEF, definitions.CHDEF, definitions.RMDEF, lsdef.LSDEF,
        makehosts.MAKEHOSTS, copycds.COPYCDS, rinstall.RINSTALL, nodeset.NODESET, status.UPDATENODESTAT,
        status.NODESTAT,
    )
}
