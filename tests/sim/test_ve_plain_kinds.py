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
    ("affinitylabel", "", "vms=vm1", "hosts=rhevh1", {"vms": ["vm1"], "hosts": ["rhevh1"]}),
    ("qos", " -d Default", "type=storage", "max_iops=100", {"type": "storage", "max_iops": 100}),
    ("diskprofile", "", "storage_domain=data1", "qos=gold", {"storage_domain": "data1", "qos": "gold"}),
    (
        "quota",
        " -d Default",
        "cluster_limits=*:8:16",
        "storage_limits=data1:500",
        {"cluster_limits": ["*:8:16"], "storage_limits": ["data1:500"]},
    ),
    ("instancetype", "", "memory=2g", "sockets=4", {"memory": "2048m", "sockets": 4}),
    ("role", "", "permits=login,run_vm", "permits=login", {"permits": ["login"]}),
    (
        "schedulingpolicy",
        "",
        "properties=HighUtilization:70",
        "weights=HA:2",
        {"properties": ["HighUtilization:70"], "weights": ["HA:2"]},
    ),
    ("provider", "", "type=host", "url=https://foreman.example.com", {"url": "https://foreman.example.com"}),
]
CAME = {
    "macpool": (3, 6),
    "vnicprofile": (3, 3),
    "affinitygroup": (3, 4),
    "affinitylabel": (4, 0),
    "qos": (3, 5),
    "diskprofile": (3, 5),
    "quota": (3, 6),
    "instancetype": (3, 5),
    "schedulingpolicy": (3, 5),
    "provider": (3, 6),
}
#: What has to be there before.
FIRST = {
    "tag": "cfgve -t tag -m MGR -o rack1,rack2 -c",
    "diskprofile": "cfgve -t qos -m MGR -o gold -c -d Default --set type=storage --set max_iops=100",
}


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
    if kind in FIRST:
        site.ok(FIRST[kind])
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
    assert wrong == "gold: 2 have this name. Give --set network=..."
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


@only((4, 5))
def test_a_label_goes_with_those_that_have_it_and_a_group_says_who_is_in_it(site):
    site.ok("cfgve -t affinitylabel -m MGR -o fast -c --set hosts=rhevh1 --set vms=vm1")
    site.ok(
        "cfgve -t affinitygroup -m MGR -o near -c -l Default --set vms=vm1 --set host_labels=fast --set positive=yes"
    )
    found = json.loads(site.ok("lsve -t affinitygroup -m MGR -o near --json")[0])
    assert (found["vms"], found["host_labels"]) == (["vm1"], ["fast"])
    site.ok("cfgve -t affinitygroup -m MGR -o near -u -l Default --set vms= --set host_labels=")
    assert "vms" not in json.loads(site.ok("lsve -t affinitygroup -m MGR -o near --json")[0])
    site.ok("cfgve -t affinitylabel -m MGR -o fast -u --set vms=")
    assert "vms" not in json.loads(site.ok("lsve -t affinitylabel -m MGR -o fast --json")[0])
    assert site.ok("cfgve -t affinitylabel -m MGR -o fast -r") == ["fast: succeeded."]


@only((3, 6), (4, 5))
def test_a_user_gets_a_role_on_a_machine(site):
    make = "cfgve -t user -m MGR -o joe@internal-authz -c"
    assert site.ok(make) == ["joe@internal-authz: succeeded."]
    assert site.ok(make) == ["joe@internal-authz: nothing to do"]
    give = "cfgve -t permission -m MGR -o joe@internal-authz -c --set role=UserRole --set vm=vm1"
    assert "create permission with role UserRole, vm vm1" in site.ok(f"{give} --dry-run")[0]
    assert site.ok(give) == ["joe@internal-authz: succeeded."]
    assert site.ok(give) == ["joe@internal-authz: nothing to do"]
    found = json.loads(site.ok("lsve -t permission -m MGR -o joe@internal-authz --json")[0])
    assert (found["role"], found["vm"]) == ("UserRole", "vm1")
    everywhere = "cfgve -t permission -m MGR -o Everyone -c --set role=ClusterAdmin"
    assert site.ok(everywhere) == ["Everyone: succeeded."]
    assert site.ok(give.replace(" -c ", " -r ")) == ["joe@internal-authz: succeeded."]
    assert site.ok(give.replace(" -c ", " -r "))[0].endswith("nothing to do")
    assert site.wrong(give.replace("joe@", "nobody@"))[0].startswith("nobody@internal-authz: there is no such user")
    assert site.ok("cfgve -t user -m MGR -o joe@internal-authz -r") == ["joe@internal-authz: succeeded."]


