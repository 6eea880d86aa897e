"""`xcat-rhev doctor --home DIR`: what it says of the servers of a site."""

from __future__ import annotations

import fcntl
import json
import socket
from pathlib import Path

import pytest

from xcat_rhev.cli.setup import doctor_netservices
from xcat_rhev.cli.setup.findings import show
from xcat_rhev.daemon.home import Home
from xcat_rhev.daemon.netservices.state import NetState


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NetState:
    monkeypatch.setattr(doctor_netservices, "program", lambda name: f"/usr/sbin/{name}")
    made = NetState(Home(tmp_path))
    with made.change_lock():
        pass
    return made


def says(state: NetState, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = show(doctor_netservices.examine(state.folder.parent))
    return code, capsys.readouterr().out


def test_before_anything_is_served_it_says_what_to_type(state, capsys):
    code, text = says(state, capsys)
    assert code == 1 and "Run: xcat-rhev run makenetworks; makedhcp -n" in text and len(text.splitlines()) == 1


def test_a_site_at_work_and_one_where_nobody_is(state, capsys):
    with socket.create_server(("127.0.0.1", 0)) as web, open(state.folder / "supervisor.lock", "ab") as lock:
        port = web.getsockname()[1]
        folders = {"/tftpboot": str(state.folder), "/install": "/"}
        services = {"dhcp": "kea", "listen": ["127.0.0.1"], "port": port, "folders": folders}
        state.services.write_text(json.dumps(services))
        fcntl.flock(lock, fcntl.LOCK_EX)
        state.running.write_text(json.dumps({"stamp": "", "problem": "dnsmasq ended with 2: port 53 is taken"}))
        code, text = says(state, capsys)
        assert code == 1 and "BAD  their messages: dnsmasq ended with 2: port 53 is taken" in text
        assert f"ok   HTTP: http://127.0.0.1:{port}" in text and "ok   kea-dhcp4" in text
        assert "pxelinux.0 is not there" in text and "no name server" in text
        state.running.write_text(json.dumps({"stamp": "", "problem": ""}))
        assert says(state, capsys)[0] == 0
    code, text = says(state, capsys)
    assert code == 1 and "BAD  servers: not running. Run: systemctl enable --now" in text
    assert f"BAD  HTTP: 127.0.0.1 port {port}: Connection refused" in text
