"""The finish URL, asked as a hypervisor asks it: the only proof that a web server serves it."""

from __future__ import annotations

import http.client
import socket
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from ...addresses import resolve
from .findings import Finding
from .site import local_address
from .tables import XcatTables
from .webserver import WebServer

#: Seconds in which a web server reads its new configuration after a reload.
_SOON = 5.0
POLICY = "xcat-rhev install --policy certificate"


@dataclass(frozen=True)
class _Answer:
    """What came back.

    Attributes:
        code: The HTTP status; 0 without an answer.
        kind: The media type.
        text: Its beginning, or why there was no answer.
    """

    code: int
    kind: str
    text: str

    @property
    def ours(self) -> bool:
        """Whether it is the application's refusal of somebody who is not a node; a web server's own is HTML."""
        return self.kind == "text/plain" and self.code in (403, 503)


def url_of(tables: XcatTables) -> str:
    """The finish URL of this machine, with the name of no node."""
    host, port = _own_address(tables.site("master", "127.0.0.1")), tables.site("httpport", "80")
    return f"http://{host}:{port}/xcatrhevh/rhevh_finish_install/doctor"


def wait_for(tables: XcatTables) -> None:
    """Wait a moment for a web server that reads its configuration again."""
    end, url = time.monotonic() + _SOON, url_of(tables)
    while not _fetch(url).ours and time.monotonic() < end:
        time.sleep(0.2)


def check_application(tables: XcatTables, server: WebServer | None, hint: str, policy: str = POLICY) -> Finding:
    """Ask this machine's web server. We are no hypervisor, so the application has to refuse us.

    Args:
        tables: Say where it is.
        server: The web server that an install prepared; None where there was none, or the site has its own way.
        hint: What to do in that case.
        policy: What to run when xcatd permits nothing to the application.
    """
    url = url_of(tables)
    answer = _fetch(url)
    if answer.ours:
        return _application(url, answer, policy)
    if answer.code == 0:
        return _bad(f"{url}: {answer.text}{'' if server else hint}", server.start if server else "")
    says = f"{url} answers {answer.code}" + (" to somebody who is not a node" if answer.code == 200 else "")
    return _bad(f"{says}{'' if server else hint}", server.mend if server else "")


def _bad(says: str, mend: str) -> Finding:
    return Finding("finish URL", False, says, mend)


def _application(url: str, answer: _Answer, policy: str) -> Finding:
    """What the application's refusal says about xcatd behind it."""
    if answer.code == 503:
        return _bad(f"{url}: {answer.text}", "systemctl restart xcatd")
    if "Permission denied" not in answer.text:
        return Finding("finish URL", True, "answers")
    # No policy row fits what xcatd calls this machine; an xcatd with IPv6 has no name for an IPv4 client.
    if ":" not in local_address() and _listens("::1"):
        return _bad("xcatd has no name for 127.0.0.1", "echo '::1 localhost' >> /etc/hosts")
    return _bad("policy has no row for the certificate xcatrhevh, or the CGI does not show it", policy)


def _fetch(url: str) -> _Answer:
    # No proxy: a hypervisor asks this machine itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=30) as answer:
            return _Answer(answer.status, answer.headers.get_content_type(), "")
    except urllib.error.HTTPError as problem:
        with problem:
            text = problem.read(200).decode("utf-8", "replace").strip()
            return _Answer(problem.code, problem.headers.get_content_type(), text)
    except OSError as problem:
        return _Answer(0, "", str(getattr(problem, "reason", problem)))
    except http.client.HTTPException as problem:
        return _Answer(0, "", f"no HTTP: {problem or type(problem).__name__}")


def _own_address(master: str) -> str:
    """The address with which this machine talks to its master; on a management node that is the master's own."""
    address = next(iter(resolve(master)), "")
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((address or master, 9))  # sends nothing: the kernel only chooses a route
            own = str(probe.getsockname()[0])
    except OSError:
        own = master
    return f"[{own}]" if ":" in own else own


def _listens(address: str, port: int = 3001) -> bool:
    try:
        socket.create_connection((address, port), 5).close()
    except OSError:
        return False
    return True
