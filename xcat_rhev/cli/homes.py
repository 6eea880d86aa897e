"""Where the embedded xcatd has its home on this machine, and how its clients find it by themselves."""

from __future__ import annotations

import os
from pathlib import Path

#: Root's, as the systemd units have it.
OF_ROOT = Path("/var/lib/xcat-rhev")
#: Beside the certificates of a client: host and port of the xcatd that they are for. The daemon writes it.
WHERE = "xcathost"


def usual() -> Path:
    """The home where none is named."""
    if os.geteuid() == 0:
        return OF_ROOT
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "xcat-rhev"


def certificates_of(home: Path) -> Path:
    """The folder with the certificates of a home's first client, root."""
    return home / "root" / ".xcat"


def of_certificates(certificates: Path) -> Path | None:
    """The home of the embedded xcatd whose first client has its certificates there; None if it is not here."""
    home = certificates.parents[1] if len(certificates.parents) > 1 else certificates
    ours = certificates_of(home) == certificates and (home / "etc" / "xcat").is_dir()
    return home if ours else None


def named_beside(certificates: Path) -> str:
    """Host and port of the xcatd that made certificates; empty where it is another's."""
    try:
        return (certificates / WHERE).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
