"""vNIC profiles: a NIC of vm.nics names its profile, as `network/profile`; what no row names stays as it is."""

from __future__ import annotations

import pytest

from vesim import only
from vmsite import MODERN, VmSite, each_version

site = each_version()

ODD = "odd a/b:c|d"


def profile(site: VmSite, name: str, network: str = "lan", **values: object) -> str:
    """Make a profile as its administrator does, past the client."""
    return site.world.add("vnic_profile", name=name, network=site.thing("network", network)["id"], **values)["id"]


@pytest.fixture
def lan(site: VmSite) -> VmSite:
    """A network with the profiles gold and silver beside its own."""
    site.ok("cfgve -t nw -m MGR -o lan -c")
    site.ok("cfgve -t nw -m MGR -o lan -a")
    if site.version >= (3, 3):
        for name in ("gold", "silver"):
            profile(site, name)
    return site


def on(site: VmSite, vm: str = "vm1") -> dict[str, str]:
    """The profiles of a machine's NICs, as network/profile."""
    found = {}
    for nic in site.parts("nic", vm):
        network, through = (
            site.world.get("network", nic["network"]),
            site.world.get("vnic_profile", nic["vnic_profile"]),
        )
        found[nic["name"]] = f"{network['name']}/{through['name']}" if network and through else ""
    return found


@only(*MODERN)
def test_a_nic_gets_the_profile_that_its_row_names(lan):
    lan.node("vm1", nics="lan/gold:eth0:yes|lan:eth1|lan/silver:eth2:no:e1000|-:eth3")
    assert "add NIC eth0 on lan/gold" in " ".join(lan.ok("mkvm --dry-run", ["vm1"]))
    lan.ok("mkvm", ["vm1"])
    assert on(lan) == {"eth0": "lan/gold", "eth1": "lan/lan", "eth2": "lan/silver", "eth3": ""}
    for again in ("mkvm", "chvm", "chvm --dry-run"):
        assert "nothing to do" in " ".join(lan.ok(again, ["vm1"])).lower()


@only(*MODERN)
def test_a_profile_is_changed_alone_and_one_that_no_row_names_stays(lan):
    lan.made("vm1", nics="lan/gold:eth0:yes|lan:eth1")
    lan.row("vm", "vm1", nics="lan:eth0:yes|lan/silver:eth1")
    assert "change NIC eth1: vNIC profile" in " ".join(lan.ok("chvm --dry-run", ["vm1"]))
    lan.ok("chvm", ["vm1"])
    assert on(lan) == {"eth0": "lan/gold", "eth1": "lan/silver"}
    lan.row("vm", "vm1", nics=f"{lan.network}:eth0:yes|lan/silver:eth1")
    lan.ok("chvm", ["vm1"])
    assert on(lan) == {"eth0": f"{lan.network}/{lan.network}", "eth1": "lan/silver"}
    lan.row("vm", "vm1", nics="lan/gold:eth0:yes|-:eth1")
    lan.ok("chvm", ["vm1"])
    assert on(lan) == {"eth0": "lan/gold", "eth1": ""}
    assert "nothing to do" in " ".join(lan.ok("chvm", ["vm1"]))


@only(*MODERN)
@pytest.mark.parametrize(
    ("nics", "said"),
    [
        ("lan/bronze:eth0", "the network lan has no vNIC profile bronze. There is: lan/lan, lan/gold, lan/silver"),
        ("lan/Gold:eth0", "the network lan has no vNIC profile Gold"),
        ("lan/:eth0", "the network lan has no vNIC profile without a name"),
        ("lan/gold/:eth0", "the network lan has no vNIC profile gold/"),
        ("/gold:eth0", "vm.nics has '/gold', a vNIC profile without its network"),
        ("-/gold:eth0", "vm.nics has '-/gold', a vNIC profile without its network"),
        ("nolan/gold:eth0", "Could not get the network nolan"),
        (
            "lan/gold:eth0:yes:pci_passthrough",
            "the NIC eth0 has the model pci_passthrough, but the vNIC profile lan/gold",
        ),
    ],
)
def test_a_profile_that_is_not_there_is_refused_before_anything_is_made(lan, nics, said):
    lan.node("vm1", nics=nics)
    lan.made("vm2", nics="lan:eth0")
    for line in ("mkvm", "mkvm --dry-run"):
        (fault,) = lan.wrong(line, ["vm1"])
        assert said in fault and "Run: chtab node=vm1 vm.nics=" in fault
    assert lan.count("vm", "vm1") == 0
    lan.row(
        "vm", "vm2", nics=nics if "passthrough" not in nics else nics.replace("lan/gold", "lan/silver"), memory="3g"
    )
    before = lan.vm("vm2")["memory"]
    lan.wrong("chvm", ["vm2"])
    assert on(lan, "vm2") == {"eth0": "lan/lan"} and lan.vm("vm2")["memory"] == before


