#!/usr/bin/env python3
"""Look for inputs that break a promise of `fuzztargets.py`, with atheris (`pip install atheris`).

    python tests/fuzz/fuzz.py TARGET [libFuzzer's options, such as -max_total_time=150]

TARGET is framing, noderange, rows or policy. It begins with the corpus beside it. What breaks a promise is left in the
present folder as crash-... or timeout-...; put it into the corpus with the mending.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parents[2])]
with atheris.instrument_imports(include=["xcat_rhev"]):
    from fuzztargets import TARGETS

if __name__ == "__main__":
    name, corpus = sys.argv.pop(1), Path(__file__).parent / "corpus"

    def one(data: bytes) -> None:
        if data:
            TARGETS[name](data)

    options = ["-max_len=512", "-timeout=20", f"-dict={corpus / name}.dict", *sys.argv[1:]]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as found:
        atheris.Setup([sys.argv[0], *options, found, str(corpus / name)], one)
        atheris.Fuzz()
