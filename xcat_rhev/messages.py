"""What a command says: small typed messages, streamed; `xcat/wire.py` turns them into xCAT's XML."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Union

from .errors import RhevError
from .ordering import natural


@dataclass(frozen=True)
class Info:
    """A line for standard output.

    Attributes:
        text: The line.
        node: The node that it is about; shown as `node: text`.
    """

    text: str
    node: str = ""


@dataclass(frozen=True)
class Data:
    """An answer for standard output, shown `node: desc: text`.

    Attributes:
        text: The value.
        node: The node that it is about, or empty.
        desc: What the value is, or empty.
        code: Joined by OR into the client's exit code; 0 unless the value is a failure, as with `--json`, or a
            difference that was looked for.
        fields: The value's parts for programs, which get them with `--json`; `jsonlines.SCHEMA` names them.
    """

    text: str
    node: str = ""
    desc: str = ""
    code: int = 0
    fields: tuple[tuple[str, object], ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Warn:
    """A line for standard error that does not change the exit code.

    Attributes:
        text: The line.
        node: The node that it is about, or empty.
    """

    text: str
    node: str = ""


@dataclass(frozen=True)
class Note:
    """A line for standard error that tells how things go; no errors, and who reads answers does not see it.

    Attributes:
        text: The line.
    """

    text: str


@dataclass(frozen=True)
class Error:
    """A line for standard error that does.

    Attributes:
        text: The line.
        node: The node that it is about, or empty.
        code: Joined by OR into the client's exit code; 1 to 127.
    """

    text: str
    node: str = ""
    code: int = 1


@dataclass(frozen=True)
class Progress:
    """A line that the next one overwrites.

    Attributes:
        text: The line, e.g. `12.34%`.
    """

    text: str


Message = Union[Info, Data, Warn, Note, Error, Progress]


#: What each kind is called where programs read it.
KINDS: dict[type[Message], str] = {
    Info: "info",
    Data: "data",
    Warn: "warning",
    Note: "note",
    Error: "error",
    Progress: "progress",
}


def error_of(problem: RhevError, node: str = "") -> Error:
    """Turn an error into the message that a person gets.

    Args:
        problem: What went wrong.
        node: The node whose command it was, or empty.
    """
    return Error(str(problem), node, problem.exit_code)


def few(things: Iterable[str | None]) -> str:
    """Names for a message: sorted, and not more than ten."""
    names = sorted((thing or "?" for thing in things), key=natural)
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
