"""Machines install themselves over a VLAN with DHCP, and over a VLAN on a bond with a fixed address.

They start over an untagged network, as firmware does; everything after that has to come over the network of the tables.
"""

import sys
from pathlib import Path

import boot_site
import pytest
from boot_site import FROM_DISK, MASTER, NODE
from test_boot_ng import installer, root_image

import media_iso

pytestmark = [pytest.mark.root, pytest.mark.slow]
HERE = Path(__file__).parent
SECOND = "ee:54:00:12:34:57"
TAGGED, TAGGED_MASTER = "10.78.0.5", "10.78.0.1"
#: What VLANs and bonds need besides, dependencies first.
MODULES = ("llc", "stp", "garp", "mrp", "8021q", "tls", "bonding")
BOND = "nics.nictypes=bond0!bond,bond0.100!vlan nics.nicdevices=bond0!eth0|eth1"
#: Name -> the node's tables, what the guest must say of its network.
NETWORKS = {
    "a VLAN": (
        "noderes.installnic=eth0.100",
        ["NG-VLAN eth0.100 on eth0", f"NG-ADDRESS eth0.100 dhcp {TAGGED}/24"],
    ),
    "a VLAN on a bond": (
        f"noderes.installnic=bond0.100 {BOND}",
        ["NG-BOND bond0 802.3ad 4 eth0 eth1", "NG-VLAN bond0.100 on bond0", f"NG-ADDRESS bond0.100 static {TAGGED}/24"],
    ),
}


@pytest.fixture(scope="module")
def parts():
    maker = boot_site.maker()
    setattr(maker, "MODULES", (*maker.MODULES, *MODULES))  # noqa: B010
    found = maker.gather()
    lacking = [name for name in MODULES if f"{name}.ko" not in found.modules]
    if found.missing or lacking:
        pytest.skip("; ".join([*found.missing, *(f"no kernel module {name}" for name in lacking)]))
    return maker, found


@pytest.fixture
def site():
    with boot_site.site() as made:
        made.start("vlan", sys.executable, HERE / "vlan_port.py", "trunk", "tagged", "100")
        made.wait("vlan", "ready")
        made.set_up(
            "ip link set trunk master br0",
            "ip link set trunk up",
            f"ip addr add {TAGGED_MASTER}/24 dev tagged",
            "ip link set tagged up",
            "ip tuntap add dev tap1 mode tap",
            "ip link set tap1 master br0",
            "ip link set tap1 up",
        )
        yield made


@pytest.mark.parametrize("tables, seen", NETWORKS.values(), ids=NETWORKS)
def test_a_machine_installs_over(site, parts, tables, seen):
    maker, found = parts
    medium(site, maker, found)
    static = seen[-1].split()[2] == "static"
    for row in (
        f"key=managedaddressmode site.value={'static' if static else 'dhcp'}",
        "netname=tagged networks.net=10.78.0.0 networks.mask=255.255.255.0 networks.gateway=<xcatmaster>",
    ):
        site.run(f"tabch {row}")
    site.run(f"nodeadd {NODE} groups=all")
    site.run(
        f"tabch node={NODE} hosts.ip={TAGGED} mac.mac={boot_site.MAC} noderes.netboot=xnba {tables} "
        "nodehm.serialport=0 nodehm.serialspeed=115200 bootparams.addkcmdline=storage_init=/dev/vda"
    )
    site.run(f"nodeset {NODE} osimage=ovirt4.1-x86_64-install-compute")
    site.dhcp(
        f"http://{MASTER}/tftpboot/xcat/xnba/nodes/{NODE}",
        "--interface=tagged",
        f"--dhcp-range={TAGGED_MASTER},static",
        f"--dhcp-host={boot_site.MAC},{TAGGED}",
    )
    site.boot("guest", 1024, "-netdev", "tap,id=net1,ifname=tap1,script=no,downscript=no",
              "-device", f"virtio-net-pci,netdev=net1,mac={SECOND},speed=1000,duplex=full,romfile=")  # fmt: skip
    site.wait("guest", FROM_DISK)
    log = site.log("guest")
    assert "NG-ERROR" not in log and "NG-STRAY" not in log
    assert [line for line in seen if line not in log] == []
    assert log.count("NG-INSTALLED") == 1
    served = f"http://{TAGGED_MASTER}/install"
    assert f"NG-SAW stage2={served}/ovirt4.1/x86_64 ks={served}/autoinst/{NODE}" in log
    fetched = [line for line in (site.folder / "apache-access.log").read_text().splitlines() if "/install/" in line]
    assert fetched and all(line.startswith(f"{TAGGED} ") for line in fetched)
    assert site.status() == f"{NODE}: booted"


def medium(site, maker, found):
    """An oVirt Node NG of the time before `.treeinfo`, as all up to 4.3 were."""
    image = root_image(maker, found, site.folder)
    files = media_iso.anaconda(
        "7",
        more={
            "images/pxeboot/vmlinuz": found.kernel,
            "images/pxeboot/initrd.img": installer(maker, found),
            "LiveOS/squashfs.img": b"stage 2 " * 5000,
            "ovirt-node-ng-image.squashfs.img": image,
        },
    )
    del files[".treeinfo"], files[".discinfo"], files["images/install.img"]
    iso = site.folder / "ovirt-node-ng-installer-ovirt-4.1-2018012411.iso"
    media_iso.write(iso, media_iso.Sample(iso.name, "CentOS 7 x86_64", files))
    site.run(f"copycds {iso}")
