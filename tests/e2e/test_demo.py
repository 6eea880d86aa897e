"""The demo does what its steps name, with both APIs; each step looks at its result itself."""

import json
import subprocess
import sys

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
        timeout=200,
        check=False,
    )
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [step["rc"] for step in steps] == [0] * (len(steps) - 1) + [1]
    assert "copycds" in steps[-1]["command"] and "could not identify" in steps[-1]["output"]
    assert "Traceback" not in done.stderr
