"""What a refusal means: the engine's status codes and texts as the product's error kinds.

Before RHEV 3.3 every refusal is a 400, so the kind is read off the text; the texts are the same words in all versions.
"""

from __future__ import annotations

import re

from ...errors import BadAnswer, Conflict, Denied, Locked, NotFound, RhevError, Unreachable
from ..documents.parsing import parse
from .passing import passes
from .refusals import DATABASE, engine_failure, login_problem, reason_of
from .transport import HttpRequest, Response, Sender

#: Not so the permissions of a storage path, which are the storage's own.
_DENIED = re.compile(
    r"not authorized|Permission denied|have permissions? to|permission is required|insufficient permissions",
    re.IGNORECASE,
)
_ABSENT = re.compile(r"Entity not found|doesn't exist|does not exist|not found|Invalid Host Id", re.IGNORECASE)
#: What an engine 4.5 says, with HTTP 500, to the start of a machine that is gone.
_GONE = re.compile(r"RunVmCommand\.getVm\(\)\W+is null")
#: A conflict, whatever the status; the others become the manager's refusal.
_CONFLICT = re.compile(
    r"\bCannot\b|already in use|already exists|already attached|not in maintenance|is operational|immutab"
    r"|status is illegal|Failed updating the properties|while the VM is not down|not Down",
    re.IGNORECASE,
)
#: The engine's container stops (WildFly), or a transaction could not be ended.
_STOPPING = re.compile(r"WFLYEJB\d+|EJBException|component is (stopped|shut)|transaction.*timed? out", re.IGNORECASE)
#: The engine's own words for a path that it does not know: the engine is there.
_NO_SUCH_PATH = b"RESTEASY"


class Checked:
    """Turns refusals into errors.

    A stopping or starting engine answers 404 or 500 without a fault, as its container does by itself; what a thing's
    absence looks like on a running one is no different. So an answer that says nothing is believed when the API's root
    answers.

    Args:
        inner: The next sender.
        name: The manager's name, for errors.
        root: The API's path; empty where it cannot be asked.
        user: The user that we are to it, for errors.
    """

    def __init__(self, inner: Sender, name: str, root: str = "", user: str = "") -> None:
        self._inner, self._name, self._root, self._user = inner, name, root, user

    def send(self, request: HttpRequest) -> Response:
        """See `Sender`.

        Raises:
            RhevError: The manager refused; the kind says what may be done about it.
        """
        response = self._inner.send(request)
        if response.good:
            return response
        if self._root and _says_nothing(response) and not self._works(request):
            problem = engine_failure(self._name, f"HTTP {response.status}")
            problem.sent = response.status != 404
            raise problem
        raise error_of(response, self._name, request, self._user)

    def _works(self, request: HttpRequest) -> bool:
        """Whether the API's root answers as an engine does."""
        root = HttpRequest("GET", self._root, headers=request.headers)
        try:
            answer = self._inner.send(root)
        except Unreachable:
            return False
        return answer.good and b"<api" in answer.body


def _says_nothing(response: Response) -> bool:
    return (
        response.status in (404, 500) and not response.body.startswith(_NO_SUCH_PATH) and not fault_text(response.body)
    )


def error_of(response: Response, name: str, request: HttpRequest, user: str = "") -> RhevError:
    """Say what an answer means that does not come from an engine.

    Args:
        response: Its status is not 2xx.
        name: The manager's name.
        request: What was asked.
        user: The user that we are to the manager.
    """
    status, said = response.status, fault_text(response.body)
    if status in (502, 503, 504):
        # 503 comes from the web server in front of an engine that is not there; the others may come too late.
        return Unreachable(
            f"manager {name} is not available (HTTP {status})", "Is its engine service running?", sent=status != 503
        )
    if status == 401:
        return login_problem(name, user, reason_of(response.body))
    if DATABASE.search(said) or _STOPPING.search(said):
        problem = engine_failure(name, said)
        problem.sent = True
        return problem
    if (status == 404 and not said) or _GONE.search(said):
        return NotFound(f"manager {name} has no {request.path.partition('?')[0]}")
    if status >= 500 or (not said and status not in (400, 403, 409)):
        text = f"manager {name} failed with HTTP {status} {_request_words(request)}"
        return BadAnswer(text + (f": {said}" if said else ""))
    return refusal(said or f"HTTP {status} without a reason", status, name, user)


#: What a request is for, in words.
_DEEDS = {"GET": "reading", "POST": "sending to", "PUT": "changing", "DELETE": "removing"}


def _request_words(request: HttpRequest) -> str:
    """What a manager was asked when it failed: `when reading hosts/ID`."""
    path = request.path.partition("?")[0].partition(";")[0]
    return f"when {_DEEDS.get(request.method, request.method)} {path.partition('/api/')[2] or path}"


def refusal(said: str, status: int, name: str, user: str = "") -> RhevError:
    """The kind of a refusal, by its text and its status.

    Args:
        said: The engine's text.
        status: HTTP status; 0 when the fault came with a good one.
        name: The manager's name.
        user: The user that we are to the manager.
    """
    if _DENIED.search(said) or status == 403:
        return Denied(f"manager {name}: {said}", f"Give {user} a role at the manager that allows it" if user else "")
    if _ABSENT.search(said) or status == 404:
        return NotFound(said)
    if passes(said):
        return Locked(said)
    if status == 409 or _CONFLICT.search(said) or status == 0:
        return Conflict(said)
    return Conflict(f"manager {name} refuses this: {said}")


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
