"""The engine's CA: fetched, shown with its SHA-256, and kept only if somebody says yes; before a password is sent."""

from __future__ import annotations

import sys
from pathlib import Path

from ...abort import Abort
from ...clock import SystemClock
from ...engine.managers import Access, Patience, Pulse, ca_in, fetch_authority, fingerprints
from ...errors import Conflict, NotFound, Unreachable, Usage
from ...files import write_whole
from ...secret import Secret


def keep(folder: Path, source: Path) -> str:
    """Keep a CA that somebody has as a file; gives its SHA-256.

    Raises:
        NotFound: The file cannot be read.
        Usage: It has no CA's certificate.
    """
    try:
        pem = ca_in(source.read_bytes())
    except OSError as problem:
        raise NotFound(f"--ca {source}: {problem.strerror}") from None
    if not pem:
        raise Usage(f"--ca {source} has no certificate of a CA", "Give the engine's /etc/pki/ovirt-engine/ca.pem")
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "ca.crt", pem.encode(), 0o644)
    return fingerprints(folder / "ca.crt")


def approve(engine: str, folder: Path, wanted: str, yes: bool) -> str:
    """Have the CA kept, which all that is said to the engine later rests on.

    Args:
        engine: Its name, as the tables have it.
        folder: Where its CA is kept.
        wanted: The SHA-256 that it must have; empty to ask.
        yes: Take it without asking.

    Returns:
        Its SHA-256.

    Raises:
        Conflict: It is another, or nobody said yes; nothing is kept then.
        Usage: There is nobody to ask.
    """
    clock = SystemClock()
    file = folder / "ca.crt"
    known = file.exists()
    access = Access(engine, "", Secret(""), folder)
    try:
        found = fetch_authority(access, Patience(clock, Abort(), Pulse(engine, clock)))
    except Unreachable as problem:
        if problem.sent:  # it answers and gives no CA
            problem.hint = "Get the CA from its administrator, and give --ca FILE"
        raise
    if known and not wanted:
        return found
    try:
        _judge(engine, found, wanted, yes)
    except (Conflict, Usage):
        if not known:
            file.unlink(missing_ok=True)
        raise
    return found


def _judge(engine: str, found: str, wanted: str, yes: bool) -> None:
    if wanted:
        if _bare(wanted) not in map(_bare, found.split(", ")):
            raise Conflict(f"{engine} has a CA with the SHA-256 {found}, and not {wanted}", "Ask its administrator")
        return
    if yes:
        return
    if not sys.stdin.isatty():
        raise Usage(
            f"{engine} has a CA with the SHA-256 {found}, and there is no terminal to ask whether it is right",
            f"Give --ca-sha256 {found.split(', ')[0]}, or --yes to take it unseen",
        )
    print(f"The engine's CA has the SHA-256\n  {found}")
    if input("Is that what its administrator says? [y/N] ").strip().lower() not in ("y", "yes"):
        raise Conflict("the CA was not taken, so nothing was done")


def _bare(fingerprint: str) -> str:
    return fingerprint.replace(":", "").strip().lower()
