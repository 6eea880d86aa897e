#!/usr/bin/env python3
"""Measure the embedded xcatd on this machine: one JSON object a line, with the limit that it is meant to keep.

    python share/bench/xcatd.py [--nodes N] [--clients N]

It starts a daemon of its own on an empty folder and a free port, and takes it away again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
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


def many_at_once(port: int, certificates: str, threads: int) -> list[float]:
    """What clients in one process measure, each asking three times."""
    client = Client(port, certificates)
    request = write_request(WireRequest(command="nodels", noderange="b000001", cwd="/"))
    found: list[float] = []

    def ask() -> None:
        for _ in range(3):
            found.append(seconds(lambda: client.send(request)))
    running = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return found


def concurrent(client: Client, clients: int, single: float) -> None:
    """The same command, asked by many at the same time from this machine, whose processors they share."""
    begin = time.perf_counter()
    with ProcessPoolExecutor(4) as pool:
        each = [pool.submit(many_at_once, client.port, client.certificates, clients // 4) for _ in range(4)]
        found = [value for one in each for value in one.result()]
    rate = len(found) / (time.perf_counter() - begin)
    say(f"the same by {clients} clients at once, median", statistics.median(found) * 1000, "ms", 10 * 15,
        ratio_to_one=round(statistics.median(found) / single, 1), requests_per_second=round(rate))


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
        concurrent(client, words.clients, single)
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
