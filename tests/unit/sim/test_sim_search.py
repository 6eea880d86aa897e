"""The search language, with the traps that clients fall into."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from xcat_rhev.sim.search import like, parse


@pytest.fixture
def world(make_engine: Any) -> Any:
    """An engine whose machines have awkward names."""
    engine = make_engine((4, 5), vms=0)
    for name in NAMES:
        engine.world.add(
            "vm",
            name=name,
            status="up" if name == "node2" else "down",
            cluster=engine.id("cluster", "Default"),
            template=None,
            memory=1 << 30,
            type="server",
            description="of node1" if name == "other" else "",
            host=engine.id("host", "rhevh2") if name == "node2" else None,
            creation_time=0.0,
        )
    return engine


NAMES = [
    "node1",
    "node10",
    "NODE2",
    "node2",
    "node_1",
    "nodeX1",
    "my vm",
    "a'b",
    "100%",
    "back\\slash",
    "größe",
    "and",
    "other",
]


def found(engine: Any, text: str, more: str = "") -> list[str]:
    answer = engine.get(f"/vms?search={quote(text)}{more}")
    assert answer.status == 200
    return answer.xml.xpath("vm/name/text()")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("name=node1", ["node1"]),
        ("NAME = node1", ["node1"]),
        ("name=node1*", ["node1", "node10"]),
        ("name=*1", ["node1", "nodeX1", "node_1"]),
        ("name=node_1", ["node_1"]),
        ("name=node2", ["NODE2", "node2"]),
        ('name="my vm"', ["my vm"]),
        ("name=my vm", []),
        ('name="a\'b"', []),
        ('name="node1;"', []),
        ("name=100%", ["100%"]),
        ('name="back\\slash"', ["back\\slash"]),
        ('name="größe"', ["größe"]),
        ('name="and"', ["and"]),
        ('name="node1" or name="node10"', ["node1", "node10"]),
        ('name="node1" or name="nothing" or name="my vm"', ["my vm", "node1"]),
        ("name=node1 or name=node2 and status=up", ["node1", "node2"]),
        ("status=up name=node*", ["node2"]),
        ("name!=node* and name!=a*", ["100%", "back\\slash", "größe", "my vm", "other"]),
        ("node1", ["node1", "node10", "other"]),
        ("*node1*", ["node1", "node10", "other"]),
        ("Host.name=rhevh2", ["node2"]),
        ("host.name=rhevh1", []),
        ("hosts.name=rhevh2", ["node2"]),
        ("host=rhevh2", ["node2"]),
        ("cluster=Default and name=node1", ["node1"]),
        ("datacenter=Default and name=node1", ["node1"]),
        ("memory > 512 and name=node1", ["node1"]),
        ("memory < 512 and name=node1", []),
        ("memory >= lots", []),
        ("colour=red", []),
        ("host.colour=red", []),
        ("name=node1* sortby name desc", ["node10", "node1"]),
        ("name=node1* SORTBY name", ["node1", "node10"]),
        ("sortby name page 1 nonsense", []),
        ("name=", []),
        ("=node1", []),
        ("or name=node1", []),
        ("name=node1 and", []),
        ('name="node1', []),
        ("name==node1", []),
    ],
)
def test_what_a_search_finds(world: Any, text: str, names: list[str]) -> None:
    assert found(world, text) == names


def test_case_sensitive(world: Any) -> None:
    assert found(world, "name=node2", "&case_sensitive=true") == ["node2"]


def test_paging_needs_max_and_loses_nothing(world: Any) -> None:
    pages = [found(world, f"sortby name asc page {number}", "&max=5") for number in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [5, 5, 3, 0]
    assert sorted(sum(pages, [])) == sorted(NAMES)
    assert found(world, "page 2") == []
    assert found(world, "", "&max=0") == []


@pytest.mark.parametrize("version", [(3, 0), (3, 3), (3, 4), (4, 5)])
def test_old_engines_cut_lists_without_a_word(make_engine: Any, version: tuple[int, int]) -> None:
    engine = make_engine(version, vms=250)
    count = len(engine.get("/vms").xml)
    assert count == (100 if version < (3, 4) else 250)
    pages = [engine.get(f"/vms?search=page%20{number}").xml.xpath("vm/name/text()") for number in (1, 2, 3)]
    if version < (3, 4):
        assert [len(page) for page in pages] == [100, 100, 50]
        assert len(set(sum(pages, []))) == 250
    assert len(engine.get("/vms;max=120").xml) == (100 if version < (3, 1) else 120)


def test_v3_takes_max_from_the_path_only(make_engine: Any) -> None:
    lax = make_engine((3, 6))
    assert len(lax.get("/vms?max=1").xml) == 3
    strict = make_engine((3, 6), strict=True)
    answer = strict.get("/vms?max=1")
    assert answer.status == 400 and "max" in answer.detail()


def test_networks_are_not_searchable_before_3_2(make_engine: Any) -> None:
    for version, count in (((3, 0), 2), ((3, 2), 1), ((4, 5), 1)):
        engine = make_engine(version)
        engine.world.add(
            "network", name="blue", usages=["vm"], data_center=engine.id("data_center", "Default"), management=False
        )
        assert len(engine.get("/networks?search=name%3Dblue").xml) == count


def test_hosts_are_found_by_prefix_as_rhevm_pm_does(make_engine: Any) -> None:
    engine = make_engine((3, 0), hosts=12)
    assert len(engine.get("/hosts?search=name%3Drhevh1*").xml) == 4
    assert len(engine.get("/hosts?search=address%3D10.9.*").xml) == 12


def test_fields_that_came_later_find_nothing_before(make_engine: Any) -> None:
    for version, count in (((3, 0), 0), ((3, 3), 0), ((3, 6), 1), ((4, 5), 1)):
        engine = make_engine(version)
        assert len(engine.get(f"/vms?search=id%3D{engine.id('vm', 'vm1')}").xml) == count


def test_other_kinds(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    for path in (
        "/clusters?search=name%3DDefault",
        "/datacenters?search=status%3Dup",
        "/storagedomains?search=datacenter%3DDefault",
        "/templates?search=name%3DBlank",
        "/disks?search=vm_names%3Dvm1",
        "/events?search=severity%3Dnormal",
        "/datacenters?search=Clusters.name%3DDefault",
        "/clusters?search=Datacenter.name%3DDefault",
    ):
        assert len(engine.get(path).xml) == 1, path


def test_tags(engine: Any) -> None:
    engine.post("/tags", "<tag><name>red</name></tag>")
    assert engine.post(f"{engine.vm()}/tags", "<tag><name>red</name></tag>").status == 201
    assert engine.get("/vms?search=tag%3Dred").xml.xpath("vm/name/text()") == ["vm1"]
    tag = engine.id("tag", "red")
    assert engine.delete(f"{engine.vm()}/tags/{tag}").status == 200
    assert len(engine.get("/vms?search=tag%3Dred").xml) == 0


def test_like_is_sqls(world: Any) -> None:
    assert like("n_*", any_letter="_")("node1") and not like("n_", any_letter="_")("node1") and not like("n_*")("node1")
    assert not like("a.c")("abc") and like("a[b]*")("a[b]c")


def test_very_long_searches_and_noise_end(world: Any) -> None:
    many = " or ".join(f'name="x{number}"' for number in range(250)) + ' or name="node1"'
    assert found(world, many) == ["node1"]
    for noise in (
        "(" * 200,
        "=" * 200,
        '"' * 199,
        "* " * 200,
        "\x00\x01",
        "page",
        "sortby",
        "page page 1",
        "sortby sortby",
    ):
        assert engine_answers(world, noise)


def engine_answers(engine: Any, text: str) -> bool:
    return bool(engine.get(f"/vms?search={quote(text)}").status == 200)


def test_parse_gives_precedence() -> None:
    query = parse("a=1 or b=2 and c=3 sortby d desc page 2")
    assert query is not None
    assert [[one.field for one in group] for group in query.groups] == [["a"], ["b", "c"]]
    assert (query.sort, query.down, query.page) == ("d", True, 2)
