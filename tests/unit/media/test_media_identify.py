"""Every generation is told by its own files, whatever kind of names the image has; media of others are not."""

from dataclasses import replace

import pytest

import media_iso
from xcat_rhev.errors import BadAnswer, Usage
from xcat_rhev.media.identify import identify, looks_ours
from xcat_rhev.media.iso import read_iso
from xcat_rhev.media.medium import read_folder
from xcat_rhev.media.names import parse_name


def told(tmp_path, sample, **kinds):
    return identify(read_iso(media_iso.write(tmp_path, sample, **kinds)))


@pytest.mark.parametrize("kinds", [{}, {"joliet": False}, {"rock_ridge": False}, {"udf": True}], ids=str)
@pytest.mark.parametrize("name", media_iso.SAMPLES)
def test_each_generation_is_told(tmp_path, name, kinds):
    sample = media_iso.SAMPLES[name]
    release = told(tmp_path, sample, **kinds)
    assert (release.distname, release.arch, release.kickstart) == (sample.distname, sample.arch, sample.kickstart)


@pytest.mark.parametrize("name", ["rhevh5", "rhevh6", "rhevh7", "ovirt2", "ovirt3"])
def test_live_images_are_told_by_plain_iso_names(tmp_path, name):
    sample = media_iso.SAMPLES[name]
    assert told(tmp_path, sample, rock_ridge=False, joliet=False).distname == sample.distname


@pytest.mark.parametrize("name", media_iso.OTHERS)
def test_media_of_others_are_not_ours(tmp_path, name):
    assert told(tmp_path, media_iso.OTHERS[name]) is None


def test_a_mounted_medium_is_told_like_its_image(tmp_path):
    for path, data in media_iso.SAMPLES["ovirt4"].files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    with pytest.raises(Usage, match=r"does not name its version. Add -n ovirtVERSION, such as -n ovirt4\.5\.5"):
        identify(read_folder(tmp_path))  # no file name to tell it by, and .treeinfo has CentOS's
    (tmp_path / ".treeinfo").write_bytes(media_iso.treeinfo("x86_64", "4.4.10", "ovirt-node"))
    assert identify(read_folder(tmp_path)).distname == "ovirt4.4.10"


@pytest.mark.parametrize(
    "label, distname",
    [
        ("RHVH-4.4 RHVH.x86_64", "rhevh4.4"),
        ("RHVH-3.6 RHVH.x86_64", "rhevh3.6"),
        ("RHVH-4.0", "rhevh4.0"),
    ],
)
def test_the_label_alone_makes_a_red_hat_host(tmp_path, label, distname):
    sample = replace(media_iso.OTHERS["rhel"], label=label)
    release = told(tmp_path, sample)
    assert (release.distname, release.kickstart) == (distname, True)


def test_a_red_hat_host_without_that_label_is_told_by_its_package(tmp_path):
    sample = replace(media_iso.SAMPLES["rhvh4"], label="CUSTOM")
    assert told(tmp_path, sample).distname == "rhevh4.3"


def test_the_file_name_helps_an_image_that_tells_no_version(tmp_path):
    files = dict(media_iso.SAMPLES["rhevh5"].files)
    files["isolinux/isolinux.cfg"] = b"label linux0\n append root=live:CDLABEL=rhev-hypervisor\n"
    sample = replace(media_iso.SAMPLES["rhevh5"], files=files)
    assert told(tmp_path, sample).distname == "rhevh5.8"
    with pytest.raises(Usage, match="-n rhevh"):
        told(tmp_path, replace(sample, file="some.iso"))
    assert identify(read_iso(media_iso.write(tmp_path, replace(sample, file="x.iso"))), "5.4").version == "5.4"


@pytest.mark.parametrize("version", ["../../etc", "6.2; rm -rf /", "$(id)", "6.2/..", "6.2\\n", "", "99999.1"])
def test_a_version_that_makes_no_sense_is_refused(tmp_path, version):
    sample = media_iso.SAMPLES["rhevh6"]
    files = {**sample.files, "isolinux/version": media_iso.version_file(media_iso.RHEV, "rhev", f"'{version}'", "1")}
    with pytest.raises((BadAnswer, Usage), match="-n rhevh"):
        told(tmp_path, replace(sample, files=files))


def test_the_version_file_is_read_and_never_run(tmp_path):
    sample = media_iso.SAMPLES["rhevh6"]
    text = b"PRODUCT='unclosed\n\nPRODUCT=$(touch /tmp/owned)\nPACKAGE=rhev-hypervisor6\nVERSION=6.4 # why\n=x\n"
    release = told(tmp_path, replace(sample, files={**sample.files, "isolinux/version": text}))
    assert (release.distname, release.build, release.product) == ("rhevh6.4", "", "$(touch")


@pytest.mark.parametrize(
    "data, arch",
    [
        (media_iso.kernel(wide=False), "x86"),
        (media_iso.kernel(protocol=0x20A, version=b"2.6.32-358.el6.x86_64 (mock) #1"), "x86_64"),
        (media_iso.kernel(protocol=0x204, version=b"2.6.18-348.el5.i686 (mock) #1"), "x86"),
        (b"", "x86_64"),
        (b"HdrS" * 200, "x86_64"),
    ],
    ids=["narrow", "el6", "el5-32", "empty", "nonsense"],
)
def test_the_kernel_tells_how_wide_it_is(tmp_path, data, arch):
    sample = media_iso.SAMPLES["rhevh6"]
    assert told(tmp_path, replace(sample, files={**sample.files, "isolinux/vmlinuz0": data})).arch == arch


def test_names_that_people_give():
    assert parse_name("rhevh6.2") == ("rhevh", "6.2")
    assert parse_name("ovirt4.5.5") == ("ovirt", "4.5.5")
    assert parse_name("rhvh4.4") == ("rhevh", "4.4"), "which is what RHEV-H is called since 4.0"
    assert parse_name("ovirt4.5.4.2022120615.el9") == ("ovirt", "4.5.4.2022120615.el9")


@pytest.mark.parametrize("name", ["rhels7.3", "rhev6.2", "rhevh", "", "xrhevh6.2"])
def test_names_of_others_are_left_to_others(name):
    assert parse_name(name) is None


@pytest.mark.parametrize("name", ["rhevh-6", "rhevh6.2/../..", "ovirtnode", "rhevh6.2 x", "rhevh6."])
def test_names_of_ours_without_a_version_are_refused(name):
    with pytest.raises(Usage, match="is not a version"):
        parse_name(name)


def test_labels_that_make_a_damaged_image_ours():
    assert looks_ours("RHVH-4.3 RHVH.x86_64") and looks_ours("rhev-hypervisor6") and looks_ours("ovirt-node-iso")
    assert not looks_ours("RHEL-7.3 Server.x86_64") and not looks_ours("")
