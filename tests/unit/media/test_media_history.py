"""Every node image that was built: told, taken in, and kept apart from the other builds of its release.

`node_media.json` has the names and places, read from the build scripts of ovirt-node (every tag), of ovirt-node-ng and
of ovirt-node-ng-image (every tag and branch), those of Red Hat's media from its documentation; the contents are made
here.
"""

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

import media_iso
from xcat_rhev.errors import BadAnswer, Usage
from xcat_rhev.media.identify import identify
from xcat_rhev.media.iso import read_iso
from xcat_rhev.media.names import parse_name, specific
from xcat_rhev.media.store import MediaStore, open_image

TABLE = json.loads(Path(__file__).with_name("node_media.json").read_text())
RELEASES = {f"{number}-{row['file']}": row for number, row in enumerate(TABLE["releases"])}
PRODUCTS = {"rhevh": media_iso.RHEV, "ovirt": "oVirt Node Hypervisor"}


def contents(row):
    """What stands in those files that are looked into."""
    linux = row.get("linux", 0)
    kernel = media_iso.kernel(version=f"5.14.0-1.el{linux}.x86_64 (mock@build) #1 SMP".encode() if linux else b"")
    known = {"isolinux/vmlinuz0": kernel, "images/pxeboot/vmlinuz": kernel}
    if "package" in row:
        product = PRODUCTS[row["distname"].rstrip("0123456789.")]
        says = (product, row["version"], row["release"])
        known["isolinux/isolinux.cfg"] = media_iso.menu(*says, media_iso.APPEND_EL6)
        known["isolinux/version"] = media_iso.version_file(product, row["package"], *says[1:])
    else:
        # What lorax writes for mktreeinfo.py: the version of the system below, and no image to go on with.
        tree = f"[general]\nfamily = centos\nversion = {linux}\nvariant = ovirt-node\narch = x86_64\n"
        known[".treeinfo"] = tree.encode() if "image" not in row else media_iso.treeinfo("x86_64", row["version"])
    return known


def sample(row):
    paths = [*TABLE["layouts"][row["layout"]], *filter(None, [row.get("image")])]
    known = {**contents(row), **({row["image"]: media_iso.rpm()} if "image" in row else {})}
    files = {path: known.get(path, path.encode()) for path in paths}
    if row["layout"] == "rhvh-squashfs":
        files[".treeinfo"] = files[".treeinfo"].replace(b"images/install.img", b"LiveOS/squashfs.img")
    return media_iso.Sample(row["file"], row["label"], files, row["distname"], kickstart="package" not in row)


def read(tmp_path, made):
    medium = read_iso(media_iso.write(tmp_path, made, joliet=False))  # whose names end after 64 characters
    return medium, identify(medium)


@pytest.mark.parametrize("row", RELEASES.values(), ids=RELEASES)
def test_each_build_is_told_and_can_be_taken_in(tmp_path, row):
    medium, release = read(tmp_path, sample(row))
    kickstart = "package" not in row
    assert (release.distname, release.arch, release.kickstart) == (row["distname"], "x86_64", kickstart)
    assert (release.build, release.linux) == (row["release"], row.get("linux", 0))
    assert MediaStore(medium, release, tmp_path / "there").size > 0
    wanted = specific(release.version, release.build, release.linux)
    family = release.family
    assert parse_name(family + wanted) == (family, wanted) and wanted.startswith(release.version + ".")


def test_no_two_builds_have_one_name():
    names = {}
    for row in TABLE["releases"]:
        names.setdefault((row["distname"], specific(row["version"], row["release"], row.get("linux", 0))), set()).add(
            row["file"]
        )
    assert all(len(files) == 1 for files in names.values())


@pytest.mark.parametrize("layout", TABLE["layouts"])
def test_each_layout_is_copied_with_what_its_installer_looks_for(tmp_path, layout):
    row = next(row for row in TABLE["releases"] if row["layout"] == layout)
    medium, release = read(tmp_path, sample(row))
    list(MediaStore(medium, release, tmp_path / "install/it").copy())
    image = open_image(tmp_path / "install/it")
    assert (image.folder / image.kernel).is_file() and (image.folder / image.initrd).is_file()
    if image.kickstart:
        assert (image.folder / image.payload).is_file()
        assert any((image.folder / path).is_file() for path in ("LiveOS/squashfs.img", "images/install.img"))
    list(MediaStore(medium, release, tmp_path / "install/it").compare())


def installer(linux, *, named="", keep=()):
    """The newest oVirt Node NG of a RHEL with another way to its second stage."""
    row = next(row for row in reversed(TABLE["releases"]) if row.get("linux") == linux and "image" not in row)
    files = {path: data for path, data in sample(row).files.items() if "install.img" not in path}
    files = {path: data for path, data in files.items() if path not in ("LiveOS/squashfs.img", ".treeinfo")}
    if named:
        files[".treeinfo"] = f"[general]\nversion = {linux}\n[stage2]\nmainimage = {named}\n".encode()
    return replace(sample(row), files={**files, **{path: b"stage 2 at " + path.encode() for path in keep}})


LIVE, INSTALL = "LiveOS/squashfs.img", "images/install.img"


