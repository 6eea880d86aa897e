"""The embedded xcatd as a service of systemd."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ...errors import FailedState
from ..files import shared

UNIT = "xcat-rhev-xcatd.service"
_PACKAGED, _OWN = Path("/usr/lib/systemd/system"), Path("/etc/systemd/system")


def enable() -> str:
    """Enable and start the unit; gives its name. Without a package's the unit is written with this program's path.

    Raises:
        FailedState: systemd says no.
    """
    if not (_PACKAGED / UNIT).exists():
        program = Path(sys.executable).with_name("xcat-rhev")
        text = shared(f"share/systemd/{UNIT}").read_text().replace("/usr/bin/xcat-rhev", str(program))
        (_OWN / UNIT).write_text(text)
        _systemctl("daemon-reload")
    _systemctl("enable", "--now", UNIT)
    return UNIT


def _systemctl(*words: str) -> None:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)  # noqa: S603, S607
    if done.returncode:
        raise FailedState(f"systemctl {' '.join(words)}: {done.stderr.strip()}", f"See: journalctl -u {UNIT}")
