"""The real programs, started for tests: the embedded xcatd, and the client that types at it."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from xcat_rhev.cli.demo.parts import DemoProgram, own


@dataclass
class Typed:
    """What a command printed."""

    rc: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


class Xcat:
    """An embedded xcatd in a folder of its own.

    Args:
        folder: An empty folder.
        words: More options for xcatd.
    """

    def __init__(self, folder: Path, *words: str) -> None:
        self.home = folder / "xcat"
        self.part = DemoProgram(
            "xcatd", own("xcatd", "--home", str(self.home), "--port", "0", *words), folder / "xcatd.log"
        )
        ready = self.part.ready_line()
        self.environment = {
            **os.environ,
            "XCATHOST": f"{ready['host']}:{ready['port']}",
            "XCAT_CERT_DIR": str(ready["client_certs"]),
        }

    def type(self, command: str, **more: str) -> Typed:
        """Type a command; quotes as in a shell."""
        done = subprocess.run(
            own("run", *shlex.split(command)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            env={**self.environment, **more},
            check=False,
        )
        return Typed(done.returncode, done.stdout, done.stderr)

    def set_up(self, *commands: str) -> None:
        """Type commands that must work."""
        for command in commands:
            typed = self.type(command)
            assert typed.rc == 0, (command, typed)
