"""The real simulator as a child process, and plain requests to it that know nothing of the client."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from lxml import etree


@dataclass
class Running:
    """A simulator that answers, and how to reach it.

    Attributes:
        v3, v4: Its addresses; None where it does not speak that dialect.
        ca: The file of its CA.
        user, password: Who may log in.
        process: What runs.
    """

    v3: Optional[str]
    v4: Optional[str]
    ca: str
    user: str
    password: str
    process: Any = field(default=None, repr=False)

    def call(self, method: str, url: str, body: str = "", **headers: str) -> tuple[int, bytes, Any]:
        """Send one request with Basic; a path is taken below v4, else v3. An error status is an answer too."""
        url = url if url.startswith("https:") else f"{self.v4 or self.v3}{url}"
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        told = {"Authorization": f"Basic {login}", "Accept": "application/xml", "Content-Type": "application/xml"}
        told.update({name.replace("_", "-"): value for name, value in headers.items()})
        request = urllib.request.Request(url, body.encode() or None, told, method=method)
        try:
            with urllib.request.urlopen(request, context=self.tls(), timeout=30) as answer:
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
        return "/".join((self.v4 or self.v3 or "").split("/")[:3])

    def stats(self) -> Any:
        """What the simulator counted."""
        return json.loads(self.call("GET", f"{self.origin}/-/stats")[1])

    def faults(self, *rules: dict[str, Any]) -> None:
        """Give the simulator another plan of faults."""
        status, body, _ = self.call("PUT", f"{self.origin}/-/faults", json.dumps(rules))
        assert status == 200, body


@contextlib.contextmanager
def running(*words: str) -> Iterator[Running]:
    """Run the simulator with these words until the block ends."""
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "xcat_rhev.sim", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root)
    assert process.stdout is not None and process.stderr is not None
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        told = json.loads(line)
        yield Running(told["v3"], told["v4"], told["ca"], told["user"], told["password"], process)
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
        process.stderr.close()
