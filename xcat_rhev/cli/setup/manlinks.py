"""`man rpower` leads to ours: xCAT's page gets a paragraph that names it; where xCAT has none, ours stands for it."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

from ...xcat.commandnames import OURS
from .ledger import Ledger

_PARAGRAPH = """
.SH RHEV, RHV AND OVIRT
For machines and hypervisors of RHEV\\-M, RHV\\-M and oVirt Engine see \\fBxcat\\-rhev\\-{name}\\fR(1).
"""


def pages(folder: Path, ledger: Ledger) -> Iterator[tuple[Path, bytes]]:
    """The pages to write: those that are missing, and those that are ours.

    Args:
        folder: xCAT's own man1.
        ledger: Knows which of them are as we put them.
    """
    for name in sorted(OURS - {"getcons", "getrvidparms"}):
        path = next((each for each in (folder / f"{name}.1.gz", folder / f"{name}.1") if each.exists()), None)
        if path is None:
            yield folder / f"{name}.1", f".so man1/xcat-rhev-{name}.1\n".encode()
        elif ledger.ours(path):
            yield path, path.read_bytes()
        else:
            yield path, _with_paragraph(path, name)


def _with_paragraph(path: Path, name: str) -> bytes:
    packed, paragraph = path.suffix == ".gz", _PARAGRAPH.format(name=name).encode()
    text = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    whole = text.rstrip() + paragraph
    return gzip.compress(whole, mtime=0) if packed else whole
