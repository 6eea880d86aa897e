"""The `xcat-rhev` program: a subcommand that says what to start, the rest belongs to what is started."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from .. import __version__

#: The subcommand, the module whose `main(argv) -> exit code` it starts, and what it is for.
PARTS: tuple[tuple[str, str, str], ...] = (
    ("demo", "xcat_rhev.cli.demo", "from an ISO to a hypervisor and running machines, on this machine alone"),
    ("run", "xcat_rhev.cli.run", "run one xCAT command: run COMMAND [NODERANGE] [ARGS]"),
    ("xcatd", "xcat_rhev.daemon.main", "the embedded xcatd: --home DIR [--port N] [--host ADDR]"),
    ("sim", "xcat_rhev.sim.__main__", "the engine simulator: sim --help"),
    ("web", "xcat_rhev.cli.web", "the finish URL without Apache or nginx: [--host ADDR] [--port N]"),
    ("agent", "xcat_rhev.bridge.agent", "the worker behind a Perl xCAT"),
    ("install", "xcat_rhev.cli.setup.install", "put the product into a Perl xCAT"),
    ("uninstall", "xcat_rhev.cli.setup.uninstall", "take it out again"),
    ("doctor", "xcat_rhev.cli.setup.doctor", "check an installation"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Start a part of the product.

    Args:
        argv: The words after the program's name; taken from the process when not given.

    Returns:
        The exit code: that of the part, 2 for a subcommand that is not known.
    """
    _open_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    word = words[0] if words else "--help"
    if word == "--version":
        print(f"xcat-rhev {__version__}")
        return 0
    if word in ("-h", "--help"):
        print(_help())
        return 0
    for name, module, _ in PARTS:
        if word == name:
            code: int = importlib.import_module(module).main(words[1:])
            return code
    print(f"xcat-rhev: '{word}' is not one of {', '.join(part[0] for part in PARTS)}", file=sys.stderr)
    return 2


def _open_streams() -> None:
    """Whoever closed a standard stream gets an empty one, so that no file or connection takes its number."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    sys.stdin, sys.stdout, sys.stderr = (
        stream or open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
        for stream, mode in ((sys.stdin, "r"), (sys.stdout, "w"), (sys.stderr, "w"))
    )


def _help() -> str:
    lines = ["Usage: xcat-rhev SUBCOMMAND ...", ""]
    lines += [f"  {name:<10} {text}" for name, _, text in PARTS]
    return "\n".join([*lines, "  --version  show the version"])
