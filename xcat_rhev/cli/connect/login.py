"""Who logs in to the engine: from the command line, the environment or a file, else the person is asked."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path

from ...errors import NotFound, Usage
from ...files import typed_path
from ...secret import Secret

USER, PASSWORD = "XCAT_RHEV_USER", "XCAT_RHEV_PASSWORD"  # noqa: S105 - the names of variables
_USUAL = "admin"


def add_options(parser: argparse._ActionsContainer) -> None:
    """Give a program the options that say who logs in to an engine, and what its CA is."""
    add = parser.add_argument
    add("--user", default="", help=f"who logs in, as user@profile (${USER}; admin)")
    add("--password-file", default="", metavar="FILE", help=f"its first line is the password (${PASSWORD}); -: stdin")
    add("--ca", type=typed_path, metavar="FILE", help="the engine's CA; without it the engine is asked for it")
    add("--ca-sha256", default="", metavar="PRINT", help="the SHA-256 that the engine's CA must have")
    add("--yes", action="store_true", help="take the engine's CA without asking")


def user(typed: str) -> str:
    """The user's name; `admin` is the engine's own administrator, others are written user@profile.

    Args:
        typed: What `--user` says.
    """
    known = typed or os.environ.get(USER, "")
    if known or not sys.stdin.isatty():
        return known or _USUAL
    return input(f"User of the engine [{_USUAL}]: ").strip() or _USUAL


def password(file: str, name: str) -> Secret:
    """The password, never from the command line, which everybody on the machine can read.

    Args:
        file: What `--password-file` says; `-` is standard input.
        name: Whose.

    Raises:
        NotFound: The file cannot be read.
        Usage: There is none, and nobody to ask.
    """
    if file:
        return _nonempty(_first_line(file), f"{file} has no password in its first line")
    if os.environ.get(PASSWORD):
        return Secret(os.environ[PASSWORD])
    if not sys.stdin.isatty():
        raise Usage("there is no password, and no terminal to ask at", f"Set {PASSWORD}, or give --password-file FILE")
    return _nonempty(getpass.getpass(f"Password of {name}: "), "no password was typed")


def _first_line(file: str) -> str:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, ValueError) as problem:
        raise NotFound(f"--password-file {file} cannot be read: {getattr(problem, 'strerror', problem)}") from None
    return text.partition("\n")[0]


def _nonempty(text: str, problem: str) -> Secret:
    if not text:
        raise Usage(problem)
    return Secret(text)
