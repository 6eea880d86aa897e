"""`xcat-rhev connect`: from an engine's name to a command line that works, typed as a beginner types it."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from programs import Typed
from simulator import SimulatorProgram
from terminal import Terminal
from xcat_rhev.cli import homes
from xcat_rhev.jsonlines import SCHEMA


class Beginner:
    """Somebody with an engine and nothing else.

    Args:
        folder: An empty folder: home, path and all.
        sim: The engine's name.
    """

    def __init__(self, folder: Path, sim: str) -> None:
        self.sim, self.home, self.bin = sim, folder / "home", folder / "bin"
        self.bin.mkdir()
        program = self.bin / "xcat-rhev"
        program.write_text(f"#!{sys.executable}\nimport sys\nfrom xcat_rhev.cli.main import main\nsys.exit(main())\n")
        program.chmod(0o755)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("XCAT")},
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "PYTHONPATH": os.pathsep.join(sys.path),
            "HOME": str(folder),
            "TERM": "xterm",
            "XCAT_CERT_DIR": str(homes.certificates_of(self.home)),
        }

    def type(self, *words: str, **more: str) -> Typed:
        done = subprocess.run(
            [str(self.bin / words[0]), *words[1:]],
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Typed(done.returncode, done.stdout, done.stderr)

    def connect(self, *words: str, **more: str) -> Typed:
        words = ("connect", self.sim, "--home", str(self.home), "--port", "0", *words)
        return self.type("xcat-rhev", *words, **more)

    def asked(self, *answers: str) -> tuple[int, list[str]]:
        """Type connect at a terminal and answer what it asks; gives the exit code and what stands there."""
        words = ["xcat-rhev", "connect", self.sim, "--home", str(self.home), "--port", "0", "--no-links"]
        process, ours = pty.fork()
        if process == 0:
            os.execve(self.bin / "xcat-rhev", words, self.environment)
        written, left = "", [*answers]
        while True:
            try:
                part = os.read(ours, 65536).decode()
            except OSError:
                break
            written += part
            if left and written.rstrip().endswith(("[y/N]", "]:", "admin:")) and part.strip():
                os.write(ours, left.pop(0).encode() + b"\n")
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        os.close(ours)
        terminal = Terminal()
        terminal.feed(written)
        return code, terminal.shown()

    def leave(self) -> None:
        """End the xcatd that connect has started."""
        for place in Path("/proc").iterdir():
            if place.name.isdigit():
                try:
                    words = (place / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if b"xcatd" in words and os.fsencode(self.home) in words:
                    os.kill(int(place.name), signal.SIGTERM)


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An engine with twelve machines; one that is asked to go down takes as long as a test may want to watch."""
    folder = tmp_path_factory.mktemp("sim")
    (folder / "delays").write_text(json.dumps({"vm.shutdown": [3600]}))
    words = (
        "--hosts",
        "2",
        "--vms",
        "12",
        "--running",
        "50",
        "--cert-dir",
        f"{folder}/ca",
        "--delays",
        f"{folder}/delays",
    )
    with closing(SimulatorProgram(*words)) as started:
        yield f"localhost:{started.ready['port']}"


@pytest.fixture
def beginner(tmp_path: Path, sim: str) -> Iterator[Beginner]:
    beginner = Beginner(tmp_path, sim)
    yield beginner
    beginner.leave()


def test_one_command_and_rpower_works(beginner: Beginner) -> None:
    done = beginner.connect("--yes", XCAT_RHEV_PASSWORD="secret")  # noqa: S106 - the simulator's
    assert (done.rc, done.err) == (0, ""), done
    assert "nodes: 2 hypervisors (rhevh1, rhevh2), 12 machines (vm1, vm2, vm3," in done.out
    assert done.out.splitlines()[-4:-1] == ["  rpower vm1 stat", "  lsvm all -s", "  reventlog vm1"]
    assert "secret" not in done.out
    stat = beginner.type("rpower", "all", "stat")
    assert stat.rc == 0, stat
    assert sorted(stat.out.splitlines()) == sorted(
        [f"vm{n}: {'on' if n <= 6 else 'off'}" for n in range(1, 13)] + ["rhevh1: on", "rhevh2: on"]
    )
    assert beginner.type("nodels").out.split()[-1] == "vm12", "nobody else has become a node"
    assert beginner.type("xcat-rhev", "doctor", "--home", str(beginner.home)).rc == 0
    again = beginner.connect(XCAT_RHEV_PASSWORD="secret")  # noqa: S106
    assert again.rc == 0 and "12 machines" in again.out


def test_what_the_engine_notes_comes_into_the_tables_and_to_a_sites_program(beginner: Beginner, tmp_path: Path) -> None:
    assert beginner.connect("--yes", XCAT_RHEV_PASSWORD="secret").rc == 0  # noqa: S106
    hooks, got = tmp_path / "hooks", tmp_path / "got"
    hooks.mkdir()
    (hooks / "note").write_text(f'#!/bin/sh\nif [ "$RHEV_NODE" ]; then echo "$RHEV_NODE $RHEV_STATE" >> {got}; fi\n')
    (hooks / "note").chmod(0o755)
    words = ("xcat-rhev", "events", "--once", "--hooks", str(hooks), "--state", str(tmp_path / "state"))
    assert beginner.type(*words) == Typed(0, "", "")
    assert beginner.type("rpower", "vm6", "off").rc == 0
    assert beginner.type("xcat-rhev", "run", "nodech", "vm6", "nodelist.status=booted").rc == 0
    assert beginner.type(*words) == Typed(0, "", "")
    heard = got.read_text()
    assert set(heard.splitlines()) == {"vm6 down"}
    assert beginner.type("nodels", "vm6", "nodelist.status").out == "vm6: unreachable\n"
    assert beginner.type(*words) == Typed(0, "", "")
    assert got.read_text() == heard
    assert beginner.type("rpower", "vm6", "on").rc == 0, "other tests have the same engine"


