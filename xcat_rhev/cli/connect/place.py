"""Which xcatd the engine is connected to: a Perl xCAT's on this machine, else the embedded one of a home."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from ...errors import Conflict, NotFound, RhevError
from .. import background, homes
from ..client import Conversation, Target, target
from ..setup.ledger import Ledger
from ..setup.site import XcatSite, site_of_machine
from .service import service_of


@dataclass(frozen=True)
class ConnectedXcat:
    """An xcatd that answers.

    Attributes:
        where: How it is asked.
        config: Where it keeps what it knows of managers.
        home: The embedded one's home; None for a Perl xCAT.
        begun: How it was started just now, for a person; empty if it ran already.
    """

    where: Target
    config: Path
    home: Path | None
    begun: str = ""


def find(home: Path | None, port: int | None) -> ConnectedXcat:
    """Find the xcatd, or start the embedded one.

    Args:
        home: What `--home` says.
        port: What `--port` says, for one that is started.

    Raises:
        RhevError: There is none, and none can be started.
    """
    site = site_of_machine()
    if home is None and site.plugin.parent.is_dir():
        return _perl(site)
    home = (home or homes.usual()).resolve()
    where = _local_xcatd(home)
    begun = ""
    if where is None:
        begun = _start(home, port)
        where = _local_xcatd(home)
    if where is None:
        raise NotFound(f"the xcatd of {home} was started and does not answer", f"See {home}/log/xcatd.log")
    return ConnectedXcat(where, home / "etc" / "xcat", home, begun)


def _perl(site: XcatSite) -> ConnectedXcat:
    if not Ledger(site.state).ours(site.plugin):
        raise Conflict(f"there is an xCAT in {site.root}, and this product is not in it yet", "Run: xcat-rhev install")
    return ConnectedXcat(target(os.environ), site.confdir, None)


def _local_xcatd(home: Path) -> Target | None:
    """How the home's xcatd is asked, if it runs."""
    certificates = homes.certificates_of(home)
    if not homes.named_beside(certificates):
        return None
    where = target({"XCAT_CERT_DIR": str(certificates)})
    try:
        Conversation(where).close()
    except RhevError:
        return None
    return where


def _start(home: Path, port: int | None) -> str:
    """Start it: by systemd where that runs, else in the background; gives how, for a person."""
    service = None if port is not None else service_of(home)
    if service:
        return service.enable()
    words = ["--home", str(home), *([] if port is None else ["--port", str(port)])]
    background.start("xcatd", words)
    usual = port is None and home == homes.usual().resolve()
    why = "because systemd does not run here" if usual else "because --home and --port make no service"
    again = shlex.join(["xcat-rhev", "xcatd", "--background", *words])
    return f"started in the background, {why}; after a reboot run: {again}"
