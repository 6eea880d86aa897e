"""`xcat-rhev doctor`: one line per check, well or with the command that mends it."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import ssl
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ...errors import RhevError
from ...files import typed_path
from ...ordering import natural
from ...rows.manager import manager_folder
from .. import homes
from ..files import find_shared
from . import finishurl, webcertificate
from .findings import Finding, show
from .ledger import Ledger
from .site import XcatSite, add_options, site_of
from .tables import XcatTables
from .webserver import configured_server

PACKAGES = ("requests", "lxml", "regex", "cryptography")


#: Seconds that this machine's clock may differ from a manager's before certificates and tokens suffer.
CLOCK = 60.0
#: A page of every manager since 3.4 that needs no login.
CA_PAGE = "/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA"


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
    parser.add_argument("--home", type=typed_path, metavar="DIR", help="look at the embedded xcatd of this home")
    words = parser.parse_args(list(argv))
    site = site_of(words)
    home = words.home or (None if site.plugin.parent.is_dir() or words.xcatroot else _usual_home())
    if home:
        from .doctor_home import examine as embedded  # the daemon is a package of its own

        return show(embedded(home.resolve()))
    try:
        site.role()
    except RhevError as problem:
        print(f"xcat-rhev doctor: {problem}", file=sys.stderr)
        return 2
    return show(examine(site))


def _usual_home() -> Path | None:
    """The home of the embedded xcatd, if there is one where it usually is."""
    return homes.usual() if (homes.usual() / "etc" / "xcat").is_dir() else None


def examine(site: XcatSite) -> Iterator[Finding]:
    """Check after check, from the machine inwards; what needs xcatd comes last and only if it answers."""
    yield _python(site)
    yield from _packages()
    yield _perl(site)
    yield _plugin_file(site)
    yield _other_plugins(site)
    answers = _xcatd(site)
    yield answers
    if not answers.well:
        return
    tables = XcatTables(site)
    yield _check_plugin(site)
    yield _policy(tables)
    yield _passwords(tables)
    yield from _folders(tables)
    yield from _images(site, tables)
    yield from _leftovers(tables)
    yield from _selinux(site)
    yield _finish_url(site, tables)
    yield from _managers(tables)


def _python(site: XcatSite) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    newer = "apt-get install python3" if _is_debian(site) else "dnf install python3.11"
    return Finding("Python", sys.version_info >= (3, 9), f"{version}, {sys.executable}", newer)


def _is_debian(site: XcatSite) -> bool:
    return site.run("apt-get", "--version").returncode == 0


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        there = importlib.util.find_spec(name) is not None
        yield Finding(
            f"package {name}", there, "there" if there else "missing", f"{sys.executable} -m pip install {name}"
        )


def _perl(site: XcatSite) -> Finding:
    """The modules that our plugin loads, xCAT's own left out: distributions have split Perl into many packages."""
    text = find_shared("share/perl/rhevm.pm").read_text()
    names = re.findall(r"^\s*(?:use|require) (?!xCAT)([A-Z][\w:]*)", text, re.MULTILINE)
    missing = [name for name in dict.fromkeys(names) if site.run("perl", f"-M{name}", "-e", "1").returncode]
    says = "there" if not missing else f"{', '.join(missing)} cannot be loaded, so some or all commands fail"
    return Finding("Perl modules of the plugin", not missing, says, _packages_of(site, missing))


def _packages_of(site: XcatSite, modules: Sequence[str]) -> str:
    """The command that installs Perl modules here."""
    if _is_debian(site):
        packages = dict.fromkeys("libjson-perl" if name == "JSON" else "perl" for name in modules)
        return f"apt-get install {' '.join(packages)}"
    tool = "zypper" if site.run("zypper", "--version").returncode == 0 else "dnf"
    return f"{tool} install {' '.join(repr(f'perl({name})') for name in modules)}"


def _plugin_file(site: XcatSite) -> Finding:
    ledger = Ledger(site.state)
    if ledger.ours(site.plugin):
        return Finding("plugin", True, f"{site.plugin} is ours")
    if ledger.knows(site.plugin):
        return Finding(
            "plugin", False, f"{site.plugin} was replaced later, as an upgrade of xCAT does", "xcat-rhev install"
        )
    says = "is xCAT's own" if site.plugin.exists() else "is missing"
    return Finding("plugin", False, f"{site.plugin} {says}", "xcat-rhev install")


def _other_plugins(site: XcatSite) -> Finding:
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


def _xcatd(site: XcatSite) -> Finding:
    done = site.run("lsxcatd", "-v")
    well = done.returncode == 0
    says = done.stdout.strip() if well else (done.stderr or done.stdout).strip().partition("\n")[0]
    return Finding("xcatd", well, says or "no answer", "systemctl restart xcatd")


def _check_plugin(site: XcatSite) -> Finding:
    """Ask xcatd, not the file: only our plugin knows a word for the wrong thing said."""
    done = site.run("lsve", "--version")
    said = done.stdout + done.stderr
    return Finding(
        "plugin in xcatd", "xcat-rhev" in said, said.strip().partition("\n")[0] or "no answer", "rescanplugins"
    )


def _policy(tables: XcatTables) -> Finding:
    rows = [row for row in tables.rows("policy") if "rhevhupdateflag" in (row.get("commands") or "").split(",")]
    says = (
        f"row {', '.join(row['priority'] for row in rows)}"
        if rows
        else "no row lets the web server report a finished install"
    )
    return Finding("policy", bool(rows), says, "xcat-rhev install --policy certificate")


