"""What the engine room's tests share: dialects, the published schemas, and a sender that answers from a script."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, Union, cast
from xml.sax.saxutils import escape, quoteattr

import published
from fakes import FakeHost
from xcat_rhev.abort import Abort
from xcat_rhev.clock import Clock, ManualClock
from xcat_rhev.declare.parsing import parse
from xcat_rhev.engine.documents.dialect import V4, V30, V36, Dialect
from xcat_rhev.engine.manager import Manager
from xcat_rhev.engine.managers import Access
from xcat_rhev.engine.waiting import Watch
from xcat_rhev.engine.wire.login import Login
from xcat_rhev.engine.wire.patience import Patience
from xcat_rhev.engine.wire.pulse import Pulse
from xcat_rhev.engine.wire.session import Session
from xcat_rhev.engine.wire.transport import Http, HttpRequest, Response, Sender
from xcat_rhev.errors import RhevError
from xcat_rhev.messages import Data, Error
from xcat_rhev.plan.context import Context
from xcat_rhev.plan.jobs import Job
from xcat_rhev.run.runner import Runner
from xcat_rhev.secret import Secret
from xcat_rhev.xcat.host import Request

DIALECTS = (V30, V36, V4)

#: A scripted answer: status and body, an error to raise, or a function of the request.
Scripted = Union[tuple[int, str], RhevError, Callable[[HttpRequest], tuple[int, str]]]
OK = (200, "<vms/>")


class Validating:
    """A sender that holds every body against what was published, before it goes out."""

    def __init__(self, inner: Sender, dialect: Dialect) -> None:
        self._inner, self._version = inner, dialect.version

    def send(self, request: HttpRequest) -> Response:
        wrong = published.misfit(request.body, self._version)
        assert not wrong, f"{request.method} {request.path} {request.shown}\n{wrong}"
        return self._inner.send(request)


class Script:
    """A sender that answers what it was told, in order, the last answer for ever, and keeps what it was asked.

    The API's root always answers, and is not kept: the client asks it whether an absence is to be believed.
    """

    def __init__(self, answers: Sequence[Scripted]) -> None:
        self._answers = list(answers)
        self.asked: list[HttpRequest] = []

    def send(self, request: HttpRequest) -> Response:
        if (request.method, request.path) in (("GET", "/ovirt-engine/api"), ("GET", "/api")):
            return Response(200, {}, b"<api/>", size=6)
        self.asked.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, RhevError):
            raise answer
        status, text = answer
        if status != 200 or request.reader is None:
            return Response(status, {}, text.encode(), size=len(text))
        reader = request.reader()
        reader.feed(text.encode())
        return Response(status, {}, result=reader.close(), size=len(text))

    def lines(self) -> list[str]:
        """What was asked, as `GET /path`."""
        return [f"{each.method} {each.path}" for each in self.asked]

    def has_session(self) -> bool:
        return False

    def forget_session(self) -> None:
        pass

    def close(self) -> None:
        pass


class Documents(Script):
    """A sender whose lists are documents; what it does not know is empty.

    Args:
        lists: Path of a list below the API -> the documents in it.

    Attributes:
        lists: The same; tests change them.
        things: Path of a thing -> its document.
        calls: `POST /path` -> what happens then, and the document that is the answer.
    """

    #: Lists whose tag is not the end of their path.
    TAGS = {"datacenters": "data_centers", "storagedomains": "storage_domains"}

    def __init__(self, lists: Mapping[str, Sequence[str]]) -> None:
        super().__init__([self._answer])
        self.lists = {path: list(documents) for path, documents in lists.items()}
        self.things: dict[str, str] = {}
        self.calls: dict[str, Callable[[], str]] = {}

    def _answer(self, request: HttpRequest) -> tuple[int, str]:
        path = re.split("[?;]", request.path.partition("/api")[2])[0]
        if request.method == "GET":
            if path in self.things:
                return 200, self.things[path]
            tag = self.TAGS.get(path.rpartition("/")[2], path.rpartition("/")[2])
            return 200, f"<{tag}>{''.join(self.lists.get(path, ()))}</{tag}>"
        return 200, self.calls[f"{request.method} {path}"]()


def run_command(module: Any, manager: Manager, line: str, stdin: str = "") -> list[str]:
    """Run a command line of a command's module; its lines, those of errors with an exclamation mark in front."""
    options, words = parse(module.SPEC, line.split())
    request = Request(module.SPEC.name, args=tuple(line.split()), stdin=stdin)
    clock = manager.clock
    planned = list(module.plan(Context(request, (), options, words, FakeHost(), clock, manager)))
    jobs = [item for item in planned if isinstance(item, Job)]
    said = [item for item in planned if not isinstance(item, Job)]
    said += [Data(job.idle, job.node) for job in jobs if not job.parts]
    said += Runner(Watch(manager, clock), 1, threading.Event()).run([job for job in jobs if job.parts])
    return [("!" if isinstance(one, Error) else "") + (f"{one.node}: " if one.node else "") + one.text for one in said]


def access(folder: Path = Path("/nonexistent"), **more: object) -> Access:
    """How a made-up manager is reached."""
    values: dict[str, Any] = {
        "name": "m",
        "user": "admin@internal",
        "password": Secret("sentinel"),
        "folder": folder,
        **more,
    }
    return Access(**{**values, **more})


def patience(clock: Clock | None = None) -> Patience:
    """How one waits for a made-up manager: until there is an answer."""
    time = clock or ManualClock()
    return Patience(time, Abort(), Pulse("m", time))


def manager_on(
    script: Script,
    dialect: Dialect,
    clock: Clock | None = None,
    say: Callable[[str], None] | None = None,
    token: str = "token",
) -> Manager:
    """A facade over scripted answers, logged in already unless the token is empty."""
    base = "/ovirt-engine/api" if dialect.version >= (3, 4) else "/api"
    http = cast(Http, script)
    login = Login(access(), dialect, base, http, tokens=None if dialect.major == 4 else False)
    login._token = Secret(token) if token else None
    session = Session(access(), http, base, dialect, login)
    return Manager(session, clock or ManualClock(), say)


def vms(*names: str, status: str = "<status>up</status>") -> str:
    """A v4 list of VMs; an id is the name with `id-` before it."""
    inner = "".join(f"<vm id={quoteattr('id-' + name)}><name>{escape(name)}</name>{status}</vm>" for name in names)
    return f"<vms>{inner}</vms>"
