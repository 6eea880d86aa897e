"""cfgve -t tpl: templates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Callable

from ...engine.manager import Templates, any_of
from ...engine.nouns import Cluster, StorageDomain, Template, Vm
from ...engine.states import IMAGE_BROKEN, IMAGE_OK, DomainStatus
from ...engine.waiting import GONE, Goal
from ...errors import Ambiguous, NotFound, Usage
from ...messages import Data, Error, error_of, few
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step, Wait
from . import templateimages
from .kind import BLANK_ID, Kind, Verb, named_cluster, success

LIMIT = 600.0
COPY_LIMIT = 7200.0


def remove(context: Context, names: Sequence[str]) -> Plan:
    """Remove templates on which no virtual machine is built."""
    found = context.manager.templates(names)
    there_are = {name: _choose(found.only, name) for name in names}
    known = [each for each in there_are.values() if isinstance(each, Template) and each.id != BLANK_ID]
    users = _users(context, known)
    for name, there in there_are.items():
        if isinstance(there, Error):
            yield there
            continue
        if there is None:
            yield Job(name, idle="there is no such template: nothing to do")
        elif there.id == BLANK_ID:
            yield Error("the empty template belongs to the manager and cannot be removed", name)
        elif users.get(there.id or ""):
            yield Error(f"virtual machines are built on it: {few(users[there.id or ''])}", name)
        else:
            goal = partial(Goal, there, frozenset({GONE}), limit=context.limit(LIMIT))
            yield Job(
                name,
                [
                    Step("remove template", partial(context.manager.remove, there)),
                    Wait("wait until gone", goal, partial(_report_removal, name)),
                ],
            )


def _choose(choose: Callable[[str], Template | None], name: str) -> Template | Error | None:
    """The template that a name means, or an error for this name alone."""
    try:
        return choose(name)
    except Ambiguous as problem:
        return error_of(problem, name)


def _report_removal(name: str, _: object) -> list[Data]:
    return success(name)


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
    found = context.manager.templates(names)
    there = {template.id for template in context.manager.list(Template, under=domain)}
    over = "force" in context.options
    for name in names:
        template = _choose(found.one, name)
        if isinstance(template, Error):
            yield template
        elif template is None:
            yield Error("cannot find the template", name)
        elif template.id in there and not over:
            yield Job(name, idle=f"it is on {domain.name} already: nothing to do, unless -f is given")
        else:
            copy = partial(context.manager.act, template, "export", storage_domain=domain.ref, exclusive=over or None)
            yield Job(name, [Step(f"copy to {domain.name}", partial(_ignore, copy)), _until_ok(context, template)])


def import_(context: Context, names: Sequence[str]) -> Plan:
    """Bring templates into a cluster: copy them from an export domain, or register them on their data domain."""
    if not context.options.get("source"):
        raise Usage("-i needs --from-domain with the domain to take a template from")
    domain = _source(context, context.options["source"])
    cluster = named_cluster(context)
    if domain.type == "data":
        if context.options.get("target"):
            raise Usage("--to-domain has no effect here", f"The disks stay on {domain.name}, which is a data domain")
        offered, begin = context.manager.unregistered_templates(domain), _registration
    else:
        offered, begin = context.manager.list(Template, under=domain), _copy
    # A template on a domain belongs to no cluster yet.
    on_domain = Templates(context.manager.name, offered, lambda _: None)
    there = context.manager.templates(names)
    step = begin(context, domain, cluster)
    for name in names:
        template = _choose(on_domain.one, name)
        if isinstance(template, Error):
            yield template
        elif _is_there(there.all(name), template):
            yield Job(name)
        elif template is None:
            what = "template that the manager does not know" if domain.type == "data" else "such template"
            has = few({each.name for each in offered}) or "none"
            yield Error(f"there is no {what} on {domain.name}. It has: {has}", name)
        else:
            yield Job(name, [step(template), _until_ok(context, template)])


def _is_there(known: Sequence[Template], offered: Template | None) -> bool:
    """Whether the manager has the offered template, or that version of it.

    If nothing is offered, any template of that name.
    """
    if offered is None:
        return bool(known)
    return any(each.id == offered.id or each.version_number == offered.version_number for each in known)


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
    goal = partial(Goal, template, IMAGE_OK, IMAGE_BROKEN, limit=context.limit(COPY_LIMIT))
    return Wait("wait until copied", goal, lambda _: success(template.name or ""))


def _ignore(do: Callable[[], object]) -> None:
    """Do it and ignore its answer, which is not a list of messages."""
    do()


def _export_domain(context: Context, name: str) -> StorageDomain:
    domain = context.manager.find(StorageDomain, [name]).get(name)
    if domain is None or domain.type != "export":
        kind = f"a domain of type {domain.type}" if domain else "not a domain"
        raise NotFound(f"{name} is {kind}", "Name an export domain, which lsve -t sd shows as type: export")
    return domain


def _source(context: Context, name: str) -> StorageDomain:
    """An export domain, or a data domain."""
    domain = context.manager.find(StorageDomain, [name]).get(name)
    if domain is None or domain.type not in ("export", "data"):
        kind = f"a domain of type {domain.type}" if domain else "not a domain"
        raise NotFound(f"{name} is {kind}", "Name an export or a data domain, which lsve -t sd shows")
    return domain


def _target(context: Context, cluster: Cluster) -> StorageDomain:
    """The data domain to copy to: the named one, else the master of the cluster's data center."""
    wanted = context.options.get("target")
    domains = context.manager.list(StorageDomain, under=cluster.data_center) if cluster.data_center else []
    data = [each for each in domains if each.type == "data" and each.status == DomainStatus.ACTIVE]
    fits = [each for each in data if (each.name == wanted if wanted else each.master)]
    if not fits:
        what = f"no active data domain {wanted}" if wanted else "no active master domain"
        has = few(domain.name for domain in data) or "none"
        raise NotFound(f"the data center of cluster {cluster.name} has {what}", f"It has: {has}")
    return fits[0]


KIND = Kind(
    "template",
    {
        "remove": Verb(remove),
        "export": Verb(export, frozenset({"force"})),
        "upload": Verb(templateimages.upload, frozenset({"target", "cluster"})),
        "import": Verb(import_, frozenset({"source", "target", "cluster"})),
    },
)
