"""cfgve -t tpl: templates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ...engine.nouns import Template, Vm
from ...engine.waiting import GONE, Goal
from ...jobs import Job, Step, Wait
from ...messages import Data, Error
from ..common import Context, Plan
from .kind import Kind, Verb, named, said

#: The template that every manager has and that cannot go.
BLANK_ID = "00000000-0000-0000-0000-000000000000"
LIMIT = 600.0


def remove(context: Context, names: Sequence[str]) -> Plan:
    """Remove templates on which no virtual machine is built."""
    found = context.manager.find(Template, names)
    users = _users(context, [template for template in found.values() if template.id != BLANK_ID])
    for name in names:
        there = found.get(name)
        if there is None:
            yield Job(name, idle="there is no such template: nothing to do")
        elif there.id == BLANK_ID:
            yield Error("the empty template belongs to the manager and cannot be removed", name)
        elif users.get(there.id or ""):
            yield Error(f"virtual machines are built on it: {named(users[there.id or ''])}", name)
        else:
            goal = partial(Goal, there, frozenset({GONE}), limit=context.limit(LIMIT))
            yield Job(name, [
                Step("remove template", partial(context.manager.remove, there)),
                Wait("wait until gone", goal, partial(_gone, name)),
            ])


def _gone(name: str, _: object) -> list[Data]:
    return said(name)


def _users(context: Context, templates: list[Template]) -> dict[str, list[str]]:
    """Names of the virtual machines by the id of their template, asked once for all."""
    if not templates:
        return {}
    where = " or ".join(f'template.name="{template.name}"' for template in templates)
    users: dict[str, list[str]] = {}
    for vm in context.manager.list(Vm, where=where):
        if vm.template:
            users.setdefault(vm.template.id, []).append(vm.name or "?")
    return users


KIND = Kind("template", {"remove": Verb(remove)})
