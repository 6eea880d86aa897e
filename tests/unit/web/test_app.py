"""The application: from a request to an answer, with an xcatd that is a table."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from xcat_rhev.clock import ManualClock
from xcat_rhev.errors import Unreachable
from xcat_rhev.web import app, nodemap, page
from xcat_rhev.web.notify import InstallProgress, Overview, Verdict

BOOTED = Verdict(True, False, "")


class Xcatd:
    """Answers as told and remembers what it was asked."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self.reports: list[tuple[str, str, str]] = []
        self.lines: list[InstallProgress] = []
        self.down = False

    def __call__(self, *_: Any) -> Xcatd:
        return self

    def report(self, node: str, address: str, name: str = "") -> Verdict:
        if self.down:
            raise Unreachable("xcatd does not answer: refused")
        self.reports.append((node, address, name))
        return self.verdicts.get(node, BOOTED)

    def progress(self, nodes: Sequence[str]) -> Overview:
        if self.down:
            raise Unreachable("xcatd does not answer: refused")
        return Overview([line for line in self.lines if line.node in nodes])


class Site:
    """The application with its surroundings.

    Attributes:
        xcatd: The one it asks.
        names: Names that the name service confirms, by address.
        log: Every line it wrote.
    """

    def __init__(self, folder: Path, xcatd: Xcatd, names: dict[str, list[str]]) -> None:
        self.xcatd, self.names, self.log = xcatd, names, []  # type: ignore[var-annotated]
        self.environ = {"XCATRHEVH_NODES": str(folder / "nodes.json"), "XCATRHEVH_FILE": "/nowhere"}
        addresses = {f"10.0.0.{number}": f"rhevh{number}" for number in range(1, 10)} | {"fd00::1": "rhevh1"}
        hosts = {name: name.partition(".")[0] for n in range(1, 10) for name in (f"rhevh{n}", f"rhevh{n}.example.com")}
        content = {"version": 1, "addresses": addresses, "names": hosts}
        (folder / "nodes.json").write_text(json.dumps(content))

    def ask(
        self,
        path: str,
        address: str = "10.0.0.1",
        method: str = "GET",
        **environ: str,
    ) -> tuple[int, str, dict[str, str]]:
        request = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "/xcatrhevh",
            "PATH_INFO": path,
            "REMOTE_ADDR": address,
            **self.environ,
            **environ,
        }
        answer, headers, body = app.respond(request, ManualClock(), self.log.append)
        return answer.status, body.decode(), dict(headers)

    def finish(self, name: str, address: str = "10.0.0.1", **environ: str) -> tuple[int, str]:
        return self.ask(f"/rhevh_finish_install/{name}", address, **environ)[:2]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    xcatd, names = Xcatd(), {}  # type: ignore[var-annotated]
    monkeypatch.setattr(app, "XcatdClient", xcatd)
    monkeypatch.setattr(nodemap, "names_of", lambda address: names.get(address, []))
    return Site(tmp_path, xcatd, names)


@pytest.mark.parametrize(
    "name",
    [
        "rhevh1",
        "RHEVH1",
        "rhevh1.example.com",
        "rhevh1.example.com.",
        "rhevh1.other.net",
        "localhost",
        "(none)",
        "",
        "localhost.localdomain",
        "@HOSTNAME@",
        "%",
        "unknown",
        "\x00",
        "a" * 5000,
    ],
)
def test_the_address_decides_and_the_name_does_not(site: Site, name: str) -> None:
    assert site.finish(name) == (200, "rhevh1: booted\n")
    assert site.xcatd.reports[0][:2] == ("rhevh1", "10.0.0.1")


def test_a_name_that_is_another_nodes_is_refused_without_asking_xcatd(site: Site) -> None:
    assert site.finish("rhevh2") == (403, "10.0.0.1 is rhevh1, not rhevh2.\n")
    assert site.finish("RHEVH2.example.com.")[0] == 403
    assert site.xcatd.reports == []


def test_a_strange_name_goes_to_xcatd_which_knows_more_nodes(site: Site) -> None:
    site.finish("compute7.example.com")
    site.finish("<arg>&evil")
    assert [name for _, _, name in site.xcatd.reports] == ["compute7.example.com", ""]
    assert "says it is compute7.example.com" in site.log[0]


@pytest.mark.parametrize("address", ["10.0.0.99", "192.0.2.1", "fd00::99", "::ffff:10.0.0.99"])
def test_a_stranger_is_refused(site: Site, address: str) -> None:
    status, text = site.finish("rhevh1", address)
    assert (status, text) == (403, f"No node has the address {address.rpartition(':ffff:')[2]}.\n")
    assert site.xcatd.reports == []


