"""The systemd units, read by systemd itself."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "share/systemd"
#: How much each is exposed at most, in tenths, as systemd counts: 0 is nothing, 100 all. The one for DHCP and DNS needs
#: ports below 1024 and raw sockets; the one for events runs a site's own programs.
EXPOSED = {"agent": 40, "events": 80, "join": 30, "netservices": 60, "xcatd": 40}

pytestmark = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed (package systemd)"
)


def test_systemd_finds_them_confined():
    units = {unit.stem.removeprefix("xcat-rhev-"): unit for unit in UNITS.glob("*.service")}
    assert set(units) == set(EXPOSED)
    if "--offline" not in subprocess.run(["systemd-analyze", "--help"], capture_output=True, text=True).stdout:
        pytest.skip("this systemd-analyze judges running units alone")
    for name, unit in units.items():
        words = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSED[name]}", unit]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
        assert "Overall exposure level" in done.stdout and done.returncode == 0, done.stdout + done.stderr


def test_systemd_takes_every_line(tmp_path):
    for unit in UNITS.glob("*.service"):
        text = unit.read_text().replace("/usr/bin/xcat-rhev", shutil.which("true") or "")
        (tmp_path / unit.name).write_text(text)
    words = ["systemd-analyze", "verify", *sorted(tmp_path.iterdir())]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert len(words) > 2
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
