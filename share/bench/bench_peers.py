#!/usr/bin/env python3
"""The same work by three clients: one as rhevm.pm was, ansible's collection ovirt.ovirt, and the commands as typed.

    python share/bench/bench_peers.py [--machines N] [--ansible FOLDER] [--only WORK,...] [--peers PEER,...]

Machines with a disk and a NIC are created, started, their state is shown, and they are removed; each work has a
simulator of its own, as in bench_vms.py: 20 ms for each request, states that take a twentieth of what they take on an
engine. A client that waits does so as it does by itself, but ansible looks each second instead of each third: its
engine is twenty times faster as well. Prints one JSON object a line.

For ansible make a virtual environment, which takes 570 MB, and name it with --ansible; without it that row is left out:

    python3 -m venv FOLDER && FOLDER/bin/pip install ansible 'ovirt-engine-sdk-python>=4.6'
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).parents[2]))
from bench_engine import Naive, Simulator, timed  # noqa: E402
from bench_vms import Site  # noqa: E402
from xcatd import daemon  # noqa: E402

#: How many machines at a time: what xcat-rhev does unless told otherwise.
AT_ONCE = "8"
#: What is typed for each work.
TYPED = {"create": ("mkvm",), "start": ("rpower", "on"), "state": ("rpower", "stat"), "remove": ("rmvm", "-f", "-p")}


def naive(engine: Simulator, work: str, names: Sequence[str], _: str) -> float:
    """One machine after the other, each looked up by its name, a connection for each request."""
    client = Naive(engine)

    def start(name: str) -> None:
        client.start(name)
        client.until(name, "powering_up", "up")

    works: dict[str, Callable[[str], object]] = {
        "create": partial(client.create, nics=1),
        "start": start,
        "state": client.look,
        "remove": client.remove,
    }
    return timed(lambda: [works[work](name) for name in names])


def ansible(engine: Simulator, work: str, names: Sequence[str], folder: str) -> float:
    """The tasks of peers.yml, each machine a host of the inventory."""
    with tempfile.TemporaryDirectory(prefix="peers-") as temporary:
        hosts = ["[machines]", *names, "[all:vars]", f"ansible_python_interpreter={folder}/bin/python"]
        (Path(temporary) / "inventory").write_text("\n".join(hosts))
        words = [
            f"{folder}/bin/ansible-playbook",
            "-i",
            f"{temporary}/inventory",
            "-f",
            AT_ONCE,
            "--tags",
            work,
            "-e",
            f"url={engine.ready['v4']} ca={engine.ready['ca']}",
            str(Path(__file__).parent / "peers.yml"),
        ]
        return _process(words, ANSIBLE_HOME=temporary, PATH=f"{folder}/bin:{os.environ['PATH']}")


def commands(engine: Simulator, work: str, names: Sequence[str], _: str) -> float:
    """The commands as typed, at an xcatd that has not talked to this engine yet."""
    with daemon() as (client, _pid):
        Site(client, engine).nodes(names, "data1:1g")
        engine.counted()
        command, *arguments = TYPED[work]
        words = [sys.executable, "-m", "xcat_rhev.cli", "run", command, f"{names[0]}-{names[-1]}", *arguments]
        return _process(words, XCATHOST=f"localhost:{client.port}", XCAT_CERT_DIR=client.certificates)


def _process(words: Sequence[str], **environment: str) -> float:
    """Seconds that a program takes, which must end well."""
    asked = {"env": {**os.environ, **environment}, "cwd": Path(__file__).parents[2], "timeout": 1800}

    def run() -> None:
        done = subprocess.run(words, capture_output=True, text=True, check=False, **asked)  # type: ignore[call-overload]  # noqa: S603
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    return timed(run)


PEERS = {"naive": naive, "ansible": ansible, "xcat-rhev": commands}


def measure(peer: str, work: str, count: int, folder: str) -> None:
    """Do one work on an engine of its own, look that it is done, and print what it cost."""
    engine = Simulator(0 if work == "create" else count, 100 if work == "remove" else 0)
    try:
        engine.counted()
        seconds = PEERS[peer](engine, work, [f"vm{number}" for number in range(1, count + 1)], folder)
        requests = engine.counted()
        there = engine.call("GET", "/ovirt-engine/api/vms").count(b"<vm ")
        assert there == (0 if work == "remove" else count), there
    finally:
        engine.stop()
    told = {"peer": peer, "work": work, "machines": count, "requests": requests, "seconds": round(seconds, 2)}
    print(json.dumps(told), flush=True)


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--machines", type=int, default=100)
    parser.add_argument("--ansible", default="", metavar="FOLDER", help="a virtual environment with ansible in it")
    parser.add_argument("--only", default=",".join(TYPED), metavar="WORK,...", help="create, start, state, remove")
    parser.add_argument("--peers", default=",".join(PEERS), metavar="PEER,...", help="naive, ansible, xcat-rhev")
    words = parser.parse_args()
    for peer in words.peers.split(","):
        if peer == "ansible" and not words.ansible:
            print(json.dumps({"peer": peer, "left out": "--ansible names no virtual environment"}))
            continue
        for work in words.only.split(","):
            measure(peer, work, words.machines, words.ansible)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
