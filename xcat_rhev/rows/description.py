"""A virtual environment described in a file, read and checked as a whole.

    data_centers:
      dc1:
        storage: nfs                     # or localfs, fcp, iscsi, posixfs, glusterfs
        compat: "4.7"
        clusters:
          cl1: {cpu: Intel Nehalem Family}
          cl2: {}
        networks:
          nw1: {vlan: 100, mtu: 9000, clusters: [cl1]}
          san: {hosts_only: true, clusters: [cl1, cl2], required: [cl1]}     # or required: true for all of them
        hosts:
          rhevh1: {cluster: cl1, interface: "nw1:eth1:static:10.0.0.1:255.255.255.0"}
        storage_domains:
          sd1: {stype: nfs, location: "nfs.example.com:/data", host: rhevh1}
          old: {stype: nfs, location: "nfs.example.com:/old", host: rhevh1, active: false}
        vms:
          vm1: {cluster: cl1, memory: 2g, cpus: "1:2", storage: "sd1:10g:system", nics: "nw1:eth0:yes"}

    qos:                                 # other kinds of objects, by the words of cfgve -t: what --set says of each
      - {name: gold, data_center: dc1, type: storage, max_iops: 500}
    tag:
      - {name: rack1}

Hosts, storage domains and machines have the columns of xCAT's tables hypervisor, virtsd and vm. No passwords are
here: they come from the tables. An ISO domain may be in several data centers, and so may machines of one name. A
storage domain needs a host and a location only where it has to be made; one with `active: false` is in maintenance.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import NotFound, Usage
from ..xcat.host import Row
from .storage import CENTER_STORAGE

#: A description is not larger than this, in characters.
LARGEST = 4 << 20
#: What an engine has place for; which of those it takes is its own matter.
LARGEST_MTU = (1 << 31) - 1

_TEXT, _NUMBER, _FLAG, _NAMES = "a text", "a number", "true or false", "a list of names"
_CHOICE = f"{_FLAG} or {_NAMES}"
_SECTIONS = ("clusters", "networks", "hosts", "storage_domains", "vms")
_CENTER = {"storage": _TEXT, "compat": _TEXT, "description": _TEXT}
#: What a machine may have, in the order in which it is exported.
MACHINE_COLUMNS = (
    "cluster",
    "memory",
    "cpus",
    "storage",
    "storagemodel",
    "nics",
    "nicmodel",
    "bootorder",
    "virtflags",
    "vidproto",
    "guestostype",
    "master",
    "host",
    "othersettings",
)
_KNOWN: Mapping[str, Mapping[str, str]] = {
    "clusters": {"cpu": _TEXT, "compat": _TEXT, "description": _TEXT, "management": _TEXT},
    "networks": {
        "vlan": _NUMBER,
        "mtu": _NUMBER,
        "stp": _FLAG,
        "hosts_only": _FLAG,
        "required": _CHOICE,
        "description": _TEXT,
        "clusters": _NAMES,
    },
    "hosts": {"cluster": _TEXT, "address": _TEXT, "interface": _TEXT, "user": _TEXT},
    "storage_domains": {"sdtype": _TEXT, "stype": _TEXT, "location": _TEXT, "host": _TEXT, "active": _FLAG},
    "vms": dict.fromkeys(MACHINE_COLUMNS, _TEXT),
}


@dataclass(frozen=True)
class Center:
    """A data center as it is described.

    Attributes:
        name: Its name.
        storage: nfs, fcp ... or localfs.
        compat: The compatibility version, or empty.
        description: For people.
        clusters, networks: Values by name.
        hosts, storage_domains, vms: Table columns by name.
        resting: Storage domains that are in maintenance.
    """

    name: str
    storage: str = "nfs"
    compat: str = ""
    description: str = ""
    clusters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    networks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    hosts: Mapping[str, Row] = field(default_factory=dict)
    storage_domains: Mapping[str, Row] = field(default_factory=dict)
    vms: Mapping[str, Row] = field(default_factory=dict)
    resting: frozenset[str] = frozenset()


@dataclass(frozen=True)
class DescribedThing:
    """An object of a kind that is made of settings.

    Attributes:
        kind: The word of cfgve -t.
        name: Its name.
        options: What would be typed: `set`, `description`, `cluster`, `data_center`.
    """

    kind: str
    name: str
    options: Mapping[str, Any]

    @property
    def settings(self) -> dict[str, str]:
        """What is set, by word."""
        return dict(typed.partition("=")[::2] for typed in self.options.get("set", ()))

    @property
    def references(self) -> set[str]:
        """Every name that it may refer to."""
        texts = [*self.settings.values(), *(self.options.get(word, "") for word in _HOMES)]
        return {part for text in texts for each in text.split(",") for part in (each, each.partition(":")[0])}


#: What a thing may belong to, by the words of cfgve's options.
_HOMES = ("cluster", "data_center")


def yaml() -> Any:
    """PyYAML, which only this needs.

    Raises:
        NotFound: It is not installed.
    """
    try:
        return importlib.import_module("yaml")
    except ImportError:
        raise NotFound("a description needs the Python package PyYAML", "Run: pip install PyYAML") from None


def parse(text: str) -> tuple[list[Center], list[str]]:
    """Read a description and check all of it.

    Args:
        text: YAML.

    Returns:
        The data centers, and every fault; with a fault the data centers are not to be used.

    Raises:
        Usage: It is not YAML, or too large.
        NotFound: PyYAML is not installed.
    """
    return _centers(_load(text))


def parse_all(text: str, kinds: Mapping[str, Collection[str]]) -> tuple[list[Center], list[DescribedThing], list[str]]:
    """Read a description that may have other kinds of objects beside data centers.

    Args:
        text: YAML.
        kinds: The words of those kinds, and what each may have.

    Returns:
        The data centers, the other objects, and every fault, as for `parse`.

    Raises:
        Usage: As for `parse`.
        NotFound: As for `parse`.
    """
    loaded = _load(text)
    others = {key: loaded[key] for key in kinds if key in loaded} if isinstance(loaded, dict) else {}
    faults = [fault for kind, values in others.items() for fault in _thing_faults(kind, values, kinds[kind])]
    rest = {key: value for key, value in loaded.items() if key not in kinds} if others else loaded
    centers, wrong = _centers(rest) if rest or not others else ([], [])
    things = [] if faults else [_thing(kind, each) for kind in kinds for each in others.get(kind) or ()]
    return centers, things, [*wrong, *faults]


def _load(text: str) -> Any:
    if len(text) > LARGEST:
        raise Usage(f"the description is larger than {LARGEST >> 20} MiB")
    return load(text)


def _thing_faults(kind: str, values: Any, known: Collection[str]) -> Iterator[str]:
    if not isinstance(values, list):
        yield f"{kind} has to hold a list"
        return
    for number, each in enumerate(values, 1):
        if not isinstance(each, dict) or not isinstance(each.get("name"), (str, int)) or each["name"] is True:
            yield f"{kind}: number {number} has to have a name"
            continue
        for key, value in each.items():
            if key not in known:
                yield f"{kind} {each['name']} has no {key}; it may have {', '.join(known)}"
            elif not _typeable(value):
                yield f"{kind} {each['name']}: {key} has to be a text, a number, true or false, or a list of texts"


def _typeable(value: Any) -> bool:
    many = isinstance(value, list) and all(isinstance(each, (str, int)) for each in value)
    return many or isinstance(value, (str, int, float, bool))


def _thing(kind: str, values: Mapping[str, Any]) -> DescribedThing:
    texts = {key: _word(value) for key, value in values.items()}
    own = ("name", "description", *(word for word in _HOMES if kind not in _SET[word]))
    options: dict[str, Any] = {key: texts[key] for key in own if key in texts and key != "name"}
    options["set"] = tuple(f"{key}={value}" for key, value in texts.items() if key not in own)
    return DescribedThing(kind, texts["name"], options)


#: Where a thing is, unless that is one of its settings.
_SET: Mapping[str, Collection[str]] = {"cluster": ("permission", "vmpool"), "data_center": ("permission", "provider")}


def _word(value: Any) -> str:
    """A value as it would be typed."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _centers(loaded: Any) -> tuple[list[Center], list[str]]:
    """The data centers of a description, or every fault of them."""
    if not isinstance(loaded, dict) or set(loaded) != {"data_centers"} or not isinstance(loaded["data_centers"], dict):
        return [], ["the description has to begin with data_centers: and their names below it"]
    faults: list[str] = []
    centers = []
    for name, values in loaded["data_centers"].items():
        found = list(_center_faults(f"data_centers.{name}", values))
        faults += found
        if not found:
            centers.append(_center(str(name), values or {}))
    return centers, faults + list(_between(centers))


