"""Which daemon does which part of a request."""

import threading

import pytest

from daemonhelp import Inside
from xcat_rhev.daemon.hierarchy import Hierarchy, RequestPart
from xcat_rhev.errors import Aborted, NotFound
from xcat_rhev.messages import Data, Error
from xcat_rhev.run.side_by_side import side_by_side
from xcat_rhev.xcat.host import Request


@pytest.fixture
def xcat(tmp_path):
    xcat = Inside(tmp_path)
    for node, service in {"n1": "sn1", "n2": "sn1,sn2", "n3": "", "n4": "sn1"}.items():
        xcat.type("mkdef", node, "groups=all", f"servicenode={service}", "vmmanager=rhevm.example.com")
    xcat.type("mkdef", "sn1", "groups=service", "ip=198.51.100.1")
    xcat.type("mkdef", "sn2", "groups=service", "ip=198.51.100.2")
    yield xcat
    xcat.close()


def split(xcat, command, *nodes, **site):
    for key, value in site.items():
        xcat.type("tabch", f"key={key}", f"site.value={value}")
    return Hierarchy(xcat.home).split(Request(command, nodes), xcat.xcatd.tables())


def test_with_a_shared_folder_nodeset_stays_here(xcat):
    assert split(xcat, "nodeset", "n1", "n3") == [RequestPart((), ("n1", "n3"))]


@pytest.mark.parametrize("no", ["0", "n", "NO"])
def test_else_every_service_node_writes_its_own(xcat, no):
    assert split(xcat, "nodeset", "n1", "n2", "n3", "n4", sharedtftp=no) == [
        RequestPart(("sn1",), ("n1", "n4")),
        RequestPart(("sn1", "sn2"), ("n2",), repeat=True),
        RequestPart((), ("n3",)),
    ]


def test_a_service_node_that_is_this_host_is_here(xcat):
    xcat.type("chdef", "sn1", "ip=127.0.0.1")
    assert split(xcat, "nodeset", "n1", "n2", sharedtftp="0") == [
        RequestPart((), ("n1",)),
        RequestPart(("sn1", "sn2"), ("n2",), repeat=True),
    ]


def test_xcatmaster_counts_where_there_is_no_servicenode(xcat):
    xcat.type("chdef", "n3", "xcatmaster=sn2")
    assert split(xcat, "nodeset", "n3", sharedtftp="0") == [RequestPart(("sn2",), ("n3",))]


def test_commands_for_machines_go_to_their_managers_service_node(xcat):
    assert split(xcat, "rpower", "n1", "n2") == [RequestPart((), ("n1", "n2"))]
    xcat.type("mkdef", "rhevm", "groups=managers", "servicenode=sn2")
    assert split(xcat, "rpower", "n1", "n2") == [RequestPart(("sn2",), ("n1", "n2"))]


@pytest.mark.parametrize(
    ("args", "hosts"),
    [
        (("-t", "dc", "-m", "rhevm.example.com"), ("sn2",)),
        (("-mrhevm",), ("sn2",)),
        (("--manager", "rhevm:443"), ("sn2",)),
        (("--manager=rhevm",), ("sn2",)),
        (("-m", "other"), ()),
        (("-m", "rhevm,other"), ()),
        (("-m",), ()),
        ((), ()),
    ],
)
def test_a_named_managers_command_goes_to_its_service_node(xcat, args, hosts):
    xcat.type("mkdef", "rhevm", "groups=managers", "servicenode=sn2")
    request = Request("lsve", (), args)
    assert Hierarchy(xcat.home).split(request, xcat.xcatd.tables()) == [RequestPart(hosts, ())]


@pytest.mark.parametrize("command", ["nodels", "tabdump", "updatenodestat", "makehosts"])
def test_tables_are_everywhere(xcat, command):
    assert split(xcat, command, "n1", "n2", sharedtftp="0") == [RequestPart((), ("n1", "n2"))]


def test_a_service_node_leaves_the_rest_to_the_management_node(xcat):
    (xcat.home.root / "etc/xCATSN").touch()
    assert split(xcat, "nodeset", "n3", sharedtftp="0", master="198.51.100.9") == [
        RequestPart(("198.51.100.9",), ("n3",))
    ]
    assert split(xcat, "copycds") == [RequestPart(("198.51.100.9",), ())]
    assert split(xcat, "nodels", "n3") == [RequestPart((), ("n3",))]


def test_it_has_its_own_tftpdir_unless_that_is_shared(xcat):
    xcat.type("tabch", "key=tftpdir", "site.value=/elsewhere")
    (xcat.home.root / "etc/xCATSN").touch()
    assert xcat.xcatd.tables().site("tftpdir") == "/elsewhere"
    xcat.type("tabch", "key=sharedtftp", "site.value=0")
    assert xcat.xcatd.tables().site("tftpdir") == str(xcat.home.tftp)


def test_nobody_answers(xcat):
    """Names that do not resolve are told at once and cost no time-out."""
    xcat.type("chdef", "sn1", "ip=")
    part = RequestPart(("no.such.host.invalid", "neither.invalid"), ("n1",))
    said = list(Hierarchy(xcat.home).ask(part, Request("nodeset", ("n1",), ("boot",)), xcat.xcatd.tables()))
    texts = [message.text for message in said if isinstance(message, Error)]
    assert len(texts) == len(said) == 3
    assert "no.such.host.invalid:3001" in texts[0] and "n1" in texts[0]
    assert texts[2].endswith("service nodes: no.such.host.invalid,neither.invalid")


def test_parts_run_side_by_side_and_an_error_ends_its_own():
    def fine():
        yield Data("a")
        yield Data("b")

    def wrong():
        yield Data("c")
        raise NotFound("gone")

    said = list(side_by_side([fine, wrong], threading.Event()))
    assert sorted(message.text for message in said) == ["a", "b", "c", "gone"]
    assert [message.text for message in said if isinstance(message, Error)] == ["gone"]


@pytest.mark.parametrize("problem", [Aborted("left"), KeyError("a mistake")])
def test_what_concerns_all_ends_all(problem):
    def wrong():
        yield Data("c")
        raise problem

    with pytest.raises(type(problem)):
        list(side_by_side([wrong, lambda: [Data("a")]], threading.Event()))


def test_service_nodes_with_dhcp_of_their_own_get_their_nodes(xcat):
    assert split(xcat, "makedhcp", "n1", "n2") == [RequestPart((), ("n1", "n2"))]
    assert split(xcat, "makedhcp", "n1", "n2", "n3", disjointdhcps="1") == [
        RequestPart(("sn1",), ("n1", "n2")),
        RequestPart(("sn2",), ("n2",)),
        RequestPart((), ("n3",)),
    ]
    assert split(xcat, "makedhcp") == [RequestPart((), ()), RequestPart(("sn1",), ()), RequestPart(("sn2",), ())]
    here = Hierarchy(xcat.home).split(Request("makedhcp", ("n1",), ("-l",)), xcat.xcatd.tables())
    assert here == [RequestPart((), ("n1",))]
