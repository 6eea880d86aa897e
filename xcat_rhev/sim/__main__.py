"""`xcat-rhev sim`: an engine to try commands on."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

from ..errors import Conflict, RhevError, Usage
from ..ports import cannot_listen, port
from ..secret import Secret
from . import plan
from .accounts import INTERNAL, KEYCLOAK, LOGINS, STATES
from .app import Application
from .build import build
from .certs import make
from .dialect import Version
from .http import Front, SimServer
from .journal import Journal
from .settings import LONG, SHORT, Settings
from .states import Path as States
from .states import delays
from .world import World

log = logging.getLogger(__name__)


def parser() -> argparse.ArgumentParser:
    """Make the reader of the command line."""
    words = argparse.ArgumentParser(prog="xcat-rhev sim", description="An engine simulator: API v3 and v4 over HTTPS.")
    add = words.add_argument
    add("--port", type=port, default=0, metavar="N", help="listen here; 0 (default): a free port")
    add("--host", default="127.0.0.1", metavar="ADDR", help="address to listen on (default: 127.0.0.1)")
    add("--api", choices=("3", "4", "both"), default="both", help="which dialects are spoken (default: both)")
    add("--v3-version", type=version, default=(3, 6), metavar="V", help="engine version shown in v3 (default: 3.6)")
    add("--v4-version", type=version, default=(4, 5), metavar="V", help="engine version shown in v4 (default: 4.5)")
    _add_world(add)
    _add_access(add)
    add("--management", default="", metavar="NAME", help="name of the management network (v3: rhevm, else: ovirtmgmt)")
    add("--product", default="", metavar="NAME", help="call itself NAME, as forks do (v4)")
    add("--number", type=number, default=(), metavar="V", help="say that version, whatever it can do (v4)")
    add("--strict", action="store_true", help="refuse by name what a dialect does not know, instead of ignoring it")
    add("--html-errors", action="store_true", help="send the web server's page with 401, as real engines do")
    add("--threads", type=int, default=32, metavar="N", help="requests handled at once (default: 32)")
    add("-v", "--verbose", action="store_true", help="show broken connections")
    return words


def _add_world(add: Callable[..., object]) -> None:
    """What there is, and how it moves."""
    add(
        "--hosts",
        type=amount,
        default=0,
        metavar="N",
        help="so many hosts that are up: rhevh1 ... (with the domain data1)",
    )
    add(
        "--vms",
        type=amount,
        default=0,
        metavar="N",
        help="so many virtual machines: vm1 ..., each with a disk and a NIC",
    )
    add("--running", type=percent, default=0, metavar="PERCENT", help="how many of them are up (default: 0)")
    add("--latency", type=float, default=0, metavar="MS", help="milliseconds added to every answer")
    add("--delays", default="1", metavar="FILE|FACTOR", help="seconds per state as JSON, or a factor; 0: all at once")
    add("--speed", type=float, default=1, metavar="N", help="so many times faster through the states")
    add("--faults", type=Path, metavar="FILE", help="a plan of faults, JSON")
    add("--state", type=Path, metavar="FILE", help="keep the world in this file")
    add("--seed", type=int, default=0, metavar="N", help="ids and chance grow from it (default: 0)")


def _add_access(add: Callable[..., object]) -> None:
    """Certificates, and who may log in."""
    add("--cert-dir", type=Path, metavar="DIR", help="keep the CA and the certificate here (default: a new folder)")
    add(
        "--name", action="append", default=[], metavar="NAME", help="one more name for the certificate; may be repeated"
    )
    add("--user", default="", help=f"who may log in (default: {INTERNAL}; behind Keycloak {KEYCLOAK})")
    add("--password", default="secret", help="... and with what (default: secret)")
    add("--login", choices=LOGINS, default="both", help="the ways in: tokens, Basic, both, or Keycloak in front of it")
    add(
        "--account",
        action="append",
        default=[],
        type=account,
        metavar="NAME=STATE",
        help=f"somebody else who has an account, with the same password; STATE is one of {', '.join(STATES)}",
    )
    add(
        "--ssh-key",
        type=Path,
        metavar="FILE",
        help="log in to hosts that are added by key, with this one (FILE.pub beside it); a host that refuses fails",
    )
    add("--token-life", type=float, default=1800, metavar="S", help="seconds until an unused token is forgotten")


def amount(text: str) -> int:
    """Read how many there shall be."""
    return _between(text, 100_000, "number from 0 to 100000")


def percent(text: str) -> int:
    """Read how many of a hundred."""
    return _between(text, 100, "number from 0 to 100")


def _between(text: str, most: int, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 8 and int(text) <= most):
        raise argparse.ArgumentTypeError(f"'{text}' is no {what}")
    return int(text)


def version(text: str) -> Version:
    """Read an engine version such as 3.0 or 4.5."""
    major, _, minor = text.partition(".")
    if major not in {"3", "4"} or not minor.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not an engine version; write one such as 3.6 or 4.5")
    return int(major), int(minor)


def number(text: str) -> tuple[int, ...]:
    """Read the number that a fork gives itself, such as 7.3."""
    parts = text.split(".")
    if len(parts) != 2 or not all(part.isdigit() for part in parts):
        raise argparse.ArgumentTypeError(f"'{text}' is not a version; write one such as 7.3")
    return tuple(map(int, parts))


def account(text: str) -> tuple[str, str]:
    """Read somebody else's account, such as joe@internal=expired."""
    name, _, state = text.rpartition("=")
    if not name or state not in STATES:
        raise argparse.ArgumentTypeError(f"'{text}': write NAME@PROFILE=STATE; STATE is one of {', '.join(STATES)}")
    return name, state


