"""A management node and two service nodes in network namespaces, each with the embedded xcatd, on one PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import media_iso
from daemonhelp import until
from databases import cfgloc, postgresql
from xcat_rhev.cli.demo.parts import DemoProgram, own
from xcat_rhev.daemon.database import DatabaseLocation

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("ip"), reason="needs root and ip for network namespaces"),
]
PORT = 3001
#: Machine -> the last number of its address.
DAEMONS = {"mn": 1, "sn1": 2, "sn2": 3}
NODES = {"h1": 11, "h2": 12, "h3": 13}
IMAGE = "rhevh6.3-x86_64-install-compute"


def ip(*words: str, check: bool = True) -> bool:
    return subprocess.run(["ip", *words], check=check, capture_output=True, timeout=300).returncode == 0


class Net:
    """A network whose number no other run on this machine has: who makes the bridge of that name owns it."""

    def __init__(self) -> None:
        self.number = next(n for n in range(250) if ip("link", "add", f"xhier{n}", "type", "bridge", check=False))
        self.bridge, self.here = f"xhier{self.number}", f"10.79.{self.number}.254"

    def address(self, machine: str) -> str:
        last = {**DAEMONS, **NODES}[machine]
        return f"10.79.{self.number}.{last}"

    def space(self, machine: str) -> str:
        return f"xh{self.number}-{machine}"

    def inside(self, machine: str, *words: str) -> list[str]:
        """Words that run a program on a machine, which has a host name of its own."""
        script = f"hostname {machine}; exec {shlex.join(words)}"
        return ["ip", "netns", "exec", self.space(machine), "unshare", "--uts", "sh", "-c", script]

    def make(self) -> None:
        ip("addr", "add", f"{self.here}/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        for machine in (*DAEMONS, *NODES):
            space = self.space(machine)
            ip("netns", "add", space)
            ip("link", "add", space, "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("link", "set", space, "master", self.bridge, "up")
            ip("-n", space, "link", "set", "lo", "up")
            ip("-n", space, "link", "set", "eth0", "up")
            ip("-n", space, "addr", "add", f"{self.address(machine)}/24", "dev", "eth0")

    def remove(self) -> None:
        for machine in (*DAEMONS, *NODES):
            ip("netns", "del", self.space(machine), check=False)
        ip("link", "del", self.bridge, check=False)


@pytest.fixture(scope="module")
def network() -> Iterator[Net]:
    net = Net()
    try:
        net.make()
        yield net
    finally:
        net.remove()


class Cluster:
    """The three daemons, and commands typed at one of them."""

    def __init__(self, folder: Path, database: str, net: Net) -> None:
        self.folder, self.net, self.daemons = folder, net, {}
        for name in DAEMONS:
            config = folder / name / "etc" / "xcat"
            config.mkdir(parents=True)
            (config / "cfgloc").write_text(database)
        self.start("mn")
        for name in ("sn1", "sn2"):
            (folder / name / "etc" / "xCATSN").touch()
            for part in ("etc/xcat/cert", "root/.xcat"):
                shutil.copytree(folder / "mn" / part, folder / name / part)
            self.start(name)

    def start(self, name: str) -> None:
        words = own("xcatd", "--home", str(self.folder / name), "--host", "0.0.0.0", "--port", str(PORT))
        self.daemons[name] = DemoProgram(name, self.net.inside(name, *words), self.folder / f"{name}.log")
        assert self.daemons[name].ready_line()["ready"]

    def kill(self, name: str) -> None:
        os.killpg(self.daemons[name].pid, signal.SIGKILL)
        self.daemons[name].stop()

    def type(self, command: str, at: str = "mn") -> tuple[int, list[str]]:
        done = subprocess.run(
            self.net.inside("mn", *own("run", *shlex.split(command))),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={
                **os.environ,
                "XCATHOST": f"{self.net.address(at)}:{PORT}",
                "XCAT_CERT_DIR": str(self.folder / "mn/root/.xcat"),
            },
        )
        return done.returncode, (done.stdout + done.stderr).splitlines()

    def boot_file(self, daemon: str, node: str) -> str:
        file = self.folder / daemon / "tftpboot" / "pxelinux.cfg" / node
        return file.read_text() if file.exists() else ""

    def log(self, daemon: str) -> str:
        file = self.folder / daemon / "log" / "audit.log"
        return file.read_text() if file.exists() else ""

    def stop(self) -> None:
        for daemon in self.daemons.values():
            daemon.stop()


@pytest.fixture(scope="module")
def server(network):
    with postgresql(network.here) as location:
        if location is None:
            pytest.skip("PostgreSQL is not installed")
        yield location


@pytest.fixture(scope="module")
def cluster(server, network, tmp_path_factory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    cluster = Cluster(folder, cfgloc(server), network)
    try:
        iso = media_iso.write(folder / "rhevh.iso", media_iso.SAMPLES["rhevh6"])
        for command in (
            f"mkdef sn1 groups=service ip={network.address('sn1')}",
            f"mkdef sn2 groups=service ip={network.address('sn2')}",
            f"chdef -t site clustersite sharedtftp=0 master={network.address('mn')}",
            f"copycds {iso}",
            "tabch key=rhevh,username=admin passwd.password=a",
            "tabch key=rhevh,username=root passwd.password=b",
        ):
            assert cluster.type(command)[0] == 0, command
        yield cluster
    finally:
        cluster.stop()


@contextlib.contextmanager
def dead(cluster: Cluster, name: str) -> Iterator[None]:
    cluster.kill(name)
    try:
        yield
    finally:
        cluster.start(name)


@contextlib.contextmanager
def locked(server: DatabaseLocation, table: str) -> Iterator[None]:
    """Nobody else reads or writes a table."""
    import psycopg2

    with contextlib.closing(
        psycopg2.connect(
            host=server.host,
            port=server.port,
            user=server.user,
            password=server.password.reveal(),
            dbname=server.database,
        )
    ) as connection:
        connection.cursor().execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


def make_nodes(cluster: Cluster, names: str, service: str, address: str = "") -> None:
    address = address or cluster.net.address(names)
    rc, lines = cluster.type(
        f"mkdef -f {names} groups=hyp netboot=pxe mac=52:54:00:00:00:01 hosttype=rhevh hostmanager=rhevm.example "
        f"hostinterface=ovirtmgmt:eth0:dhcp servicenode={service} ip={address}"
    )
    assert rc == 0, lines


def test_each_service_node_writes_the_files_of_its_nodes(cluster):
    make_nodes(cluster, "h1", "sn1")
    make_nodes(cluster, "h2", "sn2")
    make_nodes(cluster, "h3", "")
    rc, lines = cluster.type(f"nodeset h1-h3 osimage={IMAGE}")
    assert (rc, sorted(lines)) == (0, [f"h{n}: install rhevh6.3-x86_64-compute" for n in (1, 2, 3)])
    for daemon, node in (("sn1", "h1"), ("sn2", "h2"), ("mn", "h3")):
        text = cluster.boot_file(daemon, node)
        assert text.startswith("#install rhevh6.3") and f"http://{cluster.net.address(daemon)}" in text
        assert [name for name in DAEMONS if cluster.boot_file(name, node)] == [daemon]
        assert (cluster.folder / daemon / "tftpboot" / "xcat" / "osimage" / IMAGE / "vmlinuz0").exists()
    assert cluster.type("nodeset h1-h3 next")[0] == 0
    assert cluster.boot_file("sn1", "h1").startswith("#boot")
    assert cluster.type("nodels h1-h3 chain.currstate")[1] == ["h1: boot", "h2: boot", "h3: boot"]


def test_a_node_reads_what_its_service_node_wrote(cluster):
    make_nodes(cluster, "h1", "sn1")
    cluster.type(f"nodeset h1 osimage={IMAGE}")
    server = ("python3", "-m", "http.server", "8099", "--directory", str(cluster.folder / "sn1/tftpboot"))
    words = cluster.net.inside("sn1", *server)
    with open(os.devnull, "wb") as nothing:
        web = subprocess.Popen(words, stdout=nothing, stderr=nothing)
    try:
        fetch = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=300).read().decode())"
        url = f"http://{cluster.net.address('sn1')}:8099/pxelinux.cfg/0A4F{cluster.net.number:02X}0B"
        asking = cluster.net.inside("h1", "python3", "-c", fetch, url)
        until(
            lambda: subprocess.run(asking, capture_output=True, timeout=300).returncode == 0, "the web server answers"
        )
        done = subprocess.run(asking, capture_output=True, text=True, timeout=300, check=True)
        assert done.stdout.startswith("#install rhevh6.3-x86_64-compute")
    finally:
        web.terminate()
        web.wait(300)


def test_errors_carry_the_name_of_the_service_node(cluster):
    make_nodes(cluster, "h1", "sn1")
    cluster.type("tabch node=h1 mac.mac=")
    rc, lines = cluster.type(f"nodeset h1 osimage={IMAGE}")
    assert rc == 1 and "h1: [sn1]: Error: No MAC address available for this node" in lines


def test_the_user_stays_the_user_on_the_service_node(cluster):
    make_nodes(cluster, "h1", "sn1")
    cluster.type("nodeset h1 boot")
    line = f"nodeset to h1 boot for root from {cluster.net.address('mn')}"
    for _ in range(100):  # the log is written a moment later
        if line in cluster.log("sn1"):
            break
        time.sleep(0.1)
    assert line in cluster.log("sn1")


def test_a_pool_fails_over_and_both_get_the_files(cluster):
    make_nodes(cluster, "h1", "sn1,sn2")
    assert cluster.type(f"nodeset h1 osimage={IMAGE}") == (0, ["h1: install rhevh6.3-x86_64-compute"])
    assert cluster.boot_file("sn1", "h1") and cluster.boot_file("sn2", "h1")
    cluster.kill("sn1")
    try:
        rc, lines = cluster.type("nodeset h1 boot")
        assert rc == 0 and "h1: boot" in lines
        assert any("sn1:3001" in line and "refused" in line for line in lines)
        assert cluster.boot_file("sn2", "h1").startswith("#boot")
    finally:
        cluster.start("sn1")
    assert cluster.type("nodeset h1 boot") == (0, ["h1: boot"])
    assert cluster.boot_file("sn1", "h1").startswith("#boot")


def test_a_dead_service_node_is_named_and_the_others_finish(cluster):
    make_nodes(cluster, "h1", "sn1")
    make_nodes(cluster, "h2", "sn2")
    cluster.kill("sn1")
    try:
        rc, lines = cluster.type("nodeset h1,h2 boot")
    finally:
        cluster.start("sn1")
    assert rc == 1 and "h2: boot" in lines
    assert any("Unable to dispatch hierarchical sub-command to sn1:3001." in line and "h1" in line for line in lines)


def test_a_pool_of_which_nobody_lives_is_named_and_all_others_are_done(cluster):
    make_nodes(cluster, "h1", "sn1,sn2")
    make_nodes(cluster, "h2", "sn2")
    make_nodes(cluster, "h3", "")
    with dead(cluster, "sn1"):
        rc, lines = cluster.type("nodeset h1-h3 boot")
        assert rc == 0 and {"h1: boot", "h2: boot", "h3: boot"} <= set(lines)
        assert any("sn1:3001" in line and line.startswith("Warning") for line in lines)
        with dead(cluster, "sn2"):
            rc, lines = cluster.type("nodeset h1-h3 boot")
    assert rc == 1 and "h3: boot" in lines and "h1: boot" not in lines and "h2: boot" not in lines
    assert any("any of the following service nodes: sn1,sn2" in line for line in lines)
    assert any("sn2:3001" in line and "(for h2)" in line for line in lines)
    assert cluster.type("nodeset h1-h3 boot")[0] == 0


def test_a_service_node_that_stands_still_is_passed_over(cluster):
    make_nodes(cluster, "h1", "sn1,sn2")
    make_nodes(cluster, "h2", "sn1")
    make_nodes(cluster, "h3", "")
    os.killpg(cluster.daemons["sn1"].pid, signal.SIGSTOP)
    try:
        rc, lines = cluster.type("nodeset h1-h3 boot")
    finally:
        os.killpg(cluster.daemons["sn1"].pid, signal.SIGCONT)
    assert rc == 1 and {"h1: boot", "h3: boot"} <= set(lines) and "h2: boot" not in lines
    assert any("sn1:3001" in line and "timed out (for h2)" in line for line in lines)
    assert cluster.boot_file("sn2", "h1").startswith("#boot")


def test_a_service_node_writes_its_own_files(cluster):
    """It is a node like others, and may be one of the pool that serves it."""
    cluster.type("chdef sn1 netboot=pxe mac=52:54:00:00:00:99 servicenode=sn1,sn2")
    try:
        assert cluster.type("nodeset sn1 boot") == (0, ["sn1: boot"])
        assert [name for name in DAEMONS if cluster.boot_file(name, "sn1")] == ["sn1", "sn2"]
    finally:
        cluster.type("chdef sn1 netboot= mac= servicenode=")


def test_a_service_node_of_the_pool_is_asked_itself(cluster):
    make_nodes(cluster, "h1", "sn2,sn1")
    assert cluster.type("nodeset h1 offline", at="sn1") == (0, ["h1: offline"])
    assert not cluster.boot_file("sn1", "h1") and not cluster.boot_file("sn2", "h1")
    assert cluster.type(f"nodeset h1 osimage={IMAGE}", at="sn1") == (0, ["h1: install rhevh6.3-x86_64-compute"])
    assert cluster.boot_file("sn1", "h1") and cluster.boot_file("sn2", "h1")
    assert not cluster.boot_file("mn", "h1")


def test_a_service_node_killed_in_the_middle_of_fifty_nodes(cluster, server):
    subnet = f"10.79.{cluster.net.number}"
    make_nodes(cluster, "a[01-25]", "sn1", f"'|a(\\d+)|{subnet}.(100+$1)|'")
    make_nodes(cluster, "b[01-25]", "sn2", f"'|b(\\d+)|{subnet}.(150+$1)|'")
    answer: list[tuple[int, list[str]]] = []
    command = f"nodeset a[01-25],b[01-25] osimage={IMAGE}"
    asking = threading.Thread(target=lambda: answer.append(cluster.type(command)))
    before = [cluster.log(name).count(f"osimage={IMAGE}") for name in ("sn1", "sn2")]
    with locked(server, "chain"):  # so that both stand in the middle for as long as this needs
        asking.start()
        for _ in range(400):
            if all(cluster.log(name).count(f"osimage={IMAGE}") > n for name, n in zip(("sn1", "sn2"), before)):
                break
            time.sleep(0.05)
        cluster.kill("sn1")
    try:
        asking.join(300)
    finally:
        cluster.start("sn1")
    ((rc, lines),) = answer
    assert rc == 1
    assert sum(line.startswith("b") and line.endswith("install rhevh6.3-x86_64-compute") for line in lines) == 25
    assert any("sn1 went away before it was done" in line and "a25" in line for line in lines), lines
    rc, lines = cluster.type(f"nodeset a[01-25],b[01-25] osimage={IMAGE}")
    assert (rc, len(lines)) == (0, 50)
    assert all(cluster.boot_file("sn1", f"a{number:02}").startswith("#install") for number in range(1, 26))


def test_with_a_shared_tftp_folder_the_management_node_writes_all(cluster):
    make_nodes(cluster, "h2", "sn2")
    cluster.type("nodeset h2 offline")
    cluster.type("chdef -t site clustersite sharedtftp=1")
    try:
        assert cluster.type("nodeset h2 boot") == (0, ["h2: boot"])
    finally:
        cluster.type("chdef -t site clustersite sharedtftp=0")
    assert cluster.boot_file("mn", "h2").startswith("#boot") and not cluster.boot_file("sn2", "h2")


def test_a_service_node_sends_what_is_not_its_own_to_the_management_node(cluster):
    make_nodes(cluster, "h3", "")
    assert cluster.type("nodeset h3 boot", at="sn1") == (0, ["h3: boot"])
    assert cluster.boot_file("mn", "h3").startswith("#boot") and not cluster.boot_file("sn1", "h3")
    assert cluster.type("nodels hyp@h3", at="sn1") == (0, ["h3"])
    assert "This is a Service Node" in cluster.type("lsxcatd -t", at="sn1")[1]
