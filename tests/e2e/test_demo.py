"""The demo does what its steps name, with both APIs; each step looks at its result itself."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from simulator import Simulator


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


def demo_on(simulator, *more, password="secret"):
    words = [sys.executable, "-m", "xcat_rhev.cli", "demo", "--json", "--engine", simulator.origin, *more]
    told = {**os.environ, "XCAT_RHEV_USER": simulator.user, "XCAT_RHEV_PASSWORD": password}
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400, check=False, env=told
    )
    return done, [json.loads(line) for line in done.stdout.splitlines()]


def there(simulator):
    paths = ("/vms", "/networks", "/disks")
    return [sorted(str(each.findtext("name")) for each in simulator.xml(path)) for path in paths]


@pytest.mark.slow
@pytest.mark.parametrize("api", ["3", "4"])
def test_on_an_engine_it_makes_things_of_its_own_and_removes_them(api):
    with contextlib.closing(Simulator("--hosts", "2", "--vms", "2", "--speed", "10", "--api", api)) as simulator:
        before = there(simulator)
        done, steps = demo_on(simulator, "--ca", simulator.ca, "--api", api)
        assert (done.returncode, [step for step in steps if step["rc"]]) == (0, []), done.stderr
        typed = [step["command"].split()[0] for step in steps]
        assert {"mkvm", "rpower", "chvm", "rmigrate", "cfgve", "rmvm"} <= set(typed)
        moves = [step["command"].split() for step in steps if step["command"].startswith("rmigrate")]
        assert [words[2] for words in moves] == ["any"], "an engine knows best who can take it"
        assert there(simulator) == before
        assert "secret" not in done.stdout + done.stderr


@pytest.mark.slow
def test_on_an_engine_what_a_failed_step_made_is_removed():
    with contextlib.closing(Simulator("--hosts", "2", "--vms", "2", "--speed", "10", "--api", "4")) as simulator:
        before = there(simulator)
        simulator.faults({"do": "fail", "state": "vm.start", "text": "no power today"})
        done, steps = demo_on(simulator, "--ca", simulator.ca)
        assert done.returncode == 1 and steps[-1]["command"].startswith("rpower") and steps[-1]["rc"] == 1
        assert there(simulator) == before


@pytest.mark.slow
def test_on_an_engine_a_ca_is_not_taken_unseen_and_a_wrong_password_is_told():
    with contextlib.closing(Simulator("--hosts", "1")) as simulator:
        done, steps = demo_on(simulator)
        assert (
            done.returncode == 1
            and "no terminal to ask" in steps[-1]["output"]
            and "--ca-sha256" in steps[-1]["output"]
        )
        done, steps = demo_on(simulator, "--yes", password="wrong")
        assert done.returncode == 1 and "refuses the login" in steps[-1]["output"]
        done, steps = demo_on(simulator, password="")
        assert (done.returncode, steps) == (1, []) and "Set XCAT_RHEV_PASSWORD" in done.stderr
