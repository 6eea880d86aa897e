"""The servers of a site are started, told of changes, started again, and ended: with a stand-in for dnsmasq and Kea."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemonhelp import until
from xcat_rhev.daemon.home import Home
from xcat_rhev.daemon.netservices import supervisor
from xcat_rhev.daemon.netservices.state import NetState
from xcat_rhev.daemon.netservices.supervisor import Supervisor
from xcat_rhev.errors import Usage

STAND_IN = """#!/bin/sh
trap 'echo again >> {log}' HUP
trap 'echo end >> {log}; exit 0' TERM
echo start >> {log}
while :; do sleep 0.02; done
"""


class Site:
    """Servers' files, a supervisor, and what the stand-ins noted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = NetState(Home(folder))
        with self.state.change_lock():
            pass
        for name in ("dnsmasq", "kea-dhcp4"):
            self.script(name, STAND_IN.format(log=folder / f"{name}.noted"))
        self.supervisor = Supervisor(self.state)

    def script(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    def noted(self, name: str = "dnsmasq") -> list[str]:
        file = self.folder / f"{name}.noted"
        return file.read_text().split() if file.exists() else []

    def write(self, dhcp: str = "dnsmasq", config: str = "port=0") -> None:
        self.state.dnsmasq.config.write_text(f"{config}\n")
        self.state.services.write_text(json.dumps({"dhcp": dhcp, "listen": [], "port": 80, "folders": {}}))

    def turns(self, wanted: list[str], name: str = "dnsmasq") -> None:
        def true() -> bool:
            self.supervisor.turn()
            return self.noted(name) == wanted

        until(true, f"{name} noted {wanted}, it noted {self.noted(name)}")

    def problem(self) -> str:
        return str(json.loads(self.state.running.read_text())["problem"])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(supervisor, "program", lambda name: str(tmp_path / name))
    made = Site(tmp_path)
    yield made
    made.supervisor.end()


def test_nothing_runs_before_makedhcp(site):
    site.supervisor.turn()
    assert site.noted() == [] and site.problem() == ""


def test_machines_and_names_are_read_again_and_networks_start_it_anew(site):
    site.write()
    site.turns(["start"])
    site.state.dnsmasq.hosts.write_text("a\n")
    site.turns(["start", "again"])
    site.state.write_names({"n1": ["10.0.0.1 n1"]})
    site.turns(["start", "again", "again"])
    site.supervisor.turn()
    site.write(config="port=53")
    site.turns(["start", "again", "again", "end", "start"])
    site.supervisor.end()
    assert site.noted()[-1] == "end" and not site.state.running.exists()


def test_it_starts_anew_where_reading_again_would_end_it(site):
    """dnsmasq frees tags of that file which are not its own; those of InfiniBand's machines cannot stand elsewhere."""
    site.write()
    site.turns(["start"])
    site.state.dnsmasq.hosts.write_text("20-aa,id:aa,set:node-n1,10.0.0.1\n")
    site.turns(["start", "end", "start"])
    site.state.dnsmasq.cards.write_text("dhcp-mac=set:node-n2,aa\n")
    site.turns(["start", "end", "start", "end", "start"])
    assert "again" not in site.noted()


def test_kea_beside_dnsmasq(site):
    site.write("kea")
    site.turns(["start"])
    assert site.noted("kea-dhcp4") == []
    site.state.kea.write_text("{}")
    site.turns(["start"], "kea-dhcp4")
    site.state.kea.write_text('{"Dhcp4": {}}')
    site.turns(["start", "again"], "kea-dhcp4")
    site.write("dnsmasq", "port=53")
    site.turns(["start", "again", "end"], "kea-dhcp4")


def test_kea_is_told_of_a_link_that_comes_up(site, monkeypatch):
    """On an interface without a link Kea does not listen, and does not look again by itself."""
    monkeypatch.setattr(supervisor, "LINKS", site.folder)
    (site.folder / "eth1").mkdir()
    link = site.folder / "eth1/carrier"
    link.write_text("0\n")
    site.write("kea")
    site.state.kea.write_text('{"Dhcp4": {"interfaces-config": {"interfaces": ["eth1", "eth2"]}}}')
    site.turns(["start"], "kea-dhcp4")
    site.supervisor.turn()
    assert site.noted("kea-dhcp4") == ["start"]  # nothing has come up
    link.write_text("1\n")
    site.turns(["start", "again"], "kea-dhcp4")


def test_a_server_that_ends_says_why_and_is_started_again(site, monkeypatch):
    site.script("dnsmasq", "#!/bin/sh\necho first; echo port 53 is taken; echo; exit 2\n")
    site.write()
    until(lambda: site.supervisor.turn() or "taken" in site.problem(), "it ended")
    assert site.problem() == "dnsmasq ended with 2: port 53 is taken"
    site.script("dnsmasq", STAND_IN.format(log=site.folder / "dnsmasq.noted"))
    monkeypatch.setattr(supervisor, "AGAIN", 0.0)
    site.turns(["start"])
    until(lambda: site.supervisor.turn() or not site.problem(), "all is well")


def test_one_that_is_not_installed(site):
    (site.folder / "dnsmasq").unlink()
    site.write()
    site.supervisor.turn()
    assert site.problem() == "dnsmasq is not installed"


def test_a_command_waits_until_its_files_are_read(site, monkeypatch):
    monkeypatch.setattr(site.state, "is_supervised", lambda: True)
    site.write()
    site.turns(["start"])
    site.supervisor.turn()
    assert list(site.state.wait_for_servers()) == []
    site.script("dnsmasq", "#!/bin/sh\nexit 3\n")
    site.write(config="port=53")
    monkeypatch.setattr("xcat_rhev.daemon.netservices.state.PATIENCE", 0.0)
    assert "no server has read it" in next(site.state.wait_for_servers()).text
    until(lambda: site.supervisor.turn() or site.problem(), "it ended")
    with pytest.raises(Usage, match="written, but dnsmasq ended with 3"):
        list(site.state.wait_for_servers())


def test_one_supervisor_at_a_time(tmp_path, monkeypatch, capsys):
    words, seen = ["--home", str(tmp_path)], []
    monkeypatch.setattr(supervisor, "_loop", lambda *_: seen.append(supervisor.main(words)))
    assert supervisor.main(words) == 0 and seen == [1]
    assert "another one is at work" in capsys.readouterr().err
    assert not NetState(Home(tmp_path)).is_supervised()
