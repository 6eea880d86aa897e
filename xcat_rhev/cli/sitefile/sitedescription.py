"""A site described in a file: its managers, what they are installed from, their hypervisors and data centers.

    managers:
      mgr1.example.com:
        node: mgr1                       # install it there; left out where the manager is there already
        release: ovirt4.5
        image: rocky9.4-x86_64-install-compute
        hypervisors:                     # osimage -> nodes; installed over the network before they are hosts
          ovirt-node-ng4.5-x86_64-install-compute: [rhevh1, rhevh2]
        data_centers:                    # as cfgve --from reads them
          dc1: ...

Machines are described in data_centers, too. No passwords stand here: they come from the tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import RhevError, Usage
from ...rows import description
from ..enginekit.releases import release

_TEXTS = ("node", "release", "image")
_KNOWN = (*_TEXTS, "hypervisors", "data_centers")


@dataclass(frozen=True)
class SiteManager:
    """One manager of a site.

    Attributes:
        name: Its full name.
        node: Where it is to be installed; empty where it is there.
        release: Which release then.
        image: On which Enterprise Linux.
        hypervisors: Osimage -> nodes.
        environment: Its data centers, as YAML for `cfgve --from`; empty for none.
        hosts: Node -> columns of the hypervisor table, as far as the file says them.
    """

    name: str
    node: str = ""
    release: str = ""
    image: str = ""
    hypervisors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    environment: str = ""
    hosts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read(text: str) -> list[SiteManager]:
    """Read a description and check all of it.

    Args:
        text: YAML.

    Raises:
        Usage: What is wrong with it, all faults in one line.
        NotFound: PyYAML is not installed.
    """
    loaded = description.load(text)
    managers = loaded.get("managers") if isinstance(loaded, dict) and set(loaded) == {"managers"} else None
    if not isinstance(managers, dict) or not managers:
        raise Usage("a site has to begin with managers: and their full names below it")
    faults = [fault for name, values in managers.items() for fault in _faults(str(name), values)]
    faults += _twice(managers)
    if faults:
        raise Usage("; ".join(faults))
    return [_manager(str(name), values or {}) for name, values in managers.items()]


def _faults(name: str, values: Any) -> Iterator[str]:
    where = f"managers.{name}"
    if not isinstance(values, (dict, type(None))):
        yield f"{where} has to hold names and values"
        return
    values = values or {}
    for key, value in values.items():
        if key not in _KNOWN:
            yield f"{where} has no {key}; it may have {', '.join(_KNOWN)}"
        elif key in _TEXTS and not isinstance(value, str):
            yield f"{where}.{key} has to be a text"
    yield from _install_faults(where, name, values)
    yield from _hypervisor_faults(where, values.get("hypervisors"))
    if values.get("data_centers") is not None:
        faults = description.parse(_yaml(values["data_centers"]))[1]
        yield from (f"{where}: {fault}" for fault in faults)


def _install_faults(where: str, name: str, values: Mapping[str, Any]) -> Iterator[str]:
    """A manager that is to be installed needs all that a kit asks for."""
    given = [key for key in _TEXTS if values.get(key)]
    if given and len(given) < len(_TEXTS):
        lacking = ", ".join(key for key in _TEXTS if key not in given)
        yield f"{where} has {' and '.join(given)}, and needs {lacking} as well"
    if given and "." not in name:
        yield f"{where} is not a full name, which its certificate needs"
    if isinstance(values.get("release"), str):
        try:
            release(values["release"])
        except RhevError as problem:
            yield f"{where}.release: {problem}"


def _hypervisor_faults(where: str, images: Any) -> Iterator[str]:
    if not isinstance(images, (dict, type(None))):
        yield f"{where}.hypervisors has to hold osimages, each with a list of nodes"
        return
    for image, nodes in (images or {}).items():
        if not isinstance(nodes, list) or not nodes or not all(isinstance(node, str) and node for node in nodes):
            yield f"{where}.hypervisors.{image} has to be a list of nodes"


def _twice(managers: Mapping[Any, Any]) -> list[str]:
    """A node that is named in two places."""
    places: dict[str, list[str]] = {}
    for name, values in managers.items():
        if not isinstance(values, dict):
            continue
        named = [values["node"]] if isinstance(values.get("node"), str) else []
        images = values.get("hypervisors")
        lists = [nodes for nodes in images.values() if isinstance(nodes, list)] if isinstance(images, dict) else []
        for node in [*named, *(str(node) for nodes in lists for node in nodes)]:
            places.setdefault(node, []).append(str(name))
    return [
        f"the node {node} is named twice, below {' and '.join(its)}" for node, its in places.items() if len(its) > 1
    ]


def _manager(name: str, values: Mapping[str, Any]) -> SiteManager:
    images = {str(image): tuple(nodes) for image, nodes in (values.get("hypervisors") or {}).items()}
    centers = values.get("data_centers")
    texts = {key: values.get(key) or "" for key in _TEXTS}
    environment = _yaml(centers) if centers else ""
    described = description.parse(environment)[0] if centers else []
    hosts = {node: row for center in described for node, row in center.hosts.items()}
    return SiteManager(name, **texts, hypervisors=images, environment=environment, hosts=hosts)


def _yaml(centers: Any) -> str:
    return str(description.yaml().safe_dump({"data_centers": centers}, sort_keys=False))