@only(*MODERN)
def test_names_are_unique_in_their_own_data_center_and_network_only(lan):
    lan.ok("cfgve -t dc -m MGR -o dc2 -c -k nfs")
    lan.ok("cfgve -t cl -m MGR -o cl2 -c -d dc2")
    for name in ("lan", "wan"):
        lan.ok(f"cfgve -t nw -m MGR -o {name} -c -d dc2")
        lan.ok(f"cfgve -t nw -m MGR -o {name} -a -l cl2")
    for network in (each for each in lan.world.all("network") if each["name"] in ("lan", "wan")):
        if not any(each["name"] == "gold" for each in lan.world.of("vnic_profile", "network", network["id"])):
            lan.world.add("vnic_profile", name="gold", network=network["id"])
    lan.node("vm1", nics="lan/gold:eth0:yes")
    lan.node("vm2", cluster="cl2", nics="lan/gold:eth0:yes|wan/gold:eth1")
    lan.ok("mkvm", ["vm1", "vm2"])
    homes = {
        vm: {
            lan.world.the("network", lan.world.the("vnic_profile", nic["vnic_profile"])["network"])["data_center"]
            for nic in lan.parts("nic", vm)
        }
        for vm in ("vm1", "vm2")
    }
    assert homes == {"vm1": {lan.thing("data_center", "Default")["id"]}, "vm2": {lan.thing("data_center", "dc2")["id"]}}
    assert on(lan, "vm2") == {"eth0": "lan/gold", "eth1": "wan/gold"}
    lan.row("vm", "vm2", nics="lan/silver:eth0:yes|wan/gold:eth1")
    assert "There is: lan/lan, lan/gold. Run" in lan.wrong("chvm", ["vm2"])[0]


@only((4, 5))
def test_names_that_vm_nics_cannot_hold_are_written_as_ids(lan):
    network = lan.world.add(
        "network",
        name=ODD,
        data_center=lan.thing("data_center", "Default")["id"],
        usages=["vm"],
        vm_network=True,
        stp=False,
        mtu=0,
    )
    lan.world.add(
        "cluster_network",
        cluster=lan.thing("cluster", "Default")["id"],
        network=network["id"],
        required=False,
        display=False,
        status="operational",
    )
    ids = [profile(lan, name, where) for name, where in ((ODD, ODD), ("x:y", ODD), ("up/down", "lan"), ("-", "lan"))]
    lan.made("vm1", nics=f"{network['id']}:eth0:yes|{network['id']}/{ids[1]}:eth1|lan/up/down:eth2|lan/-:eth3")
    assert on(lan) == {"eth0": f"{ODD}/{ODD}", "eth1": f"{ODD}/x:y", "eth2": "lan/up/down", "eth3": "lan/-"}
    lan.hypervisor("host1")
    lan.ok("rscan -w", ["host1"])
    assert lan.row_of("vm1")["nics"] == (
        f"{network['id']}:eth0:yes|{network['id']}/{ids[1]}:eth1"
        f"|{lan.thing('network', 'lan')['id']}/{ids[2]}:eth2|{lan.thing('network', 'lan')['id']}/{ids[3]}:eth3"
    )
    assert "nothing to do" in " ".join(lan.ok("chvm", ["vm1"]))
    lan.row("vm", "vm1", nics=f"{network['id']}/nothing:eth0")
    assert f"{network['id']}/{ids[1]} ({ODD}/x:y)" in lan.wrong("chvm", ["vm1"])[0]


@only(*MODERN)
def test_what_is_read_back_names_the_profile_and_settles(lan):
    lan.made("vm1", nics="lan/gold:eth0:yes|lan:eth1|-:eth2")
    lan.hypervisor("host1")
    lan.ok("rscan -w", ["host1"])
    own = "lan" if lan.version > (4, 0) else "lan/lan"  # API v3 leaves it to the engine which one a network alone means
    assert lan.row_of("vm1")["nics"] == f"lan/gold:eth0:yes|{own}:eth1|-:eth2"
    assert "nothing to do" in " ".join(lan.ok("chvm", ["vm1"]))
    lan.ok("rmvm -p", ["vm1"])
    lan.ok("mkvm", ["vm1"])
    assert on(lan) == {"eth0": "lan/gold", "eth1": "lan/lan", "eth2": ""}
    assert "on lan, vNIC profile gold" in " ".join(lan.ok("rinv nic", ["vm1"]))
    shown = "\n".join(lan.ok("lsvm", ["vm1"]))
    assert shown.count("vnic_profile: gold") == 1 and shown.count("vnic_profile") == 1
    told = "\n".join(lan.ok("lsve -m MGR --export"))
    assert f"nics: lan/gold:eth0:yes|{own}:eth1|-:eth2" in told
    assert "- name: gold\n  network: lan" in told and "- name: silver\n  network: lan" in told


