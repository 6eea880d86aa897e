"""A simulated engine in this process that has what recorded documents show, with their ids."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from facts import parsed
from lxml import etree

from xcat_rhev.clock import SystemClock
from xcat_rhev.sim import build, render
from xcat_rhev.sim.answers import Raw
from xcat_rhev.sim.app import Application, SimRequest
from xcat_rhev.sim.call import SHAPES
from xcat_rhev.sim.resources.clusters import USUAL
from xcat_rhev.sim.resources.hostnics import bring_parts
from xcat_rhev.sim.resources.hostshape import hardware
from xcat_rhev.sim.resources.vmshape import BLANK
from xcat_rhev.sim.settings import LONG, Settings
from xcat_rhev.sim.world import World

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LOGIN = "Basic " + base64.b64encode(b"admin@internal:secret").decode()


class LeapingClock(SystemClock):
    """A clock that stands until it is told to leap."""

    def __init__(self) -> None:
        self.moment = 1000.0

    def now(self) -> float:
        return self.moment

    def leap(self, seconds: float) -> None:
        self.moment += seconds


class Seeded:
    """A simulator without a socket whose next ids can be chosen.

    Args:
        api: 3 or 4.
        version: The engine version that it pretends.
        hosts: So many hosts, with a data domain.
        strict: As `--strict`.
    """

    def __init__(self, api: int, version: tuple[int, int], hosts: int = 0, strict: bool = False) -> None:
        told = {"v3_version": min(version, (3, 6))} if api == 3 else {"v4_version": version}
        if version >= (4, 0):
            told["v4_version"] = version
        self.settings = Settings(api="both", strict=strict, **told)
        self.api = api
        self.clock = LeapingClock()
        self.world = World(self.clock)
        self.dialect = self.settings.dialect(LONG, str(api))[0]
        assert self.dialect is not None
        build.build(self.world, self.dialect, "ovirtmgmt", hosts)
        self.app = Application(self.world, self.settings)
        self._ids: list[str] = []
        self._own_id: Callable[[], str] = self.world.new_id
        self.world.new_id = self._next_id  # type: ignore[method-assign]

    def _next_id(self) -> str:
        return self._ids.pop() if self._ids else self._own_id()

    def call(self, method: str, path: str, body: str = "", headers: Any = None, made: str = "") -> Raw:
        """Answer one request; what it makes gets the id that is given."""
        self._ids = [made] if made else []
        told = {"authorization": _LOGIN, "version": str(self.api), "host": "localhost"}
        told.update({name.lower(): value for name, value in (headers or {}).items()})
        try:
            answer = self.app.answer(SimRequest(method, path, told, body.encode()))
        except Exception as error:  # as over HTTP: the program goes on
            answer = Raw(f"<fault><reason>simulator</reason><detail>{error!r}</detail></fault>".encode(), 599)
        self._ids = []
        return answer

    # seeding ---------------------------------------------------------------------------------------------------------

    def seed(self, documents: Iterable[Any]) -> None:
        """Take in what documents show; what is there already by its id, or is the installation's own, is changed."""
        for document in documents:
            kind = _kind(document)
            if kind:
                self._seed_one(kind, document)

    def _seed_one(self, kind: str, document: Any) -> None:
        assert self.dialect is not None
        values, _ = render.read(SHAPES[kind], self.dialect, _lenient(document))
        dates = {one.key for one in SHAPES[kind].fields if one.kind == "date"}
        values = {key: _moment(value) if key in dates else _plain(value) for key, value in values.items()}
        values.update(_owners(document.get("href") or "", kind))
        values["id"] = document.get("id")
        for owner in {"data_center", "cluster", "network"} & set(values):
            if self.world.get(owner, values[owner]) is None and owner != kind:
                values[owner] = next(iter(self.world.things[owner]))
        if self.world.get("network", values.get("management_network")) is None:
            values.pop("management_network", None)
        there = self.world.get(kind, values["id"]) or self._standing(kind, values)
        if there is None and kind == "cluster":
            center = self.world.exactly("data_center", "Default")
            values.setdefault("data_center", center["id"])
            values.update(major=values.get("major", center["major"]), minor=values.get("minor", center["minor"]))
        if there is None:
            if kind == "storage_domain":
                values.setdefault("data_center", next(iter(self.world.things["data_center"])))
            if kind == "host":
                values.setdefault("cluster", next(iter(self.world.things["cluster"])))
                values.setdefault("address", "host.example.com")
            made = self.world.add(kind, **{**_usual(kind), **values})
            if kind == "host":
                bring_parts(self.world, made)
        else:
            if there["id"] != values["id"]:
                there = self._rename(there, values["id"])
            self.world.change(there, **{key: value for key, value in values.items() if key != "id" and value != ""})

    def _standing(self, kind: str, values: Any) -> Any:
        """The installation's own thing that a document is about: `Default`, the management network, its profile."""
        name = values.get("name")
        own = name in {"Default", "ovirtmgmt", "data1", "Blank"} or str(name).startswith("fakehost")
        return self.world.exactly(kind, name) if own and kind != "tag" else None

    def _rename(self, thing: Any, new: str) -> Any:
        """Give a thing another id, also where others refer to it."""
        old = thing["id"]
        for things in list(self.world.things.values()):
            for one in list(things.values()):
                changes = {key: new for key, value in one.items() if value == old and key != "id"}
                if changes:
                    self.world.change(one, **changes)
        self.world.remove(thing)
        self.world.put({**thing, "id": new})
        return self.world.get(thing["kind"], new)


