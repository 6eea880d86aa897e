"""The short corpus that fuzzing left behind, and its neighbours: every promise of `fuzztargets.py` holds for them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from fuzztargets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
KEPT = sorted(path.relative_to(CORPUS).as_posix() for path in CORPUS.glob("*/*"))


@pytest.mark.parametrize("name", KEPT)
def test_what_was_found_once(name):
    check = TARGETS[name.partition("/")[0]]
    check((CORPUS / name).read_bytes())


@pytest.mark.parametrize("name", KEPT)
def test_what_is_near_it(name):
    check, data, chance = TARGETS[name.partition("/")[0]], (CORPUS / name).read_bytes(), random.Random(name)
    bits = (b"", b"(", b"|", b"<", b"\xff", b",-", b"9" * 20)
    for _ in range(30):
        spoiled = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(1, len(spoiled) + 1)
            spoiled[place : place + chance.randint(0, 3)] = chance.choice(bits)
        check(bytes(spoiled))
