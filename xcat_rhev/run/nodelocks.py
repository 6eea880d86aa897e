"""Nodes that one command at a time works on, whichever process of this machine it runs in."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path


class NodeLocks:
    """The requests that hold nodes. Used by many threads.

    Other processes are told by locks on single bytes of a file beside the manager's CA, one byte for each node: they
    cost no file each, and the kernel frees them however a process ends. Without that folder this process is alone.
    """

    def __init__(self) -> None:
        self._by: dict[tuple[Path, str], str] = {}
        self._files: dict[Path, int] = {}
        self._guard = threading.Lock()

    def take(self, folder: Path, nodes: Sequence[str], name: str) -> dict[str, str]:
        """Take nodes for a command.

        Args:
            folder: The manager's, where its CA is kept.
            nodes: The nodes.
            name: The command.

        Returns:
            The nodes that stay with who has them already, with that command's name; `command` for another process's.
        """
        others: dict[str, str] = {}
        with self._guard:
            for node in nodes:
                by = self._by.get((folder, node), "")
                if by or not self._lock(folder, node, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    others[node] = by or "command"
                else:
                    self._by[folder, node] = name
        return others

    def leave(self, folder: Path, nodes: Sequence[str]) -> None:
        """The command that took them has ended."""
        with self._guard:
            for node in nodes:
                del self._by[folder, node]
                self._lock(folder, node, fcntl.LOCK_UN)

    def _lock(self, folder: Path, node: str, how: int) -> bool:
        """Lock or unlock a node's byte; False if another process has it."""
        try:
            if folder not in self._files:  # open for good: closing a file ends all locks that its process has on it
                self._files[folder] = os.open(folder / "held", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.lockf(self._files[folder], how, 1, _byte(node))
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True


def _byte(node: str) -> int:
    """A place in the file that no other node has."""
    return int.from_bytes(hashlib.blake2b(node.encode(), digest_size=7).digest(), "big")
