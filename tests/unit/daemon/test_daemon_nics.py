"""Attributes of cards: those of nodes and of groups, expressions for one card and for all, kept through a restore."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemonhelp import Inside
from xcat_rhev.errors import Usage

PER_CARD = r"|\D+(\d+)|10.0.0.($1)|"
WITH_COMMAS = r'|\D+(\d+)|(sprintf("10.0.%d.%d",$1/256,$1%256))|'
WHOLE = r"|\D+(\d+)|eth0!10.0.0.($1),eth1!10.1.0.($1)|"


@pytest.fixture
def xcat(tmp_path: Path) -> Iterator[Inside]:
    xcat = Inside(tmp_path)
    xcat.type("mkdef", "n1,n2", "groups=rack,all", "mgt=rhevm")
    yield xcat
    xcat.close()


def shown(xcat: Inside, *words: str) -> list[str]:
    """The attributes of cards that lsdef shows."""
    return [line.strip() for line in xcat.type("lsdef", *words) if line.strip().startswith("nic")]


@pytest.mark.parametrize("value", ["10.0.0.9", PER_CARD, WITH_COMMAS, "10.0.0.9|fd00::9"])
def test_a_group_has_attributes_of_cards(xcat: Inside, value: str) -> None:
    made = xcat.type(
        "mkdef", "-t", "group", "-f", "rack", f"nicips.eth0={value}", "nictypes.eth0=Ethernet", "members=n1,n2"
    )
    assert made == ["1 object definitions have been created or modified."]
    assert shown(xcat, "-t", "group", "rack") == [f"nicips.eth0={value}", "nictypes.eth0=Ethernet"]
    assert shown(xcat, "-t", "group", "rack", "-i", "nicips.eth0") == [f"nicips.eth0={value}"]
    xcat.type("chdef", "-t", "group", "rack", "nicips.eth1=10.1.0.9", "nictypes.eth0=")
    assert shown(xcat, "-t", "group", "rack") == [f"nicips.eth0={value}", "nicips.eth1=10.1.0.9"]


@pytest.mark.parametrize("value, first", [(PER_CARD, "10.0.0.1"), (WITH_COMMAS, "10.0.0.1"), ("10.0.0.9", "10.0.0.9")])
def test_a_node_gets_what_its_groups_expression_comes_to(xcat: Inside, value: str, first: str) -> None:
    xcat.type("chdef", "-t", "group", "rack", f"nicips.eth0={value}", "nicips.eth1=10.1.0.9")
    assert shown(xcat, "n1") == [f"nicips.eth0={first}", "nicips.eth1=10.1.0.9"]


def test_one_expression_for_all_cards(xcat: Inside) -> None:
    xcat.type("tabch", "node=rack", f"nics.nicips={WHOLE}")
    assert shown(xcat, "n2") == ["nicips.eth0=10.0.0.2", "nicips.eth1=10.1.0.2"]
    assert shown(xcat, "-t", "group", "rack") == [f"nicips={WHOLE}"]
    (refused, *_) = xcat.type("chdef", "-t", "group", "rack", "nicips.eth5=1.2.3.4")
    assert "nicips is one expression for all cards. Write all of it: nicips=VALUE" in refused and xcat.rc == 1
    assert shown(xcat, "-t", "group", "rack") == [f"nicips={WHOLE}"]


@pytest.mark.parametrize("column", [f"eth0!{PER_CARD},ib0!10.1.0.9", WHOLE, f"eth0!{WITH_COMMAS}"])
def test_a_backup_and_a_restore_leave_everything_as_it_was(xcat: Inside, column: str) -> None:
    xcat.type("tabch", "node=rack", f"nics.nicips={column}", "nics.nicextraparams=bond0!mode=1 miimon=100")
    xcat.type("mkdef", "-t", "group", "other", "members=n2,n1", "mgt=ipmi")
    xcat.type("chdef", "n1", "groups=first,rack,all,other")
    before = {table: xcat.type("tabdump", table) for table in ("nics", "nodelist", "nodegroup", "nodehm")}
    stanzas = "\n".join(xcat.type("lsdef", "-t", "group", "-z"))
    xcat.type("mkdef", "-z", "-f", stdin=stanzas)
    assert xcat.rc == 0
    after = {table: xcat.type("tabdump", table) for table in before}
    assert after["nodelist"] == before["nodelist"], "the order of groups is the order in which they are asked"
    assert sorted(after["nics"]) == sorted(before["nics"])
    xcat.type("mkdef", "-z", "-f", stdin="\n".join(xcat.type("lsdef", "-t", "node", "-z")))
    assert xcat.rc == 0 and xcat.type("tabdump", "nodelist") == before["nodelist"]


def test_a_group_that_is_made_anew_without_members_has_none(xcat: Inside) -> None:
    xcat.type("mkdef", "-t", "group", "-f", "rack", "mgt=ipmi")
    assert xcat.type("nodels", on="rack") == []


@pytest.mark.parametrize("name", ["ip.foo", "mgt.eth0", "nicip.eth0", "nicips.", "groups.x", ".eth0"])
@pytest.mark.parametrize("kind", ["node", "group"])
def test_no_other_attribute_has_parts(xcat: Inside, name: str, kind: str) -> None:
    with pytest.raises(Usage, match=f"'{name}' is not a valid attribute name for an object type of '{kind}'"):
        xcat.type("chdef", "-t", kind, "n1" if kind == "node" else "rack", f"{name}=1")
