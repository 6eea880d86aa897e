"""From nothing to an installed hypervisor by the product's own commands: address, loader, installer and names."""

import re

import boot_site
import pytest
from boot_site import FROM_DISK, GUEST, MASTER, NODE, needs_uefi
from test_boot_live import OSIMAGE, check_machine, prepared
from test_netservices_dhcp import needs_kea

from daemonhelp import until

pytestmark = [pytest.mark.root, pytest.mark.slow]


@pytest.fixture
def server():
    """site.dhcpbackend; empty is the default, dnsmasq."""
    return ""


@pytest.fixture
def site(server):
    with boot_site.site(by_hand=False) as made:
        if server:
            made.run(f"tabch key=dhcpbackend site.value={server}")
        made.run("makenetworks")
        made.run("makedhcp -n")
        made.run("makedns -n")
        yield made


def services(site, name):
    """What a server has said."""
    return (site.home / "netservices" / f"{name}.log").read_text(errors="replace")


def test_bios_and_ipxe_with_an_iso_of_200_mib(site):
    digest = prepared(site, "xnba", 200)
    assert f"ip-address = {GUEST}, hardware-address = {boot_site.MAC}" in site.run(f"makedhcp -q {NODE}")
    site.run(f"makedns {NODE}")
    site.boot("guest", 1024)
    site.wait("guest", FROM_DISK)
    check_machine(site, site.log("guest"), digest)
    assert (site.tftpboot / f"xcat/osimage/{OSIMAGE}/initrd0.img").stat().st_size > 200 << 20
    said = services(site, "dnsmasq")
    assert f"DHCPACK(br0) {GUEST} {boot_site.MAC} {NODE}" in said
    assert re.search(rf"option: 67 bootfile-name +http://{MASTER}/tftpboot/xcat/xnba/nodes/{NODE}$", said, re.MULTILINE)


@needs_uefi
@needs_kea
@pytest.mark.parametrize("server", ["kea"])
def test_uefi_and_grub_by_kea(site):
    digest = prepared(site, "grub2-http")
    site.boot_uefi("guest")
    site.wait("guest", "LIVE-TRIGGER")
    check_machine(site, site.log("guest"), digest)
    loader = f"{site.tftpboot}/boot/grub2/grub2-{NODE}"
    assert f"sent {loader} to {GUEST}" in services(site, "dnsmasq")
    assert f"http://{MASTER}/" in site.log("guest")
    assert f"hwtype=1 {boot_site.MAC}" in services(site, "kea-dhcp4")
    assert "DHCPACK" not in services(site, "dnsmasq")
    # Back in the network, it is sent away: nodeset took its loader from the TFTP folder.
    until(lambda: f"file {loader} not found" in services(site, "dnsmasq"), "it came back")
