"""What a noderange means: names, ranges, brackets, groups, patterns and attributes, joined by `,` `@` and `-`.

The grammar and its odd corners are xCAT's. Where Perl's expansion goes wrong by accident (a comma inside nested
parentheses, `-^file`, a padded range that runs backwards) the evident meaning is taken.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import chain
from time import thread_time
from typing import NamedTuple, Protocol

from ..abort import check
from ..errors import Usage
from ..ordering import natural
from . import perlre

#: Parentheses and brackets may nest or follow each other so often.
DEEPEST = 32
#: Characters of a noderange: the names of a hundred thousand nodes.
LONGEST = 1 << 20
#: Names that one noderange may make, and looks at a node's name or attribute that it may take, beyond 20 per node.
MOST_NAMES, MOST_LOOKS = 500_000, 2_000_000
#: What takes longer than a look at a node.
LOOKS_FOR_A_SEARCH, LOOKS_FOR_A_FILE = 5, 500
#: Seconds of processor time that all searches of one noderange may take together.
PATIENCE = 2.0
#: Attributes that may be without their table.
SHORT_NAMES = {"groups": "nodelist.groups", "tags": "nodelist.groups", "mgt": "nodehm.mgt"}

_CRITERION = re.compile(r"([^=]*?)(!=)(.*)|([^=]*)(=~)(.*)|(.*?)(==|=|!~)(.*)", re.DOTALL)
_LAST_NUMBER = re.compile(r"(?<!\d)(\d+)(\..+)?\Z", re.DOTALL | re.ASCII)
_FILE_NAME = re.compile(r"[^: \t\n]*")
_DIGITS = re.compile(r"(\d+)", re.ASCII)


class NodeWorld(Protocol):
    """What a noderange can refer to."""

    def nodes(self) -> AbstractSet[str]:
        """The names of all nodes."""

    def groups(self) -> Mapping[str, Collection[str]]:
        """The members of each group, from `nodelist.groups`."""

    def empty_group(self, name: str) -> bool:
        """Whether the nodegroup table has this name."""

    def dynamic_group(self, name: str) -> Collection[str] | None:
        """The members of a dynamic group of the nodegroup table; None if it is none."""

    def attribute(self, table: str, column: str) -> Mapping[str, str] | None:
        """The effective values of a column, by node; None if there is no such table or column."""

    def read_file(self, path: str) -> str | None:
        """A file of nodes; None if it cannot be read."""

    def exclusion(self) -> str:
        """The noderange in `site.excludenodes`."""


class Expanded(NamedTuple):
    """What a noderange stands for.

    Attributes:
        nodes: As people count: `vm1`, `vm2`, `vm10`.
        missing: What is not a node, group or range of those, as it was looked for.
    """

    nodes: tuple[str, ...]
    missing: tuple[str, ...] = ()


def expand(text: str, world: NodeWorld, verify: bool = True, aborted: threading.Event | None = None) -> Expanded:
    """Work out a noderange.

    Args:
        text: As typed.
        world: Nodes, groups and attributes.
        verify: Whether names must be those of nodes; otherwise every name is taken.
        aborted: Set when the answer is no longer wanted.

    Raises:
        Aborted: Nobody does.
        Usage: Unbalanced parentheses, an impossible pattern, or more than can be worked out in a reasonable time.
    """
    if len(text) > LONGEST:
        raise Usage(f"the noderange has more than {LONGEST} characters")
    expander = _Expander(world, aborted)
    nodes = expander.range(_without_quotes(text), _Mode(verify))
    excluded = _without_quotes(world.exclusion())
    if excluded and nodes:
        nodes -= _Expander(world, aborted).range(excluded, _Mode())
    return Expanded(tuple(sorted(nodes, key=natural)), tuple(expander.missing))


class _Mode(NamedTuple):
    """How an atom is read.

    Attributes:
        verify: Names must exist; else what is not understood is taken for a name.
        generic: Only syntax counts; names of nodes and groups mean nothing.
        depth: How deep inside parentheses and brackets.
    """

    verify: bool = True
    generic: bool = False
    depth: int = 0

    def deeper(self) -> _Mode:
        if self.depth >= DEEPEST:
            raise Usage(f"the noderange has more than {DEEPEST} parentheses, brackets or files inside each other")
        return self._replace(depth=self.depth + 1)


class _Expander:
    """One noderange under way; counts what it costs."""

    def __init__(self, world: NodeWorld, aborted: threading.Event | None = None) -> None:
        self.missing: list[str] = []
        self._aborted = aborted or threading.Event()
        self._world = world
        self._all = world.nodes()
        self._names_left = MOST_NAMES
        self._looks_left = MOST_LOOKS + 20 * len(self._all)
        self._seconds_left = PATIENCE

    def range(self, text: str, mode: _Mode) -> set[str]:
        """The nodes of a whole noderange, or of what was in parentheses."""
        nodes: set[str] = set()
        opened = text.find("(")
        if opened >= 0:
            closed = _find_close(text, opened)
            nodes = self._with_parentheses(text[:opened], text[opened + 1 : closed], mode.deeper())
            text = text[closed + 1 :]
        return self._elements(text, nodes, mode)

    def _with_parentheses(self, before: str, inside: str, mode: _Mode) -> set[str]:
        """The first pair of parentheses acts on all that is before it."""
        removes, meets = before.endswith("-"), before.endswith("@")
        nodes = self.range(before.removesuffix(",-") if removes else before.rstrip(",@"), mode)
        inner = self.range(inside, mode)
        if removes:
            return nodes - inner
        return nodes & inner if meets else nodes | inner

    def _elements(self, text: str, nodes: set[str], mode: _Mode) -> set[str]:
        """Elements from left to right; what is excluded goes at the end, wherever it stood."""
        excluded: set[str] = set()
        for join, element in _split(text):
            found = self._element(element, mode)
            self._look(1 + len(found))
            if join == "@":
                nodes &= found
            elif join == "-":
                excluded |= found
            else:
                nodes |= found
        return nodes - excluded

    def _element(self, element: str, mode: _Mode) -> set[str]:
        if element.startswith("^"):
            return self._file(element[1:], mode.deeper())
        return set(self._atom(element, mode))

    def _file(self, path: str, mode: _Mode) -> set[str]:
        """A noderange a line, up to the first colon or blank."""
        nodes: set[str] = set()
        text = self._world.read_file(path) or ""
        self._look(LOOKS_FOR_A_FILE + len(text))  # files may name each other
        for line in text.splitlines():
            if line[:1] not in ("#", "^"):
                start = _FILE_NAME.match(line)
                nodes |= self.range(_without_quotes(start[0] if start else ""), mode)
        return nodes

    def _atom(self, atom: str, mode: _Mode) -> Iterable[str]:
        """One element without exclusion; the order of the questions is xCAT's."""
        check(self._aborted)
        if not mode.generic and atom in self._all:
            return (atom,)
        if atom.startswith("(") and _find_close(atom, 0) == len(atom) - 1:
            return self.range(atom[1:-1], mode.deeper())
        if "@" in atom:
            return self.range(atom, mode.deeper())
        members = None if mode.generic else self._group(atom)
        if members is not None:
            return members
        for sign, meaning in _MEANINGS:
            if sign(atom):
                return meaning(self, atom, mode)
        return self._unknown(atom, mode)

    def _group(self, name: str) -> Collection[str] | None:
        dynamic = self._world.dynamic_group(name)
        if dynamic is not None:
            return dynamic
        members = self._world.groups().get(name)
        if members:
            return members
        return () if self._world.empty_group(name) else None

    def _unknown(self, atom: str, mode: _Mode) -> Iterable[str]:
        if not mode.verify:
            return (atom,)
        self.missing.append(atom)
        return ()

    def _select(self, atom: str, _mode: _Mode) -> Iterable[str]:
        """`table.column==value`, `!=`, `=~/pattern/`, `!~/pattern/`; a node without a value has an empty one."""
        found = _CRITERION.fullmatch(atom)
        if not found:
            return ()
        name, sign, wanted = (part for part in found.groups() if part is not None)
        table, _, column = SHORT_NAMES.get(name, name).partition(".")
        values = self._world.attribute(table, column)
        if values is None:
            return ()
        fits = self._comparison(sign, wanted, values.values())
        return [node for node in self._all if fits(values.get(node, ""))]

    def _by_number(self, atom: str, mode: _Mode) -> Iterable[str]:
        return self._atom(f"node{atom}", mode)

    def _pattern(self, atom: str, mode: _Mode) -> Iterable[str]:
        """`/pattern`, put between `^` and `$` as xCAT does: `/a|b` is what begins with a, and what ends with b."""
        if not mode.verify or mode.generic:
            return (atom,)
        fits = self._search(f"^{atom[1:]}$")
        return [node for node in self._all if fits(node)]

    def _expand_brackets(self, atom: str, mode: _Mode) -> Iterable[str]:
        """`a[1-3,5]b[1-2]`: the first pair becomes ranges, and each of their names goes on with the rest."""
        found = _bracket(atom)
        assert found, "the sign of this meaning is a pair of brackets"
        start, inside, rest = found
        if _bracket(f"x{rest}"):
            plain = mode.deeper()._replace(verify=False, generic=True)
            names = chain.from_iterable(self._atom(part, plain) for part in self._spread(start, inside, ""))
            return chain.from_iterable([self._atom(name + rest, mode.deeper()) for name in names])
        deeper = mode.deeper()
        return chain.from_iterable([self._atom(part, deeper) for part in self._spread(start, inside, rest)])

    def _spread(self, start: str, inside: str, rest: str) -> list[str]:
        """`1-3,5` inside brackets becomes `a1b-a3b` and `a5b`; two ends together may make another pair of brackets."""
        parts = [
            "".join(part if part in ("-", ":") else start + part + rest for part in _ends_and_sign(piece))
            for piece in inside.rstrip(",").split(",")
        ]
        self._look(sum(map(len, parts)))
        return parts

    def _plus(self, atom: str, mode: _Mode) -> Iterable[str]:
        """`vm1+3` is vm1 to vm4."""
        front, _, more = atom.partition("+")
        found = _LAST_NUMBER.search(front)
        if not found or not _is_number(more):
            return self._unknown(atom, mode)
        first, domain = found.groups("")
        before = front[: found.start()] or ("" if domain else "node")
        return self._count(before, first, _bounded_number(first) + _bounded_number(more), domain, mode)

    def _through(self, atom: str, mode: _Mode) -> Iterable[str]:
        """`vm1-vm9`, `vm1:vm9`: one number moves."""
        left, right = _ends(atom)
        if left == right and left:
            return self._atom(left, mode)
        moving = _moving_number(left, right)
        if not moving:
            return self._unknown(atom, mode)
        before, first, last, after = moving
        return self._count(before, first, _bounded_number(last), after, mode) if len(first) <= len(last) else ()

    def _count(self, before: str, first: str, last: int, after: str, mode: _Mode) -> list[str]:
        """Names with a number from first, as wide as it is written, to last."""
        start, width = _bounded_number(first), len(first) if first.startswith("0") else 1
        self._names_left -= max(0, last - start + 1)
        if self._names_left < 0:
            raise Usage(f"the noderange makes more than {MOST_NAMES} names")
        names = [f"{before}{number:0{width}d}{after}" for number in range(start, last + 1)]
        if not mode.generic and self._all >= set(names):
            return names
        return list(chain.from_iterable([self._atom(name, mode) for name in names]))

    def _comparison(self, sign: str, wanted: str, values: Iterable[str]) -> Callable[[str], object]:
        if sign in ("=~", "!~"):
            search = self._search(wanted.removeprefix("/").removesuffix("/"))
            return search if sign == "=~" else lambda value: not search(value)
        self._look(len(self._all))
        return (lambda value: value != wanted) if sign == "!=" else lambda value: value == wanted

    def _search(self, pattern: str) -> Callable[[str], object]:
        """Prepare a pattern that looks at a text of every node."""
        pattern_search = perlre.prepare(pattern, "the noderange").search
        self._look(LOOKS_FOR_A_SEARCH * len(self._all))

        def search(text: str) -> object:
            began = thread_time()
            found = pattern_search(text)
            self._seconds_left -= thread_time() - began
            if self._seconds_left < 0:
                raise _too_much()
            return found

        return search

    def _look(self, looks: int) -> None:
        check(self._aborted)
        self._looks_left -= looks
        if self._looks_left < 0:
            raise _too_much()


