"""What was asked of the servers so far, and the files of the servers that are made of it, below the daemon's home."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...errors import Usage
from ...files import write_whole
from ...messages import Warn
from ..home import Home
from . import dnsmasq, kea
from .dhcpnetworks import Served
from .reservations import Reservation

#: Seconds that a command waits for the servers to have read what it wrote.
PATIENCE = 10.0
_PAUSE = 0.05
#: How the programs look at a file before it takes the place of the one that works.
_CHECKS = {"dnsmasq.conf": ("dnsmasq", "--test", "-C"), "kea-dhcp4.conf": ("kea-dhcp4", "-t")}
_PLACES = ("/usr/sbin", "/usr/bin", "/sbin", "/usr/local/sbin")


class NetState:
    """The folder of the servers' files.

    Args:
        home: The daemon's.
    """

    def __init__(self, home: Home) -> None:
        self.folder = home.netservices
        self.dnsmasq = dnsmasq.DnsmasqFiles(self.folder)
        self.kea = self.folder / "kea-dhcp4.conf"
        #: What the supervisor starts: which DHCP server, where the web server listens, what it shows.
        self.services = self.folder / "services.json"
        #: What the supervisor has come to.
        self.running = self.folder / "running.json"
        self._machines = self.folder / "machines.json"
        self._lock, self._supervisor = self.folder / "lock", self.folder / "supervisor.lock"

    @contextlib.contextmanager
    def change_lock(self) -> Iterator[None]:
        """Nobody else changes anything meanwhile.

        Raises:
            OSError: No right, or no space.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        with open(self._lock, "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def supervisor_lock(self) -> Iterator[None]:
        """Be the one who runs the servers.

        Raises:
            BlockingIOError: Somebody else is.
            OSError: No right, or no space.
        """
        with self.change_lock(), contextlib.ExitStack() as stack:
            file = stack.enter_context(open(self._supervisor, "ab"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = stack.pop_all()
        with held:
            yield

    @property
    def is_made(self) -> bool:
        """Whether `makedhcp -n` ran."""
        return self.services.exists()

    def machines(self) -> dict[str, list[Reservation]]:
        """Node -> its reservations."""
        found = _json(self._machines)
        return {
            node: [Reservation(**{**each, "macs": tuple(each["macs"])}) for each in several]
            for node, several in found.items()
        }

    def names(self) -> dict[str, list[str]] | None:
        """Node -> its lines for the name server; None if there is none."""
        try:
            lines = self.dnsmasq.names.read_text().splitlines()
        except OSError:
            return None
        found: dict[str, list[str]] = {}
        for line, mark, node in (line.partition(" # ") for line in lines):
            if mark:
                found.setdefault(node, []).append(line)
        return found

    def write_machines(self, machines: dict[str, list[Reservation]], served: Sequence[Served]) -> None:
        """Write the reservations of all nodes, and the servers' files of them.

        Raises:
            Usage: The server does not take them; nothing is changed.
            OSError: No right, or no space.
        """
        flat = [each for several in machines.values() for each in several]
        if self._server() == "kea":
            self._put(self.kea, json.dumps(kea.config(served, flat, self.folder / "kea-leases4.csv"), indent=1))
        else:
            self._put(self.dnsmasq.options, _lines(dnsmasq.options(flat, served)))
            self._put(self.dnsmasq.cards, _lines(dnsmasq.cards(flat)))
            self._put(self.dnsmasq.hosts, _lines(dnsmasq.hosts(flat)))
        self._put(
            self._machines, json.dumps({node: [asdict(each) for each in several] for node, several in machines.items()})
        )

    def write_names(self, names: dict[str, list[str]]) -> None:
        """Write what the name server knows."""
        self._put(self.dnsmasq.names, _lines(dnsmasq.names(names)))

    def write_services(self, services: dict[str, Any], config: Sequence[str]) -> None:
        """Write which servers there are.

        Args:
            services: For the supervisor: `dhcp`, `listen`, `port`, `folders`.
            config: dnsmasq's configuration file.

        Raises:
            Usage: dnsmasq does not take it; nothing is changed.
        """
        if not self.dnsmasq.cards.exists():
            self._put(self.dnsmasq.cards, _lines(dnsmasq.cards(())))
        self._put(self.dnsmasq.config, _lines(config))
        self._put(self.services, json.dumps(services, indent=1))

    def _server(self) -> str:
        return str(_json(self.services).get("dhcp", ""))

    def _put(self, path: Path, text: str) -> None:
        if path.exists() and path.read_text() == text:
            return
        if path.name in _CHECKS:
            _check(path, text)
        write_whole(path, text.encode())

    def stamp(self) -> str:
        """What all files together are like; the supervisor says which it has come to."""
        whole = hashlib.sha256()
        for path in (
            self.services,
            self.dnsmasq.config,
            self.dnsmasq.cards,
            self.dnsmasq.hosts,
            self.dnsmasq.options,
            self.dnsmasq.names,
            self.kea,
        ):
            with contextlib.suppress(OSError):
                whole.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
        return whole.hexdigest()

    def wait_for_servers(self) -> Iterator[Warn]:
        """Wait until the servers have read all of it; say what is in the way.

        Raises:
            Usage: A server does not run with it.
        """
        end = time.monotonic() + PATIENCE
        while self.is_supervised():
            running = _json(self.running)
            if running.get("stamp") == self.stamp():  # others may write meanwhile: what they wrote holds ours
                if running.get("problem"):
                    raise Usage(f"written, but {running['problem']}", f"See {self.folder}/*.log")
                return
            if time.monotonic() > end:
                yield Warn(f"written, but no server has read it after {PATIENCE:.0f} s. See {self.folder}/*.log")
                return
            time.sleep(_PAUSE)
        yield Warn(
            "written, but nothing serves it. Start xcatd with --serve, or run: systemctl start xcat-rhev-netservices. "
            f"A dnsmasq of the site takes it by a line of its own configuration: conf-file={self.dnsmasq.config}"
        )

    def is_supervised(self) -> bool:
        """Whether a supervisor is at work: it holds a lock as long as it lives."""
        try:
            with open(self._supervisor, "rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return False
        except BlockingIOError:
            return True
        except OSError:
            return False


def services_of(state: NetState) -> dict[str, Any]:
    """What the supervisor starts, as `makedhcp -n` wrote it."""
    return _json(state.services)


def program(name: str) -> str:
    """A server's program; empty if it is not installed."""
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(_PLACES)) or ""


def _check(path: Path, text: str) -> None:
    """Have the program look at a file; where it is not installed, nobody looks.

    Raises:
        Usage: It does not take it.
    """
    name, *words = _CHECKS[path.name]
    found = program(name)
    if not found:
        return
    fresh = path.with_name(f".{path.name}.new")
    write_whole(fresh, text.encode())
    try:
        done = subprocess.run(  # noqa: S603 - our words
            [found, *words, str(fresh)], capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        raise Usage(f"{found} does not end") from None
    finally:
        fresh.unlink()
    if done.returncode:
        said = (done.stderr + done.stdout).strip().splitlines()
        raise Usage(f"{name} does not take what was written: {said[-1] if said else done.returncode}")


def _lines(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