@pytest.mark.parametrize("address", ["", "unix:", "nonsense"])
def test_without_an_address_nobody_is_served(site: Site, address: str) -> None:
    assert site.finish("rhevh1", address) == (403, "Your address is not known.\n")


def test_ipv6_and_mapped_ipv4(site: Site) -> None:
    assert site.finish("rhevh1", "fd00:0::1") == (200, "rhevh1: booted\n")
    assert site.finish("rhevh2", "::ffff:10.0.0.2") == (200, "rhevh2: booted\n")


def test_a_forwarded_address_counts_only_from_a_named_proxy(site: Site) -> None:
    forwarded = {"HTTP_X_FORWARDED_FOR": "10.0.0.2"}
    assert site.finish("rhevh2", "10.0.0.1", **forwarded)[0] == 403
    assert site.finish("rhevh2", "192.0.2.1", **forwarded)[0] == 403
    assert site.finish("rhevh2", "192.0.2.1", XCATRHEVH_PROXIES="192.0.2.1", **forwarded)[0] == 200


def test_a_node_that_only_the_name_service_knows(site: Site) -> None:
    site.names["10.7.0.1"] = ["rhevh3.example.com"]
    assert site.finish("", "10.7.0.1") == (200, "rhevh3: booted\n")


def test_when_the_map_is_old_the_name_service_is_tried_too(site: Site) -> None:
    site.names["10.0.0.1"] = ["rhevh5"]
    site.xcatd.verdicts["rhevh1"] = Verdict(False, False, "10.0.0.1 is not its address")
    assert site.finish("") == (200, "rhevh5: booted\n")
    assert [node for node, _, _ in site.xcatd.reports] == ["rhevh1", "rhevh5"]


def test_the_name_may_choose_between_candidates(site: Site) -> None:
    site.names["10.0.0.1"] = ["rhevh5"]
    assert site.finish("rhevh5") == (200, "rhevh5: booted\n")
    assert [node for node, _, _ in site.xcatd.reports] == ["rhevh5"]


def test_a_refusal_of_xcatd_is_a_403_with_its_reason(site: Site) -> None:
    site.xcatd.verdicts["rhevh1"] = Verdict(False, False, "it is not being installed\n" + "x" * 1000)
    status, text = site.finish("rhevh1")
    assert status == 403
    assert text.startswith("rhevh1: it is not being installed x")
    assert len(text) < 220


def test_a_failure_is_a_503_that_says_when_to_come_back(site: Site) -> None:
    site.xcatd.verdicts["rhevh1"] = Verdict(False, True, "nodeset failed")
    status, text, headers = site.ask("/rhevh_finish_install/rhevh1")
    assert (status, text, headers["Retry-After"]) == (503, "rhevh1: nodeset failed\n", "10")


def test_no_answer_is_a_503(site: Site) -> None:
    site.xcatd.down = True
    status, text, headers = site.ask("/rhevh_finish_install/rhevh1")
    assert (status, text, headers["Retry-After"]) == (503, "xcatd does not answer; try again.\n", "10")
    assert "refused" in site.log[0]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "", "get", "TRACE"])
