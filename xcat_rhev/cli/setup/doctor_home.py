"""What the doctor looks at where the embedded xcatd is: its home, who may ask it, the managers, and what it serves."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

from ...daemon.home import Home
from ...daemon.netservices.state import NetState
from ...errors import RhevError
from ...ordering import natural
from .. import homes
from ..asking import ask
from ..client import Target, target
from . import doctor_netservices
from .findings import Finding


def examine(folder: Path) -> Iterator[Finding]:
    """Check after check, for the home of a daemon; what needs xcatd comes only if it answers."""
    home = Home(folder)
    there = (home.cert / "server-cred.pem").exists()
    yield Finding(
        "home", there, f"{folder}" if there else f"{folder} is not the home of an xcatd", "xcat-rhev connect ENGINE"
    )
    if not there:
        return
    where = target({"XCAT_CERT_DIR": str(home.client)})
    answers = _xcatd(home, where)
    yield answers
    if answers.well:
        yield _usual_client(where)
        yield from _managers(where)
    if NetState(home).is_made or home.netservices.exists():
        yield from doctor_netservices.examine(folder)


def _xcatd(home: Home, where: Target) -> Finding:
    start = f"xcat-rhev xcatd --background --home {home.root}"
    if home.root == homes.OF_ROOT and Path("/run/systemd/system").is_dir():
        start = "systemctl enable --now xcat-rhev-xcatd"
    try:
        answer = ask(where, "lsxcatd", "-v")
    except RhevError as problem:
        return Finding("xcatd", False, str(problem), start)
    return Finding("xcatd", not answer.code, f"{where}, {' '.join(answer.texts() or answer.errors())}", start)


def _usual_client(where: Target) -> Finding:
    """A command that is typed without any setting may go to another xcatd; that is known and no fault."""
    meant = target(os.environ)
    says = (
        "reach this xcatd"
        if meant == where
        else f"reach {meant}; for this one: export XCAT_CERT_DIR={where.certificates}"
    )
    return Finding("commands without --home", True, says)


def _managers(where: Target) -> Iterator[Finding]:
    names = {row.get("mgr", "") for table in ("vm", "hypervisor") for row in _rows(where, table)} - {""}
    if not names:
        yield Finding("managers", False, "no node has a manager", "xcat-rhev connect ENGINE")
    for name in sorted(names, key=natural):
        answer = ask(where, "lsve", "-m", name, "-t", "dc")
        yield Finding(f"manager {name}", not answer.code, "answers" if not answer.code else "; ".join(answer.errors()))


def _rows(where: Target, table: str) -> Iterator[dict[str, str]]:
    lines = [line for text in ask(where, "tabdump", table).texts() for line in text.split("\n")]
    return iter(csv.DictReader([line.lstrip("#") if number == 0 else line for number, line in enumerate(lines)]))
