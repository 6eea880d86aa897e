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


def checkpoints(site: VmSite) -> list[str]:
    """The checkpoints that the manager keeps, by their ids."""
    return [one["id"] for one in site.world.things["checkpoint"].values()]


def test_of_checkpoints_only_that_stays_from_which_the_next_backup_goes_on(site: VmSite, tmp_path: Path) -> None:
    machine(site)
    aged(tmp_path, backup(site, tmp_path), 1)
    aged(tmp_path, backup(site, tmp_path), 2)
    last = read_runs(tmp_path / "vm1")[-1]
    assert checkpoints(site) == [last.checkpoint] and last.base
    strange = site.world.add(
        "checkpoint", vm=site.vm("vm1")["id"], parent_id=None, description="of others", status="created"
    )
    site.faults([{"method": "POST", "path": "/imagetransfers", "do": "status", "status": 409, "about": "No."}])
    site.wrong(f"chvm --backup {tmp_path}", ["vm1"])
    site.mend()
    site.clock.advance(100)
    assert len(checkpoints(site)) == 3, "that of the backup which failed is there"
    aged(tmp_path, backup(site, tmp_path), 3)
    run = read_runs(tmp_path / "vm1")[-1]
    assert sorted(checkpoints(site)) == sorted([strange["id"], run.checkpoint]) and run.base == last.name


def test_a_checkpoint_that_cannot_be_removed_is_told_and_tried_again(site: VmSite, tmp_path: Path) -> None:
    machine(site)
    aged(tmp_path, backup(site, tmp_path), 1)
    (first,) = checkpoints(site)
    site.faults([{"method": "DELETE", "path": "/vms/*/checkpoints/*", "do": "status", "status": 409, "about": "No."}])
    said = site.ok(f"chvm --backup {tmp_path}", ["vm1"])
    assert any(text.endswith(f"the checkpoint {first} of a former backup stays for now: No.") for text in said), said
    site.mend()
    aged(tmp_path, read_runs(tmp_path / "vm1")[-1].name, 2)
    backup(site, tmp_path)
    assert checkpoints(site) == [read_runs(tmp_path / "vm1")[-1].checkpoint]


@pytest.mark.parametrize("site", [(4, 4), (4, 5)], indirect=True, ids=str)
def test_disks_are_told_to_be_followed_and_raw_ones_are_not(site: VmSite, tmp_path: Path) -> None:
    machine(site)
    said = site.ok(f"chvm --backup {tmp_path} --dry-run", ["vm1"])
    assert [text for text in said if "followed" in text] == ["vm1: have what changes on vm1_Disk1 followed"]
    aged(tmp_path, backup(site, tmp_path), 1)
    assert [site.thing("disk", f"vm1_Disk{n}").get("backup") for n in (1, 2)] == ["incremental", None]
    assert not [text for text in site.ok(f"chvm --backup {tmp_path} --dry-run", ["vm1"]) if "followed" in text]


@pytest.mark.parametrize("site", [(4, 4)], indirect=True, ids=str)
def test_engines_of_4_4_give_what_has_changed_on_such_disks(site: VmSite, tmp_path: Path) -> None:
    site.made("vm1", storage="data1:64m")
    aged(tmp_path, backup(site, tmp_path), 1)
    write(site, "vm1_Disk1", 0, noise(MIB, 9))
    backup(site, tmp_path)
    assert [run.base for run in read_runs(tmp_path / "vm1")] == ["", "20200101-000000"]


