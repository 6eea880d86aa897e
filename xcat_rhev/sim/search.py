"""The engine's search language, its traps: `_` is any letter up to 4.0, `and` binds first, nonsense finds nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from .dialect import SimDialect, Thing
from .faults import BAD, Refused
from .searchfields import FIELDS, LATER, OBJECTS

_TOKEN = re.compile(r'"([^"]*)"|(!=|<=|>=|=|<|>)|([^\s=<>!"]+)')
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
#: An engine's parser stops at these, wherever they are (SyntaxChecker).
_FORBIDDEN = frozenset("';")
_TEXT_FIELDS = ("name", "description", "comment")
#: A search-backed list on an engine before 3.4 is cut here without a word.
OLD_LIMIT = 100


class Condition(NamedTuple):
    """FIELD OP VALUE; an empty field is free text."""

    field: str
    operator: str
    value: str


@dataclass(frozen=True)
class SearchQuery:
    """A search that was understood: any of the groups, all of a group's conditions, the order, the page."""

    groups: tuple[tuple[Condition, ...], ...]
    sort: str = ""
    down: bool = False
    page: int = 1
    page_after_field: bool = False


def parse(text: str) -> SearchQuery | None:
    """Understand a search.

    Returns:
        The query, or None if it is nonsense, which an engine answers with an empty list.
    """
    if set(text) & _FORBIDDEN:
        return None
    tokens = [_token(found) for found in _TOKEN.finditer(text)]
    if '"' in _TOKEN.sub("", text):
        return None
    before = len(tokens)
    tokens, page = _tail(tokens, "page")
    paged, length = len(tokens) < before, len(tokens)
    tokens, sort, down = _split_sort(tokens)
    if page is None or sort is None:
        return None
    groups = _groups(tokens)
    straight = paged and bool(sort) and length - len(tokens) == 2
    return None if groups is None else SearchQuery(groups, sort, down, int(page), straight)


def _token(found: re.Match[str]) -> tuple[str, str]:
    if found[1] is not None:
        return "quoted", found[1]
    return ("operator", found[2]) if found[2] else ("word", found[3])


def _tail(tokens: list[tuple[str, str]], word: str) -> tuple[list[tuple[str, str]], str | None]:
    """Take `page N` off the end."""
    if len(tokens) >= 2 and tokens[-2][1].lower() == word and tokens[-2][0] == "word":
        return tokens[:-2], tokens[-1][1] if tokens[-1][1].isdigit() else None
    return tokens, "1"


def _split_sort(tokens: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], str | None, bool]:
    """Take `sortby FIELD [asc|desc]` off the end."""
    words = [word.lower() if kind == "word" else "" for kind, word in tokens]
    if "sortby" not in words:
        return tokens, "", False
    at = words.index("sortby")
    rest = words[at + 1 :]
    if not rest or len(rest) > 2 or rest[1:] not in ([], ["asc"], ["desc"]):
        return tokens, None, False
    return tokens[:at], rest[0], rest[1:] == ["desc"]


def _groups(tokens: list[tuple[str, str]]) -> tuple[tuple[Condition, ...], ...] | None:
    groups: list[list[Condition]] = [[]]
    at = 0
    while at < len(tokens):
        kind, word = tokens[at]
        if kind == "word" and word.lower() in {"and", "or"}:
            if not groups[-1] or at + 1 == len(tokens):
                return None
            if word.lower() == "or":
                groups.append([])
            at += 1
            continue
        condition, at = _condition(tokens, at)
        if condition is None:
            return None
        groups[-1].append(condition)
    return tuple(tuple(group) for group in groups if group)


def _condition(tokens: list[tuple[str, str]], at: int) -> tuple[Condition | None, int]:
    kind, word = tokens[at]
    following = tokens[at + 1 : at + 3]
    if kind == "operator":
        return None, at
    if following and following[0][0] == "operator":
        if len(following) < 2 or following[1][0] == "operator":
            return None, at
        return Condition(word.lower(), following[0][1], following[1][1]), at + 3
    return Condition("", "=", word), at + 1


def like(value: str, case: bool = False, any_letter: str = "") -> Callable[[str], bool]:
    """Make the engine's comparison: `*` is any string.

    Args:
        value: What is searched for.
        case: Upper and lower case differ.
        any_letter: What fits any character: `_` where the engine does not escape it for SQL's LIKE, up to 4.0.
    """
    pattern = "".join(".*" if c == "*" else "." if c == any_letter else re.escape(c) for c in value)
    fits = re.compile(pattern, re.DOTALL | (0 if case else re.IGNORECASE)).fullmatch
    return lambda text: fits(text) is not None


