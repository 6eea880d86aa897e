"""Where everything of the embedded xcatd lives below one directory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..files import write_whole
from .logs import FOLDER


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
    def netservices(self) -> Path:
        """The files of the servers for DHCP, DNS, TFTP and HTTP, which those read as users of their own."""
        return self.root / "netservices"

    @property
    def is_service_node(self) -> bool:
        """Whether this is a service node: the file `etc/xCATSN` is there, as `/etc/xCATSN` on a Perl xCAT."""
        return os.path.exists(f"{self.root}/etc/xCATSN")  # each request asks: a Path would take ten times as long

    def tell_clients(self, host: str, port: int) -> None:
        """Write down for who takes the certificates of `root` where this daemon listens."""
        near = "localhost" if host in ("", "0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104
        write_whole(self.client / "xcathost", f"{near}:{port}\n".encode())

    def tell_same(self, folder: Path) -> None:
        """The same for who takes other certificates; nothing before the first start."""
        if (self.client / "xcathost").exists():
            write_whole(folder / "xcathost", (self.client / "xcathost").read_bytes())

    def make(self) -> None:
        """Create the directories that are missing; those that hold keys are for their owner alone.

        Raises:
            OSError: No right, or no space.
        """
        for private in (self.config, self.ca, self.ca / "private", self.ca / "certs", self.cert, self.client):
            private.mkdir(parents=True, exist_ok=True, mode=0o700)
            private.chmod(0o700)
        for public in (self.install, self.tftp):
            public.mkdir(parents=True, exist_ok=True)
        self.log.mkdir(parents=True, exist_ok=True)
        self.log.chmod(FOLDER)
