"""The daemon's own commands, as a client prints their answers."""

import contextlib
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemonhelp import Inside
from xcat_rhev.daemon.core import tabdump
from xcat_rhev.daemon.tables import Tables
from xcat_rhev.errors import Usage


@pytest.fixture
def xcat(tmp_path):
    xcat = Inside(tmp_path)
    xcat.type("mkdef", "-t", "node", "-o", "vm1,vm2,vm10", "groups=vms,all", "mgt=rhevm")
    xcat.type("mkdef", "-t", "node", "-o", "h1", "groups=hyp,all", "mgt=ipmi", "ip=10.0.0.9")
    assert xcat.rc == 0
    yield xcat
    xcat.close()


# nodels


def test_nodels_lists_all_or_a_range(xcat):
    assert xcat.type("nodels", on="") == ["h1", "vm1", "vm2", "vm10"]
    assert xcat.type("nodels", on="vms,-vm2") == ["vm1", "vm10"]
    assert xcat.type("nodels", on="vms@hyp") == []


def test_nodels_shows_one_column_bare_and_several_with_their_names(xcat):
    assert xcat.type("nodels", "nodehm.mgt", on="vm1") == ["vm1: rhevm"]
    assert xcat.type("nodels", "mgt", "groups", on="vm1") == ["vm1: mgt: rhevm", "vm1: groups: vms,all"]
    assert xcat.type("nodels", "-H", "mgt", on="vm1") == ["vm1: mgt: rhevm"]
    assert xcat.type("nodels", "hosts.ip", on="vm1") == ["vm1: "]


def test_nodels_shows_a_whole_table(xcat):
    lines = xcat.type("nodels", "hosts", on="h1")
    assert lines[:2] == ["h1: hosts.node: h1", "h1: hosts.ip: 10.0.0.9"]
    assert len(lines) == 6


@pytest.mark.parametrize(
    "condition, nodes",
    [
        ("mgt==rhevm", ["vm1", "vm2", "vm10"]),
        ("mgt!=rhevm", ["h1"]),
        ("mgt=~/^ip/", ["h1"]),
        ("hosts.ip!~.", ["vm1", "vm2", "vm10"]),
        ("hosts.ip==", ["vm1", "vm2", "vm10"]),
        ("mgt==nothing", []),
    ],
)
def test_nodels_chooses_by_conditions(xcat, condition, nodes):
    assert xcat.type("nodels", condition, on="all") == nodes


def test_nodels_shows_a_column_beside_a_condition_on_another(xcat):
    assert xcat.type("nodels", "mgt==ipmi", "hosts.ip", on="all") == ["h1: hosts.ip: 10.0.0.9"]


def test_nodels_tells_where_a_value_comes_from(xcat):
    xcat.type("tabch", "node=vms", "vm.memory=4g")
    assert xcat.type("nodels", "vm.memory", on="vm1") == ["vm1: 4g"]
    assert xcat.type("nodels", "-b", "vm.memory", on="vm1") == ["vm1: 4g (inherited from group vms)"]
    assert xcat.type("nodels", "-b", "mgt", on="vm1") == ["vm1: rhevm"]


def test_nodels_hides_hidden_nodes(xcat):
    xcat.type("nodech", "nodelist.hidden=1", on="vm2")
    assert xcat.type("nodels", on="vms") == ["vm1", "vm10"]
    assert xcat.type("nodels", "-S", on="vms") == ["vm1", "vm2", "vm10"]


@pytest.mark.parametrize("word", ["nodehm.nope", "nope.mgt", "nope", "mgt=~["])
def test_nodels_names_what_it_does_not_know(xcat, word):
    lines = xcat.type("nodels", word, on="vm1")
    assert xcat.rc == 1 and word.partition("=")[0].partition(".")[0] in lines[0] or "condition" in lines[0]


def test_usage_and_version(xcat):
    assert xcat.type("nodels", "-h", on="")[1].startswith("  nodels [noderange] [-b|--blame]")
    assert xcat.rc == 0
    assert xcat.type("nodels", "--version", on="")[0].startswith("Version ")
    lines = xcat.type("nodels", "-Z", on="")
    assert "-Z" in lines[0] and xcat.rc == 1


