"""Damaged and malicious images: one error, at once, and nothing outside the target."""

import random
import struct
import tracemalloc
from dataclasses import replace

import pytest

import media_iso
from xcat_rhev.errors import BadAnswer, Conflict, RhevError
from xcat_rhev.media.identify import identify
from xcat_rhev.media.iso import read_iso, volume_label
from xcat_rhev.media.medium import Medium, check_links, safe_path
from xcat_rhev.media.store import MediaStore

SECTOR = 2048


def tried(path, target):
    """What becomes of an image: its error, or "copied", or "not ours"."""
    try:
        medium = read_iso(path)
        release = identify(medium) if medium else None
        if release is None:
            return "not ours"
        for _ in MediaStore(medium, release, target / "x86_64").copy():
            pass
    except RhevError as problem:
        return str(problem)
    return "copied"


def outside(tmp_path, *known):
    return {path.name for path in tmp_path.iterdir()} - {"x.iso", "install", *known}


@pytest.mark.parametrize("name", ["rhevh6", "rhvh4"])
def test_an_image_cut_off_at_any_sector_is_never_taken_for_whole(tmp_path, name):
    whole = media_iso.write(tmp_path / "x.iso", media_iso.SAMPLES[name]).read_bytes()
    for size in range(0, len(whole) - 1, SECTOR):
        (tmp_path / "x.iso").write_bytes(whole[:size])
        said = tried(tmp_path / "x.iso", tmp_path / "install")
        assert said != "copied", f"cut at {size}"
        assert "\n" not in said
        assert not (tmp_path / "install").exists()
    assert "cut off" in said


@pytest.mark.parametrize("seed", range(200))
def test_bytes_changed_at_random_give_an_error_or_a_copy_and_nothing_else(tmp_path, seed):
    chance = random.Random(seed)
    sample = media_iso.SAMPLES[chance.choice(sorted(media_iso.SAMPLES))]
    path = media_iso.write(tmp_path / "x.iso", sample)
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 4, 16, 64])):
        data[chance.randrange(16 * SECTOR, min(len(data), 60 * SECTOR))] = chance.randrange(256)
    path.write_bytes(data)
    said = tried(path, tmp_path / "install")
    assert said and "\n" not in said
    assert not outside(tmp_path)
    if said != "copied":
        assert not (tmp_path / "install").exists()


@pytest.mark.parametrize("data", [b"", b"x", b"\0" * 40000, b"PK\3\4" * 20000], ids=["empty", "byte", "zeros", "zip"])
def test_what_is_no_iso_is_not_ours(tmp_path, data):
    (tmp_path / "x.iso").write_bytes(data)
    assert read_iso(tmp_path / "x.iso") is None
    assert volume_label(tmp_path / "x.iso") is None


def root_record(data):
    """Offset and length of the root folder's records, by the primary volume descriptor."""
    (extent,) = struct.unpack_from("<I", data, 16 * SECTOR + 156 + 2)
    return extent * SECTOR


def record_of(data, folder, name):
    """The offset of a name's record in a folder."""
    at = folder
    while data[at]:
        length = data[at + 32]
        if bytes(data[at + 33 : at + 33 + length]) == name:
            return at
        at += data[at]
    raise AssertionError(f"no {name}")


def set_extent(data, record, extent, size):
    struct.pack_into("<I", data, record + 2, extent)
    struct.pack_into(">I", data, record + 6, extent)
    struct.pack_into("<I", data, record + 10, size)
    struct.pack_into(">I", data, record + 14, size)


def test_a_folder_inside_itself_ends(tmp_path):
    path = media_iso.write(tmp_path / "x.iso", media_iso.SAMPLES["rhvh4"], rock_ridge=False, joliet=False)
    data = bytearray(path.read_bytes())
    root = root_record(data)
    images = record_of(data, root, b"IMAGES")
    folder = struct.unpack_from("<I", data, images + 2)[0] * SECTOR
    set_extent(data, record_of(data, folder, b"PXEBOOT"), root // SECTOR, SECTOR)
    path.write_bytes(data)
    with pytest.raises(BadAnswer):
        read_iso(path)


def move_in_path_tables(data, name, extent):
    """Tell both path tables that a folder begins elsewhere."""
    for order, table in (("<I", 16 * SECTOR + 140), (">I", 16 * SECTOR + 148)):
        at = struct.unpack_from(order, data, table)[0] * SECTOR
        found = data.index(name, at)
        struct.pack_into(order, data, found - 6, extent)


def test_ten_million_names_cost_neither_time_nor_memory(tmp_path):
    path = media_iso.write(tmp_path / "x.iso", media_iso.SAMPLES["rhvh4"], rock_ridge=False, joliet=False)
    data = bytearray(path.read_bytes())
    record = record_of(data, root_record(data), b"PACKAGES")
    folder = struct.unpack_from("<I", data, record + 2)[0] * SECTOR
    extent, size = len(data) // SECTOR, 10_000_000 * 46 // SECTOR * SECTOR
    set_extent(data, record, extent, size)
    move_in_path_tables(data, b"PACKAGES", extent)
    dots = data[folder : folder + 68]
    set_extent(dots, 0, extent, size)
    entry = bytearray(data[folder + 68 : folder + 68 + data[folder + 68]])[:33] + b"F0000000.;1\0"
    entry[0], entry[32] = len(entry), 11
    path.write_bytes(data)
    with path.open("r+b") as stream:
        stream.seek(len(data))
        stream.write(dots.ljust(SECTOR, b"\0"))
        for number in range(200_000 // 44):  # enough to pass any limit; the rest of the folder is a hole
            names = (entry.replace(b"F0000000", b"F%07d" % (number * 44 + at)) for at in range(44))
            stream.write(b"".join(names).ljust(SECTOR, b"\0"))
        stream.truncate(len(data) + size)
    tracemalloc.start()
    try:
        with pytest.raises(BadAnswer, match="more folders and names"):
            read_iso(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "a/../b",
        "/etc/passwd",
        "a//b",
        "a\nb",
        "a\0b",
        ".",
        "",
        "x" * 300,
        "/".join("abcdefghijklmnopqrstuvwxyz0123456789"),
        "a\x1b[2Jb",
    ],
)
def test_names_that_cannot_be_copied(name):
    with pytest.raises(BadAnswer) as caught:
        safe_path(name, "x.iso")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [b"ESCAPE/.", b"A\nB", b"A\0B"])
