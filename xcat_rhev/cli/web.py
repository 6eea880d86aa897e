"""`xcat-rhev web`: the finish URL without Apache or nginx, for a trial or behind a proxy."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Callable

from ..web.app import application
from ..web.settings import PREFIX


def main(argv: Sequence[str]) -> int:
    """Serve until Ctrl-C or TERM.

    Returns:
        0 at its end, 1 when the port cannot be had, 2 when cheroot is not installed.
    """
    parser = argparse.ArgumentParser(
        prog="xcat-rhev web", description="Serve the finish URL without Apache or nginx, for a trial or behind a proxy."
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="the port to listen on (a free one)")
    options = parser.parse_args(list(argv))
    try:
        from cheroot.wsgi import Server
    except ImportError:
        print("xcat-rhev web: needs cheroot. Run: pip install 'xcat-rhev[sim]'", file=sys.stderr)
        return 2
    server = Server((options.host, options.port), with_settings, numthreads=40)
    try:
        server.prepare()
    except OSError as problem:
        print(f"xcat-rhev web: cannot listen on {options.host}:{options.port}: {problem.strerror}", file=sys.stderr)
        return 1
    host, port = server.bind_addr[:2]
    print(json.dumps({"ready": True, "host": host, "port": port}), flush=True)
    try:
        server.serve()
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()
    return 0


def with_settings(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The application, with the settings that this process was started with, as httpd's SetEnv would give them."""
    environ.update({key: value for key, value in os.environ.items() if key.startswith(PREFIX)})
    return application(environ, start_response)
