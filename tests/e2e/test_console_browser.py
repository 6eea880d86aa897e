"""A machine's console in a real browser: noVNC, the websocket proxy and the console, by the address that we print."""

from __future__ import annotations

import base64
import functools
import hashlib
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from finish_site import program, wait_for

from consolehelp import TicketProxy, VncServer
from vmsite import VmSite
from xcat_rhev.sim.certs import make

NOVNC = Path("/usr/share/novnc")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed"),
    pytest.mark.skipif(not (NOVNC / "vnc.html").exists(), reason="noVNC is not installed"),
]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Shows files and says nothing about it."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def novnc() -> Iterator[str]:
    """The folder of noVNC on a web server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(NOVNC)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_address[1]}"
    server.shutdown()
    thread.join(120)
    server.server_close()


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VmSite]:
    """A manager."""
    made = VmSite(tmp_path_factory, (4, 5))
    yield made
    made.close()


def test_novnc_shows_the_console_of_the_address(site: VmSite, novnc: str, tmp_path: Path) -> None:
    vnc = VncServer(lambda: str(site.vm("vm1").get("console_password")))
    certificates = make(Path(site.host.site("rhevmca")).parent, ["127.0.0.1"])
    proxy = TicketProxy(certificates)
    with vnc.server, proxy.server:
        site.running("vm1", vidproto="vnc")
        site.world.change(site.vm("vm1"), display_address="127.0.0.1", display_port=vnc.server.port)
        site.world.meta["websocket_proxy"] = f"Engine:{proxy.server.port}"
        site.host.set_row("site", {"key": "rhevmnovnc"}, {"value": novnc})
        (line,) = site.ok("getrvidparms --browser", ["vm1"])
        shown = x509.load_pem_x509_certificate(certificates.certificate.read_bytes()).public_key()
        digest = hashlib.sha256(shown.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
        words = [
            str(CHROMIUM),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path}",
            # this manager's key and no other is trusted, as if its CA was in the browser
            f"--ignore-certificate-errors-spki-list={base64.b64encode(digest).decode()}",
            "--remote-debugging-port=0",
            line.removeprefix("vm1: "),
        ]
        with program(words, tmp_path / "chromium.log", lambda: True):
            wait_for(vnc.shown.is_set, "a picture that noVNC has asked for")
    assert (vnc.turned_away, len(proxy.tickets)) == (0, vnc.let_in)
