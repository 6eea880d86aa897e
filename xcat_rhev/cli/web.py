"""`xcat-rhev web`: the finish URL without Apache or nginx, for a test or behind a proxy."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Callable

from cheroot.wsgi import Server

from .. import ports
from ..files import typed_path
from ..web.app import application
from ..web.files import Folders, pairs
from ..web.settings import PREFIX
from . import homes


def main(argv: Sequence[str]) -> int:
    """Serve until Ctrl-C or TERM.

    Returns:
        0 at its end, 1 when the port cannot be had, 2 when a word is wrong.
    """
    parser = argparse.ArgumentParser(
        prog="xcat-rhev web", description="Serve the finish URL without Apache or nginx, for a test or behind a proxy."
    )
    parser.add_argument("--host", action="append", help="an address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=ports.port, default=0, help="the port to listen on (a free one)")
    parser.add_argument("--files", action="append", default=[], metavar="/URL=FOLDER", help="show a folder, too")
    parser.add_argument("--home", type=typed_path, metavar="DIR", help="for the embedded xcatd of this home")
    options = parser.parse_args(list(argv))
    if options.home:
        os.environ.update({**_of_home(options.home.resolve()), **os.environ})
    try:
        shown = Folders(pairs(options.files), with_settings)
    except ValueError as problem:
        print(f"xcat-rhev web: --files {problem}", file=sys.stderr)
        return 2
    servers = [Server((host, options.port), shown, numthreads=40) for host in options.host or ["127.0.0.1"]]
    for server in servers:
        try:
            server.prepare()
        except OSError as problem:
            print(
                f"xcat-rhev web: {ports.cannot_listen(str(server.bind_addr[0]), options.port, problem)}",
                file=sys.stderr,
            )
            return 1
    for server in servers:
        host, port = server.bind_addr[:2]
        print(json.dumps({"ready": True, "host": host, "port": port}), flush=True)
    _serve(servers)
    return 0


def _of_home(home: Path) -> dict[str, str]:
    """The settings that lead to a home's xcatd."""
    certificates = homes.certificates_of(home)
    nodes = home / "install" / "xcatrhevh" / "nodes.json"
    return {f"{PREFIX}XCATD": homes.named_beside(certificates) or "localhost:3001", f"{PREFIX}NODES": str(nodes)}


def _serve(servers: Sequence[Any]) -> None:
    for server in servers[1:]:
        threading.Thread(target=server.serve, daemon=True).start()
    try:
        servers[0].serve()
    except KeyboardInterrupt:
        pass
    finally:
        for server in servers:
            server.stop()


def with_settings(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The application, with the settings that this process was started with, as httpd's SetEnv would give them."""
    environ.update({key: value for key, value in os.environ.items() if key.startswith(PREFIX)})
    return application(environ, start_response)
