"""The real shim under real Perl, a real agent process, and the simulator."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bridged import PERL, Backend, perl_environment

from fakes import FakeHost
from simulator import Simulator
from xcat_rhev.cli.demo.looks import Engine
from xcat_rhev.cli.demo.parts import DemoProgram, own

VMS, HOSTS = ["vm1", "vm2", "vm3"], ["rhevh1", "rhevh2"]


class PerlSite:
    """A Perl xCAT with one manager, as far as a plugin can see.

    Args:
        folder: An empty folder.
        api: `4` or `3`.
        words: More options of the simulator.
    """

    def __init__(self, folder: Path, api: str, *words: str) -> None:
        self.folder = folder
        self.sim = Simulator("--api", api, "--hosts", "2", "--speed", "10", *words)
        self.engine = Engine(self.sim.ready, api)
        self.host = FakeHost(self.tables())
        self.backend = Backend(folder / "backend.sock", self.host)
        self.start_agent()

    def start_agent(self) -> None:
        self.agent = DemoProgram(
            "agent", own("agent", "--ready", "--socket", str(self.folder / "agent.sock")), self.folder / "agent.log"
        )
        assert self.agent._process.stdout is not None
        self.agent._process.stdout.readline()

    def tables(self) -> dict[str, list[dict[str, str]]]:
        name = self.sim.name
        return {
            "site": [{"key": "master", "value": "127.0.0.1"}, {"key": "xcatconfdir", "value": str(self.folder)}],
            "passwd": [{"key": "rhevm", "username": "admin", "password": self.sim.password}],
            "nodelist": [{"node": node} for node in VMS + HOSTS],
            "hypervisor": [{"node": node, "type": "rhevh", "mgr": name, "cluster": "Default"} for node in HOSTS],
            "vm": [
                {
                    "node": node,
                    "mgr": name,
                    "cluster": "Default",
                    "memory": "1g",
                    "cpus": "1:2",
                    "storage": "data1:1g:system",
                }
                for node in VMS
            ],
            "virtsd": [
                {
                    "node": "nfs9",
                    "sdtype": "data",
                    "stype": "nfs",
                    "location": "filer:/nfs9",
                    "host": "rhevh1",
                    "datacenter": "Default",
                }
            ],
        }

    def start(self, command: str, nodes: Sequence[str] = (), args: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        request = {"command": [command], "arg": list(args), **({"node": list(nodes)} if nodes else {})}
        driver = subprocess.Popen(
            ["perl", str(PERL / "driver.pl")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=perl_environment(self.folder),
        )
        assert driver.stdin is not None
        driver.stdin.write(json.dumps(request).encode())
        driver.stdin.close()
        driver.stdin = None
        return driver

    def run(self, command: str, nodes: Sequence[str] = (), args: Sequence[str] = ()) -> list[dict[str, Any]]:
        out, errors = self.start(command, nodes, args).communicate(timeout=300)
        assert errors == b""
        answers = [json.loads(line) for line in out.splitlines()]
        assert answers.pop() == {"finished": 1}
        return answers

    def works(self, command: str, nodes: Sequence[str] = (), args: Sequence[str] = ()) -> str:
        answers = self.run(command, nodes, args)
        assert answers and not any("errorcode" in json.dumps(answer) for answer in answers), answers
        return json.dumps(answers)

    def close(self) -> None:
        self.agent.stop()
        self.backend.close()
        self.sim.close()
