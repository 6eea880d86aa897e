"""The programs that a demo runs: each is started, waited for until it says that it is ready, and ended."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..files import PACKAGES, find_shared
from .record import Failed

#: Seconds that a program has to get ready in; the machine may be small and busy.
READY = 60
#: Systems take the ports of connections that go out from above these, so nobody gets one of these by chance.
PORTS = range(10_240, 32_000)
CGI = "cgi-bin/xcatrhevh.cgi"
APACHE = ("apache2", "/usr/sbin/apache2", "httpd", "/usr/sbin/httpd")
MODULES = ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules")


class DemoProgram:
    """A program that runs beside the demo.

    Args:
        name: For messages, and the name of its log.
        words: What to start.
        log: Where its output goes.
        environment: Variables on top of ours.
    """

    def __init__(
        self, name: str, words: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = log
        with open(log, "wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
                list(words),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process number."""
        return self._process.pid

    def ready_line(self) -> dict[str, Any]:
        """Wait for the JSON line that says it is ready.

        Raises:
            Failed: It ended instead, or said something else.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        try:
            said: dict[str, Any] = json.loads(line)
            return said
        except ValueError:
            self.stop()
            raise Failed(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-2000:]}") from None

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it, by force if it does not listen."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.alive():
                break
            os.killpg(self.pid, number)
            try:
                self._process.wait(READY)
            except subprocess.TimeoutExpired:
                continue
        if self._process.stdout is not None:
            self._process.stdout.close()


def own(*words: str) -> list[str]:
    """The words that start a part of this product with this very Python."""
    return [sys.executable, "-m", "xcat_rhev.cli", *words]


def web_server(folder: Path, port: int, settings: Mapping[str, str]) -> tuple[DemoProgram, str]:
    """Start an HTTP server with the CGI: Apache where it is installed, else our own application under cheroot.

    Args:
        folder: For its configuration and logs.
        port: Where it listens on 127.0.0.1.
        settings: The CGI's environment.

    Returns:
        The server, and what it is.

    Raises:
        Failed: It does not answer.
    """
    apache = next((found for name in APACHE if (found := shutil.which(name))), None)
    modules = next((found for found in MODULES if Path(found, "mod_cgi.so").exists()), None)
    if apache and modules:
        config = _apache_config(folder, port, modules, settings)
        kind, words = "Apache", [apache, "-X", "-f", str(config)]
    else:
        kind, words = "cheroot (Apache is not installed)", [*own("web"), "--port", str(port)]
    part = DemoProgram("web-server", words, folder / "web-server.log", settings)
    _wait_for(part, port)
    return part, kind


def _apache_config(folder: Path, port: int, modules: str, settings: Mapping[str, str]) -> Path:
    names = {"mpm_prefork": "mpm_prefork", "authz_core": "authz_core", "alias": "alias", "env": "env", "cgi": "cgi"}
    lines = [
        f"LoadModule {name}_module {modules}/mod_{file}.so"
        for name, file in names.items()
        if Path(modules, f"mod_{file}.so").exists()
    ]
    if os.geteuid() == 0:
        lines += ["User #65534", "Group #65534"]
        if Path(modules, "mod_unixd.so").exists():
            lines.insert(0, f"LoadModule unixd_module {modules}/mod_unixd.so")
    lines += [
        f"ServerRoot {folder}",
        f"PidFile {folder}/apache.pid",
        f"ErrorLog {folder}/apache-errors.log",
        "ServerName 127.0.0.1",
        f"Listen 127.0.0.1:{port}",
        f"DefaultRuntimeDir {folder}",
        f"ScriptAlias /xcatrhevh {_readable_cgi(folder)}",
        "<Location /xcatrhevh>",
        "  Require all granted",
        "</Location>",
        *(f'SetEnv {key} "{value}"' for key, value in settings.items()),
    ]
    config = folder / "apache.conf"
    config.write_text("\n".join(lines) + "\n")
    return config


def _readable_cgi(folder: Path) -> Path:
    """Copy the CGI and the package beside each other: Apache's user may not read a checkout in somebody's home."""
    script = folder / "www" / "cgi-bin" / "xcatrhevh.cgi"
    script.parent.mkdir(parents=True)
    shutil.copy(find_shared(CGI), script)
    shutil.copytree(PACKAGES / "xcat_rhev", folder / "www" / "xcat_rhev", ignore=shutil.ignore_patterns("__pycache__"))
    return script


def free_port(address: str = "127.0.0.1") -> int:
    """A TCP port for a program that cannot choose one itself."""
    dice = random.SystemRandom()  # whoever seeds the other one gets the same numbers in all its processes
    while True:
        port = dice.choice(PORTS)
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
        return port


def _wait_for(part: DemoProgram, port: int) -> None:
    end = time.monotonic() + READY
    while time.monotonic() < end and part.alive():
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()  # noqa: S310 - our own server
            return
        except urllib.error.HTTPError as answer:
            answer.close()
            return  # any answer shows that it listens
        except OSError:
            time.sleep(0.05)
    part.stop()
    raise Failed(f"the web server did not start:\n{part.log.read_text(errors='replace')[-2000:]}")
