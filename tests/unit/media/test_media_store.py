"""A medium lands whole or not at all."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import media_iso
from xcat_rhev.errors import BadAnswer, Conflict, Locked, NotFound, Usage
from xcat_rhev.media import store
from xcat_rhev.media.identify import identify
from xcat_rhev.media.iso import read_iso
from xcat_rhev.media.locks import lock_folder
from xcat_rhev.media.medium import read_folder
from xcat_rhev.media.store import NOTES, RECORD, MediaStore, open_image


def stored(tmp_path, sample, name="x.iso"):
    medium = read_iso(media_iso.write(tmp_path / name, sample))
    return MediaStore(medium, identify(medium), tmp_path / "install/os/x86_64")


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) if folder.exists() else []


@pytest.mark.parametrize("name", ["rhevh5", "rhevh6", "rhevh7", "ovirt2", "ovirt3"])
def test_a_live_image_is_kept_byte_for_byte_beside_what_boots(tmp_path, name):
    sample = media_iso.SAMPLES[name]
    copy = stored(tmp_path, sample)
    assert sum(copy.copy()) == copy.size
    image = open_image(tmp_path / "install/os/x86_64")
    assert (image.folder / image.iso).read_bytes() == (tmp_path / "x.iso").read_bytes()
    assert image.iso == ("rhevh.iso" if name.startswith("rhevh") else "ovirt.iso")
    for path in ("isolinux/vmlinuz0", "isolinux/initrd0.img", "isolinux/isolinux.cfg"):
        assert (image.folder / path).read_bytes() == sample.files[path]
    assert image.append.startswith("initrd=initrd0.img root=")
    assert "\n" not in image.append and "check0" not in image.append
    assert (image.distname, image.cmdline_size, image.payload) == (sample.distname, 2047, "")
    assert everything(tmp_path / "install") == sorted(
        [
            "os",
            "os/x86_64",
            *(
                f"os/x86_64/{path}"
                for path in (
                    image.iso,
                    "isolinux",
                    "isolinux/vmlinuz0",
                    "isolinux/initrd0.img",
                    "isolinux/isolinux.cfg",
                    RECORD,
                    NOTES,
                    *(["isolinux/version"] if name != "rhevh5" else []),
                )
            ),
        ]
    )


@pytest.mark.parametrize("name, payload", [("rhvh4", "squashfs.img"), ("ovirt4", "ovirt-node-ng-image.squashfs.img")])
def test_an_installer_is_unpacked_with_its_payload(tmp_path, name, payload):
    sample = media_iso.SAMPLES[name]
    copy = stored(tmp_path, sample, sample.file)
    list(copy.copy())
    image = open_image(tmp_path / "install/os/x86_64")
    for path, data in sample.files.items():
        assert (image.folder / path).read_bytes() == data
    assert image.payload == payload
    assert (image.folder / payload).read_bytes() == media_iso.SQUASHFS
    assert (image.folder / image.kernel).exists() and (image.folder / image.initrd).exists()


def test_anybody_may_read_it_whatever_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        list(stored(tmp_path, media_iso.SAMPLES["rhvh4"]).copy())
    finally:
        os.umask(before)
    modes = {oct(path.stat().st_mode & 0o7777) for path in (tmp_path / "install/os").rglob("*") if path.is_file()}
    folders = {oct(path.stat().st_mode & 0o7777) for path in (tmp_path / "install").rglob("*") if path.is_dir()}
    assert (modes, folders) == ({"0o644"}, {"0o755"})


def test_what_is_there_is_compared_byte_by_byte(tmp_path):
    copy = stored(tmp_path, media_iso.SAMPLES["rhvh4"])
    list(copy.copy())
    image = open_image(tmp_path / "install/os/x86_64")
    assert sum(copy.compare()) > 0
    for path in (image.kernel, "squashfs.img", ".treeinfo", image.iso):
        good = (image.folder / path).read_bytes()
        (image.folder / path).write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        with pytest.raises(Conflict, match="is not as it was"):
            list(copy.compare())
        (image.folder / path).write_bytes(good)
    (image.folder / image.initrd).unlink()
    with pytest.raises(Conflict, match="initrd.img is not as it was"):
        list(copy.compare())
    list(copy.copy())
    (tmp_path / "x.iso").write_bytes(b"")
    with pytest.raises(Conflict):
        list(copy.compare())
    (tmp_path / "x.iso").unlink()  # it is still open
    with pytest.raises(Conflict, match="is not as it was"):
        list(copy.compare())


def test_another_medium_takes_the_place_in_one_step(tmp_path):
    list(stored(tmp_path, media_iso.SAMPLES["rhevh6"]).copy())
    other = stored(tmp_path, media_iso.SAMPLES["rhevh7"], "y.iso")
    with pytest.raises(Conflict, match="another medium"):
        list(other.compare())
    list(other.copy())
    assert open_image(tmp_path / "install/os/x86_64").version == "7.3"
    assert [path.name for path in (tmp_path / "install/os").iterdir()] == ["x86_64"]


def test_stopped_half_way_nothing_is_there_and_the_old_one_stays(tmp_path):
    copy = stored(tmp_path, media_iso.SAMPLES["rhevh6"])
    work = copy.copy()
    next(work)
    assert not copy.is_there()
    work.close()
    assert not (tmp_path / "install").exists()
    list(copy.copy())
    work = stored(tmp_path, media_iso.SAMPLES["rhevh7"], "y.iso").copy()
    next(work)
    work.close()
    assert open_image(tmp_path / "install/os/x86_64").version == "6.3"


@pytest.mark.parametrize("after", range(7))
def test_a_disk_that_fills_up_leaves_nothing(tmp_path, monkeypatch, after):
    copy = stored(tmp_path, media_iso.SAMPLES["rhvh4"])
    left = [after]

    def fills(*args, **kwargs):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return real(*args, **kwargs)

    real = os.copy_file_range
    monkeypatch.setattr(os, "copy_file_range", fills)
    with pytest.raises(Conflict, match="no space left for"):
        list(copy.copy())
    assert not (tmp_path / "install").exists()


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")
@pytest.mark.parametrize("kib", [64, 200, 300])
def test_a_real_disk_that_fills_up_leaves_nothing(tmp_path, monkeypatch, kib):
    copy = stored(tmp_path, media_iso.SAMPLES["rhvh4"])

    class Room:
        f_bavail, f_frsize = 1 << 30, 4096

    (tmp_path / "install").mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", tmp_path / "install"],
        timeout=300,
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        monkeypatch.setattr(os, "statvfs", lambda path: Room)
        with pytest.raises(Conflict, match="no space left for"):
            list(copy.copy())
        assert everything(tmp_path / "install") == []
    finally:
        subprocess.run(["umount", tmp_path / "install"], timeout=300, check=True)


def test_too_small_a_disk_is_told_beforehand(tmp_path, monkeypatch):
    copy = stored(tmp_path, media_iso.SAMPLES["rhevh6"])

    class Room:
        f_bavail, f_frsize = 1, 4096

    monkeypatch.setattr(os, "statvfs", lambda path: Room)
    with pytest.raises(Conflict, match="no space left in .* needed, 4 KiB free"):
        list(copy.copy())
    assert not (tmp_path / "install").exists()


@pytest.mark.parametrize("change", ["gone", "shorter"])
def test_a_source_that_vanishes_leaves_nothing(tmp_path, change):
    copy = stored(tmp_path, media_iso.SAMPLES["rhevh6"])
    work = copy.copy()
    if change == "gone":
        (tmp_path / "x.iso").unlink()
    else:
        (tmp_path / "x.iso").write_bytes(b"")
    with pytest.raises((Usage, BadAnswer)):
        list(work)
    assert not (tmp_path / "install").exists()


KILLED = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from xcat_rhev.media import copying
from xcat_rhev.media.identify import identify
from xcat_rhev.media.iso import read_iso
from xcat_rhev.media.store import MediaStore
copying._STEP = copying._BUFFER = 4096
medium = read_iso(Path({iso!r}))
steps = 0
for _ in MediaStore(medium, identify(medium), Path({target!r})).copy():
    steps += 1
    print(steps, flush=True)
print("done", flush=True)
"""


