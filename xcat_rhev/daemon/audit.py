"""A record of requests: who asked for what, and whether it was allowed.

Each is a line in `log/audit.log` and a row in the table `auditlog`.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ..clock import SystemClock
from ..errors import RhevError
from ..secret import STARS
from .logs import append
from .store import Store
from .tally import PERIOD, Allowance, Tally

log = logging.getLogger(__name__)

#: Arguments in which a password may follow; xCAT hides those with the word password.
_WORDS = (
    r"password|passwd|passphrase|passcode|pwd|_pass\b|secret|credential|ticket|token|(?:private|priv|auth|api|prod|product)"
    r"[_-]?key|community|snmpc|(?:admin|root|bmc|user)pw"
)
_SECRET = re.compile(_WORDS, re.IGNORECASE)
#: The same inside a value: `cloudinit:password:x;user:y`, `rootpw=x`, `"password": "x"`.
_INSIDE = re.compile(rf"((?:{_WORDS})\w*(?:[\"']\s*)?[:=]+)[^;\n]+", re.IGNORECASE)
#: The one of a user in an address: `http://user:x@host/`, `netroot=iscsi:user:x@host`.
_IN_ADDRESS = re.compile(r"((?:://|iscsi:)[^/\s:@]*:)[^/\s@]+@")
#: What a noderange compares with a secret, or with any column of tables that are full of them.
_COMPARED = re.compile(rf"((?:\b(?:passwd|ipmi|prodkey|token)\.\w+|(?:{_WORDS})\w*)\s*[=!~:]+)[^,]+", re.IGNORECASE)
#: Commands that consoles and booting nodes repeat all the time; xCAT does not audit them either.
QUIET = frozenset({"getdestiny", "getbladecons", "getipmicons", "getopenbmccons", "getcons"})
#: Seconds between two writings of the table: one transaction takes longer than a request.
PAUSE = 0.5
#: Rows of the table that are kept, and entries that wait for a database that does not answer.
ROWS, MOST_WAITING = 100_000, 50_000
#: What strangers get written down in a minute: few denials, and what the nodes of a site ask while they are installed.
DENIED, ALLOWED, FAILED = Allowance(5, 100), Allowance(200, 1000), Allowance(10, 200)
#: How much is written of what was asked, in characters: of one argument, and of all of them or a noderange.
OF_ONE, OF_ALL = 1000, 8000


@dataclass(frozen=True)
class AuditEntry:
    """One decision.

    Attributes:
        user: The user who asked, or empty.
        client: From which host.
        kind: `cli`, `ws`, ...
        command: What.
        noderange: For which nodes, as typed.
        args: With which arguments.
        status: `allowed` or `denied`.
        source: Where it came from if the user is not known: an address or a network; else empty.
    """

    user: str
    client: str
    kind: str
    command: str
    noderange: str
    args: tuple[str, ...]
    status: str
    source: str = ""

    def line(self) -> str:
        """The text of the log, in xCAT's words, without secrets."""
        verb = "Allowing" if self.status == "allowed" else "Denying"
        to = f" to {hidden(self.noderange)}" if self.noderange else ""
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
        clock = SystemClock()
        #: What strangers were denied and allowed, and wrong passwords: all that is beyond is counted.
        self.denials, self.permissions = Tally(clock, DENIED), Tally(clock, ALLOWED)
        self.failures = Tally(clock, FAILED)
        #: How many more rows the table may get before it is looked at whether they are too many.
        self._rows = 0
        self._lost = 0
        self._waiting: list[tuple[str, AuditEntry]] = []
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write, name="audit", daemon=True)
        self._thread.start()

    def note(self, entry: AuditEntry, skipped: str = "") -> None:
        """Have an entry written.

        Args:
            entry: What was decided.
            skipped: `site.auditskipcmds`: commands that are not written down, `ALL`, or `clienttype:ws`.
        """
        names = skipped.replace(" ", "").split(",") if skipped else ()
        if entry.command in QUIET or {entry.command, f"clienttype:{entry.kind}"}.intersection(names):
            return
        if any(name.lower() == "all" for name in names) or not self._is_new(entry):
            return
        if max(len(entry.command), len(entry.kind), len(entry.noderange)) > OF_ONE:
            entry = replace(
                entry,
                command=_cut(entry.command, OF_ONE),
                kind=_cut(entry.kind, OF_ONE),
                noderange=_cut(entry.noderange, OF_ALL),
            )
        with self._changed:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.append((_now(), entry))
            else:
                self._lost += 1
            self._changed.notify()

    def _is_new(self, entry: AuditEntry) -> bool:
        tally = self.permissions if entry.status == "allowed" else self.denials
        return not entry.source or tally.take(entry.source)

    def close(self) -> None:
        """Write what waits, and end."""
        with self._changed:
            self._closing.set()
            self._changed.notify()
        self._thread.join(10)

    def _write(self) -> None:
        closing = False
        while not closing:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing.is_set(), PERIOD)
                entries, self._waiting = self._waiting, []
                lost, self._lost = self._lost, 0
                closing = self._closing.is_set()
            try:
                self._write_all([*entries, *self._count_entries(closing)], lost)
            except Exception:  # what comes later is written all the same
                log.exception("%d entries of the audit log are lost", len(entries))
            self._closing.wait(PAUSE)

    def _write_all(self, entries: list[tuple[str, AuditEntry]], lost: int) -> None:
        if lost:
            log.error("%d requests are not in the audit log: it could not be written fast enough", lost)
        if entries:
            self._write_file(entries)
            self._write_table(entries)

    def _count_entries(self, at_once: bool) -> Iterator[tuple[str, AuditEntry]]:
        """What strangers asked beyond what was written down, at the end of a period."""
        for source, count in self.failures.rest(at_once).items():
            log.warning("%d more authentication failures from %s", count, source)
        for tally, status in ((self.denials, "denied"), (self.permissions, "allowed")):
            for source, count in tally.rest(at_once).items():
                yield _now(), AuditEntry("", source, "", f"{count} more requests", "", (), status)

    def _write_file(self, entries: list[tuple[str, AuditEntry]]) -> None:
        try:
            append(self._file, [f"{moment} {_one_line(entry.line())}\n" for moment, entry in entries])
        except OSError as problem:
            log.error("the audit log %s cannot be written: %s", self._file, problem)

    def _write_table(self, entries: list[tuple[str, AuditEntry]]) -> None:
        if self._store is None:
            return
        try:
            with self._store.change("auditlog") as change:
                change.add_all(_row(moment, entry) for moment, entry in entries)
                self._rows -= len(entries)
                if self._rows < 0:
                    self._rows = ROWS // 10
                    change.prune(ROWS)
        except RhevError as problem:
            log.error("the table auditlog cannot be written: %s", problem)


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")


def _row(moment: str, entry: AuditEntry) -> dict[str, str]:
    return {
        "audittime": moment,
        "userid": entry.user,
        "clientname": entry.client,
        "clienttype": entry.kind,
        "command": entry.command,
        "noderange": hidden(entry.noderange),
        "args": " ".join(without_secrets(entry.args)),
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


def hidden(noderange: str) -> str:
    """A noderange without what it compares with secrets."""
    return _COMPARED.sub(rf"\1{STARS}", noderange)


def _without_secret(arg: str) -> str:
    parts = arg.split("=")
    for number, part in enumerate(parts[:-1], 1):
        name = part.split()[-1] if part[-1:].strip() else ""
        if _SECRET.search(name):
            return "=".join((*parts[:number], STARS))
    return _inside(arg)


def _inside(text: str) -> str:
    return _IN_ADDRESS.sub(rf"\1{STARS}@", _INSIDE.sub(rf"\1{STARS}", text))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "..."


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