class SearchFinder:
    """Find the things of one kind that fit a search.

    Args:
        world: Where they are.
        kind: The kind.
        case: Upper and lower case differ.
        dialect: Fields that came later than its version are not known.
    """

    def __init__(self, world: Any, kind: str, case: bool, dialect: SimDialect) -> None:
        version = dialect.version
        self._modern = dialect.modern
        gone = [later.get(kind, frozenset()) for since, later in LATER.items() if version < since]
        self._unknown = frozenset[str]().union(*gone)
        self._world = world
        self._kind = kind
        self._case = case
        self._any_letter = "_" if version < (4, 3) else ""
        self._finds_none = version >= (4, 3)

    def find(self, query: SearchQuery, things: list[Thing]) -> list[Thing]:
        """Filter and sort; an unknown field finds nothing."""
        if query.groups:
            wanted: dict[str, None] = {}
            for group in query.groups:
                wanted.update(dict.fromkeys(self._group(group, things)))
            things = [thing for thing in things if thing["id"] in wanted]
        if query.sort:
            walk = FIELDS[self._kind].get(query.sort, "name")
            things = sorted(
                things, key=lambda thing: [_sortable(v) for v in self.values(thing, walk)], reverse=query.down
            )
        return things

    def _group(self, group: Iterable[Condition], things: list[Thing]) -> list[str]:
        found = things
        for condition in group:
            found = self._narrow(condition, found)
        return [thing["id"] for thing in found]

    def _narrow(self, condition: Condition, things: list[Thing]) -> list[Thing]:
        """Keep what fits; a plain name is looked up, not searched for."""
        plain = not set(condition.value) & {"*", self._any_letter}
        exact = condition.field == "name" and condition.operator == "=" and plain
        if exact and len(things) > 50:
            named = self._world.by_name(self._kind, condition.value)
            if self._case:
                named = [thing for thing in named if thing["name"] == condition.value]
            return list(named)
        fits = self._test(condition)
        return [thing for thing in things if fits(thing)]

    def _test(self, condition: Condition) -> Callable[[Thing], bool]:
        if not condition.field and self._modern:
            part = like(f"*{condition.value}*", self._case)
            return lambda thing: any(part(str(thing.get(key) or "")) for key in _TEXT_FIELDS)
        if not condition.field:
            same = like(condition.value, self._case, self._any_letter)
            return lambda thing: any(same(str(thing.get(key) or "")) for key in _TEXT_FIELDS)
        walk = self._walk(condition.field)
        if not walk or (walk == "next_run_exists" and condition.value == "false" and self._finds_none):
            return lambda _thing: False
        if walk == "id" and self._modern and not _UUID.fullmatch(condition.value):
            told = f'error: invalid input syntax for type uuid: "{condition.value}"'
            raise Refused(told, BAD, listed=False)
        if self._modern and condition.value == "*" and not set(walk) & set(".#"):
            return lambda _thing: True
        compare = _comparison(condition, like(condition.value, self._case, self._any_letter))
        if not set(walk) & set(".#"):  # most searches are by name, and there may be thousands of things
            return lambda thing: thing.get(walk) is not None and compare(thing[walk])
        wants_all = condition.operator == "!="
        return lambda thing: (all if wants_all else any)(compare(value) for value in self.values(thing, walk))

    def _walk(self, field: str) -> str:
        """Find where a field's value is; nothing for a field that does not exist."""
        word, dot, rest = field.partition(".")
        if not dot:
            return "" if field in self._unknown else FIELDS[self._kind].get(field, "")
        if (self._kind, word) == ("vm", "cluster") and self._modern:
            return ""
        over = OBJECTS.get((self._kind, word), "")
        if word.rstrip("s") == self._kind.replace("_", "") and self._modern:
            return ""
        if word.rstrip("s") == self._kind.replace("_", ""):
            return FIELDS[self._kind].get(rest, "")
        return f"{over}.{rest}" if over and rest in {"name", "status", "id", "address"} else ""

    def values(self, thing: Thing, walk: str) -> list[Any]:
        """Give the values at the end of a walk."""
        first, _, rest = walk.partition(".")
        if not rest:
            return [_MANY[first](self._world, thing)] if first in _MIB else _tag_values(self._world, thing, first)
        if first in _MANY:
            nexts = _MANY[first](self._world, thing)
        else:
            nexts = [self._world.get(first, thing.get(first))]
        return [value for one in nexts if one for value in self.values(one, rest)]


