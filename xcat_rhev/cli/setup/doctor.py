"""`xcat-rhev doctor`: one line per check, well or with the command that mends it."""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ...errors import RhevError
from ..files import shared
from .ledger import Ledger
from .site import Site, add_options, local_address, my_name, site_of

PACKAGES = ("requests", "lxml", "sqlalchemy", "cryptography")


#: Seconds that this machine's clock may differ from a manager's before certificates and tokens suffer.
CLOCK = 60.0
_NO_CGI = "xcat-rhev install --httpd apache, and see that mod_cgi or mod_cgid is loaded"
#: A page of every manager since 3.4 that needs no login.
CA_PAGE = "/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        what: What was looked at.
        well: Whether it is as it should be.
        says: What it is, or what is wrong.
        mend: The command that mends it, or empty.
    """

    what: str
    well: bool
    says: str
    mend: str = ""

    def line(self) -> str:
        """The finding as a person reads it."""
        mark = "ok  " if self.well else "BAD "
        return f"{mark} {self.what}: {self.says}" + (f". Run: {self.mend}" if self.mend and not self.well else "")


def main(argv: Sequence[str]) -> int:
    """Look at everything.

    Returns:
        0 when all is well, 1 when something is not, 2 when there is no xCAT here.
    """
    parser = argparse.ArgumentParser(
        prog="xcat-rhev doctor",
        description="Check an installation: one line per check, well or with the command that mends it.",
    )
    add_options(parser)
    site = site_of(parser.parse_args(list(argv)))
    try:
        site.role()
    except RhevError as problem:
        print(f"xcat-rhev doctor: {problem}", file=sys.stderr)
        return 2
    return show(examine(site))


def show(findings: Iterator[Finding]) -> int:
    """Print findings as they come; gives 1 when one was bad."""
    bad = 0
    for finding in findings:
        print(finding.line(), flush=True)
        bad |= not finding.well
    return bad


def examine(site: Site) -> Iterator[Finding]:
    """Check after check, from the machine inwards; what needs xcatd comes last and only if it answers."""
    yield _python()
    yield from _packages()
    yield _plugin_file(site)
    yield _other_plugins(site)
    answers = _xcatd(site)
    yield answers
    if not answers.well:
        return
    tables = Tables(site)
    yield _plugin_loaded(site)
    yield _policy(tables)
    yield _passwords(tables)
    yield from _folders(tables)
    yield from _images(site, tables)
    yield from _leftovers(tables)
    yield from _selinux(site)
    yield _finish_url(tables)
    yield from _managers(tables)


class Tables:
    """xCAT's tables, read by its own tabdump.

    Args:
        site: The machine.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._read: dict[str, list[dict[str, str]]] = {}

    def rows(self, table: str) -> list[dict[str, str]]:
        """All rows that are not disabled."""
        if table not in self._read:
            lines = self._site.run("tabdump", table).stdout.splitlines()
            reader = csv.DictReader([line.lstrip("#") if number == 0 else line for number, line in enumerate(lines)])
            self._read[table] = [row for row in reader if (row.get("disable") or "0").lower() in ("0", "no")]
        return self._read[table]

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run another of xCAT's commands."""
        return self._site.run(*words)

    def site(self, key: str, usual: str = "") -> str:
        """One value of the site table."""
        return next((row["value"] for row in self.rows("site") if row["key"] == key), "") or usual


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 9), f"{version}, {sys.executable}", "dnf install python3.11")


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        there = importlib.util.find_spec(name) is not None
        yield Finding(
            f"package {name}", there, "there" if there else "missing", f"{sys.executable} -m pip install {name}"
        )


def _plugin_file(site: Site) -> Finding:
    ledger = Ledger(site.state)
    if ledger.ours(site.plugin):
        return Finding("plugin", True, f"{site.plugin} is ours")
    if ledger.knows(site.plugin):
        return Finding(
            "plugin", False, f"{site.plugin} was replaced since, as an upgrade of xCAT does", "xcat-rhev install"
        )
    says = "is xCAT's own" if site.plugin.exists() else "is missing"
    return Finding("plugin", False, f"{site.plugin} {says}", "xcat-rhev install")


def _other_plugins(site: Site) -> Finding:
    """Two plugins that claim mkinstall for one os lose each other's boot parameters."""
    rivals = [
        path.name
        for path in sorted(site.plugin.parent.glob("*.pm"))
        if path != site.plugin and b"rhevhupdateflag" in path.read_bytes()
    ]
    says = "none" if not rivals else f"{', '.join(rivals)} in the plugin folder would serve the same nodes"
    folder = site.plugin.parent
    return Finding(
        "rival plugins", not rivals, says, "; ".join(f"mv {folder}/{name} {folder}/{name}.off" for name in rivals)
    )


