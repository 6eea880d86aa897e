"""The certificate by which xcatd knows the CGI: under a Perl xCAT nothing else proves where a report comes from."""

from __future__ import annotations

import grp
import os
import tempfile
from pathlib import Path

from ...errors import Conflict
from ..files import find_shared
from .ledger import Ledger
from .site import XcatSite

NAME = "xcatrhevh"
#: Groups of web servers, by distribution.
GROUPS = ("apache", "www-data", "wwwrun", "nginx")
_SCRIPT = "share/xcat/scripts/setup-local-client.sh"


def is_there(site: XcatSite) -> bool:
    """Whether the CGI has the path of a certificate that is there."""
    conf = _conf(site)
    lines = conf.read_text().splitlines() if conf.exists() else []
    paths = [line.partition("=")[2].strip() for line in lines if line.replace(" ", "").startswith("certificate=")]
    return any(Path(path).exists() for path in paths)


def make(site: XcatSite, ledger: Ledger) -> None:
    """Have xCAT's CA sign one, and tell the CGI.

    Raises:
        Conflict: xCAT's script did not make it.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = site.run(str(site.root / _SCRIPT), "-f", NAME, folder)
        made = Path(folder, ".xcat", "client-cred.pem")
        if not made.exists():
            raise Conflict(
                f"{_SCRIPT} made no certificate: {(done.stderr or done.stdout).strip()[-200:]}",
                "See policy/README.md, or give --policy original",
            )
        text = made.read_bytes()
    ledger.put(file_of(site), text, 0o640)
    tell(site, ledger)


def tell(site: XcatSite, ledger: Ledger) -> None:
    """Tell the CGI of the certificate's file, and let the web server read that."""
    file, conf = file_of(site), _conf(site)
    os.chown(file, -1, _group())
    file.chmod(0o640)
    before = conf.read_text() if conf.exists() else find_shared("share/httpd/rhevh-web.conf").read_text()
    ledger.put(conf, f"{before.rstrip()}\ncertificate = {file}\n".encode(), 0o644)


def file_of(site: XcatSite) -> Path:
    """Where the certificate is; a service node gets a copy of the management node's, where the CA is."""
    return site.confdir / "rhevh-web.pem"


def _conf(site: XcatSite) -> Path:
    return site.confdir / "rhevh-web.conf"


def _group() -> int:
    """The web server's group; ours where there is none yet."""
    known = {entry.gr_name: entry.gr_gid for entry in grp.getgrall()}
    return next((known[name] for name in GROUPS if name in known), os.getegid())
