"""From a request to an answer, without a socket: dialect, login, route, handler, document."""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

from . import absent, faults, render, vocabulary
from .answers import Raw, refused_action, unknown_parts, write
from .auth import Doorkeeper, challenge
from .call import ApiCall, item_of, strictly
from .dialect import SimDialect, Thing
from .register import OPEN
from .resources import ROUTES
from .routing import Route, Routes
from .settings import Settings
from .world import World

#: The longest request line that the web server in front of the engine takes.
LONGEST = 8190
log = logging.getLogger(__name__)

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CORRELATION = re.compile(r"[0-9A-Za-z_-]{1,36}")
#: Parameters that each dialect looks at; strict mode refuses others.
_PARAMS = {
    3: frozenset(
        "search max case_sensitive case-sensitive from async current next_run detail unregistered filter".split()
    ),
    4: frozenset(
        "search max case_sensitive from async current next_run follow filter all_content correlation_id detach_only "
        "force format host destroy clone activate reboot deploy_hosted_engine unregistered seal clone_permissions "
        "soft_force index size wait read_only grace_period name reconstruct_pool "
        "undeploy_hosted_engine storage_domain version stop_gluster_service".split()
    ),
}
#: v3 takes these from the last part of the path only.
_MATRIX_ONLY = frozenset({"max", "current", "next_run", "case_sensitive", "case-sensitive", "unregistered"})


