"""A site in one process: the simulator behind real HTTPS, tables in memory, the dispatcher; one clock moves both."""

from __future__ import annotations

import shlex
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Callable

import pytest
from lxml import etree

from fakes import FakeHost
from published import Witness
from xcat_rhev.clock import ManualClock
from xcat_rhev.engine.managers import Managers
from xcat_rhev.messages import Data, Error, Message, Note
from xcat_rhev.run.dispatch import Dispatcher
from xcat_rhev.sim.build import build
from xcat_rhev.sim.certs import Certificates, make
from xcat_rhev.sim.http import Front, SimServer
from xcat_rhev.sim.plan import Plan
from xcat_rhev.sim.plan import make as make_plan
from xcat_rhev.sim.settings import LONG, SHORT, Settings
from xcat_rhev.sim.world import World
from xcat_rhev.xcat.host import Request

#: The versions that everything is tried with.
VERSIONS = ((3, 0), (3, 6), (4, 5))


def version_name(version: tuple[int, int]) -> str:
    """How a test's name shows it."""
    return f"v{version[0]}.{version[1]}"


class Desk:
    """An xCAT with one manager, which answers over real HTTPS.

    Args:
        factory: pytest's maker of folders.
        front: What answers, made with the certificates that it shows.
    """

    def __init__(self, factory: pytest.TempPathFactory, front: Callable[[Certificates], Any]) -> None:
        self.home, self.clock = factory.mktemp("home"), ManualClock()
        folder = factory.getbasetemp() / "certificates"  # those of all sites: making them takes longer than most tests
        folder.mkdir(exist_ok=True)
        certificates: Certificates = make(folder, ["127.0.0.1"])
        self.front = front(certificates)
        self._server = SimServer(self.front, ("127.0.0.1", 0), certificates, 16)
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._thread.start()
        self.manager = f"127.0.0.1:{self._server.bind_addr[1]}"
        self.host = FakeHost(
            {
                # the row of its own makes it a manager that `-m` may name
                "passwd": [{"key": key, "username": "admin", "password": "secret"} for key in ("rhevm", self.manager)],
                "site": [
                    {"key": "xcatconfdir", "value": str(self.home)},
                    {"key": "rhevmca", "value": str(certificates.ca)},
                ],
            }
        )
        self.managers = Managers(self.clock)
        self.dispatcher = Dispatcher(self.managers, self.clock)

    def close(self) -> None:
        """End it."""
        self.managers.close()
        self._server.stop()
        self._thread.join(300)

    def row(self, table: str, node: str, **values: str) -> None:
        """Set columns of a node's row."""
        self.host.set_node_attrs(table, {node: values})

    def say(self, line: str, nodes: Sequence[str] = (), **request: Any) -> list[Message]:
        """Type a command; `MGR` stands for the manager."""
        name, *args = (self.manager if word == "MGR" else word for word in shlex.split(line))
        asked = replace(Request(name, tuple(nodes), tuple(args)), **request)
        return list(self.dispatcher.run(asked, self.host))

    def ok(self, line: str, nodes: Sequence[str] = (), **request: Any) -> list[str]:
        """Type a command that must succeed; its lines."""
        said = self._told(line, nodes, **request)
        wrong = [message for message in said if failed(message)]
        assert not wrong, (line, wrong)
        return [text for message in said for text in _line(message).split("\n")]

    def lines(self, line: str, nodes: Sequence[str] = (), **request: Any) -> list[str]:
        """Type a command; its lines, those of errors with an exclamation mark in front."""
        said = self._told(line, nodes, **request)
        return [("!" if failed(message) else "") + _line(message) for message in said]

    def _told(self, line: str, nodes: Sequence[str] = (), **request: Any) -> list[Message]:
        """What is said, without the words of waiting: one who tries again lets time pass, for all who look at it."""
        said = self.say(line, nodes, **request)
        return [each for each in said if not (isinstance(each, Note) and each.text.startswith("waiting for manager"))]

    def wrong(self, line: str, nodes: Sequence[str] = (), **request: Any) -> list[str]:
        """Type a command that must fail; its errors."""
        said = [message for message in self.say(line, nodes, **request) if failed(message)]
        assert said, line
        return [_line(message) for message in said]


