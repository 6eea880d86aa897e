"""What people see at a terminal, wide and narrow, in colours and without: one transcript for each thing they expect."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from made_xcat import lay_out

from programs import Xcat
from simulator import Simulator
from typist import Typist
from xcat_rhev.xcat.commandnames import TYPED

Type = Callable[[str], Typist]
RED, YELLOW = "31", "33"
NO_SPACE = "VM vm9 is down with error. Exit message: no space left."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `xcat-rhev` and links to it as `connect` makes them."""
    folder = tmp_path_factory.mktemp("typed")
    program = folder / "xcat-rhev"
    program.write_text(f"#!{sys.executable}\nimport sys\nfrom xcat_rhev.cli.main import main\nsys.exit(main())\n")
    program.chmod(0o755)
    for name in TYPED:
        (folder / name).symlink_to(program)
    return folder


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    plan = tmp_path_factory.mktemp("plan") / "faults.json"
    plan.write_text(json.dumps([{"do": "fail", "state": "vm.start", "name": "vm9", "text": NO_SPACE}]))
    words = ("--hosts", "2", "--vms", "12", "--running", "50", "--delays", "0")
    found = Simulator(*words, "--faults", str(plan))
    yield found
    found.close()


@pytest.fixture(scope="module")
def xcat(tmp_path_factory: pytest.TempPathFactory, sim: Simulator) -> Iterator[Xcat]:
    program = Xcat(tmp_path_factory.mktemp("transcripts"))
    program.set_up(
        f"chtab key=rhevm,username=admin passwd.password='{sim.password}'",
        f"nodeadd vm1-vm12 groups=vm,all nodehm.mgt=rhevm vm.mgr={sim.name}",
        f"nodeadd new1 groups=new nodehm.mgt=rhevm vm.mgr={sim.name}",
        f"lsve -m {sim.name} -t dc",  # the first contact has a line of its own about the CA
    )
    yield program
    program.part.stop()


@pytest.fixture(params=[(80, True), (40, False)], ids=["80 columns, colours", "40 columns, no colours"])
def terminal(request: pytest.FixtureRequest) -> tuple[int, bool]:
    shape: tuple[int, bool] = request.param
    return shape


@pytest.fixture
def environment(folder: Path, terminal: tuple[int, bool]) -> dict[str, str]:
    found = {name: value for name, value in os.environ.items() if not name.startswith(("XCAT", "NO_COLOR"))}
    found.update(PATH=f"{folder}:/usr/bin:/bin", PYTHONPATH=os.pathsep.join(sys.path), TERM="xterm", HOME=str(folder))
    return {**found, **({} if terminal[1] else {"NO_COLOR": "1"})}


@pytest.fixture
def type_line(xcat: Xcat, environment: dict[str, str], terminal: tuple[int, bool]) -> Type:
    where = {name: xcat.environment[name] for name in ("XCATHOST", "XCAT_CERT_DIR")}
    return lambda line: Typist(line, {**environment, **where}, terminal[0])


def fits(typist: Typist, *colours: str) -> None:
    """What stands there fits, is not torn by what lives, and has these colours, if any."""
    assert all(len(line) <= typist.columns for line in typist.terminal.shown())
    assert typist.terminal.colours == (set(colours) if typist.columns == 80 else set())
    assert "Traceback" not in typist.plain


# 1: wrong commands fail ----------------------------------------------------------------------------------------------


def test_a_wrong_command_fails_and_says_what_was_meant(type_line: Type) -> None:
    typist = type_line("xcat-rhev run rpwer vm1 off && echo went on; echo code $?")
    assert "".join(typist.until("rpwer\n")).startswith("Error: ")
    typist.until("Did you mean rpower?\n")
    assert typist.end()[-1] == "code 127"
    assert "went on" not in typist.plain
    fits(typist, RED)


@pytest.mark.parametrize(
    ("line", "said", "code"),
    [
        ("xcat-rhev docter", "there is no 'docter'. Did you mean doctor?", 2),
        ("xcat-rhev rpower vm1 stat", "rpower is an xCAT command. Run: xcat-rhev run rpower vm1 stat", 2),
        ("xcat-rhev version", "xcat-rhev 0", 0),
        ("xcat-rhev help", "Commands for run, by kind:", 0),
        ("xcat-rhev run", "xcat-rhev help lists the commands by kind.", 2),
    ],
)
def test_first_words(type_line: Type, line: str, said: str, code: int) -> None:
    typist = type_line(line)
    typist.until(said)
    typist.end()
    assert typist.code == code
    fits(typist)


# 4: why is it down ---------------------------------------------------------------------------------------------------


def test_a_machine_that_does_not_stay_up(type_line: Type) -> None:
    start = type_line("rpower vm9 on")
    start.until("no space left")
    start.end()
    assert start.code == 1
    fits(start, RED)
    stat = type_line("rpower vm9 stat; echo code $?")
    stat.until("vm9: off\n")
    stat.until("no space left. Run: reventlog vm9\n")
    assert stat.end()[-1] == "code 0", "it is off, and that is the answer"
    fits(stat, YELLOW)
    hint = type_line("reventlog vm9 3 --problems")
    hint.until("no space left")
    hint.end()
    assert hint.code == 0
    fits(hint)


def test_a_light_that_a_machine_has_not(type_line: Type) -> None:
    typist = type_line("rbeacon vm1 on")
    typist.until("a virtual machine has no beacon light. Run: lsvm vm1 -s, for its hypervisor\n")
    typist.end()
    assert typist.code == 1
    assert typist.plain.count("\n") == 1
    fits(typist, RED)


# 7: in a real xCAT ---------------------------------------------------------------------------------------------------


