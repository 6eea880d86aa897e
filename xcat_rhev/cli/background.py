"""`--background`: start one of our servers, wait until it says that it is ready, and leave it alone."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence

from ..errors import FailedState

#: The parts that say when they are ready.
PARTS = frozenset({"sim", "web", "xcatd"})


def start(name: str, words: Sequence[str]) -> str:
    """Start a part on its own, as a process that no terminal ends.

    Args:
        name: The part.
        words: Its arguments.

    Returns:
        The line in which it says that it is ready.

    Raises:
        FailedState: It ended instead; with what it said.
    """
    program = [sys.executable, "-m", "xcat_rhev.cli", name, *words]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            program, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
        assert process.stdout
        with process.stdout:
            line = process.stdout.readline().decode()
        if line:
            return line.strip()
        process.wait()
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip().splitlines()
    raise FailedState((said[-1] if said else f"{name} ended").removeprefix(f"xcat-rhev {name}: "))


def main(name: str, words: Sequence[str]) -> int:
    """The same for a person; gives the exit code."""
    try:
        print(start(name, words))
    except FailedState as problem:
        print(f"xcat-rhev {name}: {problem}", file=sys.stderr)
        return 1
    return 0