@only(*MODERN)
def test_a_template_brings_its_profiles_and_rows_change_them(lan):
    lan.made("vm1", nics="lan/gold:eth0:yes|lan/silver:eth1")
    lan.ok("clonevm -t tpl1", ["vm1"])
    lan.node("vm2")
    lan.node("vm3", nics="lan:eth0:yes|lan/gold:eth1|lan/silver:eth2")
    lan.ok("clonevm -b tpl1", ["vm2", "vm3"])
    assert on(lan, "vm2") == {"eth0": "lan/gold", "eth1": "lan/silver"}
    assert on(lan, "vm3") == {"eth0": "lan/gold", "eth1": "lan/gold", "eth2": "lan/silver"}


@only(*MODERN)
def test_pass_through_profiles_have_nics_of_their_own_model(lan):
    profile(lan, "sriov", pass_through="enabled")
    lan.node("vm1", nics="lan/sriov:eth0:yes|lan:eth1", nicmodel="virtio")
    lan.ok("mkvm", ["vm1"])
    assert on(lan) == {"eth0": "lan/sriov", "eth1": "lan/lan"}
    assert [nic["interface"] for nic in lan.parts("nic", "vm1")] == ["pci_passthrough", "virtio"]
    assert "nothing to do" in " ".join(lan.ok("chvm", ["vm1"]))
    lan.row("vm", "vm1", nics="lan/gold:eth0:yes|lan/sriov:eth1")
    lan.ok("chvm", ["vm1"])
    assert on(lan) == {"eth0": "lan/gold", "eth1": "lan/sriov"}
    assert [nic["interface"] for nic in lan.parts("nic", "vm1")] == ["virtio", "pci_passthrough"]
    lan.row("vm", "vm1", nics="lan/gold:eth0:yes|lan/sriov:eth1:no:e1000|lan/sriov:eth2:no:e1000")
    assert "lan/sriov is for pass-through, so the NIC eth2 has to be of the model pci_passthrough, not e1000" in (
        " ".join(lan.wrong("chvm", ["vm1"]))
    )


@only((3, 6), (4, 5))
def test_a_network_whose_profile_was_removed_is_refused_before_anything_is_made(lan):
    for each in list(lan.world.of("vnic_profile", "network", lan.thing("network", "lan")["id"])):
        lan.world.remove(each)
    lan.node("vm1", nics="lan/gold:eth0" if lan.version < (4, 0) else "lan:eth0")
    assert "the network lan has no vNIC profile" in lan.wrong("mkvm", ["vm1"])[0]
    assert lan.count("vm", "vm1") == 0


@pytest.mark.parametrize("site", [(3, 0), (3, 1), (3, 2)], indirect=True)
def test_engines_before_3_3_have_none_and_that_is_said(lan):
    lan.node("vm1", nics="lan/gold:eth0:yes")
    number = ".".join(map(str, lan.version))
    for line in ("mkvm", "mkvm --dry-run"):
        assert (
            f"the manager is {number}, which has no vNIC profiles: they came with 3.3. Write lan"
            in (lan.wrong(line, ["vm1"])[0])
        )
    lan.row("vm", "vm1", nics="lan:eth0:yes")
    lan.ok("mkvm", ["vm1"])
    lan.hypervisor("host1")
    lan.ok("rscan -w", ["host1"])
    assert lan.row_of("vm1")["nics"] == "lan:eth0:yes"


@only(*MODERN)
def test_the_profile_of_a_running_machine_changes_and_its_model_waits(lan):
    profile(lan, "sriov", pass_through="enabled")
    lan.running("vm1", nics="lan/gold:eth0:yes")
    lan.row("vm", "vm1", nics="lan/silver:eth0:yes")
    lan.ok("chvm", ["vm1"])
    assert on(lan) == {"eth0": "lan/silver"}
    lan.row("vm", "vm1", nics="lan/sriov:eth0:yes")
    assert "NIC eth0 keeps its model while the machine runs. Run: rpower vm1 off" in " ".join(
        lan.wrong("chvm", ["vm1"])
    )
    assert on(lan) == {"eth0": "lan/silver"}
