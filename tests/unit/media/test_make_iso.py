"""The maker of the demo's ISO: what it makes, and what it says when it lacks something."""

import gzip
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from xcat_rhev.media.identify import identify
from xcat_rhev.media.iso import read_iso
from xcat_rhev.media.store import MediaStore, open_image

MAKER = Path(__file__).parents[3] / "share/demo/make_iso.py"


@pytest.fixture
def maker(monkeypatch):
    spec = importlib.util.spec_from_file_location("make_iso", MAKER)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "make_iso", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def bare(maker, monkeypatch):
    """A machine that has none of the parts."""
    monkeypatch.setattr(maker.shutil, "which", lambda name: None)
    monkeypatch.setattr(maker, "_ran", lambda command, cwd=None: None)
    monkeypatch.setattr(maker, "_kernel", lambda: (b"", {}))
    monkeypatch.setattr(maker, "_busybox", lambda: b"")
    return maker


def test_a_bare_machine_gets_an_iso_that_says_what_it_lacks(bare, tmp_path):
    missing = bare.make(tmp_path / "x.iso")
    assert len(missing) == 3
    for word in ("kernel", "busybox", "mksquashfs"):
        assert any(word in line for line in missing), word
    medium = read_iso(tmp_path / "x.iso")
    assert identify(medium).distname == "rhevh6.6"
    assert medium.text("isolinux/vmlinuz0").startswith("placeholder")
    list(MediaStore(medium, identify(medium), tmp_path / "install").copy())
    assert open_image(tmp_path / "install").append.startswith("initrd=initrd0.img root=live:CDLABEL=rhev-hypervisor")


def test_it_is_filled_up_to_a_size_with_the_same_bytes_every_time(bare, tmp_path):
    for name in ("one.iso", "two.iso"):
        bare.make(tmp_path / name, 5)
    sizes = {path.stat().st_size for path in tmp_path.glob("*.iso")}
    assert all(5 << 20 <= size < 6 << 20 for size in sizes)
    one, two = (read_iso(tmp_path / name) for name in ("one.iso", "two.iso"))
    assert one.head("LiveOS/filler.bin", 4096) == two.head("LiveOS/filler.bin", 4096) != bytes(4096)


@pytest.mark.parametrize("version", ["5.8", "6.2", "7.3"])
def test_it_says_the_version_that_it_is_told(bare, tmp_path, version):
    bare.make(tmp_path / "x.iso", version=version)
    assert identify(read_iso(tmp_path / "x.iso")).version == version


def test_the_boot_sector_writes_its_message_and_stops(maker):
    sector = maker.boot_sector(b"HELLO")
    assert len(sector) == 512 and sector.endswith(b"\x55\xaa")
    address = int.from_bytes(sector[6:8], "little") - 0x7C00
    assert sector[address : address + 6] == b"HELLO\0"


def test_the_initramfs_holds_its_start_script_first(maker):
    data = gzip.decompress(maker.initramfs(maker.Parts(b"", {"loop.ko": b"module"}, b"busybox")))
    assert data.startswith(b"070701")
    for name in (b"init\0", b"mod/loop.ko\0", b"mod/order\0", b"bin/sh\0", b"TRAILER!!!\0"):
        assert name in data


def test_the_program_names_what_it_made(tmp_path):
    command = [sys.executable, MAKER, tmp_path / "x.iso", "--release", "7.1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.splitlines()[-1].startswith(f"{tmp_path}/x.iso: {(tmp_path / 'x.iso').stat().st_size} bytes, ")
    assert identify(read_iso(tmp_path / "x.iso")).distname == "rhevh7.1"
