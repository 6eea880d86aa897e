"""How a kind of object declares what can be done with it, and what all kinds share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable

from ...engine.nouns import Cluster, DataCenter, Noun, Ref
from ...errors import NotFound, Usage
from ...messages import Data, Error
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step

#: The usual names where none was given.
DEFAULT = "Default"
#: The template that every manager has and that cannot be removed.
BLANK_ID = "00000000-0000-0000-0000-000000000000"
_VERSION = re.compile(r"\d{1,2}\.\d{1,2}")


@dataclass(frozen=True)
class Verb:
    """One thing that can be done.

    Attributes:
        plan: Plans it for all names at once.
        takes: The options that it uses.
    """

    plan: Callable[[Context, Sequence[str]], Plan]
    takes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Kind:
    """A kind of object.

    Attributes:
        title: What people call it.
        verbs: What can be done with it, by the name of cfgve's option.
    """

    title: str
    verbs: Mapping[str, Verb]


def success(name: str, text: str = "succeeded.") -> list[Data]:
    """The message of a step that is done."""
    return [Data(text, name)]


def one_step(name: str, says: str, do: Callable[[], object], text: str = "succeeded.") -> Job:
    """A job of a single step.

    Args:
        name: The object.
        says: What the step does, for `--dry-run`.
        do: Does it.
        text: The message when it is done.
    """

    def step() -> list[Data]:
        do()
        return success(name, text)

    return Job(name, [Step(says, step)])


#: The words for what options set, by attribute.
_WORDS = {
    "version": "compatibility version",
    "cpu_type": "CPU type",
    "vlan": "VLAN",
    "mtu": "MTU",
    "description": "description",
}


def with_values(values: Mapping[str, Any]) -> str:
    """Values as a message has them: ` with VLAN 7, hosts only`; empty for none."""
    shown = [f"{_WORDS[key]} {value}" for key, value in values.items() if key in _WORDS]
    if "usages" in values:
        shown.append("hosts only")
    return f" with {', '.join(shown)}" if shown else ""


def as_asked(context: Context, there: Noun, differing: Mapping[str, Any], update: bool) -> Job | Error:
    """The steps for an object that is there: -u changes it, -c refuses if it differs.

    Args:
        context: The command.
        there: The object.
        differing: The values that differ.
        update: -u was given.
    """
    name, word = there.name or "", there.word()
    if not differing:
        return Job(name)
    if not update:
        text = f"{word} has been created, but not{with_values(differing)}. Give -u instead of -c to change it"
        return Error(text, name)
    change = partial(context.manager.change, there, **differing)
    return one_step(name, f"change {word} to{with_values(differing)}", change, "succeeded")


def data_center(context: Context, name: str) -> DataCenter:
    """Find one data center.

    Raises:
        NotFound: There is none of that name.
    """
    found = context.manager.find(DataCenter, [name]).get(name)
    if found is None:
        raise NotFound(
            f"failed to get datacenter: {name}",
            f"Run: cfgve -t dc -m {context.manager.name} -o {name} -c -k nfs",
        )
    return found


def named_cluster(context: Context) -> Cluster:
    """The cluster that -l names, else the usual one.

    Raises:
        NotFound: There is none of that name.
    """
    name = context.options.get("cluster", DEFAULT)
    cluster = context.manager.find(Cluster, [name]).get(name)
    if cluster is None:
        raise NotFound(f"cannot find the cluster: {name}", "Give -l with one of those that lsve -t cl shows")
    return cluster


def compat(context: Context) -> str:
    """The requested compatibility version, or None.

    Raises:
        Usage: The text is not valid.
        NotFound: The manager does not know it; the hint lists those that it knows.
    """
    wanted: str = context.options.get("compat", "")
    if wanted and not _VERSION.fullmatch(wanted):
        raise Usage(f"--compat {wanted}: not a compatibility version", "Write it as 4.7")
    if wanted:
        context.manager.cpu_types(wanted)
    return wanted


def is_in(ref: Ref | None, noun: DataCenter) -> bool:
    """Whether a reference points to that data center."""
    return ref is not None and (ref.id == noun.id if ref.id and noun.id else ref.name == noun.name)