@pytest.mark.parametrize(
    "command",
    [
        "tabdump",
        "tabch",
        "chtab",
        "tabrestore",
        "tabgrep",
        "gettab",
        "nodels",
        "nodeadd",
        "nodech",
        "noderm",
        "mkdef",
        "chdef",
        "lsdef",
        "rmdef",
        "lsxcatd",
        "makehosts",
        "nodeset",
        "nodestat",
        "updatenodestat",
        "copycds",
        "rinstall",
        "rescanplugins",
    ],
)
def test_every_command_shows_its_usage_and_version(xcat, command):
    lines = xcat.type(command, "-h")
    assert lines[0].startswith("Usage:") and f" {command} " in f"{lines[0]} {lines[1]} "
    assert xcat.type(command, "-h") == xcat.type(command, "--help") == xcat.type(command, "-?")
    if command != "lsxcatd":
        assert xcat.type(command, "-v") == xcat.type("lsxcatd", "-v")
    assert xcat.rc == 0


# nodeadd, nodech, noderm


def test_nodeadd_makes_a_range_of_nodes(xcat):
    assert xcat.type("nodeadd", "b[01-03]", "groups=new,all", "nodehm.mgt=rhevm") == []
    assert xcat.type("nodels", "groups", on="new") == ["b01: new,all", "b02: new,all", "b03: new,all"]
    assert xcat.type("nodels", "mgt", on="b02") == ["b02: rhevm"]


@pytest.mark.parametrize("words", [("b1",), ("b1", "nodehm.mgt=x"), ("", "groups=x"), ("a b", "groups=x")])
def test_nodeadd_refuses(xcat, words):
    xcat.type("nodeadd", *words)
    assert xcat.rc == 1
    assert xcat.type("nodels", on="") == ["h1", "vm1", "vm2", "vm10"]


def test_nodeadd_says_that_a_node_needs_groups(xcat):
    (line,) = xcat.type("nodeadd", "b1-b3", "nodehm.mgt=x")
    assert line == "Error: b1-b3 would be in no group. Add groups=all, or other groups"


def test_nodeadd_warns_of_capitals(xcat):
    assert "contains capital letters" in xcat.type("nodeadd", "Big", "groups=x")[0]
    assert xcat.rc == 0


def test_nodech_adds_in_front_and_takes_out(xcat):
    xcat.type("nodech", "groups,=first", on="vm1")
    assert xcat.type("nodels", "groups", on="vm1") == ["vm1: first,vms,all"]
    xcat.type("nodech", "groups,=vms", on="vm1")
    xcat.type("nodech", "groups^=all", on="vm1")
    assert xcat.type("nodels", "groups", on="vm1") == ["vm1: first,vms"]


def test_nodech_to_nothing_stops_inheritance(xcat):
    xcat.type("tabch", "node=vms", "vm.memory=4g")
    xcat.type("nodech", "vm.memory=", on="vm1")
    assert xcat.type("nodels", "vm.memory", on="vm1,vm2") == ["vm1: ", "vm2: 4g"]
    assert {"node": "vm1", "memory": "|^.*$||"} in xcat.table("vm")


def test_nodech_with_an_unmistakable_equals_sign(xcat):
    xcat.type("nodech", "nodelist.comments=@=x", on="vm1")
    assert xcat.type("nodels", "nodelist.comments", on="vm1") == ["vm1: =x"]


def test_nodech_only_where_a_condition_holds(xcat):
    xcat.type("nodech", "mgt==ipmi", "nodehm.power=other", on="all")
    assert xcat.type("nodels", "nodehm.power=~.", on="all") == ["h1"]


def test_nodech_changes_nothing_when_a_column_is_wrong(xcat):
    assert (
        "nodehm.nope not a valid table.column description" in xcat.type("nodech", "nodehm.nope=1", "mgt=x", on="vm1")[0]
    )
    assert xcat.rc == 1
    assert xcat.type("nodels", "mgt", on="vm1") == ["vm1: rhevm"]


