"""The engine's data: things with names, ids and owners; their states move when somebody looks."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path as Folder
from random import Random
from typing import Any

from ..clock import Clock, SystemClock
from .dialect import SimDialect, Thing
from .render import PLACES
from .states import EFFECTS, FAILURE_CODES, FAILURES, Path, Schedule, delays

ZERO = "00000000-0000-0000-0000-000000000000"
MIB = 1 << 20

#: Kind -> the keys by which things are found under their owners.
OWNERS: dict[str, tuple[str, ...]] = {
    "vm": ("host", "template", "cluster"),
    "disk": ("vm", "template", "storage_domain"),
    "nic": ("vm", "template", "mac"),
    "sharing": ("vm", "disk"),
    "snapshot": ("vm",),
    "vm_numa_node": ("vm",),
    "vm_host_device": ("vm",),
    "vm_mediated_device": ("vm",),
    "host": ("cluster",),
    "host_nic": ("host",),
    "attachment": ("host", "host_nic", "network"),
    "agent": ("host",),
    "cluster": ("data_center",),
    "network": ("data_center",),
    "cluster_network": ("cluster", "network"),
    "vnic_profile": ("network",),
    "storage_domain": ("data_center",),
    "template": ("cluster",),
    "tagging": ("tag", "owner"),
    "affinity_group": ("cluster",),
    "quota": ("data_center",),
    "quota_cluster_limit": ("quota",),
    "quota_storage_limit": ("quota",),
    "qos": ("data_center",),
    "disk_profile": ("storage_domain",),
    "vm_pool": ("cluster", "template"),
    "permit": ("role",),
    "permission": ("user", "group", "role", "object"),
    "image_transfer": ("of_disk",),
    "backup": ("vm",),
    "checkpoint": ("vm",),
    "policy_use": ("scheduling_policy",),
    "gluster_volume": ("cluster",),
    "gluster_brick": ("gluster_volume",),
}
KINDS = (
    *(*OWNERS, "data_center", "mac_pool", "tag", "event", "job", "storage_connection", "leftover"),
    *("affinity_label", "instance_type", "role", "user", "group", "scheduling_policy", "scheduling_policy_unit"),
    *("external_host_provider", "openstack_image_provider", "openstack_network_provider", "openstack_volume_provider"),
)
#: What goes when its owner does: kind -> (kind, key).
GOES_ALONG: dict[str, tuple[tuple[str, str], ...]] = {
    "data_center": (("quota", "data_center"), ("qos", "data_center")),
    "quota": (("quota_cluster_limit", "quota"), ("quota_storage_limit", "quota")),
    "storage_domain": (("disk_profile", "storage_domain"),),
    "cluster": (("affinity_group", "cluster"), ("gluster_volume", "cluster")),
    "gluster_volume": (("gluster_brick", "gluster_volume"),),
    "vm": (("vm_numa_node", "vm"), ("vm_host_device", "vm"), ("vm_mediated_device", "vm")),
    "role": (("permit", "role"),),
    "user": (("permission", "user"),),
    "scheduling_policy": (("policy_use", "scheduling_policy"),),
}
#: What comes with each new thing of a kind.
COMES_ALONG: dict[str, Callable[[Any, Thing], object]] = {}
#: Kinds whose address is under an owner: kind -> (path before, owner's key, path between).
UNDER = {
    "qos": ("datacenters", "data_center", "qoss"),
    "quota": ("datacenters", "data_center", "quotas"),
    "host_nic": ("hosts", "host", "nics"),
    "nic": ("vms", "vm", "nics"),
    "snapshot": ("vms", "vm", "snapshots"),
    "attachment": ("hosts", "host", "networkattachments"),
    "agent": ("hosts", "host", "fenceagents"),
    "affinity_group": ("clusters", "cluster", "affinitygroups"),
    "gluster_volume": ("clusters", "cluster", "glustervolumes"),
}
#: Who does everything here.
ROOT_USER = "fdfc627c-d875-11e0-90f0-83df133b58cc"
#: The directory that every engine has.
INTERNAL = "696E7465726E616C2D617574687A"
_BY = {"user": ROOT_USER, "user_name": "admin@internal-authz"}
KEPT_EVENTS, KEPT_JOBS = 5000, 1000


def _failure(operation: str, verdict: str) -> Thing:
    """How an operation ends that fails."""
    return {"failed": verdict, "code": FAILURE_CODES.get(operation, 119)}


class World:
    """Everything that the engine knows.

    All methods are called with `lock` held, which the application takes for each request.

    Args:
        clock: Where time comes from.
        seed: Ids grow from it.
        paths: The table of states and delays.
        epoch: The date at which the clock starts, seconds since 1970; now if not given.

    Attributes:
        commit: Called after each request that changes something, before it is answered.
        kept_in: The folder for what is on its disks; None for one that goes when it ends.
        images: The daemon that sends and takes images; None where there is none.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        seed: int = 0,
        paths: dict[str, Path] | None = None,
        epoch: float | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.commit: Callable[[], None] = lambda: None
        self.images: Any = None
        self.kept_in: Folder | None = None
        self.clock = clock or SystemClock()
        self.random = Random(seed)  # noqa: S311  (a made-up world has nothing to hide)
        self.paths = paths or delays()
        self.schedule = Schedule()
        self.things: dict[str, dict[str, Thing]] = {kind: {} for kind in KINDS}
        self.dirty: dict[tuple[str, str], None] = {}
        self.verdict: Any = lambda operation, thing: ""
        self.correlation = ""
        self.meta: Thing = {"events": 0, "mac": 0, "codes": 0}
        self._moment: float | None = None
        self._shift = (time.time() if epoch is None else epoch) - self.clock.now()
        self._names: dict[tuple[str, str], dict[str, None]] = {}
        self._owned: dict[tuple[str, str, str], dict[str, None]] = {}

    # time ------------------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """Give the world's date in seconds since 1970; while it catches up, the date of what is happening."""
        return self.clock.now() + self._shift if self._moment is None else self._moment

    def resume_at(self, moment: float) -> None:
        """Go on at a date that a state file holds."""
        self._shift = moment - self.clock.now()

    def settle(self) -> None:
        """Let everything happen that is due."""
        try:
            for due, _, kind, thing_id, turn, rest, end in self.schedule.due(self.now()):
                thing = self.things[kind].get(thing_id)
                if thing is not None and thing["turn"] == turn:
                    self._moment = due
                    self._enter(thing, rest, end)
        finally:
            self._moment = None

    def move(self, thing: Thing, operation: str, **end: Any) -> None:
        """Start an operation which takes a thing through states.

        Args:
            thing: Its `status` moves; an operation that is under way is forgotten.
            operation: A key of `states.PATHS`.
            **end: What else changes when the last state is reached; `effect` names a function of `states.EFFECTS`.
        """
        thing["turn"] += 1
        path = self.paths[operation]
        verdict = self.verdict(operation, thing)
        if verdict == "never":
            path = tuple((word, 1e12) for word, _ in path)
        elif verdict:
            path, end = (*path[:-1], (FAILURES.get(operation, "down"), 0)), _failure(operation, verdict)
        self._enter(thing, list(path), end)

    def _enter(self, thing: Thing, rest: list[Any], end: Thing) -> None:
        (word, seconds), rest = rest[0], rest[1:]
        if not rest:
            self._arrive(thing, word, end)
            return
        self.change(thing, status=word)
        if seconds > 0:
            self.schedule.add(self.now() + seconds, thing, tuple(rest), end)
            self.dirty[thing["kind"], thing["id"]] = None
        else:
            self._enter(thing, rest, end)

    def _arrive(self, thing: Thing, word: str, end: Thing) -> None:
        changes = {key: value for key, value in end.items() if key not in {"effect", "failed", "code"}}
        if word:
            changes["status"] = word
        self.change(thing, **changes)
        if end.get("failed"):
            self.event(end.get("code", 119), "error", end["failed"], **{thing["kind"]: thing["id"]})
        elif end.get("effect"):
            EFFECTS[end["effect"]](self, thing, end)

    # things ----------------------------------------------------------------------------------------------------------

    def new_id(self) -> str:
        """Give an id that nothing else has."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def add(self, kind: str, **values: Any) -> Thing:
        """Put a new thing into the world and give it an id, unless it brings one."""
        thing: Thing = {"kind": kind, "id": values.pop("id", None) or self.new_id(), "v": 0, "turn": 0, **values}
        self.put(thing)
        if kind in COMES_ALONG:
            COMES_ALONG[kind](self, thing)
        return thing

    def put(self, thing: Thing) -> None:
        """Take a thing in as it is, e.g. from a state file."""
        kind, thing_id = thing["kind"], thing["id"]
        self.things[kind][thing_id] = thing
        self._index(thing, ("name", *OWNERS.get(kind, ())))
        self.dirty[kind, thing_id] = None

    def change(self, thing: Thing, **values: Any) -> None:
        """Change a thing; indexes follow."""
        keys = [
            key for key in ("name", *OWNERS.get(thing["kind"], ())) if key in values and values[key] != thing.get(key)
        ]
        self._forget(thing, keys)
        thing.update(values)
        thing["v"] += 1
        self._index(thing, keys)
        self.dirty[thing["kind"], thing["id"]] = None

    def remove(self, thing: Thing) -> None:
        """Take a thing out of the world, with what cannot be without it."""
        for kind, key in GOES_ALONG.get(thing["kind"], ()):
            for one in self.of(kind, key, thing["id"]):
                self.remove(one)
        self._forget(thing, ("name", *OWNERS.get(thing["kind"], ())))
        del self.things[thing["kind"]][thing["id"]]
        self.dirty[thing["kind"], thing["id"]] = None

    def _index(self, thing: Thing, keys: Iterable[str]) -> None:
        for key in keys:
            value = thing.get(key)
            if value and key == "name":
                self._names.setdefault((thing["kind"], value.lower()), {})[thing["id"]] = None
            elif value:
                self._owned.setdefault((thing["kind"], key, value), {})[thing["id"]] = None

    def _forget(self, thing: Thing, keys: Iterable[str]) -> None:
        for key in keys:
            value = thing.get(key)
            if value and key == "name":
                self._names.get((thing["kind"], value.lower()), {}).pop(thing["id"], None)
            elif value:
                self._owned.get((thing["kind"], key, value), {}).pop(thing["id"], None)

    # looking ---------------------------------------------------------------------------------------------------------

    def get(self, kind: str, thing_id: str | None) -> Thing | None:
        """Give a thing by its id."""
        return self.things[kind].get(thing_id or "")

    def the(self, kind: str, thing_id: str | None) -> Thing:
        """Give a thing that must exist."""
        return self.things[kind][thing_id or ""]

    def all(self, kind: str) -> list[Thing]:
        """Give all things of a kind in the order in which they came."""
        return list(self.things[kind].values())

    def of(self, kind: str, key: str, owner: str | None) -> list[Thing]:
        """Give the things of a kind whose `key` is that owner."""
        mine = self._owned.get((kind, key, owner or ""), {})
        return [self.things[kind][one] for one in mine]

    def count(self, kind: str, key: str, owner: str | None) -> int:
        """Count the things of a kind whose `key` is that owner."""
        return len(self._owned.get((kind, key, owner or ""), ()))

    def by_name(self, kind: str, name: str) -> list[Thing]:
        """Give the things of a kind with that name, whatever the case."""
        return [self.things[kind][one] for one in self._names.get((kind, name.lower()), {})]

    def exactly(self, kind: str, name: str, **where: Any) -> Thing | None:
        """Give the first thing with exactly that name (and those values)."""
        for one in self.by_name(kind, name):
            if one["name"] == name and all(one.get(key) == value for key, value in where.items()):
                return one
        return None

    def address(self, dialect: SimDialect, kind: str, thing_id: str) -> str:
        """Give the href of a thing, or nothing if it has no address."""
        if kind in PLACES:
            return f"{dialect.base}/{PLACES[kind]}/{thing_id}"
        thing = self.get(kind, thing_id) if kind in UNDER else None
        if thing is None:
            return ""
        before, key, between = UNDER[kind]
        return f"{dialect.base}/{before}/{thing[key]}/{between}/{thing_id}"

    # MAC addresses, events, jobs -------------------------------------------------------------------------------------

    def free_mac(self) -> str:
        """Take the next MAC address of the pool; a world larger than the default range goes on behind it."""
        while True:
            number = 0x001A4A160151 + self.meta["mac"]
            self.meta["mac"] += 1
            mac = ":".join(f"{number:012x}"[at : at + 2] for at in range(0, 12, 2))
            if not self.of("nic", "mac", mac):
                return mac

    def event(self, code: int, severity: str, text: str, **about: str) -> Thing:
        """Write down that something happened.

        Args:
            code: The engine's number for it.
            severity: normal, warning, error or alert.
            text: What a person reads.
            **about: Kind of thing -> id.
        """
        self.meta["events"] += 1
        things = {kind: self.things[kind].get(id) for kind, id in about.items()}
        names = {f"{kind}_name": thing["name"] for kind, thing in things.items() if thing}
        kept = self.things["event"]
        if len(kept) >= KEPT_EVENTS:
            self.remove(next(iter(kept.values())))
        return self.add(
            "event",
            id=str(self.meta["events"]),
            code=code,
            severity=severity,
            description=text,
            time=self.now(),
            correlation_id=self.correlation or None,
            **{"origin": "oVirt", "custom_id": -1, "flood_rate": 0, "index": self.meta["events"]},
            **{**_BY, **about, **names},
        )

    def job(self, text: str) -> Thing:
        """Write down a job, finished as soon as it was accepted."""
        kept = self.things["job"]
        if len(kept) >= KEPT_JOBS:
            self.remove(next(iter(kept.values())))
        now = self.now()
        return self.add(
            "job",
            description=text,
            status="finished",
            start_time=now,
            end_time=now,
            last_updated=now,
            external=False,
            auto_cleared=True,
            correlation_id=self.correlation or None,
        )
