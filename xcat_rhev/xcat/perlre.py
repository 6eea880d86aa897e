"""Perl's regular expressions, as people write them into tables, noderanges and policy rows, on Python's engine.

Both engines try alternatives one after another, so that a pattern can be made to take for ever. Here the work is
estimated first: patterns that can go wrong on an ordinary name are refused, and so are texts too long for a pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache, reduce
from math import comb
from typing import Any, NamedTuple

from ..errors import Usage

try:
    from re import _parser as _sre  # type: ignore[attr-defined]
except ImportError:  # before Python 3.11
    import sre_parse as _sre

#: Longer patterns are refused.
LONGEST = 1000
#: Steps that one search may take at worst, about half a second.
MOST_STEPS = 50_000_000
#: A pattern has to cope with names of this length.
NAME = 64

#: One bit for each ASCII character, and one for all others.
_ALL = (1 << 129) - 1
_UNBOUNDED = int(_sre.MAXREPEAT)
_TOKENS = re.compile(r"\\x\{([0-9a-fA-F]{1,6})\}|\\.|\[:(\^?)(\w+):\]|\[\^?\]?|\]|\(\?<(?=[A-Za-z_])|[&~|-]", re.DOTALL)
_ESCAPES = {r"\z": r"\Z", r"\Z": r"(?=\n?\Z)", r"\h": r"[ \t]", r"\e": r"\x1b"}
_CLASSES = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": r"\s",
    "word": r"\w", "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9a-fA-F",
}


class Pattern:
    """A pattern that ends in time.

    Args:
        compiled: What does the work.
        work: What it costs at worst.
        where: What it is part of, for errors.
    """

    __slots__ = ("_compiled", "_longest", "_where", "_work")

    def __init__(self, compiled: re.Pattern[str], work: _Work, where: str) -> None:
        self._compiled, self._work, self._where = compiled, work, where
        self._longest = _longest(work)

    @property
    def copes(self) -> bool:
        """Whether it is let loose on ordinary names."""
        return self._longest >= NAME

    def steps(self, length: int) -> int:
        """How many steps a search in a text of some length takes at worst; a million takes about a hundredth second."""
        return self._work.steps(length)

    def search(self, text: str) -> re.Match[str] | None:
        """Find the pattern somewhere in a text.

        Raises:
            Usage: The text is too long for it.
        """
        return self._compiled.search(self._checked(text))

    def _checked(self, text: str) -> str:
        if len(text) > self._longest:
            raise Usage(f"{self._where} has a pattern that would take too long on a text of {len(text)} characters")
        return text


@lru_cache(maxsize=1024)
def compile(pattern: str, where: str) -> Pattern:
    """Prepare a pattern.

    Args:
        pattern: In Perl's syntax.
        where: What it is part of, for errors.

    Raises:
        Usage: Malformed, or of a kind that can take for ever.
    """
    shown = pattern if len(pattern) <= NAME else f"{pattern[:NAME]}..."
    if len(pattern) > LONGEST:
        raise Usage(f"{where} has a pattern of more than {LONGEST} characters")
    try:
        translated = _translated(pattern)
        compiled = re.compile(translated, re.ASCII)
        work = _Work.worst(_sequence(_sre.parse(translated, re.ASCII)).work)
    except (re.error, RecursionError, OverflowError, ValueError) as problem:
        raise Usage(f"{where} has an impossible pattern '{shown}': {problem}") from None
    prepared = Pattern(compiled, work, where)
    if not prepared.copes:
        raise Usage(f"{where} has the pattern '{shown}', which could take for ever", "Repeat less inside repetitions")
    return prepared


def _translated(pattern: str) -> str:
    """Spell a pattern as Python does."""
    inside = False

    def one(found: re.Match[str]) -> str:
        nonlocal inside
        sign = found[0]
        if found[1]:
            return re.escape(chr(int(found[1], 16)))
        if sign[0] == "\\":
            return sign if inside else _ESCAPES.get(sign, sign)
        if sign.startswith("(?"):
            return sign if inside else "(?P<"
        if inside:
            inside = sign != "]"
            return _in_class(sign, found)
        if sign[0] == "[":
            inside = not found[3]
            return sign if inside else re.escape(sign)
        return sign

    return _TOKENS.sub(one, pattern)


def _in_class(sign: str, found: re.Match[str]) -> str:
    """Inside brackets Python reserves signs that are ordinary in Perl."""
    if found[3]:
        if found[2] or found[3] not in _CLASSES:
            raise ValueError(f"{sign} is not known")
        return _CLASSES[found[3]]
    return sign if sign in ("]", "-") else "".join("\\" + one if one in "[&~|" else one for one in sign)


class _Work(NamedTuple):
    """What a run of one character can cost: `times * comb(length + degree, degree)` steps."""

    times: int = 1
    degree: int = 0

    def and_then(self, other: _Work) -> _Work:
        return _Work(min(self.times * other.times, MOST_STEPS + 1), self.degree + other.degree)

    def steps(self, length: int) -> int:
        """What a search costs, which begins at every place of a text."""
        return self.times * comb(length + self.degree + 1, self.degree + 1)

    @classmethod
    def worst(cls, work: Iterable[_Work]) -> _Work:
        """A bound for a text of any characters."""
        times, degrees = zip(*work)
        return cls(max(times), max(degrees))


class _Cost(NamedTuple):
    """What a part of a pattern can match, and what that costs for each character.

    Attributes:
        chars: All characters that occur in it.
        first: Those that it can begin with; all, if it can be empty.
        work: One item for each bit of `chars`.
        fixed: It has one length.
    """

    chars: int
    first: int
    work: tuple[_Work, ...] = (_Work(),) * 129
    fixed: bool = True


_NOTHING = _Cost(0, _ALL)


def _longest(work: _Work) -> int:
    """The longest text for which a search stays within the limit."""
    low, high = 0, MOST_STEPS
    while low < high:
        middle = (low + high + 1) // 2
        fits = work.degree < 8 and work.steps(middle) <= MOST_STEPS
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def _sequence(items: Iterable[tuple[Any, Any]]) -> _Cost:
    costs = [_item(operation.name, value) for operation, value in items]
    begins = next((cost for cost in costs if cost.chars), _NOTHING)
    return _Cost(
        reduce(lambda chars, cost: chars | cost.chars, costs, 0), begins.first if begins.chars else _ALL,
        _product(cost.work for cost in costs), all(cost.fixed for cost in costs),
    )


def _product(works: Iterable[Sequence[_Work]]) -> tuple[_Work, ...]:
    return tuple(reduce(_Work.and_then, column, _Work()) for column in zip(_NOTHING.work, *works))


def _item(name: str, value: Any) -> _Cost:
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return _repeat(*value)
    if name == "SUBPATTERN":
        return _sequence(value[-1])
    if name == "BRANCH":
        return _branch([_sequence(branch) for branch in value[1]])
    if name in ("ASSERT", "ASSERT_NOT"):
        return _Cost(0, _ALL, _sequence(value[1]).work)
    if name == "ATOMIC_GROUP":
        return _sequence(value)
    if name == "GROUPREF_EXISTS":
        return _branch([_sequence(branch) for branch in value[1:] if branch is not None])
    if name == "AT":
        return _NOTHING
    chars = _ALL if name == "GROUPREF" else _chars(name, value)
    return _Cost(chars, chars)


def _branch(branches: Sequence[_Cost]) -> _Cost:
    """Alternatives that begin differently exclude each other; the others are all tried."""
    first = reduce(lambda chars, cost: chars | cost.first, branches, 0)
    tried = max(sum(1 for cost in branches if cost.first >> bit & 1) for bit in range(129))
    work = tuple(
        _Work(tried * max(one.times for one in column), max(one.degree for one in column))
        for column in zip(*(cost.work for cost in branches))
    )
    return _Cost(reduce(lambda chars, cost: chars | cost.chars, branches, 0), first, work, False)


def _repeat(least: int, most: int, body: Iterable[tuple[Any, Any]]) -> _Cost:
    items = list(body)
    inner = _sequence(items)
    simple = all(one == _Work() for one in inner.work) or most == 1
    if not simple and not _separated(items):
        often = min(most, NAME)
        inner = inner._replace(work=tuple(
            _Work(min(one.times ** often, MOST_STEPS + 1), one.degree * often) for one in inner.work
        ))
    choices = _Work(1, 1) if most == _UNBOUNDED else _Work(most - least + 1)
    touched = inner.chars or _ALL  # what is empty can be repeated or not anywhere
    work = tuple(one.and_then(choices) if touched >> bit & 1 else one for bit, one in enumerate(inner.work))
    return _Cost(inner.chars, inner.first if least else _ALL, work, inner.fixed and least == most)


def _separated(items: Sequence[tuple[Any, Any]]) -> bool:
    """Whether each repetition begins with a character that does not occur in it again, which leaves one way to cut."""
    if len(items) == 1 and items[0][0].name == "SUBPATTERN":
        return _separated(list(items[0][1][-1]))
    first, rest = _sequence(items[:1]), _sequence(items[1:])
    single = all(one.times == 1 and one.degree <= 1 for one in rest.work)
    return single and first.fixed and bool(first.chars) and not first.chars & rest.chars


def _chars(name: str, value: Any) -> int:
    """The characters that one place of a text may have."""
    if name == "IN":
        parts = [(kind.name, part) for kind, part in value]
        chars = reduce(lambda chars, part: chars | _chars(*part), [part for part in parts if part[0] != "NEGATE"], 0)
        return _ALL & ~chars | 1 << 128 if parts[0][0] == "NEGATE" else chars
    if name == "LITERAL":
        return _bits(chr(value))
    if name == "RANGE":
        return _bits(map(chr, range(value[0], min(value[1], 128) + 1))) | (1 << 128 if value[1] > 127 else 0)
    if name == "CATEGORY":
        return _category(value.name)
    return _ALL  # ANY, NOT_LITERAL


@lru_cache(maxsize=16)
def _category(name: str) -> int:
    kind = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[name.split("_")[-1]]
    chars = _bits(character for character in map(chr, range(128)) if re.match(kind, character))
    return _ALL & ~chars if "_NOT_" in name else chars


def _bits(characters: Iterable[str]) -> int:
    """Upper and lower case count as one, for the sake of `(?i)`."""
    either = (one for character in characters for one in (character.lower(), character.upper()))
    return reduce(lambda chars, one: chars | 1 << min(ord(one[0]), 128), either, 0)
