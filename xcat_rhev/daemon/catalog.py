"""The daemon's own commands by name."""

from __future__ import annotations

from .core import (
    copycds,
    definitions,
    lsdef,
    lsxcatd,
    makedhcp,
    makedns,
    makehosts,
    makeknownhosts,
    makenetworks,
    nodech,
    nodegrpch,
    nodels,
    nodepurge,
    nodeset,
    osimages,
    rinstall,
    smalltables,
    status,
    tabch,
    tabdump,
    tabprune,
)
from .core.declare import Core

CORES: dict[str, Core] = {
    core.spec.name: core
    for core in (
        tabch.CHTAB,
        tabch.TABCH,
        tabdump.TABDUMP,
        tabprune.TABPRUNE,
        nodels.NODELS,
        nodech.NODEADD,
        nodech.NODECH,
        nodech.NODERM,
        nodegrpch.NODEGRPCH,
        nodepurge.NODEPURGE,
        smalltables.GETTAB,
        smalltables.TABGREP,
        smalltables.TABRESTORE,
        lsxcatd.LSXCATD,
        lsxcatd.RESCANPLUGINS,
        definitions.MKDEF,
        definitions.CHDEF,
        definitions.RMDEF,
        lsdef.LSDEF,
        makenetworks.MAKENETWORKS,
        makedhcp.MAKEDHCP,
        makedns.MAKEDNS,
        makehosts.MAKEHOSTS,
        makeknownhosts.MAKEKNOWNHOSTS,
        osimages.RMIMAGE,
        osimages.CHKOSIMAGE,
        copycds.COPYCDS,
        rinstall.RINSTALL,
        nodeset.NODESET,
        status.UPDATENODESTAT,
        status.NODESTAT,
    )
}
