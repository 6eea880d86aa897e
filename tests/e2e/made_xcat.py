"""A made-up machine with xCAT: real folders, stand-ins over CSV files for its commands."""

import hashlib
import stat
from pathlib import Path

import pytest

from xcat_rhev.cli.main import main
from xcat_rhev.cli.setup import install as setup

COMMANDS = {
    "tabdump": 'cat "$STUB/$1.csv" 2>/dev/null || { echo "No such table: $1"; exit 1; }',
    "tabrestore": '[ "$1" = -a ] || exit 1; grep -v "^#" "$2" >> "$STUB/policy.csv"',
    "chtab": 'cd "$STUB"; p="${2#priority=}"; grep -v "^\\"$p\\"" policy.csv > p.new; mv p.new policy.csv',
    "rescanplugins": 'echo rescanned >> "$STUB/calls"',
    "lsxcatd": "echo Version 2.17",
    "lsve": 'grep -q "xCAT plugin of xcat-rhev" "$XCATROOT/lib/perl/xCAT_plugin/rhevm.pm" && echo xcat-rhev 0.1.0',
}
POLICY = '#priority,name,host,commands,noderange,parameters,time,rule,comments,disable\n"1","root",,,,,,"allow",,\n'


def lay_out(prefix: Path, seen: str) -> None:
    """Lay out a management node.

    Args:
        prefix: The folder to put it into.
        seen: The same folder as its programs will see it; empty for the root of a machine.
    """
    for folder in (
        "opt/xcat/bin",
        "opt/xcat/lib/perl/xCAT_plugin",
        "opt/xcat/ws",
        "etc/xcat",
        "etc/httpd/conf.d",
        "etc/systemd/system",
        "stub",
        "install",
        "tftpboot",
    ):
        (prefix / folder).mkdir(parents=True)
    (prefix / "etc/xCATMN").touch()
    (prefix / "opt/xcat/lib/perl/xCAT_plugin/rhevm.pm").write_text("package xCAT_plugin::rhevm; # of old\n")
    (prefix / "opt/xcat/ws/xcatrhevh.cgi").write_text("#!/usr/bin/perl\n")
    for name, text in COMMANDS.items():
        script = prefix / "opt/xcat/bin" / name
        script.write_text(f"#!/bin/sh\nSTUB={seen}/stub XCATROOT=${{XCATROOT:-/opt/xcat}}\n{text}\n")
        script.chmod(0o755)
    signer = prefix / "opt/xcat/share/xcat/scripts/setup-local-client.sh"
    signer.parent.mkdir(parents=True)
    signer.write_text('#!/bin/sh\nmkdir -p "$3/.xcat"; echo "$2" > "$3/.xcat/client-cred.pem"\n')
    signer.chmod(0o755)
    (prefix / "stub/policy.csv").write_text(POLICY)
    (prefix / "stub/site.csv").write_text(
        f'#key,value,comments,disable\n"installdir","{seen}/install",,\n"tftpdir","{seen}/tftpboot",,\n'
        '"master","127.0.0.1",,\n"httpport","1",,\n'
    )
    (prefix / "stub/passwd.csv").write_text(
        '#key,username,password,cryptmethod,authdomain,comments,disable\n"rhevm","admin","x",,,,\n"rhevh","root","y",,,,\n'
    )


def make_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A management node below tmp_path; gives its prefix."""
    lay_out(tmp_path, str(tmp_path))
    command(tmp_path, "pgrep", "exit 1")  # other tests' web servers are not this machine's
    monkeypatch.setattr(setup, "_open_to_all", lambda path: True)  # the checkout may stand in somebody's home
    monkeypatch.setenv("STUB", str(tmp_path / "stub"))
    monkeypatch.delenv("XCATROOT", raising=False)
    return tmp_path


def run(word: str, machine: Path, *more: str) -> int:
    """Type one of the product's own words on it."""
    return main([word, "--prefix", str(machine), *more])


def tree(machine: Path) -> dict[str, tuple[str, int]]:
    """Every file with its bytes and mode, the stand-ins' own notes left out."""
    return {
        str(path.relative_to(machine)): (
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "a folder",
            stat.S_IMODE(path.stat().st_mode),
        )
        for path in sorted(machine.rglob("*"))
        if path.name != "calls"
    }


def command(machine: Path, name: str, text: str) -> None:
    """Put a stand-in for a command of xCAT or of the system."""
    script = machine / "opt/xcat/bin" / name
    script.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o755)
