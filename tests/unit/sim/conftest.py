"""An engine without a socket: requests go straight to the application, and its clock stands still until told."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from lxml import etree

from xcat_rhev.clock import ManualClock
from xcat_rhev.sim.app import Application, SimRequest
from xcat_rhev.sim.build import build
from xcat_rhev.sim.http import Front
from xcat_rhev.sim.plan import Plan, make
from xcat_rhev.sim.settings import LONG, SHORT, Settings
from xcat_rhev.sim.world import World

LOGIN = "Basic " + base64.b64encode(b"admin@internal:secret").decode()


class Answer:
    """A status, headers, and a body that is read as XML when asked for."""

    def __init__(self, raw: Any, manner: str) -> None:
        self.status: int = raw.status
        self.headers: dict[str, str] = raw.headers
        self.body: bytes = raw.body
        self.type: str = raw.content_type
        self.manner = manner

    @property
    def xml(self) -> Any:
        return etree.fromstring(self.body)

    @property
    def id(self) -> str:
        return str(self.xml.get("id"))

    def text(self, path: str) -> str | None:
        return self.xml.findtext(path)

    def detail(self) -> str:
        return self.xml.findtext(".//detail") or ""


class Engine:
    """A simulator in one version."""

    def __init__(self, version: tuple[int, int], api: str = "", **options: Any) -> None:
        number = version[0]
        self.clock = ManualClock()
        self.base = SHORT if number == 3 else LONG
        known = {key: options.pop(key) for key in ("hosts", "vms", "running") if key in options}
        versions = {"v3_version": version} if number == 3 else {"v4_version": version}
        self.settings = Settings(api=api or str(number), management="rhevm", **versions, **options)
        self.world = World(self.clock, epoch=1_700_000_000.0)
        dialect = self.settings.dialect(self.base, "")[0]
        assert dialect is not None
        self.dialect = dialect
        build(self.world, dialect, "rhevm", known.get("hosts", 2), known.get("vms", 3), known.get("running", 0))
        self.front = Front(Application(self.world, self.settings, b"PEM"), Plan())

    def plan(self, *rules: dict[str, Any]) -> None:
        self.front.plan = make(list(rules))
        self.front.plan.begin(self.world)

    def call(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        told = {"authorization": LOGIN, "accept": "application/xml", "content-type": "application/xml", **headers}
        target = path if path.startswith(("/ovirt", "/api", "/-", "/OvirtE", "/RHEVM", "/ca.crt")) else self.base + path
        outcome = self.front.handle(SimRequest(method, target, told, body.encode(), "10.1.2.3"))
        return Answer(outcome.raw, outcome.manner)

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: str = "<action/>") -> Answer:
        return self.call("POST", path, body)

    def put(self, path: str, body: str) -> Answer:
        return self.call("PUT", path, body)

    def delete(self, path: str, body: str = "") -> Answer:
        return self.call("DELETE", path, body)

    def id(self, kind: str, name: str) -> str:
        return str(self.world.by_name(kind, name)[0]["id"])

    def vm(self, name: str = "vm1") -> str:
        return f"/vms/{self.id('vm', name)}"

    def host(self, name: str = "rhevh1") -> str:
        return f"/hosts/{self.id('host', name)}"

    def status(self, path: str) -> str | None:
        answer = self.get(path)
        return answer.text("status/state") if self.dialect.number == 3 else answer.text("status")

    def later(self, seconds: float = 10) -> None:
        self.clock.advance(seconds)


#: One engine per generation whose behaviour differs.
VERSIONS = [(3, 0), (3, 2), (3, 3), (3, 6), (4, 2), (4, 5)]


@pytest.fixture(params=VERSIONS, ids=lambda version: f"{version[0]}.{version[1]}")
def engine(request: pytest.FixtureRequest) -> Engine:
    """A strict engine of each generation with two hosts and three machines."""
    return Engine(request.param, strict=True)


@pytest.fixture
def make_engine() -> type[Engine]:
    """The class, for tests that need an engine of their own."""
    return Engine
