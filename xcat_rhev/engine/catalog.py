"""Exact names: N names cost ceil(N / batch) searches, and references get their names from one list per kind."""

from __future__ import annotations

import builtins
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, TypeVar

from ..errors import Ambiguous, NotFound
from .calls import OURS, Calls
from .documents.dialect import ROWS
from .documents.noun import N
from .nouns import (
    AffinityGroup,
    Cluster,
    DataCenter,
    Disk,
    DiskImage,
    Event,
    FenceAgent,
    Host,
    HostNic,
    LevelCpus,
    Network,
    Nic,
    Noun,
    OperatingSystem,
    Ref,
    Statistic,
    Tag,
    Template,
    Vm,
    VnicProfile,
)
from .search import BATCH, batches, expressible, has_address, has_name, has_short_name, host_term, quote
from .templates import VERSIONED, Templates, label, parse_template

A = TypeVar("A")
B = TypeVar("B")

#: Kinds that came later, and the word for that; older engines have none.
_NEW: Mapping[type[Noun], str] = {
    VnicProfile: "vnic_profiles",
    OperatingSystem: "operating_systems",
    AffinityGroup: "affinity_groups",
}
#: Where v4 has a machine's disks.
_DISKS = "disk_attachments.disk"
#: More hosts than this are looked up in the list of all, which is short anyway.
_FEW_HOSTS = 20
#: The engine's numbers for "VM NAME was created by USER" and "VM NAME creation has been completed" (AuditLogType's
#: USER_ADD_VM, USER_ADD_VM_FINISHED_SUCCESS): an engine that is killed in between writes the second alone, when it is
#: back.
_MADE = frozenset({34, 53})
#: The engine's numbers for a VM that went off (VM_DOWN, VM_DOWN_ERROR), and for its change by the engine itself, done
#: or failed (SYSTEM_UPDATE_VM, SYSTEM_FAILED_UPDATE_VM).
_DOWN, _WRITTEN = frozenset({61, 119}), frozenset({253, 254})
#: The search language's word for events about a kind of thing.
_EVENT_WORDS = {
    "vm": "event_vm",
    "host": "event_host",
    "template": "event_template",
    "storage_domain": "event_storage",
    "data_center": "event_datacenter",
}


