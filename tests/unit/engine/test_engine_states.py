"""The states as enumerations: words of the API with a sentence each, and no bare word beside them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from xcat_rhev.engine import states

KINDS = states.State.__subclasses__()
ROOT = Path(states.__file__).parents[1]
WORDS = "|".join(sorted({state.value for kind in KINDS for state in kind}))
#: A state that is compared with a bare word: nobody would notice a misspelt one.
BARE = re.compile(rf"""status (?:==|!=|in|not in) [({{]?["'](?:{WORDS})["']|frozenset\(\{{["'](?:{WORDS})["']""")


def test_a_state_is_its_word() -> None:
    status = states.VmStatus.POWERING_UP
    assert status == "powering_up"
    assert f"{status}" == str(status) == "powering_up"
    assert "powering_up" in states.VM_ON
    assert states.VmStatus("down") is states.VmStatus.DOWN  # type: ignore[call-arg]  # enum: by its value


@pytest.mark.parametrize("kind", KINDS)
def test_every_state_has_a_sentence(kind: type[states.State]) -> None:
    for state in kind:
        assert state.name.lower() == state.value
        assert re.fullmatch(r"[A-Z].*\.", state.means)


def test_nobody_compares_with_bare_words() -> None:
    files = [*(ROOT / "commands").rglob("*.py"), *(ROOT / "engine").rglob("*.py")]
    bare = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if BARE.search(line)
    ]
    assert bare == []
