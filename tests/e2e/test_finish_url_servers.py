"""The finish URL under real web servers with the shipped snippets, fetched by GNU wget and curl as hypervisors do."""

from __future__ import annotations

import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from finish_site import (
    MODULES,
    Stub,
    Web,
    apache,
    booted,
    needs_apache,
    needs_nginx,
    nginx,
    public_folder,
    write_map,
)

SERVERS = {
    "apache mod_cgi": (needs_apache, lambda folder, settings: apache(folder, settings, "cgi")),
    "apache mod_cgid": (needs_apache, lambda folder, settings: apache(folder, settings, "cgid")),
    "apache mod_wsgi": (
        pytest.mark.skipif(not Path(MODULES, "mod_wsgi.so").exists(), reason="mod_wsgi is not installed"),
        lambda folder, settings: apache(folder, settings, "wsgi"),
    ),
    "nginx fcgiwrap": (needs_nginx, nginx),
}


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    with public_folder() as made, Stub(made) as stub:
        yield stub


@contextmanager
def serving(server: str, stub: Stub, wait: str) -> Iterator[Web]:
    """A web server that waits so many seconds for xcatd."""
    with public_folder() as folder:
        write_map(folder / "nodes.json", {f"127.0.1.{number}": f"rhevh{number}" for number in range(1, 100)})
        settings = {**stub.settings(), "NODES": str(folder / "nodes.json"), "WAIT": wait, "NETWORKS": "127.0.7.0/24"}
        with SERVERS[server][1](folder, settings) as web:
            yield web


@pytest.fixture(scope="module", params=[pytest.param(name, marks=mark) for name, (mark, _) in SERVERS.items()])
def server(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def web(server: str, stub: Stub) -> Iterator[Web]:
    with serving(server, stub, "300") as web:
        yield web


@pytest.fixture(autouse=True)
def fresh(stub: Stub) -> None:
    stub.requests.clear()
    stub.raw.clear()
    stub.answer = lambda request: booted(request.noderange or "")


def wget(web: Web, name: str, source: str) -> subprocess.CompletedProcess[str]:
    """As ovirt-node's local_boot_trigger.sh does, but with the answer kept."""
    words = ["wget", "-q", "--no-check-certificate", "--tries=1", f"--bind-address={source}", "-O", "-", web.url(name)]
    return subprocess.run(words, capture_output=True, text=True, timeout=300)


def curl(web: Web, name: str, source: str, *more: str) -> subprocess.CompletedProcess[str]:
    """As ovirt-node 3.2 and later do."""
    words = ["curl", "-s", "--insecure", "--interface", source, *more, web.url(name)]
    return subprocess.run(words, capture_output=True, text=True, timeout=300)


def test_wget_finishes(web: Web, stub: Stub) -> None:
    done = wget(web, "rhevh1.example.com", "127.0.1.1")
    assert (done.returncode, done.stdout) == (0, "rhevh1: booted\n")
    assert [(request.noderange, request.args) for request in stub.requests] == [("rhevh1", ("127.0.1.1",))]


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_finishes(web: Web) -> None:
    done = curl(web, "(none)", "127.0.1.2", "-i")
    head, _, body = done.stdout.replace("\r", "").partition("\n\n")
    lines = head.lower().split("\n")
    assert (done.returncode, body) == (0, "rhevh2: booted\n")
    assert lines[0].split()[1] == "200"
    assert "content-length: 15" in lines
    assert not any(line.startswith(("transfer-encoding", "location")) for line in lines)


def test_wget_of_a_stranger_fails_at_once(web: Web, stub: Stub) -> None:
    assert wget(web, "rhevh1", "127.0.9.9").returncode == 8
    assert stub.requests == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "rhevh1",
        "RHEVH1",
        "localhost",
        "%28none%29",
        "@HOSTNAME@",
        "x%20y",
        "a%3Cb%26c",
        "%C3%A9",
    ],
)
def test_names_that_do_not_matter(web: Web, stub: Stub, name: str) -> None:
    assert web.ask(f"/xcatrhevh/rhevh_finish_install/{name}", "127.0.1.1")[:2] == (200, "rhevh1: booted\n")
    assert stub.requests[0].args[0] == "127.0.1.1"


