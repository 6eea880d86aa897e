"""How connect starts the embedded xcatd: by which systemd, with which unit, and what is said where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from xcat_rhev.cli import background, homes
from xcat_rhev.cli.connect import place, service
from xcat_rhev.errors import FailedState

UNIT = "xcat-rhev-xcatd.service"


class Machine:
    """A machine with a systemctl that notes what it is called with, and folders of its own.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self._patch = folder, patch
        self.units, self.calls = folder / "etc", folder / "calls"
        self.home = folder / "data" / "xcat-rhev"
        self.units.mkdir()
        self.answer()
        patch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")
        patch.setenv("HOME", str(folder))
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        patch.setenv("XDG_RUNTIME_DIR", str(folder / "run"))
        patch.delenv("XDG_CONFIG_HOME", raising=False)
        patch.setattr(service, "_OWN", self.units)
        patch.setattr(service, "_PACKAGED", folder / "packaged")
        patch.setattr(service, "_RUNNING", folder / "system")
        patch.setattr(background, "start", self._start)
        self.started: list[list[str]] = []
        self.program("xcat-rhev", "exit 0")

    def program(self, name: str, script: str) -> None:
        """Put a program into the path."""
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def answer(self, code: int = 0, says: str = "") -> None:
        """What systemctl answers."""
        self.program("systemctl", f"echo \"$*\" >> {self.calls}\necho '{says}' >&2\nexit {code}")

    def _start(self, name: str, words: list[str]) -> str:
        self.started.append([name, *words])
        return ""

    def become(self, root: bool, systemd: bool) -> None:
        """Be root or somebody, with systemd or without."""
        self._patch.setattr(os, "geteuid", lambda: 0 if root else 1000)
        if root:
            self._patch.setattr(homes, "OF_ROOT", self.home)
        if systemd:
            (self.folder / "system").mkdir()
            (self.folder / "run" / "systemd").mkdir(parents=True)
            (self.folder / "run" / "systemd" / "private").touch()

    def called(self) -> list[str]:
        """The words of each call of systemctl."""
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def verified(unit: Path, *mode: str) -> tuple[str, str, int]:
    """What systemd says of a unit."""
    words = ["systemd-analyze", *mode, "verify", str(unit)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout, done.stderr, done.returncode


needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def test_root_gets_a_service_of_the_machine(machine: Machine) -> None:
    machine.become(root=True, systemd=True)
    assert place._start(machine.home, None) == f"enabled and started its service {UNIT}"
    assert machine.called() == ["daemon-reload", f"enable --now {UNIT}"]
    assert (
        f'ExecStart="{machine.folder}/bin/xcat-rhev" xcatd --home /var/lib/xcat-rhev\n'
        in (machine.units / UNIT).read_text()
    )
    assert machine.started == []


def test_a_unit_of_a_package_is_taken_as_it_is(machine: Machine) -> None:
    machine.become(root=True, systemd=True)
    (machine.folder / "packaged").mkdir()
    (machine.folder / "packaged" / UNIT).write_text("")
    place._start(machine.home, None)
    assert machine.called() == [f"enable --now {UNIT}"]
    assert not list(machine.units.iterdir())


def test_a_user_gets_a_service_of_his_own(machine: Machine) -> None:
    machine.become(root=False, systemd=True)
    told = place._start(machine.home, None)
    assert told == f"enabled and started its service {UNIT}; to keep it when you log out, run: loginctl enable-linger"
    assert machine.called() == ["--user daemon-reload", f"--user enable --now {UNIT}"]
    unit = (machine.folder / ".config" / "systemd" / "user" / UNIT).read_text()
    assert f'ExecStart="{machine.folder}/bin/xcat-rhev" "xcatd" "--home" "{machine.home}"\n' in unit


@needs_systemd
@pytest.mark.parametrize("root", [True, False])
def test_systemd_takes_every_line_of_what_is_written(machine: Machine, root: bool) -> None:
    machine.become(root=root, systemd=True)
    place._start(machine.home, None)
    unit = machine.units / UNIT if root else machine.folder / ".config" / "systemd" / "user" / UNIT
    assert verified(unit) == ("", "", 0)


@pytest.mark.parametrize("root", [True, False])
def test_without_systemd_it_runs_in_the_background_and_that_is_said(machine: Machine, root: bool) -> None:
    machine.become(root=root, systemd=False)
    assert place._start(machine.home, None) == (
        "started in the background, because systemd does not run here; after a reboot run: "
        f"xcat-rhev xcatd --background --home {machine.home}"
    )
    assert machine.started == [["xcatd", "--home", str(machine.home)]]
    assert machine.called() == []


def test_a_home_of_ones_own_is_no_service(machine: Machine) -> None:
    machine.become(root=True, systemd=True)
    told = place._start(machine.folder / "my home", 3999)
    assert told == (
        "started in the background, because --home and --port make no service; after a reboot run: "
        f"xcat-rhev xcatd --background --home '{machine.folder}/my home' --port 3999"
    )
    assert machine.called() == []


def test_what_systemd_refuses_is_said_with_where_to_look(machine: Machine) -> None:
    machine.become(root=False, systemd=True)
    machine.answer(1, "Failed to connect to bus")
    with pytest.raises(FailedState) as problem:
        place._start(machine.home, None)
    assert str(problem.value) == (
        f"systemctl --user daemon-reload: Failed to connect to bus. See: journalctl --user -u {UNIT}"
    )


def test_a_path_with_signs_of_systemd_is_quoted() -> None:
    assert service._quote('/a b/50%/"x"/$HOME/\\') == '"/a b/50%%/\\"x\\"/$$HOME/\\\\"'