def _passwords(tables: XcatTables) -> Finding:
    there = {(row["key"], row.get("username")) for row in tables.rows("passwd") if row.get("password")}
    missing = [pair for pair in (("rhevh", "root"), ("rhevh", "admin")) if pair not in there]
    if "rhevm" not in {key for key, _ in there}:  # a manager's user may have any name
        missing.insert(0, ("rhevm", "admin"))
    mend = " ; ".join(f"chtab key={key},username={user} passwd.password=PASSWORD" for key, user in missing)
    says = "there" if not missing else "none for " + ", ".join(f"{key} ({user})" for key, user in missing)
    return Finding("passwords", not missing, says, mend, later=True)


def _folders(tables: XcatTables) -> Iterator[Finding]:
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


def _images(site: XcatSite, tables: XcatTables) -> Iterator[Finding]:
    linux = {row["imagename"]: row for row in tables.rows("linuximage")}
    for row in tables.rows("osimage"):
        if (row.get("osvers") or "").startswith(("rhevh", "ovirt")):
            needed = linux.get(row["imagename"], {})
            folder, template = needed.get("pkgdir", "").split(",")[0], needed.get("template", "")
            missing = [path for path in (folder, template) if path and not Path(path).exists()]
            well = bool(folder) and not missing
            says = folder if well else f"missing: {', '.join(missing) or 'linuximage.pkgdir'}"
            yield Finding(f"osimage {row['imagename']}", well, says, _media(site, tables, missing))


def _media(site: XcatSite, tables: XcatTables, missing: Sequence[str]) -> str:
    """How media come to this machine: a service node has those of its management node, mounted or copied."""
    if not missing or site.role() == "management node":
        return "copycds ISO"
    master = tables.site("master")
    return f"rsync -aR {' '.join(f'{master}:{path}' for path in missing)} /"


def _leftovers(tables: XcatTables) -> Iterator[Finding]:
    """`copycds -n rhevh...` lets xCAT's anaconda plugin copy the medium too, and make Red Hat images of it."""
    for row in tables.rows("osimage"):
        ours = (row.get("osvers") or "").startswith(("rhevh", "ovirt"))
        if ours and (row.get("provmethod") in ("netboot", "statelite") or row.get("profile") == "service"):
            name = row["imagename"]
            yield Finding(
                f"osimage {name}", False, "made by another plugin for a medium of ours", f"rmdef -t osimage {name}"
            )


def _finish_url(site: XcatSite, tables: XcatTables) -> Finding:
    files = Ledger(site.state).files()
    own = f". Let your web server run {site.script} for /xcatrhevh, see share/httpd/README.md"
    hint = own if files else ". Run: xcat-rhev install"
    return finishurl.check_application(tables, configured_server(site, files), hint, _policy_command(site, tables))


def _policy_command(site: XcatSite, tables: XcatTables) -> str:
    """What makes xcatd permit the application's requests: the certificate comes from where xCAT's CA is."""
    if site.role() == "management node" or webcertificate.is_there(site):
        return finishurl.POLICY
    file = webcertificate.file_of(site)
    return f"rsync -a {tables.site('master')}:{file} {file.parent}/ && xcat-rhev install"


def _selinux(site: XcatSite) -> Iterator[Finding]:
    enforcing = site.below("/sys/fs/selinux/enforce")
    if enforcing.exists():
        there = "xcatrhevh" in site.run("semodule", "-l").stdout
        says = "the module xcatrhevh is loaded" if there else "the CGI may not connect to xcatd"
        yield Finding("SELinux", there, says, "xcat-rhev install")


def _managers(tables: XcatTables) -> Iterator[Finding]:
    names = {row.get("mgr") or "" for table in ("vm", "hypervisor") for row in tables.rows(table)} - {""}
    for name in sorted(names, key=natural):
        yield _manager(tables, name)
        yield from _certificates(tables, name)


def _manager(tables: XcatTables, name: str) -> Finding:
    """A question to it, through xcatd and the agent; what was found out about it is in its folder."""
    done = tables.ask("lsve", "-t", "dc", "-m", name)
    if done.returncode:
        return Finding(f"manager {name}", False, (done.stderr or done.stdout).strip().partition("\n")[0])
    folder = manager_folder(tables, name)
    if not folder.is_dir():
        return Finding(f"manager {name}", True, "answers another machine, which serves it and keeps its CA")
    known = _read_facts(folder / "api")
    apart = _clocks_apart(str(known.get("origin", "")), folder / "ca.crt")
    version = f"version {known.get('version', 'unknown')}, CA SHA-256 {_print_of(folder / 'ca.crt')}"
    if apart > CLOCK:
        return Finding(f"manager {name}", False, f"its clock differs from ours by {apart:.0f} s", "chronyc makestep")
    return Finding(f"manager {name}", True, version)


def _certificates(tables: XcatTables, name: str) -> Iterator[Finding]:
    """What ends soon: of the manager, of its CA, and of the hypervisors that the manager warned of."""
    nodes = [row["node"] for row in tables.rows("hypervisor") if row.get("mgr") == name and row.get("node")]
    if not nodes:
        return
    done = tables.ask("rvitals", ",".join(nodes), "cert")
    if done.returncode:
        return  # what was said of the manager before says why
    near = [line for line in (done.stdout + done.stderr).splitlines() if "certificate" in line and ". Run" in line]
    says, _, mend = near[0].partition(". Run") if near else ("none ends soon", "", "")
    more = f" (and {len(near) - 1} more)" if near[1:] else ""
    yield Finding(f"certificates of {name}", not near, says + more, mend.partition(": ")[2])


def _read_facts(file: Path) -> dict[str, object]:
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