def _xcatd(site: Site) -> Finding:
    done = site.run("lsxcatd", "-v")
    well = done.returncode == 0
    says = done.stdout.strip() if well else (done.stderr or done.stdout).strip().partition("\n")[0]
    return Finding("xcatd", well, says or "no answer", "systemctl restart xcatd")


def _plugin_loaded(site: Site) -> Finding:
    """Ask xcatd, not the file: only our plugin knows a word for the wrong thing said."""
    done = site.run("lsve", "--version")
    said = done.stdout + done.stderr
    return Finding(
        "plugin in xcatd", "xcat-rhev" in said, said.strip().partition("\n")[0] or "no answer", "rescanplugins"
    )


def _policy(tables: Tables) -> Finding:
    rows = [row for row in tables.rows("policy") if "rhevhupdateflag" in (row.get("commands") or "").split(",")]
    says = (
        f"row {', '.join(row['priority'] for row in rows)}"
        if rows
        else "no row lets the web server report a finished install"
    )
    return Finding("policy", bool(rows), says, "xcat-rhev install --policy narrow")


def _passwords(tables: Tables) -> Finding:
    keys = {row["key"] for row in tables.rows("passwd") if row.get("password")}
    missing = [key for key in ("rhevm", "rhevh") if key not in keys]
    mend = " ; ".join(f"chtab key={key},username=admin passwd.password=PASSWORD" for key in missing)
    return Finding("passwords", not missing, "there" if not missing else f"none for {', '.join(missing)}", mend)


def _folders(tables: Tables) -> Iterator[Finding]:
    folders = {
        key: Path(tables.site(key, usual)) for key, usual in (("installdir", "/install"), ("tftpdir", "/tftpboot"))
    }
    for key, folder in folders.items():
        well = os.access(folder, os.W_OK)
        yield Finding(
            f"site.{key}", well, f"{folder} is writable" if well else f"{folder} is not writable", f"mkdir -p {folder}"
        )
    if all(folder.exists() for folder in folders.values()):
        same = len({folder.stat().st_dev for folder in folders.values()}) == 1
        yield Finding("file system", True, "one for both" if same else "two, so initrds are copied instead of shared")


def _images(site: Site, tables: Tables) -> Iterator[Finding]:
    linux = {row["imagename"]: row for row in tables.rows("linuximage")}
    for row in tables.rows("osimage"):
        if (row.get("osvers") or "").startswith(("rhevh", "ovirt")):
            needed = linux.get(row["imagename"], {})
            folder, template = needed.get("pkgdir", "").split(",")[0], needed.get("template", "")
            missing = [path for path in (folder, template) if path and not Path(path).exists()]
            well = bool(folder) and not missing
            says = folder if well else f"missing: {', '.join(missing) or 'linuximage.pkgdir'}"
            yield Finding(f"osimage {row['imagename']}", well, says, _media(site, tables, missing))


def _media(site: Site, tables: Tables, missing: Sequence[str]) -> str:
    """How media come to this machine: a service node has those of its management node, mounted or copied."""
    if not missing or site.role() == "management node":
        return "copycds ISO"
    master = tables.site("master")
    return f"rsync -aR {' '.join(f'{master}:{path}' for path in missing)} /"


def _leftovers(tables: Tables) -> Iterator[Finding]:
    """`copycds -n rhevh...` lets xCAT's anaconda plugin copy the medium too, and make Red Hat images of it."""
    for row in tables.rows("osimage"):
        ours = (row.get("osvers") or "").startswith(("rhevh", "ovirt"))
        if ours and (row.get("provmethod") in ("netboot", "statelite") or row.get("profile") == "service"):
            name = row["imagename"]
            yield Finding(
                f"osimage {name}", False, "made by another plugin for a medium of ours", f"rmdef -t osimage {name}"
            )


def _finish_url(tables: Tables) -> Finding:
    """Ask this machine's web server as a hypervisor does. We are none, so the application has to refuse us."""
    host, port = _own_address(tables.site("master", "127.0.0.1")), tables.site("httpport", "80")
    url = f"http://{host}:{port}/xcatrhevh/rhevh_finish_install/doctor"
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - http, composed here
            return Finding("finish URL", False, f"{url} answers {answer.status} to somebody who is no node", _NO_CGI)
    except urllib.error.HTTPError as problem:
        with problem:
            return _refusal(url, problem.code, problem.headers.get_content_type(), problem.read(200))
    except OSError as problem:
        return Finding("finish URL", False, f"{url}: {getattr(problem, 'reason', problem)}", "systemctl restart httpd")