@pytest.mark.parametrize(
    "linux, named, on_medium, fetched",
    [
        (7, "", [LIVE], LIVE),
        (7, "", [INSTALL], LIVE),  # RHEL 7's looks at one place only, so the image is put there as well
        (7, "images/x.img", ["images/x.img"], "images/x.img"),
        (7, INSTALL, [INSTALL, LIVE], INSTALL),
        (8, "", [LIVE], LIVE),
        (8, "", [INSTALL], INSTALL),
        (8, INSTALL, [LIVE], LIVE),
        (9, "images/x.img", ["images/x.img"], "images/x.img"),
        (9, "images/x.img", [INSTALL], LIVE),
    ],
    ids=str,
)
def test_the_second_stage_lies_where_that_installer_fetches_it(tmp_path, linux, named, on_medium, fetched):
    medium, release = read(tmp_path, installer(linux, named=named, keep=on_medium))
    list(MediaStore(medium, release, tmp_path / "install/it").copy())
    assert (tmp_path / "install/it" / fetched).read_bytes().startswith(b"stage 2")


@pytest.mark.parametrize(
    "linux, named, on_medium, lacks",
    [
        (7, "", [], "LiveOS/squashfs.img,"),
        (8, "", [], "images/install.img and LiveOS/squashfs.img,"),
        (7, "images/x.img", [LIVE], "images/x.img,"),
        (9, "images/x.img", [], "images/x.img and LiveOS/squashfs.img,"),
    ],
    ids=str,
)
def test_a_medium_without_a_second_stage_is_refused_by_name(tmp_path, linux, named, on_medium, lacks):
    medium, release = read(tmp_path, installer(linux, named=named, keep=on_medium))
    with pytest.raises(BadAnswer, match=f"lacks {lacks}"):
        MediaStore(medium, release, tmp_path / "there")


NG = next(row for row in TABLE["releases"] if row["file"] == "ovirt-node-ng-installer-ovirt-4.1-2018012411.iso")


@pytest.mark.parametrize(
    "file, version",
    [
        ("installer-ovirt-4.1-2018012411.iso", "4.1"),
        ("ovirt-node-ng-installer-ovirt-4.2-pre-2018012411.iso", "4.2"),
        ("ovirt-node-ng-installer-ovirt-4.2-el7-2018072510.iso", "4.2"),
        ("ovirt-node-ng-installer-4.4.10.1-2022020214.el8.iso", "4.4.10.1"),
        ("ovirt-node-ng-installer-4.5.6-2025022017.alma9.iso", "4.5.6"),
        ("ovirt-node-ng-installer-4.4.0_beta3-2020031214.el8.iso", "4.4.0"),
        ("OVIRT-NODE-NG-INSTALLER-4.5.5-2023113015.EL9.ISO", "4.5.5"),
        ("ovirt-node-ng-installer-master-2018012411.iso", ""),
        ("ovirt-node-ng-installer-2018012411.iso", ""),
        ("ovirt-node-ng-installer-20180124.11.iso", ""),
        ("node.iso", ""),
    ],
)
def test_an_installer_is_told_by_the_name_of_its_image(tmp_path, file, version):
    made = replace(sample(NG), file=file)
    if version:
        assert read(tmp_path, made)[1].distname == f"ovirt{version}"
    else:
        with pytest.raises(Usage, match="does not name its version"):
            read(tmp_path, made)


def test_a_renamed_installer_is_told_by_its_boot_menu(tmp_path):
    menu = {"isolinux/isolinux.cfg": b"menu title oVirt Node 4.1.9\n  menu label ^Install oVirt Node 4.1.9\n"}
    made = replace(sample(NG), file="node.iso", files={**sample(NG).files, **menu})
    assert read(tmp_path, made)[1].distname == "ovirt4.1.9"


def test_a_links_target_is_read_and_not_its_name(tmp_path):
    image = media_iso.write(tmp_path, sample(NG))
    link = tmp_path / "ovirt-node-ng-installer-4.9.9-2030010112.el9.iso"
    link.symlink_to(image.name)
    assert identify(read_iso(link)).distname == "ovirt4.1"


@pytest.mark.parametrize(
    "change",
    [
        {"EFI/BOOT/BOOTX64.EFI": None, "EFI/BOOT/BOOTAA64.EFI": b"MZ", "images/pxeboot/vmlinuz": b"\x1f\x8b gzip"},
        {"images/pxeboot/vmlinuz": b"MZ".ljust(0x38, b"\0") + b"ARM\x64" + bytes(100)},
        {"images/pxeboot/vmlinuz": b"\x7fELF\x02\x01\x01".ljust(0x12, b"\0") + b"\xb7\0" + bytes(100)},
        {".treeinfo": b"[general]\narch = aarch64\nversion = 8\n"},
    ],
    ids=["loader", "kernel", "elf", "treeinfo"],
)
def test_a_medium_for_another_machine_is_not_x86_64(tmp_path, change):
    files = {path: data for path, data in {**sample(NG).files, **change}.items() if data is not None}
    medium, release = read(tmp_path, replace(sample(NG), files=files))
    assert release.arch == "aarch64"
    with pytest.raises(Usage, match="is for aarch64; only x86_64 can be installed"):
        MediaStore(medium, release, tmp_path / "there")


def test_the_layouts_differ():
    assert all(set(a) != set(b) for a, b in combinations(TABLE["layouts"].values(), 2))