def main(argv: list[str]) -> int:
    """Run the simulator until it is told to stop.

    Args:
        argv: The words after `sim`.

    Returns:
        The exit code: 0 after Ctrl-C or TERM, 1 if it could not start, 2 for wrong words.
    """
    words = parser().parse_args(argv)
    logging.basicConfig(level=logging.DEBUG if words.verbose else logging.WARNING, format="%(levelname)s %(message)s")
    try:
        return _run(words)
    except RhevError as error:
        print(f"xcat-rhev sim: {error}", file=sys.stderr)
    except OSError as error:
        place = error.filename or words.state or words.cert_dir or tempfile.gettempdir()
        print(f"xcat-rhev sim: {place}: {error.strerror or error}", file=sys.stderr)
    return 1


def _run(words: argparse.Namespace) -> int:
    done = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda _number, _frame: done.set())
    with serve_in_threads(words) as ready:
        print(json.dumps(ready), flush=True)
        done.wait()
    return 0


@contextlib.contextmanager
def serve_in_threads(words: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Answer in threads of this process until the block ends.

    Args:
        words: What `parser` made of the command line.

    Returns:
        What the program says once it answers: addresses, the CA's file, user and password.
    """
    settings = _settings(words)
    with tempfile.TemporaryDirectory(prefix="engine-") as made:
        names = [words.host, "localhost", "127.0.0.1", "::1", *words.name]
        certificates = make(words.cert_dir or Path(made), list(dict.fromkeys(names)))
        faulty = plan.read(words.faults, words.seed) if words.faults else plan.Plan()
        world, journal = _world(words, settings)
        faulty.begin(world)
        front = Front(Application(world, settings, certificates.ca.read_bytes()), faulty)
        server = SimServer(front, (words.host, words.port), certificates, words.threads)
        try:
            server.prepare()
        except OSError as problem:
            raise Conflict(cannot_listen(words.host, words.port, problem)) from None
        try:
            if journal:
                journal.start()
            threading.Thread(target=server.serve, daemon=True).start()
            yield _ready(words, settings, server.bind_addr[1], certificates.ca)
        finally:
            server.stop()
            if journal:
                journal.stop()


def _settings(words: argparse.Namespace) -> Settings:
    if words.running and not words.hosts:
        raise Usage("--running needs hosts for machines to run on", "Add: --hosts 2")
    if words.v3_version >= (4, 0) or words.v4_version < (4, 0):
        raise Usage("--v3-version is below 4.0 and --v4-version is not")
    if words.ssh_key and not words.ssh_key.with_name(f"{words.ssh_key.name}.pub").is_file():
        raise Usage(f"--ssh-key: {words.ssh_key}.pub is not there", "Run: ssh-keygen -f FILE")
    network = words.management or ("rhevm" if words.api == "3" else "ovirtmgmt")
    return Settings(
        api=words.api,
        v3_version=words.v3_version,
        v4_version=words.v4_version,
        user=words.user or (KEYCLOAK if words.login == "keycloak" else INTERNAL),
        password=Secret(words.password),
        login=words.login,
        accounts=tuple(words.account),
        strict=words.strict,
        latency=words.latency / 1000,
        token_life=words.token_life,
        html_errors=words.html_errors,
        management=network,
        product=words.product,
        number=words.number,
        ssh_key=words.ssh_key,
    )


def _world(words: argparse.Namespace, settings: Settings) -> tuple[World, Journal | None]:
    """Make the world, or take it from the state file."""
    world = World(seed=words.seed, paths=_paths(words))
    world.kept_in = words.state and words.state.with_name(f"{words.state.name}.images")
    journal = Journal(words.state, world) if words.state else None
    if journal is None or not journal.load():
        path = SHORT if settings.api == "3" else LONG
        dialect = settings.dialect(path, "")[0] or settings.dialect(SHORT, "")[0]
        assert dialect is not None
        build(world, dialect, settings.management, words.hosts, words.vms, words.running)
    return world, journal


def _paths(words: argparse.Namespace) -> dict[str, States]:
    """Read the delays: a factor, or a file with seconds per operation."""
    try:
        return delays(float(words.delays) / words.speed)
    except ValueError:
        pass
    except ZeroDivisionError:
        raise Usage("--speed 0 would never get anywhere") from None
    try:
        return delays(1 / words.speed, json.loads(Path(words.delays).read_text()))
    except (OSError, ValueError) as error:
        raise Usage(
            f"--delays {words.delays}: {error}", "Give a factor, or a JSON object of operation: seconds"
        ) from error
    except KeyError as error:
        raise Usage(f"--delays {words.delays}: no operation is called {error}") from error


def _ready(words: argparse.Namespace, settings: Settings, port: int, ca: Path) -> dict[str, object]:
    host = f"[{words.host}]" if ":" in words.host else words.host
    base = f"https://{host}:{port}"
    three, four = settings.api in {"3", "both"}, settings.api in {"4", "both"}
    return {
        "ready": True,
        "v4": base + LONG if four else None,
        "v3": base + SHORT if three else None,
        "ca": str(ca),
        "user": settings.user,
        "password": words.password,
        "port": port,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
