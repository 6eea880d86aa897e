"""The modules of the ovirt.ovirt collection make the same things as `cfgve -t`, on the engine's documents."""

from __future__ import annotations

import json
from typing import Any

import pytest

import ansiblehelp
from vesim import each_version

site = each_version(((4, 5),), hosts=1, vms=1)

#: The kind; how we make it; the collection's module, and its arguments.
KINDS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("tag", "-c --description d", "ovirt_tag", {"description": "d"}),
    (
        "macpool",
        "-c --set ranges=56:6f:00:00:00:00-56:6f:00:00:00:ff --set allow_duplicates=yes",
        "ovirt_mac_pool",
        {"ranges": ["57:6f:00:00:00:00,57:6f:00:00:00:ff"], "allow_duplicates": True},
    ),
    (
        "vnicprofile",
        "-c --set network=ovirtmgmt --set port_mirroring=yes --set network_filter=vdsm-no-mac-spoofing",
        "ovirt_vnic_profile",
        {
            "network": "ovirtmgmt",
            "data_center": "Default",
            "port_mirroring": True,
            "network_filter": "vdsm-no-mac-spoofing",  # without it the module always says that something changed
        },
    ),
    (
        "affinitygroup",
        "-c -l Default --set positive=no --set enforcing=yes --set vms=vm1",
        "ovirt_affinity_group",
        {"cluster": "Default", "vm_rule": "negative", "vm_enforcing": True, "vms": ["vm1"]},
    ),
    (
        "affinitylabel",
        "-c --set hosts=rhevh1 --set vms=vm1",
        "ovirt_affinity_label",
        {"cluster": "Default", "hosts": ["rhevh1"], "vms": ["vm1"]},
    ),
    (
        "qos",
        "-c -d Default --set type=storage --set max_throughput=10 --set max_iops=100",
        "ovirt_qos",
        {"data_center": "Default", "type": "storage", "max_throughput": 10, "max_iops": 100},
    ),
    (
        "diskprofile",
        "-c --set storage_domain=data1 --set qos=gold",
        "ovirt_disk_profile",
        {"storage_domain": "data1", "data_center": "Default", "qos": "gold"},
    ),
    (
        "quota",
        "-c -d Default --set cluster_limits=Default:8:16 --set storage_limits=data1:9",
        "ovirt_quota",
        {
            "data_center": "Default",
            "clusters": [{"name": "Default", "cpu": 8, "memory": 16.0}],
            "storages": [{"name": "data1", "size": 9}],
        },
    ),
    (
        "instancetype",
        "-c --set memory=2g --set sockets=2 --set ha=yes --set ha_priority=5",
        "ovirt_instance_type",
        {"memory": "2GiB", "cpu_sockets": 2, "high_availability": True, "high_availability_priority": 5},
    ),
    (
        "role",
        "-c --set permits=login,run_vm --set administrative=no",
        "ovirt_role",
        {"permits": ["run_vm"], "administrative": False},
    ),
    (
        "provider",
        "-c --set type=host --set url=https://f.example.com --set requires_authentication=no",
        "ovirt_external_provider",
        {"type": "foreman", "url": "https://f.example.com"},
    ),
    (
        "vmpool",
        "-c --set cluster=Default --set template=gold --set size=2 --set max_user_vms=2",
        "ovirt_vmpool",
        {"cluster": "Default", "template": "gold", "vm_count": 2, "vm_per_user": 2},
    ),
]


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    pytest.importorskip("ovirtsdk4", reason="ovirtsdk4 is not installed (it compiles against libcurl and libxml2)")
    return ansiblehelp.installed(tmp_path_factory.mktemp("ansible"))


@pytest.fixture
def ansible(site, modules):
    """Runs a module; gives whether it says that it changed something."""

    def run(called, **arguments):
        return ansiblehelp.module(modules, site, called, state="present", **arguments)["changed"]

    return run


