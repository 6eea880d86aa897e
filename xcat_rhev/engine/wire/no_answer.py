"""Why no answer came: what the libraries say of it, in words for a person."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import requests
from requests.packages import urllib3  # type: ignore[attr-defined]

from ...errors import Unreachable


@dataclass(frozen=True)
class Trust:
    """What a manager's certificate is checked against.

    Attributes:
        context: TLS settings.
        words: Whose CAs they are, for errors.
        hint: What to do when they did not sign the certificate.
    """

    context: ssl.SSLContext
    words: str = ""
    hint: str = ""


def no_answer(problem: requests.RequestException, name: str, trust: Trust, limits: tuple[float, float]) -> Unreachable:
    """Say why no answer came, and whether the request may have been processed.

    Args:
        problem: What the library says.
        name: The manager's name.
        trust: What its certificate was checked against.
        limits: Seconds that were allowed for connecting and for the answer.
    """
    connect, patience = limits
    text = str(problem)
    if isinstance(problem, requests.exceptions.ConnectTimeout):
        return _final(Unreachable(f"manager {name} does not answer within {connect:g} s", sent=False))
    if isinstance(problem, requests.exceptions.SSLError):
        return _tls_problem(text, name, trust)
    if isinstance(problem, requests.exceptions.ReadTimeout) or "timed out" in text:
        return Unreachable(f"manager {name} took more than {patience:g} s to answer")
    if isinstance(problem, requests.exceptions.ConnectionError) and _is_connect_error(problem):
        return Unreachable(f"manager {name} cannot be reached: {_reason(text)}", sent=False)
    return Unreachable(f"manager {name} closed the connection before its answer was complete")


def stuck(name: str, seconds: float) -> Unreachable:
    """A connection came to be, and then nothing: no TLS."""
    return _final(
        Unreachable(
            f"manager {name} accepts connections, but does not answer within {seconds:g} s",
            "Its web server or its engine may hang",
            sent=False,
        )
    )


def _tls_problem(text: str, name: str, trust: Trust) -> Unreachable:
    low = text.lower()
    for sign, reason in (("has expired", "has expired"), ("not yet valid", "is not valid yet")):
        if sign in low:
            hint = "Compare the clocks of both machines; if they are right, have the manager's certificate renewed"
            return _final(Unreachable(f"the certificate of manager {name} {reason}", hint, sent=False))
    if "match" in low or "hostname" in low:
        return _final(
            Unreachable(
                f"the certificate of manager {name} is not made for that name",
                "Name the manager as its certificate does",
                sent=False,
            )
        )
    if "certificate" in low:
        return _final(
            Unreachable(f"the certificate of manager {name} was not signed by {trust.words}", trust.hint, sent=False)
        )
    if "unsupported protocol" in low or "alert protocol version" in low:
        return _final(
            Unreachable(
                f"manager {name} does not speak TLS 1.2",
                "If it is that old, name it in the site table's rhevmoldtls",
                sent=False,
            )
        )
    return Unreachable(f"manager {name} closed the connection during the TLS handshake", sent=False)


def _final(problem: Unreachable) -> Unreachable:
    problem.may_retry = False
    return problem


def _is_connect_error(problem: requests.exceptions.ConnectionError) -> bool:
    cause = problem.args[0] if problem.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _reason(text: str) -> str:
    """The system's own words, without the library's."""
    for words in (
        "Connection refused",
        "No route to host",
        "Network is unreachable",
        "Name or service not known",
        "Temporary failure in name resolution",
        "Host is down",
    ):
        if words in text:
            return words.lower()
    return "no connection"