def test_nodech_deletes_rows(xcat):
    xcat.type("nodech", "-d", "nodehm", on="vm1,vm2")
    assert [row["node"] for row in xcat.table("nodehm")] == ["vm10", "h1"]
    assert ". and = not valid" in xcat.type("nodech", "-d", "nodehm.mgt", on="vm10")[0]


def test_noderm_takes_nodes_out_of_all_tables(xcat):
    xcat.type("nodech", "vm.memory=1g", "mac.mac=x", on="vm1")
    xcat.type("tabch", "node=vm1", "mac.disable=1")
    xcat.type("noderm", on="vm1,vm10")
    assert xcat.type("nodels", on="") == ["h1", "vm2"]
    for table in ("vm", "nodehm", "mac"):
        assert not [row for row in Tables(xcat.store).raw(table) if row["node"] in ("vm1", "vm10")]


# tables


def test_tabdump_and_tabrestore_are_inverse(xcat):
    xcat.type("tabch", "key=odd", 'site.value=a "quoted", text')
    xcat.type("tabch", "key=empty", "site.value=x", "site.comments=")
    before = xcat.type("tabdump", "site")
    assert '"odd","a ""quoted"", text",,' in before
    assert xcat.type("tabrestore", table="site", data=tuple(f"{line}\n" for line in before)) == []
    assert xcat.type("tabdump", "site") == before


def test_tabrestore_replaces_or_adds(xcat):
    head = "#netname,net,mask\n"
    xcat.type("tabrestore", table="networks", data=(head, '"a","10.0.0.0","255.0.0.0"\n'))
    xcat.type(
        "tabrestore",
        table="networks",
        data=(head, '"b","11.0.0.0","255.0.0.0"\n', '"A","10.0.0.0","255.0.0.0"\n'),
        addrows=True,
    )
    assert [row["netname"] for row in xcat.table("networks")] == ["A", "b"]
    xcat.type("tabrestore", table="networks", data=(head, "c,12.0.0.0,255.0.0.0\n"))
    assert [row["netname"] for row in xcat.table("networks")] == ["c"]


@pytest.mark.parametrize(
    "data, text",
    [
        ((), "Data missing header line"),
        (("net,mask\n",), "Data missing header line"),
        (("#nope\n",), "column 'nope'"),
        (("#netname,net,mask\n", '"a","b"x,"c"\n'), "unescaped"),
        (("#netname,net,mask\n", '"a\n'), "unmatched"),
        (("#netname,net,mask\n", "a,b,c,d\n"), "Too many fields on line 2"),
        (("#netname,net,mask\n", "\n", "a,b\n"), "Too few fields on line 3"),
        (("#netname,net,mask\n", "a,10.0.0.0,255.0.0.0\n", "b,,\n"), "A row of networks has no net and no mask"),
    ],
)
def test_tabrestore_changes_nothing_when_a_line_is_wrong(xcat, data, text):
    xcat.type("tabch", "net=1.0.0.0,mask=255.0.0.0", "networks.netname=kept")
    assert text in xcat.type("tabrestore", table="networks", data=data)[0]
    assert xcat.rc == (1 if "column" in text else 4)
    assert [row["netname"] for row in xcat.table("networks")] == ["kept"]


def test_tabdump_lists_tables_and_columns(xcat):
    assert "nodelist" in xcat.type("tabdump")
    assert any(line.startswith("mgt:") for line in xcat.type("tabdump", "-d", "nodehm"))
    assert xcat.type("tabdump", "nope") == ["Error: No such table: nope"]
    assert xcat.rc == 1
    assert xcat.type("tabdump", "mac") == ["#node,interface,mac,comments,disable"]


def test_tabdump_chooses_rows(xcat):
    assert xcat.type("tabdump", "-w", "key==master", "site")[1:] == ['"master","127.0.0.1",,']
    assert len(xcat.type("tabdump", "-w", "mgt=~r%", "-w", "node!=vm1", "nodehm")) == 3
    assert xcat.type("tabdump", "-w", "nope==1", "site") == ['Error: No column "nope" in table "site"']
    assert "Unsupported operator:key on -w flag input" in xcat.type("tabdump", "-w", "key", "site")[0]


