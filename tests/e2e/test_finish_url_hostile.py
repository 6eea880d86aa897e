"""Hostile requests: whatever comes, no 500, and xcatd gets a node's name, an address and a host name only."""

from __future__ import annotations

import os
import random
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from finish_site import (
    Embedded,
    Stub,
    Web,
    apache,
    booted,
    needs_apache,
    public_folder,
    write_map,
)
from test_finish_url_embedded import fill
from test_finish_url_servers import SERVERS

from xcat_rhev.clock import ManualClock
from xcat_rhev.web import app, nodemap, notify
from xcat_rhev.xcat.schema import TABLES
from xcat_rhev.xcat.wire import WireRequest, read_request, read_response, split

#: Requests in the application alone, and over each real server; the second number can be set for a long run.
INSIDE, OUTSIDE = 6_000, int(os.environ.get("FINISH_REQUESTS", "200"))
NODES = {f"127.0.1.{number}": f"rhevh{number}" for number in range(1, 20)}
FINISH = "/xcatrhevh/rhevh_finish_install/"
PIECES = (
    "rhevh1",
    "rhevh2",
    "localhost",
    "(none)",
    "",
    ".",
    "..",
    "/",
    "//",
    "\\",
    "%2e%2e%2f",
    "%2F",
    "%00",
    "%0d%0a",
    "%0a",
    "%",
    "%zz",
    "%u0041",
    "%c0%ae",
    "%ff",
    "%e2%84%aa",
    "\u00e9",
    "\u212a",
    "<",
    ">",
    "&",
    "&amp;",
    "]]>",
    "<!--",
    "<!DOCTYPE a [",
    "</noderange><noderange>all",
    "<arg>--status</arg>",
    "';reboot;'",
    "$(reboot)",
    "`id`",
    "|",
    "||",
    "&&",
    ";",
    "*",
    "?",
    "#",
    "all",
    "rhevh1,rhevh2",
    "rhevh1-rhevh9",
    "@rhevh",
    "^/etc/passwd",
    "/.*",
    "rhevh~x",
    "-V",
    "--status",
    "-h",
    "\t",
    " ",
    "\x7f",
    "\x1b[2J",
    "xxxxESCxxxx",
    "A" * 300,
    "9" * 5000,
    "../../../etc/passwd",
    "{}",
    "%n%n%n",
    "\u202e",
    "null",
    "true",
)
HEADERS = (
    "X-Forwarded-For: 127.0.1.1",
    "X-Forwarded-For: " + "127.0.1.1, " * 200,
    "Forwarded: for=127.0.1.1",
    "Host: evil",
    "Host:",
    "Content-Length: 5",
    "Content-Length: -1",
    "Transfer-Encoding: chunked",
    "Expect: 100-continue",
    "Range: bytes=0-",
    "X-Http-Method-Override: DELETE",
    "Proxy: http://192.0.2.1",
    "Path-Info: /x",
    "Connection: close",
    "Cookie: a=b",
    "User-Agent: () { :;}; /bin/reboot",
    "X: " + "y" * 7000,
    "Authorization: Basic AAAA",
    "Referer: \x01\x02",
    ": novalue",
)


def name(dice: random.Random) -> str:
    return "".join(dice.choice(PIECES) for _ in range(dice.randint(0, 4)))


def path(dice: random.Random) -> str:
    return dice.choice((FINISH, FINISH, FINISH, "/xcatrhevh/", "/xcatrhevh", "/", "", "//xcatrhevh//")) + name(dice)


def mapping(folder: Path) -> str:
    write_map(folder / "nodes.json", NODES)
    return str(folder / "nodes.json")


