"""The few forms that an answer has, and how each is written."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from . import search
from .call import SHAPES, ApiCall
from .dialect import SimDialect, SimShape, Thing, tree
from .faults import BROKEN, Refused
from .render import Writer, document, href, link, write_collection

#: The v3 schema's order of an action's parts.
ACTION_PARTS = (
    "link async grace_period host network root_password ssh image fence_type ticket proxy_ticket iscsi storage_domain "
    "cluster discard_snapshots exclusive vm snapshot template host_nics modified_network_attachments "
    "removed_network_attachments synchronized_network_attachments modified_bonds removed_bonds modified_labels "
    "removed_labels check_connectivity connectivity_timeout pause force option clone disks job maintenance_enabled "
    "storage_domains disk reason logical_units use_sysprep use_cloud_init status fault "
    "iscsi_target power_management is_attached"
).split()
#: What v4 knows beyond those, as parameters of actions.
ACTION_PARTS_4 = frozenset(
    "activate reboot use_ignition use_initialization volatile stop_gluster_service migrate_vms_in_affinity_closure "
    "commit_on_success maintenance_after_restart host_nic restore_memory filename directory undeploy_hosted_engine "
    "discard_snapshots quota filter authorized_key upgrade_action attachment iscsi_targets discovered_targets seal "
    "synchronized_network_attachments all_content remote_viewer_connection_file allow_partial_import lease".split()
)


@dataclass
class Many:
    """A collection; search, paging and following are done when it is written."""

    shape: SimShape
    things: Iterable[Thing]
    searched: str = ""


@dataclass
class One:
    """A resource, with 200, or with 201 or 202 if this call made it; `inside`: links that are always followed."""

    shape: SimShape
    thing: Thing
    status: int = 200
    pending: bool = False
    inside: tuple[str, ...] = ()


@dataclass
class ActionDone:
    """The answer to an action: outputs by element, the resource that it was done to, 202 while tasks run."""

    shape: SimShape | None = None
    thing: Thing | None = None
    outputs: dict[str, str] = field(default_factory=dict)
    pending: bool = False


@dataclass
class Removed:
    """The answer to a DELETE."""

    about: str = ""


@dataclass
class Raw:
    """An answer with a body of its own."""

    body: bytes
    status: int = 200
    content_type: str = "application/xml"
    headers: dict[str, str] = field(default_factory=dict)


def write(call: ApiCall, answer: Any) -> Raw:
    """Write an answer in the call's dialect."""
    written: Raw = _FORMS[type(answer)](call, answer)
    return written


def _many(call: ApiCall, answer: Many) -> Raw:
    things = list(answer.things)
    if answer.searched:
        things = search.page(call, answer.searched, things)
    elif call.number("max") is not None and call.dialect.number == 4:
        things = things[: max(call.number("max") or 0, 0)]
    if call.admin and call.dialect.modern and (call.flag("filter") or call.headers.get("filter") == "true"):
        things = []  # what is filtered for an administrator is what was given to him by name: nothing
    inside = _follow_paths(call)
    return Raw(write_collection(answer.shape.plural, [text_of(call, answer.shape, thing, inside) for thing in things]))


def _one(call: ApiCall, answer: One) -> Raw:
    shape, thing = answer.shape, answer.thing
    where = address(call, shape, thing)
    made = {"Location": f"https://{call.headers.get('host', '')}{where}"} if answer.status > 200 else {}
    if not answer.pending:
        inside = [*_follow_paths(call), *([word] for word in answer.inside)]
        return Raw(document(text_of(call, shape, thing, inside)), answer.status, headers=made)
    shown = {**_complete(call, shape, shape.view(call.world, thing, call)), "creation_status": "pending"}
    text = writer(call).thing(shape, shown, where)
    follow = link("creation_status", f"{where}/creation_status/{thing['id']}")
    at = text.find("</creation_status>") + len("</creation_status>")
    return Raw(document(text[:at] + follow + text[at:]), 202, headers=made)


