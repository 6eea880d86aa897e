"""From an empty manager to a whole data center: by one description, and by single commands, ending in equal worlds."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from vesim import VERSIONS, Site, lun_of, starting, version_name
from xcat_rhev.messages import Error

yaml = pytest.importorskip("yaml")

HOSTS, MACHINES, NETWORKS, EACH = 6, 8, 6, 2
#: Storage type -> what a location looks like, and the first version that has it.
STORAGE = {
    "nfs": ("nfs1:/data{n}", (3, 0)),
    "fcp": ("3600a0980{n:08d}", (3, 0)),
    "iscsi": ("10.0.0.{n}|lun={lun}", (3, 0)),
    "posixfs": ("/dev/sd{n}|vfs=xfs", (3, 1)),
    "glusterfs": ("g{n}:/vol", (3, 3)),
}


def described(version: tuple[int, int]) -> dict[str, Any]:
    """A data center with two clusters, six hosts, two domains of each kind, six networks and eight machines."""
    networks: dict[str, Any] = {f"nw{n}": {"vlan": 100 + n, "clusters": ["cl1", "cl2"]} for n in range(1, NETWORKS)}
    networks["san"] = {"clusters": ["cl1"]}
    if version >= (3, 1):
        networks["san"].update(hosts_only=True, mtu=9000, required=True)
    hosts = {}
    for n in range(1, HOSTS + 1):
        cluster = f"cl{1 + n % 2}"
        bond = "nw1:bond0=eth1+eth2,mode=1:none" if n % 5 == 0 else "nw1:eth1:none"
        san = f"|san:eth3:static:10.7.0.{n}:255.255.255.0" if cluster == "cl1" else ""
        hosts[f"rhevh{n}"] = {"cluster": cluster, "address": f"10.5.0.{n}", "interface": bond + san}
    domains = {}
    for kind, (location, since) in STORAGE.items():
        for n in range(1, EACH + 1):
            if version >= since:
                where = location.format(n=n, lun=lun_of(n))
                domains[f"{kind}{n}"] = {"stype": kind, "location": where, "host": f"rhevh{n}"}
    machines = {
        f"vm{n}": {
            "cluster": f"cl{1 + n % 2}",
            "memory": "1g",
            "cpus": "1:2",
            "storage": f"nfs{1 + n % EACH}:{n % 5 + 1}g:system",
            "nics": f"nw{1 + n % 5}:eth0:yes",
            "bootorder": "network,hd",
        }
        for n in range(1, MACHINES + 1)
    }
    center = {
        "storage": "nfs",
        "clusters": {"cl1": {}, "cl2": {"description": "the second"}},
        "networks": networks,
        "hosts": hosts,
        "storage_domains": domains,
        "vms": machines,
    }
    return {"data_centers": {"dc1": center}}


def tables_of(site: Site, center: dict[str, Any]) -> None:
    """The same as xCAT's tables have it, for the single commands."""
    for name, row in center["hosts"].items():
        site.row(
            "hypervisor",
            name,
            type="rhevh",
            mgr=site.manager,
            cluster=row["cluster"],
            interface=row["interface"],
            password="geheim",
        )
        site.row("hosts", name, ip=row["address"])
    for name, row in center["storage_domains"].items():
        site.row("virtsd", name, datacenter="dc1", **row)
    for name, row in center["vms"].items():
        site.row("vm", name, mgr=site.manager, **row)