def _too_much() -> Usage:
    """Which limit is reached first depends on the machine, so both say the same."""
    return Usage("the noderange has too many groups, patterns or attributes to work out", "Use fewer or simpler ones")


#: What tells how an atom is meant, in the order in which it is asked, when it is neither a node nor a group.
_MEANINGS: tuple[tuple[Callable[[str], object], Callable[[_Expander, str, _Mode], Iterable[str]]], ...] = (
    (lambda atom: "=" in atom or "~" in atom, _Expander._select),
    (lambda atom: _is_number(atom), _Expander._by_number),
    (lambda atom: atom.startswith("/"), _Expander._pattern),
    (lambda atom: _bracket(atom), _Expander._expand_brackets),
    (lambda atom: "+" in atom, _Expander._plus),
    (lambda atom: "-" in atom or ":" in atom, _Expander._through),
)


def _without_quotes(text: str) -> str:
    return text.replace("'", "").replace('"', "")


def _find_close(text: str, opened: int) -> int:
    """Where the parenthesis at `opened` is closed."""
    depth = 0
    for found in re.finditer(r"[()]", text[opened:]):
        depth += 1 if found[0] == "(" else -1
        if not depth:
            return opened + found.start()
    raise Usage("Unbalanced parentheses in noderange")


def _split(text: str) -> Iterator[tuple[str, str]]:
    """Split at commas, or at `@` if there is no comma; give how each element is joined: `,` `@` or `-`."""
    parts = _cut(text, ",")
    if len(parts) == 1:
        for number, part in enumerate(_cut(text, "@")):
            yield from _split_sign(part, "@" if number else ",")
        return
    for part in parts:
        yield from _split_sign(part, ",")


