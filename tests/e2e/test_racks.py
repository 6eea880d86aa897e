"""From a site's file to running machines, with everything killed on the way: machines are namespaces here.

`tests/racks/walk.py` does the same with machines of QEMU, and kills at eleven points.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import walk
from world import NamespaceRack

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
    assert state["key"].startswith("ssh-rsa ")
    assert state["setups"] == 1 and state["errors"] == [] and all(state["idle"].values())
