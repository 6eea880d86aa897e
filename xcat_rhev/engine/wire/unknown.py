"""Words for what nobody knows: a manager was asked for something, and then it was away."""

from __future__ import annotations

from ...errors import RhevError, TimedOut, Unreachable

_AGAIN = "Run the command again when the manager is back; what is done already is not done twice"


def unknown(problem: RhevError, what: str = "it was done") -> Unreachable | TimedOut:
    """The error for a question that stays open; that a thing failed is said of what is known to have failed.

    Args:
        problem: Why the manager could not be asked.
        what: What is not known, as the end of a sentence.

    Returns:
        TimedOut if it was the end of `--timeout`, which has a hint of its own.
    """
    text = f"{problem.text}; it is not known whether {what}"
    told = TimedOut(text, problem.hint) if isinstance(problem, TimedOut) else Unreachable(text, _AGAIN)
    told.may_retry, told.left_open = False, True
    return told