def load(text: str) -> Any:
    """Read YAML without any of its power to make objects; the error tells the place and nothing of the text.

    Args:
        text: YAML.

    Raises:
        Usage: It is not YAML.
        NotFound: PyYAML is not installed.
    """
    module = yaml()
    try:
        return module.safe_load(text)
    except module.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "its beginning"
        raise Usage(f"the description is not YAML: {where}") from None
    except (RecursionError, ValueError, OverflowError, TypeError, AttributeError):  # PyYAML lets these through
        raise Usage("the description has a bad value: an impossible date or number, or nested too deep") from None


def _center_faults(path: str, values: Any) -> Iterator[str]:
    if not isinstance(values, (dict, type(None))):
        yield f"{path} has to hold names and values"
        return
    own = {key: value for key, value in (values or {}).items() if key not in _SECTIONS}
    yield from _value_faults(path, own, _CENTER)
    if own.get("storage", "nfs") not in CENTER_STORAGE:
        yield f"{path}.storage is not one of {', '.join(CENTER_STORAGE)}"
    for section in _SECTIONS:
        things = (values or {}).get(section)
        if not isinstance(things, (dict, type(None))):
            yield f"{path}.{section} has to hold names"
            continue
        for name, inside in (things or {}).items():
            yield from _value_faults(f"{path}.{section}.{name}", inside, _KNOWN[section])
    yield from _references(path, values or {})


