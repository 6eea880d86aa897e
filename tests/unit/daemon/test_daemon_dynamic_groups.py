"""Groups that are defined by conditions."""

from __future__ import annotations

from pathlib import Path

from daemonhelp import Inside


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