@pytest.mark.parametrize("moment", [1, 10, 30, 60, 100])
def test_killed_at_any_moment_nothing_usable_is_left_and_a_second_run_finishes(tmp_path, moment):
    iso = media_iso.write(tmp_path / "x.iso", media_iso.SAMPLES["rhvh4"])
    target = tmp_path / "install/os/x86_64"
    code = KILLED.format(path=[str(Path(store.__file__).parents[2])], iso=str(iso), target=str(target))
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    for line in child.stdout:
        if line.strip() in (str(moment), "done"):
            break
    child.send_signal(signal.SIGKILL)
    child.wait(300)
    child.stdout.close()
    assert not (target / RECORD).exists() or list(stored_again(iso, target).compare())
    if not target.exists():
        with pytest.raises(NotFound, match="copycds"):
            open_image(target)
    again = stored_again(iso, target)
    list(again.copy())
    assert sum(again.compare()) > 0
    assert [path.name for path in target.parent.iterdir()] == ["x86_64"]


def stored_again(iso, target):
    medium = read_iso(iso)
    return MediaStore(medium, identify(medium), target)


def test_killed_between_the_two_renames_the_old_medium_comes_back(tmp_path):
    copy = stored(tmp_path, media_iso.SAMPLES["rhevh6"])
    list(copy.copy())
    target = tmp_path / "install/os/x86_64"
    target.rename(target.with_name(".x86_64.old"))
    work = copy.copy()
    next(work)
    assert open_image(target).version == "6.3"
    work.close()
    assert [path.name for path in target.parent.iterdir()] == ["x86_64"]


