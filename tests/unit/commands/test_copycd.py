"""copycd as xCAT's copycds calls it: what it says, what it writes, and when it keeps its mouth shut."""

import re
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

import media_iso
from fakes import FakeHost
from xcat_rhev.clock import ManualClock, SystemClock
from xcat_rhev.commands import copycd
from xcat_rhev.declare.parsing import parse
from xcat_rhev.errors import Aborted, BadAnswer, Usage
from xcat_rhev.media.store import NOTES, open_image
from xcat_rhev.messages import Data, Error, Info, Progress, Warn
from xcat_rhev.plan.context import Context
from xcat_rhev.plan.jobs import Job
from xcat_rhev.run.runner import Runner
from xcat_rhev.xcat.host import Request


@pytest.fixture
def host(tmp_path):
    return FakeHost({"site": [{"key": "installdir", "value": f"{tmp_path}/install"}]})


def copycds(host, *args, cwd="/", clock=None):
    options, words = parse(copycd.SPEC, [str(arg) for arg in args])
    request = Request("copycd", (), tuple(map(str, args)), cwd=str(cwd))
    said, jobs = [], []
    for item in copycd.plan(Context(request, (), options, words, host, clock or ManualClock())):
        (jobs if isinstance(item, Job) else said).append(item)
    return [*said, *Runner(None, 1, request.aborted).run(jobs)]


def texts(said):
    return [message.text for message in said]


@pytest.mark.parametrize("name", media_iso.SAMPLES)
def test_a_medium_gets_its_folder_and_its_rows(host, tmp_path, name):
    sample = media_iso.SAMPLES[name]
    iso = media_iso.write(tmp_path, sample)
    target = tmp_path / "install" / sample.distname / "x86_64"
    image = f"{sample.distname}-x86_64-install-compute"
    assert texts(copycds(host, "-f", iso)) == [
        f"Copying media to {target}",
        "Media copy operation successful",
        f"The osimage {image} is ready for nodeset",
    ]
    assert open_image(target).distname == sample.distname
    major, _, minor = re.sub("[a-z]", "", sample.distname).partition(".")
    assert host.rows("osdistro") == [
        {
            "osdistroname": f"{sample.distname}-x86_64",
            "basename": "rhevh" if name[0] == "r" else "ovirt",
            "majorversion": major,
            "minorversion": minor,
            "arch": "x86_64",
            "type": "Linux",
            "dirpaths": str(target),
        }
    ]
    assert host.rows("osimage") == [
        {
            "imagename": image,
            "imagetype": "linux",
            "provmethod": "install",
            "profile": "compute",
            "osname": "Linux",
            "osvers": sample.distname,
            "osarch": "x86_64",
            "osdistroname": f"{sample.distname}-x86_64",
        }
    ]
    (row,) = host.rows("linuximage")
    assert row["pkgdir"] == str(target)
    assert bool(row.get("template")) is sample.kickstart


@pytest.mark.parametrize("name", media_iso.OTHERS)
def test_media_of_others_are_passed_over_without_a_word(host, tmp_path, name):
    iso = media_iso.write(tmp_path, media_iso.OTHERS[name])
    assert copycds(host, "-f", iso) == []
    assert copycds(host, "-i", "-f", iso) == []
    assert copycds(host, "-f", iso, "-n", "rhels7.3", "-a", "x86_64") == []
    assert not (tmp_path / "install").exists()
    assert host.writes == []


@pytest.mark.parametrize("data", [b"", b"x" * 50_000, bytes(1 << 20)], ids=["empty", "text", "zeros"])
def test_what_is_no_medium_is_passed_over(host, tmp_path, data):
    (tmp_path / "x.iso").write_bytes(data)
    assert copycds(host, "-f", tmp_path / "x.iso") == []
    with pytest.raises(Usage, match=r"x\.iso is not a RHEV-H, RHVH or oVirt Node medium. Leave -n rhevh6\.2 out"):
        copycds(host, "-f", tmp_path / "x.iso", "-n", "rhevh6.2")


def test_a_damaged_medium_of_others_is_passed_over_and_one_of_ours_is_not(host, tmp_path):
    for sample, silent in ((media_iso.OTHERS["rhel"], True), (media_iso.SAMPLES["rhvh4"], False)):
        iso = media_iso.write(tmp_path, sample)
        iso.write_bytes(iso.read_bytes()[: 20 * 2048])
        if silent:
            assert copycds(host, "-f", iso) == []
        else:
            with pytest.raises(BadAnswer, match="cut off"):
                copycds(host, "-f", iso)


def test_a_medium_of_others_called_by_one_of_our_names_is_refused(host, tmp_path):
    iso = media_iso.write(tmp_path, media_iso.OTHERS["centos"])
    with pytest.raises(Usage, match="is not a RHEV-H"):
        copycds(host, "-f", iso, "-n", "rhevh6.2", "-a", "x86_64")