def _split_sign(element: str, join: str) -> Iterator[tuple[str, str]]:
    if element.startswith("-"):
        element, join = element[1:], "@" if join == "@" else "-"
    elif element.startswith("@"):
        element, join = element[1:], "@"
    if element:
        yield join, element


def _cut(text: str, at: str) -> list[str]:
    """Split at a character outside of parentheses, and a comma also outside of brackets."""
    parts, begin, round_depth = [], 0, 0
    inside = _in_brackets(text) if at == "," else frozenset()
    for found in re.finditer(r"[(),@]", text):
        sign = found[0]
        if sign in "()":
            round_depth += 1 if sign == "(" else -1
        elif sign == at and round_depth <= 0 and found.start() not in inside:
            parts.append(text[begin : found.start()])
            begin = found.end()
    return [*parts, text[begin:]]


def _in_brackets(text: str) -> frozenset[int]:
    """Where commas are that a bracket before and one behind enclose."""
    pairs = re.finditer(r"\[[^\[\]]*\]", text)
    return frozenset(pair.start() + at for pair in pairs for at, sign in enumerate(pair[0]) if sign == ",")


def _bracket(atom: str) -> tuple[str, str, str] | None:
    """The first pair of brackets that has something before and inside it: before, inside, after."""
    opened = atom.find("[", 1)
    closed = atom.find("]", opened + 2) if opened > 0 else -1
    return (atom[:opened], atom[opened + 1 : closed], atom[closed + 1 :]) if closed > 0 else None


