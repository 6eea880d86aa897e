"""Exact names: N names cost ceil(N / batch) searches, and references get their names from one list per kind."""

from __future__ import annotations

import builtins
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, TypeVar

from ..errors import Ambiguous, NotFound
from .calls import Calls
from .dialect import ROWS, percent
from .nouns import (
    Cluster,
    DataCenter,
    Disk,
    DiskImage,
    Event,
    Host,
    HostNic,
    LevelCpus,
    Network,
    Nic,
    Noun,
    Ref,
    Template,
    Vm,
    VnicProfile,
)
from .nouns_base import N

A = TypeVar("A")
B = TypeVar("B")

#: Names in one search; engines that cut lists get one less than they cut at, which says that there is no second page.
BATCH = 125
#: Bytes of an encoded search; Apache takes 8190 for the whole line.
LONGEST = 4096
#: More hosts than this are looked up in the list of all, which is short anyway.
_FEW_HOSTS = 20
#: The search language's word for events about a kind of thing.
_EVENT_WORDS = {
    "vm": "event_vm", "host": "event_host", "template": "event_template", "storage_domain": "event_storage",
    "data_center": "event_datacenter",
}


def expressible(name: str) -> bool:
    """Can the search language say this name? Its parser stops at quotes and semicolons (SyntaxChecker, 3.0 to 4.5)."""
    return name.isprintable() and bool(name) and not set(name) & set("\"';\\")


def quoted(name: str) -> str:
    """A name as a value of the search language; quoted always, for it may be one of its words."""
    return f'"{name}"'


def batches(names: Sequence[str], term: Callable[[str], str], most: int = BATCH) -> Iterator[str]:
    """Join names to as few searches as fit.

    Args:
        names: All expressible.
        term: Makes one condition of a name.
        most: Names in one search.
    """
    terms: list[str] = []
    length = 0
    for name in names:
        one = term(name)
        size = len(percent(one)) + len("%20or%20")
        if terms and (len(terms) >= most or length + size > LONGEST):
            yield " or ".join(terms)
            terms, length = [], 0
        terms.append(one)
        length += size
    if terms:
        yield " or ".join(terms)


