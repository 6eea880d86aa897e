"""From the finish URL to a working host of the manager, with xcatd restarted on the way."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from finish_site import INSTALL, TOP, Embedded, public_folder, wait_for

from xcat_rhev.clock import SystemClock
from xcat_rhev.web.notify import XcatdClient
from xcat_rhev.web.settings import WebSettings

pytestmark = pytest.mark.slow
NODE, ADDRESS = "rhevh1", "127.0.4.1"


class Manager:
    """The engine simulator in a process of its own."""

    def __init__(self, folder: Path) -> None:
        words = ["sim", "--port", "0", "--api", "4", "--cert-dir", str(folder / "sim")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "xcat_rhev.cli", *words],
            cwd=TOP,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout
        told = json.loads(self.process.stdout.readline())
        self.password = told["password"]
        self.name = told["v4"].split("/")[2]

    def register(self) -> None:
        """What a hypervisor does after its first boot."""
        query = f"version=1&command=register&name={NODE}&address={ADDRESS}&uniqueId=4C4C_52:54:00:00:04:01"
        context = ssl._create_unverified_context()  # noqa: S323 - as vdsm-tool does
        url = f"https://{self.name}/ovirt-engine/services/host-register?{query}"
        assert urllib.request.urlopen(url, context=context, timeout=300).read() == b"OK\n"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(300)
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path)
    yield manager
    manager.stop()


@pytest.fixture
def xcat(manager: Manager) -> Iterator[Embedded]:
    with public_folder() as folder:
        xcat = Embedded(folder)
        xcat.put("site", {"rhevhautoapprove": {"value": "rhevh"}}, "key")
        narrow = {"rule": "allow", "commands": "rhevhupdateflag", "host": "localhost"}
        xcat.put("policy", {"1": {"name": "root", "rule": "allow"}, "5": narrow}, "priority")
        xcat.put("passwd", {"rhevm": {"username": "admin", "password": manager.password}}, "key")
        xcat.put("nodelist", {NODE: {"groups": "rhevh", "status": "installing"}})
        xcat.put("nodetype", {NODE: {"os": "rhevh7.3", "arch": "x86_64"}})
        xcat.put("noderes", {NODE: {"netboot": "pxe"}})
        xcat.put("mac", {NODE: {"mac": "52:54:00:00:04:01"}})
        xcat.put("hosts", {NODE: {"ip": ADDRESS}})
        xcat.put("chain", {NODE: {"currstate": INSTALL, "currchain": "boot"}})
        xcat.put("hypervisor", {NODE: {"type": "rhevh", "mgr": manager.name, "cluster": "Default"}})
        with xcat:
            yield xcat


def join(xcat: Embedded) -> subprocess.Popen[str]:
    """The service, as systemd would start it."""
    environment = {**os.environ, "XCATHOST": f"127.0.0.1:{xcat.port}", "XCAT_CERT_DIR": str(xcat.home.client)}
    words = [sys.executable, "-m", "xcat_rhev.cli", "run", "rhevhjoin"]
    return subprocess.Popen(
        words,
        cwd=TOP,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def note(xcat: Embedded) -> str:
    return xcat.row("nodelist", NODE).get("appstatus", "")


def test_from_the_finish_url_to_a_working_host(xcat: Embedded, manager: Manager) -> None:
    settings = {f"XCATRHEVH_{key}": value for key, value in xcat.settings().items()}
    assert XcatdClient(WebSettings(settings), SystemClock()).report(NODE, ADDRESS).booted
    assert note(xcat) == f"rhevhfinish={ADDRESS},rhevm=approve"

    waiting = join(xcat)  # the host has not registered yet
    log = xcat.home.log / "xcatd.log"
    wait_for(lambda: "approve does not work yet" in log.read_text(), "the first try")
    xcat.stop()
    assert waiting.wait(300) != 0
    assert waiting.stdout
    waiting.stdout.close()

    xcat.start()
    assert note(xcat).endswith("rhevm=approve")
    manager.register()
    again = join(xcat)
    output, _ = again.communicate(timeout=300)
    assert (again.returncode, output) == (0, f"{NODE}: up\n")
    assert note(xcat) == f"rhevhfinish={ADDRESS},rhevm=up"
