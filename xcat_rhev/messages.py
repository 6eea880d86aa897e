"""What a command says: small typed messages, streamed; `xcat/wire.py` turns them into xCAT's XML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from .errors import RhevError


@dataclass(frozen=True)
class Info:
    """A line for standard output.

    Attributes:
        text: The line.
        node: Whom it is about; shown as `node: text`.
    """

    text: str
    node: str = ""


@dataclass(frozen=True)
class Data:
    """An answer for standard output, shown `node: desc: text`.

    Attributes:
        text: The value.
        node: Whom it is about, or empty.
        desc: What the value is, or empty.
        code: Joined by OR into the client's exit code; 0 unless the value is a failure, as with `--json`.
    """

    text: str
    node: str = ""
    desc: str = ""
    code: int = 0


@dataclass(frozen=True)
class Warning:
    """A line for standard error that does not change the exit code.

    Attributes:
        text: The line.
        node: Whom it is about, or empty.
    """

    text: str
    node: str = ""


@dataclass(frozen=True)
class Note:
    """A line for standard error that tells how things go; nothing is wrong, and who reads answers does not see it.

    Attributes:
        text: The line.
    """

    text: str


@dataclass(frozen=True)
class Error:
    """A line for standard error that does.

    Attributes:
        text: The line.
        node: Whom it is about, or empty.
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


Message = Union[Info, Data, Warning, Note, Error, Progress]


def error_of(problem: RhevError, node: str = "") -> Error:
    """Turn an error into the message that a person gets.

    Args:
        problem: What went wrong.
        node: Whose command it was, or empty.
    """
    return Error(str(problem), node, problem.exit_code)
