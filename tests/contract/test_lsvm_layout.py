"""What lsvm prints, to the byte: rhevm.pm's layout, which xCAT's lsve(1) shows as well and people's scripts read."""

from __future__ import annotations

import pytest

from vesim import VERSIONS, version_name
from vmsite import VmSite
from xcat_rhev.sim.render import iso

MACHINE = """\
vms: [vm1]
  bootorder: network,hd
  cpucore: 4
  cpusocket: 2
  creation_time: {created}
  display: vnc
{host}  memory: 1073741824
  memory_guaranteed: 1073741824
  placement_policy: migratable
{start}  state: {state}
  stateless: false
  type: server
"""
PARTS = """\
    disks: [{disk1}]
      bootable: true
      format: cow
      iftype: virtio
      size: 2147483648
      state: ok
      storage_domains: data1
      type: system
    disks: [{disk2}]
      bootable: false
      format: raw
      iftype: virtio
      size: 3221225472
      state: ok
      storage_domains: data1
      type: data
    nics: [eth0]
      iftype: virtio
      mac: {mac}
      network: {network}
"""
HYPERVISOR = """\
hosts: [rhevh1]
  address: {address}
  cpu: Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz
  cpuspeed: 2100
  hugepages: true
  iscsi: iqn.1994-05.com.redhat:rhevh1
  ksm: false
  powermgt: true
{agent}  state: up
  storage_manager: true
  summary_active: 1
  summary_migrating: 0
  summary_total: 1
  type: {type}
"""
AGENT = """\
  powermgt_addr: 10.1.1.1
  powermgt_type: ipmilan
  powermgt_user: admin
"""
NIC = """\
    host_nics: [eth0]
      boot_protocol: dhcp
      ip: {address}
      mac: {mac}
      network: {network}
      speed: 10000000000
      state: up
"""


@pytest.fixture(params=VERSIONS, ids=version_name)
def site(request, tmp_path_factory):
    made = VmSite(tmp_path_factory, request.param, hosts=1)
    made.node("vm1", storage="data1:2g:system|data1:3g:data", memory="1g", cpus="2:4", bootorder="net,hd")
    made.ok("mkvm", ["vm1"])
    _, second = made.parts("disk", "vm1")
    made.world.change(second, format="raw")
    yield made
    made.close()


def shown(site, line, nodes):
    return "".join(f"{line}\n" for line in site.ok(line, nodes))


def machine(site, indent=""):
    """The machine as it has to be shown, of what the simulator's world holds."""
    vm = site.vm("vm1")
    on = site.host_of("vm1")
    text = MACHINE.format(
        created=iso(vm["creation_time"]),
        state=vm["status"],
        host=f"  host: {on}\n" if on else "",
        start=f"  start_time: {iso(vm['start_time'])}\n" if on else "",
    )
    return "".join(f"{indent}{line}\n" for line in text.splitlines())


def parts(site):
    disks = [disk["name"] for disk in site.parts("disk", "vm1")]
    mac = site.parts("nic", "vm1")[0]["mac"]
    return PARTS.format(disk1=disks[0], disk2=disks[1], mac=mac, network=site.network)


def test_a_machine(site):
    assert shown(site, "lsvm", ["vm1"]) == machine(site) + parts(site)


def test_a_machine_that_runs_has_a_host_and_a_start(site):
    site.ok("rpower on", ["vm1"])
    site.clock.advance(60)
    assert shown(site, "lsvm", ["vm1"]) == machine(site) + parts(site)
    assert "  host: rhevh1\n" in machine(site) and "  start_time: 20" in machine(site)


def hypervisor(site):
    host = site.thing("host", "rhevh1")
    nics = sorted(site.world.of("host_nic", "host", host["id"]), key=lambda nic: str(nic["name"]))
    kind = "rhev-h" if site.version < (4, 0) else "rhev_h"
    more = "".join(
        f"    host_nics: [{nic['name']}]\n      boot_protocol: none\n      mac: {nic['mac']}\n"
        f"      speed: 10000000000\n      state: {nic['status']}\n"
        for nic in nics[1:]
    )
    first = NIC.format(address=host["address"], mac=nics[0]["mac"], network=site.network)
    return HYPERVISOR.format(address=host["address"], type=kind, agent=AGENT), first + more


def test_a_hypervisor_with_its_nics_and_machines_and_a_manager_with_all(site):
    site.ok("rpower on", ["vm1"])
    site.clock.advance(60)
    site.hypervisor("rhevh1")
    host = site.thing("host", "rhevh1")
    site.world.change(host, pm_enabled=True)
    site.world.add("agent", type="ipmilan", address="10.1.1.1", username="admin", options=[], order=1, host=host["id"])
    head, nics = hypervisor(site)
    assert shown(site, "lsvm", ["rhevh1"]) == head + nics + machine(site, "    ")
    assert shown(site, "lsvm -a", ["vm1"]) == head + nics + machine(site) + parts(site)
    name = site.manager.partition(":")[0]
    site.row("vm", name, mgr=site.manager)
    assert shown(site, "lsvm", [name]) == head + nics + machine(site) + parts(site), "the manager's own node"