def test_inspection_says_what_it_is_and_copies_nothing(host, tmp_path):
    iso = media_iso.write(tmp_path, media_iso.SAMPLES["rhevh7"])
    assert copycds(host, "-f", iso, "-i") == [Info("DISTNAME:rhevh7.3\nARCH:x86_64\nDISCNO:1\n")]
    assert not (tmp_path / "install").exists() and host.writes == []


def test_what_people_say_wins(host, tmp_path):
    iso = media_iso.write(tmp_path, media_iso.SAMPLES["rhevh6"])
    copycds(host, "-f", iso, "-n", "rhevh6.9", "-a", "amd64", "-p", "own/place", "-o", cwd=tmp_path)
    assert open_image(tmp_path / "own/place").distname == "rhevh6.9"
    assert host.rows("osimage") == [] and host.rows("linuximage") == []
    assert host.rows("osdistro")[0]["dirpaths"] == str(tmp_path / "own/place")


def test_a_second_folder_is_added_to_the_row(host, tmp_path):
    iso = media_iso.write(tmp_path, media_iso.SAMPLES["rhevh6"])
    copycds(host, "-f", iso)
    copycds(host, "-f", iso, "-p", tmp_path / "second")
    assert host.rows("osdistro")[0]["dirpaths"] == f"{tmp_path}/install/rhevh6.3/x86_64,{tmp_path}/second"


@pytest.mark.parametrize(
    ("path", "outside"), [("second", True), ("install", False), ("install/x", False), ("install2", True)]
)
def test_a_folder_outside_of_the_install_directory_is_told(host, tmp_path, path, outside):
    iso = media_iso.write(tmp_path, media_iso.SAMPLES["rhevh6"])
    told = [message.text for message in copycds(host, "-f", iso, "-p", tmp_path / path) if isinstance(message, Warn)]
    assert [f"{tmp_path / path} is outside of {tmp_path}/install" in text for text in told] == [True] * outside


def test_the_same_medium_again_changes_nothing_and_says_so(host, tmp_path):
    iso = media_iso.write(tmp_path, media_iso.SAMPLES["rhvh4"])
    copycds(host, "-f", iso)
    files = [path for path in (tmp_path / "install").rglob("*") if path.is_file() and path.name != NOTES]
    before = [path.stat() for path in files]
    said = texts(copycds(host, "-f", iso))
    assert "already holds this medium" in said[0]
    assert [(now.st_ino, now.st_mtime_ns) for now in map(Path.stat, files)] == [
        (was.st_ino, was.st_mtime_ns) for was in before
    ]


def test_a_damaged_copy_is_made_again(host, tmp_path):
    iso = media_iso.write(tmp_path, media_iso.SAMPLES["rhevh6"])
    copycds(host, "-f", iso)
    kernel = tmp_path / "install/rhevh6.3/x86_64/isolinux/vmlinuz0"
    for damage in (lambda: kernel.write_bytes(b"damaged"), kernel.unlink):
        damage()
        assert "Media copy operation successful" in texts(copycds(host, "-f", iso))
        assert kernel.read_bytes() == media_iso.SAMPLES["rhevh6"].files["isolinux/vmlinuz0"]


def test_nonoverwrite_leaves_alone_what_is_there(host, tmp_path):
    iso = media_iso.write(tmp_path, media_iso.SAMPLES["rhevh6"])
    copycds(host, "-f", iso)
    other = media_iso.write(tmp_path / "other.iso", replace(media_iso.SAMPLES["rhevh6"], label="rhev-hypervisor7"))
    assert copycds(host, "-f", other, "-w") == [Info("The disc iso has already been copied in!")]
    assert (tmp_path / "install/rhevh6.3/x86_64/rhevh.iso").read_bytes() == iso.read_bytes()


def test_specific_keeps_two_builds_side_by_side(host, tmp_path):
    iso = media_iso.write(tmp_path, media_iso.SAMPLES["rhevh6"])
    copycds(host, "-f", iso, "-s")
    assert open_image(tmp_path / "install/rhevh6.3.20120926/x86_64").distname == "rhevh6.3.20120926"
    sample = media_iso.SAMPLES["rhevh6"]
    nameless = {"isolinux/version": media_iso.version_file(media_iso.RHEV, "rhev-hypervisor", "6.3", "")}
    with pytest.raises(Usage, match="does not name its build"):
        copycds(host, "-f", media_iso.write(tmp_path, replace(sample, files={**sample.files, **nameless})), "-s")


@pytest.mark.parametrize(
    "first, second, folders",
    [
        ("rhvh4", "RHVH-4.3-20191120.1-RHVH-x86_64-dvd1.iso", ["rhevh4.3.20190404.el7", "rhevh4.3.20191120.1.el7"]),
        (
            "ovirt4",
            "ovirt-node-ng-installer-4.5.5-2024010209.el9.iso",
            ["ovirt4.5.5.2023113015.el9", "ovirt4.5.5.2024010209.el9"],
        ),
    ],
)
def test_two_builds_of_an_installer_stand_side_by_side_and_their_names_are_taken(
    host, tmp_path, first, second, folders
):
    sample = media_iso.SAMPLES[first]
    for file in (sample.file, second):
        copycds(host, "-f", media_iso.write(tmp_path, replace(sample, file=file)), "-s")
    assert sorted(path.name for path in (tmp_path / "install").iterdir() if path.name != "custom") == folders
    assert len(host.rows("osimage")) == 2
    copycds(host, "-f", tmp_path / second, "-n", folders[0])
    assert open_image(tmp_path / "install" / folders[0] / "x86_64").distname == folders[0]


