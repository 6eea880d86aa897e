"""A small network in namespaces: machines on one bridge, a name server, and PostgreSQL on the management node."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from finish_site import accepts, program

BRIDGE, HERE, PREFIX = "finish0", "10.77.0.254", "fin-"
#: Machine -> its addresses.
MACHINES: Mapping[str, Sequence[str]] = {
    "mn": ("10.77.0.1/24", "10.78.0.1/24", "fd77::1/64"),
    "sn1": ("10.77.0.2/24",),
    "proxy": ("10.77.0.3/24",),
    "h1": ("10.77.0.11/24",),
    "h2": ("10.78.0.12/24", "10.77.0.12/24"),
    "h3": ("fd77::13/64",),
    "h4": ("10.77.0.14/24",),
    "h5": ("10.77.0.15/24",),
    "h6": ("10.77.0.16/24",),
    "h7": ("10.77.0.17/24",),
    "h8": ("10.77.0.18/24",),
    "h9": ("10.77.0.19/24",),
    "h10": ("10.77.0.20/24",),
}
#: What the name server knows, without the domain; h4 has no reverse name, h5 a wrong one, h6 another than its own.
DOMAIN = "lab.test"
FORWARD = {
    "mn": "10.77.0.1",
    "sn1": "10.77.0.2",
    "h1": "10.77.0.11",
    "h2": "10.77.0.12",
    "h4": "10.77.0.14",
    "h5": "10.77.0.15",
    "h6": "10.77.0.16",
    "node-six": "10.77.0.16",
    "h8": "10.77.0.18",
    "h10": "10.77.0.20",
}
REVERSE = {**{address: name for name, address in FORWARD.items() if name not in ("h4", "h6")}, "10.77.0.15": "h1"}


def inside(machine: str) -> list[str]:
    """Words that run a command on a machine."""
    return ["ip", "netns", "exec", PREFIX + machine]


@contextmanager
def network() -> Iterator[None]:
    """Make the machines, and take them away again."""
    _remove()
    try:
        _ip("link", "add", BRIDGE, "type", "bridge")
        _ip("addr", "add", f"{HERE}/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        for machine, addresses in MACHINES.items():
            _machine(machine, addresses)
        with name_server():
            yield
    finally:
        _remove()


def _machine(machine: str, addresses: Sequence[str]) -> None:
    space = PREFIX + machine
    _ip("netns", "add", space)
    _ip("link", "add", space, "type", "veth", "peer", "name", "eth0", "netns", space)
    _ip("link", "set", space, "master", BRIDGE, "up")
    for words in (["link", "set", "lo", "up"], ["link", "set", "eth0", "up"]):
        _ip("-n", space, *words)
    for address in addresses:
        _ip("-n", space, "addr", "add", address, "dev", "eth0", *(["nodad"] if ":" in address else []))
    folder = Path("/etc/netns") / space  # `ip netns exec` puts these files over those of /etc
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "resolv.conf").write_text(f"nameserver {HERE}\nsearch {DOMAIN}\noptions timeout:1 attempts:1\n")
    (folder / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")


def _remove() -> None:
    for machine in MACHINES:
        subprocess.run(["ip", "netns", "del", PREFIX + machine], capture_output=True)
        subprocess.run(["ip", "link", "del", PREFIX + machine], capture_output=True)
        shutil.rmtree(Path("/etc/netns") / (PREFIX + machine), ignore_errors=True)
    subprocess.run(["ip", "link", "del", BRIDGE], capture_output=True)
    if Path("/etc/netns").is_dir() and not os.listdir("/etc/netns"):
        os.rmdir("/etc/netns")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def name_server() -> Iterator[None]:
    """Answer DNS questions from FORWARD and REVERSE."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((HERE, 53))
        thread = threading.Thread(target=_answer_all, args=(server,), daemon=True)
        thread.start()
        yield
        server.sendto(b"", (HERE, 53))
        thread.join(300)


def _answer_all(server: socket.socket) -> None:
    while True:
        question, peer = server.recvfrom(4096)
        if not question:
            return
        server.sendto(answer(question), peer)


def answer(question: bytes) -> bytes:
    """One DNS answer (RFC 1035): A and PTR records, everything else does not exist."""
    labels, place = [], 12
    while question[place]:
        labels.append(question[place + 1 : place + 1 + question[place]].decode())
        place += 1 + question[place]
    (kind,) = struct.unpack("!H", question[place + 1 : place + 3])
    name, asked = ".".join(labels).lower(), question[12 : place + 5]
    data = b""
    if kind == 1 and name.endswith("." + DOMAIN) and name[: -len(DOMAIN) - 1] in FORWARD:
        data = socket.inet_aton(FORWARD[name[: -len(DOMAIN) - 1]])
    elif kind == 12 and name.endswith(".in-addr.arpa") and ".".join(reversed(labels[:4])) in REVERSE:
        target = f"{REVERSE['.'.join(reversed(labels[:4]))]}.{DOMAIN}".split(".")
        data = b"".join(bytes([len(label)]) + label.encode() for label in target) + b"\0"
    known = data or name.endswith("." + DOMAIN) and name[: -len(DOMAIN) - 1] in FORWARD
    head = question[:2] + struct.pack("!HHHHH", 0x8580 | (0 if known else 3), 1, 1 if data else 0, 0, 0)
    record = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data if data else b""
    return head + asked + record


@contextmanager
def postgresql(folder: Path, machine: str, address: str) -> Iterator[str]:
    """A PostgreSQL on a machine, which believes everybody; gives the line for cfgloc."""
    programs = _programs()
    assert programs
    data = folder / "pg"
    data.mkdir()
    shutil.chown(data, "postgres", "postgres")
    as_postgres = ["runuser", "-u", "postgres", "--"]
    subprocess.run(
        [*as_postgres, str(programs / "initdb"), "-D", str(data), "-U", "xcatadm", "-A", "trust", "--no-sync"],
        check=True,
        capture_output=True,
        cwd="/",
    )
    with open(data / "pg_hba.conf", "a") as rules:
        rules.write("host all all 10.77.0.0/24 trust\n")
    words = [*inside(machine), *as_postgres, str(programs / "postgres"), "-D", str(data), "-h", address]
    options = ["-k", str(data), "-c", "fsync=off", "-c", "max_connections=200"]
    with program([*words, *options], folder / "pg.log", lambda: accepts(5432, address), cwd="/"):
        subprocess.run(
            ["psql", "-h", address, "-U", "xcatadm", "postgres", "-c", "CREATE DATABASE xcatdb"],
            check=True,
            capture_output=True,
        )
        yield f"Pg:dbname=xcatdb;host={address}|xcatadm|cluster"


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [
        Path(path) for path in [shutil.which("initdb") or ""] if path
    ]
    return found[-1].resolve().parent if found else None


def missing() -> str:
    """Why this network cannot be made here, or empty."""
    if os.getuid() != 0:
        return "needs root"
    trial = f"fin-try{os.getpid()}"
    if not shutil.which("ip") or subprocess.run(["ip", "netns", "add", trial], capture_output=True).returncode:
        return "needs network namespaces"
    subprocess.run(["ip", "netns", "del", trial], check=True)
    if not _programs() or not shutil.which("runuser") or not shutil.which("psql"):
        return "needs PostgreSQL"
    absent = [name for name in ("nginx", "wget", "curl") if not shutil.which(name)]
    return f"needs {' and '.join(absent)}" if absent else ""
