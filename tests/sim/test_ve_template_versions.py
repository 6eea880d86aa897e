"""Templates with several versions, and of one name in two data centers: shown, made machines of, removed."""

from __future__ import annotations

import pytest

from vesim import each_version, only
from xcat_rhev.sim.resources.versions import hand_over

site = each_version(((3, 6), (4, 5)), hosts=1, vms=2)


@pytest.fixture(autouse=True)
def family(site):
    """Three versions of tpl: version 1, version 2 with a name, version 3."""
    cluster = site.thing("cluster", "Default")["id"]
    blank = site.thing("template", "Blank")
    kept = {key: blank[key] for key in blank if key not in ("id", "kind", "v", "turn", "name")}
    base = None
    for number, name in ((1, "base version"), (2, "rhel9"), (3, "")):
        values = {**kept, "version_number": number, "version_name": name, "cluster": cluster, "base": base}
        made = site.world.add("template", name="tpl", **values)
        base = base or made["id"]
    site.row("nodehm", "n1", mgt="rhevm")
    site.row("vm", "n1", mgr=site.manager, memory="1g")


def version(site, number):
    return next(one for one in site.world.by_name("template", "tpl") if one["version_number"] == number)


def master_of(site, node):
    return site.world.the("template", site.thing("vm", node)["template"])


def make(site, master):
    site.row("vm", "n1", master=master)
    return site.say("mkvm", ["n1"])


@pytest.mark.parametrize(
    ("master", "number"), [("tpl", 3), ("tpl@3", 3), ("tpl@2", 2), ("tpl@rhel9", 2), ("Default/tpl@1", 1)]
)
def test_the_newest_stands_for_the_name_and_one_can_be_named(site, master, number):
    make(site, master)
    assert master_of(site, "n1")["version_number"] == number
    assert "nothing to do" in site.ok("mkvm", ["n1"])[0]


def test_by_id(site):
    make(site, version(site, 1)["id"])
    assert master_of(site, "n1")["version_number"] == 1


@pytest.mark.parametrize("master", ["tpl@4", "tpl@rhel8", "Other/tpl", "tp", "00000000-0000-0000-0000-00000000000f"])
def test_one_that_is_not_there_is_an_error_before_anything_is_made(site, master):
    site.row("vm", "n1", master=master)
    assert f"cannot find the template: {master}" in site.wrong("mkvm", ["n1"])[0]
    assert not site.world.by_name("vm", "n1")


def test_all_versions_are_shown_and_told(site):
    said = site.ok("lsve -t tpl -m MGR -o tpl")
    assert [line for line in said if "version" in line] == ["  version: 3", "  version: 2 (rhel9)", "  version: 1"]
    (said,) = [line for line in site.ok("lsve -t tpl -m MGR -o tpl@2") if "version" in line]
    assert said == "  version: 2 (rhel9)"
    assert "templates: [Blank]" in site.ok("lsve -t tpl -m MGR -o Blank")


def test_a_machine_is_told_with_its_version_and_made_anew_from_that(site):
    make(site, "tpl@2")
    assert "n1: tpl@2" in site.ok("rinv model", ["n1"])
    site.row("hypervisor", "rhevh1", type="rhevh", mgr=site.manager)
    site.ok("rscan -w", ["rhevh1"])
    assert site.host.node_attrs("vm", ["n1"], ["master"])["n1"]["master"] == "tpl@2"


def test_with_the_first_version_gone_the_name_still_means_the_newest(site):
    first = version(site, 1)
    hand_over(site.world, first)
    site.world.remove(first)
    assert len([line for line in site.ok("lsve -t tpl -m MGR -o tpl") if "version" in line]) == 2
    make(site, "tpl")
    assert master_of(site, "n1")["version_number"] == 3


def test_removal_has_to_name_the_version(site):
    (said,) = site.wrong("cfgve -t tpl -m MGR -o tpl -r")
    assert "several templates with the name tpl" in said
    assert f"Default/tpl@2 (id {version(site, 2)['id']})" in said
    assert len(site.world.by_name("template", "tpl")) == 3
    assert site.ok("cfgve -t tpl -m MGR -o tpl@1 -r") == ["tpl@1: succeeded."]
    assert site.ok("cfgve -t tpl -m MGR -o tpl@rhel9 -r") == ["tpl@rhel9: succeeded."]
    # the last one that is left needs no version, whatever its number
    assert site.ok("cfgve -t tpl -m MGR -o tpl -r") == ["tpl: succeeded."]
    assert "nothing to do" in site.ok("cfgve -t tpl -m MGR -o tpl -r")[0]


def test_one_version_with_machines_keeps_no_other_from_being_removed(site):
    make(site, "tpl@3")
    assert "machines are built on it: n1" in site.wrong("cfgve -t tpl -m MGR -o tpl@3 -r")[0]
    assert site.ok("cfgve -t tpl -m MGR -o tpl@2 -r") == ["tpl@2: succeeded."]


def test_the_empty_template_is_found_by_its_name(site):
    said = site.wrong("cfgve -t tpl -m MGR -o Blank -r")
    assert said == ["Blank: the empty template belongs to the manager and cannot be removed"]
    site.row("vm", "n1", master="Blank", storage="data1:1g")
    site.ok("mkvm", ["n1"])
    assert master_of(site, "n1")["name"] == "Blank"


@pytest.fixture
def twins(site):
    """Another data center that has a template of that name."""
    site.ok("cfgve -t dc -m MGR -o dc2 -c -k nfs")
    site.ok("cfgve -t cl -m MGR -o cl2 -c -d dc2")
    one = version(site, 1)
    kept = {key: one[key] for key in one if key not in ("id", "kind", "v", "turn", "cluster")}
    return site.world.add("template", **kept, cluster=site.thing("cluster", "cl2")["id"])


@only((4, 5))
def test_of_two_data_centers_the_machines_own_is_meant(site, twins):
    make(site, "tpl")
    assert master_of(site, "n1")["cluster"] == site.thing("cluster", "Default")["id"]


@only((4, 5))
def test_names_in_two_data_centers_are_refused_one_by_one_with_what_to_write(site, twins):
    site.world.add(
        "template", **{**{k: v for k, v in twins.items() if k not in ("id", "v", "turn", "kind")}, "name": "alone"}
    )
    said = site.say("cfgve -t tpl -m MGR -o tpl,alone -r")
    wrong, right = sorted(said, key=lambda message: message.node, reverse=True)
    assert f"dc2/tpl@1 (id {twins['id']})" in wrong.text
    assert (right.node, right.text) == ("alone", "succeeded.")
    assert site.ok("cfgve -t tpl -m MGR -o dc2/tpl -r") == ["dc2/tpl: succeeded."]
    assert len(site.world.by_name("template", "tpl")) == 3


@only((4, 5))
def test_networks_of_one_name_tell_their_data_centers(site, twins):
    said = site.ok("lsve -t nw -m MGR -o ovirtmgmt")
    assert [line for line in said if "datacenter" in line] == ["    datacenter: Default", "    datacenter: dc2"]
