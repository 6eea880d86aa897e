"""Everything at once against one embedded xcatd, for some minutes: what root notices of it.

    PYTHONPATH=.:tests python tests/attack/everything.py [--seconds 600] [--without ATTACK] [--ahead 10]

On a machine that others keep busy, `--ahead` ranks the daemon and root's client before them (root alone may).

Strangers flood from 200 loopback addresses, others send slowly or nothing, a name service swallows every question, an
engine drips, the audit table is full, a database file is held for 20 s at a time, and a worker is killed and starts
anew. All on this machine, on loopback, and bounded. Each attack has a process of its own, which the system ranks behind
the daemon and root's client (nice): attackers are other machines, and what their own work takes of this one's
processors is nothing that the daemon could do anything about. Meanwhile root asks for one node again and again.

The figures are printed as one JSON object; the exit code is 0 if root was always answered within a second, memory
stayed below 300 MB, nothing that was written is lost, and the daemon is the same process in the end.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import multiprocessing
import os
import random
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any, Callable

from attackhelp import Rogue
from xcat_rhev.daemon import certificates
from xcat_rhev.daemon.home import Home
from xcat_rhev.secret import Secret
from xcat_rhev.xcat.wire import UserPassword, WireRequest, write_request

#: Attackers of each kind.
FLOODERS, SLOW, DUMPERS, SCANNERS = 8, 60, 20, 4
#: How far behind the daemon the system ranks attackers.
BEHIND = 15
#: A name service that swallows: the daemon's own process asks it.
BLACK_HOLE = """
import socket, sys, time
def swallow(address):
    time.sleep(60)
    raise socket.herror
