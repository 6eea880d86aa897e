"""The commands that people type at an xCAT, by name: what a client does with each, and what is like a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

#: Commands whose first word is not a noderange (xcatclientnnr).
WITHOUT_NODERANGE = frozenset(
    """
    addkit addkitcomp bmcdiscover cfgve chkkitcomp chzone configfpc copycds geninitrd gennr gettab ilitefile imgexport
    imgimport liteimg lskit lskitcomp lskitdeployparam lskmodules lsslp lsve lsxcatd makenetworks makentp makeroutes
    mknb mkzone monadd moncfg mondecfg monls monrm monshow monstart monstop nodeadd nodeaddunmged nodediscoverdef
    nodediscoverls nodediscoverstart nodediscoverstatus nodediscoverstop nodegrpch nodeimport packimage pdudiscover
    regnotif rescanplugins rmimage rmkit rmkitcomp rmosdistro rmzone rollupdate runrollupdate sinv slpdiscover snmove
    swapnodes switchdiscover tabch tabdump tabprune unregnotif webrun xcatsetup
""".split()
)
#: Commands that work on definitions (xcatDBcmds).
DEFINITIONS = frozenset(("mkdef", "chdef", "lsdef", "rmdef", "chkosimage"))
#: Commands that are not sent under their own name: chtab writes to the database by itself in a Perl xCAT.
SENT_AS = {"chtab": "tabch"}
#: The others that a Perl xCAT of 2026 has on its path.
_WITH_NODERANGE = frozenset(
    """
    chhypervisor chvm clonevm dumpxCATdb genimage getmacs imgcapture litefile litetree lsflexnode lshwconn lslite
    lstree lsvm makeconfluentcfg makeconservercf makedhcp makedns makegocons makehosts makeknownhosts mkdsklsnode
    mkflexnode mkhwconn mkvm nodech nodechmac nodechprofile nodels nodepurge noderefresh noderegenips noderm nodeset
    nodestat pping ppping prsync pscp psh rbeacon rbootseq rcons renergy replaycons restorexCATdb revacuate
    reventlog rflash rhevhjoin rhevhupdateflag rhevmupdateflag rinstall rinv rmdsklsnode rmflexnode rmhwconn
    rmhypervisor rmigrate rmvm rnetboot rpower rscan rsetboot rshutdown rspconfig rspreset rvitals setupiscsidev
    switchblade tabedit tabgrep tabrestore updatenode updatenodestat verifynode wcons winstall wvid xdcp xdsh
""".split()
)
#: The commands that people type and this product answers; they know `--json` themselves.
OURS = frozenset(
    """
    cfgve chhypervisor chvm clonevm getcons getmacs getrvidparms lsve lsvm mkvm rbeacon revacuate reventlog rhevhjoin
    rinv rmhypervisor rmigrate rmvm rpower rscan rsetboot rshutdown rvitals
""".split()
)
#: What the embedded xcatd answers besides, as people type it.
EMBEDDED = frozenset(
    """
    chdef chkosimage chtab copycds gettab lsdef lsxcatd makedhcp makedns makehosts makeknownhosts makenetworks mkdef
    nodeadd nodech nodegrpch nodels nodepurge noderm nodeset nodestat rescanplugins rinstall rmdef rmimage tabch tabdump
    tabgrep tabprune tabrestore updatenodestat
""".split()
)
#: All commands that a link to `xcat-rhev` may be called.
TYPED = tuple(sorted((OURS - {"getcons", "getrvidparms"}) | EMBEDDED))
#: All that a Perl xCAT knows.
PERL = WITHOUT_NODERANGE | DEFINITIONS | frozenset(SENT_AS) | _WITH_NODERANGE


def nearest(word: str, names: Iterable[str]) -> str:
    """The name that somebody probably meant, or nothing."""
    return next(iter(get_close_matches(word, sorted(names), 1, 0.7)), "")


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """A sentence with the name that somebody probably meant, to stand behind another one; or nothing."""
    meant = nearest(word, names)
    return f". Did you mean {meant}?" if meant else ""