@pytest.mark.parametrize(
    "condition, nodes",
    [
        ("mgt=~rhev_", ["vm1", "vm2", "vm10"]),
        ("mgt=~RH%M", ["vm1", "vm2", "vm10"]),
        ("mgt=~hev", []),
        ("mgt=~.*", []),
        ("mgt!~%hev%", ["h1"]),
        ("power!=x", []),  # where there is no value, no condition holds
        ("power!~x", []),
        ("node>=vm10", ["vm2", "vm10"]),
    ],
)
def test_tabdump_compares_as_the_database_does(xcat, condition, nodes):
    lines = xcat.type("tabdump", "-w", condition, "nodehm")[1:]
    assert {line.split('"')[1] for line in lines} == set(nodes)


@given(st.text("ab%_"), st.text("abA\n"))
def test_like_is_that_of_sqlite(pattern, text):
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        (holds,) = database.execute("select ? like ?", (text, pattern)).fetchone()
    assert bool(tabdump._like(pattern).fullmatch(text)) == bool(holds)


def test_like_is_not_at_it_for_ever():
    assert not tabdump._like("%a" * 50 + "%b").fullmatch("a" * 5000)


@pytest.mark.parametrize("count", ["x", "0", "-1"])
def test_tabdump_wants_a_number_of_records(xcat, count):
    assert xcat.type("tabdump", "-n", count, "auditlog") == [f"Error: '{count}' is not a number of records"]
    assert xcat.rc == 1


def test_tabdump_shows_rows_that_are_switched_off(xcat):
    xcat.type("tabch", "node=vm1", "nodehm.disable=1")
    assert '"vm1",,"rhevm",,,,,,,,,,,,,"1"' in xcat.type("tabdump", "nodehm")
    assert xcat.type("nodels", "mgt", on="vm1") == ["vm1: "]


def test_tabdump_into_a_file(xcat):
    assert xcat.type("tabdump", "-f", "out.csv", "site") == []
    assert (xcat.home.root / "out.csv").read_text().startswith("#key,value")
    assert "Unable to open the file for write" in xcat.type("tabdump", "-f", "/nonexistent/x", "site")[0]


@pytest.mark.parametrize(
    "words, text",
    [
        ((), "Usage: tabch"),
        (("key=a",), "Missing table name."),
        (("key", "site.value=1"), 'Incorrect argument "key".'),
        (("key=a", "nope.value=1"), "Table nope does not exist."),
        (("key=a", "site.nope=1"), "site.nope not a valid"),
        (("nope=a", "site.value=1"), "no such column: site.nope"),
        (("-d", "key=a", "nope"), "Table nope does not exist."),
        (("-d", "nope=a", "site"), "site.nope not a valid"),
    ],
)
def test_tabch_names_mistakes(xcat, words, text):
    before = xcat.type("tabdump", "site")
    lines = xcat.type("tabch", *words)
    assert text in lines[0] and xcat.rc == 1
    assert xcat.type("tabdump", "site") == before


def test_tabch_adds_to_lists_and_deletes(xcat):
    xcat.type("tabch", "key=l", "site.value+=a,b")
    xcat.type("tabch", "key=l", "site.value+=b,c")
    assert xcat.type("gettab", "key=l", "site.value") == ["a,b,c"]
    xcat.type("tabch", "-d", "key=l", "site")
    assert xcat.type("gettab", "key=l", "site.value") == []


def test_gettab_and_tabgrep(xcat):
    assert xcat.type("gettab", "-H", "node=h1", "hosts.ip") == ["hosts.ip: 10.0.0.9"]
    assert xcat.type("gettab", "node=h1", "hosts.ip", "nodehm.mgt") == ["hosts.ip: 10.0.0.9", "nodehm.mgt: ipmi"]
    assert xcat.type("gettab", "nope=h1", "hosts.ip") == ["Error: Unknown key nope to hosts"]
    xcat.type("tabch", "node=hyp", "hypervisor.type=rhevh")
    assert xcat.type("tabgrep", on="h1") == ["hosts", "hypervisor", "nodehm", "nodelist"]


# Objects