socket.gethostbyaddr = swallow
from xcat_rhev.daemon import main
sys.exit(main.main(sys.argv[1:]))
"""


def take_rank(nice: int) -> None:
    """Give the calling process, and what it starts, its place among all others.

    Linux shares the processors between sessions first ("autogroup"), and only within one by the rank of processes.
    """
    with contextlib.suppress(PermissionError):  # it leads a session already
        os.setsid()
    os.nice(nice)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(nice))


class Site:
    """The daemon in a process of its own, and who asks it."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "mn")
        command = [sys.executable, "-c", BLACK_HOLE, "--home", str(self.home.root), "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(json.loads(self.process.stdout.readline())["port"])
        self.authority = self.home.client / "ca.pem"
        self.as_root = self.context(self.home.client / "client-cred.pem")

    def context(self, cert: Path | None) -> ssl.SSLContext:
        """How somebody connects."""
        context = ssl.create_default_context(cafile=str(self.authority))
        if cert:
            context.load_cert_chain(cert)
        return context

    def ask(self, request: bytes, context: ssl.SSLContext, source: str = "127.0.0.1") -> bytes:
        """Send a request and read its answer."""
        with self.connect(context, source) as sock:
            sock.sendall(request)
            found = b""
            while b"<serverdone>" not in found:
                part = sock.recv(65536)
                if not part:
                    break
                found += part
            return found

    def connect(self, context: ssl.SSLContext, source: str = "127.0.0.1") -> ssl.SSLSocket:
        """Connect as somebody, from one of the loopback addresses."""
        raw = socket.create_connection(("127.0.0.1", self.port), 40, (source, 0))
        try:
            return context.wrap_socket(raw, server_hostname="localhost")
        except BaseException:
            raw.close()
            raise

    def root(self, command: str, *args: str, noderange: str | None = None) -> bytes:
        """Ask as root, over a connection of its own."""
        asked = WireRequest(command, noderange=noderange, args=args)
        return self.ask(write_request(asked), self.as_root)

    def memory(self) -> int:
        """Megabytes of the daemon that are in memory now."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) >> 10


class Party:
    """Some threads in a process of their own that do one thing again and again until they are told to end.

    Args:
        what: Does it; gets the party and the number of its thread, and gives back a value that can be pickled.
        threads: How many.
        rank: Of its session; None: it shares that of the daemon.
    """

    def __init__(self, what: Callable[[Party, int], Any], threads: int = 1, rank: int | None = None) -> None:
        self.over = threading.Event()
        self.counts: Counter[str] = Counter()
        self._what, self._number, self._rank = what, threads, rank
        context = multiprocessing.get_context("fork")
        self._results, child = context.Pipe()
        self._process = context.Process(target=self._run, args=(child,), daemon=True)
        self._process.start()
        child.close()

    def end(self) -> None:
        """Tell it to end."""
        self._results.send("over")

    def results(self, seconds: float) -> tuple[Counter[str], list[Any]]:
        """What it counted, and what its threads gave back, after it was told to end."""
        found: tuple[Counter[str], list[Any]] = (Counter(), [])
        with contextlib.suppress(EOFError):
            if self._results.poll(seconds):
                found = self._results.recv()
        self._process.kill()
        return found

    def _run(self, pipe: Any) -> None:
        if self._rank is not None:
            take_rank(self._rank)
        given: list[Any] = []
        threads = [
            threading.Thread(target=lambda n=number: given.append(self._what(self, n)), daemon=True)
            for number in range(self._number)
        ]
        for thread in threads:
            thread.start()
        with contextlib.suppress(EOFError):
            pipe.recv()
        self.over.set()
        end = time.monotonic() + 35
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        pipe.send((self.counts, given))


class Attacks:
    """What is done to a site by those who wish it ill, and by those whose luck is bad.

    Args:
        site: The site.
        joe: The certificate of a user with one row.
        engine: A manager whose answers drip.
    """

    def __init__(self, site: Site, joe: Path, engine: str) -> None:
        self._site, self._engine = site, engine
        self._stranger, self._joe = site.context(None), site.context(joe)

    def start(self, without: list[str], rank: int) -> list[Party]:
        """Begin all but some, in sessions of a rank."""
        numbers = {"flood": FLOODERS, "slow": SLOW, "dumps": DUMPERS, "scans": SCANNERS, "kills": 1, "holds": 1}
        return [Party(getattr(self, name), n, rank) for name, n in numbers.items() if name not in without]

    def flood(self, party: Party, number: int) -> None:
        """Strangers of 200 addresses: denied requests, noderanges, wrong passwords, and plain noise."""
        dice = random.Random(number)
        requests = [
            write_request(WireRequest("tabdump", args=("passwd", "x" * 4000))),
            write_request(WireRequest("lsxcatd", noderange="n[1-400000]", args=("-v",))),
            write_request(WireRequest("lsxcatd", args=("-v",))) * 20,
            write_request(WireRequest("authcheck", becomeuser=UserPassword("root", Secret("guess")))),
            b"<xcatrequest><command>x</command><arg>" + b"y" * 200_000,
            b"GET / HTTP/1.0\r\n\r\n",
        ]
        while not party.over.wait(0.02):
            with contextlib.suppress(OSError):
                source = f"127.0.{dice.randrange(2)}.{dice.randrange(1, 101)}"
                self._site.ask(dice.choice(requests), self._stranger, source)
            party.counts["requests of strangers"] += 1

    def slow(self, party: Party, number: int) -> None:
        """A byte now and then, or nothing at all, on connections that are made again when they are closed."""
        source = f"127.0.3.{number % 200 + 1}"
        while not party.over.is_set():
            with contextlib.suppress(OSError):
                self._slowly(party, source, silent=number % 2 > 0)
            party.counts["slow connections"] += 1

    def _slowly(self, party: Party, source: str, silent: bool) -> None:
        if silent:
            with socket.create_connection(("127.0.0.1", self._site.port), 30, (source, 0)):
                party.over.wait(12)
            return
        with self._site.connect(self._stranger, source) as sock:
            for byte in b"<xcatrequest><command>" + b"z" * 400:
                sock.sendall(bytes([byte]))
                if party.over.wait(0.5):
                    return

    def dumps(self, party: Party, _number: int) -> None:
        """A user with one row: large dumps that nobody reads."""
        dump = write_request(WireRequest("tabdump", args=("auditlog",)))
        while not party.over.is_set():
            with contextlib.suppress(OSError), self._site.connect(self._joe) as sock:
                sock.sendall(dump)
                sock.recv(100)
                party.over.wait(5)
            party.counts["dumps that are not read"] += 1

    def scans(self, party: Party, _number: int) -> None:
        """lsve at an engine that drips."""
        request = write_request(WireRequest("lsve", args=("-t", "dc", "-m", self._engine, "--timeout", "5")))
        while not party.over.wait(0.1):
            with contextlib.suppress(OSError):
                self._site.ask(request, self._joe)
            party.counts["commands at the dripping engine"] += 1

    def kills(self, party: Party, _number: int) -> None:
        """A client in a process of its own that is killed in the middle, again and again."""
        home = self._site.home.client
        environ = {**os.environ, "XCATHOST": f"localhost:{self._site.port}", "XCAT_CERT_DIR": str(home)}
        while not party.over.is_set():
            command = [sys.executable, "-m", "xcat_rhev.cli", "run", "tabdump", "auditlog"]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ) as client:
                party.over.wait(1.5)
                client.send_signal(signal.SIGKILL)
            party.counts["workers killed"] += 1
            party.over.wait(10)

    def holds(self, party: Party, _number: int) -> None:
        """Another program holds every table but the one whose rows are written and asked for, for 20 s at a time."""
        while not party.over.wait(20):
            held = []
            for path in self._site.home.config.glob("*.sqlite"):
                if path.stem != "nodelist":
                    with contextlib.suppress(sqlite3.Error):
                        held.append(sqlite3.connect(path, timeout=5))
                        held[-1].execute("BEGIN EXCLUSIVE")
            party.over.wait(20)
            for one in held:
                one.close()
            party.counts["times the tables were held"] += 1


def writer(site: Site, party: Party, _number: int) -> list[str]:
    """Root writes nodes; each that was answered must be there in the end."""
    written: list[str] = []
    for number in itertools.count(1):
        if party.over.wait(1):
            break
        name, answer = f"w{number}", b""
        with contextlib.suppress(OSError):
            answer = site.root("tabch", f"node={name}", "nodelist.groups=all")
        if b"<serverdone>" in answer and b"error" not in answer:
            written.append(name)
        else:
            party.counts[f"not written: {answer[:200]!r}"] += 1
    return written


def asker(site: Site, party: Party, _number: int) -> tuple[list[float], list[int]]:
    """Root's `nodels` of one node, twice a second."""
    times: list[float] = []
    memory: list[int] = []
    while not party.over.wait(0.5):
        began = time.monotonic()
        try:
            right = b"<name>n1</name>" in site.root("nodels", noderange="n1")
        except OSError as problem:
            right = False
            party.counts[f"root's question failed: {type(problem).__name__} {problem}"[:80]] += 1
        times.append(time.monotonic() - began if right else 99.0)
        memory.append(site.memory())
    return times, memory


def prepare(site: Site) -> Path:
    """Nodes, a full audit table, a row that asks for the name of hosts, and a user with one row."""
    site.root("nodeadd", "n1", "groups=all")
    site.root("tabch", "priority=5", "policy.host=front", "policy.commands=rhevhupdateflag", "policy.rule=allow")
    site.root("tabch", "priority=6", "policy.name=joe", "policy.commands=tabdump,lsve", "policy.rule=allow")
    certificates.issue_client(site.home, "joe", site.home.root / "joe")
    with sqlite3.connect(site.home.config / "auditlog.sqlite", timeout=30) as table:
        rows = (("01-01-2026 00:00:00", "root", f"c{number}", "x" * 200) for number in range(90_000))
        table.executemany("INSERT INTO auditlog (audittime, userid, command, args) VALUES (?, ?, ?, ?)", rows)
    return site.home.root / "joe" / "client-cred.pem"


def drops() -> Any:
    """The start of an answer, then a byte at a time."""
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"
    for _ in range(999_999):
        time.sleep(0.2)
        yield b"<"


def dripping(folder: Path) -> Rogue:
    """An engine that gives its CA, and drips whatever else it is asked for."""

    def answer(request: bytes) -> Any:
        return engine.gives_ca(request) if b"pki-resource" in request else drops()

    engine = Rogue(folder, answer)
    return engine


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--without", action="append", default=[], metavar="ATTACK", help="leave out one of the attacks")
    parser.add_argument("--ahead", type=int, default=0, metavar="N", help="ranks of the daemon and root before others")
    words = parser.parse_args()
    take_rank(-words.ahead)
    with tempfile.TemporaryDirectory() as name:
        site = Site(Path(name))
        joe, engine = prepare(site), dripping(Path(name) / "engine")
        site.root("tabch", f"key={engine.name},username=admin", "passwd.password=x")
        attacks = Attacks(site, joe, engine.name).start(words.without, BEHIND - words.ahead)
        root = [Party(partial(what, site)) for what in (writer, asker)]
        print(json.dumps({"daemon": site.process.pid}), flush=True)
        time.sleep(words.seconds)
        return report(site, words.seconds, attacks, root)


def report(site: Site, seconds: float, attacks: list[Party], root: list[Party]) -> int:
    """End everything, and print what came of it."""
    for party in (*root, *attacks):
        party.end()
    (counts, (written,)), (failures, ((times, memory),)) = (party.results(60) for party in root)
    counts += failures
    for party in attacks:
        counts += party.results(60)[0]
    there = site.root("nodels", noderange="all")
    lost = [node for node in written if f"<name>{node}</name>".encode() not in there]
    same = site.process.poll() is None
    log = sum(path.stat().st_size for path in site.home.log.iterdir())
    site.process.terminate()
    code = site.process.wait(60)
    ordered = sorted(times)
    figures = {
        "seconds": seconds,
        "questions of root": len(times),
        "slowest in s": [round(one, 3) for one in ordered[-5:]],
        "median in s": round(ordered[len(ordered) // 2], 3),
        "beyond one second": sum(one > 1 for one in times),
        "99th of 100 in s": round(ordered[len(ordered) * 99 // 100], 3),
        "largest memory in MB": max(memory),
        "memory at the end in MB": memory[-1],
        "nodes written": len(written),
        "lost": lost,
        "the same process": same,
        "its exit code": code,
        "bytes of logs": log,
        "load of the machine": os.getloadavg()[0],
        **counts,
    }
    print(json.dumps(figures, indent=1), flush=True)
    return 0 if same and not lost and ordered[-1] <= 1 and max(memory) < 300 and code == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
