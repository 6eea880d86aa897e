"""Who asked what and whether it was allowed: one line each in `log/audit.log` and one row in the table `auditlog`."""

from __future__ import annotations

import logging
import re
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import RhevError
from ..secret import STARS
from .store import Store

log = logging.getLogger(__name__)

#: Arguments in which a password may follow; xCAT hides those with the word password.
_SECRET = re.compile("password|passwd|secret|ticket|token|privkey|authkey|community|snmpc|prod(uct)?key", re.IGNORECASE)
#: Commands that consoles and booting nodes repeat all the time; xCAT does not audit them either.
QUIET = frozenset({"getdestiny", "getbladecons", "getipmicons", "getopenbmccons", "getcons"})
#: Seconds between two writings of the table: one transaction takes longer than a request.
PAUSE = 0.5
#: How much is written of what was asked, in characters: of one argument, and of all of them or a noderange.
OF_ONE, OF_ALL = 1000, 8000


@dataclass(frozen=True)
class Entry:
    """One decision.

    Attributes:
        user: Who asked, or empty.
        client: From which host.
        kind: `cli`, `ws`, ...
        command: What.
        noderange: For which nodes, as typed.
        args: With which arguments.
        status: `allowed` or `denied`.
    """

    user: str
    client: str
    kind: str
    command: str
    noderange: str
    args: tuple[str, ...]
    status: str

    def line(self) -> str:
        """The text of the log, in xCAT's words, without secrets."""
        verb = "Allowing" if self.status == "allowed" else "Denying"
        to = f" to {self.noderange}" if self.noderange else ""
        words = " ".join(("", *without_secrets(self.args)))
        return f"xCAT: {verb} {self.command}{to}{words} for {self.user or 'nobody'} from {self.client}"


class Audit:
    """Takes entries at once and writes them soon, in a thread of its own.

    Args:
        store: Where the table is; None on a service node, since the management node writes it.
        file: The log file.
    """

    def __init__(self, store: Store | None, file: Path) -> None:
        self._store, self._file = store, file
        self._waiting: list[tuple[str, Entry]] = []
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write, name="audit", daemon=True)
        self._thread.start()

    def note(self, entry: Entry, skipped: str = "") -> None:
        """Have an entry written.

        Args:
            entry: What was decided.
            skipped: `site.auditskipcmds`: commands that are not written down, `ALL`, or `clienttype:ws`.
        """
        names = skipped.replace(" ", "").split(",") if skipped else ()
        if entry.command in QUIET or {entry.command, f"clienttype:{entry.kind}"}.intersection(names):
            return
        if any(name.lower() == "all" for name in names):
            return
        if max(len(entry.command), len(entry.kind), len(entry.noderange)) > OF_ONE:
            entry = replace(
                entry, command=_cut(entry.command, OF_ONE), kind=_cut(entry.kind, OF_ONE),
                noderange=_cut(entry.noderange, OF_ALL),
            )
        with self._changed:
            self._waiting.append((time.strftime("%m-%d-%Y %H:%M:%S"), entry))
            self._changed.notify()

    def close(self) -> None:
        """Write what waits, and end."""
        with self._changed:
            self._closing.set()
            self._changed.notify()
        self._thread.join(10)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing.is_set())
                entries, self._waiting = self._waiting, []
                closing = self._closing.is_set()
            if entries:
                self._write_file(entries)
                self._write_table(entries)
            if closing:
                return
            self._closing.wait(PAUSE)

    def _write_file(self, entries: list[tuple[str, Entry]]) -> None:
        try:
            with open(self._file, "a", encoding="utf-8") as file:
                file.writelines(f"{moment} {_one_line(entry.line())}\n" for moment, entry in entries)
        except OSError as problem:
            log.error("the audit log %s cannot be written: %s", self._file, problem)

    def _write_table(self, entries: list[tuple[str, Entry]]) -> None:
        if self._store is None:
            return
        try:
            with self._store.change("auditlog") as change:
                change.add_all(_row(moment, entry) for moment, entry in entries)
        except RhevError as problem:
            log.error("the table auditlog cannot be written: %s", problem)


def _row(moment: str, entry: Entry) -> dict[str, str]:
    return {
        "audittime": moment, "userid": entry.user, "clientname": entry.client, "clienttype": entry.kind,
        "command": entry.command, "noderange": entry.noderange, "args": " ".join(without_secrets(entry.args)),
        "status": entry.status,
    }


def without_secrets(args: tuple[str, ...]) -> tuple[str, ...]:
    """Replace what follows the equals sign of passwords, `chtab key=rhevm passwd.password=x`, or their option.

    Long arguments are cut first, and many come to an end.
    """
    shown: list[str] = []
    left = OF_ALL
    for before, arg in zip(("", *args), args):
        awaited = before.startswith("--") and "=" not in before and _SECRET.search(_cut(before, OF_ONE))
        shown.append(STARS if awaited else _without_secret(_cut(arg, OF_ONE)))
        left -= len(shown[-1]) + 1
        if left < 0:
            return (*shown, f"... ({len(args)} arguments)")
    return tuple(shown)


def _without_secret(arg: str) -> str:
    parts = arg.split("=")
    for number, part in enumerate(parts[:-1], 1):
        name = part.split()[-1] if part[-1:].strip() else ""
        if _SECRET.search(name):
            return "=".join((*parts[:number], STARS))
    return arg


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "..."


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
