#!/usr/bin/env python3
"""Measure the embedded xcatd on this machine: one JSON object a line, with the limit that it is meant to keep.

    python share/bench/xcatd.py [--nodes N] [--clients N]

It starts a daemon of its own on an empty folder and a free port, and takes it away again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from xcat_rhev.xcat.wire import WireRequest, write_request  # noqa: E402

ROUNDS = 200
#: How often the many ask.
WAVES = 10


class Client:
    """Asks one daemon as root."""

    def __init__(self, port: int, certificates: str) -> None:
        self.port, self.certificates = port, certificates
        self.context = ssl.create_default_context(cafile=f"{certificates}/ca.pem")
        self.context.load_cert_chain(f"{certificates}/client-cred.pem")

    def connect(self) -> ssl.SSLSocket:
        raw = socket.create_connection(("127.0.0.1", self.port), 60)
        return self.context.wrap_socket(raw, server_hostname="localhost")

    def ask(self, command: str, *args: str, noderange: str | None = None, **more: object) -> bytes:
        request = WireRequest(command=command, args=args, noderange=noderange, clienttype="cli", cwd="/", **more)
        return self.send(write_request(request))

    def send(self, request: bytes) -> bytes:
        with self.connect() as sock:
            sock.sendall(request)
            parts = []
            while not (parts and b"<serverdone>" in b"".join(parts[-2:])):
                parts.append(sock.recv(1 << 18))
                if not parts[-1]:
                    raise ConnectionError("the answer has no end")
            return b"".join(parts)


def say(what: str, value: float, unit: str, limit: float | None = None, **more: object) -> None:
    """Print one result."""
    kept = {} if limit is None else {"limit": limit, "kept": value <= limit}
    print(json.dumps({"what": what, "value": round(value, 3), "unit": unit, **kept, **more}), flush=True)


def seconds(what: Callable[[], object]) -> float:
    """How long something takes."""
    begin = time.perf_counter()
    what()
    return time.perf_counter() - begin


@contextlib.contextmanager
def daemon() -> Iterator[tuple[Client, int]]:
    """A daemon on an empty folder; gives a client and the process number."""
    folder = tempfile.mkdtemp(prefix="xcatd-bench-")
    words = [sys.executable, "-m", "xcat_rhev.cli", "xcatd", "--home", folder, "--port", "0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], text=True)  # noqa: S603
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield Client(ready["port"], ready["client_certs"]), process.pid
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)


def memory(pid: int) -> float:
    """What a process occupies, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1000


def load(client: Client, count: int) -> None:
    """Put nodes into the tables as tabrestore does."""
    rows = tuple(f'"b{number:06}","all,big"\n' for number in range(1, count + 1))
    client.ask("tabrestore", table="nodelist", data=("#node,groups\n", *rows))


def one_node(client: Client) -> float:
    """Latency of the smallest command, beside that of the handshake alone."""
    request = write_request(WireRequest(command="nodels", noderange="b000001", cwd="/"))
    client.send(request)
    alone = statistics.median(seconds(lambda: client.connect().close()) for _ in range(ROUNDS))
    whole = statistics.median(seconds(lambda: client.send(request)) for _ in range(ROUNDS))
    say("nodels of 1 node, median, TLS handshake included", whole * 1000, "ms", 15, handshake=round(alone * 1000, 3))
    return whole


class Visitor:
    """One client of a crowd, at its next step."""

    def __init__(self, client: Client) -> None:
        self._context = client.context
        self.begin, self.raw = time.perf_counter(), socket.socket()
        self.raw.setblocking(False)
        self.raw.connect_ex(("127.0.0.1", client.port))
        self.sock: ssl.SSLSocket | None = None
        self._answer = b""
        self._asked = False

    def greet(self) -> ssl.SSLSocket:
        """Begin with the handshake."""
        self.sock = self._context.wrap_socket(self.raw, server_hostname="localhost", do_handshake_on_connect=False)
        return self.sock

    def go_on(self, sock: ssl.SSLSocket, request: bytes) -> bool:
        """Do what can be done without waiting; tells whether the answer is whole."""
        try:
            if not self._asked:
                sock.do_handshake()
                sock.send(request)
                self._asked = True
            while b"<serverdone>" not in self._answer:
                self._answer += sock.recv(1 << 16) or b"the end<serverdone>"
        except ssl.SSLWantReadError:
            return False
        assert b"<name>b000001</name>" in self._answer
        return True


class Crowd:
    """Clients in one process that ask at the same time: a selector instead of threads, which would cost more than the
    handshakes. Each makes a whole handshake, shows its certificate, asks once and reads to the end, as xCAT's do. All
    connect at once; one that can go on does so before another says its first word, as on machines of their own they
    would not wait for each other.

    Args:
        client: Whom they ask.
        request: What.
        count: How many at once.
    """

    def __init__(self, client: Client, request: bytes, count: int) -> None:
        self._request = request
        self._selector = selectors.DefaultSelector()
        self._left = count
        self.took: list[float] = []
        for visitor in [Visitor(client) for _ in range(count)]:
            self._selector.register(visitor.raw, selectors.EVENT_WRITE, visitor)

    def run(self) -> list[float]:
        """How long each waited, from its `connect` to the last byte."""
        while self._left:
            ready = [key.data for key, _ in self._selector.select(60)]
            for visitor in [each for each in ready if each.sock] or ready[:1]:
                self._go_on(visitor)
        return self.took

    def _go_on(self, visitor: Visitor) -> None:
        if visitor.sock is None:
            self._selector.unregister(visitor.raw)
            self._selector.register(visitor.greet(), selectors.EVENT_READ, visitor)
        if visitor.sock and visitor.go_on(visitor.sock, self._request):
            self.took.append(time.perf_counter() - visitor.begin)
            self._selector.unregister(visitor.sock)
            visitor.sock.close()
            self._left -= 1


