"""The program's first word, and what it says when a part cannot be started."""

from __future__ import annotations

import builtins
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from xcat_rhev.cli import main
from xcat_rhev.daemon.catalog import CORES
from xcat_rhev.run.registry import COMMANDS
from xcat_rhev.xcat.commandnames import EMBEDDED, OURS


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes an import fail as if the package was not installed."""
    real = builtins.__import__

    def take(package: str, *modules: str) -> None:
        def hide(name: str, *more: Any, **keys: Any) -> Any:
            if name == package or name.startswith(f"{package}."):
                raise ModuleNotFoundError(f"No module named '{package}'", name=package)
            return real(name, *more, **keys)

        for module in modules:
            monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.setattr(builtins, "__import__", hide)

    return take


def test_a_missing_package_is_named_with_what_to_type(without: Any, capsys: pytest.CaptureFixture[str]) -> None:
    without("cheroot", "xcat_rhev.sim.__main__", "xcat_rhev.sim.http")
    assert main.main(["sim", "--vms", "1"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("xcat-rhev sim: the Python package cheroot is missing. Run: pip install '.[sim]'")
    assert said.count("\n") == 1


def test_each_package_that_is_needed_is_known_by_name() -> None:
    listed = (Path(__file__).parents[3] / "setup.cfg").read_text().partition("install_requires =")[2].partition("[")[0]
    needed = {name.lower() for name in re.findall(r"^    (\w+) >=", listed, re.MULTILINE)}
    assert needed and needed <= set(main.EXTRAS)


def test_a_part_of_another_package_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "PARTS", (("sim", "xcat_rhev.nowhere", ""),))
    assert main.main(["sim"]) == 1
    assert "Install the package xcat-rhev-sim" in capsys.readouterr().err


def test_our_own_mistakes_are_not_taken_for_a_missing_package(without: Any) -> None:
    without("argparse", "xcat_rhev.sim.__main__")
    with pytest.raises(ModuleNotFoundError):
        main.main(["sim"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["docter"], "there is no 'docter'. Did you mean doctor?"),
        (["rpower", "vm1", "stat"], "rpower is an xCAT command. Run: xcat-rhev run rpower vm1 stat"),
        (["qqq"], "Run: xcat-rhev help"),
    ],
)
def test_a_first_word_that_is_no_part(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(words) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_a_reader_who_has_seen_enough_of_the_help() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    words = [sys.executable, "-m", "xcat_rhev.cli", "help"]
    done = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, timeout=300, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_help_and_version_are_words_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["version"]) == 0
    assert main.main(["help"]) == 0
    out = capsys.readouterr().out
    assert "xcat-rhev 0" in out
    for command in COMMANDS:
        assert command in ("copycd", "mkinstall", "rhevhupdateflag", "rhevmupdateflag") or command in out


def test_the_names_of_commands_are_those_that_are_declared() -> None:
    internal = {"copycd", "mkinstall", "rhevhupdateflag", "rhevmupdateflag"}
    assert OURS == COMMANDS.keys() - internal
    assert EMBEDDED == CORES.keys() - internal