def test_two_at_once_are_told_apart(tmp_path):
    copy = stored(tmp_path, media_iso.SAMPLES["rhevh6"])
    work = copy.copy()
    next(work)
    with pytest.raises(Locked, match="another command is at work"):
        list(copy.copy())
    list(work)
    assert copy.is_there()


def test_a_lock_waits_for_its_turn(tmp_path):
    code = (
        f"import fcntl, os, time; h = os.open({str(tmp_path)!r}, os.O_RDONLY); fcntl.flock(h, fcntl.LOCK_EX); "
        f"print('held', flush=True); time.sleep(0.3); open({str(tmp_path / 'done')!r}, 'w').close()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "held\n"
        with lock_folder(tmp_path):
            assert (tmp_path / "done").exists()


@pytest.mark.parametrize("path", ["file", "folder"])
def test_what_somebody_else_keeps_there_stays(tmp_path, path):
    copy = stored(tmp_path, media_iso.SAMPLES["rhevh6"])
    target = tmp_path / "install/os/x86_64"
    target.parent.mkdir(parents=True)
    if path == "file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "mine").write_text("mine")
    with pytest.raises(Conflict, match="not made by copycds"):
        list(copy.copy())
    assert (target if path == "file" else target / "mine").read_text() == "mine"


def test_an_empty_folder_is_used(tmp_path):
    (tmp_path / "install/os/x86_64").mkdir(parents=True)
    list(stored(tmp_path, media_iso.SAMPLES["rhevh6"]).copy())
    assert open_image(tmp_path / "install/os/x86_64").version == "6.3"


@pytest.mark.parametrize("lack", ["isolinux/vmlinuz0", "isolinux/initrd0.img"])
def test_a_medium_without_what_boots_is_refused(tmp_path, lack):
    sample = media_iso.SAMPLES["rhevh6"]
    files = {path: data for path, data in sample.files.items() if path != lack}
    with pytest.raises(BadAnswer, match=f"has no {lack}"):
        stored(tmp_path, replace(sample, files=files))


def test_other_machines_are_refused_by_name(tmp_path):
    sample = media_iso.SAMPLES["rhvh4"]
    files = {**sample.files, ".treeinfo": media_iso.treeinfo("ppc64le", "4.3")}
    with pytest.raises(Usage, match="is for ppc64le"):
        stored(tmp_path, replace(sample, files=files))


def test_an_installer_without_a_payload_is_refused(tmp_path):
    sample = replace(media_iso.SAMPLES["rhvh4"], files=media_iso.anaconda("4.3"))
    with pytest.raises(Usage, match="no file system image"):
        stored(tmp_path, sample)


def test_a_folder_serves_for_installers_only(tmp_path):
    for name in ("rhevh6", "ovirt4"):
        for path, data in media_iso.SAMPLES[name].files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_bytes(data)
    live, installer = (read_folder(tmp_path / name) for name in ("rhevh6", "ovirt4"))
    with pytest.raises(Usage, match="the image itself is needed"):
        MediaStore(live, identify(live), tmp_path / "install")
    list(MediaStore(installer, identify(installer, "4.5.5"), tmp_path / "install").copy())
    assert open_image(tmp_path / "install").iso == ""


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 2}', '{"format": 1, "family": "x"}', "null"])
def test_a_record_that_is_none_means_no_medium(tmp_path, text):
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(NotFound, match="no medium was copied to"):
        open_image(tmp_path)


def test_the_record_is_for_people_too(tmp_path):
    list(stored(tmp_path, media_iso.SAMPLES["rhvh4"]).copy())
    record = json.loads((tmp_path / "install/os/x86_64" / RECORD).read_text())
    assert record["product"] == "Red Hat Virtualization Host"
    assert len(record["digests"]["squashfs.img"]) == 64
