"""The policy files applied and removed as policy/README.md says, each between two requests of a hypervisor."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest
from finish_site import TOP, Embedded, public_folder
from test_finish_url_embedded import NODES, fill, install

from xcat_rhev.clock import SystemClock
from xcat_rhev.web.notify import Verdict, XcatdClient
from xcat_rhev.web.settings import WebSettings

BOOTED, DENIED = Verdict(True, False, ""), Verdict(False, False, "Permission denied for request")
README = (TOP / "policy" / "README.md").read_text()


@pytest.fixture(scope="module")
def xcat() -> Iterator[Embedded]:
    with public_folder() as folder:
        xcat = Embedded(folder)
        fill(xcat)
        with xcat.store.change("policy") as change:
            change.drop({"priority": "5"})
        xcat.put("policy", {"1": {"name": "root", "rule": "allow"}}, "priority")
        with xcat:
            words = ["xcatd", "--home", str(xcat.home.root), "--issue", "xcatrhevh"]
            subprocess.run([sys.executable, "-m", "xcat_rhev.cli", *words], cwd=TOP, check=True, capture_output=True)
            yield xcat


def typed(xcat: Embedded, line: str) -> None:
    """Type a line of the README."""
    environment = {**os.environ, "XCATHOST": f"127.0.0.1:{xcat.port}", "XCAT_CERT_DIR": str(xcat.home.client)}
    words = [sys.executable, "-m", "xcat_rhev.cli", "run", *shlex.split(line)]
    done = subprocess.run(words, cwd=TOP, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr


def report(xcat: Embedded, certificate: bool = False) -> Verdict:
    """What the CGI gets for a hypervisor that has just been installed."""
    install(xcat, "rhevh1")
    settings = {f"XCATRHEVH_{key}": value for key, value in xcat.settings().items()}
    if certificate:
        settings["XCATRHEVH_CERTIFICATE"] = str(xcat.home.root / "xcatrhevh" / ".xcat" / "client-cred.pem")
    return XcatdClient(WebSettings(settings), SystemClock()).report("rhevh1", NODES["rhevh1"])


def remove(xcat: Embedded) -> None:
    line = re.search(r"^ +(chtab -d .*)$", README, re.MULTILINE)
    assert line
    typed(xcat, line[1])


@pytest.mark.parametrize(
    ("policy", "bare", "with_certificate"),
    [
        ("original", BOOTED, BOOTED),
        ("narrow", BOOTED, BOOTED),
        ("certificate", DENIED, BOOTED),
    ],
)
def test_a_file_lets_the_cgi_pass_until_it_is_removed(
    xcat: Embedded, policy: str, bare: Verdict, with_certificate: Verdict
) -> None:
    assert report(xcat) == DENIED
    rows = len(xcat.store.rows("policy"))
    typed(xcat, f"tabrestore -a policy/policy.{policy}.csv")
    assert len(xcat.store.rows("policy")) == rows + 1
    assert report(xcat) == bare
    assert report(xcat, certificate=True) == with_certificate
    remove(xcat)
    assert len(xcat.store.rows("policy")) == rows
    assert report(xcat) == DENIED
    assert report(xcat, certificate=True) == DENIED


def test_the_narrow_row_by_hand(xcat: Embedded) -> None:
    line = re.search(r"^ +(chtab priority=5 (?:.*\\\n)*.*)$", README, re.MULTILINE)
    assert line
    typed(xcat, line[1].replace("\\\n", " "))
    by_hand = xcat.row("policy", "5", "priority")
    assert report(xcat) == BOOTED
    remove(xcat)
    typed(xcat, "tabrestore -a policy/policy.narrow.csv")
    assert xcat.row("policy", "5", "priority") == by_hand
    remove(xcat)
