"""Everything that can go wrong, as few kinds that answer the questions a caller has.

    RhevError
    |-- Usage          the words of a command, or the value of a table column, are wrong
    |-- NotFound       a named thing does not exist
    |-- Ambiguous      a name fits several things
    |-- Conflict       the state of a thing forbids the step
    |   `-- Locked     ... for the moment: somebody else is at work on it
    |-- Denied         the other side knows us and says no
    |-- Unreachable    no answer came
    |-- BadAnswer      an answer came that cannot be understood
    |-- FailedState    a thing ended in a state that does not lead to the wanted one
    |-- TimedOut       the wanted state did not come within the limit
    |-- Aborted        the person who asked went away
    `-- Bug            our own mistake

Nobody else in the product defines an exception that leaves its module.
"""

from __future__ import annotations

__all__ = [
    "Aborted",
    "Ambiguous",
    "BadAnswer",
    "Bug",
    "Conflict",
    "Denied",
    "FailedState",
    "Locked",
    "NotFound",
    "RhevError",
    "TimedOut",
    "Unreachable",
    "Usage",
]


class RhevError(Exception):
    """The root: one line for a person, and what a machine may do about it.

    Args:
        text: What went wrong, naming the thing. One line, no final full stop, no secret.
        hint: What to change or which command to run, or empty.
    """

    exit_code = 1
    #: The same call may be sent again without harm and with hope.
    may_retry = False
    #: Nobody knows whether it was done, so that it cannot be said to have failed.
    left_open = False

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.text = one_line(text)
        self.hint = one_line(hint)

    def __str__(self) -> str:
        return f"{self.text}. {self.hint}" if self.hint else self.text


class Usage(RhevError):
    """The words of a command or the value of a table column are wrong; nothing was done."""


class NotFound(RhevError):
    """A named thing does not exist."""


class Ambiguous(RhevError):
    """A name fits several things, so none was touched."""


class Conflict(RhevError):
    """The state of a thing forbids the step (HTTP 409, or 400 before RHEV 3.3)."""


class Locked(Conflict):
    """Somebody else is at work on the thing; the same step can succeed later."""

    may_retry = True


class Denied(RhevError):
    """The other side knows us and says no, or does not know us (HTTP 401, 403)."""


class Unreachable(RhevError):
    """No answer came: no such address, refused, cut off, or a proxy's 502/503/504.

    Args:
        text: As for `RhevError`.
        hint: As for `RhevError`.
        sent: The request may have reached the other side and been carried out.
    """

    may_retry = True

    def __init__(self, text: str, hint: str = "", *, sent: bool = True) -> None:
        super().__init__(text, hint)
        self.sent = sent


class BadAnswer(RhevError):
    """An answer came that cannot be understood."""


class FailedState(RhevError):
    """A thing ended in a state that does not lead to the wanted one."""


class TimedOut(RhevError):
    """The wanted state did not come within the limit; the other side may go on working."""


class Aborted(RhevError):
    """The person who asked pressed Ctrl-C or went away."""


class Bug(RhevError):
    """Our own mistake, shown in one line; the trace goes to the log."""

    #: Where that is.
    LOGS = "The details are in HOME/log/xcatd.log, or in /var/log/xcat/xcat-rhev.log beside a Perl xCAT"


#: Characters of a line; more is nothing for a person. An argument of 16 MiB, said again, would hold everybody up.
LONGEST_LINE = 64 << 10


def one_line(text: str) -> str:
    """Fold white space and drop control characters, so that a text fits the `node: message` form.

    Args:
        text: Any text, possibly an engine's fault detail with newlines.
    """
    if len(text) > LONGEST_LINE:
        text = f"{text[: LONGEST_LINE - 40]}... ({len(text)} characters)"
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
