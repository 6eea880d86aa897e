"""RHVH's file system image out of its package, with GNU's own tools as the judge where they are there."""

import hashlib
import shutil
import subprocess

import pytest

import media_iso
from xcat_rhev.errors import BadAnswer, Usage
from xcat_rhev.media import rpm
from xcat_rhev.media.medium import File


def extracted(tmp_path, data, offset=0):
    (tmp_path / "x.rpm").write_bytes(bytes(offset) + data)
    digest = hashlib.sha256()
    half = len(data) // 2
    package = File(tmp_path / "x.rpm", ((offset, half), (offset + half, len(data) - half)))
    done = sum(rpm.extract_image(package, tmp_path / "out", digest))
    written = (tmp_path / "out").read_bytes()
    assert done == len(data)
    assert digest.digest() == hashlib.sha256(written).digest()
    return written


@pytest.mark.parametrize("kind", media_iso.COMPRESSORS)
def test_the_image_comes_out_whole(tmp_path, kind):
    assert extracted(tmp_path, media_iso.rpm(compress=kind), offset=4096) == media_iso.SQUASHFS


@pytest.mark.skipif(not shutil.which("rpm2cpio"), reason="rpm2cpio is not installed")
def test_rpm2cpio_reads_the_package_of_the_tests(tmp_path):
    (tmp_path / "x.rpm").write_bytes(media_iso.rpm(compress="gzip"))
    done = subprocess.run(["rpm2cpio", tmp_path / "x.rpm"], capture_output=True, timeout=300, check=False)
    assert done.returncode != 0 or media_iso.SQUASHFS in done.stdout  # newer ones ask for more of a header


@pytest.mark.skipif(not shutil.which("rpmbuild"), reason="rpmbuild is not installed")
@pytest.mark.parametrize("compressor", ["w6.xzdio", "w9.gzdio", "w3.zstdio"])
def test_a_package_that_rpmbuild_made(tmp_path, compressor):
    folder = "/usr/share/redhat-virtualization-host/image"
    (tmp_path / "image").write_bytes(media_iso.SQUASHFS)
    (tmp_path / "x.spec").write_text(
        f"Name: redhat-virtualization-host-image-update\nVersion: 4.3\nRelease: 1\nSummary: x\nLicense: x\n"
        f"BuildArch: noarch\n%description\nx\n%install\nmkdir -p %{{buildroot}}{folder}\n"
        f"cp {tmp_path}/image %{{buildroot}}{folder}/redhat-virtualization-host-4.3.squashfs.img\n"
        f"echo meta > %{{buildroot}}{folder}/redhat-virtualization-host-4.3.squashfs.img.meta\n"
        f"%files\n{folder}\n"
    )
    options = ["--define", f"_topdir {tmp_path}/top", "--define", f"_binary_payload {compressor}"]
    done = subprocess.run(
        ["rpmbuild", "-bb", "--quiet", *options, tmp_path / "x.spec"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (package,) = (tmp_path / "top/RPMS").rglob("*.rpm")
    try:
        assert extracted(tmp_path, package.read_bytes()) == media_iso.SQUASHFS
    except Usage as problem:
        assert compressor == "w3.zstdio" and "zstandard" in str(problem)


def test_zstd_without_a_reader_says_what_to_install(tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(rpm, "import_module", missing)
    whole = media_iso.rpm(b"", "gzip")
    head = whole[: whole.index(b"\x1f\x8b")]
    with pytest.raises(Usage, match="pip install zstandard"):
        extracted(tmp_path, head + b"\x28\xb5\x2f\xfd" + bytes(20))


@pytest.mark.parametrize("compress", ["xz", "gzip", "bzip2"])
def test_a_package_cut_off_anywhere_is_an_error(tmp_path, compress):
    whole = media_iso.rpm(compress=compress)
    for size in [*range(0, 200, 7), *range(200, len(whole) - 1, max(1, len(whole) // 50))]:
        (tmp_path / "out").unlink(missing_ok=True)
        with pytest.raises(BadAnswer):
            extracted(tmp_path, whole[:size])


@pytest.mark.parametrize(
    "data, why",
    [
        (b"x" * 5000, "should be an RPM"),
        (b"\xed\xab\xee\xdb" + b"x" * 5000, "damaged header"),
        (media_iso.rpm(media_iso.newc("./other", b"x") + media_iso.newc("TRAILER!!!", b"")), "holds no"),
        (media_iso.rpm(b"07070X" + b"0" * 200), "usual form"),
        (media_iso.rpm(b"070701" + b"zz" * 200), "damaged"),
    ],
    ids=["no-rpm", "header", "no-image", "large-form", "hex"],
)
def test_packages_that_are_something_else(tmp_path, data, why):
    with pytest.raises(BadAnswer, match=why):
        extracted(tmp_path, data)


def test_a_header_that_claims_gigabytes_is_not_read(tmp_path):
    whole = bytearray(media_iso.rpm())
    whole[96 + 8 : 96 + 16] = b"\x7f\xff\xff\xff" * 2
    with pytest.raises(BadAnswer, match="damaged header"):
        extracted(tmp_path, bytes(whole))
