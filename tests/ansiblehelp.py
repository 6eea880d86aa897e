"""The modules of the ovirt.ovirt collection, as PyPI's package ansible has them, at work on a simulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from vesim import Site

#: What is taken out of the packages: the collection, and what its modules stand on. On a host to which Ansible sends a
#: module there is no more of ansible itself.
_PARTS = ("ansible_collections/ovirt/ovirt/plugins/", "ansible/module_utils/", "ansible/release.py")
_COLLECTION = "ansible_collections.ovirt.ovirt.plugins.modules"
#: Runs a module as Ansible's own wrapper does, which tells it how its arguments are written.
_RUN = """
import runpy, sys
from ansible.module_utils import basic
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = sys.stdin.buffer.read(), "legacy"
runpy.run_module(sys.argv[1], run_name="__main__")
"""


def installed(folder: Path) -> Path:
    """Fetch the packages, without what they need besides, and unpack the few files that are wanted.

    Args:
        folder: An empty folder.

    Returns:
        The folder to put into PYTHONPATH. Where PyPI does not answer, the test is skipped.
    """
    words = ["-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    try:
        subprocess.run(
            [sys.executable, *words, "-d", str(folder), "ansible>=9", "ansible-core"],
            capture_output=True,
            timeout=300,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("PyPI does not give the packages ansible and ansible-core")
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(folder, [name for name in packed.namelist() if name.startswith(_PARTS)])
    (folder / "ansible/__init__.py").touch()
    return folder


def module(folder: Path, site: Site, called: str, **arguments: Any) -> dict[str, Any]:
    """Run a module.

    Args:
        folder: Where the modules are.
        site: Its manager is asked.
        called: As in a playbook, without the collection.
        arguments: The module's.

    Returns:
        What it answers; it must not fail.
    """
    auth = {
        "url": f"https://{site.manager}/ovirt-engine/api",
        "username": "admin@internal",
        "password": "secret",
        "ca_file": site.host.site("rhevmca"),
    }
    done = subprocess.run(
        [sys.executable, "-c", _RUN, f"{_COLLECTION}.{called}"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {"auth": auth, **arguments}}).encode(),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(folder)},
        timeout=300,
        check=False,
    )
    line = next((text for text in done.stdout.decode().splitlines() if text.startswith("{")), "")
    answer: dict[str, Any] = json.loads(line) if line else {"failed": True}
    assert not answer.get("failed"), (called, answer, done.stdout, done.stderr)
    return answer