@dataclass(frozen=True)
class SimRequest:
    """What came over the wire.

    Attributes:
        method: As in HTTP.
        target: Path and query as they were sent.
        headers: By lower-case name.
        body: The bytes.
        peer: The caller's address.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    peer: str = ""

    @property
    def path(self) -> str:
        """The path without query and matrix parameters."""
        return unquote(self.target.partition("?")[0])

    @property
    def query(self) -> str:
        """The query as it was sent."""
        return self.target.partition("?")[2]

    @cached_property
    def query_words(self) -> dict[str, str]:
        """What the query says; a search is long, and is looked at more than once."""
        return dict(reversed(parse_qsl(self.query, keep_blank_values=True)))  # the first of several counts


@cache
def _routes() -> Routes:
    """The table of calls, which all engines of a process share."""
    return Routes(ROUTES)


class Application:
    """The engine behind the socket.

    Args:
        world: Its data.
        settings: Its choices.
        ca: Its CA certificate as PEM.
    """

    def __init__(self, world: World, settings: Settings, ca: bytes = b"") -> None:
        self.world = world
        self.settings = settings
        self.ca = ca
        self.routes = _routes()
        self.door = Doorkeeper(settings, world.now)
        self._cache: dict[Any, tuple[int, str]] = {}

    def label(self, request: SimRequest) -> str:
        """Name the kind of call for counting: `POST /vms/{id}/start`."""
        _, rest, _ = self.settings.dialect(request.path, request.headers.get("version", ""))
        path = (rest if rest is not None and rest != "" else request.path).partition(";")[0]
        steps = ["{id}" if _GUID.fullmatch(step) else step for step in path.split("/")]
        return f"{request.method} {'/'.join(steps) or '/'}"

    def answer(self, request: SimRequest) -> Raw:
        """Answer one request; the world moves on to now first."""
        with self.world.lock:
            self.world.settle()
            open_to_all = OPEN.get(request.path)
            if open_to_all is not None:
                return open_to_all(self, request)
            dialect, rest, status = self.settings.dialect(request.path, request.headers.get("version", ""))
            if dialect is None or _unfit(request):
                unfit = status or _unfit(request)
                return Raw(b"", unfit) if dialect and dialect.modern and unfit != 414 else _container(unfit)
            answer = self._answer_admitted(request, dialect, rest)
            if request.method not in ("GET", "HEAD"):
                self.world.commit()
            return answer

    def _answer_admitted(self, request: SimRequest, dialect: SimDialect, rest: str) -> Raw:
        admitted = self.door.admit(request.headers, dialect)
        if not admitted.user:
            return challenge(dialect, self.settings.html_errors, admitted.reason, self.settings.login)
        correlation = self._correlation(request, dialect)
        answer = self._call(request, dialect, rest.partition(";")[0], admitted.state)
        if correlation:
            answer.headers["Correlation-Id"] = correlation
        if admitted.session:
            answer.headers["Set-Cookie"] = f"JSESSIONID={admitted.session}; Path={dialect.base}; Secure"
            if dialect.number == 3 and dialect.version >= (3, 3):
                answer.headers["JSESSIONID"] = admitted.session
        return answer

    def _correlation(self, request: SimRequest, dialect: SimDialect) -> str:
        told = request.headers.get("correlation-id", "")
        if dialect.number == 4:
            told = told or request.query_words.get("correlation_id", "")
            told = told if _CORRELATION.fullmatch(told) else str(uuid.uuid4())
            self.world.correlation = told
            return told
        self.world.correlation = told if dialect.knows((3, 1)) else ""
        return ""

    def _call(self, request: SimRequest, dialect: SimDialect, rest: str, state: str) -> Raw:
        body: Any = None
        route: Route | None = None
        call = ApiCall(self.world, dialect, params=_params(request, dialect), headers=request.headers)
        call.strict, call.routes, call.cache = self.settings.strict, self.routes, self._cache
        call.settings, call.where = self.settings, dialect.base + rest
        try:
            try:
                route, ids = self.routes.find(_method(request), rest, dialect)
            except faults.Gone:
                return _no_path(request, dialect)
            call.admin = state == "good"
            if state == "user":
                self._check_rights(request, root=not rest.strip("/"))
            try:
                call.things = self._things_in_path(call, ids)
            except faults.Gone:
                return absent.answer(route, *next(iter(ids.items())), dialect)
            body = self._body(request, call, route)
            call.body = body if _body_counts(route, dialect) else None
            return write(call, route.handler(call))
        except faults.Gone:
            return Raw(b"", 404)
        except vocabulary.WrongRoot:
            return Raw(b"java.lang.ClassCastException@504254aa", 500, "text/html;charset=UTF-8")
        except faults.Crashed:
            return _container(500)
        except faults.NotHere:
            return Raw(b"", 405) if dialect.modern else _container(405)
        except faults.Refused as refusal:
            return self._refusal(call, route, refusal)

    def _body(self, request: SimRequest, call: ApiCall, route: Route) -> Any:
        """Read a body; what an engine of this version cannot read is refused."""
        four = call.dialect.number == 4 and route.method in {"POST", "PUT"}
        try:
            body = render.parse(request.body) if request.body.strip() else None
        except faults.Refused:
            if four:
                raise vocabulary.incorrect(route, request.headers.get("host", "localhost")) from None
            raise
        if route.action and body is not None and body.tag != "action" and not four:
            raise faults.Refused(f"Cannot construct action from {body.tag}", faults.BAD, "usage")
        self._strict(call, route, body)
        if four:
            self._check_words(request, call, route, body)
        elif body is not None and call.dialect.modern and vocabulary.unknown3(body):
            raise faults.Unreadable("Request syntactically incorrect", faults.BAD)
        return body

    def _check_words(self, request: SimRequest, call: ApiCall, route: Route, body: Any) -> None:
        """Refuse what v4 cannot read; strict mode names it."""
        host = request.headers.get("host", "localhost")
        vocabulary.check(body, route, host, call.dialect.version)
        unknown = vocabulary.unknown(body, route)
        if unknown:
            raise strictly(unknown, call.dialect) if call.strict else vocabulary.incorrect(route, host)

    def _check_rights(self, request: SimRequest, root: bool) -> None:
        """What somebody without an administrator's role may do: read, and before 4.2 only what is filtered for them."""
        if request.method not in {"GET", "HEAD"}:
            raise faults.Refused("User is not authorized to perform this action.", faults.DENIED)
        version = self.settings.v3_version if self.settings.api == "3" else self.settings.v4_version
        if version < ((4, 0) if root else (4, 2)) and request.headers.get("filter") != "true":
            text = "Query execution failed due to insufficient permissions."
            raise faults.Refused(text, faults.BAD, listed=False)

    def _things_in_path(self, call: ApiCall, ids: dict[str, str]) -> dict[str, Thing]:
        """Find the things of the path; one that is not its owner's is not there."""
        things: dict[str, Thing] = {}
        for kind, thing_id in ids.items():
            if kind not in self.world.things:
                things[kind] = {"id": thing_id}
                continue
            thing = item_of(call, kind, thing_id)
            owned = [owner for owner in things if owner in thing and kind != "storage_domain"]
            if owned and all(thing[owner] != things[owner]["id"] for owner in owned):
                raise faults.Gone
            things[kind] = thing
        return things

    def _strict(self, call: ApiCall, route: Route, body: Any) -> None:
        """Refuse what this dialect would not look at."""
        if not self.settings.strict:
            return
        unknown = [f"?{name}" for name in call.params if name not in _PARAMS[call.dialect.number]]
        if body is not None and not _body_counts(route, call.dialect):
            unknown.append("the body of a DELETE")
        if body is None and route.action:
            unknown.append("an action without a body; send <action/>")
        elif body is not None and route.action:
            unknown += unknown_parts(body, call.dialect)
        if unknown:
            raise strictly(unknown, call.dialect)

    def _refusal(self, call: ApiCall, route: Route | None, refusal: faults.Refused) -> Raw:
        status = refusal.status(call.dialect)
        three = call.dialect.number == 3 and call.dialect.modern
        if refusal.reason == "usage" or (three and isinstance(refusal, faults.Unreadable)):
            return _usage(call.dialect, refusal)
        text = render.fault(call.dialect, refusal)
        if route is not None and route.action:
            text = refused_action(call, text)
        return Raw(render.document(text), status)


