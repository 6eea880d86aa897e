"""What an empty home directory gets: the rows of site and policy that xCAT's own setup writes."""

from __future__ import annotations

import os
import socket

from ..addresses import my_addresses
from .home import Home
from .names import own
from .store import Store

#: Commands that nodes run without a certificate while they are installed; xCAT's setup writes these rows.
NODE_COMMANDS = (
    ("2", "getbmcconfig"),
    ("2.1", "remoteimmsetup"),
    ("2.3", "lsxcatd"),
    ("3", "nextdestiny"),
    ("4", "getdestiny"),
    ("4.4", "getpostscript"),
    ("4.5", "getcredentials"),
    ("4.6", "syncfiles"),
    ("4.7", "litefile"),
    ("4.8", "litetree"),
    ("4.9", "getadapter"),
)


def fill(store: Store, home: Home, name: str, host: str, port: int) -> None:
    """Write the rows that are missing; a row that is there stays, and so does a policy table with any row.

    Args:
        store: The tables.
        home: The directories that site rows name.
        name: The short name of this host, which is also the CN of its certificate.
        host: The address it listens on.
        port: The port.
    """
    present = {row["key"] for row in store.rows("site")}
    sites = {
        "master": master(host),
        "domain": "" if "domain" in present else domain(),  # the name service is asked, which may take a while
        "installdir": str(home.install),
        "tftpdir": str(home.tftp),
        "xcatconfdir": str(home.config),
        "xcatdport": str(port),
        "httpport": "80",
    }
    missing = {key: value for key, value in sites.items() if key not in present}
    if missing:
        with store.change("site") as change:
            for key, value in missing.items():
                change.put({"key": key}, {"value": value})
    if not store.rows("policy"):
        _policy(store, name)


def _policy(store: Store, name: str) -> None:
    with store.change("policy") as change:
        change.add({"priority": "1", "name": "root", "rule": "allow"})
        change.add({"priority": "1.2", "name": name, "rule": "trusted"})
        for priority, command in NODE_COMMANDS:
            change.add({"priority": priority, "commands": command, "rule": "allow"})


def master(host: str) -> str:
    """The address at which nodes reach this host: the one it listens on, or the one that leads out."""
    if host not in ("", "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return host
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # sends nothing: the kernel only chooses a route
            return str(probe.getsockname()[0])
    except OSError:
        outside = sorted(address for address in my_addresses() if not address.startswith(("127.", "::1", "fe80")))
        return outside[0] if outside else "127.0.0.1"


def domain() -> str:
    """The DNS domain of this host; a made-up one where it has none, since xCAT insists on one."""
    return own().partition(".")[2] or os.environ.get("XCAT_DOMAIN", "") or "cluster.local"
