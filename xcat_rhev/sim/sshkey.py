"""The engine's own SSH key: where one is given, hosts that are added by key are really logged in to, as engines do."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: What is served where there is none.
EXAMPLE = b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDEXAMPLE ovirt-engine\n"
#: Seconds for one login.
PATIENCE = 60
_SETTINGS = (
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    f"ConnectTimeout={PATIENCE}",
)


def public_key(private: Path | None) -> bytes:
    """The public half, which stands beside the private one as ssh-keygen leaves it."""
    return private.with_name(f"{private.name}.pub").read_bytes() if private else EXAMPLE


def logs_in(private: Path, host: Mapping[str, Any]) -> bool:
    """Whether the key opens a host: one command is run there.

    Args:
        private: The file of the key.
        host: Its address, and port and user where they are told.
    """
    words = ["ssh", "-F", "/dev/null", "-i", str(private), "-p", str(host.get("ssh_port") or 22)]
    words += [word for each in _SETTINGS for word in ("-o", each)]
    where = f"{host.get('ssh_user') or 'root'}@{host['address']}"
    try:
        done = subprocess.run([*words, where, "true"], capture_output=True, timeout=2 * PATIENCE, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
