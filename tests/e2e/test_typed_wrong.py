"""Whatever is typed wrongly, and wherever: one line that says what to change, an exit code, never a trace."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from programs import Typed, Xcat
from xcat_rhev.cli import run
from xcat_rhev.cli.main import PARTS
from xcat_rhev.xcat.commandnames import EMBEDDED, OURS

COMMANDS = sorted(OURS | EMBEDDED)
#: Words that are wrong for every command, or change nothing.
WRONG = [("--nosuch",), ("",), ("ünïcödé→", "\t", "="), ("nosuch", "--timeout"), ("nosuch" * 10_000,), ("--", "--")]


@pytest.fixture(scope="module")
def xcat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Xcat]:
    program = Xcat(tmp_path_factory.mktemp("wrong"))
    yield program
    program.part.stop()


def shell(line: str, *words: str, folder: Path | None = None, **environment: str | None) -> Typed:
    """Have a shell run a line in which `"$@"` is the program with its words."""
    found = {**os.environ, **environment}
    done = subprocess.run(
        ["sh", "-c", line, "sh", sys.executable, "-m", "xcat_rhev.cli", *words],
        env={name: value for name, value in found.items() if value is not None},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        check=False,
    )
    return Typed(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def clean(typed: Typed) -> Typed:
    assert "Traceback" not in typed.all and "because of a mistake" not in typed.all, typed
    assert 0 <= typed.rc < 128, typed
    return typed


@pytest.mark.parametrize("command", COMMANDS)
def test_wrong_words_for_a_command(
    xcat: Xcat, command: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """In the test's own process, for there are many."""
    for name in ("XCATHOST", "XCAT_CERT_DIR"):
        monkeypatch.setenv(name, xcat.environment[name])
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        for words in WRONG:
            capfd.readouterr()
            code = run.main([command, *words])
            said = capfd.readouterr()
            typed = clean(Typed(code, said.out, said.err))
            assert code == 0 or typed.all.strip(), (words, typed)


@pytest.mark.parametrize("part", [name for name, _, _ in PARTS if name != "run"])
def test_wrong_words_for_a_part(part: str, tmp_path: Path) -> None:
    for words in (("--nosuch", "--home", ""), ("a", "b", "c", "d")):
        typed = clean(shell('"$@"', part, *words, folder=tmp_path))
        assert typed.rc == 2 and typed.err, (words, typed)
        assert f"xcat-rhev {part}" in typed.err.splitlines()[-1]


@pytest.mark.parametrize("words", [("help",), ("run", "-h"), ("run", "rpower", "-h")], ids=" ".join)
def test_an_output_that_is_full_closed_or_read_in_part(xcat: Xcat, words: tuple[str, ...]) -> None:
    full = clean(shell('"$@" > /dev/full', *words, **xcat.environment))
    assert full.rc == 1 and full.err.endswith("No space left on device\n")
    assert clean(shell('"$@" >&-', *words, **xcat.environment)).err == ""
    assert clean(shell('"$@" 2>&- <&-', *words, **xcat.environment)).rc == 0
    line = '{ "$@"; echo $? >&2; } | true'
    assert clean(shell(line, *words, **xcat.environment)).err in ("141\n", "0\n")


@pytest.mark.parametrize(
    "environment",
    [
        {"HOME": None, "TERM": None},
        {"TERM": "dumb"},
        {"TERM": "no-such-terminal", "COLUMNS": "x"},
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        {"HOME": "/proc"},
    ],
    ids=repr,
)
def test_odd_environments(xcat: Xcat, environment: dict[str, str | None]) -> None:
    told = {**xcat.environment, **environment}
    assert clean(shell('"$@"', "run", "nodeadd", "nosuch1", "groups=ünï", **told)).rc == 0
    assert clean(shell('"$@"', "run", "nodels", "nosuch1", "nodelist.groups", **told)).rc == 0
    assert clean(shell('"$@"', "help", **told)).rc == 0
    assert clean(shell('"$@"', "connect", "ünï..x", **told)).rc == 1


def test_a_folder_that_was_removed(xcat: Xcat, tmp_path: Path) -> None:
    line = f'mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir {tmp_path}/gone && "$@"'
    typed = clean(shell(line, "run", "nodels", **{**xcat.environment, "PYTHONPATH": os.pathsep.join(sys.path)}))
    assert (typed.rc, typed.err) == (1, "Error: the current folder does not exist any more. Run: cd\n")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("run", "--home"), 2, "Error: --home needs the folder of an embedded xcatd. Run: xcat-rhev run -h"),
        (("run", "--home", "", "nodels"), 2, "Error: --home needs the folder of an embedded xcatd. Run: "),
        (("run", "--nosuch"), 2, "Error: run has no option --nosuch. Run: xcat-rhev run -h"),
        (("connect", ""), 1, "xcat-rhev connect: '' is not the name of an engine. Write its full name, host:port, or "),
        (("connect", "http://["), 1, "xcat-rhev connect: 'http://[' is not the name of an engine."),
        (("connect", "a" * 64), 1, f"xcat-rhev connect: '{'a' * 64}' is not the name of an engine."),
        (("xcatd", "--home", "/dev/null"), 1, "xcat-rhev xcatd: /dev/null is not a folder. Give --home another one"),
        (("xcatd", "--home", "/proc/x"), 1, "xcat-rhev xcatd: /proc/x: No such file or directory"),
        (("web", "--host", "192.0.2.1"), 1, "xcat-rhev web: cannot listen on 192.0.2.1 port 0: "),
        (("sim", "--cert-dir", "/proc/x"), 1, "xcat-rhev sim: "),
        (("site", "/dev/null"), 1, "xcat-rhev site: a site has to begin with managers: and their full names below it"),
        (("demo", "--iso", "/nowhere"), 1, "xcat-rhev demo: --iso /nowhere: there is no such file"),
        (("engine", "kit", "x", "--node", "n"), 1, "xcat-rhev engine: 'x' is not a release. Give one of rhev3.0, "),
    ],
    ids=repr,
)
def test_wrong_words_are_one_line(words: tuple[str, ...], code: int, says: str, xcat: Xcat, tmp_path: Path) -> None:
    typed = clean(shell('"$@"', *words, folder=tmp_path, **xcat.environment))
    assert typed.rc == code and typed.out == "" and typed.err.count("\n") == 1, typed
    assert typed.err.startswith(says), typed
    assert not list(tmp_path.iterdir()), "nothing was made"


def test_a_full_disk_under_the_world_of_the_simulator(tmp_path: Path) -> None:
    (tmp_path / "world.new").symlink_to("/dev/full")
    typed = clean(shell('"$@"', "sim", "--state", "world", folder=tmp_path))
    assert (typed.rc, typed.out, typed.err) == (1, "", "xcat-rhev sim: world: No space left on device\n")