def _references(path: str, values: Mapping[str, Any]) -> Iterator[str]:
    """Clusters that a part of a data center uses and the center does not have."""
    known = {str(name) for name in _things(values, "clusters")}
    for section in ("hosts", "vms"):
        for name, row in _things(values, section).items():
            cluster = row.get("cluster", "Default") if isinstance(row, dict) else "Default"
            if isinstance(cluster, (str, int)) and str(cluster) not in known:
                yield f"{path}.{section}.{name}.cluster is {cluster}, which is not described there"
    for name, row in _things(values, "networks").items():
        named = row.get("clusters") if isinstance(row, dict) else None
        for cluster in named if isinstance(named, list) else ():
            if isinstance(cluster, str) and cluster not in known:
                yield f"{path}.networks.{name}.clusters names {cluster}, which is not described there"
        required = row.get("required") if isinstance(row, dict) else None
        for cluster in required if isinstance(required, list) and isinstance(named, (list, type(None))) else ():
            if isinstance(cluster, str) and cluster not in (named or ()):
                yield f"{path}.networks.{name}.required names {cluster}, which is not among its clusters"


def _things(values: Mapping[str, Any], section: str) -> Mapping[Any, Any]:
    found = values.get(section)
    return found if isinstance(found, dict) else {}


def _value_faults(path: str, values: Any, known: Mapping[str, str]) -> Iterator[str]:
    if not isinstance(values, (dict, type(None))):
        yield f"{path} has to hold names and values"
        return
    for key, value in (values or {}).items():
        if key not in known:
            yield f"{path} has no {key}; it may have {', '.join(known)}"
        elif not _fits(value, known[key]):
            yield f"{path}.{key} has to be {known[key]}"
    yield from _range_faults(path, values or {})


def _fits(value: Any, kind: str) -> bool:
    if kind == _TEXT:
        return isinstance(value, (str, int, float)) and not isinstance(value, bool)
    if kind == _NUMBER:
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(value, bool):
        return kind in (_FLAG, _CHOICE)
    return kind != _FLAG and isinstance(value, list) and all(isinstance(each, str) for each in value)


def _range_faults(path: str, values: Mapping[str, Any]) -> Iterator[str]:
    for key, (lowest, highest) in {"vlan": (0, 4094), "mtu": (68, LARGEST_MTU)}.items():
        value = values.get(key)
        if isinstance(value, int) and not lowest <= value <= highest:
            yield f"{path}.{key} is not from {lowest} to {highest}"


def _center(name: str, values: Mapping[str, Any]) -> Center:
    filled: dict[str, Any] = _as_text({key: values[key] for key in _CENTER if key in values}, _CENTER)
    for section in _SECTIONS:
        inside = values.get(section) or {}
        filled[section] = {str(key): _as_text(each or {}, _KNOWN[section]) for key, each in inside.items()}
    domains = filled["storage_domains"]
    resting = frozenset(key for key, row in domains.items() if row.pop("active", True) is False)
    for row in domains.values():
        row["datacenter"] = name
    return Center(name, resting=resting, **filled)


def _as_text(values: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    """Texts as texts, for YAML makes numbers of what looks like one."""
    return {key: str(value) if known[key] == _TEXT else value for key, value in values.items()}


def _between(centers: list[Center]) -> Iterator[str]:
    """Faults that show when all is seen together."""
    for section, word in (
        ("clusters", "cluster"),
        ("hosts", "host"),
        ("storage_domains", "storage domain"),
    ):
        rows: dict[str, list[Mapping[str, Any]]] = {}
        for center in centers:
            for name, row in getattr(center, section).items():
                rows.setdefault(name, []).append(row)
        for name, twins in sorted(rows.items()):
            if len(twins) > 1 and not (section == "storage_domains" and _one_iso_domain(twins)):
                yield f"the {word} {name} is described twice"


def _one_iso_domain(rows: list[Mapping[str, Any]]) -> bool:
    """Whether it is an ISO domain that several data centers share."""
    kinds = {(row.get("sdtype"), row.get("stype"), row.get("location")) for row in rows}
    return len(kinds) == 1 and rows[0].get("sdtype") == "iso"
