"""`xcat-rhev xcatd`: start the embedded daemon on a home directory."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from ..dispatch import Dispatcher
from ..errors import RhevError, Usage
from . import certificates, firststart
from .access import server_context
from .database import locate
from .home import Home
from .server import Server
from .session import Sessions
from .store import Store
from .xcatd import Xcatd, short_name

log = logging.getLogger(__name__)

#: How long one thread may keep the others from running, in seconds. Python's own 5 ms would be a third of the time in
#: which a small request is answered.
TURN = 0.001
#: Web and TFTP servers read boot files and media, and nobody else writes anything, whatever umask root started us with.
UMASK = 0o022
LAST_PORT = 65535


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until TERM or INT.

    Args:
        argv: The words after `xcatd`; the program's own by default.

    Returns:
        The exit status: 0 after a clean end, 1 if it cannot start, 2 for wrong words.
    """
    words = _parser().parse_args(argv)
    os.umask(UMASK)
    home = Home(Path(words.home).resolve())
    try:
        if words.issue:
            return _issue(home, words.issue)
        _serve(home, words.host, words.port)
    except RhevError as problem:
        sys.stderr.write(f"xcat-rhev xcatd: {problem}\n")
        return 1
    except OSError as problem:
        sys.stderr.write(f"xcat-rhev xcatd: {problem.filename or home.root}: {problem.strerror}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("xcat-rhev xcatd", description="Run the embedded xcatd.")
    parser.add_argument("--home", required=True, metavar="DIR", help="where tables, certificates and files are kept")
    parser.add_argument("--port", type=int, metavar="N", help="0: a free one; default: site.xcatdport, else 3001")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDR", help="where to listen (default: %(default)s)")
    parser.add_argument("--issue", metavar="USER", help="make a client certificate for USER in DIR/USER/.xcat, and end")
    return parser


def _issue(home: Home, user: str) -> int:
    if not user.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise Usage(f"--issue {user}: no user name")
    folder = home.root / user / ".xcat"
    certificates.issue_client(home, user, folder)
    print(json.dumps({"user": user, "client_certs": str(folder)}))
    return 0


def _serve(home: Home, host: str, port: int | None) -> None:
    home.make()
    _log_to(home)
    if home.is_service_node:
        _check_service_node(home)
    certificates.make_all(home, short_name(), {socket.getfqdn(), firststart.master(host)})
    store = Store(locate(home.config))
    if not home.is_service_node:
        store.create()
    xcatd = Xcatd(home, store, Dispatcher())
    server = Server(host, _port(store, port), server_context(home), Sessions(xcatd).serve, _most(store))
    if not home.is_service_node:
        firststart.fill(store, home, short_name(), host, server.port)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    sys.setswitchinterval(TURN)
    print(json.dumps({"ready": True, "host": host, "port": server.port, "client_certs": str(home.client)}), flush=True)
    log.info("listening on %s port %d", host, server.port)
    try:
        server.run()
    finally:
        xcatd.audit.close()
        store.close()


def _check_service_node(home: Home) -> None:
    """A service node is known by what it got from its management node.

    Raises:
        Usage: Something of it is missing.
    """
    for file in (home.config / "cfgloc", home.cert / "server-cred.pem", home.cert / "ca.pem"):
        if not file.exists():
            raise Usage(f"this is a service node ({home.root}/etc/xCATSN is there), and {file} is missing",
                        "Copy it from the management node")


def _port(store: Store, asked: int | None) -> int:
    """The port to listen on: the one asked for, else that of the site table, else xCAT's."""
    value = _site(store, "xcatdport") if asked is None else ""
    port = asked if asked is not None else int(value) if value.isdecimal() else 3001
    if not 0 <= port <= LAST_PORT:
        raise Usage(f"there is no port {port}", f"Write one up to {LAST_PORT} as --port or site.xcatdport")
    return port


def _most(store: Store) -> int:
    value = _site(store, "xcatmaxconnections")
    return int(value) if value.isdecimal() and int(value) else 64


def _site(store: Store, key: str) -> str:
    return next((row["value"] or "" for row in store.rows("site") if row["key"] == key), "")


def _log_to(home: Home) -> None:
    handler = logging.FileHandler(home.log / "xcatd.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
