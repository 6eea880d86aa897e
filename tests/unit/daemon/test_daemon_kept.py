"""Tables of another xCAT that the embedded xcatd does not use go through it unchanged, there and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemonhelp import Inside
from xcat_rhev.daemon import foreigntables
from xcat_rhev.daemon.tables import Tables
from xcat_rhev.xcat import schema

LPARS = [
    "#node,hcp,id,pprofile,parent,nodetype,supernode,sfp,comments,disable",
    '"lpar1","hmc1","3","prof",,"lpar",,,"a ""quoted"", text",',
    '"lpar2","hmc1","4",,,,,,"two',
    'lines",',
    '"lpar1","hmc1","3","prof",,"lpar",,,"the same key again",',
]
MPA = ["#mpa,username,password,displayname,slots,urlpath,comments,disable", '"mm1","root","secret",,,,,']
ODD = ["#a", '"1"']


@pytest.fixture
def xcat(tmp_path: Path) -> Iterator[Inside]:
    xcat = Inside(tmp_path)
    yield xcat
    xcat.close()


def restore(xcat: Inside, table: str, lines: list[str], **more: object) -> list[str]:
    return xcat.type("tabrestore", table=table, data=tuple(f"{line}\n" for line in lines), **more)


def dumped(xcat: Inside, table: str) -> list[str]:
    return "\n".join(xcat.type("tabdump", table)).split("\n")


@pytest.mark.parametrize(
    "name, lines", [("lpars", LPARS), ("mpa", MPA), ("mysite_odd", ODD), ("empty", ["#x,comments,disable"])]
)
def test_a_table_that_is_not_ours_is_kept_and_shown_as_it_is(xcat: Inside, name: str, lines: list[str]) -> None:
    assert restore(xcat, name, lines) == [] and xcat.rc == 0
    assert dumped(xcat, name) == lines
    assert name in xcat.type("tabdump")
    assert restore(xcat, name, dumped(xcat, name)) == [] and dumped(xcat, name) == lines


def test_each_is_kept_for_itself(xcat: Inside) -> None:
    restore(xcat, "lpars", LPARS)
    restore(xcat, "mpa", MPA)
    restore(xcat, "lpars", LPARS[:2])
    assert dumped(xcat, "lpars") == LPARS[:2] and dumped(xcat, "mpa") == MPA
    assert xcat.type("tabdump", "-w", "hcp==hmc1", "-w", "node==lpar1", "lpars") == LPARS[:2]
    assert xcat.type("tabdump", "-w", "node==x", "lpars") == LPARS[:1]


def test_rows_are_added_to_what_is_kept(xcat: Inside) -> None:
    restore(xcat, "mpa", MPA)
    more = '"mm2","root","secret",,,,,'
    restore(xcat, "mpa", [MPA[0], MPA[1], more], addrows=True)
    assert dumped(xcat, "mpa") == [*MPA, more]
    (refused,) = restore(xcat, "mpa", ["#mpa,comments,disable", '"mm3",,'], addrows=True)
    assert "Table mpa has the columns mpa, username," in refused and xcat.rc == 4


@pytest.mark.parametrize(
    "name, lines, text",
    [
        ("../../etc", MPA, "Unable to open ../../etc"),
        ("", MPA, "Unable to open"),
        (schema.KEPT + " x", MPA, "Unable to open "),
        ("mpa", MPA[1:], "Data missing header line"),
        ("mpa", [MPA[0], '"mm1"'], "Too few fields on line 2"),
    ],
)
def test_what_is_no_table_is_refused(xcat: Inside, name: str, lines: list[str], text: str) -> None:
    assert text in restore(xcat, name, lines)[0] and xcat.rc == 4
    assert not xcat.table(schema.KEPT)


def test_nobody_sees_where_they_are(xcat: Inside) -> None:
    restore(xcat, "lpars", LPARS)
    assert schema.KEPT not in xcat.type("tabdump")
    assert "No such table" in xcat.type("tabdump", schema.KEPT)[0]


def test_a_whole_dump_goes_there_and_back(tmp_path: Path) -> None:
    """The tables of one site, restored in another, are the same as a dump."""
    sites = [Inside(tmp_path / name) for name in ("here", "there")]
    here, there = sites
    here.type("mkdef", "n1,n2", "groups=rack,all", "mgt=ipmi", "bmc=10.0.0.9", "nicips.eth0=10.0.0.1")
    here.type("mkdef", "-t", "network", "net1", "net=10.0.0.0", "mask=255.0.0.0")
    restore(here, "lpars", LPARS)
    restore(here, "mpa", MPA)
    dump = {name: dumped(here, name) for name in here.type("tabdump")}
    assert "user" not in dump["hypervisor"][0], "a Perl xCAT has no such column"
    for name, lines in dump.items():
        assert restore(there, name, lines) == []
    assert {name: dumped(there, name) for name in there.type("tabdump")} == dump
    here.type("tabch", "node=n1", "hypervisor.user=root")
    assert "user" in dumped(here, "hypervisor")[0]
    for site in sites:
        site.close()


VPD = ["#node,serial,mtm,side,asset,uuid,comments,disable", '"n1","S1","M1",,,,"a, b",', '"n2","S2",,,,,,']


def test_rows_that_were_kept_move_to_the_table_once_this_xcat_uses_it(
    xcat: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    restore(xcat, "mpa", MPA)
    with monkeypatch.context() as older:
        older.setattr(schema, "SHOWN", tuple(name for name in schema.SHOWN if name != "vpd"))
        older.setattr(schema, "TABLES", {name: table for name, table in schema.TABLES.items() if name != "vpd"})
        assert restore(xcat, "vpd", VPD) == [] and dumped(xcat, "vpd") == VPD
    assert dumped(xcat, "vpd") == VPD[:1]
    foreigntables.adopt(Tables(xcat.store))
    assert dumped(xcat, "vpd") == VPD and dumped(xcat, "mpa") == MPA
    restore(xcat, "vpd", VPD[:1])
    foreigntables.adopt(Tables(xcat.store))
    assert dumped(xcat, "vpd") == VPD[:1]
