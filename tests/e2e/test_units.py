"""The systemd units, read by systemd itself."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "share/systemd"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed (package systemd)")
def test_systemd_takes_every_line(tmp_path):
    for unit in UNITS.glob("*.service"):
        text = unit.read_text().replace("/usr/bin/xcat-rhev", shutil.which("true") or "")
        (tmp_path / unit.name).write_text(text)
    words = ["systemd-analyze", "verify", *sorted(tmp_path.iterdir())]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert len(words) > 2
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
