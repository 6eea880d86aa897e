"""From one file to running machines: an embedded xcatd with its servers, machines that it installs, the simulator.

The simulator takes the place of the manager that one of them becomes. Everything can be killed at any moment. Machines
are QEMU's, or namespaces of this kernel which do the same without the time that a start takes.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Callable, Optional

from sshserver import new_key, sshd_words

HERE, TOP = Path(__file__).parent, Path(__file__).parents[2]
MASTER, DOMAIN = "10.77.0.1", "cluster.test"
MANAGER, MANAGER_NODE = "mgr1.cluster.test", "mgr1"
SYSTEM = "rocky9.4"
IMAGE = f"{SYSTEM}-x86_64-install-compute"
HOST_IMAGE = f"{IMAGE}-ovirt4.5-host"
#: Node -> its address and the last byte of its MAC.
NODES = {MANAGER_NODE: ("10.77.0.5", 5), "kvm1": ("10.77.0.6", 6), "kvm2": ("10.77.0.7", 7)}
#: Seconds after which what is waited for will not come any more, however busy the machine is.
HANGS = 1800
SITE = f"""\
managers:
  {MANAGER}:
    node: {MANAGER_NODE}
    release: ovirt4.5
    image: {IMAGE}
    hypervisors:
      {HOST_IMAGE}: [kvm1, kvm2]
    data_centers:
      dc1:
        clusters: {{cl1: {{}}}}
        networks:
          blue: {{vlan: 7, clusters: [cl1]}}
        hosts:
          kvm1: {{cluster: cl1, interface: "ovirtmgmt:eth0:dhcp|blue:eth1:none"}}
          kvm2: {{cluster: cl1, interface: "ovirtmgmt:eth0:dhcp|blue:eth1:none"}}
        storage_domains:
          sd1: {{stype: nfs, location: "nfs.cluster.test:/data", host: kvm1}}
        vms:
          vm1: {{cluster: cl1, memory: 1g, cpus: 1, storage: "sd1:5g:system", nics: "ovirtmgmt:eth0:yes"}}
          vm2: {{cluster: cl1, memory: 1g, cpus: 1, storage: "sd1:5g:system", nics: "blue:eth0:yes"}}
"""


class Program:
    """A program in a process group of its own, with a log that goes on from one start to the next.

    Args:
        words: What to start.
        log: Where its output goes.
        environment: Its variables.
    """

    def __init__(self, words: Sequence[str], log: Path, environment: Optional[dict[str, str]] = None) -> None:
        self.log = log
        self.begin = log.stat().st_size if log.exists() else 0
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                list(words),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment or {**os.environ},
                start_new_session=True,
                cwd=TOP,
            )

    def said(self) -> str:
        """What it has said since this start."""
        return self.log.read_bytes()[self.begin :].decode(errors="replace")

    def ended(self) -> Optional[int]:
        """Its exit code; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it and all that it has started, as a loss of power does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def wait(self, text: str) -> None:
        """Wait until it has said something."""
        until(lambda: text in self.said() or self.ended() is not None, f"{self.log.name} says {text!r}")
        assert text in self.said(), self.said()[-3000:]


def until(met: Callable[[], Any], what: str) -> None:
    """Wait for something that has to come."""
    end = time.monotonic() + HANGS
    while not met():
        assert time.monotonic() < end, f"not within {HANGS} s: {what}"
        time.sleep(0.2)