def _action_document(call: ApiCall, answer: ActionDone) -> Raw:
    pending = answer.pending or call.flag("async") or "202-accepted" in call.headers.get("x-ovirt-expect", "")
    state = "in_progress" if pending else "complete"
    parts = {**_echo(call), **answer.outputs, "status": _status(call.dialect, state)}
    if pending:
        parts["async"] = "<async>true</async>"
        parts["link"] = link("parent", call.where.rpartition("/")[0]) + link("replay", call.where)
    if call.dialect.modern:
        if _names_job(call) and not call.yes("detach"):
            job = call.world.job("Action")
            parts["job"] = f'<job href="{href(call.dialect, "job", job["id"])}" id="{job["id"]}"/>'
        if answer.shape and answer.thing and not pending and not _ALONE.search(call.where):
            parts[answer.shape.tag] = writer(call).ref(answer.shape.tag, answer.shape.kind, answer.thing["id"])
    task = f' href="{call.where}/{answer.thing["id"]}" id="{answer.thing["id"]}"' if pending and answer.thing else ""
    return Raw(document(f"<action{task}>{_in_order(parts, call.dialect)}</action>"), 202 if pending else 200)


def _names_job(call: ApiCall) -> bool:
    """Tell whether the answer to an action, or to a removal, names the job that does it."""
    if call.params.get("detach_only") == "false":
        return True
    older = call.dialect.behind < (4, 3)
    deactivates = _DEACTIVATES.search(call.where) and not (older and call.dialect.number == 4)
    jobless = _JOBLESS.search(call.where) and not deactivates
    return not (jobless or (older and _JOBLESS_42.search(call.where)))


#: What is done at once names no job, and some verbs name nothing that they were done to.
_JOBLESS = re.compile(
    r"/(clusters|hosts|tags|vnicprofiles|affinitygroups|nics|diskattachments|affinitygroups/[^/]+/vms|clusters/[^/]+/networks)"
    r"/[^/]+$|/nics/[^/]+/(de)?activate$|/(deactivate|fence|install|upgradecheck|discoveriscsi|iscsidiscover|ticket)$"
)
_JOBLESS_42 = re.compile(r"/networks/[^/]+$")
_DEACTIVATES = re.compile(r"/storagedomains/[^/]+/deactivate$")
_ALONE = re.compile(r"/nics/[^/]+/(de)?activate$|/(setupnetworks|ticket)$")


def refused_action(call: ApiCall, fault_text: str) -> str:
    """Write the answer to an action that was refused: the fault is inside the action."""
    parts = {**_echo(call), "status": _status(call.dialect, "failed"), "fault": fault_text}
    return f"<action>{_in_order(parts, call.dialect)}</action>"


def unknown_parts(body: Any, dialect: SimDialect) -> list[str]:
    """Name the parameters of an action which no action of this dialect has."""
    known = {*ACTION_PARTS, *(ACTION_PARTS_4 if dialect.number == 4 else ())}
    return [f"action/{child.tag}" for child in body if isinstance(child.tag, str) and child.tag not in known]


def _status(dialect: SimDialect, word: str) -> str:
    return f"<status>{word}</status>" if dialect.number == 4 else f"<status><state>{word}</state></status>"


def _echo(call: ApiCall) -> dict[str, str]:
    """Give back the parameters of an action: simple ones and references; a password is not said again."""
    if call.body is None or call.body.tag != "action":
        return {}
    told: dict[str, str] = {}
    for child in call.body:
        plain = isinstance(child.tag, str) and not len(child) and child.tag in _ECHOED
        if plain and (child.text or child.get("id")):
            identity = f' id="{child.get("id")}"' if child.get("id") else ""
            told[child.tag] = f"<{child.tag}{identity}>{(child.text or '').strip()}</{child.tag}>"
    return told


_ECHOED = frozenset("async host network fence_type force pause cluster storage_domain reason".split())


def _in_order(parts: dict[str, str], dialect: SimDialect) -> str:
    known = [parts[tag] for tag in ACTION_PARTS if tag in parts]
    return "".join(known + [text for tag, text in parts.items() if tag not in ACTION_PARTS and dialect.modern])


def _write_removed(call: ApiCall, answer: Removed) -> Raw:
    if call.dialect.version < (3, 2) or (call.dialect.version < (3, 3) and call.body is None):
        return Raw(b"")
    return _action_document(call, ActionDone())


_FORMS: dict[type, Any] = {
    Many: _many,
    One: _one,
    ActionDone: _action_document,
    Removed: _write_removed,
    Raw: lambda _call, raw: raw,
}


def writer(call: ApiCall) -> Writer:
    """Give a writer for a call."""
    return Writer(call.world, call.dialect, call.routes.offers)


def address(call: ApiCall, shape: SimShape, thing: Thing) -> str:
    """Give the href of a thing at its shape's path."""
    words = shape.path.split("/")
    for at, word in enumerate(words[:-1]):
        if word.startswith("{"):
            key = word[1:-1]
            words[at] = thing.get(key) or call.things[key]["id"]
    words[-1] = str(thing["id"]) if words[-1].startswith("{") else words[-1]
    return call.dialect.base + "/".join(words)


