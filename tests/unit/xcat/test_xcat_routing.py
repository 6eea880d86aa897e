"""Which module gets which nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from xcat_rhev.errors import Usage
from xcat_rhev.xcat.host import Row
from xcat_rhev.xcat.routing import Handler, route


class Tables:
    """Values by table, column and node; and a site."""

    def __init__(self, values: Mapping[str, Mapping[str, Row]], site: Mapping[str, str] | None = None) -> None:
        self.values, self.sites = values, site or {}
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def attrs(self, table: str, nodes: Sequence[str], columns: Sequence[str]) -> Mapping[str, Row] | None:
        self.asked.append((table, tuple(columns)))
        if table not in self.values:
            return None
        rows = self.values[table]
        return {node: {c: rows[node][c] for c in columns if c in rows.get(node, {})} for node in nodes}

    def site(self, key: str) -> str:
        return self.sites.get(key, "")


WORLD = Tables(
    {
        "nodehm": {
            "n1": {"mgt": "rhevm"},
            "n2": {"mgt": "ipmi"},
            "n3": {"power": "ipmi", "mgt": "rhevm"},
            "n5": {"mgt": "rhevmX"},
        },
        "nodetype": {"n1": {"os": "rhevh6.2"}, "n2": {"os": "rhels9"}, "n10": {"os": "ovirt-node-4"}},
    }
)
POWER = [Handler("AAAusage", "AAAusage"), Handler("ipmi", "nodehm:power,mgt"), Handler("rhevm", "nodehm:power,mgt")]
RELEVANT = "Unable to identify plugin for this command, check relevant tables: "


@pytest.mark.parametrize(
    ("node", "modules"),
    [
        ("n1", {"rhevm"}),
        ("n2", {"ipmi"}),
        ("n3", {"ipmi", "rhevm"}),
        ("n5", {"rhevmX"}),
    ],
)
def test_a_columns_value_names_the_module(node: str, modules: set[str]) -> None:
    found = route(POWER, [node], WORLD)
    assert {module: nodes for module, nodes in found.modules.items() if nodes} == dict.fromkeys(modules, (node,))
    assert found.unhandled == ()


def test_nodes_that_nobody_claims() -> None:
    found = route(POWER, ["n1", "n4"], WORLD)
    assert found.modules == {"rhevm": ("n1",), "AAAusage": ("n4",)}
    assert found.unhandled == ("n4",)
    assert found.complaint == RELEVANT + "nodehm.power,mgt"


def test_without_nodes_only_global_modules_run() -> None:
    assert route(POWER, [], WORLD).modules == {"AAAusage": ()}
    assert route([Handler("rhevm", "nodehm:mgt")], [], WORLD).modules == {}


def test_a_global_module_gets_all_where_there_are_no_tables() -> None:
    found = route([Handler("x", "copycds")], ["n2", "n10", "n1"], WORLD)
    assert found.modules == {"copycds": ("n1", "n2", "n10")}
    assert found.complaint == ""


PATTERNS = [Handler("rhevm", "nodetype:os=(rhevh.*)"), Handler("rhevm", "nodetype:os=(ovirt.*)")]


def test_patterns() -> None:
    found = route(PATTERNS, ["n1", "n2", "n10", "n4"], WORLD)
    assert found.modules == {"rhevm": ("n1", "n10")}
    assert found.unhandled == ("n2", "n4")
    assert found.complaint == RELEVANT + "nodetype.os=(rhevh.*);nodetype.os=(ovirt.*)"
    assert route(PATTERNS, ["n2"], WORLD, sub_request=True).complaint == RELEVANT + "nodetype.os"


def test_patterns_are_found_anywhere() -> None:
    assert route([Handler("m", "nodehm:mgt=rhevm")], ["n5"], WORLD).modules == {"m": ("n5",)}
    assert route([Handler("m", "nodehm:mgt=^rhevm$")], ["n5"], WORLD).modules == {}


def test_the_first_column_that_fits_counts() -> None:
    tables = Tables({"t": {"n1": {"a": "other", "b": "mine"}}})
    assert route([Handler("mine", "t:a,b")], ["n1"], tables).modules == {"mine": ("n1",)}
    assert route([Handler("mine", "t:a=oth,b")], ["n1"], tables).modules == {"mine": ("n1",)}
    assert tables.asked == [("t", ("a", "b")), ("t", ("a", "b"))]


def test_a_table_that_does_not_exist_claims_nothing() -> None:
    found = route([Handler("x", "nosuch:col")], ["n1"], WORLD)
    assert (found.modules, found.unhandled, found.complaint) == ({}, ("n1",), RELEVANT + "nosuch.col")


def test_the_same_tables_are_named_once() -> None:
    assert route(POWER, ["n4"], WORLD).complaint.count("nodehm.power,mgt") == 1


def test_the_site_can_name_the_module() -> None:
    handlers = [Handler("dhcp", "site:dhcpplugin"), Handler("x", "dhcp")]
    with_key = Tables({}, {"dhcpplugin": "kea"})
    assert route(handlers, ["n1"], with_key).modules == {"kea": ("n1",)}
    assert route(handlers, [], with_key).modules == {"kea": ()}
    assert route(handlers, ["n1"], Tables({})).modules == {"dhcp": ("n1",)}


def test_an_impossible_pattern_is_said() -> None:
    with pytest.raises(Usage, match="the plugin x has an impossible pattern"):
        route([Handler("x", "nodehm:mgt=(")], ["n1"], WORLD)


def test_one_look_serves_all_nodes() -> None:
    tables = Tables({"nodehm": {}})
    route(POWER, [f"n{number}" for number in range(1000)], tables)
    assert len(tables.asked) == 2
