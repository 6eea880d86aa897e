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

#: Apache's folder for snippets, by distribution family, and the service to reload.
APACHE = (("/etc/httpd/conf.d", "httpd"), ("/etc/apache2/conf-enabled", "apache2"), ("/etc/apache2/conf.d", "apache2"))
NGINX = (("/etc/nginx/default.d", "nginx"), ("/etc/nginx/conf.d", "nginx"))


#: A web server's service, and how it is told without systemd.
RELOADS = (
    ("httpd", ("apachectl", "-k", "graceful")),
    ("apache2", ("apache2ctl", "graceful")),
    ("nginx", ("nginx", "-s", "reload")),
)


@dataclass(frozen=True)
class Site:
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
            "Run it where /etc/xCATMN or /etc/xCATSN stands",
        )

    def check_rights(self) -> None:
        """See that we may change it.

        Raises:
            Denied: We may not.
        """
        if not os.access(self.plugin.parent, os.W_OK):
            raise Denied(f"{self.plugin.parent} is not writable for you", "Run it as root")

    def reload(self) -> None:
        """Let xcatd read its plugins again, and a running web server its configuration."""
        self.run("rescanplugins")
        for service, control in RELOADS:
            if self.run("systemctl", "-q", "is-active", service).returncode == 0:
                self.run("systemctl", "reload", service)
            elif self.run("pgrep", "-x", service).returncode == 0:  # started without systemd
                self.run(*control)

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

    def http_folder(self, kind: str) -> tuple[Path, str] | None:
        """The web server's folder for snippets and its service; None when it is not installed."""
        for folder, service in {"apache": APACHE, "nginx": NGINX}.get(kind, ()):
            if self.below(folder).is_dir():
                return self.below(folder), service
        return None


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say where xCAT is."""
    parser.add_argument("--xcatroot", type=Path, metavar="DIR", help="xCAT's folder ($XCATROOT, else /opt/xcat)")
    parser.add_argument("--confdir", type=Path, metavar="DIR", help="xCAT's configuration (/etc/xcat)")
    parser.add_argument("--prefix", type=Path, default=Path("/"), metavar="DIR", help=argparse.SUPPRESS)


def site_of(options: argparse.Namespace) -> Site:
    """The machine that those options mean."""
    prefix: Path = options.prefix
    root = options.xcatroot or Path(os.environ.get("XCATROOT") or prefix / "opt/xcat")
    return Site(root, options.confdir or prefix / "etc/xcat", prefix, Path(sys.executable).with_name("xcat-rhev"))


def local_address(port: int = 3001) -> str:
    """The address on which xcatd takes connections to `localhost`, as the CGI makes them; 127.0.0.1 if it is down."""
    try:
        with socket.create_connection(("localhost", port), 5) as connection:
            return str(connection.getpeername()[0])
    except OSError:
        return "127.0.0.1"


def my_name() -> str:
    """What xcatd, and so policy.host, calls a client on this machine: the name of its address, up to the first dot."""
    try:
        return socket.gethostbyaddr(local_address())[0].partition(".")[0]
    except OSError:
        return "localhost"
