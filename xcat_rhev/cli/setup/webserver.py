"""The web servers that an install can prepare: where their snippets go, and how they are made to read them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .site import XcatSite

SNIPPET = "xcat-rhev.conf"


@dataclass(frozen=True)
class WebServer:
    """One web server as one distribution packs it.

    Attributes:
        kind: The word for `--httpd`.
        service: Its systemd unit.
        folder: Where it reads snippets from.
        processes: What its processes may be called.
        control: The words that make running ones read their configuration, without systemd. They look at it first.
        mend: What makes it serve the finish URL when it does not.
    """

    kind: str
    service: str
    folder: str
    processes: tuple[str, ...]
    control: tuple[str, ...]
    mend: str

    @property
    def start(self) -> str:
        """What makes it run."""
        return f"systemctl restart {self.service}"

    def reload(self, site: XcatSite) -> bool:
        """Make it read its configuration; gives whether it runs.

        Systemd is asked first, where it is, and then the server itself: systemctl answers 0 in containers that have no
        systemd, and for a unit that is not the one that serves. Twice does no harm.
        """
        runs = any(_runs(site, name) for name in self.processes)
        if runs:
            site.run("systemctl", "reload", self.service)
            site.run(*self.control)
        return runs


SERVERS = (
    WebServer(  # Red Hat and its kin
        "apache",
        "httpd",
        "/etc/httpd/conf.d",
        ("httpd",),
        ("httpd", "-k", "graceful"),
        "systemctl restart httpd, and see that mod_cgi or mod_cgid is loaded",
    ),
    WebServer(  # Debian, Ubuntu
        "apache",
        "apache2",
        "/etc/apache2/conf-enabled",
        ("apache2",),
        ("apache2ctl", "-k", "graceful"),
        "a2enmod cgid && systemctl restart apache2",
    ),
    WebServer(  # SUSE
        "apache",
        "apache2",
        "/etc/apache2/conf.d",
        ("httpd-prefork", "httpd-worker", "httpd-event", "httpd"),
        ("apache2ctl", "-k", "graceful"),
        "a2enmod cgid && systemctl restart apache2",
    ),
    WebServer(
        "nginx",
        "nginx",
        "/etc/nginx/default.d",
        ("nginx",),
        ("nginx", "-s", "reload"),
        "systemctl enable --now fcgiwrap.socket && systemctl restart nginx",
    ),
    # What is in conf.d is outside of all `server { }`, where a location would keep nginx from starting. So on
    # Debian, and with nginx's own packages, people include the snippet.
    *(
        WebServer(
            "nginx",
            "nginx",
            f"/etc/nginx{folder}",
            ("nginx",),
            ("nginx", "-s", "reload"),
            f"systemctl restart nginx, and see that `include /etc/nginx{folder}/{SNIPPET};` stands in its server {{ }}",
        )
        for folder in ("/snippets", "")
    ),
)


def _runs(site: XcatSite, process: str) -> bool:
    """Whether such a process runs here. One in a container is another server; and `graceful` would start this one."""
    here = ("--ns", str(os.getpid()), "--nslist", "mnt,net")
    return site.run("pgrep", *here, "-x", process).returncode == 0


def find_server(site: XcatSite, kind: str) -> WebServer | None:
    """The web server of that kind that is on this machine."""
    return next((server for server in SERVERS if server.kind == kind and site.below(server.folder).is_dir()), None)


def kinds(site: XcatSite) -> list[str]:
    """The kinds of web servers that are on this machine."""
    return list(dict.fromkeys(server.kind for server in SERVERS if site.below(server.folder).is_dir()))


def configured_server(site: XcatSite, files: Iterable[str]) -> WebServer | None:
    """The web server whose snippet is among an install's files; None when the site serves the CGI by itself."""
    paths = {Path(name) for name in files}
    return next((server for server in SERVERS if site.below(server.folder) / SNIPPET in paths), None)