def _ends_and_sign(piece: str) -> list[str]:
    parts = re.split(r"([-:])", piece)
    return parts if parts[-1] or len(parts) == 1 else parts[:-1]


def _ends(atom: str) -> tuple[str, str]:
    """The two ends of a range. Of several hyphens the middle one counts; there has to be a middle."""
    if ":" in atom:
        left, right = atom.split(":")[:2]
        return left, right
    parts = atom.split("-")
    if len(parts) % 2:
        return "", ""
    return "-".join(parts[: len(parts) // 2]), "-".join(parts[len(parts) // 2 :])


def _moving_number(left: str, right: str) -> tuple[str, str, str, str] | None:
    """The only number in which two names differ: before, first, last, after; None if there is no such thing."""
    lefts, rights = _DIGITS.split(left), _DIGITS.split(right)
    if len(lefts) != len(rights):
        return None
    differ = [number for number, pair in enumerate(zip(lefts, rights)) if pair[0] != pair[1]]
    if len(differ) != 1 or differ[0] % 2 == 0:
        return None
    at = differ[0]
    return "".join(lefts[:at]), lefts[at], rights[at], "".join(lefts[at + 1 :])


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _bounded_number(digits: str) -> int:
    """A number; one too long to be meant counts as beyond every limit."""
    return int(digits) if len(digits) < 19 else 10**19
