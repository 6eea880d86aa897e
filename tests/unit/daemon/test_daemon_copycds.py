"""copycds of the embedded xcatd with the product's own copycd behind it: several media at once, and its options."""

import pytest

import media_iso
from daemonhelp import Inside

UNKNOWN = "copycds could not identify the ISO supplied, you may wish to try -n <osver>"


@pytest.fixture
def xcat(tmp_path):
    xcat = Inside(tmp_path)
    for name in ("rhevh6", "rhvh4"):
        media_iso.write(xcat.home.root / f"{name}.iso", media_iso.SAMPLES[name])
    media_iso.write(xcat.home.root / "rhel.iso", media_iso.OTHERS["rhel"])
    yield xcat
    xcat.close()


def installed(xcat):
    return sorted(str(path.parent.relative_to(xcat.home.install)) for path in xcat.home.install.rglob("xcat-rhev.json"))


def test_several_media_in_one_command(xcat):
    root, install = xcat.home.root, xcat.home.install
    assert xcat.type("copycds", "rhevh6.iso", "rhel.iso", f"{root}/rhvh4.iso") == [
        f"Copying media to {install}/rhevh6.3/x86_64",
        "Media copy operation successful",
        "The osimage rhevh6.3-x86_64-install-compute is ready for nodeset",
        f"Error: {UNKNOWN}",
        f"Copying media to {install}/rhevh4.3/x86_64",
        "Media copy operation successful",
        "The osimage rhevh4.3-x86_64-install-compute is ready for nodeset",
    ]
    assert xcat.rc == 1
    assert installed(xcat) == ["rhevh4.3/x86_64", "rhevh6.3/x86_64"]
    assert [row["osdistroname"] for row in xcat.table("osdistro")] == ["rhevh6.3-x86_64", "rhevh4.3-x86_64"]


def test_the_same_again(xcat):
    xcat.type("copycds", "rhevh6.iso")
    assert xcat.type("copycds", "rhevh6.iso") == [
        f"Copying media to {xcat.home.install}/rhevh6.3/x86_64: "
        f"{xcat.home.install}/rhevh6.3/x86_64 already holds this medium; nothing was copied",
        "Media copy operation successful",
        "The osimage rhevh6.3-x86_64-install-compute is ready for nodeset",
    ]
    assert xcat.type("copycds", "-w", "rhevh6.iso") == ["The disc iso has already been copied in!"]
    assert xcat.rc == 0


def test_inspection_of_several(xcat):
    root = xcat.home.root
    assert xcat.type("copycds", "-i", "-n", "rhevh9.9", "-a", "x86", "rhevh6.iso", "rhel.iso", "rhvh4.iso") == [
        f"OS Image:{root}/rhevh6.iso",
        "DISTNAME:rhevh6.3\nARCH:x86_64\nDISCNO:1",
        f"OS Image:{root}/rhel.iso",
        f"Error: {UNKNOWN}",
        f"OS Image:{root}/rhvh4.iso",
        "DISTNAME:rhevh4.3\nARCH:x86_64\nDISCNO:1",
    ]
    assert installed(xcat) == []


@pytest.mark.parametrize(
    "words, place, osimage",
    [
        (("--name", "rhevh6.9"), "rhevh6.9/x86_64", "rhevh6.9-x86_64-install-compute"),
        (("-n", "ovirt3.0", "-a", "amd64"), "ovirt3.0/x86_64", "ovirt3.0-x86_64-install-compute"),
        (("-s",), "rhevh6.3.20120926/x86_64", "rhevh6.3.20120926-x86_64-install-compute"),
        (("-o",), "rhevh6.3/x86_64", None),
        (("-p", "install/mine"), "mine", "rhevh6.3-x86_64-install-compute"),
    ],
)
def test_options_reach_copycd(xcat, words, place, osimage):
    xcat.type("copycds", *words, "rhevh6.iso")
    assert xcat.rc == 0
    assert installed(xcat) == [place]
    assert [row["imagename"] for row in xcat.table("osimage")] == ([osimage] if osimage else [])


def test_a_machine_that_cannot_be_installed_is_named(xcat):
    files = {**media_iso.SAMPLES["rhvh4"].files, ".treeinfo": media_iso.treeinfo("ppc64le", "4.3")}
    sample = media_iso.Sample("x.iso", "RHVH-4.3 RHVH.ppc64le", files, "rhevh4.3", kickstart=True)
    media_iso.write(xcat.home.root / "power.iso", sample)
    (line,) = xcat.type("copycds", "power.iso")
    assert "is for ppc64le; only x86_64 can be installed" in line and xcat.rc
    assert installed(xcat) == []
