"""The image reader against images that other programs wrote."""

import io
import os
import shutil
import struct
import subprocess

import pycdlib
import pytest

import media_iso
from xcat_rhev.errors import Usage
from xcat_rhev.media.iso import read_iso, volume_label
from xcat_rhev.media.medium import read_folder

FILES = {
    "isolinux/version": b"VERSION=6.2\n",
    "LiveOS/squashfs.img": bytes(range(256)) * 40,
    "a name with spaces.txt": b"spaces",
    "one/two/three/four/five/six/seven/eight/nine/ten.txt": b"deep",
    "empty": b"",
    ".hidden": b"dot",
    "long-" + "n" * 200 + ".txt": b"long",
    "übergröße": b"not ASCII",
}


def contents(medium):
    return {name: medium.head(name, 1 << 20) for name in medium.files}


@pytest.fixture
def tree(tmp_path):
    for name, data in FILES.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "tree"


@pytest.mark.parametrize("kind", ["rr_path", "joliet_path", "iso_path"])
@pytest.mark.parametrize("name", sorted({**media_iso.SAMPLES, **media_iso.OTHERS}))
def test_another_reader_sees_the_same(tmp_path, name, kind):
    sample = {**media_iso.SAMPLES, **media_iso.OTHERS}[name]
    path = media_iso.write(tmp_path, sample, rock_ridge=kind == "rr_path", joliet=kind == "joliet_path")
    image, seen = pycdlib.PyCdlib(), {}
    image.open(str(path))
    for folder, _, names in image.walk(**{kind: "/"}):
        for file in names:
            data = io.BytesIO()
            image.get_file_from_iso_fp(data, **{kind: f"{folder.rstrip('/')}/{file}"})
            seen[f"{folder}/{file}".lstrip("/").partition(";")[0].rstrip(".")] = data.getvalue()
    image.close()
    assert contents(read_iso(path)) == seen


@pytest.mark.skipif(not shutil.which("genisoimage"), reason="genisoimage is not installed")
@pytest.mark.parametrize("options", [["-R"], ["-r", "-J", "-joliet-long"], ["-R", "-udf"]], ids=" ".join)
def test_an_image_that_genisoimage_wrote(tmp_path, tree, options):
    (tree / "link").symlink_to("one/two/../two/three")
    (tree / "away").symlink_to("/etc/passwd")
    options = [*options, "-input-charset", "utf-8", "-V", "LABEL"]
    command = ["genisoimage", *options, "-o", tmp_path / "x.iso", tree]
    subprocess.run(command, check=True, timeout=300, capture_output=True)
    medium = read_iso(tmp_path / "x.iso")
    assert contents(medium) == FILES
    assert medium.links == {"link": "one/two/../two/three", "away": "/etc/passwd"}
    assert (medium.label, medium.cut_off) == ("LABEL", "")


@pytest.mark.skipif(not shutil.which("genisoimage"), reason="genisoimage is not installed")
def test_joliet_names_without_rock_ridge(tmp_path, tree):
    shutil.rmtree(tree / "one")
    (tree / ("long-" + "n" * 200 + ".txt")).unlink()
    command = ["genisoimage", "-quiet", "-input-charset", "utf-8", "-J", "-o", tmp_path / "x.iso", tree]
    subprocess.run(command, check=True, timeout=300, capture_output=True)
    expected = {name: data for name, data in FILES.items() if not name.startswith(("one", "long"))}
    assert contents(read_iso(tmp_path / "x.iso")) == expected


def test_folders_that_rock_ridge_moved(tmp_path):
    image = pycdlib.PyCdlib()
    image.new(rock_ridge="1.09")
    path = ""
    for depth in range(1, 10):
        path += f"/D{depth}"
        image.add_directory(path, rr_name=f"d{depth}")
    image.add_fp(io.BytesIO(b"deep"), 4, path + "/F.;1", rr_name="f")
    image.write(str(tmp_path / "x.iso"))
    image.close()
    assert contents(read_iso(tmp_path / "x.iso")) == {"d1/d2/d3/d4/d5/d6/d7/d8/d9/f": b"deep"}


def test_a_file_of_two_pieces(tmp_path):
    image = pycdlib.PyCdlib()
    image.new()
    for name in ("/FAA.;1", "/FAB.;1"):
        image.add_fp(io.BytesIO(name.encode()), len(name), name)
    image.write(str(tmp_path / "x.iso"))
    image.close()
    data = bytearray((tmp_path / "x.iso").read_bytes())
    root = struct.unpack_from("<I", data, 16 * 2048 + 156 + 2)[0] * 2048
    first = data.index(b"FAA.;1", root)
    data[first - 33 + 25] |= 0x80  # flag: goes on in the next record
    data[data.index(b"FAB.;1", root) + 2] = ord("A")
    (tmp_path / "x.iso").write_bytes(data)
    medium = read_iso(tmp_path / "x.iso")
    assert medium.files["FAA"].size == 14
    assert medium.head("FAA", 100) == b"/FAA.;1/FAB.;1"
    assert medium.head("FAA", 9) == b"/FAA.;1/F"


def test_many_files_are_listed(tmp_path):
    files = {f"Packages/package-with-a-long-name-{number}.rpm": b"x" for number in range(3000)}
    medium = read_iso(media_iso.write(tmp_path / "x.iso", media_iso.Sample("x", "MANY", files)))
    assert set(medium.files) == set(files)


def test_letter_case_matters_only_where_it_must(tmp_path):
    for path, text in {"ISOLINUX/Version": "one", "isolinux/version": "two", "Images/Boot": "three"}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    medium = read_folder(tmp_path)
    assert medium.text("isolinux/version") == "two"
    assert medium.text("images/boot") == "three"
    assert medium.text("nothing") is None


def test_what_cannot_be_opened(tmp_path):
    for path in (tmp_path / "missing.iso", tmp_path):
        with pytest.raises(Usage, match="cannot read"):
            read_iso(path)
        with pytest.raises(Usage, match="cannot read"):
            volume_label(path)


def test_a_folder_is_read_without_following_links(tmp_path, tree):
    (tree / "loop").symlink_to(".")
    (tree / "out").symlink_to("/etc")
    os.mkfifo(tree / "pipe")
    medium = read_folder(tree)
    assert contents(medium) == FILES
    assert medium.links == {"loop": ".", "out": "/etc"}