def test_a_first_install_ends_with_what_to_type(
    environment: Mapping[str, str], terminal: tuple[int, bool], tmp_path: Path
) -> None:
    lay_out(tmp_path, str(tmp_path))
    words = f"--prefix {tmp_path} --httpd none --policy none"
    typist = Typist(
        f"xcat-rhev install {words} --dry-run", {**environment, "STUB": str(tmp_path / "stub")}, terminal[0]
    )
    typist.until("management node with xCAT in")
    for what in ("man pages", "the plugin", "the CGI", "the serial console's program", "the command "):
        typist.until(what)
    typist.end()
    assert typist.code == 0
    fits(typist)
    outside = Typist("xcat-rhev doctor --xcatroot /nowhere", environment, terminal[0])
    outside.until("there is no xCAT in /nowhere. Name its folder: --xcatroot DIR\n")
    outside.end()
    assert outside.code == 2
    fits(outside)


# 8: pip --------------------------------------------------------------------------------------------------------------


def test_a_part_without_its_package(environment: dict[str, str], terminal: tuple[int, bool], tmp_path: Path) -> None:
    (tmp_path / "cheroot.py").write_text('raise ModuleNotFoundError("No module named cheroot", name="cheroot")\n')
    without = {**environment, "PYTHONPATH": f"{tmp_path}{os.pathsep}{environment['PYTHONPATH']}"}
    typist = Typist("xcat-rhev sim", without, terminal[0])
    typist.until("xcat-rhev sim: the Python package cheroot is missing. Run: pip install '.[sim]' in the checkout, ")
    typist.end()
    assert typist.code == 1
    assert typist.plain.count("\n") == 1
    fits(typist)


@pytest.mark.parametrize("part", ["sim", "web", "xcatd --home home"])
def test_a_port_that_cannot_be(
    environment: dict[str, str], terminal: tuple[int, bool], tmp_path: Path, part: str
) -> None:
    typist = Typist(f"cd {tmp_path} && xcat-rhev {part} --port 65536", environment, terminal[0])
    typist.until("'65536' is not a port. Write a number from 0 (a free one) to 65535\n")
    typist.end()
    assert typist.code == 2
    fits(typist)
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        taken = Typist(f"cd {tmp_path} && xcat-rhev {part} --port {port}", environment, terminal[0])
        taken.until(f"cannot listen on 127.0.0.1 port {port}: Address already in use. Choose another port with --port")
        taken.end()
    assert taken.code == 1
    fits(taken)


# 9: order, the same words, what was meant ----------------------------------------------------------------------------


def test_the_order_in_which_people_count(type_line: Type) -> None:
    names = [f"vm{n}" for n in range(1, 13)]
    typist = type_line(
        "(rpower vm stat; lsvm vm -s; rvitals vm state; nodels vm) 2>/dev/null | cut -d: -f1 | cut -d' ' -f1 | uniq"
    )
    typist.until("vm12\n")
    assert typist.end() == [*names, "name", *names, *names, *names]
    assert typist.code == 0
    fits(typist)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "mkvm new1 --memory 1g; rmvm new1 -f -p",
            "it has no disk, because vm.storage is empty. Run: chvm new1 -a 20, or ",
        ),
        (
            "chdef vm1 vmmemry=2g",
            "type of 'node'. Did you mean vmmemory?",
        ),
        ("nodels vm1 vmm.mgr", "Did you mean vm?"),
        ("chtab node=vm1 nodehm.mgmt=rhevm", "Did you mean nodehm.mgt?"),
        ("chvm vm1 --memroy 2g", "chvm has no option --memroy. Did you mean --memory? Usage: chvm noderange "),
        (
            "rpower vm1 stet",
            "rpower does not know 'stet'. Usage: rpower noderange [on|off|",
        ),
    ],
)
def test_what_was_meant_is_said(type_line: Type, line: str, said: str) -> None:
    typist = type_line(line)
    typist.until(said)
    typist.end()
    assert "Traceback" not in typist.plain
    assert all(len(line) <= typist.columns for line in typist.terminal.shown())


# 10: the message, the cause, the next command ------------------------------------------------------------------------


def test_the_next_command_is_named_and_works(type_line: Type) -> None:
    """Somebody who knows nothing types what he is told to, until it works."""
    off = type_line("rpower vm10 reset")
    off.until("Error: the machine is off, so there is nothing to reset. Run: rpower vm10 on\n")
    off.end()
    assert off.code == 1
    fits(off, RED)
    on = type_line("rpower vm10 on")
    on.until("vm10: on\n")
    assert on.end() == ["vm10: on"], "the line that lives is gone"
    assert on.code == 0
    fits(on)
    copied = type_line("clonevm vm10 -t web")
    copied.until(". Run: rpower vm10 off\n")
    copied.end()
    off = type_line("rpower vm10 off")
    off.until("vm10: off\n")
    off.end()
    assert off.code == 0
    fits(off)


def test_a_node_that_is_unknown_a_machine_that_is_not_made_and_no_manager(type_line: Type) -> None:
    for line, said in (
        ("rpower nosuch on", "Error: Invalid nodes and/or groups in noderange: nosuch\n"),
        ("lsvm new1", "Error: node was not defined in the rhevm. The manager is "),
        ("rpower new1 on", ". Run: mkvm new1\n"),
        (
            "lsve -t dc -m nosuch.invalid",
            "nosuch.invalid is not a manager of this site. Run: chtab key=nosuch.invalid,",
        ),
    ):
        typist = type_line(line)
        typist.until(said)
        typist.end()
        assert typist.code == 1
        fits(typist, RED)