def test_old_backups_go_when_nothing_is_built_on_them_any_more(site: VmSite, tmp_path: Path) -> None:
    machine(site)
    for day in range(1, 4):
        write(site, "vm1_Disk1", day * MIB, noise(MIB, day))
        aged(tmp_path, backup(site, tmp_path, "--keep 2"), day)
    runs = read_runs(tmp_path / "vm1")
    assert [(run.name[6:8], run.base[6:8]) for run in runs] == [("01", ""), ("02", "01"), ("03", "")]
    write(site, "vm1_Disk1", 9 * MIB, noise(MIB, 9))
    dry = site.ok(f"chvm --backup {tmp_path} --keep 2 --dry-run", ["vm1"])
    assert [text for text in dry if "remove the backup" in text] == [
        f"vm1: remove the backup 202001{day}-000000" for day in ("02", "01")
    ]
    now = content(site, "vm1_Disk1")
    said = site.ok(f"chvm --backup {tmp_path} --keep 2", ["vm1"])
    assert said[1:] == [f"vm1: backup 202001{day}-000000: removed." for day in ("02", "01")]
    runs = read_runs(tmp_path / "vm1")
    assert [run.base for run in runs] == ["", "20200103-000000"]
    assert sorted(path.name for path in (tmp_path / "vm1").iterdir()) == [run.name for run in runs]
    site.ok(f"chvm --restore {tmp_path}", ["vm1"])
    assert content(site, "vm1_Disk1") == now


def test_backups_that_are_too_old_go_and_what_somebody_named_stays(site: VmSite, tmp_path: Path) -> None:
    machine(site)
    for day in (1, 2):
        aged(tmp_path, backup(site, tmp_path), day)
    (tmp_path / "vm1" / "20200102-000000").rename(tmp_path / "vm1" / "before-the-upgrade")
    said = site.ok(f"chvm --backup {tmp_path} --keep 14d", ["vm1"])
    assert len(said) == 1, "the first one is what the named one is built on"
    aged(tmp_path, read_runs(tmp_path / "vm1")[1].name, 3)
    (tmp_path / "vm1" / "before-the-upgrade").rename(tmp_path / "elsewhere")
    said = site.ok(f"chvm --backup {tmp_path} --keep 14d --full", ["vm1"])
    assert said[1:] == [f"vm1: backup 202001{day}-000000: removed." for day in ("03", "01")]
    (wrong,) = site.wrong(f"chvm --backup {tmp_path} --keep some", ["vm1"])
    assert wrong == "--keep some: neither a number nor an age. Write --keep 7 or --keep 14d"


CUTS = [
    ("POST", "/imagetransfers"),
    ("PUT", "/disks/*"),
    ("PUT", "/vms/*/diskattachments/*"),
    ("DELETE", "/vms/*/diskattachments/*"),
    ("POST", "/vms/*/diskattachments"),
]


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize(("method", "path"), CUTS)
def test_a_restore_that_was_cut_off_goes_on(site: VmSite, tmp_path: Path, method: str, path: str, after: int) -> None:
    site.made("vm1", storage="data1:8m")
    write(site, "vm1_Disk1", 0, noise(MIB, 1))
    day = content(site, "vm1_Disk1")
    backup(site, tmp_path)
    write(site, "vm1_Disk1", 0, noise(MIB, 2))
    was = site.thing("disk", "vm1_Disk1")["id"]
    fault = {"method": method, "path": path, "do": "status", "status": 409, "about": "Cannot do that."}
    site.faults([{**fault, "after": after}])
    said = [message.text for message in site.say(f"chvm --restore {tmp_path}", ["vm1"])]
    assert ("Cannot do that." in said) != any("restored from" in text for text in said), said
    done = "Cannot do that." not in said
    site.mend()
    if not done:
        site.ok(f"chvm --restore {tmp_path}", ["vm1"])
    (disk,) = site.parts("disk", "vm1")
    assert (disk["name"], content(site, "vm1_Disk1") == day) == ("vm1_Disk1", True)
    (kept,) = (one for one in site.world.things["disk"].values() if one is not disk)
    assert kept["id"] == was and kept["name"].startswith("vm1_Disk1-until-") and not kept["vm"]


