"""Names and values that reach other programs: paths, boot files, shells, viewers, terminals."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from attackhelp import user
from daemonhelp import Inside
from xcat_rhev.bridge.host import message_to
from xcat_rhev.daemon.core.nodeset import _Attributes
from xcat_rhev.engine.parts.console import Console
from xcat_rhev.errors import BadAnswer, RhevError
from xcat_rhev.messages import Data
from xcat_rhev.secret import Secret
from xcat_rhev.xcat import wire

NAMES = [
    "../x",
    "a b",
    "a'b",
    'a"b',
    "a;b",
    "a|b",
    "a$b",
    "a`b",
    "a&b",
    "s/a/b/e",
    "-x",
    "a\nb",
    "a\tb",
    ".",
    "..",
    ".hidden",
    "a/../b",
    "a\\b",
    "a*",
    "a?",
    "a[1]",
    "a{1}",
    "a>b",
    "a#b",
    "a~b",
    "x" * 300,
    "é",
    "%s",
    "a,b",
    "a(b)",
    "a=b",
]
ESC = "xxxxESCxxxx"


@pytest.fixture
def xcat(tmp_path):
    made = Inside(tmp_path / "mn")
    yield made
    made.close()


# Names of nodes, by every command that writes them


@pytest.mark.parametrize("name", NAMES)
def test_no_command_makes_a_node_of_such_a_name(xcat, name):
    quoted = name.replace('"', '""')
    for command, *args in (
        ("tabch", f"node={name}", "nodelist.groups=all"),
        ("nodeadd", name, "groups=all"),
        ("mkdef", "-t", "node", "-o", name, "groups=all"),
        ("chdef", "-t", "node", "-o", name, "groups=all"),
        ("tabrestore",),
    ):
        with contextlib.suppress(RhevError):  # what a session would answer
            xcat.type(command, *args, table="nodelist", data=("#node,groups\n", f'"{quoted}","all"\n'))
    with pytest.raises(RhevError):
        xcat.xcatd.tables().put_nodes("nodelist", {name: {"groups": "all"}})
    assert name not in {row.get("node") for row in xcat.table("nodelist")}


def test_nor_is_one_renamed_to_it(xcat):
    xcat.type("nodeadd", "n1", "groups=all")
    for name in ("../x", "a b", "-x"):
        with contextlib.suppress(RhevError):
            xcat.type("chdef", "-t", "node", "-o", "n1", "-n", name)
    assert [row["node"] for row in xcat.table("nodelist")] == ["n1"]


@pytest.mark.parametrize("name", ["n1", "N1", "rack1-n01", "n1.cluster.example", "_x", "10.0.0.1", "fe80::1", "a+b"])
def test_usual_names_are_fine(xcat, name):
    xcat.type("tabch", f"node={name}", "nodelist.groups=all")
    assert [row["node"] for row in xcat.table("nodelist")] == [name]


# Boot files


@pytest.mark.parametrize(
    "value",
    [
        "x\nAPPEND evil",
        "x\r\nkernel evil",
        "x\vy",
        "x\u2028y",
        "x; reboot",
        'x" evil="',
        "x && chain evil",
        "x || sanboot",
        "$(evil)",
    ],
)
def test_a_value_brings_no_line_and_no_command_of_its_own(xcat, value):
    xcat.type("nodeadd", "n1", "groups=all")
    xcat.xcatd.tables().put("nodehm", {"node": "n1"}, {"comments": value})
    xcat.xcatd.tables().put(
        "bootparams",
        {"node": "n1"},
        {"addkcmdline": "a=#NODEATTRIB:nodehm:comments# b=#TABLE:nodehm:THISNODE:comments#"},
    )
    call = type("Call", (), {"tables": xcat.xcatd.tables(), "home": xcat.home})()
    words = _Attributes(call, ["n1"])._more_arguments("n1")
    assert words.startswith(" a=x") or "evil" in words
    assert len(words.splitlines()) == 1 and not set(words) & set(";&|\"'`$\n\r\v\u2028")


# The console script


def script(tmp_path, answer, *words):
    """Run share/cons/rhevm with a client that answers so, and an ssh that shows its words."""
    client, ssh, shown = tmp_path / "client", tmp_path / "ssh", tmp_path / "words"
    shown.unlink(missing_ok=True)
    (tmp_path / "answer").write_text(answer)
    client.write_text(f"#!/bin/sh\ncat {tmp_path / 'answer'}\n")
    ssh.write_text(f'#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done > {tmp_path / "words"}\n')
    for program in (client, ssh):
        program.chmod(0o755)
    environ = {**os.environ, "XCAT_CLIENT": str(client), "XCAT_SSH": str(ssh), "XCAT_CONS_ONCE": "1"}
    top = Path(__file__).parents[2]
    done = subprocess.run(
        ["sh", top / "share/cons/rhevm", *words], env=environ, capture_output=True, cwd=tmp_path, timeout=300
    )
    return done, shown.read_text().splitlines() if shown.exists() else []


ANSWER = "{0}: sshhost: m.example\n{0}: sshport: 2222\n{0}: sshuser: ovirt-vmconsole\n{0}: vmid: 12-ab\n"


def test_a_console_is_opened(tmp_path):
    _, words = script(tmp_path, ANSWER.format("vm1"), "vm1")
    assert words == ["-t", "-p", "2222", "--", "ovirt-vmconsole@m.example", "connect", "--vm-id=12-ab"]


@pytest.mark.parametrize("node", ["x/e;touch evil;s", "x.*", "a/w evil", "$(touch evil)", "'; touch evil; '", "x\\"])
def test_no_name_is_a_program_of_sed_or_the_shell(tmp_path, node):
    script(tmp_path, ANSWER.format(node), node)
    assert not (tmp_path / "evil").exists()
    _, words = script(tmp_path, ANSWER.format("xyz"), "x.*")
    assert words == [] or "m.example" not in str(words)


@pytest.mark.parametrize(
    "line",
    [
        "vm1: sshhost: -oProxyCommand=touch evil",
        "vm1: sshhost: m;touch evil",
        "vm1: vmid: 1 $(touch evil)",
        "vm1: vmid: `touch evil`",
        "vm1: sshuser: -l root",
        "vm1: sshport: 22 -oProxyCommand=x",
    ],
)
def test_what_the_manager_says_is_no_option_and_no_command(tmp_path, line):
    key = line.split(": ")[1]
    answer = "\n".join(one for one in ANSWER.format("vm1").splitlines() if f": {key}: " not in one) + f"\n{line}\n"
    _, words = script(tmp_path, answer, "vm1")
    assert words == [] and not (tmp_path / "evil").exists()


# What an engine says of a console


@pytest.mark.parametrize(
    "fields",
    [
        {"address": "h\nproxy=evil"},
        {"address": "h evil"},
        {"address": "-oProxyCommand=x"},
        {"address": ""},
        {"protocol": "spice\nhost=evil"},
        {"protocol": ""},
        {"ticket": Secret("x\nhost=evil")},
        {"address": "h;x"},
    ],
)
def test_no_line_gets_into_a_viewers_file(fields):
    usual = {"protocol": "vnc", "address": "h", "port": 5900, "secure_port": None, "ticket": Secret("x"), "seconds": 9}
    with pytest.raises(BadAnswer):
        Console(**{**usual, **fields})


def test_usual_consoles_are_fine():
    for address in ("10.0.0.1", "h1.example.com", "fe80::1%eth0", "2001:db8::1"):
        assert Console("spice", address, 5900, 5901, Secret("a b!ü"), 120).address == address


# Terminals


@pytest.mark.parametrize(
    "text",
    [
        f"{ESC}[2J",
        "xxxxE\x00SCxxxx[2J",
        "xxxxESxxxxESCxxxxCxxxx",
        f"{ESC}ESCxxxx",
        f"a{ESC}{ESC}b",
    ],
)
def test_a_text_brings_no_escape_to_the_clients_terminal(text):
    document = wire.write_response({"data": text, "node": {"name": text, "data": [text]}})
    assert ESC.encode() not in document
    assert b"\x1b" not in str(wire.read_response(wire.split(document)[0][0])).encode().replace(b"\\x1b", b"\x1b")
    assert ESC not in message_to(Data(text.replace("\x00", ""), "n", text.replace("\x00", "")))["text"]


def test_a_users_comment_does_not_steer_roots_terminal(tmp_path):
    from daemonhelp import Served
    from xcat_rhev.xcat.wire import WireRequest

    xcat = Served(tmp_path / "mn2")
    try:
        joe = user(xcat, "joe", "chdef")
        xcat.type("nodeadd", "n1", "groups=all")
        xcat.ask(WireRequest("chdef", args=("-t", "node", "-o", "n1", f"usercomment={ESC}]0;evil")), cert=joe)
        answer = xcat.ask(WireRequest("lsdef", args=("-t", "node", "-o", "n1", "-i", "usercomment")))
        assert b"evil" in answer and ESC.encode() not in answer
    finally:
        xcat.close()
