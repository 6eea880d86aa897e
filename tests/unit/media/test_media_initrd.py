"""The archive that is appended to an initrd, read back by GNU cpio and by the kernel's rules."""

import gzip
import lzma
import os
import shutil
import subprocess
import time
import zlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import media_iso
from xcat_rhev.errors import Conflict, NotFound, Usage
from xcat_rhev.media import initrd
from xcat_rhev.media.initrd import append_member, build, member_header, replace_file, trailer
from xcat_rhev.media.medium import File, whole_file


def unpacked(data):
    """Read an initramfs buffer as the kernel does: NULs, plain archives at multiples of 4, compressed ones anywhere."""
    found, at = {}, 0
    while at < len(data):
        if data[at : at + 6] == b"070701":
            assert at % 4 == 0, "a plain archive must begin at a multiple of 4 of the whole"
            name, content, mode, at = _member(data, at)
            if name != "TRAILER!!!":
                assert mode == 0o100644
                found[name] = content
        elif data[at] == 0:
            at += 1
        elif data[at : at + 2] == b"\x1f\x8b":
            reader: Any = zlib.decompressobj(31)
            found["gzip"] = reader.decompress(data[at:]) + reader.flush()
            at = len(data) - len(reader.unused_data)
        else:
            reader = lzma.LZMADecompressor()
            found["xz"] = reader.decompress(data[at:])
            at = len(data) - len(reader.unused_data)
    return found


def _member(data, at):
    fields = [int(data[at + 6 + 8 * number : at + 14 + 8 * number], 16) for number in range(13)]
    mode, size, name_size = fields[1], fields[6], fields[11]
    begin = at + 110
    name = data[begin : begin + name_size - 1].decode()
    content = begin + name_size + -(begin + name_size - at) % 4
    return name, data[content : content + size], mode, content + size + -(content + size - at) % 4


def joined(tmp_path, first, second, name="rhevh.iso"):
    (tmp_path / "initrd").write_bytes(first)
    (tmp_path / "member").write_bytes(second)
    out = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        done = sum(
            append_member(whole_file(tmp_path / "initrd"), whole_file(tmp_path / "member"), name, out, tmp_path / "out")
        )
    finally:
        os.close(out)
    assert done == len(first) + len(second)
    return (tmp_path / "out").read_bytes()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    first=st.binary(max_size=9000),
    second=st.binary(max_size=9000),
    stem=st.text("abcdefghijklmnopqrstuvwxyz0123456789._-", min_size=0, max_size=40),
)
def test_any_file_behind_any_initrd_is_found_again(tmp_path, first, second, stem):
    compressed = gzip.compress(first)
    found = unpacked(joined(tmp_path, compressed, second, f"x{stem}.iso"))
    assert found == {"gzip": first, f"x{stem}.iso": second}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(length=st.integers(0, 300), second=st.binary(max_size=3000))
@pytest.mark.skipif(not shutil.which("cpio"), reason="GNU cpio is not installed")
def test_gnu_cpio_reads_the_appended_archive(tmp_path, length, second):
    data = joined(tmp_path, b"\x1f\x8b" + b"x" * length, second)
    shutil.rmtree(tmp_path / "there", ignore_errors=True)
    (tmp_path / "there").mkdir()
    archive = data[data.index(b"070701") :]
    done = subprocess.run(
        ["cpio", "-idm", "--quiet"],
        input=archive,
        cwd=tmp_path / "there",
        timeout=300,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "there/rhevh.iso").read_bytes() == second


@pytest.mark.parametrize("odd", range(5))
def test_the_file_begins_at_a_block_so_that_blocks_can_be_shared(tmp_path, odd):
    data = joined(tmp_path, gzip.compress(b"x" * 1000) + bytes(odd), b"ISO" * 5000)
    assert data.index(b"ISOISO") % 4096 == 0


def test_an_initrd_that_starts_plain_or_is_xz(tmp_path):
    microcode = member_header("kernel/x86/microcode/GenuineIntel.bin", 4) + b"code" + trailer()
    found = unpacked(joined(tmp_path, microcode + lzma.compress(b"xz part"), b"the iso"))
    assert found == {"kernel/x86/microcode/GenuineIntel.bin": b"code", "xz": b"xz part", "rhevh.iso": b"the iso"}


