"""`xcat-rhev netservices`: runs the servers whose files makedhcp and makedns write, and keeps them running.

The daemon itself only writes files, so it needs none of the rights that these servers need. Whoever changes a file need
not tell: it is seen here, and the server reads it again, or is started again where that is what it needs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from ...files import typed_path, write_whole
from ..home import Home
from .dnsmasq import reads_again
from .state import NetState, program

log = logging.getLogger(__name__)

#: Seconds between two looks at the files.
LOOK = 0.1
#: Seconds a server has to stay up before it counts as running, and until one that ended is started again.
SETTLED, AGAIN = 0.3, 5.0
#: Seconds that a server has for its end.
END = 5.0
_LOGGED = 8 << 20
#: Where the system tells of its interfaces.
LINKS = Path("/sys/class/net")


class ServiceProcess:
    """A program that is kept running.

    Args:
        name: What it is called, and its log file.
        folder: Where the log file is.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._since = 0.0
        self._words: list[str] = []
        self._settings: dict[str, str] = {}
        #: Why it does not run; empty if it does, or should not.
        self.problem = ""

    def start(self, words: Sequence[str], settings: Mapping[str, str] | None = None) -> None:
        """Start it, anew if it runs.

        Args:
            words: The command line; none to have it ended.
            settings: More variables of its environment.
        """
        self.end()
        self._settings = dict(settings or {})
        self._words, self.problem, self._since = list(words), "", time.monotonic()
        if not words:
            return
        if not Path(words[0]).exists():
            self.problem = f"{self.name} is not installed"
            return
        with open(self._log, "wb") as file:
            self._process = subprocess.Popen(  # noqa: S603 - our words, no shell
                words, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env={**os.environ, **self._settings}
            )
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(SETTLED)
        self.look()

    def look(self) -> None:
        """See whether it runs, and start it again some time after it has ended."""
        if self._process and self._process.poll() is not None:
            self.problem = f"{self.name} ended with {self._process.returncode}: {self._last_words()}"
            self._process = None
        elif self._process is None and self._words and time.monotonic() > self._since + AGAIN:
            self.start(self._words, self._settings)
        if self._process and self._log.stat().st_size > _LOGGED:
            os.truncate(self._log, 0)

    def reread(self) -> None:
        """Have it read its files of machines and names again."""
        if self._process:
            self._process.send_signal(signal.SIGHUP)

    def end(self) -> None:
        """End it."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(END)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _last_words(self) -> str:
        lines = [line for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1].strip() if lines else "it said nothing"


class Supervisor:
    """All servers of a site.

    Args:
        state: Their files.
    """

    def __init__(self, state: NetState) -> None:
        self._state = state
        self._servers = {name: ServiceProcess(name, state.folder) for name in ("dnsmasq", "kea-dhcp4", "web")}
        self._seen: dict[str, Any] = {}
        self._told = ""

    def turn(self) -> None:
        """Look at everything once."""
        state, stamp = self._state, self._state.stamp()
        before, self._seen = self._seen, self._contents()
        if state.is_made and self._seen != before:
            self._apply(before, self._seen)
        for server in self._servers.values():
            server.look()
        self._tell(stamp)

    def end(self) -> None:
        """End all servers."""
        for server in self._servers.values():
            server.end()
        self._state.running.unlink(missing_ok=True)

    def _contents(self) -> dict[str, Any]:
        """What the files hold: those for which a server is started again, and those that it reads again."""
        files, state = self._state.dnsmasq, self._state
        return {
            "services": _read(state.services),
            "dnsmasq": (_read(files.config), _read(files.cards)),
            "dnsmasq again": (_read(files.hosts), _read(files.options), _read(files.names)),
            "kea again": (kea := _read(state.kea)),
            "links": _links(kea),
        }

    def _apply(self, before: dict[str, Any], now: dict[str, Any]) -> None:
        state, changed = self._state, {key for key in now if now[key] != before.get(key)}
        services = json.loads(now["services"])
        uses_kea = services.get("dhcp") == "kea"
        again = "dnsmasq again" in changed
        if changed & {"services", "dnsmasq"} or (again and not reads_again(_read(state.dnsmasq.hosts))):
            words = ("--keep-in-foreground", f"--conf-file={state.dnsmasq.config}", "--log-facility=-", "--pid-file=")
            self._servers["dnsmasq"].start([program("dnsmasq") or "dnsmasq", *words])
        elif again:
            self._servers["dnsmasq"].reread()
        if "services" in changed:
            self._servers["web"].start(_web(services), services.get("settings"))
            self._servers["kea-dhcp4"].start(self._kea() if uses_kea and now["kea again"] else (), self._kea_places())
        elif uses_kea and changed & {"kea again", "links"}:
            if before.get("kea again"):
                self._servers["kea-dhcp4"].reread()
            else:
                self._servers["kea-dhcp4"].start(self._kea(), self._kea_places())

    def _kea(self) -> list[str]:
        return [program("kea-dhcp4") or "kea-dhcp4", "-c", str(self._state.kea)]

    def _kea_places(self) -> dict[str, str]:
        """Where it keeps its process id and its lock; /run/kea is that of the distribution's own service."""
        return dict.fromkeys(("KEA_PIDFILE_DIR", "KEA_LOCKFILE_DIR"), str(self._state.folder))

    def _tell(self, stamp: str) -> None:
        problems = [server.problem for server in self._servers.values() if server.problem]
        text = json.dumps({"stamp": stamp, "problem": "; ".join(problems)})
        if text != self._told:
            for problem in problems:
                log.warning("%s", problem)
            write_whole(self._state.running, text.encode())
            self._told = text


