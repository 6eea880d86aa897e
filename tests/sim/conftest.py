"""An engine to talk to over HTTPS: the simulator in three versions, or the real one that --engine names."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import pytest

from enginehelp import Validating
from simulator import Simulator
from xcat_rhev.clock import SystemClock
from xcat_rhev.engine.manager import Manager
from xcat_rhev.engine.managers import Access, Managers
from xcat_rhev.secret import Secret

VERSIONS = {
    "v3.0": ("--api", "3", "--v3-version", "3.0"),
    "v3.6": ("--api", "3"),
    "v4": ("--api", "4"),
}


class Engine:
    """A back end of the suite.

    Attributes:
        name: As tables would write it.
        sim: It is the simulator, whose faults can be ordered and whose requests can be counted.
        session: What the facade that was opened last stands on.
    """

    def __init__(self, name: str, folder: Path, sim: Simulator | None = None, **access: Any) -> None:
        self.name, self.sim, self._folder, self._access = name, sim, folder, access
        self._managers: list[Managers] = []
        self._number = itertools.count()

    def access(self, **more: Any) -> Access:
        """How it is reached, with a folder of its own."""
        values: dict[str, Any] = {
            "name": self.name,
            "user": "admin@internal",
            "password": Secret("secret"),
            "folder": self._folder / f"manager{next(self._number)}",
            **self._access,
            **more,
        }
        return Access(**values)

    def open(self, say: Any = None, **more: Any) -> Manager:
        """A facade on a session of its own; what it sends in v3 is held against the published schemas."""
        managers = Managers(SystemClock())
        self._managers.append(managers)
        opened = managers.open(self.access(**more), say)
        (known,) = managers._sessions.values()
        self.session = known.session
        checked = replace(self.session, http=Validating(self.session.http, self.session.dialect))
        return Manager(checked, SystemClock(), say, opened.counts)

    def own(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """Call one of the simulator's own addresses."""
        if self.sim is None:
            pytest.skip("a real engine takes no orders for faults and counts no requests")
        data = "" if body is None else json.dumps(body)
        return json.loads(self.sim.call(method, f"{self.sim.origin}/-/{path}", data)[1])

    def only_simulated(self, reason: str) -> None:
        """Skip on a real engine, saying why."""
        if self.sim is None:
            pytest.skip(f"not on a real engine: {reason}")

    def faults(self, *rules: dict[str, Any]) -> None:
        """Order what shall go wrong from now on."""
        assert "error" not in self.own("faults", "PUT", list(rules))

    def counted(self) -> dict[str, Any]:
        """What came since the last time."""
        stats = self.own("stats")
        self.own("stats", "DELETE")
        return stats

    def close(self) -> None:
        for managers in self._managers:
            managers.close()
        if self.sim is not None:
            self.sim.close()


def started(folder: Path, *words: str, kind: type[Simulator] = Simulator) -> Engine:
    """A simulator, strict and fast unless told otherwise."""
    sim = kind("--strict", "--speed", "10", *words)
    return Engine(sim.name, folder, sim)


@pytest.fixture
def start(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Starts simulators for one test."""
    if request.config.getoption("--engine") != "sim":
        pytest.skip("needs a simulator of its own")
    engines: list[Engine] = []

    def begin(*words: str, kind: type[Simulator] = Simulator) -> Engine:
        folder = tmp_path / f"sim{len(engines)}"
        folder.mkdir()
        engines.append(started(folder, *words, kind=kind))
        return engines[-1]

    yield begin
    for engine in engines:
        engine.close()


@pytest.fixture(scope="module", params=list(VERSIONS))
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine with three hosts and the domain data1, in each version; with --engine, the real one."""
    folder = tmp_path_factory.mktemp("engine")
    url = request.config.getoption("--engine")
    if url == "sim":
        made = started(folder, "--hosts", "3", "--vms", "5", *VERSIONS[request.param])
    elif request.param != "v4":
        pytest.skip("a real engine has the version that it has")
    else:
        made = Engine(
            url.removeprefix("https://").rstrip("/"),
            folder,
            user=os.environ["ENGINE_USER"],
            password=Secret(os.environ["ENGINE_PASSWORD"]),
            ca=os.environ.get("ENGINE_CA", ""),
        )
    yield made
    made.close()


@pytest.fixture
def manager(engine: Engine) -> Iterator[Manager]:
    """A facade; no faults are left over from the test before."""
    if engine.sim is not None:
        engine.faults()
    yield engine.open()


@pytest.fixture
def start_simulator(request: pytest.FixtureRequest) -> Iterator[Callable[..., Simulator]]:
    """Starts simulators with words of the test's own, for plain requests without the client."""
    if request.config.getoption("--engine") != "sim":
        pytest.skip("needs faults, hosts or storage that only the simulator makes up")
    with contextlib.ExitStack() as stack:

        def start(*words: str, kind: type[Simulator] = Simulator) -> Simulator:
            return stack.enter_context(contextlib.closing(kind(*words)))

        yield start


@pytest.fixture
def simulator(start_simulator: Callable[..., Simulator]) -> Simulator:
    """A fresh strict simulator with two hosts and three machines, ten times as fast as by default."""
    return start_simulator("--hosts", "2", "--vms", "3", "--strict", "--speed", "10")
