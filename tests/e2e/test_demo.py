"""The demo does what its steps name, with both APIs; each step looks at its result itself."""

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_whole_demo(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "xcat_rhev.cli", "demo", "--json"],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    failed = [step for step in steps if step["rc"]]
    assert (done.returncode, failed) == (0, []), done.stderr
    assert {"step", "command", "rc", "seconds", "output"} <= set(steps[0])
    typed = [step["command"].split()[0] for step in steps]
    for command in (
        "copycds",
        "nodeset",
        "wget",
        "chhypervisor",
        "cfgve",
        "lsve",
        "mkvm",
        "rpower",
        "lsvm",
        "rmigrate",
        "rmvm",
    ):
        assert command in typed
    assert typed.count("mkvm") == 2, "once for each API"


def test_a_failed_step_is_told_and_ends_it(tmp_path):
    (tmp_path / "not.iso").write_text("this is no ISO")
    done = subprocess.run(
        [sys.executable, "-m", "xcat_rhev.cli", "demo", "--json", "--iso", str(tmp_path / "not.iso")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [step["rc"] for step in steps] == [0] * (len(steps) - 1) + [1]
    assert "copycds" in steps[-1]["command"] and "could not identify" in steps[-1]["output"]
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_what_it_says_to_type_works_while_it_is_kept():
    demo = subprocess.Popen(
        [sys.executable, "-m", "xcat_rhev.cli", "demo", "--keep", "--api", "4"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        told = list(iter(demo.stderr.readline, "Ctrl-C here ends it and removes the folder.\n"))
        typed = [line.strip() for line in told if line.startswith("    ")]
        assert len(typed) == 6
        done = subprocess.run(["sh", "-ec", "\n".join(typed)], capture_output=True, text=True, timeout=300, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert "rhevh1: booted" in done.stdout and "vm3: on" in done.stdout and "vms: [vm1]" in done.stdout
        url = next(line.split()[-1] for line in told if "/xcatrhevh/" in line)
        with urllib.request.urlopen(url, timeout=300) as page:
            assert b"rhevh1" in page.read()
    finally:
        demo.send_signal(signal.SIGINT)
        demo.stderr.close()
        assert demo.wait(300) == 130
    folder = next(line.split()[-1].removesuffix("/xcat/root/.xcat") for line in told if "XCAT_CERT_DIR" in line)
    assert not Path(folder.partition("=")[2]).exists()
