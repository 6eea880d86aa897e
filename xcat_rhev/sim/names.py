"""What names an engine takes, by kind of thing: how long they are, which characters they have, and its words else."""

from __future__ import annotations

import re
from typing import NamedTuple

from .dialect import SimDialect
from .faults import BAD, Refused, action_name

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_DOTTED = re.compile(r"[A-Za-z0-9_.-]+")
#: Letters of every script count.
_WORD = re.compile(r"[\w.-]+")
_SPECIAL = (
    "Can not {action} {type}. The given name contains special characters. Only lower-case and upper-case letters, "
    "numbers, '_', '-', '.' are allowed., Attribute: {attribute}"
)


class NameRule(NamedTuple):
    """The rule of one kind: its type's name, the form, the words where that is broken, the length and its attribute."""

    type: str
    form: re.Pattern[str] | None
    words: str
    longest: int
    attribute: str
    least: int = 1


RULES = {
    "vm": NameRule("VM", _WORD, _SPECIAL, 255, "vmStatic.name"),
    "template": NameRule("Template", _WORD, _SPECIAL, 255, "name"),
    "data_center": NameRule(
        "Data Center",
        _PLAIN,
        "Data Center name may only contain letters, numbers, '-', or '_'., Attribute: {attribute}",
        40,
        "privateStoragePool.name",
    ),
    "cluster": NameRule(
        "Cluster",
        _PLAIN,
        "Cluster names may only contain letters, numbers, '-', or '_'., Attribute: {attribute}",
        40,
        "cluster.name",
    ),
    "host": NameRule(
        "Host",
        _DOTTED,
        'Host name must be formed of alphanumeric characters, numbers or "-_.", Attribute: {attribute}',
        255,
        "vdsStatic.name",
    ),
    "nic": NameRule(
        "Interface",
        _DOTTED,
        'Name must be formed of alphanumeric characters, numbers or "-_."., Attribute: {attribute}',
        50,
        "nic.name",
    ),
    "affinity_group": NameRule(
        "Affinity Group",
        _DOTTED,
        "Cannot {action} Affinity Group. Name field is invalid., Attribute: {attribute}",
        255,
        "affinityGroup.name",
    ),
    "network": NameRule(
        "Network",
        re.compile(r"(?!bond).*"),
        "Bad network name, network cannot start with 'bond'",
        256,
        "network.name",
        0,
    ),
}
#: Machines, templates and storage domains have a shorter length of their own (VdcConfig, VM names of 64 characters).
TOO_LONG = {"vm": 64, "template": 64, "storage_domain": 50}
_TYPES = {"vm": "VM", "template": "Template", "storage_domain": "Storage"}


def check(kind: str, name: str | None, action: str, dialect: SimDialect) -> None:
    """Refuse a name that an engine does not take.

    Args:
        kind: Of what thing.
        name: Nothing if none is given.
        action: `add` or `edit`.
        dialect: What is known are the rules since 4.0.

    Raises:
        Refused: With the engine's words.
    """
    if name is None or not dialect.modern:
        return
    rule = RULES.get(kind)
    if rule and not rule.least <= len(name) <= rule.longest:
        text = f"size must be between {rule.least} and {rule.longest}, Attribute: {rule.attribute}"
        raise Refused(text, BAD)
    if rule and rule.form and not rule.form.fullmatch(name):
        verb = action_name(action, rule.type, dialect)
        raise Refused(rule.words.format(action=verb, type=rule.type, attribute=rule.attribute), BAD)
    if len(name) > TOO_LONG.get(kind, len(name)):
        raise Refused(f"Cannot {action} {_TYPES[kind]}. The given name is too long.", BAD)
