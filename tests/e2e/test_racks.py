"""From a site's file to running machines, with everything killed on the way: machines are namespaces here.

`tests/racks/walk.py` does the same with machines of QEMU, and kills at eleven points.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import walk
from world import HOST_IMAGE, IMAGE, MANAGER, NamespaceRack, world

from sshserver import new_key, no_logins

pytestmark = [pytest.mark.root, pytest.mark.slow]
#: Where it hurts: behind the answers, while all machines install themselves, in the manager's environment.
POINTS = ((r"written: .*/answers/mgr1", False), (r"kvm2: ready to be", True), (r"(sd1|blue|cl1): ", False))


def lacking() -> str:
    """What this machine lacks; empty if nothing."""
    if os.geteuid():
        return "needs root for network namespaces"
    for name in ("ip", "dnsmasq", "unshare", "wget", "ldd", "dash"):
        if not (shutil.which(name) or Path("/usr/sbin", name).exists()):
            return f"{name} is not installed"
    return ""


@pytest.mark.skipif(bool(lacking()), reason=lacking())
def test_a_site_that_is_killed_on_its_way_ends_as_one_that_is_not() -> None:
    state, killed, _ = walk.walked(NamespaceRack, POINTS)
    assert sorted(killed) == sorted(point for point, _ in POINTS)
    assert state["nodelist"] == [
        "kvm1: nodelist.appstatus: rhevmhost=ready,rhevm=up",
        "kvm1: nodelist.status: booted",
        "kvm2: nodelist.appstatus: rhevmhost=ready,rhevm=up",
        "kvm2: nodelist.status: booted",
        "mgr1: nodelist.appstatus: rhevmsetup=up",
        "mgr1: nodelist.status: booted",
    ]
    assert state["engine"] == {
        "datacenters": ["Default", "dc1"],
        "clusters": ["Default", "cl1"],
        "networks": ["blue", "ovirtmgmt", "ovirtmgmt"],
        "hosts": ["kvm1", "kvm2"],
        "storagedomains": ["sd1"],
        "vms": ["vm1", "vm2"],
        "disks": ["vm1_Disk1", "vm2_Disk1"],
    }
    # The CA was pinned on the way, and once; the password that the kit has drawn logs in.
    assert state["pinned"] and state["waits"][0] == state["waits"][1]
    assert state["waits"][0][0] == "mgr1: up" and "datacenters: [dc1]" in state["waits"][0]
    # What the doctor says of the embedded xcatd and of the manager.
    assert {"ok   home: HOME", f"ok   manager {MANAGER}: answers"} <= set(state["waits"][0])
    assert state["key"].startswith("ssh-rsa ")
    assert state["setups"] == 1 and state["errors"] == [] and all(state["idle"].values())


KEY_IMAGE = f"{HOST_IMAGE}-mgr1"
#: A manager that is there already, and one host with a full Linux.
KEY_SITE = f"""\
managers:
  {MANAGER}:
    hypervisors:
      {KEY_IMAGE}: [kvm1]
    data_centers:
      dc1:
        clusters: {{cl1: {{}}}}
        hosts:
          kvm1: {{cluster: cl1, interface: "ovirtmgmt:eth0:dhcp"}}
"""


@pytest.mark.skipif(bool(lacking() or no_logins()), reason=lacking() or no_logins())
def test_a_host_joins_by_the_managers_key_from_the_sites_file_on() -> None:
    """No password of a host is known in clear; the manager really logs in to the system's sshd, by its key."""
    with world(NamespaceRack) as made:
        made.manager_words = ("--ssh-key", str(new_key(made.folder / "engine-key", "rsa")))
        made.run("run", "tabch", "key=system,username=root", f"passwd.password=$6$salt${'x' * 86}")
        made.run("run", "tabch", f"key={MANAGER},username=admin", "passwd.password=Secret123")
        made.start_manager()
        made.run("run", "lsve", "-t", "dc", "-m", MANAGER)  # its CA becomes known
        made.run("engine", "hostkit", "ovirt4.5", "--image", IMAGE, "--manager", MANAGER)
        made.run(
            "run", "mkdef", "-z", stdin=(made.home / f"install/custom/rhevm/{KEY_IMAGE}/osimage.stanza").read_text()
        )
        made.file.write_text(KEY_SITE)
        rack = made.racks["kvm1"]
        assert isinstance(rack, NamespaceRack)
        made.programs["sshd"] = rack.serve_logins()
        walk.Walk(made, ()).go()
        made.programs["sshd"].wait("Accepted publickey for root")
        assert walk.named(made.asks_manager("hosts")) == ["kvm1"]
        assert "<status>up</status>" in made.asks_manager("hosts")
        told = made.run("run", "nodels", "kvm1", "nodelist.appstatus").strip()
        assert told == "kvm1: rhevmhost=ready,rhevm=up"
