"""Answers for programs: one JSON object a line, with the fields that `SCHEMA` names and the man page shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from .messages import KINDS, Message

#: Field -> the type that it has, and what it is. The schema of all objects but those of lsvm and lsve.
SCHEMA: dict[str, tuple[type, str]] = {
    "kind": (str, "data, info, warning or error; row of tabdump; object of lsdef; the kind of thing of lsvm and lsve"),
    "node": (str, "whom it is about"),
    "desc": (str, "what the value is"),
    "text": (str, "the value, or the line, as a person reads it"),
    "code": (int, "of an error or a difference: what it adds to the exit code"),
    "state": (str, "of rpower and rvitals: on, off, or the manager's word"),
    "status": (str, "the manager's own word for the state"),
    "id": (str, "the manager's id of the thing"),
    "time": (str, "of an event: ISO 8601, UTC"),
    "severity": (str, "of an event: normal, warning, error or alert"),
    "bytes": (int, "a size"),
    "actual_bytes": (int, "how much of a disk is in use"),
    "mac": (str, "the address of a NIC"),
    "value": (float, "a measurement"),
    "unit": (str, "of a measurement: bytes, percent or none"),
    "boot": (list, "a boot order: network, hd, cdrom"),
    "type": (str, "rhevm, rhevh or vm of rscan; the type of an object of lsdef"),
    "name": (str, "of what rscan or lsdef shows"),
    "ends": (str, "of a certificate: its last day, as 2027-01-31"),
    "days": (int, "of a certificate: how many are left; negative when it has ended"),
    "cluster": (str, "of what rscan shows"),
    "where": (str, "an address, or the hypervisor of a machine"),
    "table": (str, "of a row"),
    "row": (dict, "column: text"),
    "attributes": (dict, "attribute: text"),
}
#: What a message has and a program does not need where it says nothing.
_EMPTY: tuple[object, ...] = ("", 0, ())


def line_of(message: Message) -> str:
    """Word a message as one object; its own fields stand beside those that all messages have."""
    found: dict[str, Any] = {field.name: getattr(message, field.name) for field in fields(message)}
    own = dict(found.pop("fields", ()))
    said = {name: value for name, value in found.items() if value not in _EMPTY}
    return line({"kind": KINDS[type(message)], **said, **own})


def line(found: Mapping[str, Any]) -> str:
    """Write an object in one line."""
    return json.dumps(found, ensure_ascii=False)
