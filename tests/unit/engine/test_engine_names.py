"""Exact names: batches, awkward names, pages, hosts, templates, references."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enginehelp import Script, manager_on, vms
from xcat_rhev.engine.documents.dialect import V4, V30, V36, Dialect
from xcat_rhev.engine.nouns import Host, Network, Nic, Ref, StorageDomain, Template, Vm
from xcat_rhev.engine.search import BATCH, LONGEST, batches, expressible, quote
from xcat_rhev.engine.wire.transport import HttpRequest
from xcat_rhev.errors import Ambiguous, NotFound

AWKWARD = [
    "my vm",
    "a*b",
    "50%",
    "a&b",
    "x_y",
    "a=b",
    "and",
    "or",
    "sortby",
    "page 2",
    "ä€",
    "a#b?cd",
    "a/b",
    "<vm>",
    "a+b",
]
WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=30)


@given(st.lists(WORDS.filter(expressible), max_size=300))
def test_batches_hold_every_name_once_and_are_bounded(names: list[str]) -> None:
    wheres = list(batches(names, lambda name: f"name={quote(name)}"))
    assert [
        found for where in wheres for found in re.findall(r'name="(.*?)"(?: or |$)', where, re.DOTALL)
    ] == names or any('" or name="' in name for name in names)
    for where in wheres:
        assert where.count("name=") >= 1
        assert len(V4.address("", where)) <= LONGEST + 200


@pytest.mark.parametrize(("count", "requests"), [(0, 0), (1, 1), (BATCH, 1), (BATCH + 1, 2), (1000, 8)])
def test_names_cost_a_search_per_batch(count: int, requests: int) -> None:
    script = Script([answer_search])
    names = [f"node{number:04}" for number in range(count)]
    assert set(manager_on(script, V4).find(Vm, names)) == set(names)
    assert len(script.asked) == requests


def test_no_batch_is_longer_than_an_old_engines_page() -> None:
    script = Script([answer_search])
    names = [f"n{number:04}" for number in range(250)]
    assert set(manager_on(script, Dialect(3, (3, 3))).find(Vm, names)) == set(names)
    assert len(script.asked) == 3


def answer_search(request: HttpRequest) -> tuple[int, str]:
    where = unquote(request.path.partition("search=")[2].partition("&")[0])
    return 200, vms(*re.findall(r'name="(.*?)"', where))


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names(name: str) -> None:
    script = Script([answer_search])
    assert manager_on(script, V4).find(Vm, [name])[name].name == name
    path = script.asked[0].path
    assert re.fullmatch(r"/ovirt-engine/api/vms\?search=[\w%.~*-]+", path, re.ASCII)


@pytest.mark.parametrize("name", ['say "hi"', "it's", "a;b", "a\\b", "ends with\\", "bell\x07"])
def test_what_the_search_language_cannot_say_is_looked_for_in_the_list(name: str) -> None:
    script = Script([(200, vms(name.replace("\x07", "x"), "other"))])
    found = manager_on(script, V4).find(Vm, [name])
    assert script.lines() == ["GET /ovirt-engine/api/vms"]
    assert list(found) == ([] if "\x07" in name else [name])


def test_what_only_looks_alike_is_not_it() -> None:
    script = Script([(200, vms("nodeX1", "NODE_1", "node_1", "node_10"))])
    assert manager_on(script, V4).find(Vm, ["node_1"])["node_1"].id == "id-node_1"


def test_a_name_that_fits_two() -> None:
    script = Script(
        [(200, '<networks><network id="1"><name>n</name></network><network id="2"><name>n</name></network></networks>')]
    )  # noqa: E501
    with pytest.raises(Ambiguous, match="manager m has several networks named n"):
        manager_on(script, V4).one(Network, "n")


def test_what_is_not_there() -> None:
    manager = manager_on(Script([(200, "<vms/>")]), V4)
    assert manager.find(Vm, ["a", "b"]) == {}
    with pytest.raises(NotFound, match="manager m has no VM a"):
        manager.one(Vm, "a")


HOSTS = (
    '<hosts><host id="1"><name>node1</name><address>10.0.0.1</address></host>'
    '<host id="2"><name>node10.example.com</name><address>10.0.0.10</address></host>'
    '<host id="3"><name>rack7</name><address>node2.example.com</address></host></hosts>'
)


@pytest.mark.parametrize(
    ("asked", "id"),
    [
        ("node1", "1"),
        ("node10", "2"),
        ("node10.example.com", "2"),
        ("10.0.0.10", "2"),
        ("node2", "3"),
        ("node2.example.com", "3"),
        ("rack7", "3"),
    ],
)
def test_a_host_by_name_or_address(asked: str, id: str) -> None:
    assert manager_on(Script([(200, HOSTS)]), V4).find(Host, [asked])[asked].id == id


@pytest.mark.parametrize("asked", ["node", "10", "node1.example.com", "rack", "example"])
def test_never_by_a_part(asked: str) -> None:
    assert manager_on(Script([(200, HOSTS)]), V4).find(Host, [asked]) == {}


def test_hosts_that_are_called_alike() -> None:
    twice = HOSTS.replace("rack7", "node1.other.org")
    assert manager_on(Script([(200, twice)]), V4).find(Host, ["node1"])["node1"].id == "1"
    with pytest.raises(Ambiguous, match="several hosts with the name node1"):
        manager_on(Script([(200, twice.replace(">node1<", ">node1.x<"))]), V4).find(Host, ["node1"])


def test_many_hosts_are_one_list() -> None:
    script = Script([(200, HOSTS)])
    manager_on(script, V4).find(Host, [f"n{number}" for number in range(400)])
    assert script.lines() == ["GET /ovirt-engine/api/hosts"]


class Cut:
    """An engine that shows at most 100 rows of a list, as 3.0 does."""

    def __init__(self, count: int) -> None:
        self.names = sorted(f"n{number:04}" for number in range(count))

    def __call__(self, request: HttpRequest) -> tuple[int, str]:
        search = unquote(request.path.partition("search=")[2])
        page = int((re.search(r"page (\d+)", search) or [0, 1])[1])
        assert "sortby name asc page" in search
        return 200, vms(*self.names[(page - 1) * 100 : page * 100])


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (99, 1), (100, 2), (250, 3)])
def test_3_0_is_read_page_by_page(count: int, requests: int) -> None:
    script = Script([Cut(count)])
    found = manager_on(script, V30).list(Vm)
    assert [vm.name for vm in found] == Cut(count).names
    assert len(script.asked) == requests


def test_an_engine_that_shows_the_same_page_for_ever() -> None:
    script = Script([(200, vms(*[f"n{number}" for number in range(100)]))])
    assert len(manager_on(script, V30).list(Vm)) == 100
    assert len(script.asked) == 2


@pytest.mark.parametrize(
    ("dialect", "path"),
    [
        (Dialect(3, (3, 3)), "/api/vms;max=1000000"),
        (Dialect(3, (3, 4)), "/ovirt-engine/api/vms"),
        (V4, "/ovirt-engine/api/vms"),
    ],
)
def test_later_engines_need_no_pages(dialect: Dialect, path: str) -> None:
    script = Script([(200, vms("a"))])
    manager_on(script, dialect).list(Vm)
    assert script.lines() == [f"GET {path}"]


def test_networks_cannot_be_searched_before_3_2() -> None:
    text = '<networks><network id="1"><name>a</name></network><network id="2"><name>b</name></network></networks>'
    for dialect, search in ((V30, False), (V36, True)):
        script = Script([(200, text)])
        assert manager_on(script, dialect).one(Network, "b").id == "2"
        assert ("search=" in script.asked[0].path) is search


def test_references_get_names_from_one_list() -> None:
    script = Script([(200, HOSTS)])
    manager = manager_on(script, V4)
    assert [manager.name_of(Host, Ref(id)) for id in ("1", "3", "1")] == ["node1", "rack7", "node1"]
    assert manager.name_of(Host, None) == ""
    assert manager.name_of(Host, Ref("9")) == "9"
    assert manager.name_of(Host, Ref("9", "known")) == "known"
    assert len(script.asked) == 1


def test_of_a_templates_versions_the_newest_is_meant_unless_one_is_named() -> None:
    text = "".join(
        f'<template id="{number}"><name>t</name><version><version_number>{number}</version_number></version></template>'
        for number in (2, 1, 3)
    )
    for name, id in (("t", "3"), ("t@2", "2"), ("t@1", "1")):
        assert manager_on(Script([(200, f"<templates>{text}</templates>")]), V4).one(Template, name).id == id


CENTER = (200, '<data_centers><data_center id="d1"><name>dc1</name></data_center></data_centers>')


def test_a_network_in_its_data_center() -> None:
    networks = "".join(f'<network id="{id}"><name>n</name><data_center id="d{id}"/></network>' for id in (1, 2))
    script = Script([CENTER, (200, f"<networks>{networks}</networks>")])
    assert manager_on(script, V4).one(Network, "n", data_center="dc1").id == "1"


def test_a_storage_domain_has_its_state_in_its_data_center() -> None:
    domains = '<storage_domains><storage_domain id="s"><name>s</name><status>active</status></storage_domain></storage_domains>'  # noqa: E501
    script = Script([CENTER, (200, domains)])
    assert manager_on(script, V4).one(StorageDomain, "s", data_center="dc1").status == "active"
    assert script.asked[1].path == "/ovirt-engine/api/datacenters/d1/storagedomains"


DETAILED = '<vms><vm id="1"><name>a</name>{}<{nics}><nic id="n"><name>eth0</name>{network}</nic></{nics}></vm></vms>'


def test_details_come_with_the_search_where_they_can() -> None:
    inside = '<disk_attachments><disk_attachment id="d"><disk id="d"><provisioned_size>5</provisioned_size></disk></disk_attachment></disk_attachments>'  # noqa: E501
    script = Script(
        [
            (200, DETAILED.format(inside, nics="nics", network='<vnic_profile id="p"/>')),
            (200, '<vnic_profiles><vnic_profile id="p"><name>x</name><network id="w"/></vnic_profile></vnic_profiles>'),
            (200, '<networks><network id="w"><name>prod</name></network></networks>'),
        ]
    )
    vm = manager_on(script, V4).find(Vm, ["a"], details=True)["a"]
    assert vm.disks[0].size == 5
    assert vm.nics[0].network == Ref("w", "prod")
    assert len(script.asked) == 3
    assert "follow=disk_attachments.disk,nics" in script.asked[0].path


def test_v3_puts_them_inside_when_the_media_type_says_so() -> None:
    inside = '<disks><disk id="d"><size>5</size></disk></disks>'
    network = '<network id="w"><name>prod</name></network>'
    script = Script([(200, DETAILED.format(inside, nics="nics", network=network))])
    vm = manager_on(script, V36).find(Vm, ["a"], details=True)["a"]
    assert (vm.disks[0].size, vm.nics[0].network.name) == (5, "prod")
    assert script.asked[0].headers["Accept"] == "application/xml; detail=disks; detail=nics"


def test_4_0_knows_neither_and_is_asked_one_by_one() -> None:
    script = Script(
        [
            (200, vms("a")),
            (
                200,
                '<disk_attachments><disk_attachment id="d"><active>true</active><disk id="d"/></disk_attachment></disk_attachments>',  # noqa: E501
            ),
            (200, '<disk id="d"><name>x</name><provisioned_size>5</provisioned_size></disk>'),
            (200, "<nics/>"),
        ]
    )
    with pytest.raises(Exception, match="no address"):
        manager_on(script, Dialect(4, (4, 0))).catalog._calls.path(Nic(id="1"))
    vm = manager_on(script, Dialect(4, (4, 0))).find(Vm, ["a"], details=True)["a"]
    assert (vm.disks[0].size, vm.disks[0].active, vm.nics) == (5, True, ())
