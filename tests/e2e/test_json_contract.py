"""JSON is a contract: whatever a command says with `--json`, failures too, is an object that the man pages describe."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from programs import Xcat
from simulator import Simulator
from xcat_rhev.cli import run
from xcat_rhev.cli.manpages import JSON_KINDS
from xcat_rhev.commands import lsve
from xcat_rhev.commands.show.listing import json_fields
from xcat_rhev.jsonlines import SCHEMA
from xcat_rhev.xcat.commandnames import EMBEDDED, OURS, WITHOUT_NODERANGE

Ask = Callable[..., tuple[int, list[dict[str, Any]], str]]
COMMANDS = sorted(OURS | EMBEDDED)
#: The kinds that messages have, with the fields that all of them share.
MESSAGES = ("data", "info", "warning", "error", "row", "object")


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    found = Simulator("--hosts", "2", "--vms", "3", "--running", "50")
    yield found
    found.close()


@pytest.fixture(scope="module")
def xcat(tmp_path_factory: pytest.TempPathFactory, sim: Simulator) -> Iterator[Xcat]:
    program = Xcat(tmp_path_factory.mktemp("json"))
    program.set_up(
        f"chtab key=rhevm,username=admin passwd.password='{sim.password}'",
        f"nodeadd vm1-vm3 groups=vm,all nodehm.mgt=rhevm vm.mgr={sim.name}",
        f"nodeadd rhevh1-rhevh2 groups=rhevh,all nodehm.power=rhevm hypervisor.type=rhevh hypervisor.mgr={sim.name}",
    )
    yield program
    program.part.stop()


@pytest.fixture
def ask(xcat: Xcat, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Ask]:
    """Type a command; gives its exit code, its objects, and what it says to people."""
    for name in ("XCATHOST", "XCAT_CERT_DIR"):
        monkeypatch.setenv(name, xcat.environment[name])
    nothing = open(os.devnull)  # noqa: SIM115 - closed below
    monkeypatch.setattr(sys, "stdin", nothing)

    def asked(*words: str) -> tuple[int, list[dict[str, Any]], str]:
        capfd.readouterr()
        code = run.main(["--json", *words])
        said = capfd.readouterr()
        return code, [json.loads(line) for line in said.out.splitlines()], said.err

    yield asked
    nothing.close()


def check(command: str, found: list[dict[str, Any]]) -> None:
    """Hold objects against the schema: no field that is not in it, none of another type."""
    own = json_fields(JSON_KINDS.get(command, {}))
    for each in found:
        fields = {name: kind for name, (kind, _) in SCHEMA.items()} if each["kind"] in MESSAGES else own[each["kind"]]
        _check_fields(each, fields, own)


def _check_fields(found: dict[str, Any], fields: dict[str, type], own: dict[str, dict[str, type]]) -> None:
    for name, value in found.items():
        kind = fields.get(name)
        if kind is None and name in own:  # what belongs to it
            for child in value:
                _check_fields(child, own[name], own)
        elif name != "manager" or kind:  # which lsve adds
            assert kind is not None, f"{name} is in no schema: {found}"
            assert type(value) is kind or (kind is float and type(value) is int), (name, value, kind)
        else:
            assert type(value) is str


WORKS = [
    ("rpower", "all", "stat"),
    ("rpower", "vm3", "on", "--dry-run"),
    ("lsvm", "all"),
    ("lsvm", "vm1", "--snapshots"),
    ("lsvm", "vm1", "-a"),
    ("lsvm", "all", "-s"),
    ("rinv", "all"),
    ("rinv", "all", "guest"),
    ("rinv", "rhevh1", "cert"),
    ("rvitals", "all"),
    ("rvitals", "rhevh1", "cert"),
    ("reventlog", "all", "all"),
    ("rsetboot", "vm1", "stat"),
    ("rsetboot", "vm1", "net"),
    ("rscan", "vm1"),
    ("rscan", "vm1", "-u"),
    ("getmacs", "vm1", "-d"),
    ("getmacs", "vm1"),
    ("getrvidparms", "vm1"),
    ("chvm", "vm1", "--snapshot", "before"),
    ("chvm", "vm1", "-a", "1", "--dry-run"),
    ("rmigrate", "vm1", "any", "--dry-run"),
    ("revacuate", "rhevh1", "--dry-run"),
    ("mkvm", "vm1", "--dry-run"),
    ("clonevm", "vm3", "-t", "tpl", "--dry-run"),
    ("rmvm", "vm3", "-f", "-p", "--dry-run"),
    ("chhypervisor", "rhevh1", "-e"),
    ("nodels",),
    ("nodels", "vm1", "vm.mgr", "nodehm.mgt"),
    ("lsdef", "vm1"),
    ("lsdef", "-t", "site"),
    ("lsdef", "-t", "node", "-s"),
    ("tabdump",),
    ("tabdump", "vm"),
    ("tabdump", "-d", "vm"),
    ("gettab", "node=vm1", "vm.mgr"),
    ("tabgrep", "vm1"),
    ("nodech", "vm1", "vm.comments=x"),
    ("lsxcatd", "-a"),
    ("makenetworks", "-d"),
    ("makehosts", "vm1"),
    ("mkdef", "-t", "node", "spare", "groups=all"),
    ("rmdef", "-t", "node", "spare"),
    ("rpower", "vm3", "on"),
]
KINDS_OF_LSVE = [option.choices for option in lsve.SPEC.options if option.name == "type"][0]


@pytest.mark.parametrize("words", WORKS, ids=" ".join)
def test_what_works(ask: Ask, words: tuple[str, ...]) -> None:
    code, found, _ = ask(*words)
    check(words[0], found)
    assert code == 0, found
    assert found or words[0] in ("makehosts", "nodech", "makenetworks")
    assert not any(each["kind"] == "error" for each in found)


@pytest.mark.parametrize("kind", KINDS_OF_LSVE)
def test_the_environment(ask: Ask, sim: Simulator, kind: str) -> None:
    code, found, _ = ask("lsve", "-m", sim.name, "-t", kind)
    check("lsve", found)
    assert code == 0, found
    code, found, _ = ask("lsve", "-m", sim.name, "-t", kind, "-o", "nosuch")
    check("lsve", found)
    assert code == 1 and [each["kind"] for each in found] == ["error"]


@pytest.mark.parametrize("words", [("--nosuch",), ("nosuch", "--nosuch"), ("nosuch", "stat"), ("",)], ids=repr)
@pytest.mark.parametrize("command", COMMANDS)
def test_wrong_words_are_objects(ask: Ask, command: str, words: tuple[str, ...]) -> None:
    code, found, _ = ask(command, *words)
    check(command, found)
    assert bool(code) or not any(each["kind"] == "error" for each in found), found
    assert code == 0 or found, "a failure says something"


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - WITHOUT_NODERANGE - {"nodeadd", "mkdef", "chdef", "chtab"}))
def test_an_unknown_node_is_an_object(ask: Ask, command: str) -> None:
    code, found, _ = ask(command, "nosuch")
    check(command, found)
    assert code, found
    assert any(each["kind"] == "error" and "nosuch" in each["text"] + each.get("node", "") for each in found), found


@pytest.mark.parametrize("command", COMMANDS)
def test_no_xcatd_is_one_object(ask: Ask, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XCATHOST", "localhost:1")
    code, (found,), _ = ask(command, "nosuch.csv" if command == "tabrestore" else "vm1")
    check(command, [found])
    assert found["kind"] == "error"
    assert found["code"] == code == (3 if command == "tabrestore" else 111)


@pytest.mark.parametrize("command", ["rpower", "lsvm", "rinv", "chvm", "mkvm", "rvitals", "reventlog"])
def test_a_manager_that_does_not_answer_is_an_object(ask: Ask, command: str) -> None:
    assert ask("nodeadd", "far1", "groups=far", "nodehm.mgt=rhevm", "vm.mgr=localhost:1", "vm.storage=x:1g")[0] == 0
    code, found, _ = ask(command, "far1", *(["stat"] if command == "rpower" else []))
    check(command, found)
    assert code == 1 and [each["kind"] for each in found] == ["error"], found
    assert "localhost:1" in found[0]["text"]


def test_an_unknown_command_is_an_object(ask: Ask) -> None:
    code, found, said = ask("rpwer", "vm1")
    check("rpwer", found)
    assert code == 127 and [each["kind"] for each in found] == ["error"]
    assert said == "Did you mean rpower?\n"
