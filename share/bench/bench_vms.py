#!/usr/bin/env python3
"""How fast machines are made, started and listed by the commands as typed: xcatd, its client's TLS and the engine's.

    python share/bench/bench_vms.py [--makes N] [--starts N] [--version VERSION]

Prints one JSON object a line, with the limit that it is meant to keep. The engine is a simulator that answers after
20 ms; a machine is made in 6 s there, a disk in 10 s, a start takes 20 s, all of it divided by 20. Simulator, daemon
and this program share the machine's processors.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from bench_engine import Simulator  # noqa: E402
from xcatd import Client, daemon, say  # noqa: E402

from xcat_rhev.xcat.wire import WireRequest, write_request  # noqa: E402


@dataclass(frozen=True)
class Run:
    """What a command did.

    Attributes:
        first: Seconds to the first bytes of its answer, with the client's TLS handshake.
        done: To the first node's answer.
        seconds: To the last.
        answer: All of it.
        requests: What it asked of the engine.
    """

    first: float
    done: float
    seconds: float
    answer: str
    requests: int

    def said(self, text: str) -> int:
        """How often its answer has a text."""
        return self.answer.count(text)


class Site:
    """A daemon whose nodes are machines of a simulator.

    Args:
        client: Asks the daemon.
        engine: The simulator.
    """

    def __init__(self, client: Client, engine: Simulator) -> None:
        self.client, self.engine = client, engine
        self.restore("passwd", "#key,username,password", ['"rhevm","admin","secret"'])
        client.ask("tabch", "key=rhevmca", f"site.value={engine.ready['ca']}")

    def restore(self, table: str, heading: str, rows: Iterable[str]) -> None:
        """Fill a table as tabrestore does."""
        answer = self.client.ask("tabrestore", table=table, data=(f"{heading}\n", *(f"{row}\n" for row in rows)))
        assert b"<error>" not in answer, answer

    def nodes(self, names: Iterable[str], storage: str) -> None:
        """Make nodes with a row in the vm table each."""
        names, manager = list(names), f"127.0.0.1:{self.engine.port}"
        self.restore("nodelist", "#node,groups", (f'"{name}","vm,all"' for name in names))
        self.restore("nodehm", "#node,mgt", (f'"{name}","rhevm"' for name in names))
        self.restore("vm", "#node,mgr,memory,storage", (f'"{name}","{manager}","1g","{storage}"' for name in names))

    def run(self, command: str, noderange: str, *args: str) -> Run:
        """Type a command, and watch its answer come."""
        self.engine.counted()
        wire = WireRequest(command=command, noderange=noderange, args=args, clienttype="cli", cwd="/")
        began = time.perf_counter()
        with self.client.connect() as sock:
            sock.sendall(write_request(wire))
            parts, times = [b""], [0.0]
            while b"<serverdone>" not in b"".join(parts[-2:]):
                parts.append(sock.recv(1 << 18))
                times.append(time.perf_counter() - began)
                assert parts[-1], "the answer has no end"
        done = next((at for part, at in zip(parts, times) if b"<node>" in part), times[-1])
        answer = b"".join(parts).decode()
        wrong = re.findall("<error>(.*?)</error>", answer)
        assert not wrong, wrong[:3]
        return Run(times[1], done, times[-1], answer, self.engine.counted())


def most_memory(pid: int) -> float:
    """What a process occupied at its largest, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


def make(site: Site, count: int, pid: int) -> None:
    """Make machines with a disk and a NIC each, then ask again for what is there."""
    site.nodes((f"new{number}" for number in range(1, count + 1)), "data1:1g")
    noderange = f"new1-new{count}"
    planned = site.run("mkvm", noderange, "--dry-run")
    say(f"mkvm --dry-run of {count}, new session", planned.seconds, "s", requests=planned.requests)
    run = site.run("mkvm", noderange)
    assert run.said("Succeeded") == count
    say(f"mkvm of {count}", run.seconds, "s", 60, requests=run.requests)
    say(f"mkvm of {count}, first line", run.first, "s", 1, first_machine=round(run.done, 2))
    again = site.run("mkvm", noderange)
    say(f"mkvm of {count}, all there", again.seconds, "s", requests=again.requests)
    say("memory of the daemon at its largest", most_memory(pid), "MB", 200)


def start(site: Site, count: int, pid: int) -> None:
    """Start machines and list them."""
    site.nodes((f"vm{number}" for number in range(1, count + 1)), "data1:1g")
    noderange = f"vm1-vm{count}"
    for command, limit in (("stat", None), ("on", 12), ("off", None)):
        run = site.run("rpower", noderange, command)
        say(f"rpower {command} of {count}", run.seconds, "s", limit, requests=run.requests)
        say(f"rpower {command} of {count}, first line", run.first, "s", 1, first_machine=round(run.done, 2))
    run = site.run("lsvm", noderange)
    say(f"lsvm of {count}", run.seconds, "s", first_line=round(run.first, 2), requests=run.requests)
    say("memory of the daemon at its largest", most_memory(pid), "MB", 200)


def main() -> int:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--makes", type=int, default=500, help="machines to make")
    parser.add_argument("--starts", type=int, default=1000, help="machines to start")
    parser.add_argument("--version", default="4.5", help="of the engine: 3.0, 3.6, 4.5 ...")
    words = parser.parse_args()
    for part, count, there in ((make, words.makes, 0), (start, words.starts, words.starts)):
        engine = Simulator(there, version=words.version)
        try:
            with daemon() as (client, pid):
                part(Site(client, engine), count, pid)
        finally:
            engine.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
