"""Machines in files: chvm --backup and --restore against the simulator and its hosts' daemon."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from vmsite import VmSite, each_version
from xcat_rhev.commands.vm.backupfiles import read_runs

MIB = 1 << 20
site = each_version(((4, 5),))


def noise(size: int, seed: int) -> bytes:
    """Bytes that nothing makes smaller."""
    return random.Random(seed).randbytes(size)


def write(site: VmSite, disk: str, at: int, data: bytes) -> None:
    """A guest writes to its disk."""
    with site.world.images.contents.raw(site.thing("disk", disk)).open("r+b") as file:
        file.seek(at)
        file.write(data)


def content(site: VmSite, disk: str) -> bytes:
    """What is on a disk."""
    return bytes(site.world.images.contents.raw(site.thing("disk", disk)).read_bytes())


def machine(site: VmSite) -> None:
    """A machine with a disk that can be followed, and a raw one."""
    site.made("vm1", storage="data1:64m|data1:32m")
    site.ok("lsve -t dc -m MGR")
    for name, form in (("vm1_Disk1", "cow"), ("vm1_Disk2", "raw")):
        site.world.change(site.thing("disk", name), format=form)
    write(site, "vm1_Disk1", 3 * MIB, noise(2 * MIB, 1))
    write(site, "vm1_Disk2", 0, noise(MIB, 2))


def backup(site: VmSite, folder: Path, words: str = "") -> str:
    """Back it up; gives the name of the backup, which has seconds: let it be `aged` before the next one."""
    before = {run.name for run in read_runs(folder / "vm1")}
    site.ok(f"chvm --backup {folder} {words}", ["vm1"])
    (name,) = {run.name for run in read_runs(folder / "vm1")} - before
    return name


def aged(folder: Path, name: str, day: int) -> str:
    """Let a backup be of another day; those that are built on it are made later."""
    new = f"202001{day:02}-000000"
    (folder / "vm1" / name).rename(folder / "vm1" / new)
    return new


def test_backups_go_on_from_each_other_and_give_back_each_day(site: VmSite, tmp_path: Path) -> None:
    machine(site)
    first = aged(tmp_path, backup(site, tmp_path), 1)
    days = [(content(site, "vm1_Disk1"), content(site, "vm1_Disk2"))]
    write(site, "vm1_Disk1", 40 * MIB, noise(MIB, 3))
    write(site, "vm1_Disk1", 3 * MIB, bytes(MIB))
    write(site, "vm1_Disk2", 5 * MIB, noise(MIB, 4))
    second = aged(tmp_path, backup(site, tmp_path), 2)
    days.append((content(site, "vm1_Disk1"), content(site, "vm1_Disk2")))
    write(site, "vm1_Disk1", 0, noise(MIB, 5))
    third = aged(tmp_path, backup(site, tmp_path), 3)
    days.append((content(site, "vm1_Disk1"), content(site, "vm1_Disk2")))
    runs = {run.name: run for run in read_runs(tmp_path / "vm1")}
    assert [runs[name].base for name in (first, second, third)] == ["", first, second]
    assert [[disk.whole for disk in runs[name].disks] for name in (first, second)] == [[True, True], [False, True]]
    changed = runs[second].folder / runs[second].disks[0].file
    assert changed.stat().st_blocks * 512 <= 2 * MIB  # what became zero is not stored
    assert all(disk["status"] == "ok" for disk in site.parts("disk", "vm1"))
    for name, day in zip((first, second, third), days):
        site.ok(f"chvm --restore {tmp_path} --at {name}", ["vm1"])
        mine = {disk["name"]: disk for disk in site.parts("disk", "vm1")}
        assert sorted(mine) == ["vm1_Disk1", "vm1_Disk2"]
        for (disk_name, disk), data in zip(sorted(mine.items()), day):
            assert site.world.images.contents.raw(disk).read_bytes() == data, (name, disk_name)
        assert (mine["vm1_Disk1"]["format"], mine["vm1_Disk1"]["bootable"]) == ("cow", True)
        kept = [one for one in site.world.things["disk"].values() if "-until-" in one["name"]]
        assert len(kept) == 2
        for one in kept:  # the next round's are called after the second
            site.ok(f"cfgve -t disk -m MGR -o {one['id']} -r")


def test_a_running_machine_is_backed_up_as_it_was_when_that_began(site: VmSite, tmp_path: Path) -> None:
    machine(site)
    site.ok("rpower on", ["vm1"])
    site.clock.advance(60)
    was = content(site, "vm1_Disk1")
    name = backup(site, tmp_path)
    (run,) = read_runs(tmp_path / "vm1")
    assert (run.folder / run.disks[0].file).read_bytes() == was
    assert run.checkpoint and run.name == name
    (said,) = site.wrong(f"chvm --restore {tmp_path}", ["vm1"])
    assert said == "vm1: the machine is up. Run: rpower vm1 off"


def test_full_is_all_again_and_a_lost_checkpoint_is_noticed(site: VmSite, tmp_path: Path) -> None:
    machine(site)
    aged(tmp_path, backup(site, tmp_path), 1)
    aged(tmp_path, backup(site, tmp_path, "--full"), 2)
    for one in list(site.world.things["checkpoint"].values()):
        site.world.remove(one)
    backup(site, tmp_path)
    assert [run.base for run in read_runs(tmp_path / "vm1")] == ["", "", ""]


@pytest.mark.parametrize(
    "fault",
    [
        {"method": "POST", "path": "/imagetransfers"},
        {"method": "POST", "path": "/imagetransfers", "after": 1},
        {"method": "POST", "path": "/vms/*/backups/*/finalize", "times": 1},
    ],
)
def test_a_backup_that_fails_leaves_nothing_open(site: VmSite, tmp_path: Path, fault: dict[str, object]) -> None:
    machine(site)
    site.faults([{"do": "status", "status": 409, "about": "Cannot do that.", **fault}])
    (said,) = site.wrong(f"chvm --backup {tmp_path}", ["vm1"])
    assert said == "vm1: Cannot do that."
    site.mend()
    site.clock.advance(100)
    site.world.settle()
    assert {one["status"] for one in site.world.things["backup"].values()} == {"succeeded"}
    assert list((tmp_path / "vm1").iterdir()) == []
    backup(site, tmp_path)


def test_a_backup_that_was_killed_is_ended_by_the_next(site: VmSite, tmp_path: Path) -> None:
    machine(site)
    disk = site.thing("disk", "vm1_Disk1")["id"]
    vm = site.vm("vm1")["id"]
    left = site.world.add("backup", vm=vm, disks=[disk], description="xcat-rhev: 20200101-000000", status="ready")
    site.world.change(site.thing("disk", "vm1_Disk1"), status="locked")
    part = tmp_path / "vm1" / "20200101-000000.part"
    part.mkdir(parents=True)
    (part / "x.raw").write_bytes(b"half")
    backup(site, tmp_path)
    assert left["status"] == "succeeded" and not part.exists()
    site.world.add("backup", vm=vm, disks=[disk], description="somebody's", status="ready")
    (said,) = site.wrong(f"chvm --backup {tmp_path} --full", ["vm1"])
    assert said == "vm1: another backup of it is under way"


def test_what_cannot_be_is_said_in_a_line(site: VmSite, tmp_path: Path) -> None:
    machine(site)
    others = {"user": "joe", "asker": "10.0.0.9"}
    for words, who, told in (
        (f"--backup {tmp_path / 'none'}", {}, "--backup"),
        (f"--backup {tmp_path}", others, "vm1: --backup: only root may"),
        (f"--restore {tmp_path}", {}, "vm1: there is no backup in"),
        (f"--restore {tmp_path} --at 2020", {}, "vm1: there is no backup 2020 in"),
        (f"--restore {tmp_path} --full", {}, "--full goes with --backup"),
        (f"--backup {tmp_path} --snapshot a", {}, "these options do not go together"),
    ):
        (said,) = site.wrong(f"chvm {words}", ["vm1"], **who)
        assert said.startswith(told), said
    folder = tmp_path / "vm1" / "20200101-000000"
    folder.mkdir(parents=True)
    said_there = {"layout": 1, "vm": "vm1", "vm_id": "x", "checkpoint": "", "base": "", "disks": [{"file": "../x"}]}
    (folder / "backup.json").write_text(json.dumps(said_there))
    (said,) = site.wrong(f"chvm --restore {tmp_path}", ["vm1"])
    assert "is not what a backup says" in said


def test_a_dry_run_and_what_it_costs(site: VmSite, tmp_path: Path) -> None:
    machine(site)
    said = site.ok(f"chvm --backup {tmp_path} --dry-run", ["vm1"])
    assert "vm1: begin a backup of all on 2 disks" in said and list(tmp_path.iterdir()) == []
    cost = site.cost(f"chvm --backup {tmp_path}", ["vm1"])
    assert cost["POST /vms/{id}/backups"] == cost["POST /vms/{id}/backups/{id}/finalize"] == 1
    assert cost["POST /imagetransfers"] == cost["POST /imagetransfers/{id}/finalize"] == 2
    assert cost["GET /vms/{id}/checkpoints"] == 1


@pytest.mark.parametrize("site", [(3, 0), (3, 6), (4, 3)], indirect=True, ids=str)
def test_engines_before_have_none(site: VmSite, tmp_path: Path) -> None:
    site.made("vm1")
    version = ".".join(map(str, site.version))
    for words in (f"--backup {tmp_path}", f"--restore {tmp_path}"):
        assert site.wrong(f"chvm {words}", ["vm1"]) == [f"the manager is {version}; backups of machines came with 4.4"]