def _own_address(master: str) -> str:
    """The address with which this machine talks to its master; on a management node that is the master's own."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(master, 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(address)  # sends nothing: the kernel only chooses a route
            own = str(probe.getsockname()[0])
    except OSError:
        own = master
    return f"[{own}]" if ":" in own else own


def _refusal(url: str, code: int, kind: str, text: bytes) -> Finding:
    """Tell the application's refusal from the web server's, which is HTML, and from xcatd's."""
    told = text.decode("utf-8", "replace").strip()
    if kind != "text/plain" or code not in (403, 503):
        return Finding("finish URL", False, f"{url} answers {code}", _NO_CGI)
    if code == 503:
        return Finding("finish URL", False, f"{url}: {told}", "systemctl restart xcatd")
    if "Permission denied" in told:
        return _denied()
    return Finding("finish URL", True, "answers")


def _denied() -> Finding:
    """No policy row fits what xcatd calls this machine; an xcatd with IPv6 has no name for an IPv4 client."""
    if ":" not in local_address() and _listens("::1"):
        return Finding("finish URL", False, "xcatd has no name for 127.0.0.1", "echo '::1 localhost' >> /etc/hosts")
    *_, row = csv.DictReader(shared("policy/policy.narrow.csv").read_text().lstrip("#").splitlines())
    columns = " ".join(f"policy.{column}='{row[column]}'" for column in ("commands", "parameters", "rule"))
    says = f"policy has no row for reports from {my_name()}, as xcatd calls this machine"
    return Finding("finish URL", False, says, f"chtab priority=5.1 policy.host={my_name()} {columns}")


def _listens(address: str, port: int = 3001) -> bool:
    try:
        socket.create_connection((address, port), 5).close()
    except OSError:
        return False
    return True


def _selinux(site: Site) -> Iterator[Finding]:
    enforcing = site.below("/sys/fs/selinux/enforce")
    if enforcing.exists():
        there = "xcatrhevh" in site.run("semodule", "-l").stdout
        says = "the module xcatrhevh is loaded" if there else "the CGI may not connect to xcatd"
        yield Finding("SELinux", there, says, "xcat-rhev install")


def _managers(tables: Tables) -> Iterator[Finding]:
    names = {row.get("mgr") or "" for table in ("vm", "hypervisor") for row in tables.rows(table)} - {""}
    for name in sorted(names):
        yield _manager(tables, name)


def _manager(tables: Tables, name: str) -> Finding:
    """A question to it, through xcatd and the agent; what was found out about it stands in its folder."""
    done = tables.ask("lsve", "-t", "dc", "-m", name)
    if done.returncode:
        return Finding(f"manager {name}", False, (done.stderr or done.stdout).strip().partition("\n")[0])
    folder = Path(tables.site("xcatconfdir", "/etc/xcat"), "rhevm", name.replace(":", "_"))
    if not folder.is_dir():
        return Finding(f"manager {name}", True, "answers another machine, which serves it and keeps its CA")
    known = _known(folder / "api")
    apart = _clocks_apart(str(known.get("origin", "")), folder / "ca.crt")
    version = f"version {known.get('version', 'unknown')}, CA SHA-256 {_print_of(folder / 'ca.crt')}"
    if apart > CLOCK:
        return Finding(f"manager {name}", False, f"its clock and ours are {apart:.0f} s apart", "chronyc makestep")
    return Finding(f"manager {name}", True, version)


def _known(file: Path) -> dict[str, object]:
    try:
        found: dict[str, object] = json.loads(file.read_text())
        return found
    except (OSError, ValueError):
        return {}


def _clocks_apart(origin: str, ca: Path) -> float:
    """Seconds between a manager's clock and ours; 0 where its answer does not tell the time."""
    try:
        context = ssl.create_default_context(cafile=str(ca))
        with urllib.request.urlopen(f"{origin}{CA_PAGE}", timeout=10, context=context) as answer:  # noqa: S310 - https
            told = answer.headers["Date"]
        return abs(parsedate_to_datetime(told).timestamp() - time.time())
    except (OSError, ValueError, TypeError):
        return 0.0


def _print_of(ca: Path) -> str:
    try:
        certificate = x509.load_pem_x509_certificate(ca.read_bytes())
    except (OSError, ValueError):
        return "not pinned"
    return ":".join(f"{byte:02X}" for byte in certificate.fingerprint(hashes.SHA256()))
