"""Files that the daemon, as root, reads and writes because a client named them."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

import pytest

from attackhelp import user
from daemonhelp import Served
from xcat_rhev.daemon.catalog import CORES
from xcat_rhev.daemon.tables import Tables
from xcat_rhev.declare.command import Place
from xcat_rhev.errors import RhevError
from xcat_rhev.run.registry import COMMANDS
from xcat_rhev.xcat.host import Request
from xcat_rhev.xcat.wire import WireRequest


@pytest.fixture
def xcat(tmp_path):
    xcat = Served(tmp_path / "mn")
    xcat.type("tabch", "key=127.0.0.1:1,username=admin", "passwd.password=x")
    yield xcat
    xcat.close()


def somebodys(path: Path, uid: int = 65534) -> Path:
    os.chown(path, uid, -1, follow_symlinks=False)
    return path


def targets(folder: Path) -> dict[str, Path]:
    """Places that a file must not take, each with what is there before."""
    made = {name: folder / name for name in ("file", "link", "dangling", "pipe", "folder")}
    made["file"].write_text("mine")
    made["link"].symlink_to(made["file"])
    made["dangling"].symlink_to(folder / "nowhere")
    os.mkfifo(made["pipe"])
    made["folder"].mkdir()
    if os.geteuid() == 0:
        made["device"] = folder / "device"
        os.mknod(made["device"], stat.S_IFCHR | 0o666, os.makedev(1, 3))
    return made


def picture_of(folder: Path) -> dict[str, object]:
    return {path.name: (os.lstat(path).st_mode, os.lstat(path).st_ino) for path in folder.iterdir()}


# Written


def test_tabdump_replaces_nothing_whoever_asks(xcat, folder):
    places, joe = targets(folder), user(xcat, "joe", "tabdump")
    before = picture_of(folder)
    for path in places.values():
        for cert in (True, joe):
            answer = xcat.ask(WireRequest("tabdump", args=("-f", str(path), "site")), cert=cert)
            assert b"Error on tabdump of site" in answer
    assert picture_of(folder) == before and places["file"].read_text() == "mine"
    assert not (folder / "nowhere").exists()


def test_tabdump_writes_new_files_of_root_alone(xcat, folder):
    joe = user(xcat, "joe", "tabdump")
    answer = xcat.ask(WireRequest("tabdump", args=("-f", str(folder / "x"), "site")), cert=joe).decode()
    assert "Only root may let xcatd write files. Run: tabdump site &gt; FILE" in answer
    assert list(folder.iterdir()) == []
    xcat.ask(WireRequest("tabdump", args=("-f", "x", "site"), cwd=str(folder)))
    assert (folder / "x").read_text().startswith("#key,value")
    assert stat.S_IMODE((folder / "x").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["", ".", "..", "x/..", "/"])
def test_names_that_are_none(xcat, folder, name):
    answer = xcat.ask(WireRequest("tabdump", args=("-f", name, "site"), cwd=str(folder)))
    assert b"Error on tabdump" in answer or list(folder.iterdir())
    assert all(path.parent == folder for path in folder.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="makes files of others")
def test_a_folder_behind_somebodys_link_gets_nothing(xcat, folder):
    """Joe makes a link where root likes to write."""
    (folder / "real").mkdir()
    link = folder / "link"
    link.symlink_to(folder / "real")
    somebodys(link)
    answer = xcat.ask(WireRequest("tabdump", args=("-f", str(link / "site.csv"), "site"))).decode()
    assert "leads over a link that root has not made" in answer
    assert list((folder / "real").iterdir()) == []
    os.chown(link, 0, -1, follow_symlinks=False)
    xcat.ask(WireRequest("tabdump", args=("-f", str(link / "site.csv"), "site")))
    assert (folder / "real" / "site.csv").exists()


def test_a_picture_is_written_as_a_new_file_and_for_root(xcat, folder):
    joe, before = user(xcat, "joe", "lsve"), targets(folder)
    picture = folder / "old.svg"
    picture.write_text("<svg />")
    for name, cert in ((folder / "new.svg", joe), (picture, joe)):
        answer = xcat.ask(WireRequest("lsve", args=("-m", "127.0.0.1:1", "--graph", str(name))), cert=cert).decode()
        assert "Error" in answer or "error" in answer
    assert picture.read_text() == "<svg />" and before["file"].read_text() == "mine"
    assert not (folder / "new.svg").exists()


def valued():
    """Every option that takes a value, from the declarations of all commands."""
    for command in (*COMMANDS.values(), *(core.spec for core in CORES.values())):
        yield from ((command.name, option.flags[-1]) for option in command.all_options() if option.value)


#: Those that name a file to write, each with what a person has in mind.
WRITTEN = {("tabdump", "-f"): "a table", ("lsve", "--graph"): "a picture"}


def given(xcat, name, flag, value, who):
    """Run a command whose option has that value."""
    if name in COMMANDS:
        args = ("-m", "127.0.0.1:1", "--timeout", "0.2") if COMMANDS[name].place is Place.NAMED else ("--dry-run",)
    else:
        args = ("site",)
    request = Request(name, ("n1",), (flag, value, *args), "/", who)
    with contextlib.suppress(RhevError):
        list(xcat.xcatd.perform(request, Tables(xcat.store), settled=True))


def test_no_option_of_any_command_writes_over_anything(xcat, folder):
    """Walks the declarations, so that an option that comes later is held to it as well."""
    xcat.type("nodeadd", "n1", "groups=all")
    places = targets(folder)
    places["picture"] = folder / "old.svg"
    places["picture"].symlink_to(places["file"])
    before = picture_of(folder)
    for name, flag in valued():
        for who in ("joe", "root"):
            for place in places.values():
                given(xcat, name, flag, str(place), who)
                assert picture_of(folder) == before and places["file"].read_text() == "mine", (name, flag, place, who)
        for new in ("new", "new.svg"):
            given(xcat, name, flag, str(folder / new), "joe")
            assert picture_of(folder) == before, (name, flag, new)
            given(xcat, name, flag, str(folder / new), "root")
            if (name, flag) in WRITTEN:
                (folder / new).unlink(missing_ok=True)
            assert picture_of(folder) == before, f"{name} {flag} is one that writes: name it above"


# Read


def test_a_description_that_is_a_fifo_holds_nobody(xcat, folder):
    os.mkfifo(folder / "x.yaml")
    for cert in (True, user(xcat, "joe", "cfgve")):
        answer = xcat.ask(WireRequest("cfgve", args=("-m", "127.0.0.1:1", "--from", str(folder / "x.yaml"))), cert=cert)
        assert b"<serverdone>" in answer
    assert xcat.server.idle(5)


@pytest.mark.skipif(os.geteuid() != 0, reason="makes files of others")
@pytest.mark.parametrize(
    "command, args",
    [
        ("nodels", ()),
        ("cfgve", ("-m", "127.0.0.1:1", "--from")),
        ("copycds", ()),
        ("copycd", ("-f",)),
    ],
)
def test_nothing_is_read_through_somebodys_link(xcat, folder, command, args):
    secret = folder / "secret.yaml"
    secret.write_text("the-secret-of-root\n")
    link = folder / "x.yaml"
    link.symlink_to(secret)
    somebodys(link)
    joe = user(xcat, "joe", "nodels", "cfgve", "copycds", "copycd")
    for name in (link, Path("/proc/self/root") / str(secret)[1:], Path("/proc/self/environ"), "/proc/kmsg"):
        asked = WireRequest(command, args=(*args, str(name)))
        if command == "nodels":
            asked = WireRequest(command, noderange=f"^{name}")
        for cert in (joe, True):
            answer = xcat.ask(asked, cert=cert).decode()
            assert "the-secret-of-root" not in answer and "PATH=" not in answer


def test_a_user_reads_no_description_that_is_not_for_everybody(xcat, folder):
    secret = folder / "x.yaml"
    secret.write_text("the-secret: 1\n")
    secret.chmod(0o600)
    asked = WireRequest("cfgve", args=("-m", "127.0.0.1:1", "--from", str(secret)))
    answer = xcat.ask(asked, cert=user(xcat, "joe", "cfgve")).decode()
    assert "the-secret" not in answer
