"""The states as enumerations: words of the API with a sentence each, and no bare word beside them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from xcat_rhev.engine import states

KINDS = states.State.__subclasses__()
ROOT = Path(states.__file__).parents[1]
#: What an engine's document calls a state.
STATES = re.compile(r"\w*(status|phase)")
#: A group of states in bare words.
GROUP = re.compile(
    rf"""frozenset\(\{{["']({"|".join(sorted({state.value for kind in KINDS for state in kind}))})["']"""
)


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


def bare_words(node: ast.expr) -> list[str]:
    """The texts that stand there, alone or in a group; an empty one is no state."""
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return [word for each in node.elts for word in bare_words(each)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value else []


def compares_bare(node: ast.Compare) -> bool:
    """Is a state compared with a bare word? Nobody would notice a misspelt one."""
    sides = [node.left, *node.comparators]
    states_there = any(isinstance(side, ast.Attribute) and STATES.fullmatch(side.attr) for side in sides)
    return states_there and any(bare_words(side) for side in sides)


@pytest.mark.parametrize("room", ["commands", "engine", "plan", "rows", "run"])
def test_nobody_compares_with_bare_words(room: str) -> None:
    bare: list[str] = []
    for path in (ROOT / room).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        where = path.relative_to(ROOT)
        comparisons = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Compare)]
        bare += [f"{where}:{node.lineno}" for node in comparisons if compares_bare(node)]
        bare += [f"{where}: {found[0]}" for found in GROUP.finditer(text)]
    assert bare == []
