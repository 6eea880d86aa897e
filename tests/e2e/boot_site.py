"""A site for machines that boot: a network namespace with an xcatd, Apache, DHCP and TFTP, and QEMU guests in it.

Everything runs as on a management node: guests get their address from dnsmasq, their files from the tftpdir and
installdir that nodeset wrote, and tell their end to the CGI behind Apache, which knows them by their address.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Callable

import pytest

HERE = Path(__file__).parent
TOP = HERE.parents[1]
MASTER, GUEST = "10.77.0.1", "10.77.0.5"
#: One that a live image would take for the name of a card, were it handed on with colons.
MAC = "ee:54:00:12:34:56"
NODE, DOMAIN = "rhevh1", "cluster.test"
PXELINUX, LDLINUX = Path("/usr/lib/PXELINUX/pxelinux.0"), Path("/usr/lib/syslinux/modules/bios/ldlinux.c32")
APACHE = next((path for name in ("apache2", "httpd") if (path := shutil.which(name) or "")), "")
MODULES = next((path for path in ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules") if os.path.isdir(path)), "")
QEMU = shutil.which("qemu-system-x86_64") or ""
FIRMWARE, GRUB = Path("/usr/share/OVMF"), Path("/usr/lib/grub")
#: What the boot sector of an installed disk writes.
FROM_DISK = "LOCAL DISK BOOT"
#: Seconds after which what is waited for will not come any more, however busy the machine is.
HANGS = 1800


def needs_uefi(test: Callable[..., None]) -> Callable[..., None]:
    """Skip a test where GRUB for UEFI or the firmware is not installed, and name the package."""
    lacks = ""
    if not (FIRMWARE / "OVMF_CODE_4M.fd").exists():
        lacks = "UEFI firmware for QEMU is not installed (package ovmf)"
    if not (GRUB / "x86_64-efi/linuxefi.mod").exists():
        lacks = "GRUB for UEFI is not installed (package grub-efi-amd64-bin)"
    skipped: Callable[..., None] = pytest.mark.skipif(bool(lacks), reason=lacks)(test)
    return skipped


def lacking() -> str:
    """What this machine lacks for guests to boot; empty if nothing."""
    if os.geteuid():
        return "needs root for a network namespace"
    if not QEMU:
        return "QEMU is not installed (package qemu-system-x86)"
    for name in ("ip", "dnsmasq", "mksquashfs"):
        if not shutil.which(name) and not Path("/usr/sbin", name).exists():
            return f"{name} is not installed"
    if not (APACHE and MODULES):
        return "Apache is not installed"
    if not Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun"
    return ""


def maker() -> ModuleType:
    """share/demo/make_iso.py."""
    spec = importlib.util.spec_from_file_location("make_iso", TOP / "share/demo/make_iso.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_iso"] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class Site:
    """A running management node.

    Attributes:
        folder: Holds everything.
        namespace: The network namespace's name.
        environment: For `xcat-rhev run`.
    """

    folder: Path
    namespace: str
    environment: dict[str, str] = field(default_factory=dict)
    parts: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.folder / "xcat"

    @property
    def tftpboot(self) -> Path:
        return self.home / "tftpboot"

    def inside(self, *words: str | Path) -> list[str]:
        """A command line that runs in the namespace."""
        return ["ip", "netns", "exec", self.namespace, *map(str, words)]

    def start(self, name: str, *words: str | Path) -> subprocess.Popen[bytes]:
        """Start a program in the namespace; its output goes to a file of its name."""
        with open(self.folder / f"{name}.log", "wb") as log:
            part = subprocess.Popen(
                self.inside(*words),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        self.parts.append(part)
        return part

    def run(self, line: str, rc: int = 0) -> str:
        """Type an xCAT command; it must end as said."""
        words = line.split()
        done = subprocess.run(
            self.inside(sys.executable, "-m", "xcat_rhev.cli", "run", *words),
            text=True,
            timeout=300,
            capture_output=True,
            env={**os.environ, **self.environment},
            check=False,
            cwd=TOP,
        )
        assert done.returncode == rc, f"{line}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def log(self, name: str) -> str:
        """What a program has said so far."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait(self, name: str, text: str) -> None:
        """Wait until a program has said something."""
        end = time.monotonic() + HANGS
        while text not in self.log(name):
            assert time.monotonic() < end, f"no {text!r} within {HANGS} s:\n{self.log(name)[-4000:]}"
            time.sleep(0.2)

    def set_up(self, *lines: str) -> None:
        """Run commands in the namespace, such as those of `ip`."""
        for line in lines:
            subprocess.run(self.inside(*line.split()), check=True, timeout=300)

    def dhcp(self, bootfile: str, *more: str) -> None:
        """Serve DHCP, with this boot file, and TFTP."""
        self.start(
            "dnsmasq",
            shutil.which("dnsmasq") or "/usr/sbin/dnsmasq",
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--port=0",
            "--interface=br0",
            "--bind-interfaces",
            "--log-dhcp",
            "--log-facility=-",
            "--user=root",
            f"--dhcp-range={MASTER},static",
            f"--dhcp-host={MAC},{GUEST},{NODE}",
            f"--domain={DOMAIN}",
            f"--dhcp-option=3,{MASTER}",
            f"--dhcp-boot={bootfile},,{MASTER}",
            "--enable-tftp",
            f"--tftp-root={self.tftpboot}",
            f"--dhcp-leasefile={self.folder}/leases",
            "--pid-file=",
            *more,
        )
        self.wait("dnsmasq", "TFTP root is")

    def boot(self, name: str, memory: int, *more: str) -> subprocess.Popen[bytes]:
        """Switch a guest on: network first, then its disk. What it writes to its serial port is the log `name`."""
        disk = self.folder / f"{name}.disk"
        with open(disk, "wb") as image:
            image.truncate(64 << 20)
        return self.start(
            name,
            QEMU,
            "-accel",
            "tcg",
            "-m",
            str(memory),
            "-nodefaults",
            "-display",
            "none",
            "-serial",
            "stdio",
            "-netdev",
            "tap,id=net,ifname=tap0,script=no,downscript=no",
            "-device",
            f"virtio-net-pci,netdev=net,mac={MAC},speed=1000,duplex=full,bootindex=1",
            "-drive",
            f"file={disk},format=raw,if=none,id=disk",
            "-device",
            "virtio-blk-pci,drive=disk,bootindex=2",
            *more,
        )

    def boot_uefi(self, name: str) -> subprocess.Popen[bytes]:
        """The same with UEFI's firmware in the place of a BIOS."""
        shutil.copy(FIRMWARE / "OVMF_VARS_4M.fd", self.folder / "vars.fd")
        code = f"if=pflash,format=raw,readonly=on,file={FIRMWARE}/OVMF_CODE_4M.fd"
        variables = f"if=pflash,format=raw,file={self.folder}/vars.fd"
        return self.boot(name, 1536, "-drive", code, "-drive", variables, "-device", "virtio-rng-pci")

    def status(self) -> str:
        """nodelist.status of the node."""
        return self.run(f"nodels {NODE} nodelist.status").strip()

    def stop(self, part: subprocess.Popen[bytes]) -> None:
        """End one program."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(part.pid, signal.SIGTERM)
        try:
            part.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(part.pid, signal.SIGKILL)
            part.wait(300)
        if part in self.parts:
            self.parts.remove(part)


@contextlib.contextmanager
def site(by_hand: bool = True) -> Iterator[Site]:
    """A management node with an empty home, in a folder that the web server's user may read; gone afterwards.

    Args:
        by_hand: Apache and boot loaders are set up here, and DHCP by `Site.dhcp`; else by nobody: the site has nothing
            but what the product's own commands make of it.
    """
    reason = lacking()
    if reason:
        pytest.skip(reason)
    made = Site(Path(tempfile.mkdtemp(prefix="boot-")), f"xr{os.getpid()}")
    made.folder.chmod(0o755)
    subprocess.run(["ip", "netns", "add", made.namespace], check=True, timeout=300)
    try:
        made.set_up(
            "ip link set lo up",
            "ip link add br0 type bridge",
            f"ip addr add {MASTER}/24 dev br0",
            "ip link set br0 up",
            "ip tuntap add dev tap0 mode tap",
            "ip link set tap0 master br0",
            "ip link set tap0 up",
        )
        made.start("router", sys.executable, HERE / "ipv6_router.py", "br0")
        _start(made, by_hand)
        yield made
    finally:
        for part in reversed(list(made.parts)):
            made.stop(part)
        subprocess.run(["ip", "netns", "del", made.namespace], check=False, timeout=300)
        shutil.rmtree(made.folder, ignore_errors=True)


def _start(made: Site, by_hand: bool) -> None:
    words = () if by_hand else ("--serve", "br0")
    made.start("xcatd", sys.executable, "-m", "xcat_rhev.cli", "xcatd", "--home", made.home, "--port", "0", *words)
    made.wait("xcatd", "ready")
    ready = json.loads(made.log("xcatd").splitlines()[0])
    made.environment = {"XCATHOST": f"127.0.0.1:{ready['port']}", "XCAT_CERT_DIR": ready["client_certs"]}
    for row in (
        f"key=master site.value={MASTER}",
        f"key=domain site.value={DOMAIN}",
        "key=httpport site.value=80",
        "key=rhevh,username=admin passwd.password=admin-of-tests",
        "key=rhevh,username=root passwd.password=root-of-tests",
        "priority=5 policy.commands=rhevhupdateflag policy.rule=allow",
    ):
        made.run(f"tabch {row}")
    if by_hand:
        _serve_by_hand(made)


def _serve_by_hand(made: Site) -> None:
    made.run("tabch netname=boot networks.net=10.77.0.0 networks.mask=255.255.255.0")
    made.start("apache", APACHE, "-X", "-f", _apache(made))
    for name, path in (("pxelinux.0", PXELINUX), ("ldlinux.c32", LDLINUX)):
        if path.exists():
            made.tftpboot.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, made.tftpboot / name)


def _apache(made: Site) -> Path:
    modules = ["unixd", "mpm_prefork", "authz_core", "alias", "env", "cgi", "dir", "log_config"]
    lines = [
        f"LoadModule {name}_module {MODULES}/mod_{name}.so"
        for name in modules
        if Path(MODULES, f"mod_{name}.so").exists()
    ]
    settings = {
        "XCATRHEVH_XCATD": made.environment["XCATHOST"],
        "XCATRHEVH_CA": f"{made.home}/etc/xcat/cert/ca.pem",
        "XCATRHEVH_NODES": f"{made.home}/install/xcatrhevh/nodes.json",
    }
    lines += [
        "User #65534",
        "Group #65534",
        f"ServerRoot {made.folder}",
        f"PidFile {made.folder}/apache.pid",
        f"ErrorLog {made.folder}/apache-errors.log",
        f'CustomLog {made.folder}/apache-access.log "%h %r %>s %B"',
        "ServerName master",
        "Listen 80",
        f"DefaultRuntimeDir {made.folder}",
        f"Alias /tftpboot {made.tftpboot}",
        f"Alias /install {made.home}/install",
        f"ScriptAlias /xcatrhevh {TOP}/cgi-bin/xcatrhevh.cgi",
        "<Location />",
        "  Require all granted",
        "</Location>",
        *(f'SetEnv {key} "{value}"' for key, value in settings.items()),
    ]
    path = made.folder / "apache.conf"
    path.write_text("\n".join(lines) + "\n")
    return path
