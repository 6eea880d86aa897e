"""The password of the managers and the trust in them: a user with one row names a server of his own."""

from __future__ import annotations

import pytest

from attackhelp import Rogue, user
from daemonhelp import Served
from xcat_rhev.xcat.wire import WireRequest

SENTINEL = "sentinel-of-all-managers"


@pytest.fixture
def xcat(tmp_path):
    xcat = Served(tmp_path / "mn")
    xcat.type("tabch", "key=rhevm,username=admin", f"passwd.password={SENTINEL}")
    xcat.type("nodeadd", "host1", "groups=all")
    xcat.type("tabch", "node=host1", "hypervisor.mgr=rhevm.example.com", "hypervisor.type=rhevh")
    yield xcat
    xcat.close()


@pytest.fixture
def rogue(tmp_path):
    rogue = Rogue(tmp_path / "rogue")
    yield rogue
    rogue.close()


def pinned(xcat):
    folder = xcat.home.config / "rhevm"
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


@pytest.mark.parametrize(
    "command, args",
    [
        ("lsve", ("-t", "dc")),
        ("lsve", ("--export",)),
        ("lsve", ("--graph", "-")),
        ("cfgve", ("-t", "dc", "-o", "dc1", "-c", "-k", "nfs")),
        ("cfgve", ("-t", "dc", "-o", "dc1", "-c", "--dry-run")),
    ],
)
def test_nothing_is_sent_to_a_server_that_only_m_names(xcat, rogue, command, args):
    joe = user(xcat, "joe", command)
    for name in (rogue.name, f"localhost:{rogue.port}", f"rhevm.example.com,{rogue.name}"):
        answer = xcat.ask(WireRequest(command, args=(*args, "-m", name)), cert=joe).decode()
        said = name.rpartition(",")[2]
        assert f"{said} is not a manager of this site" in answer
    assert (rogue.taken, rogue.heard) == (0, [])
    assert not [name for name in pinned(xcat) if name not in ("rhevm.example.com", "held")]


def test_root_gets_no_further_by_a_slip(xcat, rogue):
    answer = xcat.ask(WireRequest("lsve", args=("-t", "dc", "-m", rogue.name))).decode()
    assert f"{rogue.name} is not a manager of this site. Run: chtab key={rogue.name}" in answer
    assert (rogue.taken, pinned(xcat)) == (0, [])


@pytest.mark.parametrize(
    "name",
    [
        "RHEVM.EXAMPLE.COM",
        "rhevm.example.com.",
        "rhevm.example.com:8443",
        "rhevm",
        "..",
        "../../etc",
        "rhevm.example.com ",
        "user@rhevm.example.com",
        "rhevm.example.com/x",
        "",
    ],
)
def test_a_name_that_looks_like_a_managers_is_none(xcat, name):
    joe = user(xcat, "joe", "lsve")
    answer = xcat.ask(WireRequest("lsve", args=("-t", "dc", "-m", name)), cert=joe).decode()
    assert "is not a manager of this site" in answer or "-m needs a value" in answer
    assert pinned(xcat) == []


def test_a_node_of_another_table_or_a_storage_server_makes_no_manager(xcat, rogue):
    xcat.type("tabch", "node=sd1", f"virtsd.location={rogue.name}:/x", "virtsd.stype=nfs")
    xcat.type("nodeadd", "n1", "groups=all")
    xcat.type("tabch", "node=n1", f"hosts.ip={rogue.name}", f"noderes.nfsserver={rogue.name}")
    xcat.type("tabch", f"key={rogue.name},username=root", "passwd.password=", "passwd.disable=1")
    joe = user(xcat, "joe", "lsve")
    assert b"is not a manager of this site" in xcat.ask(
        WireRequest("lsve", args=("-t", "dc", "-m", rogue.name)), cert=joe
    )
    assert rogue.taken == 0


def test_a_description_names_no_other_manager(xcat, rogue):
    """The columns of a description are those of the tables, `mgr` among them."""
    text = (
        f"data_centers:\n  d:\n    storage: nfs\n    clusters: {{c: {{cpu: x}}}}\n    hosts: {{h: {{cluster: c, mgr: "
        f"'{rogue.name}'}}}}\n    vms: {{v: {{cluster: c, mgr: '{rogue.name}'}}}}\n"
    )
    joe = user(xcat, "joe", "cfgve", "lsve")
    for command in (
        WireRequest("cfgve", args=("-m", rogue.name, "--from", "-"), stdin=text),
        WireRequest("cfgve", args=("-m", "127.0.0.1:1", "--from", "-"), stdin=text),
    ):
        xcat.ask(command, cert=joe)
    xcat.ask(WireRequest("lsve", args=("-t", "dc", "-m", rogue.name)), cert=joe)
    assert (rogue.taken, pinned(xcat)) == (0, [])


@pytest.mark.parametrize(
    "row",
    [
        ("node=host1", "hypervisor.mgr={}"),
        ("node=v1", "vm.mgr={}"),
        ("node=rack", "hypervisor.mgr={}"),
        ("key={},username=admin", "passwd.password=its-own"),
    ],
)
def test_who_may_write_tables_names_managers(xcat, rogue, row):
    xcat.type("tabch", *(word.format(rogue.name) for word in row))
    answer = xcat.ask(WireRequest("lsve", args=("-t", "dc", "-m", rogue.name)), cert=user(xcat, "joe", "lsve")).decode()
    assert "is not a manager of this site" not in answer
    assert rogue.taken and any(b"authorization: basic" in each.lower() for each in rogue.heard)


def test_a_manager_that_a_pattern_gives_is_one(xcat, rogue):
    xcat.type("nodeadd", "h7", "groups=rack,all")
    port = str(rogue.port)
    xcat.type("tabch", "node=rack", rf"hypervisor.mgr=|\D+(\d+)|127.0.0.1:{port}|")
    answer = xcat.ask(WireRequest("lsve", args=("-t", "dc", "-m", rogue.name)), cert=user(xcat, "joe", "lsve")).decode()
    assert "is not a manager of this site" not in answer