@only((3, 6), (4, 5))
def test_a_pool_is_made_with_its_machines_grows_and_goes(site):
    site.row("vm", "vm1", mgr=site.manager)
    site.ok("clonevm -t gold", ["vm1"])
    make = "cfgve -t vmpool -m MGR -o desk -c --set cluster=Default --set template=gold --set size=2"
    plan = site.ok(f"{make} --dry-run")
    assert plan == [
        "desk: create VM pool with cluster Default, template gold, size 2",
        "desk: wait until it has 2 machines",
    ]
    assert site.ok(make) == ["desk: succeeded."]
    assert site.ok(make) == ["desk: nothing to do"]
    assert {each["name"] for each in site.world.all("vm")} >= {"desk-1", "desk-2"}
    assert site.ok("cfgve -t vmpool -m MGR -o desk -u --set size=3") == ["desk: succeeded."]
    (smaller,) = site.wrong("cfgve -t vmpool -m MGR -o desk -u --set size=1")
    assert "Cannot decrease VMs from VM-Pool." in smaller
    assert json.loads(site.ok("lsve -t vmpool -m MGR --json")[0])["size"] == 3
    assert site.ok("cfgve -t vmpool -m MGR -o desk -r") == ["desk: succeeded."]
    assert not [each for each in site.world.all("vm") if each["name"].startswith("desk")]


@only((4, 5))
def test_the_password_of_a_provider_is_that_of_the_table(site):
    site.host.tables["passwd"].append({"key": "provider:glance", "username": "u", "password": "hidden7"})
    said = site.ok("cfgve -t provider -m MGR -o glance -c --set type=image --set url=http://glance:9292 -V")
    assert "hidden7" not in " ".join(said)
    made = site.thing("openstack_image_provider", "glance")
    assert (made["username"], made["password"], made["requires_authentication"]) == ("u", "hidden7", True)
    assert site.ok("lsve -t provider -m MGR -o glance")[0].startswith("providers: [glance]")
    for name in ("rhevm", "system"):  # rows that are not for providers
        site.host.tables["passwd"].append({"key": name, "username": "root", "password": "hidden8"})
        site.ok(f"cfgve -t provider -m MGR -o {name} -c --set type=image --set url=http://elsewhere:9292")
        made = site.thing("openstack_image_provider", name)
        assert not made.get("password") and not made.get("username")


@only((3, 6), (4, 5))
def test_a_new_password_of_a_provider_is_sent_with_minus_u_and_by_nothing_else(site):
    row = {"key": "provider:foreman", "username": "u", "password": "hidden7"}
    site.host.tables["passwd"].append(row)
    site.ok("cfgve -t provider -m MGR -o foreman -c --set type=host --set url=https://f.example.com")
    row.update(username="v", password="hidden9")
    made = site.thing("external_host_provider", "foreman")
    change = "cfgve -t provider -m MGR -o foreman -u"
    says = "foreman: change provider to username v, the password of the passwd table"
    assert site.ok(f"{change} --dry-run") == [says]
    assert made["password"] == "hidden7"
    assert site.ok(change) == ["foreman: succeeded."]
    assert (made["username"], made["password"], made["requires_authentication"]) == ("v", "hidden9", True)
    assert site.cost(change) == {
        **{f"GET /{each}providers": 1 for each in ("externalhost", "openstackimage", "openstacknetwork")},
        **({"GET /openstackvolumeproviders": 1} if site.version < (4, 5) else {}),
        "PUT /externalhostproviders/{id}": 1,
    }
    (again,) = site.ok("cfgve -t provider -m MGR -o foreman -c --set type=host --set url=https://f.example.com")
    assert again == "foreman: nothing to do"  # what a description would do
    row["password"] = ""
    assert site.ok(change) == ["foreman: nothing to do"]


