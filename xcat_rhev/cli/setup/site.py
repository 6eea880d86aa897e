"""Where a machine with a Perl xCAT keeps things, and how its own commands are typed."""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ...errors import Conflict, Denied, NotFound
from ...files import typed_path


@dataclass(frozen=True)
class XcatSite:
    """One machine with xCAT.

    Attributes:
        root: xCAT's folder, usually /opt/xcat.
        confdir: Its configuration, usually /etc/xcat.
        prefix: In front of all other paths; `/` but in tests.
        program: The `xcat-rhev` that the shim starts.
    """

    root: Path
    confdir: Path
    prefix: Path
    program: Path

    @property
    def plugin(self) -> Path:
        """Where xCAT looks for the plugin of `mgt=rhevm`."""
        return self.root / "lib/perl/xCAT_plugin/rhevm.pm"

    @property
    def script(self) -> Path:
        """The CGI."""
        return self.root / "ws/xcatrhevh.cgi"

    @property
    def socket(self) -> Path:
        """Where the agent listens."""
        return Path(os.environ.get("XCAT_RHEV_SOCKET") or self.below("/var/run/xcat/xcat-rhev.sock"))

    @property
    def log(self) -> Path:
        """Where the agent writes what it has to say."""
        return Path(os.environ.get("XCAT_RHEV_LOG") or self.below("/var/log/xcat/xcat-rhev.log"))

    @property
    def state(self) -> Path:
        """Where we keep what we replaced, and the list of it."""
        return self.confdir / "xcat-rhev"

    def below(self, path: str) -> Path:
        """A path of the machine, below the prefix."""
        return self.prefix / path.lstrip("/")

    def role(self) -> str:
        """`management node` or `service node`.

        Raises:
            NotFound: There is no xCAT here.
            Conflict: It is neither.
        """
        if not self.plugin.parent.is_dir():
            raise NotFound(f"there is no xCAT in {self.root}", "Name its folder: --xcatroot DIR")
        for mark, role in (("/etc/xCATSN", "service node"), ("/etc/xCATMN", "management node")):
            if self.below(mark).exists():
                return role
        raise Conflict(
            "this machine is neither a management node nor a service node of xCAT",
            "Run it on a machine that has /etc/xCATMN or /etc/xCATSN",
        )

    def check_rights(self) -> None:
        """See that we may change it.

        Raises:
            Denied: We may not.
        """
        if not os.access(self.plugin.parent, os.W_OK):
            raise Denied(f"{self.plugin.parent} is not writable for you", "Run it as root")

    def rescan(self) -> None:
        """Let xcatd read its plugins again."""
        self.run("rescanplugins")

    def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run one of xCAT's own commands, or a system one; its exit code is for the caller to look at."""
        environment = {**os.environ, "XCATROOT": str(self.root)}
        environment["PATH"] = f"{self.root}/bin:{self.root}/sbin:" + environment.get("PATH", "/usr/bin:/bin")
        found = shutil.which(words[0], path=environment["PATH"])
        if not found:
            return subprocess.CompletedProcess(words, 127, "", f"{words[0]} is not installed")
        return subprocess.run(  # noqa: S603 - words, no shell
            [found, *words[1:]], input=stdin, capture_output=True, text=True, env=environment, check=False, timeout=120
        )


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say where xCAT is."""
    parser.add_argument("--xcatroot", type=typed_path, metavar="DIR", help="xCAT's folder ($XCATROOT, else /opt/xcat)")
    parser.add_argument("--confdir", type=typed_path, metavar="DIR", help="xCAT's configuration (/etc/xcat)")
    parser.add_argument("--prefix", type=typed_path, default=Path("/"), metavar="DIR", help=argparse.SUPPRESS)


def site_of(options: argparse.Namespace) -> XcatSite:
    """The machine that those options mean."""
    prefix: Path = options.prefix
    root = options.xcatroot or Path(os.environ.get("XCATROOT") or prefix / "opt/xcat")
    return XcatSite(root, options.confdir or prefix / "etc/xcat", prefix, Path(sys.executable).with_name("xcat-rhev"))


def site_of_machine() -> XcatSite:
    """The machine that we are on, as it stands without options."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    return site_of(parser.parse_args([]))


def local_address(port: int = 3001) -> str:
    """The address on which xcatd takes connections to `localhost`, as the CGI makes them; 127.0.0.1 if it is down."""
    try:
        with socket.create_connection(("localhost", port), 5) as connection:
            return str(connection.getpeername()[0])
    except OSError:
        return "127.0.0.1"
