"""The application behind `http://<master>/xcatrhevh/`, for a CGI and for WSGI servers alike.

/xcatrhevh/rhevh_finish_install/<hostname>   a hypervisor reports the end of its install
/xcatrhevh/rhevm_setup/<word>/<node>         a node that becomes a manager or a host asks, or tells how far it is
/xcatrhevh/                                  how far the nodes are, for people
/xcatrhevh/metrics                           numbers of the site's managers, for Prometheus
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any, Callable

from ..clock import Clock, SystemClock
from ..errors import Unreachable, one_line
from . import setup
from .answer import WebAnswer, later
from .callers import caller, within
from .nodemap import NodeMap, load, spoken_name
from .notify import BOOTED, Verdict, XcatdClient
from .settings import WebSettings

MOUNT = "/xcatrhevh"
FINISH, SETUP, METRICS = "/rhevh_finish_install", "/rhevm_setup", "/metrics"
#: Characters of a reason that leave this machine, and of anything foreign that gets into the log.
LONGEST_REASON, LONGEST_LOGGED = 200, 80
LOOPBACK = ("127.0.0.0/8", "::1")
Environ = Mapping[str, Any]


def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Serve one request; the entry point for WSGI servers.

    Args:
        environ: As PEP 3333 says; the settings may be in it as `XCATRHEVH_...`.
        start_response: As PEP 3333 says.
    """
    answer, headers, body = respond(environ, SystemClock(), environ["wsgi.errors"].write)
    start_response(answer.line(), headers)
    return [body]


def serve_cgi() -> None:
    """Serve the request that the process's environment describes; the entry point for the CGI."""
    import os

    answer, headers, body = respond(os.environ, SystemClock(), sys.stderr.write)
    lines = [f"Status: {answer.line()}", *(f"{name}: {value}" for name, value in headers), "Connection: close", "", ""]
    sys.stdout.buffer.write("\r\n".join(lines).encode("ascii") + body)
    sys.stdout.buffer.flush()


