"""tabch, gettab, nodels, nodeadd and nodech: what careless words must not do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemonhelp import Inside
from xcat_rhev.errors import Usage


@pytest.fixture
def xcat(tmp_path: Path) -> Iterator[Inside]:
    xcat = Inside(tmp_path)
    xcat.type("nodeadd", "n1,n2", "groups=all,some", "nodehm.mgt=rhevm")
    yield xcat
    xcat.close()


def test_tabch_without_a_key_never_changes_every_row(xcat):
    before = xcat.table("site")
    assert xcat.type("tabch", "site.value=1") == [
        "Error: Which row of table site? Put its key in front, as in: key=NAME"
    ]
    assert xcat.rc == 1 and xcat.table("site") == before


def test_tabch_takes_the_key_from_the_values(xcat):
    xcat.type("tabch", "passwd.key=system", "passwd.password=x")
    xcat.type("tabch", "passwd.key=system", "passwd.username=root", "passwd.password=y")
    assert {(row.get("username", ""), row["password"]) for row in xcat.table("passwd")} == {("", "x"), ("root", "y")}


@pytest.mark.parametrize("words", [("=x", "site.value=1"), ("key", "site.value=1"), ("key=a",)])
def test_tabch_names_what_is_incomplete(xcat, words):
    assert xcat.type("tabch", *words)[1] == "Check man tabch or tabch -h"
    assert xcat.rc == 1


def test_tabch_takes_a_value_away(xcat):
    xcat.type("tabch", "node=n1", "nodehm.disable=NULL", "nodehm.mgt=NULL")
    assert {"node": "n1"} in xcat.table("nodehm")


def test_gettab_names_a_key_without_a_value(xcat):
    assert xcat.type("gettab", "domain", "site.value") == ["Error: Unknown key domain to site"]


def test_nodels_names_columns_as_soon_as_several_words_were_given(xcat):
    lines = xcat.type("nodels", "nodehm.mgt", "nodehm.nosuch", on="n1")
    assert lines == ["Error: nodehm.nosuch not a valid table.column description", "n1: nodehm.mgt: rhevm"]


@pytest.mark.parametrize("word", ["site.value=1", "passwd.password=x", "osimage.osvers=7"])
def test_nodes_have_no_columns_of_tables_without_nodes(xcat, word):
    before = {name: xcat.table(name) for name in ("site", "passwd", "osimage", "nodelist")}
    assert "belong to no node" in xcat.type("nodech", word, on="n1")[0] and xcat.rc == 1
    assert "belong to no node" in xcat.type("nodeadd", "n3", "groups=all", word)[0] and xcat.rc == 1
    assert before == {name: xcat.table(name) for name in before}


def test_nodech_adds_nothing_when_nothing_is_given(xcat):
    xcat.type("nodech", "groups,=", on="n1")
    xcat.type("nodech", "groups,=,new,", on="n2")
    assert xcat.type("nodels", "groups", on="all") == ["n1: all,some", "n2: new,all,some"]


def test_nodech_names_a_column_as_xcat_does(xcat):
    assert xcat.type("nodech", "groups-=x", on="n1") == ["Error: groups-. not a valid table.column description"]


def test_nodeadd_takes_groups_to_be_put_in_front(xcat):
    assert xcat.type("nodeadd", "n3", "groups,=all") == []
    assert xcat.type("nodels", "groups", on="n3") == ["n3: all"]


IMPOSSIBLE = '"1","root",,,,"(a",,"allow",,\n'


@pytest.mark.parametrize(
    ("words", "data"),
    [
        (("tabch", "priority=0.1", "policy.parameters=(a", "policy.rule=allow"), ()),
        (("chdef", "-t", "policy", "1", "parameters=(a"), ()),
        (("mkdef", "-t", "policy", "0.1", "parameters=*a", "rule=allow"), ()),
        (("mkdef", "-f", "-t", "policy", "1", "parameters=(a", "rule=allow"), ()),
        (
            ("tabrestore",),
            ("#priority,name,host,commands,noderange,parameters,time,rule,comments,disable\n", IMPOSSIBLE),
        ),
    ],
)
def test_no_policy_row_locks_everybody_out(tmp_path: Path, words: tuple[str, ...], data: tuple[str, ...]) -> None:
    inside = Inside(tmp_path)
    before = inside.type("tabdump", "policy")
    try:
        said = " ".join(inside.type(*words, table="policy", data=data))
    except Usage as problem:
        said = str(problem)
    assert "a policy row has an impossible pattern" in said
    assert inside.type("tabdump", "policy") == before
    inside.type("tabch", "priority=7", "policy.parameters=*", "policy.rule=allow")
    inside.type("tabch", "priority=8", "policy.parameters=(a", "policy.disable=1")
    assert len(inside.type("tabdump", "policy")) == len(before) + 2