def test_somebody_at_a_terminal_is_asked(beginner: Beginner) -> None:
    code, seen = beginner.asked("y", "", "secret")
    assert code == 0, seen
    text = "\n".join(seen)
    assert "The engine's CA has the SHA-256" in text
    assert "secret" not in text
    assert seen[-1] == "  xcat-rhev help"
    assert all(len(line) <= 80 for line in seen)


def test_who_says_no_leaves_nothing_behind(beginner: Beginner) -> None:
    code, seen = beginner.asked("n")
    assert code == 1
    assert seen[-1] == "xcat-rhev connect: the CA was not taken, so nothing was done"
    assert not list(beginner.home.glob("etc/xcat/rhevm/*/ca.crt"))


@pytest.mark.parametrize(
    ("words", "password", "said"),
    [
        (("--yes",), "wrong", "refuses the login of admin"),
        (("--yes",), "", "there is no password, and no terminal to ask at. Set XCAT_RHEV_PASSWORD"),
        ((), "secret", "there is no terminal to ask whether it is right. Give --ca-sha256 "),
        (("--ca-sha256", "AA:BB"), "secret", "and not AA:BB. Ask its administrator"),
        (("--ca", "/nowhere"), "secret", "--ca /nowhere: No such file or directory"),
        (("--password-file", "/nowhere", "--yes"), "", "--password-file /nowhere cannot be read"),
    ],
)
def test_what_is_wrong_is_one_line(stranger: Beginner, words: tuple[str, ...], password: str, said: str) -> None:
    for kept in stranger.home.glob("etc/xcat/rhevm/*/ca.crt"):
        kept.unlink()
    done = stranger.connect(*words, XCAT_RHEV_PASSWORD=password)
    assert done.rc == 1
    assert done.err.count("\n") == 1 and said in done.err
    assert stranger.type("xcat-rhev", "run", "nodels").out == ""
    assert "wrong" not in stranger.type("xcat-rhev", "run", "tabdump", "passwd").out


@pytest.mark.parametrize(
    ("command", "kinds"),
    [
        (("rpower", "vm1", "stat"), {"data"}),
        (("rpower", "vm9", "stet"), {"error"}),
        (("rpower", "nosuch", "stat"), {"error"}),
        (("nodels", "vm1-vm3"), {"data"}),
        (("lsdef", "vm1"), {"object"}),
        (("lsdef", "nosuch"), {"error", "info"}),
        (("tabdump", "vm"), {"row"}),
        (("tabdump",), {"data"}),
        (("copycds", "/nowhere.iso"), {"error"}),
        (("frobnicate",), {"error"}),
        (("rinv", "vm1"), {"data"}),
        (("rvitals", "vm1"), {"data"}),
        (("rsetboot", "vm1", "stat"), {"data"}),
        (("rscan", "vm1"), {"data"}),
        (("lsvm", "vm1"), {"vms"}),
    ],
)
def test_every_line_is_an_object_of_the_schema(connected: Beginner, command: tuple[str, ...], kinds: set[str]) -> None:
    done = connected.type("xcat-rhev", "run", "--json", *command)
    found = [json.loads(line) for line in done.out.splitlines()]
    assert {each["kind"] for each in found} <= kinds and found, done
    for each in found if kinds != {"vms"} else ():
        for name, value in each.items():
            kind = SCHEMA[name][0]
            assert isinstance(value, (kind, int) if kind is float else kind), (name, value)
    assert bool(done.rc) == ("error" in kinds), done


def test_no_xcatd_is_an_object_too(connected: Beginner) -> None:
    done = connected.type("nodels", "--json", XCATHOST="localhost:1")
    assert json.loads(done.out) == {
        "kind": "error",
        "text": "no xcatd on localhost:1: Connection failure: Connection refused",
        "code": 111,
    }


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory, sim: str) -> Iterator[Beginner]:
    """Somebody who has not come to an end yet."""
    stranger = Beginner(tmp_path_factory.mktemp("stranger"), sim)
    yield stranger
    stranger.leave()


@pytest.fixture(scope="module")
def connected(tmp_path_factory: pytest.TempPathFactory, sim: str) -> Iterator[Beginner]:
    beginner = Beginner(tmp_path_factory.mktemp("connected"), sim)
    assert beginner.connect("--yes", XCAT_RHEV_PASSWORD="secret").rc == 0  # noqa: S106
    yield beginner
    beginner.leave()


def test_ctrl_c_stops_a_loop_of_the_shell(connected: Beginner) -> None:
    """bash goes on with its loop when a program ends by itself, whatever its exit code."""
    loop = "for i in 1 2 3; do echo begin $i; rpower vm2 softoff; done; echo end"
    environment = {**connected.environment, "PATH": f"{connected.bin}:/usr/bin:/bin"}
    process, ours = pty.fork()
    if process == 0:
        os.execve("/bin/bash", ["bash", "-c", loop], environment)
    written = ""
    while "powering_down" not in written:  # the line that lives
        written += os.read(ours, 65536).decode()
    os.write(ours, b"\x03")
    while True:
        try:
            written += os.read(ours, 65536).decode()
        except OSError:
            break
    os.waitpid(process, 0)
    os.close(ours)
    assert "begin 2" not in written and "end" not in written.split()
    assert "Stopping. What a manager has accepted already goes on there." in written
