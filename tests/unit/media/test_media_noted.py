"""A copy that nobody has touched is known without being read; whatever somebody does to it or to the ISO is seen."""

import mmap
import os
import shutil
import time

import pytest

import media_iso
from xcat_rhev.errors import BadAnswer, Conflict
from xcat_rhev.media import file_signature as noted
from xcat_rhev.media import store
from xcat_rhev.media.identify import identify
from xcat_rhev.media.iso import read_iso
from xcat_rhev.media.store import NOTES, MediaStore, open_image

TICK = 0.03  # s; more than the time between two of the kernel's


def opened(tmp_path, name="x.iso"):
    medium = read_iso(tmp_path / name)
    return MediaStore(medium, identify(medium), tmp_path / "install/os/x86_64")


@pytest.fixture
def old_enough(monkeypatch):
    """Take every medium for one that was made long ago."""
    monkeypatch.setattr(noted, "_MARGIN", -1_000_000_000)


@pytest.fixture
def known(tmp_path, old_enough):
    """A copy of an installer that was compared once and is known since: its folder."""
    media_iso.write(tmp_path / "x.iso", media_iso.SAMPLES["rhvh4"])
    list(opened(tmp_path).copy())
    time.sleep(TICK)
    list(opened(tmp_path).compare())
    time.sleep(TICK)
    return tmp_path / "install/os/x86_64"


def read(monkeypatch, work):
    """What a comparison reads of the copy: the names of the files."""
    names = []

    def note(what):
        def noting(*args):
            names.append(next(path.name for path in reversed(args) if hasattr(path, "name")))
            yield from what(*args)

        return noting

    for name in ("same", "_has_digest"):
        monkeypatch.setattr(store, name, note(getattr(store, name)))
    list(work)
    return names


def test_nothing_is_read_of_what_is_known(tmp_path, known, monkeypatch):
    assert read(monkeypatch, opened(tmp_path).compare()) == []


def test_what_is_known_right_after_the_copy_is_most_of_it(tmp_path, old_enough, monkeypatch):
    media_iso.write(tmp_path / "x.iso", media_iso.SAMPLES["rhvh4"])
    work = opened(tmp_path).copy()
    next(work)  # the ISO itself
    time.sleep(TICK)
    list(work)
    assert "rhevh.iso" not in read(monkeypatch, opened(tmp_path).compare())


@pytest.mark.parametrize("path", ["rhevh.iso", "images/pxeboot/vmlinuz", "squashfs.img"])
def test_what_was_touched_is_read_and_the_rest_is_not(tmp_path, known, monkeypatch, path):
    os.utime(known / path)
    assert read(monkeypatch, opened(tmp_path).compare()) == [path.rpartition("/")[2]]
    time.sleep(TICK)
    list(opened(tmp_path).compare())
    assert read(monkeypatch, opened(tmp_path).compare()) == []


def in_place(path):
    with path.open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        last = stream.read(1)[0]
        stream.seek(-1, os.SEEK_END)
        stream.write(bytes([last ^ 1]))


def another(path):
    fresh = path.with_name("fresh")
    shutil.copy2(path, fresh)
    in_place(fresh)
    os.replace(fresh, path)


def mapped(path):
    with path.open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as memory:
        memory[-1] ^= 1


@pytest.mark.parametrize("path", ["rhevh.iso", "images/pxeboot/initrd.img", "squashfs.img", "../../../x.iso"])
@pytest.mark.parametrize("how", [in_place, another, mapped])
def test_a_change_that_hides_behind_the_same_size_and_time_is_seen(tmp_path, known, how, path):
    was = (known / path).stat()
    how(known / path)
    os.utime(known / path, ns=(was.st_atime_ns, was.st_mtime_ns))
    now = (known / path).stat()
    assert (now.st_size, now.st_mtime_ns) == (was.st_size, was.st_mtime_ns)
    with pytest.raises(Conflict, match="is not as it was"):
        list(opened(tmp_path).compare())


def test_another_image_of_the_same_size_and_time_is_another_medium(tmp_path, known):
    shutil.copy2(tmp_path / "x.iso", tmp_path / "y.iso")
    list(opened(tmp_path, "y.iso").compare())
    in_place(tmp_path / "y.iso")
    was = (tmp_path / "x.iso").stat()
    os.utime(tmp_path / "y.iso", ns=(was.st_atime_ns, was.st_mtime_ns))
    with pytest.raises(Conflict):
        list(opened(tmp_path, "y.iso").compare())


@pytest.mark.parametrize("notes", ["", "{", "[]", "null", '{"": 1}', '{"": [1, 2]}', '{"": ["a", 0, 0, 0, 0]}'])
def test_without_notes_all_is_read(tmp_path, known, monkeypatch, notes):
    (known / NOTES).write_text(notes)
    assert len(read(monkeypatch, opened(tmp_path).compare())) == len(media_iso.SAMPLES["rhvh4"].files) + 2


def test_notes_that_came_with_another_copy_are_worth_nothing(tmp_path, known, monkeypatch):
    shutil.copytree(known, tmp_path / "moved")
    shutil.rmtree(known)
    shutil.copytree(tmp_path / "moved", known)
    assert "rhevh.iso" in read(monkeypatch, opened(tmp_path).compare())


def test_a_medium_that_was_just_made_is_read_again(tmp_path, monkeypatch):
    media_iso.write(tmp_path / "x.iso", media_iso.SAMPLES["rhevh6"])
    list(opened(tmp_path).copy())
    time.sleep(TICK)
    for _ in range(2):
        assert "rhevh.iso" in read(monkeypatch, opened(tmp_path).compare())


def test_a_change_in_the_moment_of_the_note_does_not_count_as_known(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    signature = noted.Signature.at(tmp_path / "file")
    assert noted.settled_files({"file": tmp_path / "file"}, signature.ctime) == {}
    assert noted.settled_files({"file": tmp_path / "file"}, signature.ctime + 1) == {"file": signature}


def test_a_device_is_never_known(tmp_path):
    assert noted.Signature.at(tmp_path) is None
    with open("/dev/null", "rb") as stream:
        assert noted.Opened.now(stream.fileno()) is None


def test_where_nothing_can_be_written_nothing_is_noted(tmp_path):
    noted.write(tmp_path / "none/notes", {})
    assert noted.moment(tmp_path / "none") == 0
    assert noted.read(tmp_path / "none/notes") == {}


@pytest.mark.parametrize("how", [in_place, another])
def test_a_medium_that_changes_while_it_is_copied_leaves_nothing(tmp_path, how):
    media_iso.write(tmp_path / "x.iso", media_iso.SAMPLES["rhevh6"])
    time.sleep(TICK)
    work = opened(tmp_path).copy()
    next(work)
    how(tmp_path / "x.iso")
    if how is another:
        os.utime(tmp_path / "x.iso")
    with pytest.raises(BadAnswer, match=r"x\.iso has changed while it was copied"):
        list(work)
    assert not (tmp_path / "install").exists()


def test_other_permissions_of_the_medium_do_no_harm(tmp_path):
    media_iso.write(tmp_path / "x.iso", media_iso.SAMPLES["rhevh6"])
    work = opened(tmp_path).copy()
    next(work)
    (tmp_path / "x.iso").chmod(0o600)
    list(work)
    assert open_image(tmp_path / "install/os/x86_64").version == "6.3"