def test_lsdef_shows_a_node(xcat):
    assert xcat.type("lsdef", "h1") == ["Object name: h1", "    groups=hyp,all", "    ip=10.0.0.9", "    mgt=ipmi"]
    assert xcat.type("lsdef") == ["h1  (node)", "vm1  (node)", "vm2  (node)", "vm10  (node)"]
    assert xcat.type("lsdef", "-i", "ip,mgt", "-c", "h1") == ["h1: ip=10.0.0.9", "h1: mgt=ipmi"]
    assert xcat.type("lsdef", "-w", "mgt==ipmi", "-s") == ["h1  (node)"]


def test_lsdef_of_what_is_not_there(xcat):
    assert xcat.type("lsdef", "nope") == [
        "Error: Could not find an object named 'nope' of type 'node'.",
        "No object definitions have been found",
    ]
    assert xcat.rc == 1
    assert "not a valid xCAT object type" in _error(xcat, "lsdef", "-t", "nope")


def test_mkdef_refuses_one_and_makes_the_others(xcat):
    lines = xcat.type("mkdef", "vm1,vm3", "groups=vms")
    assert "A definition for 'vm1' already exists." in lines[0]
    assert lines[1] == "1 object definitions have been created or modified."
    assert xcat.rc == 0
    assert "vm3" in xcat.type("nodels", on="vms")


@pytest.mark.parametrize(
    "words, text",
    [
        (("n9",), "no attributes were specified. The 'groups' attribute is required when creating node definitions."),
        (("-t", "osimage", "i9"), "No object definitions have been created or modified: no attributes were specified."),
        (("n9", "mgt=ipmi"), "Attribute 'groups' is not specified"),
        (
            ("-t", "nosuch", "a", "b=c"),
            "Type 'nosuch' is not a valid xCAT object type. Types are: auditlog, eventlog, group",
        ),
        (("n9", "groups=x", "nope=1"), "'nope' is not a valid attribute name"),
        (("-o", "n.9", "groups=x"), "The object name 'n.9' is invalid"),
        (("groups=x",), "No object names were provided."),
        (("-t", "network", "-o", "net1", "net=10.0.0.0"), "Net or mask value should not be empty"),
        (("n9", "n8", "groups=x"), "can not contain spaces"),
        (("-p", "n9", "groups=x"), "not valid for the mkdef command"),
    ],
)
def test_mkdef_names_mistakes(xcat, words, text):
    assert text in _error(xcat, "mkdef", *words)


@pytest.mark.parametrize("command", ["mkdef", "chdef", "rmdef"])
def test_without_a_word_there_is_the_usage_and_no_error(xcat, command):
    lines = xcat.type(command)
    assert (xcat.rc, lines[0].split()[:2]) == (0, ["Usage:", command])


def test_chdef_without_attributes_changes_nothing(xcat):
    xcat.type("mkdef", "n1", "groups=x")
    assert xcat.type("chdef", "n1") == ["No object definitions have been created or modified."]
    assert xcat.rc == 0


def test_an_object_without_the_attribute_fulfils_no_condition_on_it(xcat):
    xcat.type("mkdef", "n1", "groups=x", "mgt=ipmi")
    xcat.type("mkdef", "n2", "groups=x", "mgt=rhevm")
    xcat.type("mkdef", "n3", "groups=x")
    assert [line for line in xcat.type("lsdef", "-w", "mgt!=ipmi") if line.startswith("n")] == ["n2  (node)"]
    assert [line for line in xcat.type("lsdef", "-w", "mgt!~ipmi") if line.startswith("n")] == ["n2  (node)"]


def test_tabgrep_of_several_nodes(xcat):
    xcat.type("mkdef", "n1", "groups=x", "mgt=ipmi")
    xcat.type("mkdef", "n2", "groups=x", "arch=x86_64")
    assert xcat.type("tabgrep", on="x") == ["nodehm", "nodelist", "nodetype"]


def _error(xcat, *words):
    try:
        line = xcat.type(*words)[0]
        assert xcat.rc == 1
        return line
    except Exception as problem:
        return str(problem)


def test_mkdef_with_f_replaces_everything(xcat):
    xcat.type("mkdef", "-f", "h1", "groups=new")
    assert xcat.type("lsdef", "h1") == ["Object name: h1", "    groups=new"]


