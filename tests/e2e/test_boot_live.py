"""A machine boots what nodeset wrote for a live image, installs itself, tells it, and starts from its disk."""

import hashlib
import re

import boot_site
import pytest
from boot_site import FROM_DISK, GUEST, MASTER, NODE

pytestmark = [pytest.mark.root, pytest.mark.slow]
OSIMAGE = "rhevh6.6-x86_64-install-compute"


@pytest.fixture
def site():
    with boot_site.site() as made:
        yield made


def prepared(site, netboot, size_mib=0):
    """A node that nodeset has made ready for a RHEV-H; the SHA-256 of its ISO."""
    iso = site.folder / "RHEV-H 6.6.iso"
    missing = boot_site.maker().make(iso, size_mib)
    if missing:
        pytest.skip("; ".join(missing))
    renamed = iso.rename(site.folder / "rhev-hypervisor6-6.6-20150123.iso")
    assert "Media copy operation successful" in site.run(f"copycds {renamed}")
    site.run(f"nodeadd {NODE} groups=rhevh,all")
    site.run(
        f"tabch node={NODE} hosts.ip={GUEST} mac.mac={boot_site.MAC} noderes.netboot={netboot} "
        f"hypervisor.mgr=rhevm.cluster.test hypervisor.type=rhevh bootparams.addkcmdline=console=ttyS0,115200"
    )
    assert f"{NODE}: install rhevh6.6-x86_64-compute" in site.run(f"nodeset {NODE} osimage={OSIMAGE}")
    return hashlib.sha256(renamed.read_bytes()).hexdigest()


def seen(log):
    """What the guest's start script understood: name -> value."""
    return dict(re.findall(r"LIVE-SAW (\w+)=([^\r\n]*)", log))


def check_machine(site, log, digest):
    """The machine got the ISO whole, understood its line, installed itself, told it, and is known as booted."""
    assert "LIVE-ERROR" not in log
    assert re.search(rf"LIVE-ISO /rhevh\.iso \d+ {digest}", log), "the ISO in the initrd is not the original"
    saw = seen(log)
    assert saw["bootif"] and saw["disk"] == "/dev/vda"
    assert (saw["firstboot"], saw["install"], saw["upgrade"]) == ("1", "1", "")
    assert saw["hostname"] == f"{NODE}.cluster.test"
    assert saw["server"] == "rhevm.cluster.test"
    assert saw["adminpw"].startswith("$6$") and saw["rootpw"].startswith("$6$")
    assert "console=ttyS0,115200" in saw["others"]
    assert "LIVE-INSTALLED /dev/vda" in log
    assert f"LIVE-TRIGGER 0 http://{MASTER}/xcatrhevh/rhevh_finish_install/{NODE}.cluster.test" in log
    assert site.status() == f"{NODE}: booted"
    assert site.run(f"nodeset {NODE} stat").strip() == f"{NODE}: boot"
    assert log.count("LIVE-INSTALLED") == 1, "it installed itself again"


def test_pxelinux_over_tftp(site):
    if not (boot_site.PXELINUX.exists() and boot_site.LDLINUX.exists()):
        pytest.skip("pxelinux is not installed (packages pxelinux, syslinux-common)")
    digest = prepared(site, "pxe")
    site.dhcp("pxelinux.0")
    site.boot("guest", 768)
    site.wait("guest", FROM_DISK)
    log = site.log("guest")
    check_machine(site, log, digest)
    fetched = re.findall(r"sent (\S+) to", site.log("dnsmasq"))
    assert any(path.endswith("initrd0.img") for path in fetched)
    assert (site.tftpboot / "pxelinux.cfg" / NODE).read_text().splitlines()[0] == "#boot"