def test_what_another_restore_has_left_is_removed_unless_somebody_has_it(site: VmSite, tmp_path: Path) -> None:
    site.made("vm1", "vm2", storage="data1:8m")
    for day in (1, 2, 3):
        aged(tmp_path, backup(site, tmp_path), day)
    for day, fault in ((1, "/imagetransfers"), (2, "/vms/*/diskattachments")):
        site.faults([{"method": "POST", "path": fault, "do": "status", "status": 409, "about": "No."}])
        site.wrong(f"chvm --restore {tmp_path} --at 2020010{day}-000000", ["vm1"])
        site.mend()
    disks = site.world.things["disk"].values()
    (left,) = (one for one in disks if one["name"] == "vm1_Disk1-20200102-000000")
    assert not left["vm"]
    site.world.change(left, vm=site.vm("vm2")["id"])
    said = site.ok(f"chvm --restore {tmp_path} --dry-run", ["vm1"])
    assert not [text for text in said if "left" in text], "the second run took away what the first one left"
    site.world.change(left, vm=None)
    site.ok(f"chvm --restore {tmp_path}", ["vm1"])
    assert sorted(one["name"][:16] for one in disks) == ["vm1_Disk1", "vm1_Disk1-until-"[:16], "vm2_Disk1"]


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


def test_a_machine_with_snapshots_is_not_restored_and_nothing_is_filled_before_that_is_said(
    site: VmSite, tmp_path: Path
) -> None:
    site.made("vm1", storage="data1:8m")
    backup(site, tmp_path)
    site.ok("chvm --snapshot before", ["vm1"])
    assert site.wrong(f"chvm --restore {tmp_path}", ["vm1"]) == [
        "vm1: it has snapshots (before), and managers take no disk off that is in one. "
        "Run: chvm vm1 --rmsnapshot before"
    ]
    (said,) = site.wrong("chvm -d 1", ["vm1"])
    assert said.endswith(
        "The disk is already configured in a snapshot. In order to detach it, remove the disk's snapshots."
    )
    site.ok("chvm --rmsnapshot before", ["vm1"])
    site.ok(f"chvm --restore {tmp_path}", ["vm1"])


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
    aged(tmp_path, read_runs(tmp_path / "vm1")[-1].name, 1)
    cost = site.cost(f"chvm --backup {tmp_path}", ["vm1"])
    changes = {call: number for call, number in cost.items() if not call.startswith("GET")}
    assert changes == {
        "POST /vms/{id}/backups": 1,
        "POST /imagetransfers": 2,
        "POST /imagetransfers/{id}/finalize": 2,
        "POST /vms/{id}/backups/{id}/finalize": 1,
        "DELETE /vms/{id}/checkpoints/{id}": 1,
    }
    aged(tmp_path, read_runs(tmp_path / "vm1")[-1].name, 2)
    said = site.ok(f"chvm --restore {tmp_path} --dry-run", ["vm1"])
    assert "vm1: attach what was restored as vm1_Disk1" in said and site.count("disk", "vm1_Disk1") == 1
    cost = site.cost(f"chvm --restore {tmp_path}", ["vm1"])
    changes = {call: number for call, number in cost.items() if not call.startswith("GET")}
    assert changes == {
        "POST /disks": 2,
        "POST /imagetransfers": 2,
        "POST /imagetransfers/{id}/finalize": 2,
        "PUT /disks/{id}": 2,  # that they are whole
        "PUT /vms/{id}/diskattachments/{id}": 4,  # the old ones' names, and the new ones'
        "DELETE /vms/{id}/diskattachments/{id}": 2,
        "POST /vms/{id}/diskattachments": 2,
    }
    (answer,) = site.ok(f"chvm --backup {tmp_path} --full --json", ["vm1"])
    assert json.loads(answer)["text"].startswith("backup ") and json.loads(answer)["node"] == "vm1"


@pytest.mark.parametrize("site", [(3, 0), (3, 6), (4, 3)], indirect=True, ids=str)
def test_engines_before_have_none(site: VmSite, tmp_path: Path) -> None:
    site.made("vm1")
    version = ".".join(map(str, site.version))
    for words in (f"--backup {tmp_path}", f"--restore {tmp_path}"):
        assert site.wrong(f"chvm {words}", ["vm1"]) == [f"the manager is {version}; backups of machines came with 4.4"]
