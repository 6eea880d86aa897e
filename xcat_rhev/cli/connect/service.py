"""The embedded xcatd as a service of systemd: of the machine for root, of the user's own systemd for others."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ...errors import FailedState
from .. import homes
from ..files import find_shared
from .links import program

UNIT = "xcat-rhev-xcatd.service"
_PACKAGED, _OWN, _RUNNING = Path("/usr/lib/systemd/system"), Path("/etc/systemd/system"), Path("/run/systemd/system")
#: A user's systemd has no right to most of what the machine's unit shuts.
_OF_USER = """\
[Unit]
Description=xcat-rhev's embedded xcatd
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
ExecStart={start}
Restart=on-failure
RestartSec=2
WatchdogSec=30
TimeoutStopSec=20
UMask=0077
LimitCORE=0
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True)
class Service:
    """A unit and the systemd that runs it.

    Attributes:
        folder: Where the unit is written.
        text: What is written; empty where a package brought the unit.
        mode: What systemctl is called with first.
        more: What a person may want to type in addition; or empty.
    """

    folder: Path
    text: str
    mode: tuple[str, ...] = ()
    more: str = ""

    def enable(self) -> str:
        """Write the unit, enable and start it; gives how it was started, for a person.

        Raises:
            FailedState: systemd says no.
            OSError: The unit cannot be written.
        """
        if self.text:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / UNIT).write_text(self.text)
            self._systemctl("daemon-reload")
        self._systemctl("enable", "--now", UNIT)
        return f"enabled and started its service {UNIT}{self.more}"

    def _systemctl(self, *words: str) -> None:
        line = ["systemctl", *self.mode, *words]
        done = subprocess.run(line, capture_output=True, text=True, check=False)  # noqa: S603, S607
        if done.returncode:
            see = " ".join(["journalctl", *self.mode, "-u", UNIT])
            raise FailedState(f"{' '.join(line)}: {done.stderr.strip() or done.returncode}", f"See: {see}")


def service_of(home: Path) -> Service | None:
    """The service that a home's xcatd can be; None where there is none: without systemd, or for an unusual home."""
    if home != homes.usual().resolve():
        return None
    if os.geteuid() == 0:
        return _of_machine() if _RUNNING.is_dir() else None
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}")
    if not (runtime / "systemd" / "private").exists():
        return None
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"
    start = " ".join(map(_quote, (str(program()), "xcatd", "--home", str(home))))
    linger = "; to keep it when you log out, run: loginctl enable-linger"
    return Service(folder, _OF_USER.format(start=start), ("--user",), linger)


def _of_machine() -> Service:
    if (_PACKAGED / UNIT).exists():
        return Service(_OWN, "")
    text = find_shared(f"share/systemd/{UNIT}").read_text()
    return Service(_OWN, text.replace("/usr/bin/xcat-rhev", _quote(str(program()))))


def _quote(word: str) -> str:
    """A word as systemd reads it in ExecStart."""
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"'
