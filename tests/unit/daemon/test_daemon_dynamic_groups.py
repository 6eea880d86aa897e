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
    inside.type("mkdef", "-t", "group", "-d", "-o", "loop", "-w", "loop")
    assert inside.type("nodels", on="n1,loop") == ["n1"]
    assert inside.rc == 0


def test_all_conditions_have_to_hold(tmp_path: Path) -> None:
    inside = Inside(tmp_path)
    inside.type("nodeadd", "n1-n3", "groups=all", "nodehm.mgt=rhevm")
    inside.type("nodech", "nodehm.power=x", on="n2")
    inside.type("mkdef", "-t", "group", "-d", "-o", "some", "-w", "mgt==rhevm", "-w", "nodehm.power==x")
    assert inside.type("nodels", on="some") == ["n2"]


@pytest.mark.parametrize("conditions, members", [
    (["arch!=x86_64"], "n2"), (["arch!~x86"], "n2"), (["arch=ppc64"], "n2"), (["arch=~/(x86|ppc)/"], "n1,n2"),
    (["groups==all,odd"], "n1,n3"), (["groups=~odd|even", "node!~n1"], "n2,n3"), (["nosuch==1"], ""), (["arch=="], ""),
])
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