def concurrent(client: Client, pid: int, clients: int, single: float) -> None:
    """The same command, asked once by each of many at the same time, from this machine, whose processors they share."""
    request = write_request(WireRequest(command="nodels", noderange="b000001", cwd="/"))
    waves = []
    before, own = processor(pid), time.process_time()
    for _ in range(WAVES):
        waves.append(Crowd(client, request, clients).run())
        time.sleep(0.1)
    count = clients * WAVES
    value = statistics.median(took for wave in waves for took in wave)
    say(
        f"the same by {clients} clients at once, median",
        value * 1000,
        "ms",
        10 * 15,
        ratio_to_one=round(value / single, 1),
        last_of_them_ms=round(statistics.median(map(max, waves)) * 1000),
        processor_ms_each={
            "daemon": round((processor(pid) - before) / count * 1000, 2),
            "clients": round((time.process_time() - own) / count * 1000, 2),
        },
    )


def hostile(client: Client, seconds_long: float = 8.0) -> None:
    """What a client waits while others do their worst: idle ones, slow ones, nonsense, and requests of 16 MiB."""
    request = write_request(WireRequest(command="nodels", noderange="b000001", cwd="/"))
    idle = [client.connect() for _ in range(500)]
    slow = [client.connect() for _ in range(50)]
    waits: list[float] = []
    end = time.time() + seconds_long
    with ProcessPoolExecutor(2) as pool:
        sent = [pool.submit(each, client.port, client.certificates, end) for each in (nonsense, giants)]
        number = 0
        while time.time() < end:
            if number % 20 == 0:  # once a second
                for sock in slow:
                    sock.sendall(b"<xcatrequest>                "[number // 20 :][:1])
            waits.append(seconds(lambda: client.send(request)))
            number += 1
            time.sleep(0.05)
        rubbish, large = (each.result() for each in sent)
    for sock in (*idle, *slow):
        sock.close()
    say(
        "nodels of 1 node beside 500 idle connections, 50 that send a byte a second, 64 KiB of nonsense and 16 MiB "
        "requests: longest of all",
        max(waits) * 1000,
        "ms",
        200,
        median_ms=round(statistics.median(waits) * 1000, 2),
        answers=len(waits),
        nonsense_sent=rubbish,
        large_requests_sent=large,
    )


def nonsense(port: int, certificates: str, end: float) -> int:
    """Send 64 KiB of nonsense twenty times a second."""
    client, count = Client(port, certificates), 0
    while time.time() < end:
        with contextlib.suppress(OSError), client.connect() as sock:
            sock.sendall(b"<?xml " + b"x" * (64 << 10))
            sock.recv(1)
        count += 1
        time.sleep(0.05)
    return count


def giants(port: int, certificates: str, end: float) -> int:
    """Send requests of 16 MiB, one after the other."""
    client, count = Client(port, certificates), 0
    request = write_request(WireRequest(command="nodels", args=("x" * ((16 << 20) - 200),)))
    while time.time() < end:
        client.send(request)
        count += 1
    return count


def processor(pid: int) -> float:
    """Seconds of processor that a process has used."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def connections(client: Client, pid: int, count: int = 500) -> None:
    """Memory with many connections that only wait, and whether they are in others' way."""
    idle = [client.connect() for _ in range(count)]
    after = statistics.median(seconds(lambda: client.ask("authcheck")) for _ in range(20))
    say(f"memory at {count} connections", memory(pid), "MB", 120, authcheck_ms=round(after * 1000, 3))
    for sock in idle:
        sock.close()


def writers(client: Client, count: int = 20, each: int = 100) -> None:
    """Writers at once, one node's attribute a request; nothing may be lost."""
    client.ask("nodeadd", f"w[001-{count * each:03}]", "groups=writers")

    def write(writer: int) -> None:
        for number in range(1, each + 1):
            client.ask("nodech", f"nodehm.mgt=m{writer}", noderange=f"w{writer * each + number:03}")

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(count)]
    took = seconds(lambda: [*(t.start() for t in threads), *(t.join() for t in threads)])
    lines = client.ask("tabdump", "nodehm").count(b"&quot;m")
    say(f"{count} writers x {each} attributes on SQLite: lost", count * each - lines, "rows", 0, seconds=round(took, 2))


def main() -> int:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--nodes", type=int, default=100_000, help="nodes for the large noderange")
    parser.add_argument("--clients", type=int, default=200, help="clients at once")
    words = parser.parse_args()
    with daemon() as (client, pid):
        load(client, 1000)
        connections(client, pid)
        single = one_node(client)
        concurrent(client, pid, words.clients, single)
        hostile(client)
        writers(client)
        load(client, 10_000)
        client.ask("nodels", noderange="all")
        say("nodels all of 10,000 nodes", seconds(lambda: client.ask("nodels", noderange="all")), "s", 1)
        load(client, words.nodes)
        whole = f"b[000001-{words.nodes:06}]"
        took = seconds(lambda: client.ask("noderange", noderange=whole))
        say(f"noderange {whole}, first time", took, "s", 2)
        say("the same again", seconds(lambda: client.ask("noderange", noderange=whole)), "s", 2)
        say("memory after all of it", memory(pid), "MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