def respond(
    environ: Environ,
    clock: Clock,
    log: Callable[[str], object],
) -> tuple[WebAnswer, list[tuple[str, str]], bytes]:
    """Decide about one request and log it in one line.

    Args:
        environ: The request's environment.
        clock: Time.
        log: Takes the line, which ends with a newline.

    Returns:
        The answer, its headers, and its body, which is empty for HEAD.
    """
    settings = WebSettings(environ)
    address = caller(environ, settings.proxies)
    begun = clock.now()
    answer = _answer(environ, settings, address, clock)
    body = answer.text.encode("utf-8", "replace")
    headers = [
        ("Content-Type", f"{answer.kind}; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        *answer.headers,
    ]
    told = " ".join(
        (
            f"xcatrhevh: {address or 'unknown address'} {answer.node or '-'} {answer.status}",
            f"{clock.now() - begun:.3f}s",
            *(_printable(part) for part in (answer.note, *settings.wrong) if part),
        )
    )
    log(told + "\n")
    return answer, headers, b"" if environ.get("REQUEST_METHOD") == "HEAD" else body


def _answer(environ: Environ, settings: WebSettings, address: str, clock: Clock) -> WebAnswer:
    path = _path(environ)
    place, _, name = path[1:].partition("/")
    known = (f"/{place}" == FINISH and "/" not in name) or f"/{place}" == SETUP
    counting = path == METRICS and bool(settings.managers)
    if not known and not counting and path.strip("/"):
        return WebAnswer(404, "There is nothing here.\n", note=f"no such page {path}")
    if environ.get("REQUEST_METHOD", "GET") not in ("GET", "HEAD"):
        return WebAnswer(405, "Only GET and HEAD.\n", (("Allow", "GET, HEAD"),), note="wrong method")
    xcatd, nodes = XcatdClient(settings, clock), load(settings.nodes)
    try:
        if not known:
            return (_metrics if counting else _status)(settings, nodes, xcatd, address)
        if f"/{place}" == SETUP:
            return setup.answer(nodes, xcatd, address, name)
        return _finish(nodes, xcatd, address, name)
    except Unreachable as problem:
        return later("xcatd does not answer; try again.\n", str(problem))


def _path(environ: Environ) -> str:
    """The path below the mount, whether the server has split it off or not."""
    path = str(environ.get("PATH_INFO", ""))
    if not environ.get("SCRIPT_NAME") and (path == MOUNT or path.startswith(MOUNT + "/")):
        path = path[len(MOUNT) :]
    return path


def _finish(nodes: NodeMap, xcatd: XcatdClient, address: str, said: str) -> WebAnswer:
    """Move the node at this address on; the name that it gives may confirm that, and never decides."""
    if not address:
        return WebAnswer(403, "Your address is not known.\n", note=f"no address, says {said}")
    name = spoken_name(said)
    named = nodes.node_of(name)
    refused: WebAnswer | None = None
    for node in nodes.candidates(address):
        if named and named != node:
            refused = refused or WebAnswer(
                403,
                f"{address} is {node}, not {named}.\n",
                node=node,
                note=f"refused, says it is {named}",
            )
            continue
        differs = bool(said) and named != node and name.partition(".")[0] != node
        verdict = xcatd.report(node, address, name if differs else "")
        answer = _verdict_answer(node, verdict, f"says it is {said}" if differs else "")
        if verdict.booted or verdict.again:
            return answer
        refused = refused or answer
    return refused or WebAnswer(
        403,
        f"No node has the address {address}.\n",
        note=f"stranger, says it is {said}. {nodes.wrong}".rstrip(". "),
    )


def _verdict_answer(node: str, verdict: Verdict, note: str) -> WebAnswer:
    if verdict.booted:
        return WebAnswer(200, f"{node}: {BOOTED}\n", node=node, note=", ".join(filter(None, (BOOTED, note))))
    reason = one_line(verdict.text)[:LONGEST_REASON]
    note = ", ".join(filter(None, (reason, note)))
    if verdict.again:
        return later(f"{node}: {reason}\n", note, node)
    return WebAnswer(403, f"{node}: {reason}\n", node=node, note=note)


def _status(settings: WebSettings, nodes: NodeMap, xcatd: XcatdClient, address: str) -> WebAnswer:
    """The page for people, if they sit in one of the site's management networks."""
    from . import metrics, page  # hypervisors do not pay for it

    if not _may_look(settings, nodes, address):
        return WebAnswer(403, "This page is for the site's management networks.\n", note="status page, not from here")
    known = nodes.nodes()
    ends = metrics.near(xcatd, settings.managers)
    html = page.render(xcatd.progress(known), time.strftime("%H:%M:%S"), nodes.wrong, ends)
    return WebAnswer(200, html, page.HEADERS, "text/html", note="status page")


def _metrics(settings: WebSettings, nodes: NodeMap, xcatd: XcatdClient, address: str) -> WebAnswer:
    """Numbers for Prometheus, for those who may see the page."""
    from . import metrics

    if not _may_look(settings, nodes, address):
        return WebAnswer(403, "This page is for the site's management networks.\n", note="metrics, not from here")
    text, wrong = metrics.text(xcatd, settings.managers)
    return WebAnswer(200, text, kind=metrics.KIND, note=f"metrics {wrong}".strip())


def _may_look(settings: WebSettings, nodes: NodeMap, address: str) -> bool:
    return within(address, (*LOOPBACK, *(settings.networks or nodes.networks)))


def _printable(text: str) -> str:
    """Foreign words in the log: printable ASCII, not long."""
    text = one_line(text).encode("ascii", "backslashreplace").decode()
    return text if len(text) <= LONGEST_LOGGED * 3 else text[: LONGEST_LOGGED * 3] + "..."
