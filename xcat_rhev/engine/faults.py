"""What a refusal means: the engine's status codes and texts as the product's error kinds.

Before RHEV 3.3 every refusal is a 400, so the kind is read off the text; the texts are the same words in all versions.
"""

from __future__ import annotations

import re

from ..errors import BadAnswer, Conflict, Denied, Locked, NotFound, RhevError, Unreachable, Usage
from .documents import parse
from .transport import Request, Response, Sender

#: Somebody else is at work on the thing, and that will end (AppErrors.properties, 3.0 to 4.5).
_LOCKED = re.compile(
    r"(is|are|currently) locked(?!, and cannot)|Image Locked|try again (later|in a few)|try later|in progress"
    r"|retry (later|in \d+ Sec)|to complete and (re)?try|running tasks|saving/restoring"
    r"|is (concurrently |currently )?being (?!used)\w", re.IGNORECASE,
)
_CONFLICT = re.compile(
    r"\bCannot\b|already in use|already exists|already attached|not in maintenance|is operational|immutab"
    r"|status is illegal|Failed updating the properties|while the VM is not down|not Down", re.IGNORECASE,
)
#: Not so the permissions of a storage path, which are the storage's own.
_DENIED = re.compile(
    r"not authorized|Permission denied|have permissions? to|permission is required", re.IGNORECASE
)
_ABSENT = re.compile(r"Entity not found|doesn't exist|does not exist|not found", re.IGNORECASE)


class Checked:
    """Turns refusals into errors.

    Args:
        inner: Who sends.
        name: The manager's name, for errors.
    """

    def __init__(self, inner: Sender, name: str) -> None:
        self._inner, self._name = inner, name

    def send(self, request: Request) -> Response:
        """See `Sender`.

        Raises:
            RhevError: The manager refused; the kind says what may be done about it.
        """
        response = self._inner.send(request)
        if response.good:
            return response
        raise error_of(response, self._name, request)


def error_of(response: Response, name: str, request: Request) -> RhevError:
    """Say what an answer that is none means.

    Args:
        response: Its status is not 2xx.
        name: The manager's name.
        request: What was asked.
    """
    status, said = response.status, fault_text(response.body)
    if status in (502, 503, 504):
        # 503 comes from the web server in front of an engine that is not there; the others may come too late.
        return Unreachable(
            f"manager {name} is not available (HTTP {status})", "Is its engine service running?", sent=status != 503
        )
    if status == 401:
        return Denied(f"manager {name} refuses the login", "Check user and password in the passwd table")
    if status == 404 and not said:
        return NotFound(f"manager {name} has no {request.path.partition('?')[0]}")
    if status >= 500 or not said and status not in (400, 403, 409):
        return BadAnswer(f"manager {name} failed with HTTP {status}" + (f": {said}" if said else ""))
    return refusal(said or f"HTTP {status} without a reason", status, name)


def refusal(said: str, status: int, name: str) -> RhevError:
    """The kind of a refusal, by its text and its status.

    Args:
        said: The engine's text.
        status: HTTP status; 0 when the fault came with a good one.
        name: The manager's name.
    """
    if _DENIED.search(said) or status == 403:
        problem = Denied(f"manager {name}: {said}")
        problem.may_login = False
        return problem
    if _ABSENT.search(said) or status == 404:
        return NotFound(said)
    if _LOCKED.search(said):
        return Locked(said)
    if status == 409 or _CONFLICT.search(said) or status == 0:
        return Conflict(said)
    return Usage(f"manager {name} refuses this: {said}")


def fault_text(body: bytes) -> str:
    """The reason inside a refusal's body, without the brackets of the engine's lists; empty if there is none."""
    try:
        root = parse(body)
    except BadAnswer:
        return ""
    fault = root if root.tag == "fault" else root.find(".//fault")
    if root.tag == "usage_message":
        return "the manager did not understand the request"
    if fault is None:
        return ""
    detail = (fault.findtext("detail") or "").strip()
    reason = (fault.findtext("reason") or "").strip()
    inner = detail[1:-1].strip() if detail.startswith("[") and detail.endswith("]") else detail
    if reason.lower() in ("operation failed", "") or not inner:
        return " ".join((inner or reason).split())
    return " ".join(f"{reason}: {inner}".split())