class Catalog:
    """What is there, by name, for the time of one request.

    Args:
        calls: Asks the manager.
        workers: How many requests at once.
        clusters: Names of clusters by id, as last seen by anybody on this connection.
    """

    def __init__(self, calls: Calls, workers: int, clusters: dict[str, str]) -> None:
        self._calls, self._workers, self._clusters = calls, workers, clusters
        self._lists: dict[tuple[type[Noun], str], dict[str, Any]] = {}
        self._levels: dict[str, LevelCpus] = {}
        self._locks: dict[tuple[type[Noun], str], threading.Lock] = {}
        self._guard = threading.Lock()

    def all(self, noun: type[N], under: Noun | None = None) -> dict[str, N]:
        """All things of a kind, or those in something, by id, asked for once."""
        key = noun, (under.id if under else None) or ""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._lists:
                self._lists[key] = {each.id: each for each in self.list(noun, under=under)}
            return self._lists[key]

    def forget(self, noun: type[Noun]) -> None:
        """A thing of that kind was made, changed or removed."""
        for key in [key for key in self._lists if key[0] is noun]:
            self._lists.pop(key, None)
        if noun is Cluster:
            self._clusters.clear()

    def name_of(self, noun: type[N], ref: Ref | None) -> str:
        """The name behind a reference; the id if it leads nowhere, nothing if there is none."""
        if not ref:
            return ""
        if ref.name:
            return ref.name
        found = self.all(noun).get(ref.id)
        return found.name if found else ref.id

    def template_label(self, ref: Ref | None) -> str:
        """What to write for a template so that it is found again: its name, and its version where it has several."""
        if not ref or not self._calls.dialect.since(VERSIONED):
            return self.name_of(Template, ref)
        known = self.all(Template)
        found = known.get(ref.id)
        return label(found, known.values()) if found else ref.name or ref.id

    def list(
        self,
        noun: type[N],
        *,
        under: Noun | Ref | None = None,
        where: str = "",
        details: bool = False,
        limit: int = 0,
        everything: bool = False,
        also: type[Noun] | None = None,
        only: Collection[str] = (),
    ) -> builtins.list[N]:
        """Read a collection, all of it; with details, with what else, and only what is wanted, as `look` has them."""
        if not self._calls.dialect.has(_NEW.get(noun, "always")):
            return []
        path = self._calls.collection(noun, under)
        inside = self._inside(noun, under is None, details, also) if details or also or noun is Disk else {}
        found = self._calls.list(noun, path, where, limit=limit, everything=everything, only=frozenset(only), **inside)
        if noun is Cluster:
            self._clusters.update((each.id, each.name) for each in found)
        return self._complete(found, noun, details, also)

    def is_in(self, vm: Vm, cluster: str) -> bool:
        """Whether a machine is in the cluster of that name, as far as is known without a request."""
        return vm.cluster is not None and cluster in (vm.cluster.name, self._clusters.get(vm.cluster.id))

    def look(
        self,
        noun: type[N],
        names: Iterable[str],
        *,
        details: bool = False,
        everything: bool = False,
        also: type[Noun] | None = None,
        only: Collection[str] = (),
        any_case: bool = False,
    ) -> builtins.list[N]:
        """Find things by exact name, with as few searches as do; one name may fit several.

        Args:
            noun: Of what.
            names: Names as they stand in the manager.
            details: For Vm: disks and NICs filled; for Host: NICs.
            everything: Also what engines leave out because it costs them more.
            also: Filled too: a Vm's Snapshot or Cdrom (before 4.2 a request each), a Host's FenceAgent (since 4.0).
            only: The attributes that are wanted besides name and id, in place of all; without details.
            any_case: Names in other letters as well, large for small; engines search so.
        """
        wanted = dict.fromkeys(names)
        if not wanted:
            return []
        word = noun.SEARCH_NAME
        more = {"details": details, "everything": everything, "also": also, "only": only}
        found = self._search(noun, builtins.list(wanted), lambda name: f"{word}={quote(name)}", **more)
        if any_case:
            wanted = dict.fromkeys(name.casefold() for name in wanted)
            return [each for each in found if each.name.casefold() in wanted]
        return [each for each in found if each.name in wanted]

    def find(
        self, noun: type[N], names: Iterable[str], *, details: bool = False, also: type[Noun] | None = None
    ) -> dict[str, N]:
        """Find things by exact name; those that are not there are missing in the answer.

        Hosts are known by name, by address, or by either without its domain; never by a part of it. Of a template's
        versions the newest is meant, unless another is named.

        Raises:
            Ambiguous: A name fits several.
        """
        wanted = builtins.list(dict.fromkeys(names))
        if issubclass(noun, Host):
            return self._find_hosts(noun, wanted, details, also)
        if issubclass(noun, Template):
            found = self.templates(wanted)
            return {name: one for name in wanted if (one := found.one(name)) is not None}  # type: ignore[misc]
        return _by_name(self.look(noun, wanted, details=details, also=also), wanted, self._calls.name)

    def templates(self, texts: Iterable[str]) -> Templates:
        """Find templates by what people call them: all versions, in all data centers."""
        wanted = [parse_template(text) for text in dict.fromkeys(texts)]
        if any(each.id for each in wanted):
            found = builtins.list(self.all(Template).values())
        else:
            found = self.look(Template, [each.name for each in wanted])
        return Templates(self._calls.name, found, self._home_of)

    def is_template(self, ref: Ref, text: str) -> bool:
        """Whether a text names the referenced template, in any data center."""
        wanted = parse_template(text)
        if ref.name and not (wanted.version or wanted.id):
            return ref.name == wanted.name
        found = self.all(Template).get(ref.id)
        return found is not None and wanted.fits(found, "")

    def _home_of(self, template: Template) -> Ref | None:
        id = self.center_of(template)
        return Ref(id, self.name_of(DataCenter, Ref(id))) if id else None

    def one(self, noun: type[N], name: str, *, data_center: str = "") -> N:
        """Find one thing by exact name.

        Args:
            noun: Of what.
            name: Its name.
            data_center: The name of the data center it must be in; empty for any.

        Raises:
            NotFound: No such thing.
            Ambiguous: Several.
        """
        if issubclass(noun, Template):
            one = self.templates([name]).one(f"{data_center}/{name}" if data_center else name)
            found: dict[str, Any] = {} if one is None else {name: one}
        elif data_center and noun is not DataCenter:
            found = _by_name(self._in(noun, name, data_center), [name], self._calls.name)
        else:
            found = self.find(noun, [name])
        if name not in found:
            where = f" in data center {data_center}" if data_center else ""
            raise NotFound(f"manager {self._calls.name} has no {noun.word()} {name}{where}")
        return found[name]  # type: ignore[no-any-return]

    def level(self, version: str) -> LevelCpus:
        """A compatibility level; the newest for none.

        Raises:
            NotFound: The manager knows no such level.
        """
        if not self._levels:
            found = {level.level: level for level in self.list(LevelCpus)}
            self._levels = {text: found[text] for text in sorted(found, key=_as_numbers)}
        levels = self._levels
        newest = next(reversed(levels), "")
        if (version or newest) not in levels:
            known = ", ".join(levels) or "none"
            raise NotFound(f"manager {self._calls.name} knows no compatibility level {version}", f"It knows {known}")
        return levels[version or newest]

    def events(self, about: Noun, limit: int) -> builtins.list[Event]:
        """The newest events about a thing; none for kinds that the search language has no word for."""
        word = _EVENT_WORDS.get(about.TAG)
        if not word or not expressible(about.name):
            return []
        return self._calls.list(Event, self._calls.collection(Event), f"{word}={quote(about.name)}", limit=limit)

    def is_made_by_us(self, vm: Vm) -> bool:
        """Whether a request of this product has made the machine; False, too, if the engine no longer shows it."""
        made = (
            event for event in self.events(vm, limit=1000) if event.code in _MADE and event.vm and event.vm.id == vm.id
        )
        return any((event.correlation or "").startswith(OURS) for event in made)

    def has_written(self, vm: Vm) -> bool | None:
        """See `Manager.has_written`."""
        codes = [event.code for event in self.events(vm, limit=20) if event.code in _DOWN | _WRITTEN]
        return codes[0] in _WRITTEN if codes else None

    def events_of(self, codes: Iterable[int], limit: int = 1000) -> builtins.list[Event]:
        """The newest events of some kinds, by the engine's numbers for them."""
        where = " or ".join(f"type={code}" for code in codes)
        return self._calls.list(Event, self._calls.collection(Event), where, limit=limit)

    def each(self, work: Callable[[A], B], over: Sequence[A]) -> builtins.list[B]:
        """Do several requests side by side, as many as the manager may get at once."""
        if len(over) < 2:
            return [work(one) for one in over]
        with ThreadPoolExecutor(min(self._workers, len(over)), "read") as pool:
            return builtins.list(pool.map(work, over))

    def _search(self, noun: type[N], names: Sequence[str], term: Callable[[str], str], **more: Any) -> builtins.list[N]:
        """Search in batches; what the search language cannot say is looked for in the list of all."""
        if not self._calls.searchable(noun) or not all(map(expressible, names)):
            return self.list(noun, **more)
        wheres = [*batches(names, term, BATCH if self._calls.dialect.has("unlimited") else ROWS - 1)]
        pages = self.each(lambda where: self.list(noun, where=where, **more), wheres)
        return [*{each.id: each for page in pages for each in page}.values()]

    def _find_hosts(self, noun: type[N], names: Sequence[str], details: bool, also: type[Noun] | None) -> dict[str, N]:
        """By name, address, or either without its domain, in that order."""
        if len(names) > _FEW_HOSTS:
            hosts = self.list(noun, details=details, also=also)
        else:
            hosts = self._search(noun, names, host_term, details=details, also=also)
        found: dict[str, N] = {}
        for name in names:
            for fits in (has_name, has_address, has_short_name):
                hits = {host.id: host for host in hosts if isinstance(host, Host) and fits(host, name)}
                if len(hits) > 1:
                    raise Ambiguous(f"manager {self._calls.name} has several hosts with the name {name}")
                if hits:
                    found[name] = hits.popitem()[1]
                    break
        return found

    def _in(self, noun: type[N], name: str, data_center: str) -> builtins.list[N]:
        """Things of that name in a data center; storage domains as the data center sees them, with their state."""
        center = self.one(DataCenter, data_center)
        hits = (
            [each for each in self.list(noun, under=center) if each.name == name]
            if noun.TAG == "storage_domain"
            else self.look(noun, [name])
        )
        if noun.TAG == "storage_domain":
            return hits
        return [each for each in hits if self.center_of(each) == center.id]

    def center_of(self, obj: Noun) -> str:
        """The id of the data center of a thing that is in one, or in a cluster of one; empty if unknown."""
        center = getattr(obj, "data_center", None)
        if center:
            return str(center.id)
        cluster = getattr(obj, "cluster", None)
        home = self.all(Cluster).get(cluster.id) if cluster else None
        return home.data_center.id if home and home.data_center else ""

    def _inside(self, noun: type[Noun], top: bool, details: bool, also: type[Noun] | None) -> dict[str, str]:
        """How to have sub-collections put inside a list's things, where that can be asked for."""
        follow = self._calls.dialect.has("follow")
        if noun is Vm and top:
            if follow:
                more = [_DISKS if also is Disk else also.PATH] if also else []
                return {"follow": ",".join([f"{_DISKS},nics"] * details + more)}
            inside = ["disks", "nics"] * details + ([also.PATH] if also in (Disk, Tag) else [])
            return {"detail": "; detail=".join(inside)} if inside and self._calls.dialect.major == 3 else {}
        if noun is Host and top and follow:
            followed = ["nics"] * details + [Statistic.PATH] * (also is Statistic)
            return {"follow": ",".join(followed)} if followed else {}
        return {"follow": "disk"} if noun is Disk and follow else {}

    def _complete(
        self, found: builtins.list[N], noun: type[N], details: bool, also: type[Noun] | None
    ) -> builtins.list[N]:
        """Ask for what the engine did not put inside, and name what is known by id alone."""
        if noun is Disk:
            return self._with_images(found)
        if noun is Nic or noun is HostNic:
            return [self.with_network_name(each) for each in found]
        if also:
            found = self.each(lambda each: self._with(each, also), found)
        if not details or noun is not Vm and noun is not Host:
            return found
        if len(found) == 1:
            return [self._with_details(each, self._with_images) for each in found]
        found = self.each(self._with_details, found)
        disks = [disk for vm in found if isinstance(vm, Vm) for disk in vm.disks or ()]
        known = {disk.id: disk for disk in self._with_images(disks)}
        return [self._with_disks(each, known) for each in found]

    def _with(self, obj: N, also: type[Noun]) -> N:
        """A thing with what else was wanted of it, asked for if the engine did not put it inside."""
        has = getattr(obj, also.PATH) is not None
        if isinstance(obj, Host) and also is FenceAgent:
            has = has or not obj.pm_enabled or bool(obj.pm_address)
        return obj if has else obj.replace(**{also.PATH: self.list(also, under=obj)})

    def _with_details(self, obj: N, told: Callable[[builtins.list[Disk]], builtins.list[Disk]] = builtins.list) -> N:
        if isinstance(obj, Vm):
            disks = told(self._attachments(obj) if obj.disks is None else builtins.list(obj.disks))
            nics = [
                self.with_network_name(nic) for nic in (self.list(Nic, under=obj) if obj.nics is None else obj.nics)
            ]
            return obj.replace(disks=disks, nics=nics)
        if isinstance(obj, Host):
            nics_of = self.list(HostNic, under=obj) if obj.nics is None else obj.nics
            return obj.replace(nics=[self.with_network_name(nic) for nic in nics_of])
        return obj

    def with_network_name(self, nic: N) -> N:
        """A NIC with its network's name; in v4 a VM's NIC has but a vNIC profile."""
        network: Ref | None = getattr(nic, "network", None)
        profile = nic.vnic_profile if isinstance(nic, Nic) else None
        if not network and profile and profile.id:
            seen = self.all(VnicProfile).get(profile.id)
            network = seen.network if seen else None
            nic = nic.replace(vnic_profile=Ref(profile.id, seen.name, profile.href)) if seen else nic
        if not network:
            return nic
        return nic.replace(network=Ref(network.id, self.name_of(Network, network), network.href))

    def _attachments(self, vm: Noun) -> builtins.list[Disk]:
        inside: dict[str, Any] = {**self._inside(Disk, False, False, None)}
        return self._calls.list(Disk, self._calls.collection(Disk, vm), **inside)

    def _with_disks(self, obj: N, known: Mapping[str, Disk]) -> N:
        if not isinstance(obj, Vm) or all(_is_told(disk) for disk in obj.disks or ()):
            return obj
        # A disk of several machines hangs on each in its own way.
        return obj.replace(disks=[_merge(disk, known[disk.id]) for disk in obj.disks or ()])

    def _with_images(self, found: builtins.list[N]) -> builtins.list[N]:
        """In v4 before 4.2 an attachment shows its disk by id alone: merge what the disks say about themselves."""
        lacking = {disk.id for disk in found if isinstance(disk, Disk) and not _is_told(disk)}
        if self._calls.dialect.major == 3 or not lacking:
            return found
        path = self._calls.collection(DiskImage)
        if len(lacking) == 1:
            images = [self._calls.get(DiskImage, f"{path}/{id}") for id in lacking]
        else:
            images = self._calls.list(DiskImage, path)
        known = {image.id: image for image in images}
        return [_merge(disk, known[disk.id]) if disk.id in known else disk for disk in found]


def _is_told(disk: Disk) -> bool:
    """Whether an attachment describes its disk. A LUN by itself has no size of its own."""
    return bool(disk.size or disk.lun_id)


def _merge(disk: N, image: Noun) -> N:
    """An attachment with what its disk says about itself."""
    said = {name: value for name, value in image.values().items() if name in Disk.FIELDS}
    return disk.replace(**{**said, **disk.values()})


def _as_numbers(level: str) -> list[int]:
    return [int(part) for part in level.split(".")]


def _by_name(found: Iterable[N], names: Iterable[str], manager: str) -> dict[str, N]:
    """Sort by name, refusing what is not unique."""
    result: dict[str, N] = {}
    wanted = set(names)
    for each in found:
        if each.name not in wanted:
            continue
        if each.name in result and result[each.name].id != each.id:
            raise Ambiguous(
                f"manager {manager} has several {each.word()}s named {each.name}", "Name the data center as well"
            )
        result[each.name] = each
    return result
