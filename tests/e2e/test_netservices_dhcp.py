"""What machines are told by DHCP, by dnsmasq and by Kea alike, in the words of firmware, of iPXE and of HTTP boot."""

import json
import subprocess
import sys
from pathlib import Path

import boot_site
import pytest
from boot_site import MASTER

from xcat_rhev.daemon.netservices.state import program

pytestmark = [pytest.mark.root, pytest.mark.slow]
CLIENT = Path(__file__).with_name("dhcp_questions.py")
NODES = {"n1": ("pxe", "1"), "n2": ("xnba", "2"), "n3": ("grub2", "3"), "n4": ("pxe", "4!*NOIP*")}
ALL, FEW = [1, 3, 12, 66, 67], [1, 3]
FILES = f"http://{MASTER}/tftpboot"
#: Last figure of the MAC, architecture, user class and wanted options -> the file.
QUESTIONS = [
    (1, 0, "", ALL, "pxelinux.0"),
    (1, 0, "", FEW, "pxelinux.0"),
    (1, 7, "", ALL, ""),
    (2, 0, "", FEW, "xcat/xnba.kpxe"),
    (2, 0, "iPXE", ALL, f"{FILES}/xcat/xnba/nodes/n2"),
    (2, 0, "\4xNBA", ALL, f"{FILES}/xcat/xnba/nodes/n2"),
    (2, 7, "", ALL, "xcat/xnba.efi"),
    (2, 9, "iPXE", ALL, f"{FILES}/xcat/xnba/nodes/n2.uefi"),
    (2, 16, "", ALL, f"{FILES}/xcat/xnba.efi"),
    (3, 7, "", ALL, "/boot/grub2/grub2-n3"),
    (3, 11, "", ALL, "/boot/grub2/grub2-n3"),
    (3, 19, "", ALL, f"{FILES}/boot/grub2/grub2-n3"),
    (3, None, "", ALL, ""),
]


needs_kea = pytest.mark.skipif(not program("kea-dhcp4"), reason="Kea is not installed (package kea-dhcp4-server)")


def asks(site, words):
    """The answers to all questions."""
    done = subprocess.run(site.inside(*words), capture_output=True, text=True, timeout=300, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("server", ["dnsmasq", pytest.param("kea", marks=needs_kea)])
def test_every_firmware_gets_its_file(server):
    with boot_site.site(by_hand=False) as site:
        site.set_up("ip link add v1 type veth peer name v2", "ip link set v2 master br0 up", "ip link set v1 up")
        site.run(f"tabch key=dhcpbackend site.value={server}")
        site.run("makenetworks")
        site.run("makedhcp -n")
        for node, (netboot, mac) in NODES.items():
            site.run(f"nodeadd {node} groups=all")
            site.run(
                f"tabch node={node} hosts.ip=10.77.0.2{mac[0]} mac.mac=52:54:00:00:00:0{mac} noderes.netboot={netboot}"
            )
        site.run("makedhcp -a")
        asked = [(f"52:54:00:00:00:0{last}", arch, user, wanted, 250) for last, arch, user, wanted, _ in QUESTIONS]
        words = [sys.executable, CLIENT, "v1", json.dumps([*asked, ("52:54:00:00:00:04", 0, "", ALL, 8)])]
        *told, denied = asks(site, words)
        for (last, arch, user, _, file), answer in zip(QUESTIONS, told):
            assert answer, (last, arch, user)
            assert answer["file"] == file, (last, arch, user)
            assert (answer["address"], answer["server"], answer["router"]) == (f"10.77.0.2{last}", MASTER, "")
            assert answer["vendor"] == ("HTTPClient" if arch in (16, 19) else "")
        assert denied is None
        # What nodeset does while others are being installed: the server reads the machines' file again, and goes on.
        for netboot in ("grub2", "xnba", "grub2", "xnba"):
            site.run(f"tabch node=n2 noderes.netboot={netboot}")
            site.run("makedhcp n1-n3")
            assert all(asks(site, [*words[:-1], json.dumps(asked[:4])]))
