"""Functions are named by verbs and nouns. A participle alone may only name what is true or false."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2] / "xcat_rhev"
#: Participles that do not end in -ed.
IRREGULAR = frozenset(
    """
    asked begun bound broken brought built caught chosen done drawn felt found given gone heard held kept known left
    lost made meant met paid said seen sent shown sold spelt spoken stood taken thrown told worn written
    """.split()
)
#: Nouns that look like participles; and `facing`, xCAT's own word for an address in a node's network.
NOUNS = frozenset(
    "anything building everything facing heading meaning nothing setting something spelling warning wording".split()
)
#: `mediated` devices are the kernel's word; what is `unnamed` was never named.
MODULES = frozenset({"mediated", "unnamed"})


def is_participle(name: str) -> bool:
    """Whether a name is one word, and that a participle."""
    word = name.strip("_")
    if word in NOUNS or not re.fullmatch("[a-z]+", word):
        return False
    return word in IRREGULAR or bool(re.fullmatch(r"[a-z]{3,}ed|[a-z]{3,}ing", word))


def participles(source: str) -> Iterator[tuple[int, str]]:
    """The functions of a module that a bare participle names, but for those that say yes or no."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and is_participle(node.name):
            if node.returns is None or ast.unparse(node.returns) != "bool":
                yield node.lineno, node.name


def test_functions_are_not_named_by_bare_participles() -> None:
    wrong = [
        f"{path.relative_to(TOP)}:{line} {name}"
        for path in sorted(TOP.rglob("*.py"))
        for line, name in participles(path.read_text(encoding="utf-8"))
    ]
    assert not wrong, f"name them by what they do or give: told -> message, removed -> remove: {wrong}"


def test_modules_are_not_named_by_bare_participles() -> None:
    wrong = [
        str(path.relative_to(TOP)) for path in TOP.rglob("*.py") if is_past(path.stem) and path.stem not in MODULES
    ]
    assert not wrong, f"name it by what is in it: {wrong}"


def is_past(name: str) -> bool:
    """Whether a name is one word, and that a past participle; a room may have the name of what is done in it."""
    return is_participle(name) and not name.endswith("ing")


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def told(): ...", ["told"]),
        ("class A:\n    def _removed(self) -> str: ...", ["_removed"]),
        ("def waiting() -> None: ...", ["waiting"]),
        ("def locked() -> bool: ...", []),
        ("def tell(): ...\ndef facing() -> str: ...\ndef read(): ...\ndef disk_size(): ...\ndef heading(): ...", []),
    ],
)
def test_participles_are_seen(source: str, names: list[str]) -> None:
    assert [name for _, name in participles(source)] == names
