"""What a manager says it has: names, addresses and MACs of others, chosen by who may make machines there."""

from __future__ import annotations

import copy

import pytest

from vmsite import VmSite
from xcat_rhev.messages import Error


@pytest.fixture
def site(tmp_path_factory):
    made = VmSite(tmp_path_factory, (4, 5))
    made.made("vm1")
    made.host.tables["vm"], made.host.tables["mac"] = [], []
    made.row("nodelist", "asker", groups="all,compute")
    made.row("hypervisor", "asker", mgr=made.manager, type="rhevh")
    yield made
    made.close()


def scanned(site, option):
    """Who is left alone, and which tables have changed."""
    before = copy.deepcopy(site.host.tables)
    said = site.say(f"rscan {option}", ["asker"])
    left = {message.node: message.text for message in said if isinstance(message, Error)}
    changed = {
        (table, row["node"])
        for table, rows in site.host.tables.items()
        for row in rows
        if "node" in row and row not in before.get(table, [])
    }
    return left, changed


def mac_of(site):
    return next(nic["mac"] for nic in site.world.all("nic"))


@pytest.mark.parametrize("option", ["-w", "-u"])
@pytest.mark.parametrize(
    "rows, reason",
    [
        ({"nodehm": {"mgt": "ipmi"}}, "is managed by ipmi and is not changed"),
        ({"nodehm": {"mgt": "kvm"}}, "is managed by kvm and is not changed"),
        ({"vm": {"mgr": "other.example.com"}}, "belongs to other.example.com and is not changed"),
        ({"hypervisor": {"mgr": "other.example.com"}}, "belongs to other.example.com and is not changed"),
        ({"nodehm": {"mgt": "ipmi"}, "hypervisor": {"mgr": "MGR"}}, "is a hypervisor and is not changed"),
    ],
)
def test_a_machine_takes_no_node_over(site, option, rows, reason):
    """Somebody makes a machine with the name of a node: its management, address and MAC would become the machine's."""
    site.row("nodelist", "vm1", groups="all")
    site.row("hosts", "vm1", ip="10.0.0.1")
    for table, columns in rows.items():
        site.row(table, "vm1", **{key: value.replace("MGR", site.manager) for key, value in columns.items()})
    left, changed = scanned(site, option)
    assert left["vm1"] == reason
    assert not [table for table, node in changed if node == "vm1"]


@pytest.mark.parametrize(
    "rows, reason",
    [
        ({"nodehm": {"mgt": "ipmi"}}, "is managed by ipmi, with no hypervisor.mgr and is not changed"),
        ({"nodehm": {"mgt": "rhevm"}}, "is a virtual machine and is not changed"),
        ({"vm": {"mgr": "MGR"}}, "is a virtual machine and is not changed"),
        ({"hypervisor": {"mgr": "other.example.com"}}, "belongs to other.example.com and is not changed"),
    ],
)
def test_a_host_takes_no_node_over(site, rows, reason):
    site.row("nodelist", "rhevh1", groups="all")
    site.row("hosts", "rhevh1", ip="10.0.0.1")
    for table, columns in rows.items():
        site.row(table, "rhevh1", **{key: value.replace("MGR", site.manager) for key, value in columns.items()})
    left, changed = scanned(site, "-w")
    assert left["rhevh1"] == reason
    assert not [table for table, node in changed if node == "rhevh1"]


@pytest.mark.parametrize(
    "make_group",
    [
        lambda site: site.row("nodelist", "n1", groups="all,vm1"),
        lambda site: site.host.tables.update(nodegroup=[{"groupname": "vm1", "grouptype": "static"}]),
    ],
)
def test_a_machine_with_the_name_of_a_group_writes_no_row_of_it(site, make_group):
    """What stands in a group's row counts for all its members."""
    make_group(site)
    left, changed = scanned(site, "-w")
    assert left["vm1"] == "is the name of a group and is not changed"
    assert not [table for table, node in changed if node == "vm1"]


@pytest.mark.parametrize("name", ["xcatdefaults", "service", "all"])
def test_names_that_mean_something_to_xcat(site, name):
    site.world.change(site.thing("vm", "vm1"), name=name)
    left, changed = scanned(site, "-n")
    assert "is not changed" in left[name] and not [table for table, node in changed if node == name]


def test_an_address_or_mac_of_another_node_is_not_shared(site):
    """The node that has it would boot what is meant for the other one."""
    address = next(host["address"] for host in site.world.all("host") if host["name"] == "rhevh1")
    site.row("hosts", "db1", ip=address)
    site.row("mac", "db2", mac=f"{mac_of(site).upper()}!db2|52:54:00:00:00:99")
    left, changed = scanned(site, "-n")
    assert left["vm1"] == f"has {mac_of(site)}, which is db2's, and is not changed"
    assert not [table for table, node in changed if node == "vm1"]
    if left.get("rhevh1"):
        assert left["rhevh1"] == f"has {address}, which is db1's, and is not changed"


def test_what_is_its_own_is_written(site):
    for name in ("vm1", "rhevh1"):
        site.row("nodelist", name, groups="all")
    site.row("nodehm", "rhevh1", mgt="ipmi")
    site.row("hypervisor", "rhevh1", mgr=site.manager)
    left, changed = scanned(site, "-w")
    assert left == {} and {("vm", "vm1"), ("nodehm", "vm1"), ("hypervisor", "rhevh2")} <= changed
