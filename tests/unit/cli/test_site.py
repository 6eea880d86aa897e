"""`xcat-rhev site`: the order of its steps, and that a run which was cut off is taken up, with an xcatd in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from xcat_rhev.cli.enginekit import managerkit
from xcat_rhev.cli.sitefile import main as site
from xcat_rhev.cli.sitefile.sitedescription import read
from xcat_rhev.clock import ManualClock
from xcat_rhev.errors import Usage
from xcat_rhev.messages import Data, Error, Message

MANAGER, IMAGE, NODE_IMAGE = "mgr1.example.com", "rocky9.4-x86_64-install-compute", "rhevh7.3-x86_64-install-compute"
FILE = f"""
managers:
  {MANAGER}:
    node: mgr1
    release: ovirt4.5
    image: {IMAGE}
    hypervisors:
      {NODE_IMAGE}: [rhevh1, rhevh2]
    data_centers:
      dc1:
        clusters: {{cl1: {{}}}}
        hosts:
          rhevh1: {{cluster: cl1, interface: "ovirtmgmt:eth0:dhcp"}}
          rhevh2: {{cluster: cl1}}
"""


class Killed(BaseException):
    """The end of a run at any point."""


class Racks:
    """An xcatd whose machines install themselves at once when they are started.

    Attributes:
        typed: Every command that changes something, in order.
        kill: Ends the run before so many commands more; None for never.
        broken: A command that fails.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.typed, self.broken = folder, [], ""  # type: ignore[var-annotated]
        self.kill: int | None = None
        self.nodes: dict[str, dict[str, str]] = {name: {} for name in ("mgr1", "rhevh1", "rhevh2")}
        self.images: set[str] = set()
        self.made = False
        self.certificates = folder / "certificates"

    def node(self, name: str, *_: str) -> dict[str, str]:
        return {"hosts.ip": "10.0.0.1", **self.nodes[name]}

    def site(self, key: str, default: str = "") -> str:
        return {"installdir": str(self.folder), "domain": "example.com"}.get(key, default)

    def row(self, table: str, **key: str) -> dict[str, str]:
        name = key.get("imagename", "")
        if name == IMAGE:
            return {"imagename": IMAGE, "osvers": "rocky9.4", "provmethod": "install"}
        if name == NODE_IMAGE:
            return {"imagename": name, "osvers": "rhevh7.3", "provmethod": "install"}
        return {"imagename": name} if name in self.images else {}

    def ask(self, command: str, *words: str, stdin: str = "") -> list[Message]:
        return list(self.messages(command, *words, stdin=stdin))

    def messages(self, command: str, *words: str, stdin: str = "") -> Iterator[Message]:
        if self.kill is not None:
            self.kill -= 1
            if self.kill < 0:
                raise Killed
        self.typed.append(" ".join((command, *words)))
        if command == self.broken:
            yield Error("it does not work", words[0])
            return
        yield from getattr(self, f"_{command}", self._other)(*words)

    def _other(self, *_: str) -> list[Message]:
        return []

    def _mkdef(self, *_: str) -> list[Message]:
        self.images.add(f"{IMAGE}-ovirt4.5-manager")
        return []

    def _rinstall(self, node: str, word: str) -> list[Message]:
        self.nodes[node].update({"nodetype.provmethod": word.partition("=")[2], "chain.currstate": "install x"})
        return []

    def _chtab(self, key: str, *values: str) -> list[Message]:
        node = self.nodes[key.partition("=")[2]]
        node.update(value.partition("=")[::2] for value in values)
        return []

    def _cfgve(self, *_: str) -> list[Message]:
        self.made = True
        return [Data("succeeded", "dc1")]

    def _rhevhjoin(self, nodes: str) -> list[Message]:
        for node in nodes.split(","):
            self.nodes[node]["nodelist.appstatus"] = "rhevm=up"
        return []

    def time(self, _: float) -> None:
        """What machines do while somebody waits."""
        for name, row in self.nodes.items():
            if row.get("nodelist.status") == "installing":
                row.update({"chain.currstate": "boot", "nodelist.status": "booted"})
                if name == "mgr1":
                    row["nodelist.appstatus"] = "rhevmsetup=up"

    def whole(self) -> bool:
        joined = all(self.nodes[node].get("nodelist.appstatus") == "rhevm=up" for node in ("rhevh1", "rhevh2"))
        return joined and self.made and self.nodes["mgr1"].get("nodelist.appstatus") == "rhevmsetup=up"