def test_chdef_changes_adds_takes_away_and_clears(xcat):
    xcat.type("chdef", "vm1", "-p", "groups=x,vms")
    assert xcat.type("nodels", "groups", on="vm1") == ["vm1: vms,all,x"]
    xcat.type("chdef", "vm1", "-m", "groups=all")
    xcat.type("chdef", "vm1", "vmmemory=2g", "mgt=")
    assert xcat.type("lsdef", "vm1") == ["Object name: vm1", "    groups=vms,x", "    vmmemory=2g"]
    assert xcat.type("chdef", "vm7", "groups=vms")[1] == "New object definitions 'vm7' have been created."


def test_chdef_renames(xcat):
    xcat.type("chdef", "vm1", "-n", "vm77")
    assert xcat.type("nodels", on="") == ["h1", "vm2", "vm10", "vm77"]
    assert xcat.type("nodels", "mgt", on="vm77") == ["vm77: rhevm"]
    assert xcat.type("chdef", "vm77", "-n", "h1") == ["Error: Object h1 already exists."]


def test_interfaces_are_shown_one_by_one(xcat):
    xcat.type("chdef", "h1", "nicips.eth0=10.0.0.9", "nicips.eth1=10.1.0.9")
    assert xcat.type("lsdef", "-i", "nicips", "h1")[1:] == ["    nicips.eth0=10.0.0.9", "    nicips.eth1=10.1.0.9"]
    xcat.type("chdef", "h1", "nicips.eth0=")
    assert xcat.type("nodels", "nics.nicips", on="h1") == ["h1: eth1!10.1.0.9"]


def test_groups_as_objects(xcat):
    xcat.type("mkdef", "-t", "group", "-o", "pair", "members=vm1,vm2", "vmmemory=8g")
    assert xcat.type("nodels", "vm.memory", on="pair") == ["vm1: 8g", "vm2: 8g"]
    assert "    members=vm1,vm2" in xcat.type("lsdef", "-t", "group", "-l", "pair")
    xcat.type("chdef", "-t", "group", "-o", "pair", "members=vm2,vm10")
    assert xcat.type("nodels", on="pair") == ["vm2", "vm10"]
    xcat.type("rmdef", "-t", "group", "-o", "pair")
    assert xcat.type("nodels", "groups", on="vm2") == ["vm2: vms,all"]
    assert not [row for row in xcat.table("vm") if row["node"] == "pair"]


def test_a_dynamic_group_follows_its_condition(xcat):
    xcat.type("mkdef", "-t", "group", "-o", "ipmis", "-d", "-w", "mgt==ipmi", "-w", "ip=~^10")
    assert xcat.type("nodels", on="ipmis") == ["h1"]
    xcat.type("chdef", "vm1", "mgt=ipmi", "ip=10.0.0.1")
    assert xcat.type("nodels", on="ipmis") == ["h1", "vm1"]


def test_other_objects(xcat):
    xcat.type("mkdef", "-t", "osimage", "-o", "img", "provmethod=install", "addkcmdline=quiet")
    assert xcat.type("lsdef", "-t", "osimage", "img") == [
        "Object name: img",
        "    addkcmdline=quiet",
        "    provmethod=install",
    ]
    assert xcat.table("linuximage") == [{"imagename": "img", "addkcmdline": "quiet"}]
    xcat.type("mkdef", "-t", "policy", "-o", "7", "name=joe", "rule=allow")
    xcat.type("mkdef", "-t", "network", "-o", "lan", "net=10.0.0.0", "mask=255.0.0.0")
    xcat.type("mkdef", "-t", "passwd", "-o", "rhevm", "username=admin", "password=x")
    xcat.type("chdef", "-t", "site", "clustersite", "domain=example.com")
    assert "    domain=example.com" in xcat.type("lsdef", "-t", "site", "-l")
    assert xcat.type("rmdef", "-t", "osimage,policy", "img,7")[-1] == "2 object definitions have been removed."
    assert xcat.table("osimage") == xcat.table("linuximage") == []
    assert xcat.table("passwd") == [{"key": "rhevm", "username": "admin", "password": "x"}]