def kept(site, kind, name):
    """What the engine keeps of a thing, and of what hangs below it; without names, ids and times, by kind."""
    thing = site.thing(kind, name)
    parts = [each for one in _PARTS for each in site.world.all(one) if each.get(kind) == thing["id"]]
    return sorted(map(_plain, [thing, *parts]))


#: Kinds of things that hang below others.
_PARTS = ("permit", "quota_cluster_limit", "quota_storage_limit", "vm")
#: What differs although the same was asked for; of MAC pools since two may not share a range.
_BUT = frozenset({"id", "name", "creation_time", "ranges", "quota", "role", "vm_pool", "v", "turn"})


def _plain(thing):
    return json.dumps({key: value for key, value in thing.items() if key not in _BUT}, sort_keys=True, default=str)


def shown(site, kind, name):
    """What we show of a thing, without its name and a MAC pool's ranges."""
    (line,) = site.ok(f"lsve -t {kind} -m MGR -o {name} --json")
    return {key: value for key, value in json.loads(line).items() if key not in ("name", "id", "ranges")}


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "ours", "called", "arguments"), KINDS, ids=[each[0] for each in KINDS])
def test_each_kind_is_made_alike_and_is_then_the_same_to_both(site, ansible, kind, ours, called, arguments):
    site.row("vm", "vm1", mgr=site.manager)
    site.ok("clonevm -t gold", ["vm1"])
    site.ok("cfgve -t qos -m MGR -o gold -c -d Default --set type=storage --set max_iops=100")
    site.ok(f"cfgve -t {kind} -m MGR -o ours {ours}")
    assert ansible(called, name="theirs", **arguments)
    words = (each for each in site.world.things if each.replace("_", "") == kind)
    word = "external_host_provider" if kind == "provider" else next(words)
    assert kept(site, word, "ours") == kept(site, word, "theirs")
    assert shown(site, kind, "ours") == shown(site, kind, "theirs")
    if kind != "macpool":  # its ranges are others; what one has made is nothing new to the other
        assert not ansible(called, name="ours", **arguments)
        assert site.ok(f"cfgve -t {kind} -m MGR -o theirs {ours}") == ["theirs: nothing to do"]


@pytest.mark.slow
def test_users_and_permissions_are_the_same_to_both(site, ansible):
    for name in ("joe", "jim"):
        make = f"cfgve -t user -m MGR -o {name}@internal-authz -c"
        give = f"cfgve -t permission -m MGR -o {name}@internal-authz -c --set role=UserRole --set vm=vm1"
        person = {"authz_name": "internal-authz", "role": "UserRole", "object_type": "vm", "object_name": "vm1"}
        if name == "joe":
            assert ansible("ovirt_user", name=name, authz_name="internal-authz")
            assert site.ok(make)[0].endswith("nothing to do")
            assert ansible("ovirt_permission", user_name=name, **person)
            assert site.ok(give)[0].endswith("nothing to do")
        else:
            assert site.ok(make)[0].endswith("succeeded.")
            assert not ansible("ovirt_user", name=name, authz_name="internal-authz")
            assert site.ok(give)[0].endswith("succeeded.")
            assert not ansible("ovirt_permission", user_name=name, **person)
    permissions = [each for each in site.world.all("permission") if each.get("object")]
    (theirs, ours) = (json.loads(_plain(each)) for each in permissions)
    assert {**theirs, "user": ""} == {**ours, "user": ""}


@pytest.mark.slow
def test_a_scheduling_policy_is_read_alike(site, modules):
    site.ok(
        "cfgve -t schedulingpolicy -m MGR -o ours -c --description d --set properties=HighUtilization:70 "
        "--set filters=Memory --set weights=HA:2"
    )
    answer = ansiblehelp.module(modules, site, "ovirt_scheduling_policy_info", name="ours")
    (policy,) = answer["ovirt_scheduling_policies"]
    assert (policy["name"], policy["description"]) == ("ours", "d")
    assert [(each["name"], each["value"]) for each in policy["properties"]] == [("HighUtilization", "70")]