class Site(Desk):
    """A simulator as manager, and an xCAT.

    Args:
        factory: pytest's maker of folders.
        version: The engine's version.
        options: What `build` and `Settings` take.
    """

    def __init__(self, factory: pytest.TempPathFactory, version: tuple[int, int], **options: Any) -> None:
        self.version = version
        number = version[0]
        built: dict[str, Any] = {key: options.pop(key) for key in ("hosts", "vms", "running") if key in options}
        versions: dict[str, Any] = {"v3_version": version} if number == 3 else {"v4_version": version}
        options.setdefault("strict", True)
        self.settings = Settings(
            api=str(number), management="rhevm" if number == 3 else "ovirtmgmt", **versions, **options
        )
        super().__init__(factory, partial(self._simulated, built))

    def _simulated(self, built: dict[str, Any], certificates: Certificates) -> Front:
        self.world = World(self.clock, epoch=1_700_000_000.0)
        dialect = self.settings.dialect(SHORT if self.version[0] == 3 else LONG, "")[0]
        assert dialect is not None
        build(self.world, dialect, self.settings.management, **built)
        self._witness = Witness(self.world, self.settings, certificates.ca.read_bytes())
        return Front(self._witness, Plan())

    def close(self) -> None:
        """End it; whatever was said to the engine and by it must be as its makers published it."""
        super().close()
        assert self._witness.misfits == [], self._witness.misfits[:3]

    def cost(self, line: str, nodes: Sequence[str] = ()) -> dict[str, int]:
        """Type a command that must succeed; its requests by kind, logins aside."""
        self.ok("lsve -t dc -m MGR")  # the session is warm
        self.front.counts.clear()
        self.ok(line, nodes)
        counted: dict[str, int] = self.front.counts.report()["requests"]
        return counted

    def changes(self) -> list[str]:
        """The calls that changed something since this was asked last, each kind once, in order; logins aside."""
        calls = self.front.counts.report()["requests"]
        self.front.counts.clear()
        return [call for call in calls if not call.startswith("GET") and "/sso/" not in call]

    def sent(self, tag: str) -> Any:
        """The newest document of that kind that was sent to the engine."""
        return self.all_sent(tag)[-1]

    def all_sent(self, tag: str) -> list[Any]:
        """The documents of that kind that were sent to the engine, in order."""
        return [root for body in self._witness.bodies if (root := etree.fromstring(body)).tag == tag]

    def faults(self, rules: list[dict[str, Any]], seed: int = 1) -> None:
        """Let things go wrong from now on."""
        self.front.plan = make_plan(rules, seed=seed)
        self.front.plan.begin(self.world)

    def mend(self) -> None:
        """Let nothing go wrong any more."""
        self.front.plan = Plan()
        self.front.plan.begin(self.world)

    def thing(self, kind: str, name: str) -> dict[str, Any]:
        """A thing in the simulator's world."""
        (found,) = self.world.by_name(kind, name)
        return found


def lun_of(n: int) -> str:
    """The first LUN of the n-th portal's target, as the simulator calls it."""
    return f"36001405{zlib.crc32(f'iqn.2026-01.com.example:10.0.0.{n}'.encode()):08x}{1:016x}"


def failed(message: Message) -> bool:
    """Whether a message makes the client fail."""
    return isinstance(message, Error) or bool(isinstance(message, Data) and message.code)


def _line(message: Message) -> str:
    node = getattr(message, "node", "")
    return f"{node}: {message.text}" if node else message.text


def each_version(versions: Sequence[tuple[int, int]] = VERSIONS, kind: type[Site] = Site, **options: Any) -> Any:
    """A fixture: a site for each test, in each version.

    Args:
        versions: The engine's.
        kind: What is made.
        options: As for `Site`.
    """

    @pytest.fixture(params=versions, ids=version_name)
    def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
        with starting(tmp_path_factory) as start:
            yield start(request.param, kind, **options)

    return site


def only(*versions: tuple[int, int]) -> pytest.MarkDecorator:
    """Try a test with these versions alone, where `site` is an `each_version`."""
    return pytest.mark.parametrize("site", versions, indirect=True, ids=version_name)


@contextmanager
def starting(factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    """Gives a function that starts sites of a version, which end with the block."""
    started: list[Site] = []

    def start(version: tuple[int, int], kind: type[Site] = Site, **options: Any) -> Site:
        started.append(kind(factory, version, **options))
        return started[-1]

    yield start
    for site in started:
        site.close()