def commands(center: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """What a person would type for it."""
    lines = [
        ("cfgve -t dc -m MGR -o dc1 -c -k nfs", []),
        ("cfgve -t cl -m MGR -o cl1 -c -d dc1", []),
        ("cfgve -t cl -m MGR -o cl2 -c -d dc1 --description 'the second'", []),
    ]
    for name, row in center["networks"].items():
        more = f" -n {row['vlan']}" if "vlan" in row else ""
        more += " --nonvm --mtu 9000" if row.get("hosts_only") else ""
        lines.append((f"cfgve -t nw -m MGR -o {name} -c -d dc1{more}", []))
        lines += [(f"cfgve -t nw -m MGR -o {name} -a -l {cluster}", []) for cluster in row["clusters"]]
    hosts, domains = list(center["hosts"]), ",".join(center["storage_domains"])
    demanded = [
        (f"cfgve -t nw -m MGR -o {name} -a -l {cluster} --required", [])
        for name, row in center["networks"].items()
        if row.get("required")
        for cluster in row["clusters"]
    ]
    storage = (f"cfgve -t sd -m MGR -o {domains} -c", [])
    return [
        *lines,
        ("chhypervisor -a", hosts),
        ("chhypervisor -n", hosts),
        *demanded,
        storage,
        ("mkvm", list(center["vms"])),
    ]


#: What is the same however it was made; ids, addresses of cards and times are not.
KEYS = {
    "data_center": ("local", "status"),
    "cluster": ("data_center", "cpu_type", "description", "major", "minor"),
    "network": ("data_center", "vlan", "mtu", "vm_network"),
    "cluster_network": ("cluster", "network", "required"),
    "host": ("cluster", "status", "address"),
    "host_nic": ("host", "name", "network", "boot_protocol", "ip_address", "ip_netmask"),
    "attachment": ("host", "host_nic", "network"),
    "storage_domain": ("data_center", "type", "storage_type", "address", "path", "vfs_type", "vg", "status"),
    "vm": ("cluster", "memory", "sockets", "cores", "status", "boot"),
    "disk": ("name", "storage_domain", "size", "format", "interface", "bootable"),
    "nic": ("vm", "name", "network", "interface"),
}


def portrait(site: Site) -> dict[str, list[tuple[Any, ...]]]:
    """The simulator's world with names in the place of ids."""
    names = {thing["id"]: f"{kind} {thing.get('name')}" for kind in site.world.things for thing in site.world.all(kind)}

    def shown(value: Any) -> Any:
        return names.get(value, str(value)) if isinstance(value, str) else str(value)

    return {
        kind: sorted(
            (shown(thing.get("name", "")), *(shown(thing.get(key)) for key in keys)) for thing in site.world.all(kind)
        )
        for kind, keys in KEYS.items()
    }


def differences(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> dict[str, Any]:
    """What is in one world only, by kind."""
    return {
        kind: {"first": sorted(set(one[kind]) - set(other[kind])), "second": sorted(set(other[kind]) - set(one[kind]))}
        for kind in one
        if one[kind] != other[kind]
    }


@pytest.fixture(params=VERSIONS, ids=version_name)
def version(request):
    return request.param


@pytest.fixture
def begin(tmp_path_factory, version):
    with starting(tmp_path_factory) as start:
        yield partial(start, version)


def by_description(site: Site, text: str) -> list[str]:
    return site.ok("cfgve -m MGR --from -", stdin=text)


def world_by_description(site: Site, version: tuple[int, int]) -> dict[str, list[tuple[Any, ...]]]:
    whole = described(version)
    for name in whole["data_centers"]["dc1"]["hosts"]:
        site.row("hypervisor", name, type="rhevh", mgr=site.manager, password="geheim")
    by_description(site, yaml.safe_dump(whole))
    assert by_description(site, yaml.safe_dump(whole)) == ["dc1: nothing to do"]
    return portrait(site)


@pytest.mark.slow
def test_a_description_and_single_commands_end_in_equal_worlds(begin, version):
    first = world_by_description(begin(), version)
    assert len(first["host"]) == HOSTS and len(first["vm"]) == MACHINES
    assert all("up" in host for host in first["host"])
    second = begin()
    center = described(version)["data_centers"]["dc1"]
    tables_of(second, center)
    for line, nodes in commands(center):
        second.ok(line, nodes)
    assert differences(first, portrait(second)) == {}


FAULTS = [
    {"do": "drop", "share": 0.05},
    {"do": "drop-after", "share": 0.05},
    {"do": "truncate", "share": 0.05},
    {"do": "status", "status": 503, "share": 0.05},
]


@pytest.mark.slow
def test_with_a_fifth_of_all_calls_failing_the_world_is_the_same_in_the_end(begin, version):
    expected = world_by_description(begin(), version)
    site = begin()
    whole = described(version)
    for name in whole["data_centers"]["dc1"]["hosts"]:
        site.row("hypervisor", name, type="rhevh", mgr=site.manager, password="geheim")
    text = yaml.safe_dump(whole)
    site.faults(FAULTS)
    for _ in range(60):  # three to twelve are usual; what is hit is chance
        if not any(isinstance(message, Error) for message in site.say("cfgve -m MGR --from -", stdin=text)):
            break
    else:
        raise AssertionError("the description was never carried out without an error")
    site.mend()
    assert by_description(site, text) == ["dc1: nothing to do"]
    assert differences(expected, portrait(site)) == {}


@pytest.mark.slow
def test_single_commands_repeated_through_the_faults_end_there_too(begin, version):
    expected = world_by_description(begin(), version)
    site = begin()
    center = described(version)["data_centers"]["dc1"]
    tables_of(site, center)
    site.faults(FAULTS)
    for line, nodes in commands(center):
        for _ in range(60):
            if not any(isinstance(message, Error) for message in site.say(line, nodes)):
                break
        else:
            raise AssertionError(f"{line} never succeeded")
    site.mend()
    assert differences(expected, portrait(site)) == {}


@pytest.mark.slow
def test_what_is_exported_makes_the_same_world_anew(begin, version):
    site = begin()
    expected = world_by_description(site, version)
    text = "\n".join(message.text for message in site.say("lsve -m MGR --export"))
    assert sorted(by_description(site, text)) == ["Default: nothing to do", "dc1: nothing to do"]
    again = begin()
    for name in yaml.safe_load(text)["data_centers"]["dc1"]["hosts"]:
        again.row("hypervisor", name, type="rhevh", mgr=again.manager, password="geheim")
    by_description(again, text)
    assert differences(expected, portrait(again)) == {}
