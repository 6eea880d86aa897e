"""The official Python SDK beside our commands: both drive one simulator, and what both made is held side by side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from vesim import Site

sdk = pytest.importorskip("ovirtsdk4", reason="ovirtsdk4 is not installed (it compiles against libcurl and libxml2)")
types = pytest.importorskip("ovirtsdk4.types")
writer = pytest.importorskip("ovirtsdk4.writer")


@contextmanager
def connected(site: Site) -> Iterator[Any]:
    """The SDK's system service of the site's manager."""
    connection = sdk.Connection(
        url=f"https://{site.manager}/ovirt-engine/api",
        ca_file=site.host.site("rhevmca"),
        username="admin@internal",
        password="secret",  # noqa: S106 - the simulator's
    )
    try:
        yield connection.system_service()
    finally:
        connection.close()


def document(thing: Any, *but: str) -> str:
    """What the engine tells of a thing, without its name, its ids and `but`: equal for things that are made alike."""
    values = {name: value for name, value in vars(thing).items() if name not in {"_id", "_href", "_name", *but}}
    return repr({name: _plain(value) for name, value in values.items() if value is not None})


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if getattr(value, "id", None):
        return type(value).__name__, value.id
    return document(value) if isinstance(value, sdk.Struct) else value