def test_other_methods_are_refused(site: Site, method: str) -> None:
    status, _, headers = site.ask("/rhevh_finish_install/rhevh1", method=method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert site.xcatd.reports == []


@pytest.mark.parametrize(
    "path",
    [
        "/rhevh_finish_install/a/b",
        "/rhevh_finish_installx/rhevh1",
        "/favicon.ico",
        "/../rhevh_finish_install/rhevh1",
        "//rhevh_finish_install/rhevh1",
        "/index.html",
        "/rhevh_finish_install//rhevh1",
        "\x00",
        "/\r\nX: y",
    ],
)
def test_other_paths_do_not_exist(site: Site, path: str) -> None:
    assert site.ask(path)[0] == 404
    assert site.xcatd.reports == []


@pytest.mark.parametrize("path", ["/rhevh_finish_install", "/rhevh_finish_install/"])
def test_a_path_without_a_name(site: Site, path: str) -> None:
    assert site.ask(path)[:2] == (200, "rhevh1: booted\n")


@pytest.mark.parametrize(
    ("script", "path"),
    [
        ("", "/xcatrhevh/rhevh_finish_install/rhevh1"),
        ("/elsewhere", "/rhevh_finish_install/rhevh1"),
    ],
)
def test_however_the_server_splits_the_path(site: Site, script: str, path: str) -> None:
    assert site.ask(path, SCRIPT_NAME=script)[0] == 200


def test_head_has_the_headers_only(site: Site) -> None:
    status, body, headers = site.ask("/rhevh_finish_install/rhevh1", method="HEAD")
    assert (status, body, headers["Content-Length"]) == (200, "", "15")


def test_one_log_line_that_nobody_else_can_write(site: Site) -> None:
    site.finish("rhevh1\r\nxcatrhevh: 10.0.0.2 rhevh2 200 booted\x1b[2J" + "y" * 9000)
    assert len(site.log) == 1
    assert site.log[0].count("\n") == 1
    assert site.log[0].startswith("xcatrhevh: 10.0.0.1 rhevh1 200 0.000s booted, says it is rhevh1 ")
    assert "\x1b" not in site.log[0]
    assert len(site.log[0]) < 400


def test_status_page_is_for_the_management_networks(site: Site) -> None:
    assert site.ask("/", "10.0.0.1")[0] == 403
    assert site.ask("/", "203.0.113.1", XCATRHEVH_NETWORKS="10.0.0.0/8")[0] == 403
    assert site.ask("/", "10.0.0.1", XCATRHEVH_NETWORKS="192.0.2.0/24 10.0.0.0/8")[0] == 200
    assert site.ask("", "127.0.0.1")[0] == 200
    assert site.ask("/", "::1")[0] == 200


def test_status_page_shows_what_needs_somebody_first_and_escapes(site: Site) -> None:
    site.xcatd.lines = [
        InstallProgress("rhevh1", "boot", "booted", "11-22-2026 20:00:00", "10.0.0.1", ""),
        InstallProgress("rhevh2", "install rhevh7.3-x86_64-hyp", "installing", "", "", ""),
        InstallProgress("rhevh3", "install rhevh7.3-x86_64-hyp", "failed", "<script>alert(1)</script>", "", "a & b"),
    ]
    status, html, headers = site.ask("/", "127.0.0.1")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Refresh"] == "10"
    assert html.index("rhevh3</th>") < html.index("rhevh2</th>") < html.index("rhevh1</th>")
    assert "<script" not in html
    assert "&lt;script&gt;" in html and "a &amp; b" in html


def test_status_page_counts_a_join_that_failed(site: Site) -> None:
    site.xcatd.lines = [
        InstallProgress("rhevh1", "boot", "booted", "11-22-2026 20:00:00", "10.0.0.1", "failed-networks"),
        InstallProgress("rhevh2", "boot", "booted", "11-22-2026 20:00:00", "10.0.0.2", "networks"),
    ]
    _, html, _ = site.ask("/", "127.0.0.1")
    assert "<b>1</b> failed" in html and "<b>1</b> booted" in html
    assert '<td class="failed">failed</td>' in html and "failed-networks" in html


def test_status_page_counts_as_people_do() -> None:
    html = page.render(
        Overview([InstallProgress(f"rhevh{number}", "boot", "booted", "", "", "") for number in (10, 9, 100, 1)]), ""
    )
    assert re.findall(r"(rhevh\d+)</th>", html) == ["rhevh1", "rhevh9", "rhevh10", "rhevh100"]


def test_status_page_without_xcatd_is_a_503(site: Site) -> None:
    site.xcatd.down = True
    assert site.ask("/", "127.0.0.1")[0] == 503


def test_as_a_wsgi_application(site: Site) -> None:
    begun: list[Any] = []
    errors = io.StringIO()
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/xcatrhevh/rhevh_finish_install/x",
        "REMOTE_ADDR": "10.0.0.1",
        "wsgi.errors": errors,
        **site.environ,
    }
    body = app.application(environ, lambda *words: begun.append(words))
    assert b"".join(body) == b"rhevh1: booted\n"
    assert begun[0][0] == "200 OK"
    assert "Connection" not in dict(begun[0][1])  # PEP 3333 leaves that to the server
    assert errors.getvalue().count("\n") == 1


def test_as_a_cgi(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out))
    for key, value in {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "/xcatrhevh",
        "PATH_INFO": "/rhevh_finish_install/\udcff",
        "REMOTE_ADDR": "10.0.0.99",
        **site.environ,
    }.items():
        monkeypatch.setenv(key, value)
    app.serve_cgi()
    head, _, body = out.getvalue().partition(b"\r\n\r\n")
    assert head.startswith(b"Status: 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\n")
    assert head.endswith(b"Connection: close")
    assert body == b"No node has the address 10.0.0.99.\n"
