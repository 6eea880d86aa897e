"""Groups that are defined by conditions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from daemonhelp import Inside
from xcat_rhev.daemon.tables import Tables
from xcat_rhev.xcat.host import Row


def test_a_group_that_names_itself_has_no_members(tmp_path: Path) -> None:
    inside = Inside(tmp_path)
    inside.type("nodeadd", "n1-n2", "groups=all")
    inside.type("tabch", "groupname=loop", "nodegroup.grouptype=dynamic", "nodegroup.wherevals=loop")
    assert inside.type("nodels", on="n1,loop") == ["n1"]
    assert inside.rc == 0


def test_all_conditions_have_to_hold(tmp_path: Path) -> None:
    inside = Inside(tmp_path)
    inside.type("nodeadd", "n1-n3", "groups=all", "nodehm.mgt=rhevm")
    inside.type("nodech", "nodehm.power=x", on="n2")
    inside.type("mkdef", "-t", "group", "-d", "-o", "some", "-w", "mgt==rhevm", "-w", "nodehm.power==x")
    assert inside.type("nodels", on="some") == ["n2"]


@pytest.mark.parametrize(
    "conditions, members",
    [
        (["arch!=x86_64"], "n2"),
        (["arch!~x86"], "n2"),
        (["arch=ppc64"], "n2"),
        (["arch=~/(x86|ppc)/"], "n1,n2"),
        (["groups==all,odd"], "n1,n3"),
        (["groups=~odd|even", "node!~n1"], "n2,n3"),
        (["arch=="], ""),
    ],
)
def test_conditions_are_those_of_lsdef(tmp_path: Path, conditions: list[str], members: str) -> None:
    inside = Inside(tmp_path)
    for node, groups, arch in (("n1", "all,odd", "x86_64"), ("n2", "all,even", "ppc64"), ("n3", "all,odd", "")):
        inside.type("nodeadd", node, f"groups={groups}", f"nodetype.arch={arch}")
    where = [word for each in conditions for word in ("-w", each)]
    inside.type("mkdef", "-t", "group", "-d", "-o", "some", *where)
    assert inside.type("nodels", on="some") == members.split(",") * bool(members)


def test_one_sign_of_equality_is_enough_for_lsdef(tmp_path: Path) -> None:
    inside = Inside(tmp_path)
    inside.type("nodeadd", "n1-n2", "groups=all")
    inside.type("chdef", "n2", "arch=ppc64")
    assert inside.type("lsdef", "-w", "arch=ppc64") == ["n2  (node)"]


def test_a_group_is_worked_out_once_for_a_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = Inside(tmp_path)
    inside.type("nodeadd", "n1-n2", "groups=all", "nodetype.arch=x86_64")
    inside.type("mkdef", "-t", "group", "-d", "-o", "some", "-w", "arch==x86_64")
    tables, read = Tables(inside.store), []

    def attrs(self: Tables, table: str, nodes: Sequence[str], columns: Sequence[str]) -> dict[str, Row]:
        read.append(table)
        return worked_out(self, table, nodes, columns)

    worked_out = Tables.node_attrs
    monkeypatch.setattr(Tables, "node_attrs", attrs)
    assert tables.expand("some,nodetype.arch==x86_64," * 1000).nodes == ("n1", "n2")
    assert read == ["nodetype"]
    tables.put("nodetype", {"node": "n2"}, {"arch": "ppc64"})
    assert tables.expand("some").nodes == ("n1",)


def test_a_directory_is_no_file_of_nodes(tmp_path: Path) -> None:
    inside = Inside(tmp_path)
    inside.type("nodeadd", "n1", "groups=all")
    open_files = len(os.listdir("/proc/self/fd"))
    assert inside.type("nodels", on=f"n1,^{tmp_path}") == ["n1"]
    assert len(os.listdir("/proc/self/fd")) == open_files


def inside_with_nodes(folder: Path) -> Inside:
    inside = Inside(folder)
    inside.type("nodeadd", "n1-n3", "groups=all", "nodehm.mgt=rhevm")
    inside.type("nodech", "nodehm.power=x", on="n2")
    return inside


def test_a_group_by_the_names_of_nodes(tmp_path: Path) -> None:
    inside = inside_with_nodes(tmp_path)
    inside.type("mkdef", "-t", "group", "named", "-d", "-w", "node=~/n[12].*")
    assert inside.type("nodels", on="named") == ["n1", "n2"]


def test_conditions_come_and_go(tmp_path: Path) -> None:
    inside = inside_with_nodes(tmp_path)
    inside.type("mkdef", "-t", "group", "some", "-d", "-w", "mgt==rhevm")
    inside.type("chdef", "-t", "group", "some", "-d", "-p", "-w", "power==x")
    assert inside.type("nodels", on="some") == ["n2"]
    inside.type("chdef", "-t", "group", "some", "-d", "-m", "-w", "power==x")
    assert inside.type("lsdef", "-t", "group", "some", "-i", "wherevals")[1] == "    wherevals=mgt==rhevm"
    assert inside.type("nodels", on="some") == ["n1", "n2", "n3"]


def test_without_d_the_members_are_chosen_once(tmp_path: Path) -> None:
    inside = inside_with_nodes(tmp_path)
    inside.type("mkdef", "-t", "group", "then", "-w", "power==x")
    inside.type("nodech", "nodehm.power=x", on="n3")
    assert inside.type("nodels", on="then") == ["n2"]
    assert inside.type("lsdef", "-t", "group", "then", "-i", "grouptype")[1] == "    grouptype=static"


@pytest.mark.parametrize(
    "words, text",
    [
        (("-d",), "The 'where' attributes and values were not provided for dynamic group 'g'."),
        (("-d", "-w", "nosuch==1"), "Incorrect attribute 'nosuch' in the selection string specified with -w flag."),
        (("-d", "-w", "mgt"), "Incorrect selection string specified with -w flag."),
        (("-d", "-w", "mgt==x", "members=n1"), "Can not assign attributes to dynamic node group 'g'."),
    ],
)
def test_a_group_that_cannot_be(tmp_path: Path, words: tuple[str, ...], text: str) -> None:
    inside = inside_with_nodes(tmp_path)
    assert text in inside.type("mkdef", "-t", "group", "g", *words)[0]
    assert inside.rc == 1
    assert not inside.table("nodegroup")


def test_a_dynamic_group_gets_no_members(tmp_path: Path) -> None:
    inside = inside_with_nodes(tmp_path)
    inside.type("mkdef", "-t", "group", "some", "-d", "-w", "power==x")
    assert "Can not assign attributes" in inside.type("chdef", "-t", "group", "some", "members=n1")[0]
    assert inside.type("nodels", on="some") == ["n2"] and inside.type("nodels", "groups", on="n1") == ["n1: all"]


def test_what_lsdef_shows_of_a_dynamic_group_makes_the_same_group(tmp_path: Path) -> None:
    inside = inside_with_nodes(tmp_path)
    inside.type("mkdef", "-t", "group", "some", "-d", "-w", "power==x")
    before = inside.table("nodegroup")
    shown = "\n".join(inside.type("lsdef", "-t", "group", "some", "-z"))
    inside.type("chdef", "-z", stdin=shown)
    assert inside.rc == 0 and inside.table("nodegroup") == before


def test_a_group_becomes_dynamic_by_its_grouptype(tmp_path: Path) -> None:
    inside = inside_with_nodes(tmp_path)
    inside.type("mkdef", "-t", "group", "g", "members=n1")
    said = "\n".join(inside.type("mkdef", "-f", "-t", "group", "g", "grouptype=dynamic"))
    assert "The 'where' attributes and values were not provided for dynamic group 'g'." in said and inside.rc == 1
    assert inside.type("nodels", on="g") == ["n1"], "what cannot be made leaves what was there"
    for words in (("-w", "power==x"), ("wherevals=power==x",)):
        inside.type("mkdef", "-f", "-t", "group", "g", "grouptype=dynamic", *words)
        assert inside.rc == 0 and inside.type("nodels", on="g") == ["n2"]
        assert inside.table("nodegroup")[0]["wherevals"] == "power==x"
    assert inside.type("nodels", "groups", on="n1") == ["n1: all"]