class Rack:
    """One machine; the simulator takes its address when it has become a manager.

    Args:
        world: Where it is.
        node: Its name.
    """

    def __init__(self, world: World, node: str) -> None:
        self.world, self.node = world, node
        self.address, number = NODES[node]
        self.mac = f"52:54:00:77:00:{number:02x}"
        self.log = world.folder / f"{node}.log"
        self.program: Optional[Program] = None
        self.prepare()

    def prepare(self) -> None:
        """Make what it is made of."""

    def words(self) -> list[str]:
        """How it is started from the network."""
        raise NotImplementedError

    def switch_on(self) -> None:
        """Start it, anew if it runs."""
        self.cut()
        self.program = Program(self.words(), self.log)

    def cut(self) -> None:
        """Take its power away."""
        if self.program:
            self.program.kill()
            self.program = None

    def look(self) -> None:
        """Do what firmware does without being asked."""

    def remove(self) -> None:
        """Leave nothing."""
        self.cut()

    def marks(self) -> list[str]:
        """What it has noted, over all its starts."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return re.findall(r"RACK-([^\r\n]*)", text)

    def noted(self) -> list[str]:
        """What its programs have noted; what they noted in the second before a loss of power may not be shown."""
        return self.marks()

    def setups(self) -> int:
        """How many setups came to their end on it; one that found itself done had not noted its end."""
        noted = self.noted()
        return max(noted.count("SETUP done"), int("SETUP again" in noted))


class NamespaceRack(Rack):
    """A machine that is a network namespace with one card."""

    def prepare(self) -> None:
        self.space, card = f"{self.world.space}{self.node}", f"card{self.address[-1]}"
        self.disk, scratch = self.world.folder / f"{self.node}.root", self.world.folder / f"{self.node}.tmp"
        for folder in (self.disk, scratch):
            folder.mkdir()
        self.world.add_space(self.space)
        type(self.world).do(f"ip -n {self.world.space} link add {card} type veth peer name eth0 netns {self.space}")
        type(self.world).do(f"ip -n {self.world.space} link set {card} master br0 up")
        type(self.world).do(f"ip -n {self.space} link set eth0 address {self.mac}")
        self._last = [str(self.world.parts), str(self.disk), str(scratch), MASTER, self.node]

    def words(self) -> list[str]:
        inside = ["ip", "netns", "exec", self.space, "unshare", "--mount", "--uts", "--pid", "--fork"]
        return [*inside, "sh", str(HERE / "namespace_init.sh"), *self._last]

    def noted(self) -> list[str]:
        """As they stand on its disk."""
        path = self.disk / "marks"
        return [line.removeprefix("RACK-") for line in path.read_text().splitlines()] if path.exists() else []

    def serve_logins(self) -> Program:
        """Start the system's sshd at this machine's address, for the keys that root has on its disk."""
        host_key = new_key(self.world.folder / f"{self.node}.host-key")
        words = sshd_words(host_key, self.disk / "root/.ssh/authorized_keys", "0.0.0.0:22")
        return Program(["ip", "netns", "exec", self.space, *words], self.world.folder / f"{self.node}.sshd.log")


class QemuRack(Rack):
    """A machine of QEMU: its firmware gets an address, the loader and the kernel over the network."""

    def prepare(self) -> None:
        self.tap = f"tap{self.address[-1]}"
        for line in (f"tuntap add dev {self.tap} mode tap", f"link set {self.tap} master br0 up"):
            type(self.world).do(f"ip -n {self.world.space} {line}")
        self.disks = [self.world.folder / f"{self.node}.{name}" for name in ("boot", "disk")]
        for disk in self.disks:
            with disk.open("wb") as file:
                file.truncate(64 << 20)
        type(self.world).do(f"mkfs.ext4 -q -F {self.disks[1]}")
        self._from_disk = False

    def words(self) -> list[str]:
        drives = [
            word
            for at, disk in enumerate(self.disks)
            for word in (
                "-drive",
                f"file={disk},format=raw,if=none,id=disk{at}",
                "-device",
                f"virtio-blk-pci,drive=disk{at},bootindex={at + 2}",
            )
        ]
        line = "qemu-system-x86_64 -accel tcg -m 512 -nodefaults -display none -serial stdio -no-user-config"
        card = f"virtio-net-pci,netdev=net,mac={self.mac},bootindex=1"
        network = ["-netdev", f"tap,id=net,ifname={self.tap},script=no,downscript=no", "-device", card]
        own = []
        if self._from_disk:  # the boot sector of its disk has no room for a loader
            tree = self.world.tree / "images/pxeboot"
            own = ["-kernel", str(tree / "vmlinuz"), "-initrd", str(tree / "initrd.img")]
            own += ["-append", "rack=disk console=ttyS0,115200"]
        return ["ip", "netns", "exec", self.world.space, *line.split(), *network, *drives, *own]

    def switch_on(self) -> None:
        self._from_disk = False
        super().switch_on()

    def look(self) -> None:
        if self.program and not self._from_disk and "LOCAL DISK BOOT" in self.program.said():
            self.program.kill()
            self._from_disk = True
            self.program = Program(self.words(), self.log)


class World:
    """All of it.

    Args:
        folder: An empty folder that everybody may enter.
        kind: Which machines.
    """

    def __init__(self, folder: Path, kind: type[Rack]) -> None:
        self.folder, self.space = folder, f"rk{os.getpid()}"
        self.home, self.file = folder / "xcat", folder / "site.yaml"
        self.parts, self.tree = folder / "parts", self.home / "install" / SYSTEM / "x86_64"
        self.programs: dict[str, Program] = {}
        self.manager_words: tuple[str, ...] = ()
        self.racks: dict[str, Rack] = {}
        self._spaces: list[str] = []
        self._kind = kind

    @staticmethod
    def do(line: str) -> None:
        """Run a command that must work."""
        subprocess.run(line.split(), check=True, timeout=300)

    def add_space(self, name: str) -> None:
        """Make a network namespace that asks the management node for names, and does not change this machine's."""
        place = Path("/etc/netns", name)
        place.mkdir(parents=True, exist_ok=True)
        (place / "resolv.conf").write_text(f"search {DOMAIN}\nnameserver {MASTER}\n")
        self.do(f"ip netns add {name}")
        self._spaces.append(name)

    def build(self) -> None:
        """Make network, machines, media and tables."""
        self.add_space(self.space)
        for line in ("link set lo up", "link add br0 type bridge", f"addr add {MASTER}/24 dev br0", "link set br0 up"):
            self.do(f"ip -n {self.space} {line}")
        self._make_media()
        self.racks = {node: self._kind(self, node) for node in NODES}
        self.start_xcatd()
        self._fill()
        self.file.write_text(SITE)

    def _make_media(self) -> None:
        sys.path.insert(0, str(TOP / "tests/e2e"))
        import boot_site

        maker = boot_site.maker()
        parts = maker.gather()
        assert parts.busybox, parts.missing
        shutil.copytree(HERE / "standins", self.parts / "standins")
        self._make_tree(parts.busybox)
        images = self.tree / "images/pxeboot"
        images.mkdir(parents=True)
        (images / "vmlinuz").write_bytes(parts.kernel)
        initrd = b"none"
        if self._kind is QemuRack:
            assert not parts.missing, parts.missing
            initrd = gzip.compress(b"".join(maker.cpio(list(self._initrd(maker, parts)))), 6)
        (images / "initrd.img").write_bytes(initrd)

    def _make_tree(self, busybox: bytes) -> None:
        """The programs that machines have: busybox for most, a shell and wget of this machine with their libraries."""
        tree = self.parts / "tree"
        programs = [Path("/bin/dash"), Path("/usr/bin/wget")]
        for path in programs:
            said = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=True, timeout=300).stdout
            for name in (str(path), *re.findall(r"(/\S+) \(", said)):
                target = Path(f"{tree}{name}")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(name, target)
        (tree / "bin/busybox").write_bytes(busybox)
        (tree / "bin/busybox").chmod(0o755)

    def _initrd(self, maker: Any, parts: Any) -> Iterator[tuple[str, int, bytes]]:
        folders = "bin dev etc mod parts parts/standins parts/tree proc sys sysroot tmp"
        yield from ((name, 0o040755, b"") for name in folders.split())
        yield "init", 0o100755, (HERE / "qemu_init.sh").read_bytes()
        yield "rack.sh", 0o100644, (HERE / "rack.sh").read_bytes()
        yield "boot.mbr", 0o100644, maker.boot_sector(b"\r\nLOCAL DISK BOOT\r\n")
        yield "bin/udhcpc.script", 0o100755, (TOP / "share/demo/udhcpc.script.sh").read_bytes()
        yield "bin/busybox", 0o100755, parts.busybox
        for path in sorted((self.parts / "tree").rglob("*")):
            data = path.read_bytes() if path.is_file() else b""
            yield f"parts/tree/{path.relative_to(self.parts / 'tree')}", 0o100755 if data else 0o040755, data
        for applet in (*maker.APPLETS, "rm", "cp", "chmod", "touch", "tail", "printf", "["):
            yield f"bin/{applet}", 0o120777, b"busybox"
        for path in (HERE / "standins").iterdir():
            yield f"parts/standins/{path.name}", 0o100755, path.read_bytes()
        yield from ((f"mod/{name}", 0o100644, data) for name, data in parts.modules.items())
        yield "mod/order", 0o100644, "\n".join(parts.modules).encode() + b"\n"

    def _fill(self) -> None:
        """What has to be there before a site: nodes, the osimages, the mirrors of the product."""
        rows = [
            f"key=master site.value={MASTER}",
            f"key=domain site.value={DOMAIN}",
            "key=system,username=root passwd.password=RootOfTests1",
            "priority=5 policy.commands=rhevhupdateflag,rhevmupdateflag policy.rule=allow",
            f"imagename={IMAGE} osimage.osvers={SYSTEM} osimage.osarch=x86_64 osimage.profile=compute "
            "osimage.provmethod=install osimage.imagetype=linux osimage.osname=Linux",
            f"imagename={IMAGE} linuximage.pkgdir={self.tree} linuximage.addkcmdline=console=ttyS0,115200",
        ]
        rows += [
            f"node={node} nodelist.groups=all hosts.ip={rack.address} mac.mac={rack.mac} noderes.netboot=xnba"
            for node, rack in self.racks.items()
        ]
        for row in rows:
            self.run("run", "tabch", *row.split())
        self.run("engine", "hostkit", "ovirt4.5", "--image", IMAGE)
        stanza = (self.home / f"install/custom/rhevm/{HOST_IMAGE}/osimage.stanza").read_text()
        self.run("run", "mkdef", "-z", stdin=stanza)
        self._mirror()
        for line in ("makenetworks", "makedhcp -n", "makedns -n", "makedhcp all", "makedns all"):
            self.run("run", *line.split())

    def _mirror(self) -> None:
        """Repositories without a package, below the folders that the kits name."""
        from xcat_rhev.cli.enginekit.releases import release

        chosen = release("ovirt4.5")
        for folder, system in (("ovirt4.5", chosen.managers[0]), ("ovirt4.5-host", chosen.hosts[0])):
            for each in system.repositories:
                data = self.home / "install/post/otherpkgs/rhevm" / folder / each.name / "repodata"
                data.mkdir(parents=True)
                (data / "repomd.xml").write_text("<repomd/>\n")

    def start_xcatd(self) -> None:
        """Start it, with the servers of the site."""
        words = ["xcatd", "--home", str(self.home), "--port", "3001", "--serve", "br0"]
        self.programs["xcatd"] = self._start("xcatd", *words)
        self.programs["xcatd"].wait("}\n")
        ready = next(json.loads(line) for line in self.programs["xcatd"].said().splitlines() if "client_certs" in line)
        self.environment = {
            **os.environ,
            "XCATHOST": f"127.0.0.1:{ready['port']}",
            "XCAT_CERT_DIR": str(ready["client_certs"]),
        }

    def start_manager(self) -> None:
        """The simulator at the manager's address, with the password that the kit has drawn."""
        self.racks[MANAGER_NODE].cut()
        address = self.racks[MANAGER_NODE].address
        self.do(f"ip -n {self.space} addr replace {address}/24 dev br0")
        line = f"sim --host {address} --port 443 --api 4 --name {MANAGER} --speed 5 --state {self.folder}/engine.json"
        password = re.search(rf'"{MANAGER}","admin","(\w+)"', self.run("run", "tabdump", "passwd"))
        assert password, "the kit has drawn no password"
        self.password = password[1]
        more = ["--cert-dir", str(self.folder / "engine"), "--password", self.password, *self.manager_words]
        self.programs["sim"] = self._start("sim", *line.split(), *more)
        self.programs["sim"].wait("}\n")
        self.authority = Path(json.loads(self.programs["sim"].said().splitlines()[0])["ca"])

    def start_site(self) -> None:
        """Begin, or take up, what the file says."""
        page = str(self.folder / "site.html")
        self.programs["site"] = self._start("site", "site", str(self.file), "--page", page)

    def _start(self, name: str, *words: str) -> Program:
        environment = getattr(self, "environment", {**os.environ})
        return Program(self._inside(*words), self.folder / f"{name}.log", environment)

    def _inside(self, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self.space, sys.executable, "-m", "xcat_rhev.cli", *words]

    def run(self, *words: str, stdin: str = "") -> str:
        """Type a command that must work."""
        done = subprocess.run(
            self._inside(*words),
            input=stdin,
            text=True,
            capture_output=True,
            timeout=600,
            env=self.environment,
            cwd=TOP,
            check=False,
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def asks_manager(self, collection: str) -> str:
        """A collection of the manager, asked without the product's client."""
        words = [
            "wget",
            "-q",
            "-O",
            "-",
            "--no-check-certificate",
            "--auth-no-challenge",
            "--header=Accept: application/xml",
        ]
        words += [
            "--user=admin@internal",
            f"--password={self.password}",
            f"https://{MANAGER}/ovirt-engine/api/{collection}",
        ]
        inside = ["ip", "netns", "exec", self.space, *words]
        return subprocess.run(inside, capture_output=True, text=True, check=True, timeout=300).stdout

    def everything_dies(self, racks: bool) -> None:
        """Kill all programs at once, and take the machines' power too."""
        for program in self.programs.values():
            program.kill()
        if racks:
            for rack in self.racks.values():
                if rack.program:
                    rack.program.kill()

    def everything_returns(self) -> None:
        """Start again what was killed."""
        self.start_xcatd()
        for rack in self.racks.values():
            if rack.program and rack.program.ended() is not None:
                rack.switch_on()
        if "sim" in self.programs:
            self.start_manager()
        self.start_site()

    def remove(self) -> None:
        """Leave nothing."""
        for program in self.programs.values():
            program.kill()
        for rack in self.racks.values():
            rack.remove()
        for name in self._spaces:
            subprocess.run(["ip", "netns", "del", name], check=False, timeout=300)
            shutil.rmtree(Path("/etc/netns", name), ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def world(kind: type[Rack]) -> Iterator[World]:
    """A world, gone afterwards."""
    made = World(Path(tempfile.mkdtemp(prefix="racks-")), kind)
    made.folder.chmod(0o755)
    try:
        made.build()
        yield made
    finally:
        made.remove()
