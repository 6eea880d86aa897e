"""`xcat-rhev xcatd`: start the embedded daemon on a home directory."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from .. import ports
from ..errors import RhevError, Usage
from ..files import typed_path
from ..run.dispatch import Dispatcher
from . import certificates, firststart, foreigntables
from .access import peer_name, server_context
from .database import locate
from .home import Home
from .interfaces import links, mine
from .logs import to_file
from .names import own
from .ownership import check_owner, lock
from .revocation import revoke
from .server import Server
from .session import Sessions
from .store import Store
from .tables import Tables
from .xcatd import Xcatd, short_name

log = logging.getLogger(__name__)

#: How long one thread may keep the others from running, in seconds. Python's own 5 ms would be a third of the time in
#: which a small request is answered; one that reads a table has to come back for each row.
TURN = 0.0002
#: Web and TFTP servers read boot files and media, and nobody else writes anything, whatever umask root started us with.
UMASK = 0o022


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until TERM or INT.

    Args:
        argv: The words after `xcatd`; the program's own by default.

    Returns:
        The exit status: 0 after a clean end, 1 if it cannot start, 2 for wrong words.
    """
    words = _parser().parse_args(argv)
    os.umask(UMASK)
    home = Home(words.home.resolve())
    try:
        if words.issue:
            return _issue(home, words.issue)
        if words.revoke:
            check_owner(home)
            print(json.dumps({"revoked": f"{revoke(home, Path(words.revoke)):x}", "from": "the next start of xcatd"}))
            return 0
        _serve(home, words.host, words.port, words.serve)
    except RhevError as problem:
        sys.stderr.write(f"xcat-rhev xcatd: {problem}\n")
        return 1
    except OSError as problem:
        sys.stderr.write(f"xcat-rhev xcatd: {problem.filename or home.root}: {problem.strerror}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("xcat-rhev xcatd", description="Run the embedded xcatd.")
    parser.add_argument(
        "--home", type=typed_path, required=True, metavar="DIR", help="where tables, certificates and files are kept"
    )
    parser.add_argument(
        "--port", type=ports.port, metavar="N", help="0: a free one; default: site.xcatdport, else 3001"
    )
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDR", help="where to listen (default: %(default)s)")
    parser.add_argument(
        "--serve", metavar="IFACE[,IFACE]", help="run DHCP, DNS, TFTP and HTTP there, as makedhcp -n and makedns say"
    )
    parser.add_argument("--issue", metavar="USER", help="make a client certificate for USER in DIR/USER/.xcat, and end")
    parser.add_argument("--revoke", metavar="FILE", help="stop trusting the certificate in FILE, and end")
    return parser


def _issue(home: Home, user: str) -> int:
    check_owner(home)
    if not user.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise Usage(f"--issue {user}: not a user name")
    folder = home.root / user / ".xcat"
    certificates.issue_client(home, user, folder)
    home.tell_same(folder)
    print(json.dumps({"user": user, "client_certs": str(folder)}))
    return 0


def _serve(home: Home, host: str, port: int | None, interfaces: str | None) -> None:
    check_owner(home)
    home.make()
    held = lock(home)
    logging.basicConfig(level=logging.INFO, handlers=[to_file(home.log / "xcatd.log")])
    if home.is_service_node:
        _check_service_node(home)
    certificates.make_all(home, short_name(), _names(host))
    store = Store(locate(home.config))
    if not home.is_service_node:
        store.create()
        foreigntables.adopt(Tables(store))
    xcatd = Xcatd(home, store, Dispatcher())
    server = Server(host, _port(store, port), server_context(home), Sessions(xcatd).serve, _most(store), _daemons(home))
    if not home.is_service_node:
        firststart.fill(store, home, short_name(), _facing(interfaces) or host, server.port)
        if interfaces:
            with store.change("site") as change:
                change.put({"key": "dhcpinterfaces"}, {"value": interfaces})
    certificates.publish(home, Path(_site(store, "installdir") or home.install))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    sys.setswitchinterval(TURN)
    home.tell_clients(host, server.port)
    print(json.dumps({"ready": True, "host": host, "port": server.port, "client_certs": str(home.client)}), flush=True)
    _say_where(host, server.port)
    services = _start_netservices(home) if interfaces else None
    try:
        server.run()
    finally:
        if services:
            services.terminate()
            services.wait()
        xcatd.audit.close()
        store.close()
        os.close(held)


def _facing(names: str | None) -> str:
    """This machine's address on the first interface that is served; empty without one.

    Raises:
        Usage: It has no address there.
    """
    first = (names or "").partition(",")[0]
    if not first:
        return ""
    address = next((mine(link.net) for link in links() if link.interface == first and link.net.version == 4), "")
    if not address:
        raise Usage(f"--serve {first}: there is no such interface with an IPv4 address", "See: ip address")
    return address


def _start_netservices(home: Home) -> subprocess.Popen[bytes]:
    """Run the servers beside this process; they end with it, however it ends.

    Raises:
        Usage: Somebody else runs them.
    """
    words = [sys.executable, "-m", "xcat_rhev.cli", "netservices", "--home", str(home.root), "--with-stdin"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own program
    assert process.stdout
    if not process.stdout.readline():
        process.wait()
        raise Usage(
            "--serve: the servers of this home cannot be started",
            f"Run: xcat-rhev netservices --home {home.root}, to see why",
        )
    return process


def _names(host: str) -> Iterator[str]:
    """Under which clients reach this daemon. The name service is asked, so only whoever needs them takes them."""
    yield own()
    yield firststart.master(host)


def _daemons(home: Home) -> set[str]:
    """The names of clients that are served first: root, this daemon, and the one that its certificate is made for."""
    return {"root", short_name(), peer_name(certificates.own(home))} - {""}


def _say_where(host: str, port: int) -> None:
    log.info("listening on %s port %d", host, port)
    if not (host == "localhost" or host.startswith("127.") or host == "::1"):
        sys.stderr.write(f"xcat-rhev xcatd: listening on {host} port {port}: whoever reaches that can connect\n")


def _check_service_node(home: Home) -> None:
    """A service node is known by what it got from its management node.

    Raises:
        Usage: Something of it is missing.
    """
    for file in (home.config / "cfgloc", home.cert / "server-cred.pem", home.cert / "ca.pem"):
        if not file.exists():
            raise Usage(
                f"this is a service node ({home.root}/etc/xCATSN is there), and {file} is missing",
                "Copy it from the management node",
            )


def _port(store: Store, asked: int | None) -> int:
    """The port to listen on: the one asked for, else that of the site table, else xCAT's."""
    value = _site(store, "xcatdport") if asked is None else ""
    port = asked if asked is not None else int(value) if value.isdecimal() else 3001
    if not 0 <= port <= ports.LAST:
        raise Usage(f"site.xcatdport is {port}, which is not a port", "Run: chtab key=xcatdport site.value=3001")
    return port


def _most(store: Store) -> int:
    value = _site(store, "xcatmaxconnections")
    return int(value) if value.isdecimal() and int(value) else 64


def _site(store: Store, key: str) -> str:
    return next((row["value"] or "" for row in store.rows("site") if row["key"] == key), "")
