"""Tables and columns."""

from __future__ import annotations

import pytest

from xcat_rhev.xcat.schema import TABLES


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_table(name: str) -> None:
    table = TABLES[name]
    assert table.name == name
    assert table.columns[-2:] == ("comments", "disable")
    assert len(set(table.columns)) == len(table.columns)
    assert table.keys and set(table.keys) <= set(table.columns)
    assert all(column.isidentifier() for column in table.columns)
    assert table.node_keyed is ("node" in table.keys)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("site", ("key",)),
        ("nodelist", ("node",)),
        ("passwd", ("key", "username")),
        ("networks", ("net", "mask")),
        ("policy", ("priority",)),
        ("osimage", ("imagename",)),
        ("virtsd", ("node",)),
        ("auditlog", ("recid",)),
        ("notification", ("filename",)),
        ("token", ("tokenid",)),
        ("nodegroup", ("groupname",)),
    ],
)
def test_keys(name: str, keys: tuple[str, ...]) -> None:
    assert TABLES[name].keys == keys


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("site", "#key,value,comments,disable"),
        ("policy", "#priority,name,host,commands,noderange,parameters,time,rule,comments,disable"),
        (
            "hypervisor",
            "#node,type,mgr,interface,netmap,defaultnet,cluster,datacenter,preferdirect,user,password,comments,disable",
        ),
        (
            "nodelist",
            "#node,groups,status,statustime,appstatus,appstatustime,primarysn,hidden,updatestatus,"
            "updatestatustime,zonename,comments,disable",
        ),
        (
            "osimage",
            "#imagename,groups,profile,imagetype,description,provmethod,rootfstype,nfsrootopts,osdistroname,"
            "osupdatename,cfmdir,osname,osvers,osarch,synclists,postscripts,postbootscripts,serverrole,isdeletable,"
            "kitcomponents,environvar,comments,disable",
        ),
    ],
)
def test_headers(name: str, header: str) -> None:
    assert TABLES[name].header == header


@pytest.mark.parametrize(
    ("name", "column", "kind"),
    [
        ("site", "key", "VARCHAR(128)"),
        ("site", "value", "TEXT"),
        ("auditlog", "recid", "SERIAL"),
        ("osimage", "osupdatename", "VARCHAR(1024)"),
        ("passwd", "username", "VARCHAR(128)"),
    ],
)
def test_types(name: str, column: str, kind: str) -> None:
    assert TABLES[name].type_of(column) == kind
