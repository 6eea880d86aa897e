"""A UEFI machine boots the same image through GRUB 2, as nodeset wrote it for netboot=grub2-http."""

import shutil
import subprocess
from pathlib import Path

import boot_site
import pytest
from boot_site import MASTER, NODE
from test_boot_live import check_machine, prepared

pytestmark = [pytest.mark.root, pytest.mark.slow]
FIRMWARE = Path("/usr/share/OVMF")
MODULES = ("normal", "configfile", "linux", "linuxefi", "tftp", "http", "efinet", "echo", "sleep", "test", "minicmd")


@pytest.fixture
def site():
    if not (shutil.which("grub-mkimage") and Path("/usr/lib/grub/x86_64-efi/linuxefi.mod").exists()):
        pytest.skip("GRUB for UEFI is not installed (package grub-efi-amd64-bin)")
    if not (FIRMWARE / "OVMF_CODE_4M.fd").exists():
        pytest.skip("UEFI firmware for QEMU is not installed (package ovmf)")
    with boot_site.site() as made:
        yield made


def test_uefi_and_grub_over_http(site):
    loader = site.tftpboot / "boot/grub2/grub2.x86_64"
    loader.parent.mkdir(parents=True)
    subprocess.run(["grub-mkimage", "-O", "x86_64-efi", "-p", "(tftp)/boot/grub2", "-o", loader, *MODULES], check=True,
                   timeout=60, capture_output=True)
    digest = prepared(site, "grub2-http")
    site.dhcp(f"boot/grub2/grub2-{NODE}")
    shutil.copy(FIRMWARE / "OVMF_VARS_4M.fd", site.folder / "vars.fd")
    site.boot(
        "guest", 1536, "-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}/OVMF_CODE_4M.fd",
        "-drive", f"if=pflash,format=raw,file={site.folder}/vars.fd", "-device", "virtio-rng-pci",
    )
    site.wait("guest", "LIVE-TRIGGER", 480)
    # Back in the network, it is sent away: nodeset took its loader from the TFTP folder.
    site.wait("dnsmasq", f"file {site.tftpboot}/boot/grub2/grub2-{NODE} not found", 120)
    check_machine(site, site.log("guest"), digest)
    access = (site.folder / "apache-access.log").read_text()
    assert "GET /tftpboot/xcat/osimage/" in access
    assert f"http://{MASTER}/" in site.log("guest")
