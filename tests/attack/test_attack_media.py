"""Media of users: what is exchanged while root reads it, where it is put, and who sees it before it is whole."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

import media_iso
from attackhelp import user
from daemonhelp import Served
from xcat_rhev.media import copying, store
from xcat_rhev.media.identify import identify
from xcat_rhev.media.iso import read_iso
from xcat_rhev.media.medium import read_folder
from xcat_rhev.media.store import MediaStore
from xcat_rhev.xcat.wire import WireRequest

SECRET = b"the-secret-of-root"


@pytest.fixture
def xcat(tmp_path):
    xcat = Served(tmp_path / "mn")
    yield xcat
    xcat.close()


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def taken(xcat, path, *args, cert=True):
    return xcat.ask(WireRequest("copycds", args=(*args, str(path)), cwd="/"), cert=cert).decode()


# Exchanged


@pytest.mark.parametrize("name", ["rhevh6", "rhvh4"])
def test_a_file_that_becomes_a_link_is_not_followed(tmp_path, name):
    """At any moment of the copy: before it, and between any two of its steps."""
    sample = media_iso.SAMPLES[name]
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET * 200_000)
    for moment in range(6):
        iso = media_iso.write(tmp_path / "x.iso", sample)
        medium = read_iso(iso)
        copy = MediaStore(medium, identify(medium), tmp_path / f"install{moment}" / "os")
        work = copy.copy()
        for _ in range(moment):
            next(work, None)
        iso.unlink()
        iso.symlink_to(secret)
        try:
            list(work)
        except Exception as problem:
            assert "has changed while it was copied" in str(problem)
        iso.unlink()
        assert SECRET not in everything(tmp_path / f"install{moment}")


def test_what_is_told_and_what_is_copied_are_one_file(tmp_path):
    """Told as ours by the first look; exchanged at once for a link."""
    iso = media_iso.write(tmp_path / "x.iso", media_iso.SAMPLES["rhevh6"])
    medium = read_iso(iso)
    iso.unlink()
    iso.symlink_to("/etc/shadow")
    assert medium.text("isolinux/version")
    assert identify(medium).distname == "rhevh6.3"


@pytest.mark.skipif(os.geteuid() != 0, reason="makes files of others")
def test_a_folder_whose_file_becomes_a_link(tmp_path):
    tree = tmp_path / "tree"
    for path, data in media_iso.SAMPLES["rhvh4"].files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(data)
    medium = read_folder(tree)
    copy = MediaStore(medium, identify(medium), tmp_path / "install" / "os")
    victim = next(tree / path for path in sorted(medium.files) if path.endswith("initrd.img"))
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET + victim.read_bytes()[len(SECRET) :])
    victim.unlink()
    victim.symlink_to(secret)
    os.chown(victim, 65534, -1, follow_symlinks=False)
    with pytest.raises(Exception, match="leads over a link"):
        list(copy.copy())
    assert not (tmp_path / "install").exists()


# What is no file


@pytest.mark.skipif(os.geteuid() != 0, reason="makes devices")
def test_what_is_no_regular_file_is_refused_and_holds_nobody(xcat, folder):
    iso = media_iso.write(folder / "real.iso", media_iso.SAMPLES["rhevh6"])
    os.mkfifo(folder / "pipe")
    os.mknod(folder / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    os.mknod(folder / "block", stat.S_IFBLK | 0o666, os.makedev(7, 99))
    link = folder / "link"
    link.symlink_to(iso)
    os.chown(link, 65534, -1, follow_symlinks=False)
    joe = user(xcat, "joe", "copycds", "copycd")
    for name in ("pipe", "zero", "block", "link", "."):
        for cert in (True, joe):
            answer = taken(xcat, folder / name, cert=cert)
            assert "errorcode" in answer, name
            assert b"<serverdone>" in xcat.ask(WireRequest("copycd", args=("-f", str(folder / name))), cert=cert)
    assert list(xcat.home.install.iterdir()) == [] and xcat.server.idle(5)
    os.chown(link, 0, -1, follow_symlinks=False)
    assert "Media copy operation successful" in taken(xcat, link)


# Where it is put


def test_a_user_puts_media_into_the_install_folder_only(xcat, folder):
    """A medium of Anaconda's kind may hold any file: authorized_keys of root among them."""
    iso = media_iso.write(folder / "x.iso", media_iso.SAMPLES["rhvh4"])
    joe = user(xcat, "joe", "copycds", "copycd")
    home = folder / "home-of-root"
    for path in (home, xcat.home.install / ".." / ".." / "out", Path("../../out"), xcat.home.cert / "x"):
        assert "where only root may copy to" in taken(xcat, iso, "-p", str(path), cert=joe)
        answer = xcat.ask(WireRequest("copycd", args=("-f", str(iso), "-p", str(path)), cwd=str(folder)), cert=joe)
        assert b"where only root may copy to" in answer
    assert not home.exists() and not list(xcat.home.root.glob("**/images"))
    assert "successful" in taken(xcat, iso, "-p", str(xcat.home.install / "mine"), cert=joe)
    assert "successful" in taken(xcat, iso, "-p", str(home))


def test_a_stranger_whom_a_row_lets_in_is_not_root(xcat, folder):
    iso = media_iso.write(folder / "x.iso", media_iso.SAMPLES["rhvh4"])
    xcat.type("tabch", "priority=7", "policy.commands=copycds,copycd", "policy.rule=allow")
    for command, args in (("copycds", (str(iso),)), ("copycd", ("-f", str(iso)))):
        answer = xcat.ask(WireRequest(command, args=("-p", str(folder / "out"), *args), cwd="/"), cert=False)
        assert b"where only root may copy to" in answer
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    "option, value",
    [
        ("-a", "../../../../out"),
        ("-a", "x/../../../out"),
        ("-n", "rhevh../../../out"),
        ("-n", "rhevh6/../../out"),
    ],
)
def test_names_and_architectures_lead_nowhere(xcat, folder, option, value):
    iso = media_iso.write(folder / "x.iso", media_iso.SAMPLES["rhvh4"])
    taken(xcat, iso, option, value)
    outside = [path for path in xcat.home.root.rglob("vmlinuz") if xcat.home.install not in path.parents]
    assert outside == [] and not (xcat.home.root / "out").exists()


# Who sees it


def test_what_is_not_whole_is_for_nobody_else(tmp_path, monkeypatch):
    seen, done = [], threading.Event()
    real = copying.copy_new

    def looks(file, target):
        stage = next(path for path in target.parents if path.name == ".os.new")
        seen.append(stat.S_IMODE(stage.stat().st_mode))
        done.set()
        yield from real(file, target)

    monkeypatch.setattr(store, "copy_new", looks)
    before = os.umask(0)
    try:
        medium = read_iso(media_iso.write(tmp_path / "x.iso", media_iso.SAMPLES["rhvh4"]))
        list(MediaStore(medium, identify(medium), tmp_path / "install" / "os").copy())
    finally:
        os.umask(before)
    assert set(seen) == {0o700}
    assert stat.S_IMODE((tmp_path / "install" / "os").stat().st_mode) == 0o755