def test_a_name_with_a_slash_or_newline_inside_an_image_is_refused(tmp_path, name):
    sample = media_iso.SAMPLES["rhvh4"]
    sample = replace(sample, files={**sample.files, "images/" + "Q" * len(name): b"x"})
    path = media_iso.write(tmp_path / "x.iso", sample)
    data = path.read_bytes()
    assert b"Q" * len(name) in data
    path.write_bytes(data.replace(b"Q" * len(name), name))
    assert tried(path, tmp_path / "install") not in ("copied", "not ours")
    assert not outside(tmp_path)


@pytest.mark.parametrize(
    "links, why",
    [
        ({"etc": "/etc"}, "leads out"),
        ({"images/up": "../../../../tmp"}, "leads out"),
        ({"a": "b", "b": "a"}, "back to itself"),
        ({"a": "a"}, "back to itself"),
        ({"a": "nothing/there"}, "nowhere"),
    ],
    ids=["absolute", "above", "two", "itself", "dangling"],
)
def test_links_that_lead_astray(tmp_path, links, why):
    sample = replace(media_iso.SAMPLES["rhvh4"], links=links)
    path = media_iso.write(tmp_path / "x.iso", sample)
    assert why in tried(path, tmp_path / "install")
    assert not (tmp_path / "install").exists()
    assert not outside(tmp_path)


def test_links_inside_the_medium_are_kept(tmp_path):
    sample = replace(media_iso.SAMPLES["rhvh4"], links={"images/alias": "pxeboot/vmlinuz", "folder": "images/pxeboot"})
    path = media_iso.write(tmp_path / "x.iso", sample)
    assert tried(path, tmp_path / "install") == "copied"
    copied = tmp_path / "install/x86_64"
    assert (copied / "images/alias").read_bytes() == sample.files["images/pxeboot/vmlinuz"]
    assert (copied / "folder").is_symlink()


def test_a_link_chain_is_followed_to_its_end():
    check_links(Medium("x", "", None, "", {"d/f": None}, {"a": "b", "b": "d", "c": "d/f"}))
    with pytest.raises(BadAnswer, match="back to itself"):
        check_links(Medium("x", "", None, "", {"d/f": None}, {"d/a": "../d/b", "d/b": "a"}))


def test_a_file_that_reaches_beyond_the_end(tmp_path):
    path = media_iso.write(tmp_path / "x.iso", media_iso.SAMPLES["rhevh6"], rock_ridge=False, joliet=False)
    data = bytearray(path.read_bytes())
    folder = struct.unpack_from("<I", data, record_of(data, root_record(data), b"ISOLINUX") + 2)[0] * SECTOR
    set_extent(data, record_of(data, folder, b"VMLINUZ0;1"), 60, 3 << 30)
    path.write_bytes(data)
    said = tried(path, tmp_path / "install")
    assert "beyond" in said or "cut off" in said or "damaged" in said
    assert not (tmp_path / "install").exists()


def test_nothing_is_overwritten_that_is_not_ours(tmp_path):
    path = media_iso.write(tmp_path / "x.iso", media_iso.SAMPLES["rhevh6"])
    medium = read_iso(path)
    (tmp_path / "install/x86_64").mkdir(parents=True)
    (tmp_path / "install/x86_64/precious").write_text("keep me")
    with pytest.raises(Conflict, match="not made by copycds"):
        list(MediaStore(medium, identify(medium), tmp_path / "install/x86_64").copy())
    assert (tmp_path / "install/x86_64/precious").read_text() == "keep me"
