"""Answers of engines, served by a replay: reading them back plans nothing, and nothing is sent that changes something.

The documents in `own/` are of our own making. Recordings of real engines are tried as well where the variable
XCAT_RHEV_RECORDINGS names their folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from recording import Recording
from replay import Replay

from vesim import Desk
from xcat_rhev.daemon.attributes import KINDS
from xcat_rhev.messages import Data, Error, Warn

OWN = sorted(Path(__file__).parent.glob("own/*.xml"))
OTHERS = Path(os.environ.get("XCAT_RHEV_RECORDINGS", "/nowhere"))
FILES = [*OWN, *sorted(OTHERS.glob("*.json")), *sorted(path for path in OTHERS.glob("*") if path.is_dir())]
IDLE = ("nothing to do", "virtual machine has been created. There is nothing to do")
SHOWING = (
    *(f"lsve -t {kind} -m MGR" for kind in ("dc", "cl", "nw", "sd", "tpl")),
    "lsve -t dc -m MGR --json",
)
ABOUT_MACHINES = ("lsvm", "lsvm -s -a", "lsvm --json", "lsvm --snapshots", "rinv all", "rvitals all", "rpower stat")


class ReplayDesk(Desk):
    """A recorded engine as manager."""

    def __init__(self, factory: pytest.TempPathFactory, path: Path) -> None:
        self.replay = Replay(Recording.read(path))
        super().__init__(factory, lambda _: self.replay)
        self.row("hypervisor", "rhevh0", mgr=self.manager, type="rhevh")

    def scanned(self) -> list[str]:
        """Write what there is to the tables; the machines that were written."""
        self.ok("rscan -w", ["rhevh0"])
        return [row["node"] for row in self.host.tables["vm"]]


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplayDesk]:
    found = ReplayDesk(tmp_path_factory, request.param)
    yield found
    found.close()
    assert found.replay.refused == []


def test_everything_can_be_shown(desk: ReplayDesk) -> None:
    nodes = desk.scanned()
    for line in [*SHOWING, *(["lsve -t disk -m MGR"] if desk.replay.version > (3, 0) else [])]:
        assert "None" not in "\n".join(desk.ok(line)).split()
    for line in ABOUT_MACHINES:
        assert "None" not in "\n".join(desk.ok(line, nodes)).split()
    for words in ("", "-x", "-z"):
        assert desk.ok(f"rscan {words}", ["rhevh0"])


def test_what_was_read_plans_nothing(desk: ReplayDesk) -> None:
    nodes = desk.scanned()
    for command in ("chvm", "mkvm"):
        lines = desk.ok(f"{command} --dry-run", nodes)
        assert {line.split(":")[0] for line in lines} == set(nodes)
        assert not [line for line in lines if not line.endswith(IDLE) and "wait until" not in line]


def test_reading_again_writes_the_same(desk: ReplayDesk) -> None:
    desk.scanned()
    kept = {table: [dict(row) for row in rows] for table, rows in desk.host.tables.items()}
    desk.ok("rscan -u", ["rhevh0"])
    assert desk.host.tables == kept


def test_the_exported_file_plans_nothing(desk: ReplayDesk) -> None:
    pytest.importorskip("yaml")
    if desk.replay.joined:
        return  # states of different moments
    text = "\n".join(desk.ok("lsve -m MGR --export"))
    said = desk.say("cfgve -m MGR --from - --dry-run", stdin=text)
    assert not [message for message in said if isinstance(message, Error)], said
    planned = [message.text for message in said if isinstance(message, Data)]
    if any(text.startswith("wait until") for text in planned):  # and when that is over, machines are looked at
        planned = [text for text in planned if not text.startswith(("wait until", "make "))]
    assert set(planned) <= {"nothing to do"}


def test_what_is_dangerous_is_only_planned(desk: ReplayDesk) -> None:
    nodes = desk.scanned()
    for line in ("rmvm -p -f", "rmvm -f", "chvm --mem 9g", "chvm -a 1", "rpower on", "rpower off"):
        assert all(isinstance(message, (Data, Error, Warn)) for message in desk.say(f"{line} --dry-run", nodes))


@pytest.fixture(params=OWN, ids=lambda path: path.stem)
def own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplayDesk]:
    found = ReplayDesk(tmp_path_factory, request.param)
    found.scanned()
    yield found
    found.close()


def told(desk: ReplayDesk, line: str, node: str) -> dict[str, str]:
    """What a command says of a node, by its description."""
    return {message.desc: message.text for message in desk.say(line, [node]) if isinstance(message, Data)}


def test_why_a_host_or_a_machine_is_in_its_state(own: ReplayDesk) -> None:
    v3 = own.replay.version < (4, 0)
    host, reason = ("rhelh3", "storage_domain_unreachable") if v3 else ("node2", "network_unreachable")
    assert f"  reason: {reason}" in own.ok("lsvm", [host])
    assert told(own, "rvitals", host)["State"] == f"non_operational ({reason})"
    if v3:
        assert told(own, "rvitals state", "bare") == dict.fromkeys(("State", "System State"), "paused (eio)")
        assert "  reason: eio" in own.ok("lsvm", ["bare"])


def test_zeros_of_a_host_that_does_not_answer_are_no_measurements(own: ReplayDesk) -> None:
    host = "rhelh2" if own.replay.version < (4, 0) else "node4"
    state = dict.fromkeys(("State", "System State"), "non_responsive")
    assert told(own, "rvitals", host) == {**state, "Measurements": "none, because it is non_responsive"}
    assert not [line for line in own.ok("lsvm", [host]) if "summary" in line]
    assert "Virtual machines" not in told(own, "rinv", host)


def test_versions_are_told_in_full(own: ReplayDesk) -> None:
    if own.replay.version > (4, 0):
        said = told(own, "rinv model", "node4")
        assert (said["VDSM"], said["libvirt"], said["Operating system"]) == ("4.30.17-1.el7ev", "4.5.0", "RHEL 8")
        assert told(own, "rinv guest", "many-parts")["Guest system"] == "CentOS Linux 7"


def test_the_machine_itself_is_no_snapshot(own: ReplayDesk) -> None:
    if own.replay.version < (4, 0):
        own.row("vm", "twin", mgr=own.manager, cluster="blocks")
        shown = [line.strip() for line in own.ok("lsvm --snapshots", ["twin"]) if "snapshots:" in line]
        assert shown == ["snapshots: [before]"]


def test_stanzas_have_names_that_xcat_has(own: ReplayDesk) -> None:
    said = own.say("rscan -z", ["rhevh0"])
    lines = [message.text for message in said if isinstance(message, Data)]
    names = {line.strip().partition("=")[0] for line in lines if line.startswith("  ")}
    assert names - {"objtype"} <= set(KINDS["node"].columns)
    objects = [line for line in lines if line.endswith(":")]
    assert len(objects) == len(set(objects)) and "no node's name:" not in objects and "twin:" not in objects
    hints = [message.text for message in said if isinstance(message, Warn) and message.node == "many-parts"]
    assert any("chtab node=many-parts vm.vidproto=spice vm.guestostype=rhel_" in hint for hint in hints)
    assert any("would not make" in hint for hint in hints), "what is left out is said here as well"


def test_an_export_says_what_it_leaves_out(own: ReplayDesk) -> None:
    pytest.importorskip("yaml")
    said = "\n".join(line for line in own.ok("lsve -m MGR --export") if line.startswith("# Left out"))
    strange = ("invalid on rhelh1",) if own.replay.version < (4, 0) else ("lan on node1", "on node1")
    for words in ("clusters without a data center", "of the machine many-parts: the bus or format of", *strange):
        assert words in said
    assert "Blank" not in said
