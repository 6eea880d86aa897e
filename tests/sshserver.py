"""The system's own sshd, for the keys of one file; and keys."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from daemonhelp import until
from xcat_rhev.cli.demo.parts import free_port

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin") or ""


def no_logins() -> str:
    """Why nobody can log in to this machine by the system's own sshd; empty if one can."""
    if os.geteuid() != 0:
        return "needs root, who becomes that of a host"
    if not SSHD or not shutil.which("ssh-keygen"):
        return "sshd is not installed (package openssh-server)"
    locked = any(line.startswith("root:!") for line in Path("/etc/shadow").read_text().splitlines())
    return "root is locked here" if locked or Path("/etc/nologin").exists() else ""


def new_key(path: Path, kind: str = "ed25519") -> Path:
    """Make a key; its public half stands beside it."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)], check=True, timeout=300)
    return path


def sshd_words(host_key: Path, keys: Path, where: str) -> list[str]:
    """How it is started; StrictModes would look at the folders above a test's.

    Args:
        host_key: Its own key.
        keys: The file with the keys of those who may log in.
        where: Address and port to listen at.
    """
    Path("/run/sshd").mkdir(exist_ok=True)
    settings = (
        "UsePAM no",
        "StrictModes no",
        "PasswordAuthentication no",
        f"AuthorizedKeysFile {keys}",
        "PidFile none",
        f"ListenAddress {where}",
    )
    words = [SSHD, "-D", "-e", "-f", "/dev/null", "-h", str(host_key)]
    return [*words, *(word for each in settings for word in ("-o", each))]


@contextlib.contextmanager
def sshd(folder: Path, keys: Path) -> Iterator[int]:
    """One at a port of 127.0.0.1."""
    port = free_port()
    words = sshd_words(new_key(folder / "host-key"), keys, f"127.0.0.1:{port}")
    server = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _listens(port), "sshd listens")
        yield port
    finally:
        server.terminate()
        server.wait(300)


def _listens(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0