def test_rhvh_is_what_rhev_h_is_called_since_4(host, tmp_path):
    iso = media_iso.write(tmp_path, media_iso.SAMPLES["rhvh4"])
    copycds(host, "-f", iso, "-n", "rhvh4.4")
    assert open_image(tmp_path / "install/rhevh4.4/x86_64").version == "4.4"


def test_a_template_that_somebody_set_stays(host, tmp_path):
    host.tables["linuximage"] = [{"imagename": "rhevh4.3-x86_64-install-compute", "template": "/mine"}]
    copycds(host, "-f", media_iso.write(tmp_path, media_iso.SAMPLES["rhvh4"]))
    assert host.rows("linuximage")[0]["template"] == "/mine"


def test_a_mount_point_serves_for_an_installer(host, tmp_path):
    for path, data in media_iso.SAMPLES["ovirt4"].files.items():
        (tmp_path / "mount" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mount" / path).write_bytes(data)
    copycds(host, "-m", tmp_path / "mount", "-n", "ovirt4.5.5")
    assert open_image(tmp_path / "install/ovirt4.5.5/x86_64").iso == ""
    shutil.rmtree(tmp_path / "mount" / "images")
    (tmp_path / "mount" / ".treeinfo").unlink()
    (tmp_path / "mount/ovirt-node-ng-image.squashfs.img").unlink()
    assert copycds(host, "-m", tmp_path / "mount") == []


def test_words_that_are_missing_or_wrong(host, tmp_path):
    with pytest.raises(Usage, match="needs the ISO. Name it with -f"):
        copycds(host)
    with pytest.raises(Usage, match=r"cannot read .*none\.iso: No such file"):
        copycds(host, "-f", tmp_path / "none.iso")
    with pytest.raises(Usage, match="is not a version"):
        copycds(host, "-f", tmp_path / "none.iso", "-n", "rhevh-latest")


def test_an_architecture_that_cannot_be_installed(host, tmp_path):
    with pytest.raises(Usage, match="is for ppc64le"):
        copycds(host, "-f", media_iso.write(tmp_path, media_iso.SAMPLES["rhvh4"]), "-a", "ppc64le")


def test_a_failed_copy_writes_no_rows(host, tmp_path):
    iso = media_iso.write(tmp_path, media_iso.SAMPLES["rhevh6"])
    (tmp_path / "install/rhevh6.3/x86_64").mkdir(parents=True)
    (tmp_path / "install/rhevh6.3/x86_64/mine").write_text("mine")
    (error,) = [message for message in copycds(host, "-f", iso) if isinstance(message, Error)]
    assert "was not made by copycds" in error.text and error.code == 1
    assert host.writes == []


def test_progress_is_shown_as_the_copy_goes(host, tmp_path):
    class Ticking(ManualClock):
        def now(self):
            self.advance(0.1)
            return super().now()

    iso = media_iso.write(tmp_path, media_iso.SAMPLES["rhvh4"])
    said = [message for message in copycds(host, "-f", iso, clock=Ticking()) if isinstance(message, Progress)]
    assert said and all("%" in message.text and "/s" in message.text for message in said)


def test_ctrl_c_takes_the_half_copy_away(host, tmp_path):
    iso = media_iso.write(tmp_path, media_iso.SAMPLES["rhvh4"])
    options, words = parse(copycd.SPEC, ["-f", str(iso)])
    aborted = threading.Event()
    request = Request("copycd", cwd="/", aborted=aborted)
    (job,) = [item for item in copycd.plan(Context(request, (), options, words, host, SystemClock()))]
    messages = job.parts[0].do()
    assert next(messages) == Data(f"Copying media to {tmp_path}/install/rhevh4.3/x86_64")
    aborted.set()
    with pytest.raises(Aborted):
        list(messages)
    assert not (tmp_path / "install").exists()


@pytest.mark.parametrize(
    ("args", "warned"), [(["-n", "rhevh6.6"], False), (["-m", "/mnt", "-n", "rhevh6.6"], True), (["-m", "/mnt"], False)]
)
def test_where_xcats_own_plugin_copies_too_that_is_said(host, tmp_path, args, warned):
    iso = media_iso.write(tmp_path, media_iso.SAMPLES["rhevh6"])
    said = [message for message in copycds(host, *args, "-f", iso) if isinstance(message, Warn)]
    assert bool(said) is warned
    assert not warned or "copycds without -n is enough" in said[0].text
