"""`xcat-rhev uninstall`: put back every byte that an install replaced."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...errors import RhevError
from . import agents
from .ledger import Ledger
from .site import XcatSite, add_options, site_of
from .tables import XcatTables
from .webserver import configured_server

_UNIT = "/etc/systemd/system/multi-user.target.wants/xcat-rhev-agent.service"


def main(argv: Sequence[str]) -> int:
    """Put back every byte, take our policy rows away, stop the agent, and name what stays.

    Returns:
        0 at its end, 1 when something could not be taken away, 2 when this machine is not one for it.
    """
    parser = argparse.ArgumentParser(
        prog="xcat-rhev uninstall",
        description=(
            "Take the product out of a Perl xCAT: put back every byte that an install replaced, and stop the agent. "
            f"If the agent is at work, it gets {agents.PATIENCE:.0f} seconds to end."
        ),
    )
    add_options(parser)
    parser.add_argument("--dry-run", action="store_true", help="only show what would be done")
    options = parser.parse_args(list(argv))
    site = site_of(options)
    try:
        site.role()
        site.check_rights()
    except RhevError as problem:
        print(f"xcat-rhev uninstall: {problem}", file=sys.stderr)
        return 2
    ledger = Ledger(site.state)
    stays = list(_stays(site))
    for line in _plan_lines(site, ledger) if options.dry_run else _remove_all(site, ledger):
        print(f"  {line}", flush=True)
    if stays:
        print("What stays, for you to remove:")
        print("\n".join(f"  {line}" for line in stays))
    return 1 if not options.dry_run and (ledger.fact("policy") or ledger.fact("selinux")) else 0


def _plan_lines(site: XcatSite, ledger: Ledger) -> Iterator[str]:
    yield from (f"policy row {row}" for row in ledger.fact("policy") or [])
    yield from ledger.files()
    yield from (f"the agent, process {process}" for process in agents.processes(site))
    yield from map(str, agents.files(site))


def _remove_all(site: XcatSite, ledger: Ledger) -> Iterator[str]:
    """Take all away. The agent comes last: as long as the plugin is there, xcatd starts the next one."""
    yield from _policy(site, ledger)
    yield from _selinux(site, ledger)
    server = configured_server(site, ledger.files())
    unit = site.below(_UNIT)
    yield from ledger.restore()
    if unit.is_symlink():  # somebody has enabled the agent's unit
        unit.unlink()
        site.run("systemctl", "daemon-reload")
        yield f"removed {unit}"
    site.rescan()
    if server:
        server.reload(site)
    yield from agents.stop(site)


def _policy(site: XcatSite, ledger: Ledger) -> Iterator[str]:
    failed = []
    for priority in ledger.fact("policy") or []:
        done = site.run("chtab", "-d", f"priority={priority}", "policy")
        if done.returncode:
            failed.append(priority)
            yield f"could not remove policy row {priority}: {(done.stderr or done.stdout).strip()}"
        else:
            yield f"removed policy row {priority}"
    ledger.note("policy", failed) if failed else ledger.forget("policy")


def _selinux(site: XcatSite, ledger: Ledger) -> Iterator[str]:
    if not ledger.fact("selinux"):
        return
    site.run("semanage", "port", "-d", "-p", "tcp", "3001")
    done = site.run("semodule", "-r", "xcatrhevh")
    if done.returncode:
        yield f"could not remove the SELinux module xcatrhevh: {(done.stderr or done.stdout).strip()}"
        return
    ledger.forget("selinux")
    yield "removed the SELinux module xcatrhevh"


def _stays(site: XcatSite) -> Iterator[str]:
    """What commands have written since, and nothing else can make again."""
    tables = XcatTables(site)
    confdir = Path(tables.site("xcatconfdir", str(site.confdir)))
    installdir = Path(tables.site("installdir", "/install"))
    for path, what in (
        (confdir / "rhevm", "what was found out about managers, and the CAs that are trusted"),
        (installdir / "xcatrhevh", "the node map of the finish URL"),
        (site.log, "the agent's log"),
    ):
        if path.exists():
            yield f"{path}: {what}"
    images = [
        row["imagename"] for row in tables.rows("osimage") if (row.get("osvers") or "").startswith(("rhevh", "ovirt"))
    ]
    if images:
        yield f"osimages and their media: {', '.join(images)}"
