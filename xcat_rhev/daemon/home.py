"""Where everything of the embedded xcatd lives below one directory."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The directory tree of one daemon: xCAT's own layout, but below `root` instead of `/`.

    Attributes:
        root: The directory given by `--home`, absolute.
    """

    root: Path

    @property
    def config(self) -> Path:
        """The tables, the CA and the certificates; `/etc/xcat` of a Perl xCAT (`site.xcatconfdir`)."""
        return self.root / "etc" / "xcat"

    @property
    def ca(self) -> Path:
        """The certificate authority."""
        return self.config / "ca"

    @property
    def cert(self) -> Path:
        """The daemon's own certificate."""
        return self.config / "cert"

    @property
    def client(self) -> Path:
        """The certificate of the client `root`; `~/.xcat` of a Perl xCAT."""
        return self.root / "root" / ".xcat"

    @property
    def install(self) -> Path:
        """`site.installdir` at first start."""
        return self.root / "install"

    @property
    def tftp(self) -> Path:
        """`site.tftpdir` at first start."""
        return self.root / "tftpboot"

    @property
    def log(self) -> Path:
        """Log files."""
        return self.root / "log"

    @property
    def hosts(self) -> Path:
        """The hosts file that `makehosts` edits."""
        return self.root / "etc" / "hosts"

    @property
    def is_service_node(self) -> bool:
        """Whether this is a service node: the file `etc/xCATSN` is there, as `/etc/xCATSN` on a Perl xCAT."""
        return os.path.exists(f"{self.root}/etc/xCATSN")  # each request asks: a Path would take ten times as long

    def make(self) -> None:
        """Create the directories that are missing; those which hold keys are for their owner alone.

        Raises:
            OSError: No right, or no space.
        """
        for private in (self.config, self.ca, self.ca / "private", self.ca / "certs", self.cert, self.client):
            private.mkdir(parents=True, exist_ok=True, mode=0o700)
        for public in (self.install, self.tftp, self.log):
            public.mkdir(parents=True, exist_ok=True)


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old content or the new one, never a part.

    Args:
        path: The file; its directory must exist.
        content: All of it.
        mode: The file's permissions.

    Raises:
        OSError: No right, or no space; the old file is then untouched.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
        os.replace(name, path)
    except OSError:
        os.unlink(name)
        raise