def _body_counts(route: Route, dialect: SimDialect) -> bool:
    """v4 does not look at the body of a DELETE."""
    return route.method != "DELETE" or dialect.number == 3


def _method(request: SimRequest) -> str:
    return "GET" if request.method == "HEAD" else request.method


def _params(request: SimRequest, dialect: SimDialect) -> dict[str, str]:
    """Read query and matrix parameters as this dialect does: v3 takes some from the path only."""
    query = request.query_words
    last = request.target.partition("?")[0].rpartition("/")[2]
    matrix = dict(
        (unquote(name), unquote(value))
        for name, _, value in (part.partition("=") for part in last.split(";")[1:] if part)
    )
    if dialect.number == 3:
        unseen = {name: value for name, value in query.items() if name in _MATRIX_ONLY}
        query = {name: value for name, value in query.items() if name not in unseen}
        query.update({f"{name} (only as ;{name}=)": value for name, value in unseen.items()})
    return {**query, **matrix}


def _unfit(request: SimRequest) -> int:
    """Give the status with which the web server turns a request away before the engine sees it, or 0."""
    if len(request.target) > LONGEST:
        return 414
    accept, content = request.headers.get("accept", "*/*"), request.headers.get("content-type", "")
    if not any(word in accept for word in ("xml", "*/*", "virt-viewer")):
        return 406
    return 415 if request.body.strip() and "xml" not in content else 0


def _container(status: int) -> Raw:
    """Answer as the web server around the engine does."""
    page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    return Raw(page.encode(), status, "text/html;charset=UTF-8")


def _no_path(request: SimRequest, dialect: SimDialect) -> Raw:
    """Answer where no resource of any kind stands: since 4.3 the framework below the API says so in v4."""
    if dialect.number == 3 or not dialect.knows((4, 3)):
        return Raw(b"", 404)
    where = f"https://{request.headers.get('host', 'localhost')}{dialect.base}/v{dialect.number}"
    where += request.path.removeprefix(dialect.base)
    text = f"RESTEASY003210: Could not find resource for full path: {where}"
    return Raw(text.encode(), 404, "text/html;charset=UTF-8")


def _usage(dialect: SimDialect, refusal: faults.Refused) -> Raw:
    """Answer to XML that cannot be read: a document of its own since 3.1, not a fault."""
    if dialect.version < (3, 1):
        return Raw(render.document(render.fault(dialect, refusal)), 400)
    return Raw(
        render.document("<usage_message><message>Request syntactically incorrect.</message></usage_message>"), 400
    )


def as_json(value: Any, status: int = 200) -> Raw:
    """Make an answer for the simulator's own addresses."""
    return Raw(json.dumps(value, sort_keys=True).encode(), status, "application/json")
