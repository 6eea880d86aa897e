"""Perl's regular expressions, as people write them into tables, noderanges and policy rows.

The package `regex` does the work: it knows Perl's classes, groups and assertions, ends a search that takes too long,
and lets other threads run meanwhile. What Perl spells otherwise is translated here, and nothing else.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import regex

from ..errors import Usage

#: Longer patterns are refused.
LONGEST = 1000
#: Seconds of processor time after which a search is given up; on a node's name it takes microseconds.
PATIENCE = 0.25
#: A pattern that does not cope with a text of this length, an ordinary name's, is not tried again.
NAME = 64

#: What is looked at: \Q...\E, an escape with braces, any escape, the begin and end of a class, a repetition, a brace.
_TOKENS = re.compile(
    r"\\Q(?P<quoted>.*?)(?:\\E|\Z)|\\(?P<letter>[xop])\{(?P<inner>[^}]*)\}|\\k(?:\{|<)(?P<name>\w+)[}>]|\\(?P<control>c.)"
    r"|\\.|\[:\^?\w+:\]|\[\^?\]?|\]|\{(?:\d+(?:,\d*)?|,\d+)\}|[{&~|-]",
    re.DOTALL,
)
_ESCAPES = {r"\Z": r"(?=\n?\z)", r"\e": r"\x1b", r"\E": ""}


class Pattern:
    """A pattern whose searches end in time.

    Args:
        compiled: What does the work.
        where: What it is part of, for errors.
    """

    __slots__ = ("_compiled", "_where", "_worn")

    def __init__(self, compiled: Any, where: str) -> None:
        self._compiled, self._where = compiled, where
        self._worn = False

    def search(self, text: str) -> re.Match[str] | None:
        """Find the pattern somewhere in a text.

        A pattern that took too long on a name is not tried again: a table of 10,000 nodes would try it 10,000 times.
        A long text wears no pattern out: whoever may type arguments could then break a policy row for all.

        Raises:
            Usage: It takes too long.
        """
        if not self._worn:
            try:
                found: re.Match[str] | None = self._compiled.search(text, timeout=PATIENCE, concurrent=True)
                return found
            except TimeoutError:
                self._worn = len(text) <= NAME
        raise Usage(
            f"{self._where} has a pattern that takes too long: {_short(self._compiled.pattern)}",
            "Repeat less inside repetitions",
        )


@lru_cache(maxsize=1024)
def prepare(pattern: str, where: str) -> Pattern:
    """Prepare a pattern.

    Args:
        pattern: In Perl's syntax.
        where: What it is part of, for errors.

    Raises:
        Usage: Malformed or too long.
    """
    if len(pattern) > LONGEST:
        raise Usage(f"{where} has a pattern of more than {LONGEST} characters")
    try:
        return Pattern(regex.compile(_translate(pattern), regex.ASCII | regex.VERSION0), where)
    except (regex.error, RecursionError, OverflowError, ValueError, KeyError) as problem:
        raise Usage(f"{where} has an impossible pattern '{_short(pattern)}': {problem}") from None


def _short(pattern: str) -> str:
    return pattern if len(pattern) <= NAME else f"{pattern[:NAME]}..."


def _translate(pattern: str) -> str:
    """Spell a pattern as `regex` does."""
    inside = False

    def one(found: re.Match[str]) -> str:
        nonlocal inside
        sign = found[0]
        if found["quoted"] is not None:
            return re.escape(found["quoted"])
        if sign[0] == "\\":
            return _escape(found, inside)
        if inside:
            inside = sign != "]"
            return sign if sign[0] in "]-" or sign.startswith("[:") else "".join(map(_plain_in_class, sign))
        if sign[0] == "[" and not sign.startswith("[:"):
            inside = True
            return sign
        # A lone brace is itself in Perl; `regex` would take it for the bounds of a search that forgives mistakes.
        return r"\{" if sign == "{" else sign

    return _TOKENS.sub(one, pattern)


def _escape(found: re.Match[str], inside: bool) -> str:
    if found["letter"] in ("x", "o"):
        return re.escape(chr(int(found["inner"], 16 if found["letter"] == "x" else 8)))
    if found["name"]:
        return f"(?P={found['name']})"
    if found["control"]:
        return re.escape(chr(ord(found["control"][1].upper()) ^ 64))
    return found[0] if inside else _ESCAPES.get(found[0], found[0])


def _plain_in_class(sign: str) -> str:
    """A sign that is ordinary inside Perl's brackets."""
    return f"\\{sign}" if sign in "[&~|" else sign
