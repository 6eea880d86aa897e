"""mkdef, chdef, rmdef and lsdef: what else xCAT's man pages say of them, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemonhelp import Inside
from xcat_rhev.daemon import objects, tables
from xcat_rhev.daemon.attributes import KINDS
from xcat_rhev.daemon.core import templates
from xcat_rhev.daemon.store import Store
from xcat_rhev.errors import Usage


def refusal(xcat: Inside, *words: str, stdin: str = "") -> str:
    """What a command says that the daemon refuses, as a whole or in the answer."""
    try:
        lines = xcat.type(*words, stdin=stdin)
    except Usage as problem:
        return str(problem)
    assert xcat.rc == 1
    return "\n".join(lines)


@pytest.fixture
def xcat(tmp_path: Path) -> Iterator[Inside]:
    xcat = Inside(tmp_path)
    xcat.type("mkdef", "n1,n2", "groups=all", "mgt=rhevm", "ip=10.0.0.1")
    xcat.type("mkdef", "-t", "network", "net1", "net=10.0.0.0", "mask=255.0.0.0")
    assert xcat.rc == 0
    yield xcat
    xcat.close()


@pytest.mark.parametrize(
    "line, text",
    [
        ("mkdef x1 x2 groups=all", "noderange can not contain spaces."),
        ("chdef n1 n2 mgt=x", "noderange can not contain spaces."),
        ("chdef n1 junk", "noderange can not contain spaces."),
        ("lsdef n1 n2", "noderange can not contain spaces."),
        ("mkdef -t node,group x1 groups=all", "Cannot combine multiple types with 'att=val' pairs"),
        ("chdef -t node,group n1 mgt=x", "Cannot combine multiple types with 'att=val' pairs"),
        ("mkdef -t node", "No object names were provided."),
        ("mkdef x.1 groups=all", "The object name 'x.1' is invalid, Cannot use '.' in node name."),
        ("mkdef \u00e91 groups=all", "is invalid, please refer to"),
        ("chdef \u00e91 groups=all", "is invalid, please refer to"),
        ("chdef n1 -n a.b", "The new object name 'a.b' is not valid.Please refer to"),
        ("mkdef -t network net2 net=10.0.0.0 mask=255.0.0.0", "called 'net1' already exists that contains the same"),
        ("chdef -t network net2 net=10.0.0.0 mask=255.0.0.0", "called 'net1' already exists that contains the same"),
        ("chdef -t network net2 gateway=1.2.3.4", "Net or mask value should not be empty"),
        ("chdef -m n1 groups=nope", "nope is not in the attribute of 'groups' for the 'n1' definition."),
        ("chdef -p n1 nicips.eth0=1.2.3.4", "chdef does not support to change the nic related attributes"),
        ("mkdef x1 --template nope groups=all", "Could not find the template object named 'nope' of type 'node'."),
        ("mkdef -t osimage i1 -u provmethod=install", "-u finds nothing"),
        ("lsdef -c n1", "The flags '-c' and '-i' must be used together."),
        ("lsdef -a n1", "Cannot use '-a' with '-o', a noderange or file input."),
        ("lsdef n1 -i mgt --nics", "The flags '-i' and '--nics' cannot be used together."),
        ("lsdef -t site other", "Could not find an object named 'other' of type 'site'."),
        ("lsdef -t nosuch -h", "Type 'nosuch' is not a valid xCAT object type"),
    ],
)
def test_what_is_refused_changes_nothing(xcat, line, text):
    before = {name: xcat.table(name) for name in ("nodelist", "nodehm", "nodegroup", "networks", "osimage", "nics")}
    assert text in refusal(xcat, *line.split())
    assert before == {name: xcat.table(name) for name in before}


def test_a_template_gives_what_is_not_said(xcat):
    xcat.type("nodech", "nodelist.status=booted", on="n1")
    xcat.type("mkdef", "x1", "--template", "n1", "ip=10.0.0.9")
    assert xcat.type("lsdef", "x1")[1:] == ["    groups=all", "    ip=10.0.0.9", "    mgt=rhevm"]


def test_a_group_may_have_nothing_yet(xcat):
    xcat.type("mkdef", "-t", "group", "later")
    assert xcat.rc == 0 and xcat.table("nodegroup") == [{"groupname": "later", "grouptype": "static"}]


def test_a_static_group_is_stored_as_xcat_does(xcat):
    xcat.type("mkdef", "-t", "group", "some", "members=n1")
    assert xcat.table("nodegroup") == [{"groupname": "some", "grouptype": "static", "members": "static"}]
    assert xcat.type("lsdef", "-t", "group", "some", "-i", "members")[1:] == ["    members=n1"]


def test_one_object_that_cannot_be_written_does_not_stop_the_others(xcat):
    text = "g1:\n  objtype=group\n  members=nope\nn9:\n  objtype=node\n  groups=all\n"
    lines = xcat.type("mkdef", "-z", stdin=text)
    assert xcat.rc == 1 and any("Could not find a node named 'nope'" in line for line in lines)
    assert xcat.type("nodels", on="n9") == ["n9"]


# Stanzas


def test_stanzas_have_defaults_and_quotes(xcat):
    text = (
        'default-node:\n  groups=all,new\n  mgt=ipmi\n\nx1:\n  objtype=node\n\tos = "rhevh 6"\n'
        "x2:\r\n  objtype=node\r\n  mgt=hmc\r\ndefault-node:\n  mgt=\nx3:\n  objtype=node\n"
    )
    assert xcat.type("mkdef", "-z", stdin=text) == ["3 object definitions have been created or modified."]
    assert xcat.type("nodels", "mgt", on="new") == ["x1: ipmi", "x2: hmc", "x3: "]
    assert xcat.type("nodels", "nodetype.os", on="x1") == ["x1: rhevh 6"]


@pytest.mark.parametrize("first", ["# <xCAT data object stanza file>\n", "x1:\n  objtype=node\n  groups=all\n"])
def test_a_byte_order_mark_before_stanzas_is_no_text(xcat, first):
    text = f"\ufeff{first}x2:\n  objtype=node\n  groups=all\n"
    assert xcat.type("mkdef", "-z", stdin=text)[-1].endswith("have been created or modified.")
    assert xcat.rc == 0


@pytest.mark.parametrize(
    "words, text, problem",
    [
        ((), "x1:\n  groups=all\n", "No objtype value was specified for 'x1'. Cannot create object definition."),
        (("x2",), "x1:\n  objtype=node\n  groups=all\n", "Cannot use '-z' with '-o' or a noderange."),
        (("-t", "node"), "x1:\n  objtype=node\n  groups=all\n", "Cannot combine '-t' and '-a', '-z', or '-x' options."),
        ((), "# a comment\n\ndefault-node:\n  mgt=ipmi\n", "No object names were provided."),
        ((), "x1:\n  objtype=node\n  groups=all\nx2:\n  objtype=what\n", "Type 'what' is not a valid xCAT object type"),
    ],
)
def test_a_stanza_file_with_a_mistake_changes_nothing(xcat, words, text, problem):
    assert problem in refusal(xcat, "mkdef", "-z", *words, stdin=text)
    assert xcat.type("nodels", on="") == ["n1", "n2"]


@pytest.mark.parametrize("command", ["mkdef", "chdef"])
def test_an_attribute_that_there_is_not_is_left_out_of_a_stanza_and_named(xcat, command):
    text = "x1:\n  objtype=node\n  groups=all\n  what=1\n  ip=10.0.0.7\nx2:\n  objtype=node\n  groups=all\n  ip.x=1\n"
    said = xcat.type(command, "-z", stdin=text)
    assert xcat.rc == 1
    assert said[:2] == [
        f"Error: {name}: '{attribute}' is not a valid attribute name for an object type of 'node'. "
        "Skipping to the next attribute."
        for name, attribute in (("x1", "what"), ("x2", "ip.x"))
    ]
    assert "2 object definitions have been created or modified." in said
    assert xcat.type("nodels", "hosts.ip", on="x1,x2") == ["x1: 10.0.0.7", "x2: "]


def test_a_policy_row_without_a_rule_is_none(xcat):
    for words in (("mkdef", "-t", "policy", "7", "name=bob"), ("chdef", "-t", "policy", "7", "commands=rpower")):
        assert "Attribute 'rule' is not specified for policy '7'" in refusal(xcat, *words)
    assert "7" not in [row["priority"] for row in xcat.table("policy")]
    assert xcat.type("mkdef", "-t", "policy", "7", "name=bob", "rule=allow") and xcat.rc == 0
    assert xcat.type("chdef", "-t", "policy", "7", "commands=rpower") and xcat.rc == 0


def test_attributes_of_a_bmc_need_what_asks_one(xcat):
    problem = "Cannot set the attr='bmc' attribute unless mgt value is ipmi or openbmc."
    assert problem in refusal(xcat, "mkdef", "x1", "groups=all", "bmc=10.0.0.9", "bmcpassword=x")
    assert problem in refusal(xcat, "chdef", "n1", "bmc=10.0.0.9")
    assert problem in refusal(xcat, "mkdef", "-t", "group", "g", "bmc=10.0.0.9")
    xcat.type("mkdef", "-t", "group", "bmcs", "mgt=ipmi", "bmcusername=root")
    assert xcat.rc == 0
    xcat.type("mkdef", "x1", "groups=bmcs,all", "bmc=10.0.0.9")
    xcat.type("mkdef", "x2", "groups=all", "bmc=10.0.0.9", "mgt=ipmi")
    xcat.type("chdef", "x2", "bmcusername=root")
    xcat.type("chdef", "n1", "bmc=")
    assert xcat.rc == 0


# lsdef


@pytest.mark.parametrize(
    "words, code",
    [
        (("-s",), 0),
        (("n1", "-s"), 0),
        (("nosuch", "-s"), 1),
        (("-t", "group", "-s"), 0),
        (("-t", "group", "-o", "nosuch", "-s"), 1),
        (("-t", "osimage", "-s"), 0),
        (("--template",), 0),
        (("--template", "nosuch"), 1),
    ],
)
def test_the_exit_code_tells_whether_what_was_named_is_there(xcat, words, code):
    assert xcat.type("lsdef", *words)
    assert xcat.rc == code


def test_lsdef_tells_where_attributes_are(xcat):
    assert xcat.type("lsdef", "-V", "n1", "-i", "mgt")[1:] == ["    mgt=rhevm\t(Table:nodehm - Key:node - Column:mgt)"]
    xcat.type("mkdef", "-t", "osimage", "i1", "provmethod=install")
    assert xcat.type("lsdef", "-V", "-t", "osimage", "i1")[1:] == [
        "    provmethod=install\t(Table:osimage - Key: imagename - Column:provmethod)"
    ]
    assert xcat.type("lsdef", "-V", "-t", "site", "-i", "master")[1:] == [
        "    master=127.0.0.1\t(Table:site - Key:master)"
    ]


def test_lsdef_shows_the_interfaces_alone(xcat):
    xcat.type("chdef", "n1", "nicips.eth0=1.2.3.4", "nicips.ib0=2.3.4.5", "nictypes.ib0=Infiniband")
    assert xcat.type("lsdef", "n1,n2", "--nics") == [
        "Object name: n1",
        "    nicips.eth0=1.2.3.4",
        "    nicips.ib0=2.3.4.5",
        "    nictypes.ib0=Infiniband",
        "Object name: n2",
    ]


def test_lsdef_shows_the_image_of_a_node(xcat):
    xcat.type("mkdef", "-t", "osimage", "i1", "provmethod=install", "osvers=rhevh6")
    xcat.type("chdef", "n1", "provmethod=i1")
    lines = xcat.type("lsdef", "n1", "--osimage")
    assert lines[-3:] == ["    provmethod=i1", "    osvers=rhevh6", "    provmethod=install"]
    assert "Missing attributes for node n2" in xcat.type("lsdef", "n2", "--osimage")[0] and xcat.rc == 1


def test_lsdef_chooses_by_name(xcat):
    xcat.type("mkdef", "n10", "groups=all")
    assert xcat.type("lsdef", "-w", "node=~^n1") == ["n1  (node)", "n10  (node)"]
    assert xcat.type("lsdef", "-t", "network", "-w", "netname==net1") == ["net1  (network)"]


def test_lsdef_does_not_deny_a_hidden_node(xcat):
    xcat.type("nodech", "nodelist.hidden=1", on="n1")
    assert xcat.type("lsdef", "n1", "-s") == ["No object definitions have been found"] and xcat.rc == 0
    assert xcat.type("lsdef", "n1", "-s", "-S") == ["n1  (node)"]


def test_lsdef_leaves_out_site_attributes_that_are_not_there(xcat):
    xcat.type("chdef", "-t", "site", "clustersite", "with.dot=1")
    assert xcat.type("lsdef", "-t", "site", "-i", "nosuch,with.dot,master") == [
        "Object name: clustersite",
        "    master=127.0.0.1",
        "    with.dot=1",
    ]


@pytest.mark.parametrize("words", [("-i", ""), ()])
def test_lsdef_of_no_attribute_shows_all(xcat, words):
    assert "    mgt=rhevm" in xcat.type("lsdef", "n1", *words)


def test_help_lists_the_attributes_of_a_type(xcat):
    lines = xcat.type("lsdef", "-t", "node", "-h")
    assert "mgt:                      nodehm.mgt" in lines and lines == xcat.type("mkdef", "-t", "node", "-h")
    assert xcat.type("lsdef", "-t", "node", "-h", "-i", "mgt")[2:] == ["mgt:                      nodehm.mgt"]
    assert xcat.rc == 0


def test_nodes_of_a_stanza_file_are_written_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, changed, change = Inside(tmp_path), [], Store.change
    monkeypatch.setattr(Store, "change", lambda self, name: changed.append(name) or change(self, name))
    nodes = "".join(f"n{number}:\n  objtype=node\n  groups=all,g{number}\n  mgt=ipmi\n" for number in range(300))
    group = "some:\n  objtype=group\n  members=n1,n299\n"
    assert inside.type("mkdef", "-z", stdin=nodes + group) == ["301 object definitions have been created or modified."]
    assert sorted(name for name in changed if name != "auditlog") == ["nodegroup", "nodehm", "nodelist", "nodelist"]
    assert inside.type("nodels", "groups", on="some") == ["n1: all,g1,some", "n299: all,g299,some"]
    inside.type("chdef", "-z", stdin=nodes.replace("ipmi", "kvm"))
    assert inside.type("nodels", "mgt", on="n299") == ["n299: kvm"]
    assert len(inside.type("mkdef", "-z", stdin=nodes)) == 301 and inside.rc == 1


def test_a_stanza_file_of_millions_of_objects_is_refused(tmp_path: Path) -> None:
    inside = Inside(tmp_path)
    with pytest.raises(Usage, match="more than 200000 objects"):
        inside.type("mkdef", "-z", stdin="".join(f"x{number}:\n" for number in range(200_001)))


def test_scripts_that_every_node_runs(tmp_path: Path) -> None:
    inside = Inside(tmp_path)
    scripts = ("postscripts.postscripts=syslog,remoteshell", "postscripts.postbootscripts=o")
    inside.type("tabch", "node=xcatdefaults", *scripts)
    said = inside.type("mkdef", "n1,n2", "groups=all", "postscripts=mine,syslog", "postbootscripts=")
    assert said[:2] == [
        f"Warning: {node}: postscripts 'syslog' is already included in the 'xcatdefaults'." for node in ("n1", "n2")
    ]
    assert inside.type("nodels", "postscripts.postscripts", on="n1") == ["n1: mine"]
    assert inside.type("lsdef", "n1", "-i", "postscripts,postbootscripts")[1:] == [
        "    postbootscripts=o",
        "    postscripts=syslog,remoteshell,mine",
    ]
    assert inside.type("lsdef", "-w", "postscripts=~shell", "-s") == ["n1  (node)", "n2  (node)"]
    assert "    postscripts=mine" in inside.type("lsdef", "-z", "n1")
    inside.type("chdef", "n1", "-p", "postscripts=more,remoteshell")
    inside.type("chdef", "n2", "-m", "postscripts=mine")
    assert inside.type("nodels", "postscripts.postscripts", on="n1") == ["n1: mine,more"]
    assert inside.type("lsdef", "n2", "-i", "postscripts")[1] == "    postscripts=syslog,remoteshell"
    inside.type("tabch", "node=xcatdefaults", "postscripts.disable=1")
    assert "    postscripts=mine,more" in inside.type("lsdef", "n1")
    assert inside.type("nodels", on="all") == ["n1", "n2"]


def test_templates_say_what_a_machine_needs(xcat):
    assert {"rhevm-template  (node)", "rhevh-template  (node)"} <= set(xcat.type("lsdef", "--template"))
    shown = xcat.type("lsdef", "--template", "rhevm-template")
    assert shown[0] == "Object name: rhevm-template"
    assert "    vmmanager=MANDATORY:the host name of the manager" in shown
    assert xcat.type("lsdef", "--template", "-t", "osimage") == ["Could not find any object definitions to display."]


def test_a_machine_is_made_of_a_template(xcat):
    assert 'The attribute "vmmanager" must be specified!' in refusal(
        xcat, "mkdef", "v1", "--template", "rhevm-template"
    )
    assert xcat.type("nodels") == ["n1", "n2"]
    xcat.type("mkdef", "v1", "--template", "rhevm-template", "vmmanager=m1", "vmcpus=4")
    found = xcat.type("lsdef", "v1", "-i", "groups,ip,mgt,vmmanager,vmcpus,vmmemory")[1:]
    assert [line.strip() for line in found] == [
        "groups=vm,all",
        "ip=",
        "mgt=rhevm",
        "vmcpus=4",
        "vmmanager=m1",
        "vmmemory=2g",
    ]


def test_templates_have_attributes_that_there_are(xcat):
    every = [(kind, values) for kind in KINDS.values() for values in templates.of(kind).values()]
    assert every and not [name for kind, values in every for name in values if not objects.is_known(kind, name)]


def test_records_of_logs_are_objects(xcat, monkeypatch):
    xcat.type("tabprune", "auditlog", "-a")
    with xcat.store.change("auditlog") as change:
        change.add_all([{"command": f"c{number}"} for number in range(30)])
    monkeypatch.setattr(tables, "RECORDS", 10)
    found = xcat.type("lsdef", "-t", "auditlog")
    assert len(found) == 10 and found[-1].endswith("  (auditlog)")
    last = found[-1].split()[0]
    assert "    command=c29" in xcat.type("lsdef", "-t", "auditlog", "-o", last)
    assert not any("(auditlog)" in line for line in xcat.type("lsdef", "-a"))


def test_a_dynamic_group_without_members_names_nobody(xcat):
    xcat.type("mkdef", "-t", "group", "nobody", "-d", "-w", "mgt==hmc")
    assert "No node in 'nobody', check the noderange syntax." in refusal(xcat, "lsdef", "-s", "nobody")
