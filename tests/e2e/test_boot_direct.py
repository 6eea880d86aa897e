"""What mkinstall hands to nodeset, given to a machine by QEMU itself: no root, no boot loader, a few seconds each."""

import http.server
import re
import shutil
import subprocess
import threading

import boot_site
import pytest

from fakes import FakeHost
from xcat_rhev.clock import SystemClock
from xcat_rhev.commands import mkinstall
from xcat_rhev.media.identify import identify
from xcat_rhev.media.iso import read_iso
from xcat_rhev.media.store import MediaStore
from xcat_rhev.plan.context import Context
from xcat_rhev.plan.jobs import Job
from xcat_rhev.run.runner import Runner
from xcat_rhev.xcat.host import Request

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not boot_site.QEMU, reason="QEMU is not installed (package qemu-system-x86)"),
]
IMAGE = "rhevh6.6-x86_64-install-compute"
MAC, GUEST, HOST = "52:54:00:12:34:56", "10.0.2.15", "10.0.2.2"


@pytest.fixture(scope="module")
def medium(tmp_path_factory):
    """The demo's ISO in an install folder."""
    if not shutil.which("mksquashfs"):
        pytest.skip("mksquashfs is not installed (package squashfs-tools)")
    top = tmp_path_factory.mktemp("direct")
    missing = boot_site.maker().make(top / "x.iso")
    if missing:
        pytest.skip("; ".join(missing))
    found = read_iso(top / "x.iso")
    list(MediaStore(found, identify(found), top / "install/rhevh6.6/x86_64").copy())
    return top


@pytest.fixture
def web():
    """A web server that remembers what it was asked for; guests see it as 10.0.2.2."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"ok\n")

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1], asked
        server.shutdown()
        thread.join(300)


def line_for(medium, port, words="", **site):
    """Kernel, initrd and line, as nodeset would have them."""
    keys = {"installdir": f"{medium}/install", "tftpdir": f"{medium}/tftpboot", "httpport": str(port), **site}
    host = FakeHost(
        {
            "site": [{"key": key, "value": value} for key, value in keys.items()],
            "noderes": [{"node": "n1", "xcatmaster": HOST}],
            "mac": [{"node": "n1", "mac": MAC}],
            "hosts": [{"node": "n1", "ip": GUEST}],
            "hypervisor": [{"node": "n1", "mgr": "rhevm.example.com"}],
            "nodetype": [{"node": "n1", "provmethod": IMAGE, "os": "rhevh6.6", "arch": "x86_64"}],
            "networks": [{"net": "10.0.2.0", "mask": "255.255.255.0", "gateway": HOST, "nameservers": "10.0.2.3"}],
            "passwd": [{"key": "rhevh", "username": user, "password": "secret"} for user in ("admin", "root")],
            "bootparams": [{"node": "n1", "addkcmdline": words}],
        }
    )
    request = Request("mkinstall", ("n1",))
    jobs = list(mkinstall.plan(Context(request, ("n1",), {}, (), host, SystemClock())))
    list(Runner(None, 1, request.aborted).run([job for job in jobs if isinstance(job, Job)]))
    kernel, initrd, line = host.bootparams["n1"]
    return medium / "tftpboot" / kernel, medium / "tftpboot" / initrd, f"{line} {words} console=ttyS0 panic=-1"


def boot(medium, kernel, initrd, line, mac=MAC):
    """Run a machine to its end; what it wrote."""
    disk = medium / "disk"
    with disk.open("wb") as image:
        image.truncate(8 << 20)
    done = subprocess.run(
        [
            boot_site.QEMU,
            "-accel",
            "tcg",
            "-m",
            "512",
            "-nodefaults",
            "-display",
            "none",
            "-serial",
            "stdio",
            "-no-reboot",
            "-kernel",
            kernel,
            "-initrd",
            initrd,
            "-append",
            line,
            "-netdev",
            "user,id=net",
            "-device",
            f"virtio-net-pci,netdev=net,mac={mac},romfile=",
            "-drive",
            f"file={disk},format=raw,if=virtio",
        ],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done.stdout + done.stderr


def test_it_installs_itself_and_says_so_by_name(medium, web):
    port, asked = web
    log = boot(medium, *line_for(medium, port, domain="example.com"))
    assert "LIVE-INSTALLED /dev/vda" in log, log[-3000:]
    assert asked == ["/xcatrhevh/rhevh_finish_install/n1.example.com"]
    assert (medium / "disk").read_bytes()[510:512] == b"\x55\xaa"


def test_it_does_so_with_a_fixed_address_and_on_a_disk_that_people_name(medium, web):
    port, asked = web
    log = boot(medium, *line_for(medium, port, "storage_init=/dev/vda", managedaddressmode="static"))
    assert "LIVE-INSTALLED /dev/vda" in log
    assert f"LIVE-SAW ip={GUEST}::{HOST}:255.255.255.0" in log
    assert "LIVE-SAW dns=10.0.2.3" in log
    assert "udhcpc" not in log
    assert asked == ["/xcatrhevh/rhevh_finish_install/n1"], log[-3000:]


def test_a_disk_that_is_not_there_stops_it(medium, web):
    port, asked = web
    log = boot(medium, *line_for(medium, port, "storage_init=/dev/vdz"))
    assert "Device specified in storage_init does not exist" in log
    assert "LIVE-INSTALLED" not in log and asked == []


def test_a_machine_with_another_mac_is_not_touched(medium, web):
    port, asked = web
    kernel, initrd, line = line_for(medium, port)
    log = boot(medium, kernel, initrd, line, mac="52:54:00:99:99:99")
    assert "no automated installation: BOOTIF=''" in log
    assert re.search(r"LIVE-SAW disk=/dev/vda", log)
    assert asked == [] and (medium / "disk").read_bytes() == bytes(8 << 20)
