"""`xcat-rhev engine`: kits with which xCAT installs managers and their hosts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence

from ...errors import RhevError
from ...files import typed_path
from . import hostkit, managerkit, ready
from .releases import RELEASES

#: Seconds that the installation of a system, of packages and the setup may take together.
LIMIT = 7200


def main(argv: Sequence[str]) -> int:
    """Do one of kit, hostkit and wait.

    Returns:
        0 when it is done, 1 when something is in the way, which is said in one line.
    """
    options = _parser().parse_args(list(argv))
    work: Callable[[argparse.Namespace], Iterator[str]] = options.work
    try:
        for line in work(options):
            print(line, flush=True)
    except RhevError as problem:
        print(f"xcat-rhev engine: {problem}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    names = ", ".join(each.name for each in RELEASES)
    parser = argparse.ArgumentParser(prog="xcat-rhev engine", description="Install managers and their hosts by xCAT.")
    parts = parser.add_subparsers(metavar="PART", required=True)
    kit = parts.add_parser("kit", help="what xCAT needs to install a manager on a node", epilog=f"Releases: {names}")
    _common(kit)
    kit.add_argument("--node", required=True, help="the node that becomes the manager")
    kit.add_argument(
        "--image", default="", metavar="OSIMAGE", help="the Enterprise Linux below it (nodetype.provmethod)"
    )
    kit.add_argument("--organization", default="", metavar="NAME", help="in the manager's certificates (its domain)")
    kit.add_argument("--no-keycloak", dest="keycloak", action="store_false", help="from 4.5 on: logins as before")
    kit.add_argument("--again", action="store_true", help="new answers, though some were made or handed out")
    kit.set_defaults(work=managerkit.make)
    host = parts.add_parser("hostkit", help="what xCAT needs to install hosts with a full Linux", epilog=kit.epilog)
    _common(host)
    host.add_argument("--image", required=True, metavar="OSIMAGE", help="the Enterprise Linux of the hosts")
    host.add_argument("--manager", default="", help="whose SSH key the hosts trust; without it a password is used")
    host.set_defaults(work=hostkit.make)
    wait = parts.add_parser("wait", help="wait for a manager, take its CA, log in")
    wait.add_argument("node", help="the node that becomes the manager")
    wait.add_argument(
        "--timeout", type=float, default=LIMIT, metavar="SECONDS", help=f"seconds to wait at most ({LIMIT})"
    )
    wait.set_defaults(work=ready.make)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("version", metavar="RELEASE", help="such as rhev3.6, rhv4.4, ovirt4.5 or olvm4.5")
    parser.add_argument(
        "--output", type=typed_path, metavar="DIR", help="the folder of the kit (<installdir>/custom/rhevm/...)"
    )