def test_stanzas_go_out_and_in(xcat):
    text = "\n".join(xcat.type("lsdef", "-z", "h1,vm1"))
    xcat.type("rmdef", "h1,vm1")
    assert xcat.type("mkdef", "-z", stdin=text)[-1] == "2 object definitions have been created or modified."
    assert "\n".join(xcat.type("lsdef", "-z", "h1,vm1")) == text


# Others


def test_lsxcatd(xcat):
    assert xcat.type("lsxcatd", "-t") == ["This is a Management Node"]
    assert xcat.type("lsxcatd", "-d") == ["dbengine=SQLite"]
    assert len(xcat.type("lsxcatd", "-a")) == 3


def test_makehosts_writes_below_home(xcat):
    file = xcat.home.root / "etc" / "hosts"
    file.write_text("127.0.0.1 localhost\n10.0.0.9 stale\n10.9.9.9 h1\n# kept\n")
    xcat.type("chdef", "-t", "site", "clustersite", "domain=example.com")
    xcat.type("chdef", "h1", "hostnames=alias", "otherinterfaces=-ib0:10.1.0.9")
    assert xcat.type("makehosts") == [f"Wrote {file}"]
    assert file.read_text().splitlines() == [
        "127.0.0.1 localhost",
        "10.0.0.9 h1 h1.example.com alias",
        "# kept",
        "10.1.0.9 h1-ib0 h1-ib0.example.com ",
    ]
    xcat.type("makehosts", "-d", on="h1")
    assert file.read_text().splitlines() == ["127.0.0.1 localhost", "# kept"]


def test_updatenodestat_takes_xcats_words_only(xcat):
    assert xcat.type("updatenodestat", "booted", on="vm1") == []
    assert xcat.type("nodels", "nodelist.status", on="vm1") == ["vm1: booted"]
    assert xcat.type("updatenodestat", "dancing", on="vm1") == []
    assert xcat.type("nodels", "nodelist.status", on="vm1") == ["vm1: booted"]
    xcat.type("tabch", "key=nodestatus", "site.value=n")
    xcat.type("updatenodestat", "failed", on="vm1")
    assert xcat.type("nodels", "nodelist.status", on="vm1") == ["vm1: booted"]


def test_unknown_commands_and_modules(xcat):
    assert xcat.type("makeroutes") == [
        "Error: Unsupported request: the embedded xcatd has no makeroutes; a Perl xCAT has it"
    ]
    assert xcat.rc == 127
    assert xcat.type("rpwer") == ["Error: Unsupported request: there is no command rpwer"]
    xcat.type("tabch", "node=vm1", "nodehm.mgt=rhevmX")
    assert "rhevmX" in xcat.type("rpower", "stat", on="vm1")[0]
    assert xcat.rc == 1
    assert xcat.type("rpower", "stat", on="h1") == [
        "h1: Error: Unable to identify plugin for this command, check relevant tables: nodehm.power,mgt. "
        "nodehm.mgt is ipmi, and rhevm is all that is known here. "
        "For a machine of a manager, run: chdef h1 mgt=rhevm vmmanager=MANAGER",
    ]
    (said,) = xcat.type("chhypervisor", "-a", on="h1")
    assert said.endswith("For a hypervisor of a manager, run: chdef h1 hosttype=rhevh hostmanager=MANAGER")
    xcat.type("chdef", "h1", "mgt=")
    assert "nodehm.mgt is not set." in xcat.type("rpower", "stat", on="h1")[0]


def test_what_was_meant_is_said(xcat):
    with pytest.raises(Usage, match=r"Did you mean vmmemory\?$"):
        xcat.type("chdef", "vm1", "vmmemry=4g")
    assert xcat.type("tabch", "node=vm1", "nodehm.mgmt=x")[0].endswith("Did you mean nodehm.mgt?")
    assert xcat.type("nodels", "nodehmm.mgt", on="vm1")[0].endswith("Did you mean nodehm?")


def test_without_a_master_nothing_is_sent_to_nodes(xcat):
    xcat.type("tabch", "-d", "key=master", "site")
    assert xcat.type("nodels", on="vm1") == ["Error: site.master is not set, unable to dispatch 'nodels'"]
