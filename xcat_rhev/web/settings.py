"""Where things are, as the web server's environment and one small file say."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

FILE = "/etc/xcat/rhevh-web.conf"
PREFIX = "XCATRHEVH_"
#: The embedded xcatd's CA, which lies beside the node map.
BESIDE = "ca.pem"
#: Certificates of xCAT's CA that a web server's user may read, best first: xcatconfig puts the copies there.
CA_FILES = (
    "/etc/xcat/cert/ca.pem",
    "/install/postscripts/ca/ca-cert.pem",
    "/install/postscripts/_xcat/ca.pem",
)
KEYS = {
    # By name, so that ::1 is tried first: a Perl xcatd with IPv6 has no name for an IPv4 peer, and policy.host asks for
    # one.
    "XCATD": "localhost:3001",
    "CA": "",
    "CERTIFICATE": "",
    "NODES": "/install/xcatrhevh/nodes.json",
    "PROXIES": "",
    "NETWORKS": "",
    "MANAGERS": "",
    "WAIT": "25",
}


class WebSettings:
    """The application's settings of its site.

    Args:
        environ: The request's environment; a variable `XCATRHEVH_<KEY>` wins over the file, which
            `XCATRHEVH_FILE` names (usually /etc/xcat/rhevh-web.conf, lines of `key = value`).

    Attributes:
        xcatd: Host and port of the xcatd to tell, usually the one on this machine.
        ca: Files with the CA's certificate to try in order.
        certificate: A PEM file with a certificate and its key to show to xcatd, or empty.
        nodes: The node map's file.
        proxies: Addresses and networks of HTTP proxies whose `X-Forwarded-For` is believed.
        networks: Networks whose people may see the status page, beside this machine; none: those of the node map.
        managers: Those whose numbers /metrics shows, and whose certificates the status page looks at.
        wait: Seconds in which xcatd has to answer.
        wrong: Settings that could not be used, in words, for the log.
    """

    def __init__(self, environ: Mapping[str, object]) -> None:
        self.wrong: list[str] = []
        path = str(environ.get(PREFIX + "FILE") or FILE)
        read = dict(self._lines(path))
        texts = {key: str(environ.get(PREFIX + key) or read.get(key) or usual) for key, usual in KEYS.items()}
        self.xcatd = _host_and_port(texts["XCATD"])
        self.certificate = texts["CERTIFICATE"]
        self.nodes = texts["NODES"]
        beside = os.path.join(os.path.dirname(self.nodes), BESIDE)
        self.ca: tuple[str, ...] = (texts["CA"],) if texts["CA"] else (beside, *CA_FILES)
        self.proxies = tuple(texts["PROXIES"].replace(",", " ").split())
        self.networks = tuple(texts["NETWORKS"].replace(",", " ").split())
        self.managers = tuple(texts["MANAGERS"].replace(",", " ").split())
        self.wait = self._seconds(texts["WAIT"])

    def _lines(self, path: str) -> Iterator[tuple[str, str]]:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                lines = file.read(65536).splitlines()
        except FileNotFoundError:
            return
        except OSError as problem:
            self.wrong.append(f"{path}: {problem.strerror}")
            return
        for line in lines:
            key, equals, value = line.partition("=")
            if equals and not key.lstrip().startswith("#"):
                yield key.strip().upper(), value.strip()

    def _seconds(self, text: str) -> float:
        if text.isascii() and text.isdigit() and 1 <= int(text) <= 600:
            return float(text)
        self.wrong.append(f"wait is '{text}', not a number of seconds from 1 to 600")
        return float(KEYS["WAIT"])


def _host_and_port(text: str) -> tuple[str, int]:
    """Split `host:port`, `[v6]:port` or a bare host; without a usable port it is 3001."""
    host, colon, port = text.rpartition(":")
    if not colon or "]" in port or (":" in host and not host.startswith("[")):
        host, port = text, ""
    usable = port.isascii() and port.isdigit() and int(port) < 65536
    return host.strip("[]") or "localhost", int(port) if usable else 3001
