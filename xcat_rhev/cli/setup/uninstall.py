"""`xcat-rhev uninstall`: put back every byte that an install replaced."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ...errors import RhevError
from .ledger import Ledger
from .site import add_options, site_of


def main(argv: Sequence[str]) -> int:
    """Put back every byte, and take our policy rows away.

    Returns:
        0 at its end, 2 when this machine is not one for it.
    """
    parser = argparse.ArgumentParser(
        prog="xcat-rhev uninstall",
        description="Take the product out of a Perl xCAT: put back every byte that an install replaced.",
    )
    add_options(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would be done only")
    options = parser.parse_args(list(argv))
    site = site_of(options)
    ledger = Ledger(site.state)
    try:
        site.role()
        site.check_rights()
    except RhevError as problem:
        print(f"xcat-rhev uninstall: {problem}", file=sys.stderr)
        return 2
    rows = ledger.noted("policy") or []
    if options.dry_run:
        print("\n".join([f"  policy row {row}" for row in rows] + [f"  {path}" for path in ledger.files()]))
        return 0
    for priority in rows:
        site.run("chtab", "-d", f"priority={priority}", "policy")
        print(f"  removed policy row {priority}")
    if ledger.noted("selinux"):
        site.run("semanage", "port", "-d", "-p", "tcp", "3001")
        site.run("semodule", "-r", "xcatrhevh")
        print("  removed the SELinux module xcatrhevh")
    for line in ledger.restore():
        print(f"  {line}")
    site.reload()
    return 0
