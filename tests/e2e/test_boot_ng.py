"""A machine boots what nodeset wrote for oVirt Node NG: second stage, kickstart, image, and the two %post sections."""

import gzip
import hashlib
import re
import subprocess
from pathlib import Path

import boot_site
import pytest
from boot_site import FROM_DISK, GUEST, MASTER, NODE

import media_iso

pytestmark = [pytest.mark.root, pytest.mark.slow]
HERE = Path(__file__).parent
KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 ovirt-engine"


@pytest.fixture
def site():
    with boot_site.site() as made:
        yield made


def installer(maker, parts):
    """An initrd that behaves like Anaconda."""
    entries = [(name, 0o040755, b"") for name in ("bin", "dev", "etc", "mod", "proc", "sys", "sysroot", "tmp")]
    entries += [
        ("init", 0o100755, (HERE / "anaconda_init.sh").read_bytes()),
        ("network.sh", 0o100644, (HERE / "anaconda_network.sh").read_bytes()),
        ("bin/udhcpc.script", 0o100755, (boot_site.TOP / "share/demo/udhcpc.script.sh").read_bytes()),
        ("bin/busybox", 0o100755, parts.busybox),
        ("bin/cp", 0o120777, b"busybox"),
    ]
    entries += [(f"bin/{applet}", 0o120777, b"busybox") for applet in maker.APPLETS]
    entries += [(f"mod/{name}", 0o100644, data) for name, data in parts.modules.items()]
    entries.append(("mod/order", 0o100644, "\n".join(parts.modules).encode() + b"\n"))
    return gzip.compress(b"".join(maker.cpio(entries)), 6)


def root_image(maker, parts, work):
    """The file system image: busybox, and stand-ins that tell that they were called."""
    root = work / "root"
    for name in ("bin", "dev", "proc", "sys", "tmp", "root"):
        (root / name).mkdir(parents=True)
    scripts = {
        "nodectl": "#!/bin/sh\necho NG-NODECTL $*\n",
        "curl": '#!/bin/sh\nfor word; do url=$word; done\necho "NG-CURL $*" >&2\nwget -q "$url" -O /tmp/answer\n'
        "echo NG-ANSWER $(cat /tmp/answer) >&2\n",
    }
    (root / "bin/busybox").write_bytes(parts.busybox)
    for applet in (*maker.APPLETS, "chmod", "restorecon"):
        (root / "bin" / applet).symlink_to("busybox")
    for name, text in scripts.items():
        (root / "bin" / name).write_text(text)
    for path in (root / "bin").iterdir():
        if not path.is_symlink():
            path.chmod(0o755)
    (root / "boot.mbr").write_bytes(maker.boot_sector(f"\r\n{FROM_DISK}\r\n".encode()))
    subprocess.run(
        ["mksquashfs", root, work / "image", "-all-root", "-quiet", "-no-progress"],
        check=True,
        timeout=300,
        capture_output=True,
    )
    return (work / "image").read_bytes()


def test_kickstart_image_and_finish(site):
    maker = boot_site.maker()
    parts = maker.gather()
    if parts.missing:
        pytest.skip("; ".join(parts.missing))
    image, stage2 = root_image(maker, parts, site.folder), b"stage 2 " * 5000
    files = media_iso.anaconda(
        "9",
        variant="ovirt-node",
        more={
            "images/pxeboot/vmlinuz": parts.kernel,
            "images/pxeboot/initrd.img": installer(maker, parts),
            "images/install.img": stage2,
            "ovirt-node-ng-image.squashfs.img": image,
        },
    )
    iso = site.folder / "ovirt-node-ng-installer-4.5.5-2023113015.el9.iso"
    media_iso.write(iso, media_iso.Sample(iso.name, "CentOS-Stream-9", files))
    assert "DISTNAME:ovirt4.5.5" in site.run(f"copycds -i {iso}")
    site.run(f"copycds {iso}")
    manager = site.home / "etc/xcat/rhevm/engine.cluster.test"
    manager.mkdir(parents=True)
    (manager / "engine.pub").write_text(KEY + "\n")
    site.run(f"nodeadd {NODE} groups=all")
    site.run(
        f"tabch node={NODE} hosts.ip={GUEST} mac.mac={boot_site.MAC} noderes.netboot=xnba "
        f"hypervisor.mgr=engine.cluster.test bootparams.addkcmdline=console=ttyS0,115200"
    )
    site.run("tabch imagename=ovirt4.5.5-x86_64-install-compute linuximage.addkcmdline=storage_init=/dev/vda")
    site.run(f"nodeset {NODE} osimage=ovirt4.5.5-x86_64-install-compute")
    site.dhcp(f"http://{MASTER}/tftpboot/xcat/xnba/nodes/{NODE}")
    site.boot("guest", 1024)
    site.wait("guest", FROM_DISK)
    log = site.log("guest")
    assert "NG-ERROR" not in log
    check_what_was_fetched(log, image, stage2)
    check_kickstart(log)
    assert site.status() == f"{NODE}: booted"
    assert site.run(f"nodeset {NODE} stat").strip() == f"{NODE}: boot"
    assert log.count("NG-INSTALLED") == 1


def check_what_was_fetched(log, image, stage2):
    assert f"NG-SAW stage2=http://{MASTER}/install/ovirt4.5.5/x86_64 ks=http://{MASTER}/install/autoinst/{NODE}" in log
    assert f"NG-STAGE2 {hashlib.sha256(stage2).hexdigest()}" in log
    assert f"NG-IMAGE {hashlib.sha256(image).hexdigest()}" in log


def check_kickstart(log):
    directives = [line.strip() for line in re.findall(r"NG-KS (.*)", log)]
    words = {line.partition(" ")[0]: line for line in directives}
    assert set(words) == {
        "text",
        "lang",
        "keyboard",
        "timezone",
        "network",
        "rootpw",
        "liveimg",
        "zerombr",
        "ignoredisk",
        "clearpart",
        "autopart",
        "reboot",
    }
    assert re.fullmatch(r"rootpw --iscrypted \$6\$[./0-9A-Za-z]{16}\$[./0-9A-Za-z]{86}", words["rootpw"])
    assert words["ignoredisk"] == "ignoredisk --only-use=vda"
    assert words["autopart"] == "autopart --type=thinp"
    assert words["network"] == (
        f"network --onboot=yes --activate --device={boot_site.MAC} --bootproto=dhcp --hostname={NODE}.cluster.test"
    )
    assert "NG-SECTION 1 %post --erroronfail" in log
    assert "NG-NODECTL init" in log
    assert re.findall(r"NG-POST (\d) (\d+)", log) == [("1", "0"), ("2", "0"), ("3", "0")]
    assert f"NG-KEY {KEY}" in log
    assert f"http://{MASTER}/xcatrhevh/rhevh_finish_install/{NODE}" in log
