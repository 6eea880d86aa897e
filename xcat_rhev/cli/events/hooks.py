"""A site's own programs: each is called once for an event, with the facts around it, and cannot hold up the others."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Callable

#: One event, as `lsve --events` writes it.
Happening = Mapping[str, Any]
#: So many programs of the folder are called, in the order of their names.
MOST = 16
#: Names that packages and editors leave, such as hook.rpmsave or hook~, are none.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.(sh|py|pl|rb|bash))?")
#: What is passed on of our own environment. No path to certificates, no password.
_KEPT = ("LANG", "TZ", "HOME")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: Bytes of a program's output that are looked at when it fails.
_TOLD = 4096


def programs(folder: Path, say: Callable[[str], None]) -> Iterator[Path]:
    """The programs of a folder that may be called; why others are not is said.

    Args:
        folder: It need not be there.
        say: Takes what is wrong.
    """
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    named = [path for path in found if _NAME.fullmatch(path.name)]
    for path in named[MOST:]:
        say(f"{path} is not called: there are more than {MOST} programs in {folder}")
    for path in named[:MOST]:
        why = _unfit(path)
        if why:
            say(f"{path} is not called: {why}")
        else:
            yield path


def _unfit(path: Path) -> str:
    """Why a file is not called, or nothing."""
    try:
        state = path.stat()
    except OSError as problem:
        return problem.strerror or str(problem)
    if not stat.S_ISREG(state.st_mode) or not state.st_mode & 0o111:
        return f"it is not a program. Run: chmod +x {path}"
    if state.st_uid not in (0, os.geteuid()):
        return f"its owner is neither root nor this user. Run: chown root {path}"
    if state.st_mode & 0o022:
        return f"others may write it. Run: chmod go-w {path}"
    return ""


def environment(event: Happening, again: bool) -> dict[str, str]:
    """What a program finds in its environment.

    Args:
        event: What happened.
        again: It was called for this event before, and stopped from outside.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    facts = {f"RHEV_{name.upper()}": str(value).replace("\0", "") for name, value in event.items()}
    return {"PATH": _PATH, **kept, **facts, **({"RHEV_AGAIN": "1"} if again else {})}


@dataclass
class Call:
    """A program at work on an event.

    Attributes:
        program: Which.
        event: What it was called for.
        limit: Seconds that it may take.
        wrong: Why it has failed; empty while it runs and when it has not.
    """

    program: Path
    event: Happening
    limit: float
    again: bool = False
    wrong: str = ""
    _process: subprocess.Popen[bytes] | None = None
    _output: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    _end: float = 0.0

    def begin(self) -> None:
        """Start it, in a session of its own so that all it starts can be ended with it."""
        self._end = time.monotonic() + self.limit
        with tempfile.TemporaryFile() as told:
            told.write(json.dumps(dict(self.event), ensure_ascii=False).encode() + b"\n")
            told.seek(0)
            try:
                self._process = subprocess.Popen(  # noqa: S603 - what root has put there
                    [str(self.program)],
                    stdin=told,
                    stdout=self._output,
                    stderr=self._output,
                    cwd="/",
                    env=environment(self.event, self.again),
                    start_new_session=True,
                )
            except OSError as problem:
                self.wrong = f"cannot be started: {problem.strerror}"

    def is_over(self) -> bool:
        """Whether it has ended. One that takes too long is killed, with all that it started."""
        if self._process is None:
            self._output.close()
            return True
        code = self._process.poll()
        if code is None and time.monotonic() < self._end:
            return False
        self._end_group()
        if code is None:
            self._process.wait()
            self.wrong = f"ended after {self.limit:g} s"
        elif code:
            self.wrong = f"exit code {code}" if code > 0 else f"ended by signal {-code}"
        self.wrong += self._last_words() if self.wrong else ""
        self._output.close()
        return True

    def _end_group(self) -> None:
        """End what it has left behind."""
        assert self._process
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _last_words(self) -> str:
        self._output.seek(max(0, self._output.seek(0, os.SEEK_END) - _TOLD))
        lines = self._output.read().decode(errors="replace").strip().splitlines()
        return f": {lines[-1][:200]}" if lines else ""
