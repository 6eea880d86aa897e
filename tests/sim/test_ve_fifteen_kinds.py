"""Each kind of cfgve -t that is made of settings: dry run, make, list, export, --from, change, remove."""

from __future__ import annotations

import json

import pytest

from vesim import each_version
from xcat_rhev.commands.environment.plainkinds import PLAIN

yaml = pytest.importorskip("yaml")
site = each_version(((3, 0), (3, 6), (4, 5)), hosts=1, vms=1)
RANGE = "56:6f:00:00:00:00-56:6f:00:00:00:ff"
#: Kind: its name, where it is, what is set first, what is set then (nothing: such things never change), and the version
#: that it came with.
WAYS = {
    "tag": ("thing", "", "description=d", "parent=rack1", (3, 0)),
    "macpool": ("thing", "", f"ranges={RANGE}", "allow_duplicates=true", (3, 6)),
    "provider": ("thing", "", "type=host url=https://f.example.com", "url=https://g.example.com", (3, 6)),
    "schedulingpolicy": ("thing", "", "weights=HA:2", "properties=HighUtilization:70", (3, 5)),
    "instancetype": ("thing", "", "memory=2g", "sockets=4", (3, 5)),
    "user": ("joe@internal-authz", "", "", "", (3, 0)),
    "role": ("thing", "", "permits=login,run_vm", "permits=login", (3, 0)),
    "qos": ("thing", " -d Default", "type=storage max_iops=100", "max_iops=200", (3, 5)),
    "quota": ("thing", " -d Default", "cluster_limits=*:8:16", "storage_limits=data1:500", (3, 6)),
    "vnicprofile": ("thing", "", "network=NET", "port_mirroring=yes", (3, 3)),
    "diskprofile": ("thing", "", "storage_domain=data1", "qos=gold", (3, 5)),
    "affinitylabel": ("thing", "", "vms=vm1", "hosts=rhevh1", (4, 0)),
    "affinitygroup": ("thing", " -l Default", "positive=no", "enforcing=yes", (3, 4)),
    "vmpool": ("thing", "", "cluster=Default template=gold size=1", "size=2", (3, 0)),
    "permission": ("joe@internal-authz", "", "role=UserRole vm=vm1", "", (3, 0)),
}
#: Words that tell things of one name apart, which a change has to say again.
AGAIN = {
    "provider": "type=host",
    "qos": "type=storage",
    "vnicprofile": "network=NET",
    "diskprofile": "storage_domain=data1",
}


def test_no_kind_is_left_out():
    assert set(WAYS) == set(PLAIN) and len(WAYS) == 15


@pytest.fixture
def around(site):
    """What the others need: a template, a tag, a QoS."""
    site.row("vm", "vm1", mgr=site.manager)
    site.ok("clonevm -t gold", ["vm1"])
    site.ok("cfgve -t tag -m MGR -o rack1 -c")
    if site.version >= (3, 5):
        site.ok("cfgve -t qos -m MGR -o gold -c -d Default --set type=storage --set max_iops=100")
    site.net = "rhevm" if site.version < (4, 0) else "ovirtmgmt"


def line_of(site, kind, flag, words):
    """The command as it is typed."""
    name, where, *_ = WAYS[kind]
    plain = [word for word in words.replace("NET", site.net).split() if not word.startswith("description=")]
    about = [f"--description {word[12:]}" for word in words.split() if word.startswith("description=")]
    return " ".join([f"cfgve -t {kind} -m MGR -o {name} {flag}{where}", *about, *(f"--set {word}" for word in plain)])


def listed(site, kind):
    """The thing as lsve --json has it; nothing if it is not there."""
    found = [json.loads(line) for line in site.ok(f"lsve -t {kind} -m MGR --json")]
    return [each for each in found if each["name"] == WAYS[kind][0]]


def described(site, kind):
    """What an export says of the kind."""
    text = "\n".join(site.ok("lsve -m MGR --export"))
    return yaml.safe_load(text).get(kind, [])


@pytest.mark.parametrize("kind", WAYS)
def test_the_whole_way(site, around, kind, tmp_path):
    name, _, first, then, since = WAYS[kind]
    if kind == "permission":
        site.ok(f"cfgve -t user -m MGR -o {name} -c")
    make = line_of(site, kind, "-c", first)
    if site.version < since:
        (wrong,) = site.wrong(make)
        assert f"the manager is {site.version[0]}.{site.version[1]}; " in wrong and " came with " in wrong
        assert f"the manager is {site.version[0]}.{site.version[1]}; " in site.wrong(f"lsve -t {kind} -m MGR")[0]
        return
    site.front.counts.clear()
    assert site.ok(f"{make} --dry-run")[0].startswith(f"{name}: create ") and not site.changes()
    assert site.ok(make)[-1] == f"{name}: succeeded."
    assert site.ok(make) == [f"{name}: nothing to do"]
    (shown,) = listed(site, kind)
    assert shown
    told = described(site, kind)
    assert [each["name"] for each in told].count(name) == 1
    file = tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump({kind: told}))
    settled = site.ok(f"cfgve --from {file} -m MGR")
    assert all("nothing to do" in line for line in settled), settled
    assert site.ok(f"cfgve --diff {file} -m MGR") == []  # exit code 0: nothing differs
    if then:
        change = line_of(site, kind, "-u", " ".join(filter(None, (AGAIN.get(kind, ""), then))))
        site.changes()
        assert site.ok(f"{change} --dry-run")[0].startswith(f"{name}: change ") and not site.changes()
        assert site.ok(change)[-1] == f"{name}: succeeded."
        assert site.ok(change) == [f"{name}: nothing to do"]
    remove = line_of(site, kind, "-r", " ".join(filter(None, (AGAIN.get(kind, ""), first if not then else ""))))
    site.changes()
    assert site.ok(f"{remove} --dry-run")[0].startswith(f"{name}: remove ") and not site.changes()
    assert site.ok(remove)[-1] == f"{name}: succeeded." and listed(site, kind) == []
    assert site.ok(remove)[0].endswith("nothing to do")
    assert site.ok(f"cfgve --from {file} -m MGR") and len(listed(site, kind)) == 1  # made of the file alone


@pytest.mark.parametrize("kind", WAYS)
def test_what_it_costs(site, around, kind):
    if site.version < WAYS[kind][4]:
        return
    if kind == "permission":
        site.ok(f"cfgve -t user -m MGR -o {WAYS[kind][0]} -c")
    make = line_of(site, kind, "-c", WAYS[kind][2])
    cost = site.cost(make)
    lists = {call: count for call, count in cost.items() if call.startswith("GET ")}
    # Each list once, also those that its references are found in; a pool's machines are waited for.
    assert kind == "vmpool" or all(count == 1 for count in lists.values()), lists
    assert len(cost) - len(lists) <= 2, cost  # the thing itself, and what is in a list of its own
    again = site.cost(make)
    assert all(call.startswith("GET ") for call in again) and sum(again.values()) <= sum(cost.values())
