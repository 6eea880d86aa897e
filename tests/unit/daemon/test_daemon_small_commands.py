"""nodegrpch, nodepurge, makeknownhosts, rmimage and chkosimage: what a Perl xCAT's users know, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemonhelp import Inside
from xcat_rhev.daemon.core import makeknownhosts, osimages

KEY = "ssh-rsa AAAAkey root@mn"


@pytest.fixture
def xcat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inside]:
    monkeypatch.setattr(makeknownhosts, "ssh_folder", lambda: tmp_path / "ssh")
    yield from _daemon(tmp_path)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """One for all tests that change nothing."""
    for xcat in _daemon(tmp_path_factory.mktemp("untouched")):
        _image(xcat)
        yield xcat


def _daemon(folder: Path) -> Iterator[Inside]:
    xcat = Inside(folder)
    xcat.type("chdef", "-t", "site", "clustersite", "domain=c.test")
    xcat.type("mkdef", "n1", "groups=some,all", "mgt=rhevm", "ip=10.9.0.1")
    xcat.type("mkdef", "n2", "groups=some,all", "ip=10.9.0.2")
    xcat.type("mkdef", "n3", "groups=all")
    yield xcat
    xcat.close()


def nodes(xcat: Inside, table: str) -> dict[str, dict[str, str]]:
    return {row.pop("node"): row for row in xcat.table(table)}


def test_a_group_s_nodes_lose_what_would_hide_its_value(xcat):
    xcat.type("nodech", "nodehm.mgt=hmc", "nodehm.cons=kvm", on="n1")
    assert xcat.type("nodegrpch", "some,other", "mgt=ipmi", "nodetype.arch=x86_64") == [] and xcat.rc == 0
    assert nodes(xcat, "nodehm") == {"n1": {"cons": "kvm"}, "some": {"mgt": "ipmi"}, "other": {"mgt": "ipmi"}}
    assert nodes(xcat, "nodetype") == {"some": {"arch": "x86_64"}, "other": {"arch": "x86_64"}}
    assert xcat.type("nodels", "nodehm.mgt", on="n1,n2,n3") == ["n1: ipmi", "n2: ipmi", "n3: "]


def test_members_of_a_dynamic_group_inherit_nothing_so_they_get_no_surprise(xcat):
    xcat.type("mkdef", "-t", "group", "dyn", "-d", "-w", "mgt==rhevm")
    xcat.type("nodegrpch", "dyn", "nodetype.arch=x86_64")
    assert nodes(xcat, "nodetype") == {"dyn": {"arch": "x86_64"}}


@pytest.mark.parametrize(
    "words, said",
    [
        ((), "Usage: nodegrpch <group1,group2,...> [table.column=value] [...]"),
        (("-c",), "Error: nodegrpch has no option -c. Usage: run nodegrpch -h"),
        (("some", "groups=a"), "Error: Group membership is not changeable via nodegrpch"),
        (("some", "nodehm.power,=a"), "Error: ,= and ^= are not supported by nodegrpch"),
        (("some", "nodehm.power^=a"), "Error: ,= and ^= are not supported by nodegrpch"),
        (("some", "mgt=a", "nodehm.nosuch=1"), "Error: nodehm.nosuch not a valid table.column description"),
        (("some", "mgt=a", "word"), "Error: Malformed argument word ignored."),
        (("some", "nodehm.mgt==hmc"), "Error: Malformed argument nodehm.mgt==hmc ignored."),
        (
            ("some", "site.value=1"),
            "Error: site.value is not an attribute of nodes: the rows of table site belong to no node",
        ),
        (("some,n1", "mgt=a"), "Error: n1: a node and no group. Run: nodech"),
        (("n[1-3]", "mgt=a"), "Error: nodegrpch takes names of groups. Write them with commas between them"),
        ((",", "mgt=a"), "Error: nodegrpch takes names of groups. Write them with commas between them"),
        (("some", "node=a"), "Error: node. not a valid table.column description. Did you mean nodehm?"),
        (("some", "nodehm.node=a"), "Error: nodehm.node is not inherited from groups"),
        (("some", "nodelist.status=a"), "Error: nodelist.status is not inherited from groups"),
        (("-d", "some", "nodehm", "site"), "Error: ERROR: Unable to open table site in configuration"),
        (("-d", "some", "nodehm.mgt"), "Error: . and = not valid in delete mode."),
    ],
)
def test_nodegrpch_writes_nothing_when_a_word_is_wrong(untouched, words, said):
    before = untouched.table("nodehm")
    assert untouched.type("nodegrpch", *words)[0] == said
    assert untouched.rc == 1 and untouched.table("nodehm") == before


def test_nodegrpch_stops_inheritance_and_removes_rows(xcat):
    xcat.type("nodegrpch", "all", "nodehm.cons=kvm", "nodehm.power=@=x")
    xcat.type("nodegrpch", "some", "nodehm.cons=")
    assert xcat.type("nodels", "nodehm.cons", "nodehm.power", on="n2") == ["n2: nodehm.cons: ", "n2: nodehm.power: =x"]
    xcat.type("nodegrpch", "--delete", "some,all", "nodehm", "nodetype")
    assert set(nodes(xcat, "nodehm")) == {"n1"}


def test_nodepurge_leaves_nothing_of_a_node(xcat):
    xcat.type("makehosts")
    auto = xcat.home.install / "autoinst"
    auto.mkdir()
    for name in ("n1", "n1.pre", "n1.post", "n11"):
        (auto / name).write_text("")
    said = xcat.type("nodepurge", on="n1")
    assert said[0] == "Configuring nodes..." and said[-2:] == ["Removing configuration files...", "Removed all nodes."]
    assert "Updating DNS entries" in said and "Updating hosts entries" in said and "Removing nodes..." in said
    assert xcat.rc == 0 and "n1" not in nodes(xcat, "nodelist") and "n1" not in nodes(xcat, "nodehm")
    assert [path.name for path in auto.iterdir()] == ["n11"]
    assert "10.9.0.1" not in xcat.home.hosts.read_text() and "10.9.0.2" in xcat.home.hosts.read_text()


def test_nodepurge_without_nodes_or_with_a_word_too_many_removes_none(xcat):
    assert xcat.type("nodepurge")[0] == "Usage: nodepurge <noderange>" and xcat.rc == 0
    assert xcat.type("nodepurge", "now", on="n1") and xcat.rc == 1
    assert xcat.type("nodepurge", "-x", on="n1") and xcat.rc == 1
    assert set(nodes(xcat, "nodelist")) == {"n1", "n2", "n3"}


@pytest.fixture
def known(xcat: Inside) -> Path:
    (xcat.home.config / "hostkeys").mkdir()
    (xcat.home.config / "hostkeys/ssh_host_rsa_key.pub").write_text(f"{KEY}\n")
    file = xcat.home.root / "ssh/known_hosts"
    file.parent.mkdir()
    file.write_bytes(
        b"n1,10.1.1.1 ssh-rsa old\n10.9.0.1 ssh-ed25519 x\n# n1\nn11 ssh-rsa keep\n\xff\xfe odd\n@cert n1 k"
    )
    return file


KEPT = [b"# n1", b"n11 ssh-rsa keep", b"\xff\xfe odd", b"@cert n1 k"]


def test_known_hosts_gets_one_line_for_a_node(xcat, known):
    assert xcat.type("makeknownhosts", on="n1") == [] and xcat.rc == 0
    line = f"n1,n1.c.test,10.9.0.1 {KEY}"
    assert known.read_bytes().splitlines() == [*KEPT, line.encode()]
    assert b"ssh-rsa old" in known.with_name("known_hosts.backup").read_bytes()
    assert known.stat().st_mode & 0o777 == 0o600
    assert xcat.type("makeknownhosts", "-V", on="n1") == [f"Wrote {line}"]
    assert known.read_bytes().splitlines() == [*KEPT, line.encode()]


@pytest.mark.parametrize("option", ["-r", "-d", "--remove", "--delete"])
def test_a_node_s_lines_go_without_a_key(xcat, known, option):
    (xcat.home.config / "hostkeys/ssh_host_rsa_key.pub").unlink()
    assert xcat.type("makeknownhosts", option, on="n1,n3") == [] and xcat.rc == 0
    assert known.read_bytes().splitlines() == KEPT


def test_a_node_that_does_not_resolve_keeps_no_other_from_its_line(xcat, known):
    assert xcat.type("makeknownhosts", on="n3,n2") == ["n3: Error: Can not resolve n3"] and xcat.rc == 1
    assert known.read_bytes().splitlines()[-1] == f"n2,n2.c.test,10.9.0.2 {KEY}".encode()


def test_makeknownhosts_says_what_is_missing(xcat):
    assert xcat.type("makeknownhosts") == ["Error: The Noderange is missing."] and xcat.rc == 1
    assert "ssh_host_rsa_key.pub is missing" in xcat.type("makeknownhosts", on="n1")[0] and xcat.rc == 1
    assert "ssh has not been setup" in xcat.type("makeknownhosts", "-r", on="n1")[0] and xcat.rc == 1
    assert xcat.type("makeknownhosts", "word", on="n1") and xcat.rc == 1


@pytest.fixture
def image(xcat: Inside) -> Path:
    return _image(xcat)


def _image(xcat: Inside) -> Path:
    folder = xcat.home.root / "image"
    (folder / "rootimg/etc").mkdir(parents=True)
    for name in ("kernel", "rootimg.gz", "rootimg.cpio.gz", "other"):
        (folder / name).write_text("")
    (xcat.home.tftp / "xcat/osimage/live").mkdir(parents=True)
    words = ("osvers=rhels8", "osarch=x86_64", "profile=compute", "imagetype=linux")
    xcat.type("mkdef", "-t", "osimage", "live", *words, "provmethod=netboot", f"rootimgdir={folder}")
    xcat.type("mkdef", "-t", "osimage", "disk", *words, "provmethod=install", f"pkgdir={folder},/nowhere")
    return folder


def test_rmimage_removes_what_was_made_and_nothing_else(xcat, image):
    assert xcat.type("rmimage", "live", "-V", "--xcatdef") == [
        "image name is live",
        f"image directory is {image}",
        f"Removing directory {image}/rootimg",
        f"Removing directory {xcat.home.tftp}/xcat/osimage/live",
        f"Removing file {image}/kernel",
        f"Removing file {image}/rootimg.cpio.gz",
        f"Removing file {image}/rootimg.gz",
        "Image files have been removed successfully from this management node.",
        "Removing osimage definition for live.",
        "osimage definition for live is removed successfully.",
    ]
    assert xcat.rc == 0 and [path.name for path in image.iterdir()] == ["other"]
    assert [row["imagename"] for row in xcat.table("osimage")] == ["disk"]


def test_rmimage_by_parts(xcat):
    folder = xcat.home.install / "netboot/a/b/c/rootimg"
    folder.mkdir(parents=True)
    assert f"Removing directory {folder}" in xcat.type("rmimage", "-o", "a", "-a", "b", "-p", "c")
    assert not folder.exists()


@pytest.mark.parametrize(
    "words, said",
    [
        ((), "Missing flag -o, -a or -p"),
        (("nosuch",), "Invalid image name nosuch"),
        (("a-b-netboot-c",), "Image directory {install}/netboot/a/b/c does not exist"),
        (("a-b-install-c",), 'Invalid method "install", the rmimage command'),
        (("disk",), 'Invalid method "install", the rmimage command'),
        (("..-..-netboot-..",), "Invalid image name .."),
        (("a-b-netboot-c/../../../..",), "Invalid image name"),
        (("-o", "..", "-a", "..", "-p", "x"), "Invalid image name .."),
        (("-o", "a", "x"), "-o, -a and -p options are not allowed"),
        (("live", "disk"), "-o, -a and -p options are not allowed"),
        (("--xcatdef", "-o", "a", "-a", "b", "-p", "c"), "--xcatdef can not be used with the -o, -a or -p"),
        (("-x",), "rmimage has no option -x"),
    ],
)
def test_rmimage_refuses(untouched, words, said):
    assert said.format(install=untouched.home.install) in untouched.type("rmimage", *words)[0]
    assert untouched.rc == 1 and (untouched.home.root / "image/rootimg/etc").is_dir()


def test_rmimage_leaves_what_is_mounted_and_what_a_link_names(xcat, image, monkeypatch, tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"dev {image}/rootimg/d\\040ev devtmpfs rw 0 0\n")
    monkeypatch.setattr(osimages, "_MOUNTS", mounts)
    assert f"{image}/rootimg/d ev is mounted below the image" in xcat.type("rmimage", "live")[0] and xcat.rc == 1
    mounts.write_text("")
    (image / "rootimg").rename(image / "real")
    (image / "rootimg").symlink_to(image / "real")
    assert xcat.type("rmimage", "live") and xcat.rc == 1
    assert (image / "real/etc").is_dir() and (image / "kernel").exists()


def test_chkosimage_names_what_is_not_there(xcat, image):
    assert xcat.type("chkosimage", "live")[0].startswith("There was no additional software") and xcat.rc == 0
    assert xcat.type("chkosimage", "disk")[0] == "Error: linuximage.pkgdir: /nowhere does not exist" and xcat.rc == 1
    assert xcat.type("chkosimage", "nosuch")[0].startswith("Error: Could not get xCAT image definition")
    assert xcat.rc == 1
    assert "\tchkosimage [-h | --help]" in xcat.type("chkosimage") and xcat.rc == 0


@pytest.mark.parametrize("command", ["nodegrpch", "nodepurge", "makeknownhosts", "rmimage", "chkosimage"])
def test_each_tells_how_it_is_used_and_its_version(untouched, command):
    assert "Usage" in "\n".join(untouched.type(command, "-h")) and untouched.rc == 0
    assert "Usage" in "\n".join(untouched.type(command, "--help")) and untouched.rc == 0
    assert "Version" in untouched.type(command, "-v")[0] and untouched.rc == 0