def text_of(call: ApiCall, shape: SimShape, thing: Thing, follow: list[list[str]] | None = None) -> str:
    """Write one thing, with what is followed inside.

    Args:
        call: Whose dialect and parameters count.
        shape: How its noun is written.
        thing: What to write.
        follow: Paths of links and references, e.g. `[["nics"], ["diskattachments", "disk"]]`.
    """
    asked = {"next_run", "current"} & set(call.params)
    told = call.body is not None and call.body.tag == shape.tag
    plain = shape.cached and not (follow or asked or call.everything or told)
    key = (shape.path, call.dialect, thing["id"], shape.kind in call.things)
    if plain and call.cache.get(key, (-1, ""))[0] == thing["v"]:
        return call.cache[key][1]
    shown = _complete(call, shape, shape.view(call.world, thing, call))
    text = writer(call).thing(shape, shown, address(call, shape, thing), _inside(call, shape, thing, follow or []))
    if plain:
        call.cache[key] = (thing["v"], text)
    return text


def _complete(call: ApiCall, shape: SimShape, view: Thing) -> Thing:
    """Add what an engine shows without anybody having said it."""
    full = call.everything or (call.body is not None and call.body.tag == shape.tag)
    missing = {key: value for key, value in _usual(shape, call.dialect, full) if view.get(key) is None}
    if "next_run" in call.params or view.get("status") == "image_locked":
        missing = {key: value for key, value in missing.items() if not key.startswith("initialization/")}
    return {**view, **missing} if missing else view


@functools.cache
def _usual(shape: SimShape, dialect: SimDialect, full: bool) -> tuple[tuple[str, Any], ...]:
    if not dialect.modern:
        return ()
    fields = [one for one in (*shape.basics, *shape.fields) if one.usual is not None and one.path(dialect)]
    return tuple((one.key, one.usual) for one in fields if full or not one.full)


def _follow_paths(call: ApiCall) -> list[list[str]]:
    """Read what is to be shown inside: `follow` since 4.2, `detail` in v3's media type."""
    if call.dialect.number == 4:
        told = call.params.get("follow", "") if call.dialect.knows((4, 2)) else ""
        return [path.strip().lower().split(".") for path in told.split(",") if path.strip()]
    details = [part.partition("=")[2] for part in call.headers.get("accept", "").split(";") if "detail=" in part]
    return [[word] for detail in details for word in detail.strip().split("+") if word in _DETAILS]


_DETAILS = frozenset({"disks", "nics", "tags", "statistics"})


def _inside(call: ApiCall, shape: SimShape, thing: Thing, follow: list[list[str]]) -> dict[str, str]:
    inside: dict[str, str] = {}
    heads: dict[str, list[list[str]]] = {}
    for first, *rest in follow:
        heads.setdefault(first, []).extend([rest] if rest else [])
    for first, rests in heads.items():
        tag, text = _follow(call, shape, thing, first, rests)
        if text:
            inside[tag] = text
    return inside


def _follow(call: ApiCall, shape: SimShape, thing: Thing, word: str, rest: list[list[str]]) -> tuple[str, str]:
    """Write what a link or a reference leads to."""
    route = call.routes.under(shape.path, word, call.dialect)
    if call.dialect.number == 3 and word not in tree(shape, call.dialect).kids:
        return word, ""
    if route is not None:
        found = route.handler(call.on(**{shape.path.rpartition("{")[2][:-1]: thing}))
        if isinstance(found, Raw):
            return word, found.body.decode().partition("?>")[2].strip()
        inner = "".join(text_of(call.on(**{shape.kind: thing}), found.shape, one, rest) for one in found.things)
        plural = found.shape.plural
        tag = (
            plural if plural.replace("_", "") == word.replace("_", "") else word
        )  # a host's NICs are host_nic in <nics>
        return tag, f"<{tag}>{inner}</{tag}>"
    for field_ in shape.fields:
        if field_.kind == "ref" and field_.key.replace("_", "") == word.replace("_", "") and field_.to in SHAPES:
            shown = shape.view(call.world, thing, call)
            target = call.world.get(field_.to, shown.get(field_.key))
            return field_.key, text_of(call, SHAPES[field_.to], target, rest) if target else ""
    raise Refused(f"Unable to find method to follow link '{word}'", BROKEN, listed=False)
