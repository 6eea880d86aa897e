"""What every Host promises to commands; each Host joins by a factory that makes one over given rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
from bridged import PERL_THERE, Bridged

from daemonhelp import Inside
from xcat_rhev.daemon.host import DaemonHost
from xcat_rhev.daemon.tables import Tables
from xcat_rhev.errors import RhevError
from xcat_rhev.messages import Data, Error
from xcat_rhev.xcat.host import Request, Xcat

Rows = Mapping[str, Sequence[Mapping[str, str]]]
#: Makes a Host over tables with these rows; `end` takes down what it needed.
Factory = Callable[[Rows], Xcat]

ROWS: Rows = {
    "nodelist": [
        {"node": "n1", "groups": "first,second"},
        {"node": "n2", "groups": "second,first"},
        {"node": "n3", "groups": ""},
    ],
    "nodehm": [
        {"node": "n1", "power": "own"},
        {"node": "first", "mgt": "f"},
        {"node": "second", "mgt": "s", "power": "p"},
    ],
    "hosts": [{"node": "second", "ip": "|n(\\d+)|10.0.0.($1)|"}],
    "vm": [{"node": "n1", "mgr": "m", "disable": "1"}, {"node": "n2", "mgr": "m", "disable": "0"}],
    "noderes": [{"node": "n1", "servicenode": "sn1,sn2"}],
    "passwd": [
        {"key": "rhevm", "username": "admin", "password": "x"},
        {"key": "rhevh", "username": "root", "password": "y"},
    ],
    "site": [{"key": "master", "value": "10.0.0.1"}, {"key": "domain", "value": "example.com"}],
}


@pytest.fixture(params=["daemon", "bridge"])
def host(request, tmp_path):
    """A Host over ROWS; the bridge has the daemon's at the other end of real Perl."""
    xcat = Inside(tmp_path)
    for table, rows in ROWS.items():
        with xcat.store.change(table) as change:
            change.replace(rows)
    inside = DaemonHost(xcat.xcatd, Tables(xcat.store), Request("rpower", ("n1",), user="root"))
    if request.param == "daemon":
        yield inside
    elif not PERL_THERE:
        pytest.skip("Perl with its JSON module is not installed")
    else:
        bridged = Bridged(tmp_path, inside)
        yield bridged.host
        bridged.close()
    xcat.close()


def test_every_asked_node_is_a_key(host):
    assert host.node_attrs("nodehm", ["n1", "n3", "nobody"], ["power"]) == {
        "n1": {"power": "own"},
        "n3": {},
        "nobody": {},
    }
    assert host.node_attrs("nodehm", [], ["power"]) == {}


def test_columns_are_inherited_one_by_one_in_the_order_of_the_groups(host):
    assert host.node_attrs("nodehm", ["n1", "n2"], ["mgt", "power"]) == {
        "n1": {"mgt": "f", "power": "own"},
        "n2": {"mgt": "s", "power": "p"},
    }


def test_values_that_are_patterns_are_worked_out_for_the_node(host):
    assert host.node_attrs("hosts", ["n1", "n2"], ["ip"]) == {"n1": {"ip": "10.0.0.1"}, "n2": {"ip": "10.0.0.2"}}


def test_disabled_rows_do_not_count(host):
    assert host.node_attrs("vm", ["n1", "n2"], ["mgr"]) == {"n1": {}, "n2": {"mgr": "m"}}
    assert [row["node"] for row in host.rows("vm")] == ["n2"]


def test_unknown_tables_and_columns_read_as_empty(host):
    assert host.node_attrs("hwinv", ["n1"], ["memory"]) == {"n1": {}}
    assert host.node_attrs("nodehm", ["n1"], ["nope"]) == {"n1": {}}
    assert host.rows("hwinv") == []


def test_rows_are_as_they_stand_without_what_is_empty(host):
    assert host.rows("passwd", {"key": "rhevm"}) == [{"key": "rhevm", "username": "admin", "password": "x"}]
    assert host.rows("passwd", {"key": "rhevm", "username": "nobody"}) == []
    assert len(host.rows("passwd")) == 2
    assert {"node": "second", "ip": "|n(\\d+)|10.0.0.($1)|"} in host.rows("hosts")


def test_writing_lands_in_the_nodes_own_row(host):
    host.set_node_attrs("nodehm", {"n1": {"mgt": "mine"}, "n3": {"mgt": "other"}})
    assert host.node_attrs("nodehm", ["n1", "n2", "n3"], ["mgt"]) == {
        "n1": {"mgt": "mine"},
        "n2": {"mgt": "s"},
        "n3": {"mgt": "other"},
    }
    assert {"node": "first", "mgt": "f"} in host.rows("nodehm")


def test_an_empty_value_clears_a_column_and_the_group_shows_again(host):
    host.set_node_attrs("nodehm", {"n1": {"power": ""}})
    assert host.node_attrs("nodehm", ["n1"], ["power"]) == {"n1": {"power": "p"}}


def test_rows_are_changed_added_and_deleted(host):
    key = {"key": "rhevm", "username": "admin"}
    host.set_row("passwd", key, {"password": "new"})
    host.set_row("passwd", {"key": "x", "username": "y"}, {"password": "z"})
    assert host.rows("passwd", key) == [{**key, "password": "new"}] and len(host.rows("passwd")) == 3
    host.delete_row("passwd", key)
    host.delete_row("passwd", key)
    assert host.rows("passwd", {"key": "rhevm"}) == []


def test_site(host):
    assert host.site("domain") == "example.com"
    assert host.site("nope") == "" and host.site("nope", "usual") == "usual"


def test_many_nodes_at_once_each_with_its_own(host):
    values = {"n1": {"status": "powering-on"}, "n2": {"status": "powering-off"}, "n3": {"status": "powering-on"}}
    host.set_node_attrs("nodelist", values)
    assert host.node_attrs("nodelist", list(values), ["status"]) == values
    host.set_node_attrs("nodelist", {node: {"status": ""} for node in values})
    assert host.node_attrs("nodelist", list(values), ["status"]) == {"n1": {}, "n2": {}, "n3": {}}


def test_nodes_that_are_new_get_their_rows(host):
    values = {node: {"groups": "all,vms", "status": "new"} for node in ("new1", "new2")}
    host.set_node_attrs("nodelist", values)
    assert host.node_attrs("nodelist", list(values), ["groups", "status"]) == values
    assert {"new1", "new2", "n1"} <= {row["node"] for row in host.rows("nodelist")}


def test_service_nodes_as_they_are_written(host):
    assert host.service_nodes(["n1", "n2", "n3"]) == {"sn1,sn2": ["n1"], "10.0.0.1": ["n2", "n3"]}


def test_running_another_command(host):
    assert list(host.run("gettab", args=["key=domain", "site.value"])) == [Data("example.com")]
    list(host.run("updatenodestat", ["n1"], ["booted"]))
    assert host.node_attrs("nodelist", ["n1"], ["status"]) == {"n1": {"status": "booted"}}


def test_running_a_command_that_nobody_has(host):
    assert any(isinstance(message, Error) for message in host.run("nosuchcommand", ["n1"]))


def test_boot_parameters_are_for_nodeset_only(host):
    with pytest.raises(RhevError, match="nodeset"):
        host.set_bootparams("n1", "k", "i", "c")


def test_its_addresses(host):
    assert "127.0.0.1" in host.my_addresses()
