"""cfgve -t tpl: templates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Callable

from ...engine.nouns import Cluster, StorageDomain, Template, Vm
from ...engine.waiting import GONE, Goal
from ...errors import NotFound, Usage
from ...jobs import Job, Step, Wait
from ...messages import Data, Error
from ..common import Context, Plan
from .kind import DEFAULT, Kind, Verb, any_of, named, said

#: The template that every manager has and that cannot go.
BLANK_ID = "00000000-0000-0000-0000-000000000000"
LIMIT = 600.0
COPY_LIMIT = 7200.0


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
    users: dict[str, list[str]] = {}
    for where in any_of("Template.name", [template.name for template in templates]):
        for vm in context.manager.list(Vm, where=where):
            if vm.template:
                users.setdefault(vm.template.id, []).append(vm.name or "?")
    return users


def export(context: Context, names: Sequence[str]) -> Plan:
    """Copy templates to an export domain; with -f over those that are there."""
    domain = _export_domain(context, context.options["export"])
    found = context.manager.find(Template, names)
    there = {template.name for template in context.manager.list(Template, under=domain)}
    over = "force" in context.options
    for name in names:
        template = found.get(name)
        if template is None:
            yield Error("cannot find the template", name)
        elif name in there and not over:
            yield Job(name, idle=f"it is on {domain.name} already: nothing to do, unless -f is given")
        else:
            copy = partial(context.manager.act, template, "export", storage_domain=domain.ref, exclusive=over or None)
            yield Job(name, [Step(f"copy to {domain.name}", partial(_ignore, copy)), _until_ok(context, template)])


def import_(context: Context, names: Sequence[str]) -> Plan:
    """Bring templates into a cluster: copied from an export domain, or registered where they lie on a data domain."""
    if not context.options.get("source"):
        raise Usage("-i needs --from-domain with the domain to take a template from")
    domain = _source(context, context.options["source"])
    cluster = _cluster(context)
    if domain.type == "data":
        if context.options.get("target"):
            raise Usage("--to-domain means nothing here", f"The disks stay on {domain.name}, which is a data domain")
        offered, begin = context.manager.unregistered_templates(domain), _registration
    else:
        offered, begin = context.manager.list(Template, under=domain), _copy
    by_name = {template.name: template for template in offered}
    there = context.manager.find(Template, names)
    step = begin(context, domain, cluster)
    for name in names:
        template = by_name.get(name)
        if name in there:
            yield Job(name)
        elif template is None:
            what = "template that the manager does not know" if domain.type == "data" else "such template"
            yield Error(f"there is no {what} on {domain.name}. It has: {named(by_name) or 'none'}", name)
        else:
            yield Job(name, [step(template), _until_ok(context, template)])


def _copy(context: Context, domain: StorageDomain, cluster: Cluster) -> Callable[[Template], Step]:
    target = _target(context, cluster)

    def step(template: Template) -> Step:
        copy = partial(
            context.manager.act, template, "import", under=domain, storage_domain=target.ref, cluster=cluster.ref
        )
        return Step(f"copy from {domain.name} to {target.name} for cluster {cluster.name}", partial(_ignore, copy))

    return step


def _registration(context: Context, domain: StorageDomain, cluster: Cluster) -> Callable[[Template], Step]:

    def step(template: Template) -> Step:
        register = partial(context.manager.act, template, "register", under=domain, cluster=cluster.ref)
        return Step(f"register from {domain.name} for cluster {cluster.name}", partial(_ignore, register))

    return step


def _until_ok(context: Context, template: Template) -> Wait:
    goal = partial(Goal, template, frozenset({"ok"}), frozenset({"illegal"}), limit=context.limit(COPY_LIMIT))
    return Wait("wait until copied", goal, lambda _: said(template.name or ""))


def _ignore(do: Callable[[], object]) -> None:
    """Do it, without taking its answer for messages."""
    do()


def _export_domain(context: Context, name: str) -> StorageDomain:
    domain = context.manager.find(StorageDomain, [name]).get(name)
    if domain is None or domain.type != "export":
        kind = f"a domain of type {domain.type}" if domain else "no domain"
        raise NotFound(f"{name} is {kind}", "Name an export domain, which lsve -t sd shows as type: export")
    return domain


def _source(context: Context, name: str) -> StorageDomain:
    """An export domain, or a data domain."""
    domain = context.manager.find(StorageDomain, [name]).get(name)
    if domain is None or domain.type not in ("export", "data"):
        kind = f"a domain of type {domain.type}" if domain else "no domain"
        raise NotFound(f"{name} is {kind}", "Name an export or a data domain, which lsve -t sd shows")
    return domain


def _cluster(context: Context) -> Cluster:
    name = context.options.get("cluster", DEFAULT)
    cluster = context.manager.find(Cluster, [name]).get(name)
    if cluster is None:
        raise NotFound(f"cannot find the cluster: {name}", "Give -l with one of those that lsve -t cl shows")
    return cluster


def _target(context: Context, cluster: Cluster) -> StorageDomain:
    """The data domain to copy to: the named one, else the master of the cluster's data center."""
    wanted = context.options.get("target")
    domains = context.manager.list(StorageDomain, under=cluster.data_center) if cluster.data_center else []
    data = [each for each in domains if each.type == "data" and each.status == "active"]
    fits = [each for each in data if (each.name == wanted if wanted else each.master)]
    if not fits:
        what = f"no active data domain {wanted}" if wanted else "no active master domain"
        has = named(domain.name for domain in data) or "none"
        raise NotFound(f"the data center of cluster {cluster.name} has {what}", f"It has: {has}")
    return fits[0]


KIND = Kind("template", {
    "remove": Verb(remove),
    "export": Verb(export, frozenset({"force"})),
    "import": Verb(import_, frozenset({"source", "target", "cluster"})),
})
