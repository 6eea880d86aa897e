"""What `lsdef -h -t TYPE` tells: the attributes of a type, and where they are stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..attributes import KINDS, ObjectKind
from ..objects import kind_of
from ..reply import Reply


def describe(options: Mapping[str, Any]) -> Reply | None:
    """Describe the types that `-t` names, all attributes or those of `-i`; None without `-t`.

    Raises:
        Usage: There is no such type.
    """
    if "type" not in options:
        return None
    chosen = options["attributes"].split(",") if "attributes" in options else []
    lines = [line for name in options["type"].split(",") for line in _lines(kind_of(name), chosen)]
    return Reply({"data": lines})


def _lines(kind: ObjectKind, chosen: list[str]) -> Iterator[str]:
    if kind is KINDS["site"]:
        yield "The attributes of the site are the keys of table site, whatever they are called."
        return
    yield f"The valid attribute names for object type '{kind.name}' are:"
    yield f"{'Attribute':<26}Table.column"
    yield ""
    for attribute, (table, column) in sorted(kind.columns.items()):
        if not chosen or attribute in chosen:
            yield f"{attribute + ':':<26}{table}.{column}"
