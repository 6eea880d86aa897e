"""How a kind of object says what can be done with it, and what all kinds share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Callable

from ...engine.manager import quoted
from ...engine.nouns import DataCenter, Ref
from ...errors import NotFound, Usage
from ...jobs import Job, Step
from ...messages import Data
from ..common import Context, Plan

#: What xCAT's sites expect to find where nothing was named.
DEFAULT = "Default"
#: Names in one search; well below the 4 KiB that every engine's web server takes as an address.
_CHUNK = 50
_VERSION = re.compile(r"\d{1,2}\.\d{1,2}")


@dataclass(frozen=True)
class Verb:
    """One thing that can be done.

    Attributes:
        plan: Plans it for all names at once.
        takes: The options that mean something for it.
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


def said(name: str, text: str = "succeeded.") -> list[Data]:
    """What a step answers when it is done."""
    return [Data(text, name)]


def one_step(name: str, says: str, do: Callable[[], object], text: str = "succeeded.") -> Job:
    """A job of a single step.

    Args:
        name: The object.
        says: What the step does, for `--dry-run`.
        do: Does it.
        text: What to say then.
    """

    def step() -> list[Data]:
        do()
        return said(name, text)

    return Job(name, [Step(says, step)])


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


def compat(context: Context) -> str:
    """The compatibility version that was asked for, or nothing.

    Raises:
        Usage: It is none.
        NotFound: The manager does not know it; the hint lists those that it knows.
    """
    wanted: str = context.options.get("compat", "")
    if wanted and not _VERSION.fullmatch(wanted):
        raise Usage(f"--compat {wanted}: not a compatibility version", "Write it as 4.7")
    if wanted:
        context.manager.cpu_types(wanted)
    return wanted


def named(things: Iterable[str | None]) -> str:
    """Names for a message: sorted, and not more than ten."""
    names = sorted(thing or "?" for thing in things)
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def any_of(field: str, names: Sequence[str | None]) -> Iterator[str]:
    """Searches that together find what has one of the names.

    Args:
        field: The search language's word, as `Host.name`.
        names: Exact names.
    """
    for begin in range(0, len(names), _CHUNK):
        yield " or ".join(f"{field}={quoted(name or '')}" for name in names[begin:begin + _CHUNK])


def is_in(ref: Ref | None, noun: DataCenter) -> bool:
    """Does a reference point to that data center?"""
    return ref is not None and (ref.id == noun.id if ref.id and noun.id else ref.name == noun.name)
