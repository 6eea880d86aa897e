"""Lists in rows are added to what there is; -NAME takes away, in the same form everywhere."""

from __future__ import annotations

import pytest

from vesim import only
from vmsite import MODERN, each_version

site = each_version()


def tags_of(site, node):
    ties = site.world.of("tagging", "owner", site.vm(node)["id"])
    return {site.world.the("tag", tie["tag"])["name"] for tie in ties}


def groups_of(site, node):
    vm = site.vm(node)["id"]
    return {group["name"] for group in site.world.all("affinity_group") if vm in group["vms"]}


def group(site, name):
    cluster = site.thing("cluster", "Default")["id"]
    site.world.add("affinity_group", name=name, description="", positive=True, enforcing=False, vms=[], cluster=cluster)


def test_tags(site):
    site.made("vm1", othersettings="tags:web,old,x")
    site.node("vm1", othersettings="tags:new,-old")
    assert site.ok("chvm --dry-run", ["vm1"])[:2] == ["vm1: tag it new", "vm1: take the tag old off"]
    site.ok("chvm", ["vm1"])
    assert tags_of(site, "vm1") == {"web", "x", "new"}
    assert site.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]
    assert len(site.world.by_name("tag", "old")) == 1, "the tag itself stays"


@only(*MODERN)
def test_affinity_groups(site):
    for name in ("apart", "near", "far"):
        group(site, name)
    site.made("vm1", "vm2", othersettings="affinity_groups:apart,near")
    site.node("vm1", othersettings="affinity_groups:far,-near")
    assert site.ok("chvm --dry-run", ["vm1"])[:2] == [
        "vm1: put it in the affinity group far",
        "vm1: take it out of the affinity group near",
    ]
    site.ok("chvm", ["vm1"])
    assert (groups_of(site, "vm1"), groups_of(site, "vm2")) == ({"apart", "far"}, {"apart", "near"})
    assert site.count("vm", "vm1") == 1
    assert site.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]


@only(*MODERN)
def test_custom_properties(site):
    site.made("vm1", othersettings="custom:hugepages=2048;custom:sap_agent=true")
    site.node("vm1", othersettings="custom:-hugepages;custom:sndbuf=7")
    site.ok("chvm", ["vm1"])
    kept = {pair["name"]: pair["value"] for pair in site.vm("vm1")["custom_properties"]}
    assert kept == {"sap_agent": "true", "sndbuf": "7"}
    assert site.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]


@only(*MODERN)
def test_preferred_hosts(site):
    site.made("vm1", host="rhevh1,rhevh2")
    wanted = {site.thing("host", name)["id"] for name in ("rhevh1", "rhevh2")}
    assert set(site.vm("vm1")["pinned"]) == wanted
    site.node("vm1", host="rhevh3,-rhevh1")
    site.ok("chvm", ["vm1"])
    assert set(site.vm("vm1")["pinned"]) == {site.thing("host", name)["id"] for name in ("rhevh2", "rhevh3")}
    assert site.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]
    site.node("vm1", host="-rhevh2,-rhevh3", memory="3g")
    site.ok("chvm", ["vm1"])
    assert site.vm("vm1")["pinned"] == []


@only((3, 0))
def test_before_3_6_a_machine_is_bound_to_one_host(site):
    site.node("vm1", host="rhevh1,rhevh2")
    assert site.wrong("mkvm", ["vm1"]) == [
        "vm1: the manager is 3.0; several hypervisors for one machine came with 3.6. "
        "Change vm.host: chtab node=vm1 vm.host=..."
    ]
    assert site.count("vm", "vm1") == 0


@only((3, 6))
def test_a_change_of_something_else_keeps_all_hosts(site):
    site.made("vm1", host="rhevh1,rhevh2")
    site.node("vm1", host="", virtflags="placement_affinity=user_migratable")
    site.ok("chvm", ["vm1"])
    assert len(site.vm("vm1")["pinned"]) == 2


@pytest.mark.parametrize("text", ["tags:web,-web", "tags:-", "tags:-a b", "affinity_groups:-", "affinity_groups:a,-a"])
def test_what_contradicts_itself_is_refused(site, text):
    site.node("vm1", othersettings=text)
    assert "vm.othersettings: " in site.wrong("mkvm", ["vm1"])[0]
    assert site.count("vm", "vm1") == 0


@only(*MODERN)
def test_what_stands_there_twice_counts_once(site):
    group(site, "apart")
    site.node("vm1", host="rhevh1,rhevh2,rhevh1", othersettings="tags:web,web;affinity_groups:apart,apart", nics="None")
    site.ok("mkvm", ["vm1"])
    assert (tags_of(site, "vm1"), groups_of(site, "vm1")) == ({"web"}, {"apart"})
    assert len(site.vm("vm1")["pinned"]) == 2 and site.parts("nic", "vm1") == []
    assert site.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]
