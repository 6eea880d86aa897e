"""The simulator over HTTPS, in this process or as a program, and plain requests that know nothing of the client."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

from lxml import etree

from xcat_rhev.cli.demo.parts import DemoProgram, own
from xcat_rhev.sim.__main__ import parser, serve_in_threads


class Simulator:
    """A simulator that answers from threads of this process.

    Args:
        words: Its command line.

    Attributes:
        ready: What it said when it was ready.
        v3, v4: Its addresses; None where it does not speak that dialect.
        url: The newer one of them.
        name: As tables name it.
        ca: The file of its CA.
        user, password: Who may log in.
    """

    def __init__(self, *words: str) -> None:
        self._stack = contextlib.ExitStack()
        self.ready: Mapping[str, Any] = self._start(words)
        self.v3: Optional[str] = self.ready["v3"]
        self.v4: Optional[str] = self.ready["v4"]
        self.url = self.v4 or self.v3 or ""
        self.name = self.url.split("/")[2]
        self.ca = str(self.ready["ca"])
        self.user, self.password = str(self.ready["user"]), str(self.ready["password"])

    def _start(self, words: tuple[str, ...]) -> Mapping[str, Any]:
        return self._stack.enter_context(serve_in_threads(parser().parse_args(words)))

    def close(self) -> None:
        """End it."""
        self._stack.close()

    def call(self, method: str, url: str, body: str = "", **headers: str) -> tuple[int, bytes, Any]:
        """Send one request with Basic; a path is taken below v4, else v3. An error status is an answer too."""
        url = url if url.startswith("https:") else self.url + url
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        told = {"Authorization": f"Basic {login}", "Accept": "application/xml", "Content-Type": "application/xml"}
        told.update({name.replace("_", "-"): value for name, value in headers.items()})
        request = urllib.request.Request(url, body.encode() or None, told, method=method)
        try:
            with urllib.request.urlopen(request, context=self.tls(), timeout=300) as answer:
                return answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), error.headers

    def xml(self, url: str) -> Any:
        """Read a document."""
        return etree.fromstring(self.call("GET", url)[1])

    def tls(self) -> ssl.SSLContext:
        """Trust this engine's CA and nothing else."""
        return ssl.create_default_context(cafile=self.ca)

    @property
    def origin(self) -> str:
        """The address without a path."""
        return f"https://{self.name}"

    def stats(self) -> Any:
        """What the simulator counted."""
        return json.loads(self.call("GET", f"{self.origin}/-/stats")[1])

    def faults(self, *rules: dict[str, Any]) -> None:
        """Give the simulator another plan of faults."""
        status, body, _ = self.call("PUT", f"{self.origin}/-/faults", json.dumps(rules))
        assert status == 200, body


class SimulatorProgram(Simulator):
    """The simulator as a program, for tests that kill or stop it, or that count this process' own memory.

    Attributes:
        program: What runs.
    """

    def _start(self, words: tuple[str, ...]) -> Mapping[str, Any]:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="simulator-")))
        self.program = DemoProgram("sim", own("sim", *words), folder / "sim.log")
        self._stack.callback(self.program.stop)
        return self.program.ready_line()
