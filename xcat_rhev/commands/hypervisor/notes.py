"""What rolling work leaves open, as events of the manager: they outlive the program, and everybody can read them.

A cluster's scheduling policy is put back, machines that were shut down are started again, and turns that were cut off
go on, by whoever types the same command next, from whichever machine. Before 3.2 managers take no events: what is open
is then known to this run alone.
"""

from __future__ import annotations

import re
import secrets
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ...engine.manager import Manager
from ...engine.nouns import Cluster, Event, Host, Ref, Vm

ORIGIN = "xcat-rhev"
#: AuditLogType: an event of somebody else, of severity normal.
_OURS = 9801
_POLICY = re.compile(r"\[policy=(?P<id>[0-9a-fA-F-]{36})(?P<properties>( \w+=[^\s\]]*)*)\]$")
_POLICY_NOTE, _TURNS = "The scheduling policy ", "Turns "
_BEGIN, _DONE, _OVER = f"{_TURNS}begin: ", f"{_TURNS}go on after this host: ", f"{_TURNS}are over: "
_BACK, _STARTED = f"{_POLICY_NOTE}is back", "Started again"


def mark(says: str, hosts: Iterable[Host]) -> str:
    """What turns are called: the same work on the same hosts is called the same."""
    ids = ",".join(sorted(host.id for host in hosts))
    return f"{says} {zlib.crc32(ids.encode()):08x}"


@dataclass(frozen=True)
class KeptPolicy:
    """The scheduling policy that a cluster shall have again.

    Attributes:
        id: The policy's.
        properties: Its values in the cluster.
    """

    id: str
    properties: dict[str, str]


@dataclass
class Notes:
    """Reads and writes them.

    Args:
        manager: Keeps them.

    Attributes:
        own: What this run has written, newest last, for managers that take no events.
    """

    manager: Manager
    own: list[Event] = field(default_factory=list)

    def turns_done(self, cluster: Cluster, turns: str) -> set[str] | None:
        """The hosts that had their turns, by id; None if no such turns are open.

        Args:
            cluster: Theirs.
            turns: What they are, as `mark` gives it.
        """
        done: set[str] = set()
        for event in self._newest():
            text = (event.description or "").partition(": ")[2]
            if event.cluster is None or event.cluster.id != cluster.id or not text.startswith(_TURNS):
                continue
            if text == _DONE + turns and event.host:
                done.add(event.host.id)
            else:
                return done if text == _BEGIN + turns else None
        return None

    def turns_begin(self, cluster: Cluster, turns: str) -> None:
        """Note that turns begin."""
        self._write(_BEGIN + turns, cluster=cluster.ref)

    def turn_is_done(self, host: Host, turns: str) -> None:
        """Note that a host had its turn."""
        self._write(_DONE + turns, host=host.ref, cluster=host.cluster)

    def turns_are_over(self, cluster: Cluster, turns: str) -> None:
        """Note that all hosts had their turns."""
        self._write(_OVER + turns, cluster=cluster.ref)

    def keep_policy(self, cluster: Cluster, name: str) -> None:
        """Note which policy a cluster has, before it gets another for the time of the work."""
        assert cluster.scheduling_policy is not None, "a cluster without a policy has none to keep"
        properties = "".join(f" {key}={value}" for key, value in sorted((cluster.policy_properties or {}).items()))
        text = f"{_POLICY_NOTE}{name} comes back when the work on hosts is done"
        self._write(f"{text} [policy={cluster.scheduling_policy.id}{properties}]", cluster=cluster.ref)

    def policy_is_back(self, cluster: Cluster) -> None:
        """Note that a cluster has its policy again."""
        self._write(_BACK, cluster=cluster.ref)

    def kept_policy(self, cluster: Cluster) -> KeptPolicy | None:
        """The policy that a cluster shall have again; None if nothing is open."""
        for event in self._newest():
            text = (event.description or "").partition(": ")[2]
            if event.cluster and event.cluster.id == cluster.id and text.startswith(_POLICY_NOTE):
                found = _POLICY.search(text)
                pairs = (pair.partition("=") for pair in found["properties"].split()) if found else ()
                return KeptPolicy(found["id"], {key: value for key, _, value in pairs}) if found else None
        return None

    def shut_down(self, vm: Vm, host: Host) -> None:
        """Note that a machine is shut down for the work on its host."""
        self._write("Shut down for work on its host", vm=vm.ref, host=host.ref, cluster=host.cluster)

    def is_started(self, vm: Ref) -> None:
        """Note that a machine is started again, or that nobody has to."""
        self._write(_STARTED, vm=vm)

    def machines_to_start(self, cluster: Cluster) -> list[Ref]:
        """The machines of a cluster's hosts that are to be started again."""
        open_: dict[str, Ref | None] = {}
        for event in self._newest():
            if event.vm is not None and event.vm.id not in open_:
                mine = event.cluster is not None and event.cluster.id == cluster.id
                open_[event.vm.id] = event.vm if mine and event.description != f"{ORIGIN}: {_STARTED}" else None
        return [vm for vm in open_.values() if vm is not None]

    def _newest(self) -> Iterator[Event]:
        if not self.manager.takes_events:
            yield from reversed(self.own)
            return
        found = [each for each in self.manager.events_of([_OURS]) if each.origin == ORIGIN]
        yield from sorted(found, key=lambda each: int(each.id or 0), reverse=True)

    def _write(self, text: str, **about: Ref | None) -> None:
        event = Event(
            description=f"{ORIGIN}: {text}", severity="normal", origin=ORIGIN, custom_id=secrets.randbits(30), **about
        )
        if self.manager.takes_events:
            self.manager.create(event)
        else:
            self.own.append(event)