@only((4, 4), (4, 5))
def test_providers_of_volumes_are_left_out_where_engines_fail_inside_when_asked_for_them(site):
    make = "cfgve -t provider -m MGR -o cinder -c --set type=volume --set url=http://cinder:8776"
    if site.version < (4, 5):
        site.ok(make)
        assert site.ok("lsve -t provider -m MGR")[0].startswith("providers: [cinder]")
    else:
        assert site.wrong(make) == ["the manager is 4.5; providers of volumes went away with 4.5"]
        site.ok("cfgve -t provider -m MGR -o glance -c --set type=image --set url=http://glance:9292")
        assert site.ok("lsve -t provider -m MGR")[0].startswith("providers: [glance]")
        assert any("glance" in each for each in site.ok("lsve -m MGR --export"))


def _ours(site):
    """Make one of each of the newer kinds by our command."""
    for line in (
        "qos -c -d Default --set type=storage --set max_throughput=10 --set max_iops=100",
        "quota -c -d Default --set cluster_soft_limit_pct=70 --set cluster_limits=*:8:16 --set storage_limits=data1:9",
        "diskprofile -c --set storage_domain=data1 --description d",
        "affinitylabel -c --set hosts=rhevh1 --set vms=vm1",
        "instancetype -c --set memory=2g --set sockets=2 --set ha=yes --set ha_priority=5",
        "role -c --set permits=login,run_vm --set administrative=no",
        "schedulingpolicy -c --set properties=HighUtilization:70 --set filters=Memory --set weights=HA:2",
        "provider -c --set type=host --set url=https://f.example.com --set requires_authentication=no",
        "vmpool -c --set cluster=Default --set template=gold --set size=2 --set max_user_vms=2",
    ):
        site.ok(f"cfgve -m MGR -o ours -t {line}")