def _sortable(value: Any) -> tuple[float, str]:
    """Make numbers sort by size and words by letters."""
    return (float(value), "") if isinstance(value, (int, float)) else (0.0, str(value).lower())


def _above(world: Any, tag: str) -> list[str]:
    """Name a tag and those above it."""
    names: list[str] = []
    one = world.get("tag", tag)
    while one is not None and one["name"] not in names:
        names.append(one["name"])
        one = world.get("tag", one.get("parent"))
    return names


def _tag_values(world: Any, thing: Thing, key: str) -> list[Any]:
    if key == "#tags":
        # A thing of several tags is found by one of them alone, and by those above it (4.5.8).
        return [name for one in world.of("tagging", "owner", thing["id"])[-1:] for name in _above(world, one["tag"])]
    return [] if thing.get(key) is None else [thing[key]]


#: Walks that are no single reference, and numbers that are searched in MiB or GiB.
_MANY: dict[str, Callable[[Any, Thing], Any]] = {
    "#vms": lambda world, thing: world.of("vm", "host" if thing["kind"] == "host" else "template", thing["id"]),
    "#clusters": lambda world, thing: world.of("cluster", "data_center", thing["id"]),
    "#domains": lambda world, thing: world.of("storage_domain", "data_center", thing["id"]),
    "#storage": lambda world, thing: [
        domain
        for disk in world.of("disk", "vm", thing["id"])
        if (domain := world.get("storage_domain", disk.get("storage_domain")))
    ],
    "#memory": lambda _world, thing: (thing.get("memory") or 0) >> 20,
    "#size": lambda _world, thing: (thing.get("size") or 0) >> 30,
    "#available": lambda _world, thing: (thing.get("available") or 0) >> 30,
    "#used": lambda _world, thing: (thing.get("used") or 0) >> 30,
}
_MIB = frozenset({"#memory", "#size", "#available", "#used"})


def _comparison(condition: Condition, same: Callable[[str], bool]) -> Callable[[Any], bool]:
    if condition.operator in {"=", "!="}:
        wanted = condition.operator == "="
        return lambda value: same(_word(value)) == wanted
    digits = condition.value.replace(".", "", 1)
    if not digits.isdigit():
        return lambda _value: False
    number = float(condition.value)
    return {
        "<": lambda value: float(value) < number,
        ">": lambda value: float(value) > number,
        "<=": lambda value: float(value) <= number,
        ">=": lambda value: float(value) >= number,
    }[condition.operator]


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def page(call: Any, kind: str, things: list[Thing]) -> list[Thing]:
    """Search, sort and cut a list as the engine of the call's version does.

    Args:
        call: Its parameters `search`, `max` and `case_sensitive` count.
        kind: What is searched; 3.0 and 3.1 cannot search networks and answer with all of them.
        things: All of them.
    """
    limit = _limit(call)
    text = call.params.get("search", "")
    if kind == "network" and call.dialect.version < (3, 2):
        return things
    if not text.strip():
        things = _by_name(call, kind, things)
        return things[:limit] if limit is not None else things
    query = parse(text)
    if query is None or (_odd(query, kind, limit) if call.dialect.modern else query.page == 0):
        return []
    case = call.flag("case-sensitive" if call.dialect.version < (3, 1) else "case_sensitive")
    found = SearchFinder(call.world, kind, case, call.dialect).find(query, things)
    if not query.sort:
        found = _by_name(call, kind, found)
    if limit is None:
        return found
    return found[(query.page - 1) * limit : query.page * limit]


def _by_name(call: Any, kind: str, things: list[Thing]) -> list[Thing]:
    """Order as an engine's database does where nobody asks for an order: by name, letter by letter."""
    if not call.dialect.modern or kind in {"event", "job", "network"}:
        return things
    return sorted(things, key=lambda thing: thing.get("name") or "")


def _odd(query: SearchQuery, kind: str, limit: int | None) -> bool:
    """Whether an engine misunderstands it, so that it finds nothing."""
    if query.page == 0:
        raise Refused("error: offset must not be negative", BAD, listed=False)
    unsorted = bool(query.sort) and query.sort.lower() not in FIELDS[kind]
    return unsorted or (limit is None and query.page > 1) or query.page_after_field


def _limit(call: Any) -> int | None:
    most = call.number("max") if call.dialect.knows((3, 1)) else None
    if most is not None and most < 0 and call.dialect.modern:
        raise Refused(f"illegal max count value for query : {most}", BAD, listed=False)
    if most is not None and most >= 0:
        return int(most)
    return OLD_LIMIT if call.dialect.version < (3, 4) else None