def test_each_outcome(web: Web, stub: Stub) -> None:
    finish = "/xcatrhevh/rhevh_finish_install/"
    assert web.ask(finish + "rhevh2", "127.0.1.1")[:2] == (403, "127.0.1.1 is rhevh1, not rhevh2.\n")
    assert web.ask("/xcatrhevh/nothing")[0] == 404
    assert web.ask("/xcatrhevhx")[0] == 404
    assert web.ask(finish + "rhevh1", "127.0.1.1", "POST")[0] == 405
    assert web.ask(finish + "rhevh1", "127.0.1.1", "DELETE")[0] == 405
    status, body, headers = web.ask(finish + "rhevh1", "127.0.1.1", "HEAD")
    assert (status, body, headers["content-length"]) == (200, "", "15")


def test_an_xcatd_that_does_not_answer(server: str, stub: Stub) -> None:
    stub.answer = lambda request: None
    with serving(server, stub, "1") as web:
        status, body, headers = web.ask("/xcatrhevh/rhevh_finish_install/rhevh1", "127.0.1.1")
    assert (status, body) == (503, "xcatd does not answer; try again.\n")
    assert int(headers["retry-after"]) > 0
    assert stub.requests


def test_the_connection_ends_with_the_answer(web: Web) -> None:
    with socket.create_connection((web.address, web.port), 300, source_address=("127.0.1.1", 0)) as connection:
        connection.sendall(b"GET /xcatrhevh/rhevh_finish_install/x HTTP/1.1\r\nHost: mn\r\n\r\n")
        received = b""
        while part := connection.recv(4096):
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    assert body == b"rhevh1: booted\n"
    assert b"\r\nconnection: close" in head.lower() or web.log.name == "apache.log"


def test_forwarded_is_not_believed_from_strangers(web: Web, stub: Stub) -> None:
    headers = {"X-Forwarded-For": "127.0.1.1", "Forwarded": "for=127.0.1.1", "Remote-Addr": "127.0.1.1"}
    assert web.ask("/xcatrhevh/rhevh_finish_install/rhevh1", "127.0.9.9", headers=headers)[0] == 403
    assert stub.requests == []


def test_a_header_cannot_be_a_setting(web: Web) -> None:
    headers = {"XCATRHEVH_NODES": "/etc/passwd", "Xcatrhevh-Xcatd": "192.0.2.1:1", "Proxy": "http://192.0.2.1"}
    assert web.ask("/xcatrhevh/rhevh_finish_install/rhevh1", "127.0.1.1", headers=headers)[0] == 200


def test_status_page_only_where_it_may_be_seen(web: Web) -> None:
    assert web.ask("/xcatrhevh/", "127.0.0.1")[0] == 200
    assert web.ask("/xcatrhevh", "127.0.0.1")[0] == 200


def test_one_line_in_the_log(web: Web) -> None:
    if "nginx" in web.log.name:
        pytest.skip("nginx cuts what a CGI logs; its own lines are around")
    before = web.log.read_text().count("xcatrhevh: ")
    web.ask("/xcatrhevh/rhevh_finish_install/rhevh1%0a%0dxcatrhevh:%20evil", "127.0.1.1")
    lines = [line for line in web.log.read_text().splitlines() if "xcatrhevh: 1" in line]
    assert "xcatrhevh: 127.0.1.1 rhevh1 200" in lines[-1]
    assert web.log.read_text().count("xcatrhevh: 127.0.1.1") >= 1
    assert web.log.read_text().count("\nxcatrhevh: evil") == 0
    assert before < web.log.read_text().count("xcatrhevh: ")


@needs_apache
@pytest.mark.slow
def test_latency_of_the_cgi(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows figures; asserts only that every one was served."""
    with public_folder() as folder:
        write_map(folder / "nodes.json", {f"127.0.1.{number}": f"rhevh{number}" for number in range(1, 100)})
        with apache(folder, {**stub.settings(), "NODES": str(folder / "nodes.json")}, "cgi") as web:
            seconds, statuses = [], set()
            for number in range(25):
                begun = time.perf_counter()
                which = number % 99 + 1
                statuses.add(web.ask(f"/xcatrhevh/rhevh_finish_install/rhevh{which}", f"127.0.1.{which}")[0])
                seconds.append(time.perf_counter() - begun)
    with capsys.disabled():
        median, most = statistics.median(seconds) * 1000, sorted(seconds)[23] * 1000
        print(f"\nmod_cgi: median {median:.1f} ms, 95 % within {most:.1f} ms")
    assert statuses == {200}
