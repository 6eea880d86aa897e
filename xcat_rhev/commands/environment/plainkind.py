"""Kinds of objects that have a name and settings and nothing else to them: made, changed, removed and shown alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable

from ...engine.manager import Manager
from ...engine.nouns import Cluster, DataCenter, Network, Noun, Ref
from ...errors import Ambiguous, NotFound, Usage
from ...messages import Error
from ...plan.context import Context, Plan
from ...plan.jobs import Job
from ..show.listing import Key, Layout, plain
from .kind import Kind, Verb, is_in, one_step

_FLAGS = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True)
class Setting:
    """One thing that can be set.

    Attributes:
        word: Its name for `--set` and for lsve.
        attribute: The noun's.
        read: Makes the value of what was typed.
        show: What a person sees of a value.
        needed: Nothing is made without it.
        identity: Things of one name may differ in it.
    """

    word: str
    attribute: str
    read: Callable[[Context, str], Any]
    show: Callable[[Any, Manager], object]
    needed: bool = False
    identity: bool = False


def text(word: str, attribute: str = "") -> Setting:
    """A text."""
    return Setting(word, attribute or word, lambda _, typed: typed, lambda value, _: value)


def flag(word: str, attribute: str = "") -> Setting:
    """True or false."""
    return Setting(word, attribute or word, partial(_flag, word), lambda value, _: value)


def choice(word: str, attribute: str, *known: str) -> Setting:
    """One of some words."""
    return Setting(word, attribute, partial(_choice, word, known), lambda value, _: value)


def reference(word: str, noun: type[Noun], *, needed: bool = False, identity: bool = False) -> Setting:
    """Another object, by its name."""
    return Setting(word, word, partial(_reference, word, noun), partial(_name, noun), needed, identity)


def _flag(word: str, _: Context, typed: str) -> bool:
    if typed.lower() not in _FLAGS:
        raise Usage(f"--set {word}={typed}: not true or false")
    return _FLAGS[typed.lower()]


def _choice(word: str, known: Sequence[str], _: Context, typed: str) -> str:
    if typed not in known:
        raise Usage(f"--set {word}={typed}: not one of {', '.join(known)}")
    return typed


def _reference(word: str, noun: type[Noun], context: Context, typed: str) -> Ref:
    """The object of that name; networks of several data centers may have one name."""
    found: list[Any] = [each for each in context.manager.all(noun) if each.name == typed]
    if noun is Network and "data_center" in context.options:
        home = context.manager.one(DataCenter, context.options["data_center"])
        found = [each for each in found if is_in(each.data_center, home)]
    if not found:
        raise NotFound(f"--set {word}={typed}: there is no such {noun.word()}")
    if len(found) > 1:
        raise Ambiguous(f"--set {word}={typed}: {len(found)} are called so", "Give -d with a data center")
    return Ref(found[0].id, typed)


def _name(noun: type[Noun], value: Any, manager: Manager) -> object:
    return manager.name_of(noun, value) or None if value else None


@dataclass(frozen=True)
class PlainKind:
    """A kind.

    Attributes:
        title: What people call it.
        noun: The manager's.
        settings: What can be set, besides a description.
        came: What the list of arrivals calls it; empty if it was always there.
        in_cluster: It belongs to a cluster, which -l names.
        hidden: Names that the manager keeps for itself.
    """

    title: str
    noun: type[Noun]
    settings: tuple[Setting, ...]
    came: str = ""
    in_cluster: bool = False
    hidden: frozenset[str] = frozenset()

    @property
    def kind(self) -> Kind:
        """What cfgve can do with it."""
        takes = frozenset({"set", "description", "data_center"} | ({"cluster"} if self.in_cluster else set()))
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
        keys = [Key(each.word, partial(_show_setting, each)) for each in self.settings]
        cluster = [Key("cluster", partial(_show_setting, reference("cluster", Cluster)))] if self.in_cluster else []
        return Layout(f"{self.title}s", (*cluster, plain("description"), *keys))

    def refuse_early(self, manager: Manager) -> None:
        """Refuse it where the manager does not know such things.

        Raises:
            Usage: It is too old.
        """
        if self.came and (late := manager.too_new(self.came)):
            raise Usage(late)

    def everything(self, manager: Manager) -> list[Noun]:
        """All that the manager has; of a kind in clusters, with the cluster in each."""
        self.refuse_early(manager)
        if not self.in_cluster:
            return [each for each in manager.list(self.noun) if each.name not in self.hidden]
        clusters = manager.all(Cluster)
        return [each.replace(cluster=home.ref) for home in clusters for each in manager.list(self.noun, under=home)]


def _show_setting(setting: Setting, noun: Any, manager: Manager) -> object:
    return setting.show(getattr(noun, setting.attribute), manager)


def _read_settings(kind: PlainKind, context: Context) -> dict[str, Any]:
    """The values that were asked for, by attribute.

    Raises:
        Usage: A word is none of this kind's, or its value is wrong.
    """
    known = {each.word: each for each in kind.settings}
    wanted = {"description": context.options["description"]} if "description" in context.options else {}
    for typed in context.options.get("set", ()):
        word, equals, value = typed.partition("=")
        if word not in known or not equals:
            raise Usage(f"--set {typed}: {kind.title}s have {', '.join(f'{each}=...' for each in known)}")
        wanted[known[word].attribute] = known[word].read(context, value)
    return wanted


def _look(kind: PlainKind, context: Context, wanted: Mapping[str, Any]) -> tuple[Noun | None, list[Noun]]:
    """The cluster that they belong to, and those that may be meant.

    Raises:
        Usage: The cluster is not named.
    """
    kind.refuse_early(context.manager)
    under = None
    if kind.in_cluster:
        if "cluster" not in context.options:
            raise Usage(f"{kind.title}s belong to a cluster", "Give -l with its name")
        under = context.manager.one(Cluster, context.options["cluster"])
    own = [each.attribute for each in kind.settings if each.identity and each.attribute in wanted]
    listed: list[Any] = context.manager.list(kind.noun, under=under)
    return under, [each for each in listed if all(_same(getattr(each, name), wanted[name]) for name in own)]


def _same(one: Any, other: Any) -> bool:
    return one is not None and one.id == other.id


def _hits(kind: PlainKind, there: Sequence[Noun], name: str) -> Iterator[Noun]:
    return (each for each in there if each.name == name and name not in kind.hidden)


def _converge(kind: PlainKind, context: Context, names: Sequence[str], *, update: bool) -> Plan:
    """Make those that are not there, change those that are; -c refuses to change, -u to make."""
    wanted = _read_settings(kind, context)
    under, there = _look(kind, context, wanted)
    for name in names:
        hits = [*_hits(kind, there, name)]
        if len(hits) > 1:
            yield Error(_several(kind, hits), name)
        elif hits:
            yield _change(kind, context, hits[0], under, wanted, update)
        elif update:
            yield Error(f"there is no such {kind.title}. Give -c to make it", name)
        else:
            yield _creation(kind, context, name, under, wanted)


def _several(kind: PlainKind, hits: Sequence[Noun]) -> str:
    words = " or ".join(f"--set {each.word}=..." for each in kind.settings if each.identity)
    return f"{len(hits)} are called so. Give {words}"


def _creation(
    kind: PlainKind, context: Context, name: str, under: Noun | None, wanted: Mapping[str, Any]
) -> Job | Error:
    lacking = [each.word for each in kind.settings if each.needed and each.attribute not in wanted]
    if lacking:
        return Error(f"{kind.title}s need {' and '.join(f'--set {word}=...' for word in lacking)}", name)
    new = kind.noun(name=name, **wanted)
    make = partial(context.manager.create, new, under=under)
    return one_step(name, f"create {kind.title}{_words(kind, context, wanted)}", make)


def _change(
    kind: PlainKind, context: Context, there: Noun, under: Noun | None, wanted: Mapping[str, Any], update: bool
) -> Job | Error:
    differing = there.differing(wanted)
    if not differing:
        return Job(there.name)
    text = _words(kind, context, differing)
    if not update:
        return Error(f"the {kind.title} is there, but not{text}. Give -u instead of -c to change it", there.name)
    change = partial(context.manager.change, there, under=under, **differing)
    return one_step(there.name, f"change {kind.title} to{text.replace(' with', '', 1)}", change)


def _words(kind: PlainKind, context: Context, values: Mapping[str, Any]) -> str:
    """Values in words, as ` with network nw1`; empty for none."""
    words = {each.attribute: each for each in kind.settings}
    parts = [
        f"{words[name].word} {_text(words[name], value, context)}" for name, value in values.items() if name in words
    ]
    parts += [f"description {values['description']}"] if "description" in values else []
    return f" with {', '.join(parts)}" if parts else ""


def _text(setting: Setting, value: Any, context: Context) -> str:
    shown = setting.show(value, context.manager)
    if isinstance(shown, tuple):
        return " ".join(map(str, shown))
    return str(shown).lower() if isinstance(shown, bool) else str(shown)


def _remove(kind: PlainKind, context: Context, names: Sequence[str]) -> Plan:
    """Remove those that are there."""
    wanted = _read_settings(kind, context)
    under, there = _look(kind, context, wanted)
    for name in names:
        hits = [*_hits(kind, there, name)]
        if not hits:
            yield Job(name, idle=f"there is no such {kind.title}: nothing to do")
        elif len(hits) > 1:
            yield Error(_several(kind, hits), name)
        else:
            yield one_step(name, f"remove {kind.title}", partial(context.manager.remove, hits[0], under=under))
