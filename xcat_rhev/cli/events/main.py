"""The program `xcat-rhev events`, which the service xcat-rhev-events runs."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from ...abort import Abort
from ...errors import RhevError
from ...files import lock_file, typed_path
from .. import homes
from ..xcatd import AskedXcatd
from .watcher import Habits, Watcher

HOOKS, STATE = Path("/etc/xcat/rhev-events.d"), Path("/var/lib/xcat-rhev-events")
#: Seconds after which it is looked whether the site has other managers.
_MANAGERS = 60.0


def main(argv: Sequence[str]) -> int:
    """Pass events on until TERM or INT.

    Returns:
        0 at its end, 1 if it cannot begin, 2 for wrong words.
    """
    words = _parser().parse_args(list(argv))
    if words.home:
        os.environ["XCAT_CERT_DIR"] = str(homes.certificates_of(words.home.resolve()))
    try:
        words.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = lock_file(words.state / "lock")
    except OSError as problem:
        return _fail(f"{words.state}: {problem.strerror}. Give another folder: --state DIR")
    if lock is None:
        return _fail(f"another one runs: {words.state}/lock is held. Give another folder: --state DIR")
    stopped = Abort()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with lock:
        try:
            _watch(words, stopped)
        except RhevError as problem:
            return _fail(str(problem))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "xcat-rhev events",
        description="Pass on the events of managers: to nodelist.status, and to the programs of a folder. "
        "Each program is called once for an event, with RHEV_... in its environment and JSON on its standard input.",
    )
    parser.add_argument(
        "--manager", action="append", default=[], metavar="NAME", help="a manager; without it all that the tables name"
    )
    parser.add_argument("--hooks", type=typed_path, default=HOOKS, metavar="DIR", help=f"the programs ({HOOKS})")
    parser.add_argument("--state", type=typed_path, default=_state(), metavar="DIR", help=f"how far it is ({STATE})")
    parser.add_argument("--every", type=_seconds, default=10, metavar="SECONDS", help="between two looks (10)")
    parser.add_argument("--limit", type=_seconds, default=30, metavar="SECONDS", help="for one program (30)")
    parser.add_argument("--home", type=typed_path, metavar="DIR", help="ask the embedded xcatd of this home")
    parser.add_argument("--once", action="store_true", help="one look, and end when the programs have ended")
    return parser


def _state() -> Path:
    """systemd's folder of the service, else the usual one."""
    return Path(os.environ.get("STATE_DIRECTORY") or STATE)


def _seconds(text: str) -> float:
    if text.isascii() and text.isdigit() and 0 < int(text) <= 3600:
        return float(text)
    raise argparse.ArgumentTypeError(f"{text}: not a number of seconds from 1 to 3600")


def _fail(text: str) -> int:
    print(f"xcat-rhev events: {text}", file=sys.stderr)
    return 1


def _watch(words: argparse.Namespace, stopped: Abort) -> None:
    """One thread for each manager, so that none waits for another.

    Raises:
        RhevError: With `--once`: the tables cannot be read.
    """
    habits = Habits(words.hooks, words.state, words.every, words.limit)
    threads: dict[str, threading.Thread] = {}
    trouble = ""
    while not stopped.is_set():
        try:
            found, trouble = words.manager or _managers(), ""
        except RhevError as problem:
            if words.once:
                raise
            found, trouble = [], _new_trouble(trouble, str(problem))
        for name in found:
            if name not in threads:
                watcher = Watcher(name, AskedXcatd, habits, _say)
                threads[name] = threading.Thread(target=watcher.run, args=(stopped, words.once), name=name)
                threads[name].start()
        if words.once:
            break
        stopped.wait(_MANAGERS)
    for thread in threads.values():
        thread.join()


def _new_trouble(before: str, now: str) -> str:
    """Say a trouble that is new."""
    if now != before:
        _say(now)
    return now


def _managers() -> list[str]:
    """The managers that the tables vm and hypervisor name."""
    xcatd = AskedXcatd()
    named = {row.get("mgr", "") for table in ("vm", "hypervisor") for row in xcatd.rows(table)}
    return sorted(name for name in named if name and not name.startswith(("|", "/")))


def _say(text: str) -> None:
    print(f"xcat-rhev events: {text}", file=sys.stderr, flush=True)
