"""Kinds of objects that consist of a name and settings: all are made, changed, removed and shown alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ...engine.manager import Manager
from ...engine.nouns import Cluster, DataCenter, Noun
from ...errors import Usage
from ...messages import Data, Error
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step, Wait
from ..show.listing import Key, Layout, plain
from .kind import Kind, Verb, success
from .settings import Collected, Setting, reference

#: What objects of a kind belong to: the option that names it, and its flag.
HOMES: Mapping[type[Noun], tuple[str, str]] = {Cluster: ("cluster", "-l"), DataCenter: ("data_center", "-d")}


@dataclass(frozen=True)
class Asked:
    """The requested values.

    Attributes:
        values: By attribute.
        members: By the word of the list.
    """

    values: Mapping[str, Any]
    members: Mapping[str, Sequence[Noun]]


@dataclass(frozen=True)
class PlainKind:
    """A kind.

    Attributes:
        title: What people call it.
        noun: The manager's.
        settings: What can be set, besides a description.
        members: Lists that are collections of the object.
        came: Its name in the list of arrivals; empty if every version has it.
        home: What it belongs to, which -l or -d names; None for the manager itself.
        hidden: Names that the manager keeps for itself.
        described: It has a description.
        plural: Several of them, where that is not the title with an s.
    """

    title: str
    noun: type[Noun]
    settings: tuple[Setting, ...]
    members: tuple[Collected, ...] = ()
    came: str = ""
    home: type[Noun] | None = None
    hidden: frozenset[str] = frozenset()
    described: bool = True
    plural: str = ""

    # what cfgve and lsve need -----------------------------------------------------------------------------------------

    @property
    def many(self) -> str:
        """Several of them."""
        return self.plural or f"{self.title}s"

    @property
    def nouns(self) -> tuple[type[Noun], ...]:
        """The manager's kinds."""
        return (self.noun,)

    @property
    def kind(self) -> Kind:
        """What cfgve can do with it."""
        takes = frozenset({"set", "description", "data_center"} | ({"cluster"} if self.home is Cluster else set()))
        return Kind(
            self.title,
            {
                "create": Verb(partial(_converge, self, update=False), takes),
                "update": Verb(partial(_converge, self, update=True), takes),
                "remove": Verb(partial(_remove, self), takes),
            },
        )

    @property
    def layout(self) -> Layout:
        """How lsve shows it."""
        keys = [
            Key(each.word, partial(_show_setting, each), kind=each.kind) for each in self.settings if not each.hidden
        ]
        home = [Key(self.home.TAG, partial(_show_setting, reference(self.home.TAG, self.home)))] if self.home else []
        about = [plain("description")] if self.described else []
        lists = [Key(each.word, partial(self._show_members, each), kind=list) for each in self.members]
        return Layout(self.many, (*home, *about, *keys, *lists))

    @property
    def words(self) -> tuple[str, ...]:
        """What a description may say of one."""
        own = (*((self.home.TAG,) if self.home else ()), *(("description",) if self.described else ()))
        return (*own, *(each.word for each in self.settings), *(each.word for each in self.members))

    @property
    def key_words(self) -> tuple[str, ...]:
        """The words that distinguish objects of one name."""
        return (*((self.home.TAG,) if self.home else ()), *(each.word for each in self.settings if each.identity))

    @property
    def required_words(self) -> list[str]:
        """The words of the settings without which none is made, with a star."""
        return [f"{each.word}*" for each in self.settings if each.needed]

    @property
    def optional(self) -> list[str]:
        """The words of its other settings and of its lists."""
        return [*(each.word for each in self.settings if not each.needed), *(each.word for each in self.members)]

    def _show_members(self, members: Collected, noun: Any, manager: Manager) -> object:
        under = self.address(noun)
        return tuple(sorted(members.show(each, manager) for each in manager.list(members.noun, under=under)))

    def refuse_early(self, manager: Manager) -> None:
        """Refuse it where the manager does not have such objects.

        Raises:
            Usage: It is too old.
        """
        if self.came and (late := manager.too_new(self.came)):
            raise Usage(late)

    def everything(self, manager: Manager) -> list[Noun]:
        """All that the manager has; if they belong to another object, with a reference to it."""
        self.refuse_early(manager)
        if self.home is None:
            return [each for each in self.fetch(manager, None) if each.name not in self.hidden]
        homes: Sequence[Noun] = manager.all(self.home)
        return [
            each.replace(**{self.home.TAG: home.ref})
            for home in homes
            for each in self.fetch(manager, home)
            if each.name not in self.hidden
        ]

    # what a kind may do in its own way --------------------------------------------------------------------------------

    def fetch(self, manager: Manager, under: Noun | None) -> list[Noun]:
        """Those of one home, with the names that people call them by."""
        return [*manager.all(self.noun, under)]

    def home_of(self, context: Context, wanted: Asked) -> Noun | None:
        """What they belong to, from the options.

        Raises:
            Usage: It is not named.
        """
        if self.home is None:
            return None
        option, said = HOMES[self.home]
        if option not in context.options:
            raise Usage(f"{self.many} belong to a {self.home.word()}", f"Give {said} with its name")
        found: Noun = context.manager.one(self.home, context.options[option])
        return found

    def new(self, context: Context, name: str, wanted: Asked) -> Noun:
        """The object to create."""
        return self.noun(name=name, **wanted.values)

    def address(self, noun: Any) -> Noun:
        """The object whose collections are read and written."""
        found: Noun = noun
        return found

    def waits(self, context: Context, made: Noun, wanted: Asked) -> Sequence[Wait]:
        """The goal to wait for when it is made or changed."""
        return ()

    def filled(self, members: Collected) -> bool:
        """Whether a new object has the members of that list already."""
        return False

    def sent_again(self, context: Context, noun: Noun, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a change that was typed always sends, because the manager does not tell it: passwords.

        Args:
            context: The command.
            noun: As it is there.
            values: What was asked for.
        """
        return {}

    def before_removal(self, manager: Manager, noun: Noun) -> None:
        """What has to be done before one can be removed."""

    def where(self, noun: Any, manager: Manager) -> dict[str, str]:
        """What identifies it in a description, in addition to its settings."""
        return {}

    def own(self, noun: Any, manager: Manager) -> bool:
        """Whether every manager has it, or it comes with something else; a description leaves it out."""
        return noun.name in self.hidden


def _show_setting(setting: Setting, noun: Any, manager: Manager) -> object:
    return setting.show(getattr(noun, setting.attribute, None), manager)


def read_settings(kind: PlainKind, context: Context) -> Asked:
    """The requested values.

    Raises:
        Usage: A word does not belong to this kind, its value is wrong, or the manager is too old for it.
    """
    known = {each.word: each for each in kind.settings}
    lists = {each.word: each for each in kind.members}
    about = kind.described and "description" in context.options
    values = {"description": context.options["description"]} if about else {}
    members: dict[str, Sequence[Noun]] = {}
    for typed in context.options.get("set", ()):
        word, equals, value = typed.partition("=")
        if word not in {**known, **lists} or not equals:
            raise Usage(f"--set {typed}: {kind.many} have {', '.join(f'{each}=...' for each in (*known, *lists))}")
        if word in lists:
            members[word] = lists[word].read(context, value)
        else:
            values[known[word].attribute] = known[word].read(context, value)
    _refuse_missing(kind, context.manager, values)
    return Asked(values, members)


def _refuse_missing(kind: PlainKind, manager: Manager, values: Mapping[str, Any]) -> None:
    words = {each.attribute: each.word for each in kind.settings}
    lacking = [
        each for noun in kind.nouns for each in manager.lacks(noun, (name for name in values if name in noun.FIELDS))
    ]
    if lacking:
        version = ".".join(map(str, manager.version))
        raise Usage(f"--set {words.get(lacking[0], lacking[0])}: the manager is {version}, whose {kind.many} have none")


def _look(kind: PlainKind, context: Context, wanted: Asked) -> tuple[Noun | None, list[Noun]]:
    """What they belong to, and the candidates."""
    kind.refuse_early(context.manager)
    under = kind.home_of(context, wanted)
    own = [each.attribute for each in kind.settings if each.identity and each.attribute in wanted.values]
    listed: list[Any] = kind.fetch(context.manager, under)
    return under, [each for each in listed if all(_same(getattr(each, name), wanted.values[name]) for name in own)]


def _same(one: Any, other: Any) -> bool:
    """Whether both are the same object, or the same word."""
    if one is None or other is None:
        return one is other
    return bool(one.id == other.id if hasattr(one, "id") else one == other)


def _hits(kind: PlainKind, there: Sequence[Noun], name: str) -> Iterator[Noun]:
    return (each for each in there if each.name == name and name not in kind.hidden)


def _converge(kind: PlainKind, context: Context, names: Sequence[str], *, update: bool) -> Plan:
    """Make those that are not there, change those that are; -c refuses to change, -u to make."""
    kind.refuse_early(context.manager)
    wanted = read_settings(kind, context)
    under, there = _look(kind, context, wanted)
    for name in names:
        yield _one(kind, context, name, (under, there), wanted, update)


def _one(
    kind: PlainKind,
    context: Context,
    name: str,
    place: tuple[Noun | None, Sequence[Noun]],
    wanted: Asked,
    update: bool | None,
) -> Job | Error:
    """The job for one; `update` is None where it may be made as well as changed."""
    under, there = place
    hits = [*_hits(kind, there, name)]
    if len(hits) > 1:
        return Error(_several(kind, hits), name)
    if hits:
        again = kind.sent_again(context, hits[0], wanted.values) if update else {}
        return _change(kind, context, hits[0], under, replace(wanted, values={**wanted.values, **again}), update)
    if update:
        return Error(f"there is no such {kind.title}. Give -c to make it", name)
    return _creation(kind, context, name, under, wanted)


def converge(kind: PlainKind, context: Context, name: str) -> Plan:
    """Make or change one object, as a description asks.

    Args:
        kind: Its kind.
        context: The command, with the options as they would be typed.
        name: Its name.
    """
    kind.refuse_early(context.manager)
    wanted = read_settings(kind, context)
    yield _one(kind, context, name, _look(kind, context, wanted), wanted, None)


def _several(kind: PlainKind, hits: Sequence[Noun]) -> str:
    words = " or ".join(f"--set {each.word}=..." for each in kind.settings if each.identity)
    return f"{len(hits)} have this name. Give {words}"


def _creation(kind: PlainKind, context: Context, name: str, under: Noun | None, wanted: Asked) -> Job | Error:
    asked = {*wanted.values}
    lacking = [each.word for each in kind.settings if each.needed and each.attribute not in asked]
    if lacking:
        return Error(f"{kind.many} need {' and '.join(f'--set {word}=...' for word in lacking)}", name)
    new = kind.new(context, name, wanted)

    def make() -> list[Data]:
        made = context.manager.create(new, under=under)
        for each in (one for one in kind.members if not kind.filled(one)):
            _fill(context.manager, each, kind.address(made), wanted.members.get(each.word), ())
        return success(name)

    text = f"create {kind.title}{_words(kind, context, wanted.values, wanted.members)}"
    return Job(name, [Step(text, make), *kind.waits(context, new, wanted)])


def _change(
    kind: PlainKind, context: Context, there: Noun, under: Noun | None, wanted: Asked, update: bool | None
) -> Job | Error:
    own = {each.attribute for each in kind.settings if each.identity}
    differing = there.differences({name: value for name, value in wanted.values.items() if name not in own})
    lists = _differing_lists(kind, context.manager, there, wanted)
    if not differing and not lists:
        return Job(there.name)
    text = _words(kind, context, differing, {word: wanted.members[word] for word in lists})
    fixed = [each.word for each in kind.settings if each.fixed and each.attribute in differing]
    if fixed:
        return Error(
            f"the {kind.title} is there, but not{text}, and {fixed[0]} never changes. Remove it first", there.name
        )
    if update is False:
        return Error(f"the {kind.title} is there, but not{text}. Give -u instead of -c to change it", there.name)

    def change() -> list[Data]:
        if differing:
            context.manager.change(there, under=under, **differing)
        for each in kind.members:
            if each.word in lists:
                _fill(context.manager, each, kind.address(there), wanted.members[each.word], lists[each.word])
        return success(there.name)

    says = f"change {kind.title} to{text.replace(' with', '', 1)}"
    return Job(there.name, [Step(says, change), *kind.waits(context, there, wanted)])


def _differing_lists(kind: PlainKind, manager: Manager, there: Noun, wanted: Asked) -> dict[str, Sequence[Noun]]:
    """The lists that differ from what was asked for, as they are."""
    found: dict[str, Sequence[Noun]] = {}
    for each in kind.members:
        if each.word in wanted.members:
            now: Sequence[Noun] = manager.list(each.noun, under=kind.address(there))
            if {each.key(one) for one in now} != {each.key(one) for one in wanted.members[each.word]}:
                found[each.word] = now
    return found


def _fill(
    manager: Manager, members: Collected, under: Noun, wanted: Sequence[Noun] | None, now: Sequence[Noun]
) -> None:
    """Remove from a list what it should not have any more, then add what it lacks."""
    if wanted is None:
        return
    keys = {members.key(each) for each in wanted}
    there = {members.key(each) for each in now}
    for each in now:
        if members.key(each) not in keys:
            manager.remove(each, under=under)
    for each in wanted:
        if members.key(each) not in there:
            manager.create(each, under=under)


def _words(kind: PlainKind, context: Context, values: Mapping[str, Any], members: Mapping[str, Sequence[Noun]]) -> str:
    """Values in words, as ` with network nw1`; empty for none."""
    manager = context.manager
    words = {each.attribute: each for each in kind.settings}
    parts = [
        f"{words[name].word} {_text(words[name], value, manager)}" for name, value in values.items() if name in words
    ]
    shown = {each.word: each for each in kind.members}
    for word, entries in members.items():
        parts.append(f"{word} {' '.join(shown[word].show(each, manager) for each in entries) or 'none'}")
    parts += ["the password of the passwd table"] if "password" in values else []
    parts += [f"description {values['description']}"] if "description" in values else []
    return f" with {', '.join(parts)}" if parts else ""


def _text(setting: Setting, value: Any, manager: Manager) -> str:
    shown = setting.show(value, manager)
    if shown is None or shown == ():
        return "none"
    if isinstance(shown, tuple):
        return " ".join(map(str, shown))
    return str(shown).lower() if isinstance(shown, bool) else str(shown)


def _remove(kind: PlainKind, context: Context, names: Sequence[str]) -> Plan:
    """Remove those that are there."""
    kind.refuse_early(context.manager)
    wanted = read_settings(kind, context)
    under, there = _look(kind, context, wanted)
    for name in names:
        hits = [*_hits(kind, there, name)]
        if not hits:
            yield Job(name, idle=f"there is no such {kind.title}: nothing to do")
        elif len(hits) > 1:
            yield Error(_several(kind, hits), name)
        else:
            yield Job(name, [Step(f"remove {kind.title}", partial(_removal, kind, context.manager, hits[0], under))])


def _removal(kind: PlainKind, manager: Manager, noun: Noun, under: Noun | None) -> list[Data]:
    kind.before_removal(manager, noun)
    manager.remove(noun, under=under)
    return success(noun.name)