def _theirs(system, types, center, domain, vm, host):
    """Make the same by the official SDK, and give the services."""
    home = system.data_centers_service().data_center_service(center.id)
    quotas, labels, roles = home.quotas_service(), system.affinity_labels_service(), system.roles_service()
    policies, units = system.scheduling_policies_service(), system.scheduling_policy_units_service().list()
    home.qoss_service().add(
        types.Qos(name="theirs", type=types.QosType.STORAGE, max_throughput=10, max_iops=100, description=None)
    )
    quota = quotas.quota_service(quotas.add(types.Quota(name="theirs", cluster_soft_limit_pct=70)).id)
    quota.quota_cluster_limits_service().add(types.QuotaClusterLimit(vcpu_limit=8, memory_limit=16.0))
    quota.quota_storage_limits_service().add(types.QuotaStorageLimit(storage_domain=domain, limit=9))
    system.disk_profiles_service().add(types.DiskProfile(name="theirs", storage_domain=domain, description="d"))
    label = labels.label_service(labels.add(types.AffinityLabel(name="theirs")).id)
    label.hosts_service().add(types.Host(id=host.id))
    label.vms_service().add(types.Vm(id=vm.id))
    topology = types.CpuTopology(sockets=2)
    ha = types.HighAvailability(enabled=True, priority=5)
    size = types.InstanceType(name="theirs", memory=2 << 30, cpu=types.Cpu(topology=topology), high_availability=ha)
    system.instance_types_service().add(size)
    known = {
        each.name: each.id
        for each in roles.role_service("00000000-0000-0000-0000-000000000001").permits_service().list()
    }
    permits = [types.Permit(id=known[name]) for name in ("login", "run_vm")]
    roles.add(types.Role(name="theirs", administrative=False, permits=permits))
    told = [types.Property(name="HighUtilization", value="70")]
    policy = policies.policy_service(policies.add(types.SchedulingPolicy(name="theirs", properties=told)).id)
    memory = next(each for each in units if each.name == "Memory")
    likes = next(each for each in units if each.name == "HA" and each.type == types.PolicyUnitType.WEIGHT)
    policy.filters_service().add(types.Filter(scheduling_policy_unit=types.SchedulingPolicyUnit(id=memory.id)))
    policy.weights_service().add(types.Weight(scheduling_policy_unit=types.SchedulingPolicyUnit(id=likes.id), factor=2))
    providers = system.external_host_providers_service()
    providers.add(types.ExternalHostProvider(name="theirs", url="https://f.example.com", requires_authentication=False))
    pools = system.vm_pools_service()
    place = {"cluster": types.Cluster(name="Default"), "template": types.Template(name="gold")}
    pools.add(types.VmPool(name="theirs", size=2, max_user_vms=2, **place))
    return {
        home.qoss_service(): (),
        quotas: ("quota_service", "quota_cluster_limits_service", "quota_storage_limits_service"),
        system.disk_profiles_service(): (),
        labels: ("label_service", "hosts_service", "vms_service"),
        system.instance_types_service(): (),
        roles: ("role_service", "permits_service"),
        policies: ("policy_service", "filters_service", "weights_service"),
        providers: (),
        pools: (),
    }


@only((4, 5))
def test_the_official_sdk_makes_the_same_of_the_newer_kinds(site):
    from sdkhelp import connected, document, types

    site.row("vm", "vm1", mgr=site.manager)
    site.ok("clonevm -t gold", ["vm1"])
    _ours(site)
    with connected(site) as system:
        (center,), (domain,) = system.data_centers_service().list(), system.storage_domains_service().list()
        (host,), vm = system.hosts_service().list(), system.vms_service().list(search="name=vm1")[0]
        for service, below in _theirs(system, types, center, domain, vm, host).items():
            mine, other = (next(each for each in service.list() if each.name == name) for name in ("ours", "theirs"))
            but = ("_creation_time", "_hosts", "_vms", "_properties")
            assert document(mine, *but) == document(other, *but), service
            for word in below[1:]:
                lists = [getattr(getattr(service, below[0])(each.id), word)().list() for each in (mine, other)]
                shown = [sorted(document(one, "_quota", "_role") for one in found) for found in lists]
                assert shown[0] == shown[1] and shown[0], word


@only((4, 5))
def test_the_official_sdk_gives_the_same_permission(site):
    from sdkhelp import connected, document, types

    site.ok("cfgve -t user -m MGR -o joe@internal-authz -c")
    site.ok("cfgve -t permission -m MGR -o joe@internal-authz -c --set role=UserRole --set vm=vm1")
    with connected(site) as system:
        users = system.users_service()
        users.add(types.User(user_name="jim@internal-authz", domain=types.Domain(name="internal-authz")))
        joe, jim = (next(each for each in users.list() if each.principal == name) for name in ("joe", "jim"))
        but = ("_user_name", "_principal", "_domain_entry_id", "_domain")
        assert document(joe, *but) == document(jim, *but)
        permissions = system.vms_service().vm_service(site.thing("vm", "vm1")["id"]).permissions_service()
        permissions.add(types.Permission(role=types.Role(name="UserRole"), user=types.User(id=jim.id)))
        mine, other = (
            next(one for one in permissions.list() if one.user and one.user.id == who.id) for who in (joe, jim)
        )
        assert document(mine, "_user") == document(other, "_user")
