"""One HTTP answer of the application."""

from __future__ import annotations

from typing import NamedTuple

#: Seconds after which a client may try again where xcatd did not answer.
RETRY_AFTER = "10"
_WORDS = {
    200: "OK",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}


class WebAnswer(NamedTuple):
    """One HTTP answer.

    Attributes:
        status: The status code.
        text: The body.
        headers: Those beside the usual ones.
        kind: The content type.
        node: The node, for the log.
        note: What the log says more than the text.
    """

    status: int
    text: str
    headers: tuple[tuple[str, str], ...] = ()
    kind: str = "text/plain"
    node: str = ""
    note: str = ""

    def line(self) -> str:
        """The status line without the protocol."""
        return f"{self.status} {_WORDS[self.status]}"


def later(text: str, note: str, node: str = "") -> WebAnswer:
    """An answer for a client that shall come again."""
    return WebAnswer(503, text, (("Retry-After", RETRY_AFTER),), node=node, note=note)
