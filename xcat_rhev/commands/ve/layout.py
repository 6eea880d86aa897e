"""How the objects of a virtual environment are shown: keys in the order of the manual page, indented by nesting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ...engine.nouns import Cluster, DataCenter, Network, Noun, StorageDomain, Template
from . import dc

#: A key's name, where its value comes from, and whether it is shown without a value.
Key = tuple[str, Callable[[Any], object], bool]


@dataclass(frozen=True)
class Layout:
    """How one kind of object is shown.

    Attributes:
        title: The word before the name.
        keys: The keys, sorted by name.
        indent: Blanks before the title where the object stands alone.
    """

    title: str
    keys: tuple[Key, ...]
    indent: int = 0


def _of(name: str) -> Callable[[Any], object]:
    return lambda noun: getattr(noun, name)


def _plain(key: str, name: str = "") -> Key:
    return key, _of(name or key), False


def _always(key: str, name: str = "") -> Key:
    """A key that the manual page shows without a value too."""
    return key, _of(name or key), True


LAYOUTS: Mapping[type[Noun], Layout] = {
    DataCenter: Layout("datacenters", (
        _always("description"), _plain("state", "status"), _plain("storageformat", "storage_format"),
        ("storagetype", dc.shown_storage, False),
    )),
    Cluster: Layout("clusters", (
        _plain("cpu", "cpu_type"), _always("description"), _plain("memory_hugepage", "hugepages"),
        _plain("memory_overcommit"),
    )),
    StorageDomain: Layout("storagedomains", (
        _plain("available"), _plain("committed"), _plain("ismaster", "master"), _always("status"),
        _plain("storage_add", "address"), _plain("storage_format"), _plain("storage_lun", "luns"),
        _plain("storage_path", "path"), _plain("storage_target", "target"), _plain("storage_type"), _plain("type"),
        _plain("used"),
    )),
    Network: Layout("networks", (
        _always("description"), _plain("state", "status"), _plain("stp"), _plain("vlan"),
    ), indent=2),
    Template: Layout("templates", (
        _plain("bootorder", "boot"), _plain("cpucore", "cores"), _plain("cpusocket", "sockets"),
        _plain("creation_time"), _plain("display", "display_type"), _plain("memory"), _plain("state", "status"),
        _plain("stateless"), _plain("type"),
    )),
}
#: Blanks before the title of what belongs to a data center.
NESTED = 4


@dataclass
class Shown:
    """An object with what belongs to it.

    Attributes:
        noun: The object.
        children: Those that belong to it, in the order of showing.
    """

    noun: Noun
    children: Sequence[Noun] = field(default_factory=list)


def lines(shown: Shown) -> Iterator[str]:
    """Write an object as the manual page shows it."""
    yield from _lines(shown.noun, LAYOUTS[type(shown.noun)].indent)
    for child in shown.children:
        yield from _lines(child, NESTED)


def _lines(noun: Noun, indent: int) -> Iterator[str]:
    layout = LAYOUTS[type(noun)]
    yield f"{' ' * indent}{layout.title}: [{noun.name}]"
    for key, read, always in layout.keys:
        value = _text(read(noun))
        if value or always:
            yield f"{' ' * indent}  {key}: {value}".rstrip()


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def as_object(shown: Shown) -> dict[str, Any]:
    """Make an object for JSON: the same keys, values with their own types, children under their titles."""
    found = _object(shown.noun)
    for child in shown.children:
        found.setdefault(LAYOUTS[type(child)].title, []).append(_object(child))
    return found


def _object(noun: Noun) -> dict[str, Any]:
    layout = LAYOUTS[type(noun)]
    values = {key: read(noun) for key, read, _ in layout.keys}
    present = {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
    return {"kind": layout.title, "name": noun.name, **{k: v for k, v in present.items() if v not in (None, [])}}
