"""TCP ports of our servers: read from the command line, and why one cannot be had."""

from __future__ import annotations

import errno
import re
from argparse import ArgumentTypeError

LAST = 65535


def port(text: str) -> int:
    """Read a port; 0 is a free one.

    Raises:
        ArgumentTypeError: It is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) <= LAST):
        raise ArgumentTypeError(f"'{text}' is not a port. Write a number from 0 (a free one) to {LAST}")
    return int(text)


def cannot_listen(host: str, number: int, problem: OSError) -> str:
    """Why a server does not start, and what to do; cheroot puts the system's words into its own."""
    wrapped = re.search(r"\[Errno (-?\d+)\] ([^)\]]+)", str(problem))
    reason = problem.strerror or (wrapped[2] if wrapped else str(problem))
    code = problem.errno or (int(wrapped[1]) if wrapped else 0)
    elsewhere = code < 0 or code == errno.EADDRNOTAVAIL  # negative: the name service's
    other = "an address of this machine with --host" if elsewhere else "another port with --port, or 0 for a free one"
    return f"cannot listen on {host} port {number}: {reason}. Choose {other}"
