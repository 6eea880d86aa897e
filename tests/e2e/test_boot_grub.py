"""A machine with a BIOS boots the same image through GRUB 2 over TFTP, as nodeset wrote it."""

import shutil
import subprocess

import boot_site
import pytest
from boot_site import FROM_DISK, GRUB
from test_boot_live import check_machine, prepared

pytestmark = [pytest.mark.root, pytest.mark.slow]
MODULES = ("normal", "configfile", "linux", "tftp", "http", "echo", "sleep", "test", "minicmd")


@pytest.fixture
def site():
    if not shutil.which("grub-mkimage"):
        pytest.skip("grub-mkimage is not installed (package grub-common)")
    with boot_site.site() as made:
        yield made


def loader(site, name, platform, *modules):
    """Make GRUB's own image in the TFTP folder."""
    path = site.tftpboot / "boot/grub2" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["grub-mkimage", "-O", platform, "-p", "(tftp)/boot/grub2", "-o", path, *MODULES, *modules],
        check=True,
        timeout=300,
        capture_output=True,
    )


@pytest.mark.skipif(
    not (GRUB / "i386-pc/pxe.mod").exists(), reason="GRUB for a BIOS is not installed (package grub-pc-bin)"
)
def test_bios_and_grub_over_tftp(site):
    """The site's loader is UEFI's, so DHCP names another one for BIOS machines, the same before and after."""
    loader(site, "bios", "i386-pc-pxe", "pxe")
    (site.tftpboot / "boot/grub2/grub2.x86_64").touch()
    digest = prepared(site, "grub2")
    site.dhcp("boot/grub2/bios")
    site.boot("guest", 1024)
    site.wait("guest", FROM_DISK)
    check_machine(site, site.log("guest"), digest)
    assert f"sent {site.tftpboot}/xcat/osimage/" in site.log("dnsmasq")