def _web(services: dict[str, Any]) -> list[str]:
    """The product's own web server, where no other is named."""
    if not services.get("listen"):
        return []
    words = [sys.executable, "-m", "xcat_rhev.cli", "web", "--port", str(services["port"])]
    words += [word for address in services["listen"] for word in ("--host", address)]
    return words + [word for url, folder in services["folders"].items() for word in ("--files", f"{url}={folder}")]


def _links(kea: bytes) -> tuple[bytes, ...]:
    """Whether Kea's interfaces have a link: those that had none when it read its file, it does not listen on."""
    settings = json.loads(kea or b"{}").get("Dhcp4", {}).get("interfaces-config", {})
    return tuple(_read(LINKS / name / "carrier") for name in settings.get("interfaces", ()))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the servers until TERM or INT, or until whoever started it is gone.

    Args:
        argv: The words after `netservices`.

    Returns:
        0 at its end, 1 if one is at work already or the folder cannot be written.
    """
    parser = argparse.ArgumentParser("xcat-rhev netservices", description="DHCP, DNS, TFTP and HTTP of a site.")
    parser.add_argument("--home", type=typed_path, required=True, metavar="DIR", help="the home of the embedded xcatd")
    parser.add_argument("--with-stdin", action="store_true", help="end when standard input ends")
    words = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="netservices: %(message)s")
    state = NetState(Home(words.home.resolve()))
    try:
        with state.supervisor_lock():
            print(json.dumps({"ready": True}), flush=True)
            _loop(Supervisor(state), sys.stdin if words.with_stdin else None)
    except BlockingIOError:
        sys.stderr.write(f"xcat-rhev netservices: another one is at work in {state.folder}\n")
        return 1
    except OSError as problem:
        sys.stderr.write(f"xcat-rhev netservices: {problem.filename or state.folder}: {problem.strerror}\n")
        return 1
    return 0


def _loop(supervisor: Supervisor, stdin: IO[str] | None) -> None:
    stopped: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.append(1))
    try:
        while not stopped:
            supervisor.turn()
            if select.select([stdin] if stdin else [], [], [], LOOK)[0] and not stdin.read(1):  # type: ignore[union-attr]
                return
    finally:
        supervisor.end()
