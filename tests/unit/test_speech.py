"""How the product speaks: rules for messages that a machine can check. People read them in a second language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from xcat_rhev.cli.main import PARTS
from xcat_rhev.run.registry import COMMANDS
from xcat_rhev.xcat.commandnames import EMBEDDED, PERL

TOP = Path(__file__).parents[2] / "xcat_rhev"
#: What makes a line for a person, and which of its arguments are texts.
SPOKEN = {
    **dict.fromkeys(
        "Usage NotFound Ambiguous Conflict Locked Denied Unreachable BadAnswer FailedState TimedOut".split(), (0, 1)
    ),
    **dict.fromkeys("Error Warn Info Note Data Finding".split(), (0,)),
}
#: Programs of others that a hint may name.
OTHERS = frozenset(
    """
    apt-get cat cd chmod chown chronyc copycds dnf echo engine-setup ip journalctl less loginctl mkdir openssl pip rsync
    qemu-img systemctl a2enmod sh updatenode rcons umount
    """.split()
)
#: Turns of English that stumble who learnt it late -> what to write.
HARD = {
    r"\b(is|are|was) no (size|port|time|release|certificate|name|number|manager|home|user|device)\b": "is not a ...",
    r"\bcalled so\b": "has this name",
    r"\b(is|are) left (so|alone)\b": "is not changed",
    r", for (its?|the|no|they|it is|vm|who)\b.* (is|are|does|has)\b": "because",
    r"\b(machines|root|system|others|one|TLS|start|networks) alone\b": "only",
    r"\bshall\b": "should, must or will",
    r"\bvouche[sd]\b": "signed",
    r"\bsake\b": "accepted as in xCAT, without effect",
    r"\bnobody knows\b": "is not known",
    r"\b(broke|breaks) off\b": "closed the connection",
    r"\bDrop\b": "Leave ... out",
    r"^Type: |\. Type: ": "Run:",
    r"\bthe shim\b": "the xCAT plugin",
    r"\bfor good\b": "for all starts",
    r"\{type\(": "no names of classes",
    r"[Tt]raceback|\b[A-Z]\w+Exception\b|\bNone\b": "no words of Python",
}


def text_of(node: ast.expr) -> str | None:
    """The text of a string, its slots shown as `{...}`; None if it is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = (
            str(part.value) if isinstance(part, ast.Constant) else f"{{{ast.unparse(getattr(part, 'value', part))}}}"
            for part in node.values
        )
        return "".join(parts)
    return None


@cache
def spoken() -> tuple[tuple[str, str, str], ...]:
    """Every text that is said: where, by what, the text; the simulator speaks as engines do."""
    return tuple(_spoken())


def _spoken() -> Iterator[tuple[str, str, str]]:
    for path in sorted(TOP.rglob("*.py")):
        if (TOP / "sim") in path.parents:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, (ast.Name, ast.Attribute)):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            for place in SPOKEN.get(name, ()):
                text = text_of(node.args[place]) if place < len(node.args) else None
                if text:
                    yield f"{path.relative_to(TOP)}:{node.lineno}", name, text


def errors() -> list[tuple[str, str]]:
    """Where an error is said, and its text."""
    return [(where, text) for where, name, text in spoken() if name in SPOKEN and SPOKEN[name] == (0, 1)]


def test_there_is_much_to_read() -> None:
    assert len(spoken()) > 500


@pytest.mark.parametrize("pattern", HARD)
def test_plain_english(pattern: str) -> None:
    wrong = [f"{where}: {text}" for where, _, text in spoken() if re.search(pattern, text)]
    assert wrong == [], f"write: {HARD[pattern]}"


def test_errors_end_without_a_full_stop_and_are_one_line() -> None:
    """An error and its hint are joined by a full stop and a blank."""
    ours = [
        (where, text) for where, text in errors() if not where.startswith("daemon/")
    ]  # there xCAT's own words stand
    ends = [f"{where}: {text}" for where, text in ours if text.removesuffix("...").endswith((".", " ")) or "\n" in text]
    assert ends == []


def test_what_a_hint_says_to_run_can_be_typed() -> None:
    """The first word behind `Run:` is a command of ours, of xCAT, or of the system."""
    parts = {name for name, _, _ in PARTS}
    known = {*COMMANDS, *EMBEDDED, *PERL, *OTHERS, "xcat-rhev"}
    hints = [
        (where, words)
        for where, _, text in spoken()
        for words in re.findall(r"[Rr]un: ((?:[^\s{]|\{[^}]*\})+(?: [^\s]+)?)", text)
    ]
    assert len(hints) > 80
    wrong = []
    for where, words in hints:
        first, _, second = words.partition(" ")
        first = first.rstrip(",.;")
        fine = "{" in first or first in known
        if first == "xcat-rhev":
            fine = second.rstrip(",.;") in {*parts, "help"} or "{" in second
        if not fine:
            wrong.append(f"{where}: {words}")
    assert wrong == []


def test_options_that_hints_name_exist() -> None:
    """`chvm {node} -p` in a hint is an option that chvm has."""
    wrong = []
    for where, _, text in spoken():
        for command, rest in re.findall(r"[Rr]un: (\w+)((?: (?:\{[^}]*\}|[^\s,;.]+))*)", text):
            if command not in COMMANDS:
                continue
            flags = {flag for option in COMMANDS[command].all_options() for flag in option.flags}
            for word in rest.split():
                if re.fullmatch(r"--?[a-z][a-z-]*", word) and word not in flags:
                    wrong.append(f"{where}: {command} has no {word}")
    assert wrong == []