@pytest.mark.parametrize(
    "name",
    [
        "rhevh.ISO",
        "rhev h.iso",
        "a/b.iso",
        "../x.iso",
        "x.img",
        ".iso",
        "",
        "x.iso\n",
        "-x.iso",
    ],
)
def test_names_that_the_node_would_not_find(tmp_path, name):
    with pytest.raises(Usage, match=r"lower-case \.iso"):
        joined(tmp_path, b"", b"", name)


def test_a_file_beyond_32_bits_is_refused_before_anything_is_written(tmp_path):
    huge = File(tmp_path / "huge", ((0, 1 << 32),))
    with pytest.raises(Usage, match="less than 4 GiB"):
        list(append_member(File(tmp_path / "none", ()), huge, "x.iso", 99, tmp_path / "out"))


@pytest.fixture
def parts(tmp_path):
    (tmp_path / "initrd0.img").write_bytes(gzip.compress(b"initrd"))
    (tmp_path / "rhevh.iso").write_bytes(b"CD001" * 100_000)
    (tmp_path / "tftp").mkdir()
    return tmp_path / "initrd0.img", tmp_path / "rhevh.iso", tmp_path / "tftp/initrd0.img"


def test_built_once_and_again_only_for_other_content(parts):
    first, iso, target = parts
    assert sum(build(*parts)) == first.stat().st_size + iso.stat().st_size
    assert sum(build(*parts)) == 0
    iso.write_bytes(b"CD002" * 100_000)
    assert sum(build(*parts)) > 0
    assert unpacked(target.read_bytes())["rhevh.iso"] == iso.read_bytes()
    target.write_bytes(b"short")
    assert sum(build(*parts)) > 0
    assert oct(target.stat().st_mode & 0o777) == "0o644"


@pytest.mark.parametrize("which", ["initrd0.img", "rhevh.iso", "out"])
def test_a_change_behind_the_same_size_and_time_is_seen(parts, which):
    initrd, iso, out = parts
    list(build(initrd, iso, out))
    path = {"initrd0.img": initrd, "rhevh.iso": iso, "out": out}[which]
    was, data = path.stat(), path.read_bytes()
    time.sleep(0.03)
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    list(build(initrd, iso, out))
    assert iso.read_bytes() in out.read_bytes() and out.read_bytes().startswith(initrd.read_bytes())


def test_a_node_that_is_reading_the_old_one_goes_on_reading_it(parts):
    list(build(*parts))
    with parts[2].open("rb") as reading:
        old = parts[2].read_bytes()
        parts[1].write_bytes(b"another")
        list(build(*parts))
        assert reading.read() == old
        assert parts[2].read_bytes() != old


def test_stopped_half_way_there_is_no_initrd(parts):
    work: Any = build(*parts)
    next(work)
    work.close()
    assert list(parts[2].parent.iterdir()) == []


def test_a_missing_medium_says_what_to_do(parts):
    parts[1].unlink()
    with pytest.raises(NotFound, match="rhevh.iso is missing.*copycds"):
        list(build(*parts))


def test_a_full_disk_leaves_the_old_file(parts, monkeypatch):
    list(build(*parts))
    old = parts[2].read_bytes()
    parts[1].write_bytes(b"another")

    def full(out, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(initrd, "write_all", full)
    with pytest.raises(Conflict, match="no space left for"):
        list(build(*parts))
    assert parts[2].read_bytes() == old
    assert sorted(path.name for path in parts[2].parent.iterdir()) == ["initrd0.img"]
    monkeypatch.undo()
    assert sum(build(*parts)) > 0


def test_without_help_from_the_kernel_the_bytes_are_the_same(parts, monkeypatch):
    list(build(*parts))
    fast = parts[2].read_bytes()
    parts[2].unlink()

    def cannot(*args, **kwargs):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "copy_file_range", cannot)
    list(build(*parts))
    assert parts[2].read_bytes() == fast


def test_replacing_follows_no_link(tmp_path):
    (tmp_path / "victim").write_text("keep me")
    (tmp_path / ".file.new").symlink_to("victim")
    with pytest.raises(Conflict, match="cannot write"), replace_file(tmp_path / "file") as out:
        os.write(out, b"x")
    assert (tmp_path / "victim").read_text() == "keep me"


def test_the_writer_of_tests_and_ours_agree():
    assert member_header("a/b", 3).lower() == media_iso.newc("a/b", b"abc")[:-4].lower()
