"""The words of `xcat-rhev connect`, and its steps in order; each says what it did."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

from ...engine.managers import split_name
from ...errors import RhevError, Usage
from ...files import typed_path
from ...messages import few
from ...ports import port
from ...rows.manager import folder_of
from .. import homes
from ..client import target
from . import authority, links, login, place, takeover


def main(argv: Sequence[str]) -> int:
    """Connect an engine.

    Returns:
        0 when its machines are nodes and can be typed at, 1 when not, 130 after Ctrl-C.
    """
    options = _options(argv)
    try:
        return _connect(options)
    except RhevError as problem:
        print(f"xcat-rhev connect: {problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        print(
            f"xcat-rhev connect: {problem.filename or options.home or homes.usual()}: {problem.strerror}",
            file=sys.stderr,
        )
        return 1
    except (KeyboardInterrupt, EOFError):
        print("\nxcat-rhev connect: stopped; type it again to go on", file=sys.stderr)
        return 130


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="xcat-rhev connect",
        description="Make nodes of an engine's hypervisors and machines, so that rpower and the others work on them.",
    )
    add = parser.add_argument
    add("engine", metavar="ENGINE", help="its name, host:port, or the address of its web page")
    login.add_options(parser)
    add("--home", type=typed_path, metavar="DIR", help=f"the embedded xcatd's home ({homes.usual()})")
    add("--port", type=port, metavar="N", help="the port of an embedded xcatd that is started (3001)")
    add("--no-links", action="store_true", help="make no links for rpower and the others beside xcat-rhev")
    return parser.parse_args(list(argv))


def _connect(options: argparse.Namespace) -> int:
    engine = engine_name(options.engine)
    here = place.find(options.home, options.port)
    print(f"xcatd: {here.where}" + (f", {here.begun}" if here.begun else ""), flush=True)
    folder = folder_of(here.config, engine)
    if options.ca:
        shown = authority.keep(folder, options.ca)
    else:
        shown = authority.approve(engine, folder, options.ca_sha256, options.yes)
    print(f"CA of {engine}: SHA-256 {shown}", flush=True)
    user = login.user(options.user)
    takeover.log_in(here.where, engine, user, login.password(options.password_file, user))
    print(f"login as {user}: works", flush=True)
    taken = takeover.take_over(here.where, engine)
    print(f"nodes: {_summary(taken.hypervisors, 'hypervisor')}, {_summary(taken.machines, 'machine')}")
    for why in taken.left:
        print(f"  left alone: {why}")
    _say_next(here, taken, *(([], []) if options.no_links or here.home is None else links.make()))
    return 0


def engine_name(text: str) -> str:
    """The engine's name as the tables have it; people paste the address of its web page.

    Raises:
        Usage: It cannot be one.
    """
    try:
        name = urlsplit(text).netloc if "://" in text else text.rstrip("/")
        split_name(name)
    except (Usage, ValueError):
        raise Usage(
            f"'{text}' is not the name of an engine", "Write its full name, host:port, or the address of its web page"
        ) from None
    return name


def _summary(names: Sequence[str], what: str) -> str:
    shown = f" ({few(names)})" if names else ""
    return f"{len(names)} {what}{'' if len(names) == 1 else 's'}{shown}"


def _say_next(here: place.ConnectedXcat, taken: takeover.Taken, typed: Sequence[str], left: Sequence[str]) -> None:
    for why in left[:3]:
        print(f"not under its own name: {why}")
    print("Type next:")
    if target(os.environ) != here.where:
        print(f"  export XCAT_CERT_DIR={here.where.certificates}")
    run = "" if here.home is None or typed else "xcat-rhev run "
    node = next(iter([*taken.machines, *taken.hypervisors]), "all")
    for line in (f"rpower {node} stat", "lsvm all -s", f"reventlog {node}"):
        print(f"  {run}{line}")
    print("  xcat-rhev help")