def is_plain(request: WireRequest) -> bool:
    """Whether a request to xcatd is one of the two forms that exist, with nothing foreign in it."""
    if request.command != "rhevhupdateflag":
        return False
    if request.args == ("--status",):
        return set((request.noderange or "").split(",")) == set(NODES.values())
    return (
        request.noderange in NODES.values()
        and NODES.get(request.args[0]) == request.noderange
        and all(re.fullmatch(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", word) for word in request.args[1:])
        and len(request.args) < 3
        and not request.nodes
        and request.becomeuser is None
        and not request.username
    )


def test_thousands_in_the_application(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sent: list[bytes] = []

    def exchange(_: object, __: object, request: bytes, ___: float) -> list[object]:
        sent.append(request)
        return [read_response(part) for part in split(booted(read_request(request).noderange or ""))[0]]

    monkeypatch.setattr(notify.XcatdClient, "_exchange", exchange)
    monkeypatch.setattr(nodemap, "names_of", lambda address: [])
    dice, statuses, lines = random.Random(7), set(), []  # type: ignore[var-annotated]
    settings = {"XCATRHEVH_NODES": mapping(tmp_path), "XCATRHEVH_FILE": "/nowhere", "XCATRHEVH_PROXIES": "127.0.8.0/24"}
    for _ in range(INSIDE):
        environ = {
            "REQUEST_METHOD": dice.choice(("GET", "GET", "GET", "HEAD", "POST", "", "G\x00T", name(dice))),
            "SCRIPT_NAME": dice.choice(("", "/xcatrhevh", "/xcatrhevh", name(dice))),
            "PATH_INFO": dice.choice((path(dice), "/rhevh_finish_install/" + name(dice), name(dice))),
            "REMOTE_ADDR": dice.choice((*NODES, "127.0.9.9", "127.0.8.1", "::ffff:127.0.1.3", name(dice))),
            "HTTP_X_FORWARDED_FOR": dice.choice((*NODES, name(dice), ", ".join(NODES), "127.0.1.1,127.0.8.7")),
            "QUERY_STRING": name(dice),
            **settings,
        }
        answer, headers, _ = app.respond(environ, ManualClock(), lines.append)
        statuses.add(answer.status)
        assert all("\n" not in part and "\r" not in part for header in headers for part in header)
    assert statuses == {200, 403, 404, 405}
    assert all(line.count("\n") == 1 and line.isascii() and line[:-1].isprintable() for line in lines)
    assert len(lines) == INSIDE
    assert len(sent) > 1000
    assert all(is_plain(read_request(request)) for request in sent)
    assert not any(request.count(b"<noderange>") != 1 for request in sent)


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    with public_folder() as made, Stub(made) as stub:
        yield stub


@pytest.fixture(
    params=[
        pytest.param(key, marks=mark)
        for key, (mark, _) in SERVERS.items()
        if key != "apache mod_cgid"  # as mod_cgi does
    ]
)
def web(request: pytest.FixtureRequest, stub: Stub) -> Iterator[Web]:
    stub.requests.clear()
    with public_folder() as folder:
        with SERVERS[request.param][1](folder, {**stub.settings(), "NODES": mapping(folder)}) as web:
            yield web


def raw(dice: random.Random) -> bytes:
    """One request as bytes, from nearly right to nonsense."""
    method = dice.choice(("GET",) * 8 + ("HEAD", "POST", "get", "TRACE", "OPTIONS", "\x00", "G" * 9000))
    version = dice.choice(("HTTP/1.0",) * 6 + ("HTTP/1.1", "HTTP/9.9", "", "HTTP/1.0 x"))
    target = path(dice)
    if dice.random() < 0.7:  # most servers look no further at a blank or a control character
        target = re.sub(r"[\x00-\x20\x7f]", "%20", target)
    if dice.random() < 0.01:
        target += "x" * 1_000_000
    headers = [dice.choice(HEADERS) for _ in range(dice.choice((0, 0, 0, 0, 1, 1, 2, 300)))]
    text = "\r\n".join((f"{method} {target} {version}", "Host: mn", *headers, "", ""))
    body = b"x" * 2000 if dice.random() < 0.02 else b""
    return text.encode(dice.choice(("utf-8", "latin-1")), "replace") + body


def status_of(web: Web, request: bytes, source: str) -> int:
    """Send bytes and read the status; 0 if the server just closed, or waits for a body that never comes."""
    with socket.create_connection((web.address, web.port), 300, source_address=(source, 0)) as connection:
        if re.search(rb"Content-Length|chunked|Expect", request):
            connection.settimeout(1)
        try:
            connection.sendall(request)
            answer = b""
            while len(answer) < 12 and (part := connection.recv(4096)):
                answer += part
        except OSError:
            return 0
    return int(answer[9:12]) if answer.startswith(b"HTTP/") else 0


@pytest.mark.slow
def test_over_a_real_server(web: Web, stub: Stub) -> None:
    dice = random.Random(11)
    work = [(raw(dice), dice.choice((*NODES, "127.0.9.9", "127.0.9.8"))) for _ in range(OUTSIDE)]
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda one: status_of(web, *one), work))
    print({status: statuses.count(status) for status in sorted(set(statuses))})
    assert not {500, 502, 504}.intersection(statuses)
    assert 200 in statuses and 403 in statuses and 404 in statuses
    assert all(is_plain(request) for request in stub.requests)
    assert web.ask(FINISH + "rhevh1", "127.0.1.1")[:2] == (200, "rhevh1: booted\n")


@needs_apache
@pytest.mark.slow
def test_no_table_changes_whatever_comes() -> None:
    dice = random.Random(13)
    with public_folder() as home, Embedded(home) as xcat, public_folder() as folder:
        fill(xcat)
        xcat.put("hosts", {node: {"ip": address} for address, node in NODES.items()})
        xcat.put("nodelist", {node: {"groups": "rhevh", "status": "alive"} for node in NODES.values()})
        xcat.put("chain", {node: {"currstate": "standby", "currchain": "boot"} for node in NODES.values()})
        with apache(folder, {**xcat.settings(), "NODES": mapping(folder)}, "cgid") as web:
            before = {table: xcat.store.rows(table) for table in TABLES if table != "auditlog"}
            work = [(raw(dice), dice.choice((*NODES, "127.0.9.9"))) for _ in range(OUTSIDE)]
            with ThreadPoolExecutor(8) as pool:
                statuses = list(pool.map(lambda one: status_of(web, *one), work))
            assert {table: xcat.store.rows(table) for table in before} == before
    assert 403 in statuses  # some got as far as xcatd
    assert not {500, 502, 504}.intersection(statuses)