#: What things are made of that no document tells.
_USUAL: dict[str, Any] = {
    "cluster": USUAL,
    "network": {"usages": ["vm"], "stp": False, "mtu": 0, "vm_network": True},
    "vm": {**BLANK, "description": "", "next_run": {}, "status": "down"},
    "host": {"spm": False},
    "storage_domain": {"status": "active"},
}


def _usual(kind: str) -> dict[str, Any]:
    return {**hardware("made", 7), "status": "up"} if kind == "host" else _USUAL.get(kind, {})


_OWNERS = {"vms": "vm", "hosts": "host", "clusters": "cluster", "templates": "template", "datacenters": "data_center"}


def _kind(document: Any) -> str:
    """The kind of thing that a document is of, if the simulator knows it."""
    tags = {shape.tag: kind for kind, shape in SHAPES.items()}
    tags.update({"nic": "nic", "host": "host", "vm": "vm", "network": "network", "storage_domain": "storage_domain"})
    if not document.get("id") or not document.get("href"):
        return ""
    kind = tags.get(document.tag, "")
    return kind if kind and kind in SEEDED else ""


#: What is taken in; the rest is part of these.
SEEDED = frozenset(
    "data_center cluster host network vnic_profile storage_domain template vm tag nic disk snapshot".split()
)


def _owners(href: str, kind: str) -> dict[str, str]:
    """Whose a thing is, by its address."""
    steps = href.split("/api/")[-1].split("/")
    return (
        {_OWNERS[steps[0]]: steps[1]} if len(steps) == 4 and steps[0] in _OWNERS and _OWNERS[steps[0]] != kind else {}
    )


def _moment(text: str) -> float:
    """Seconds since 1970."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _plain(value: Any) -> Any:
    """A reference as the world holds it: the id alone."""
    if isinstance(value, dict) and set(value) <= {"id", "name"}:
        return value.get("id") or value.get("name")
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _lenient(document: Any) -> Any:
    """A copy without what is empty, so that no number is read from nothing."""
    copy = etree.fromstring(etree.tostring(document))
    for element in [one for one in copy.iter(etree.Element) if not len(one) and not (one.text or "").strip()]:
        if element.getparent() is not None and not element.attrib and element.tag not in {"description", "comment"}:
            element.getparent().remove(element)
    return copy


def shown(body: str) -> list[Any]:
    """The things that an answer shows: itself, or those in its list."""
    document = parsed(body.encode())
    if document is None:
        return []
    return [document] if document.get("id") else [child for child in document if isinstance(child.tag, str)]
