"""mkinstall as nodeset calls it: files made once, every node answered for, nothing else written."""

import json
import re
import shutil

import pytest

import media_iso
from fakes import FakeHost
from nameservice import NameService
from xcat_rhev.clock import ManualClock
from xcat_rhev.commands import mkinstall
from xcat_rhev.media import bootfiles
from xcat_rhev.media.identify import identify
from xcat_rhev.media.iso import read_iso
from xcat_rhev.media.passwords import sha512_crypt
from xcat_rhev.media.store import MediaStore
from xcat_rhev.messages import Error, Warn
from xcat_rhev.plan.context import Context
from xcat_rhev.plan.jobs import Job
from xcat_rhev.run.runner import Runner
from xcat_rhev.xcat.host import Request


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Two media, two osimages, three nodes: n1 and n2 with the live one, n3 with the installer."""
    NameService().install(monkeypatch)
    images = {}
    for name in ("rhevh7", "rhvh4"):
        medium = read_iso(media_iso.write(tmp_path, media_iso.SAMPLES[name]))
        release = identify(medium)
        target = tmp_path / "install" / release.distname / "x86_64"
        list(MediaStore(medium, release, target).copy())
        images[name] = (f"{release.distname}-x86_64-install-compute", release.distname, str(target))
    nodes = {"n1": "rhevh7", "n2": "rhevh7", "n3": "rhvh4"}
    return FakeHost(
        {
            "site": [
                {"key": key, "value": value}
                for key, value in {
                    "installdir": f"{tmp_path}/install",
                    "tftpdir": f"{tmp_path}/tftpboot",
                    "master": "10.0.0.1",
                    "domain": "example.com",
                    "timezone": "Europe/Berlin",
                }.items()
            ],
            "passwd": [
                {"key": "rhevh", "username": "admin", "password": "sentinel-admin"},
                {"key": "rhevh", "username": "root", "password": "sentinel-root"},
            ],
            "nodetype": [
                {
                    "node": node,
                    "os": images[name][1],
                    "arch": "x86_64",
                    "profile": "compute",
                    "provmethod": images[name][0],
                }
                for node, name in nodes.items()
            ],
            "mac": [{"node": node, "mac": f"52:54:00:00:00:0{node[1]}"} for node in nodes],
            "hosts": [{"node": node, "ip": f"10.0.0.1{node[1]}"} for node in nodes],
            "hypervisor": [{"node": node, "mgr": "rhevm.example.com"} for node in nodes],
            "linuximage": [{"imagename": name, "pkgdir": folder} for name, _, folder in images.values()],
        }
    )


def prepare(host, *nodes):
    request = Request("mkinstall", nodes)
    said, jobs = [], []
    for item in mkinstall.plan(Context(request, nodes, {}, (), host, ManualClock())):
        (jobs if isinstance(item, Job) else said).append(item)
    return [*said, *Runner(None, 1, request.aborted).run(jobs)]


def test_every_node_gets_kernel_initrd_and_line(site, tmp_path):
    assert prepare(site, "n1", "n2", "n3") == []
    assert set(site.bootparams) == {"n1", "n2", "n3"}
    for node in ("n1", "n2", "n3"):
        kernel, initrd, line = site.bootparams[node]
        assert (tmp_path / "tftpboot" / kernel).is_file() and (tmp_path / "tftpboot" / initrd).is_file()
        assert f"BOOTIF=01-52-54-00-00-00-0{node[1]}" in line.split()
    assert (
        site.bootparams["n1"][:2]
        == site.bootparams["n2"][:2]
        == (
            "xcat/osimage/rhevh7.3-x86_64-install-compute/vmlinuz0",
            "xcat/osimage/rhevh7.3-x86_64-install-compute/initrd0.img",
        )
    )
    assert site.bootparams["n3"][0] == "xcat/osimage/rhevh4.3-x86_64-install-compute/vmlinuz"


def test_no_table_is_written_least_of_all_bootparams(site):
    prepare(site, "n1", "n2", "n3")
    assert site.writes == []
    assert site.runs == []


def test_the_iso_in_the_initrd_is_the_original(site, tmp_path):
    prepare(site, "n1")
    initrd = (tmp_path / "tftpboot" / site.bootparams["n1"][1]).read_bytes()
    assert (tmp_path / "rhev-hypervisor7-7.3-20170424.0.iso").read_bytes() in initrd
    assert initrd.startswith(media_iso.SAMPLES["rhevh7"].files["isolinux/initrd0.img"])


def test_one_initrd_serves_all_nodes_and_is_made_once(site, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(bootfiles, "build", lambda *paths: iter(made.append(paths) or ()))
    prepare(site, "n1", "n2")
    assert len(made) == 1


def test_a_second_nodeset_makes_nothing_again(site, tmp_path):
    prepare(site, "n1", "n3")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "tftpboot").rglob("*")}
    prepare(site, "n1", "n2", "n3")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "tftpboot").rglob("*")} == before


def test_passwords_are_hashed_once_and_never_shown(site):
    said = prepare(site, "n1", "n2")
    values = [dict(word.partition("=")[::2] for word in site.bootparams[node][2].split()) for node in ("n1", "n2")]
    assert values[0]["adminpw"] == values[1]["adminpw"]
    assert sha512_crypt("sentinel-admin", values[0]["adminpw"]) == values[0]["adminpw"]
    assert sha512_crypt("sentinel-root", values[0]["rootpw"]) == values[0]["rootpw"]
    assert values[0]["rhevm_admin_password"] == values[0]["rootpw"]
    assert "sentinel" not in json.dumps(site.bootparams) + str(said)


def test_the_kickstart_is_where_its_line_says(site, tmp_path):
    prepare(site, "n3")
    assert "inst.ks=http://10.0.0.1/install/autoinst/n3" in site.bootparams["n3"][2].split()
    path = tmp_path / "install/autoinst/n3"
    text = path.read_text()
    assert "liveimg --url=http://10.0.0.1/install/rhevh4.3/x86_64/squashfs.img" in text
    assert (tmp_path / "install/rhevh4.3/x86_64/squashfs.img").read_bytes() == media_iso.SQUASHFS
    assert "http://10.0.0.1/xcatrhevh/rhevh_finish_install/n3'" in text
    assert "timezone Europe/Berlin --utc" in text
    assert oct(path.stat().st_mode & 0o777) == "0o644"


def test_the_web_server_learns_who_the_nodes_are(site, tmp_path):
    prepare(site, "n1", "n3")
    read = json.loads((tmp_path / "install/xcatrhevh/nodes.json").read_text())
    assert read["addresses"] == {"10.0.0.11": "n1", "10.0.0.13": "n3"}
    assert read["names"] == {"n1": "n1", "n1.example.com": "n1", "n3": "n3", "n3.example.com": "n3"}


def test_a_node_only_the_name_service_knows(site, tmp_path, monkeypatch):
    site.tables["hosts"] = []
    NameService(forward={"n1": "192.0.2.1"}).install(monkeypatch)
    prepare(site, "n1")
    assert json.loads((tmp_path / "install/xcatrhevh/nodes.json").read_text())["addresses"] == {"192.0.2.1": "n1"}


def test_one_nodes_mistake_is_its_own(site):
    site.tables["mac"][0]["mac"] = ""
    said = prepare(site, "n1", "n2", "n3")
    assert said == [Error("mac.mac is not set. Run: chtab node=n1 mac.mac=52:54:00:12:34:56", "n1")]
    assert set(site.bootparams) == {"n2", "n3"}


def test_a_missing_admin_password_stops_live_images_only(site):
    del site.tables["passwd"][0]
    said = prepare(site, "n1", "n3")
    assert [(message.node, "username=admin" in message.text) for message in said] == [("n1", True)]
    assert set(site.bootparams) == {"n3"}


@pytest.mark.parametrize(
    "break_it, why",
    [
        (lambda site, path: shutil.rmtree(path / "install/rhevh7.3"), "no medium was copied to .*rhevh7.3.* copycds"),
        (lambda site, path: (path / "install/rhevh7.3/x86_64/rhevh.iso").unlink(), "rhevh.iso.* is missing"),
        (lambda site, path: (path / "install/rhevh7.3/x86_64/isolinux/vmlinuz0").unlink(), "vmlinuz0 is missing"),
        (lambda site, path: (path / "tftpboot").write_text("a file"), "cannot write"),
    ],
    ids=["medium", "iso", "kernel", "tftpdir"],
)
def test_a_medium_that_is_gone_is_every_nodes_error(site, tmp_path, break_it, why):
    break_it(site, tmp_path)
    said = prepare(site, "n1", "n2")
    assert sorted(message.node for message in said) == ["n1", "n2"]
    for message in said:
        assert isinstance(message, Error)
        assert re.search(why, message.text), message.text
    assert site.bootparams == {}


def test_a_folder_that_the_web_server_does_not_offer(site, tmp_path):
    shutil.move(tmp_path / "install/rhevh4.3", tmp_path / "elsewhere")
    site.tables["linuximage"][1]["pkgdir"] = f"{tmp_path}/elsewhere/x86_64"
    (error,) = prepare(site, "n3")
    assert "is not below" in error.text and "copycds" in error.text


def test_provmethod_install_means_the_usual_image(site):
    site.tables["nodetype"][0]["provmethod"] = "install"
    assert prepare(site, "n1") == []
    assert site.bootparams["n1"][0] == "xcat/osimage/rhevh7.3-x86_64-install-compute/vmlinuz0"


def test_without_an_image_row_the_usual_folder_is_used(site):
    site.tables["linuximage"] = []
    assert prepare(site, "n1") == []


def test_a_node_with_its_own_tftpdir(site, tmp_path):
    site.tables["noderes"] = [{"node": "n2", "tftpdir": f"{tmp_path}/other"}]
    prepare(site, "n1", "n2")
    for top, node in (("tftpboot", "n1"), ("other", "n2")):
        assert (tmp_path / top / site.bootparams[node][0]).is_file()


def test_what_people_should_know_is_a_warning(site):
    site.tables["hypervisor"] = []
    (warning,) = prepare(site, "n1", "n3")
    assert isinstance(warning, Warn) and warning.node == "n1" and "hypervisor.mgr" in warning.text


@pytest.mark.parametrize("netboot, warned", [("xnba", True), ("pxe", True), ("", True), ("grub2-http", False)])
def test_a_bond_that_the_boot_loader_overrules_is_a_warning(site, netboot, warned):
    site.tables["noderes"] = [{"node": "n1", "installnic": "bond0", "netboot": netboot}]
    site.tables["nics"] = [{"node": "n1", "nictypes": "bond0!bond", "nicdevices": "bond0!eth0|eth1"}]
    said = [message.text for message in prepare(site, "n1")]
    assert [("takes before bond0" in text) for text in said] == [True] * warned


@pytest.mark.parametrize("netboot, warned", [("", False), ("xnba", False), ("grub2-tftp", False), ("yaboot", True)])
def test_a_boot_loader_that_does_not_work_is_answered_with_all_that_do(site, netboot, warned):
    site.tables["noderes"] = [{"node": "n1", "netboot": netboot}]
    said = [message.text for message in prepare(site, "n1")]
    names = "Set it to xnba, pxe, grub2, grub2-http or grub2-tftp"
    assert said == [f"noderes.netboot={netboot} starts no such image. {names}"] * warned


def test_an_image_that_cannot_tell_its_end_is_a_warning(site, tmp_path):
    medium = read_iso(media_iso.write(tmp_path, media_iso.SAMPLES["rhevh5"]))
    list(MediaStore(medium, identify(medium), tmp_path / "install/rhevh5.8/x86_64").copy())
    site.tables["linuximage"][0]["pkgdir"] = f"{tmp_path}/install/rhevh5.8/x86_64"
    (warning,) = prepare(site, "n1")
    assert "nodeset n1 boot" in warning.text
    assert "local_boot_trigger" not in site.bootparams["n1"][2]


def test_a_sites_own_template_is_used(site, tmp_path):
    (tmp_path / "mine.tmpl").write_text("# @@node@@\n@@network@@\n")
    site.tables["linuximage"][1]["template"] = f"{tmp_path}/mine.tmpl"
    prepare(site, "n3")
    assert (tmp_path / "install/autoinst/n3").read_text().startswith("# n3\nnetwork --onboot=yes")