@pytest.fixture
def racks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Racks:
    made = Racks(tmp_path)
    monkeypatch.setattr(site, "AskedXcatd", lambda: made)

    class Clock(ManualClock):
        def sleep(self, seconds: float) -> None:
            made.time(seconds)
            super().sleep(seconds)

    def kit(options: Any) -> Iterator[str]:
        made.ask("kit", options.node)
        folder = tmp_path / f"custom/rhevm/{IMAGE}-ovirt4.5-manager"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "osimage.stanza").write_text("x:\n")
        made.nodes["mgr1"]["nodelist.appstatus"] = "rhevmsetup=waiting"
        yield "written: it"

    monkeypatch.setattr(site, "SystemClock", Clock)
    monkeypatch.setattr(managerkit, "make", kit)
    (tmp_path / "site.yaml").write_text(FILE)
    return made


def run(racks: Racks, *more: str) -> int:
    return site.main([str(racks.folder / "site.yaml"), *more])


def test_everything_in_the_order_of_what_needs_what(racks: Racks, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(racks) == 0 and racks.whole()
    assert racks.typed == [
        "kit mgr1",
        "mkdef -z",
        f"rinstall mgr1 osimage={IMAGE}-ovirt4.5-manager",
        "chtab node=mgr1 nodelist.status=installing",
        f"chtab node=rhevh1 hypervisor.mgr={MANAGER} hypervisor.type=rhevh hypervisor.cluster=cl1 "
        "hypervisor.interface=ovirtmgmt:eth0:dhcp",
        f"rinstall rhevh1 osimage={NODE_IMAGE}",
        "chtab node=rhevh1 nodelist.status=installing",
        f"chtab node=rhevh2 hypervisor.mgr={MANAGER} hypervisor.type=rhevh hypervisor.cluster=cl1",
        f"rinstall rhevh2 osimage={NODE_IMAGE}",
        "chtab node=rhevh2 nodelist.status=installing",
        f"lsve -t dc -m {MANAGER}",
        f"cfgve -m {MANAGER} --from -",
        "rhevhjoin rhevh1,rhevh2",
    ]
    racks.typed.clear()
    assert run(racks) == 0
    # Whether the manager still answers; and a comparison, which has nothing to do.
    assert racks.typed == [f"lsve -t dc -m {MANAGER}", f"cfgve -m {MANAGER} --from -"]


@pytest.mark.parametrize("point", range(14))
def test_a_run_that_is_cut_off_anywhere_is_taken_up(racks: Racks, point: int) -> None:
    racks.kill = point
    if point < 13:
        with pytest.raises(Killed):
            run(racks)
    racks.kill = None
    assert run(racks) == 0 and racks.whole()
    for node in ("mgr1", "rhevh1", "rhevh2"):
        assert sum(line.startswith(f"rinstall {node} ") for line in racks.typed) <= 2


def test_a_dry_run_is_a_tree_and_does_nothing(racks: Racks, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(racks, "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == MANAGER and lines[1] == "  [ ] kit for ovirt4.5 on mgr1"
    assert lines[-2] == "  [?] data centers, clusters, networks, hosts, storage, machines"
    assert racks.typed == []


def test_a_failed_step_ends_those_of_its_manager_alone(racks: Racks, capsys: pytest.CaptureFixture[str]) -> None:
    other = "  other.example.com:\n    data_centers: {dc9: {}}\n"
    (racks.folder / "site.yaml").write_text(FILE + other)
    racks.broken = "rinstall"
    assert run(racks, "--page", str(racks.folder / "site.html")) == 1
    assert "rinstall: mgr1: it does not work" in capsys.readouterr().err
    assert racks.typed[-1] == "cfgve -m other.example.com --from -"
    page = (racks.folder / "site.html").read_text()
    assert "<td>failed</td><td>rinstall: mgr1: it does not work</td>" in page and "<td>done</td>" in page


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "begin with managers:"),
        ("managers: {}", "begin with managers:"),
        ("managers: {m: {node: n, release: ovirt4.5, image: i}}", "managers.m is not a full name"),
        ("managers: {m.x: {colour: red}}", "has no colour"),
        ("managers: {m.x: {node: n1}}", "has node, and needs release, image as well"),
        ("managers: {m.x: {node: n1, release: ovirt9, image: i}}", "is not a release"),
        ("managers: {m.x: {hypervisors: {i: rhevh1}}}", "has to be a list of nodes"),
        ("managers: {m.x: {hypervisors: {i: [a], j: [a]}}}", "the node a is named twice"),
        ("managers: {m.x: {data_centers: {dc1: {vlan: 7}}}}", "has no vlan"),
        ("managers: {m.x: {data_centers: [1]}}", "data_centers: and their names"),
        ("managers: {m.x: 7}", "has to hold names and values"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_before_anything_is_done(text: str, says: str) -> None:
    with pytest.raises(Usage, match=says):
        read(text)


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert site.main(["/nowhere/site.yaml"]) == 1
    assert capsys.readouterr().err == "xcat-rhev site: cannot read /nowhere/site.yaml: No such file or directory\n"
