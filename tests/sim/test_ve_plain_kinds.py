"""Tags, MAC pools, vNIC profiles and affinity groups: made, changed, removed and shown; beside the official SDK."""

from __future__ import annotations

import json

import pytest

from vesim import each_version, only

site = each_version(((3, 0), (3, 6), (4, 5)), hosts=1, vms=1)
RANGE = "56:6f:00:00:00:00-56:6f:00:00:00:ff"
#: The kind, where it is, what is set first, what is set then, and what lsve shows of that.
KINDS = [
    ("tag", "", "parent=rack1", "parent=rack2", {"parent": "rack2"}),
    ("macpool", "", f"ranges={RANGE}", "allow_duplicates=true", {"ranges": [RANGE], "allow_duplicates": True}),
    ("vnicprofile", "", "network=NET", "port_mirroring=yes", {"network": "NET", "port_mirroring": True}),
    ("affinitygroup", " -l Default", "positive=no", "enforcing=yes", {"positive": False, "enforcing": True}),
]
CAME = {"macpool": (3, 6), "vnicprofile": (3, 3), "affinitygroup": (3, 4)}


def cfgve(site, kind, more):
    return f"cfgve -t {kind} -m MGR -o thing {more}".replace("NET", management(site))


def management(site):
    return "rhevm" if site.version < (4, 0) else "ovirtmgmt"


@pytest.mark.parametrize(("kind", "where", "first", "then", "shown"), KINDS, ids=[each[0] for each in KINDS])
def test_made_compared_changed_shown_and_removed(site, kind, where, first, then, shown):
    if site.version < CAME.get(kind, (3, 0)):
        (wrong,) = site.wrong(cfgve(site, kind, f"-c{where} --set {first}"))
        assert f"the manager is {site.version[0]}.{site.version[1]}; " in wrong and " came with " in wrong
        return
    if kind == "tag":
        site.ok("cfgve -t tag -m MGR -o rack1,rack2 -c")
    make, change = cfgve(site, kind, f"-c{where} --set {first}"), cfgve(site, kind, f"-u{where} --set {then}")
    assert site.wrong(change) == [line for line in site.wrong(change) if "Give -c to make it" in line]
    (plan,) = site.ok(f"{make} --dry-run")
    assert plan.startswith("thing: create ")
    assert site.ok(make) == ["thing: succeeded."]
    assert site.ok(make) == ["thing: nothing to do"]
    (refused,) = site.wrong(cfgve(site, kind, f"-c{where} --set {then}"))
    assert "is there, but not with " in refused and refused.endswith("Give -u instead of -c to change it")
    assert site.ok(change) == ["thing: succeeded."]
    assert site.ok(change) == ["thing: nothing to do"]
    (line,) = site.ok(f"lsve -t {kind} -m MGR -o thing --json")
    found = json.loads(line)
    assert {name: found[name] for name in shown} == json.loads(json.dumps(shown).replace("NET", management(site)))
    assert site.ok(cfgve(site, kind, f"-r{where}")) == ["thing: succeeded."]
    assert site.ok(cfgve(site, kind, f"-r{where}"))[0].endswith(": nothing to do")


@only((4, 5))
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("cfgve -t macpool -m MGR -o p -c", "p: MAC pools need --set ranges=..."),
        ("cfgve -t macpool -m MGR -o p -c --set ranges=56:6f", "--set ranges=56:6f: not of the form"),
        (
            "cfgve -t macpool -m MGR -o p -c --set size=9",
            "--set size=9: MAC pools have ranges=..., allow_dup",
        ),
        ("cfgve -t macpool -m MGR -o p -c --set ranges", "--set ranges: MAC pools have ranges=..."),
        (
            "cfgve -t macpool -m MGR -o Default -r",
            "Default: Cannot remove MAC Pool. Default MAC Pool can",
        ),
        ("cfgve -t macpool -m MGR -o p -g", "-g does not exist for a MAC pool. It has -c -u -r"),
        ("cfgve -t vnicprofile -m MGR -o p -c --set network=nix", "--set network=nix: there is no such network"),
        (
            "cfgve -t vnicprofile -m MGR -o p -c --set pass_through=yes",
            "--set pass_through=yes: not one of enabled",
        ),
        ("cfgve -t affinitygroup -m MGR -o g -c", "affinity groups belong to a cluster. Give -l with its name"),
        (
            "cfgve -t affinitygroup -m MGR -o g -c -l Default --set positive=maybe",
            "--set positive=maybe: not true",
        ),
        ("cfgve -t dc -m MGR -o dc1 -c -k nfs --set a=b", "--set cannot be used with -c for a data center"),
        ("lsve -t macpool -m MGR -o nix", "nix: cannot find the MAC pool on"),
    ],
)
def test_what_cannot_be_is_one_line(site, line, said):
    (wrong,) = site.wrong(line)
    assert wrong.startswith(said)


@only((4, 5))
def test_profiles_of_one_name_are_told_apart_by_their_network(site):
    site.ok("cfgve -t nw -m MGR -o nw1 -c")
    for network in ("ovirtmgmt", "nw1"):
        site.ok(f"cfgve -t vnicprofile -m MGR -o gold -c --set network={network}")
    (wrong,) = site.wrong("cfgve -t vnicprofile -m MGR -o gold -r")
    assert wrong == "gold: 2 are called so. Give --set network=..."
    site.ok("cfgve -t vnicprofile -m MGR -o gold -r --set network=nw1")
    assert len(site.ok("lsve -t vnicprofile -m MGR -o gold --json")) == 1


@only((4, 5))
def test_each_costs_one_list_and_one_request(site):
    assert site.cost("lsve -t tag -m MGR") == {"GET /tags": 1}
    assert site.cost(f"cfgve -t macpool -m MGR -o a,b -c --set ranges={RANGE} --dry-run") == {"GET /macpools": 1}
    assert site.cost(f"cfgve -t macpool -m MGR -o a -c --set ranges={RANGE}") == {
        "GET /macpools": 1,
        "POST /macpools": 1,
    }


@only((4, 5))
def test_the_official_sdk_makes_the_same(site):
    from sdkhelp import connected, document, types

    site.ok("cfgve -t tag -m MGR -o ours -c --description d")
    site.ok(f"cfgve -t macpool -m MGR -o ours -c --set ranges={RANGE} --set allow_duplicates=yes")
    site.ok("cfgve -t vnicprofile -m MGR -o ours -c --set network=ovirtmgmt --set port_mirroring=yes")
    site.ok("cfgve -t affinitygroup -m MGR -o ours -c -l Default --set positive=no --set enforcing=yes")
    with connected(site) as system:
        network = system.networks_service().list(search="name=ovirtmgmt")[0]
        cluster = system.clusters_service().cluster_service(site.thing("cluster", "Default")["id"])
        span = types.Range(from_="57:6f:00:00:00:00", to="57:6f:00:00:00:ff")
        services = {
            system.tags_service(): types.Tag(name="theirs", description="d"),
            system.mac_pools_service(): types.MacPool(name="theirs", ranges=[span], allow_duplicates=True),
            system.vnic_profiles_service(): types.VnicProfile(name="theirs", network=network, port_mirroring=True),
            cluster.affinity_groups_service(): types.AffinityGroup(name="theirs", positive=False, enforcing=True),
        }
        for service, wanted in services.items():
            service.add(wanted)
            mine, other = (next(each for each in service.list() if each.name == name) for name in ("ours", "theirs"))
            assert document(mine, "_ranges") == document(other, "_ranges")