class Catalog:
    """What is there, by name, for the time of one request.

    Args:
        calls: Asks the manager.
        workers: How many requests at once.
    """

    def __init__(self, calls: Calls, workers: int) -> None:
        self._calls, self._workers = calls, workers
        self._lists: dict[type[Noun], dict[str, Any]] = {}
        self._locks: dict[type[Noun], threading.Lock] = {}
        self._guard = threading.Lock()

    def all(self, noun: type[N]) -> dict[str, N]:
        """All things of a kind by id, asked for once."""
        with self._guard:
            lock = self._locks.setdefault(noun, threading.Lock())
        with lock:
            if noun not in self._lists:
                self._lists[noun] = {each.id: each for each in self.list(noun)}
            return self._lists[noun]

    def forget(self, noun: type[Noun]) -> None:
        """A thing of that kind was made, changed or removed."""
        self._lists.pop(noun, None)

    def name_of(self, noun: type[N], ref: Ref | None) -> str:
        """The name behind a reference; the id if it leads nowhere, nothing if there is none."""
        if not ref:
            return ""
        if ref.name:
            return ref.name
        found = self.all(noun).get(ref.id)
        return found.name if found else ref.id

    def list(
        self, noun: type[N], *, under: Noun | Ref | None = None, where: str = "", details: bool = False, max: int = 0,
        everything: bool = False, also: type[Noun] | None = None, only: Collection[str] = (),
    ) -> builtins.list[N]:
        """Read a collection, all of it; with details, with what else, and only what is wanted, as `look` has them."""
        if noun is VnicProfile and not self._calls.dialect.has("vnic_profiles"):
            return []
        path = self._calls.collection(noun, under)
        inside = self._inside(noun, under is None, details, also) if details or also or noun is Disk else {}
        found = self._calls.list(
            noun, path, where, max=max, everything=everything, only=frozenset(only), **inside
        )
        return self._complete(found, noun, details, also)

    def look(
        self, noun: type[N], names: Iterable[str], *, details: bool = False, everything: bool = False,
        also: type[Noun] | None = None, only: Collection[str] = (),
    ) -> builtins.list[N]:
        """Find things by exact name, with as few searches as do; one name may fit several.

        Args:
            noun: Of what.
            names: Names as they stand in the manager.
            details: For Vm: disks and NICs filled; for Host: NICs.
            everything: Also what engines leave out because it costs them more.
            also: Filled too: a Vm's Snapshot or Cdrom (before 4.2 a request each), a Host's FenceAgent (since 4.0).
            only: The attributes that are wanted besides name and id, in place of all; without details.
        """
        wanted = dict.fromkeys(names)
        if not wanted:
            return []
        word = noun.SEARCH_NAME
        more = {"details": details, "everything": everything, "also": also, "only": only}
        found = self._search(noun, builtins.list(wanted), lambda name: f"{word}={quoted(name)}", **more)
        return [each for each in found if each.name in wanted]

    def find(
        self, noun: type[N], names: Iterable[str], *, details: bool = False, also: type[Noun] | None = None
    ) -> dict[str, N]:
        """Find things by exact name; those that are not there are missing in the answer.

        Hosts are known by name, by address, or by either without its domain; never by a part of it.

        Raises:
            Ambiguous: A name fits several.
        """
        wanted = builtins.list(dict.fromkeys(names))
        if issubclass(noun, Host):
            return self._find_hosts(noun, wanted, details, also)
        found = self.look(noun, wanted, details=details, also=also)
        return _by_name(self._original(found), wanted, self._calls.name)

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
        if data_center and noun is not DataCenter:
            found = _by_name(self._in(noun, name, data_center), [name], self._calls.name)
        else:
            found = self.find(noun, [name])
        if name not in found:
            where = f" in data center {data_center}" if data_center else ""
            raise NotFound(f"manager {self._calls.name} has no {noun.word()} {name}{where}")
        return found[name]

    def level(self, version: str) -> LevelCpus:
        """A compatibility level; the newest for none.

        Raises:
            NotFound: The manager knows no such level.
        """
        levels = {level.level: level for level in self.list(LevelCpus)}
        newest = max(levels, key=lambda text: [int(part) for part in text.split(".")], default="")
        if (version or newest) not in levels:
            known = ", ".join(levels) or "none"
            raise NotFound(f"manager {self._calls.name} knows no compatibility level {version}", f"It knows {known}")
        return levels[version or newest]

    def events(self, about: Noun, limit: int) -> builtins.list[Event]:
        """The newest events about a thing; none for kinds that the search language has no word for."""
        word = _EVENT_WORDS.get(about.TAG)
        if not word or not expressible(about.name):
            return []
        return self._calls.list(Event, self._calls.collection(Event), f"{word}={quoted(about.name)}", max=limit)

    def each(self, work: Callable[[A], B], over: Sequence[A]) -> builtins.list[B]:
        """Do several requests side by side, as many as the manager may get at once."""
        if len(over) < 2:
            return [work(one) for one in over]
        with ThreadPoolExecutor(min(self._workers, len(over)), "read") as pool:
            return builtins.list(pool.map(work, over))

    def _search(
        self, noun: type[N], names: Sequence[str], term: Callable[[str], str], **more: Any
    ) -> builtins.list[N]:
        """Search in batches; what the search language cannot say is looked for in the list of all."""
        if not self._calls.searchable(noun) or not all(map(expressible, names)):
            return self.list(noun, **more)
        wheres = [*batches(names, term, BATCH if self._calls.dialect.has("unlimited") else ROWS - 1)]
        pages = self.each(lambda where: self.list(noun, where=where, **more), wheres)
        return [*{each.id: each for page in pages for each in page}.values()]

    def _find_hosts(
        self, noun: type[N], names: Sequence[str], details: bool, also: type[Noun] | None
    ) -> dict[str, N]:
        """By name, address, or either without its domain, in that order."""
        if len(names) > _FEW_HOSTS:
            hosts = self.list(noun, details=details, also=also)
        else:
            hosts = self._search(noun, names, _host_term, details=details, also=also)
        found: dict[str, N] = {}
        for name in names:
            for fits in (_named, _addressed, _short):
                hits = {host.id: host for host in hosts if isinstance(host, Host) and fits(host, name)}
                if len(hits) > 1:
                    raise Ambiguous(f"manager {self._calls.name} has several hosts that are called {name}")
                if hits:
                    found[name] = hits.popitem()[1]
                    break
        return found

    def _original(self, found: builtins.list[N]) -> builtins.list[N]:
        """Of a template with several versions, the first: the one that engines take for its name."""
        return [each for each in found if not isinstance(each, Template) or each.version_number in (None, 1)]

    def _in(self, noun: type[N], name: str, data_center: str) -> builtins.list[N]:
        """Things of that name in a data center; storage domains as the data center sees them, with their state."""
        center = self.one(DataCenter, data_center)
        hits = [each for each in self.list(noun, under=center) if each.name == name] \
            if noun.TAG == "storage_domain" else self._original(self.look(noun, [name]))
        if noun.TAG == "storage_domain":
            return hits
        return [each for each in hits if self._center_of(each) == center.id]

    def _center_of(self, obj: Noun) -> str:
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
                return {"follow": ",".join(["disk_attachments.disk,nics"] * details + ([also.PATH] if also else []))}
            return {"detail": "disks; detail=nics"} if details and self._calls.dialect.major == 3 else {}
        if noun is Host and top and follow:
            return {"follow": "nics"}
        return {"follow": "disk"} if noun is Disk and follow else {}

    def _complete(
        self, found: builtins.list[N], noun: type[N], details: bool, also: type[Noun] | None
    ) -> builtins.list[N]:
        """Ask for what the engine did not put inside, and name what is known by id alone."""
        if noun is Disk:
            return self._with_images(found)
        if noun is Nic or noun is HostNic:
            return [self.named(each) for each in found]
        if also:
            found = self.each(lambda each: self._with(each, also), found)
        return self.each(self._detailed, found) if details and (noun is Vm or noun is Host) else found

    def _with(self, obj: N, also: type[Noun]) -> N:
        """A thing with what else was wanted of it, asked for if the engine did not put it inside."""
        has = getattr(obj, also.PATH) is not None
        if isinstance(obj, Host):
            has = has or not obj.pm_enabled or bool(obj.pm_address)
        return obj if has else obj.replace(**{also.PATH: self.list(also, under=obj)})

    def _detailed(self, obj: N) -> N:
        if isinstance(obj, Vm):
            disks = self._with_images(builtins.list(obj.disks)) if obj.disks is not None else self.list(Disk, under=obj)
            nics = [self.named(nic) for nic in (self.list(Nic, under=obj) if obj.nics is None else obj.nics)]
            return obj.replace(disks=disks, nics=nics)
        if isinstance(obj, Host):
            nics_of = self.list(HostNic, under=obj) if obj.nics is None else obj.nics
            return obj.replace(nics=[self.named(nic) for nic in nics_of])
        return obj

    def named(self, nic: N) -> N:
        """A NIC with its network's name; in v4 a VM's NIC has but a vNIC profile."""
        network: Ref | None = getattr(nic, "network", None)
        profile = nic.vnic_profile if isinstance(nic, Nic) else None
        if not network and profile and profile.id:
            seen = self.all(VnicProfile).get(profile.id)
            network = seen.network if seen else None
        if not network:
            return nic
        return nic.replace(network=Ref(network.id, self.name_of(Network, network), network.href))

    def _with_images(self, found: builtins.list[N]) -> builtins.list[N]:
        """In v4 before 4.2 an attachment shows its disk by id alone: merge what the disk says about itself."""
        if self._calls.dialect.major == 3 or all(getattr(disk, "size", None) for disk in found):
            return found
        return [self._merged(disk) for disk in found]

    def _merged(self, disk: N) -> N:
        image = self._calls.get(DiskImage, f"{self._calls.collection(DiskImage)}/{disk.id}")
        return disk.replace(**{name: value for name, value in image.values().items()
                               if name in Disk.FIELDS and name not in ("id", "href")})


def _host_term(name: str) -> str:
    """Names and addresses that begin so; which of them is meant is decided by comparing."""
    value = f"{name}*" if name.replace("-", "").replace(".", "").isalnum() else quoted(f"{name}*")
    return f"name={value} or address={value}"


def _named(host: Host, name: str) -> bool:
    return host.name == name


def _addressed(host: Host, name: str) -> bool:
    return (host.address or "").lower() == name.lower()


def _short(host: Host, name: str) -> bool:
    """Equal up to the domain, on either side; an IP address has none."""
    def short(text: str) -> str:
        return text if text.replace(".", "").isdigit() else text.partition(".")[0]

    return "." not in name and name.lower() in (short(host.name).lower(), short(host.address or "").lower())


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
