"""Disks that are managed on their own: those that rmvm and chvm -d kept, shared ones, LUNs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from ...engine.manager import Manager
from ...engine.nouns import Disk, DiskImage, Ref, StorageDomain, Template, Vm
from ...engine.waiting import GONE, Goal
from ...errors import Usage
from ...messages import Data, Error, few
from ...ordering import natural
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step, Wait
from ...units import show_size
from ..vm.diskwork import LIMIT as WORK_LIMIT
from ..vm.diskwork import MOVE, REDUCE, SPARSIFY, DiskVerb, DiskWork
from . import images
from .kind import Kind, Verb, success

LIMIT = 600.0


def list_images(manager: Manager, names: Sequence[str] = ()) -> list[DiskImage]:
    """All disks, or those of some names or ids, each with the names of its storage domains and of its machines.

    Raises:
        Usage: The manager knows disks only as parts of machines.
    """
    if not manager.keeps_disks:
        raise Usage(f"the manager {manager.name} is RHEV 3.0, which has no disks by themselves", "Run: lsvm NODE")
    images = [image for image in manager.list(DiskImage) if not names or known_as(image) & set(names)]
    owners = _owners(manager) if images else {}
    return [_with_names(manager, image, owners.get(image.id, ())) for image in images]


def unused_images(manager: Manager, images: Sequence[DiskImage]) -> list[DiskImage]:
    """Those that belong to no machine and no template, and that the manager does not keep for itself.

    Args:
        manager: Whom to ask: once for each template.
        images: As `list_images` gives them.
    """
    loose = [image for image in images if not image.vms and image.content_type in (None, "data")]
    templates = [each for each in manager.all(Template) if each.cluster] if loose else []
    theirs = {disk.id for template in templates for disk in manager.list(Disk, under=template)}
    return [image for image in loose if image.id not in theirs]


def known_as(image: DiskImage) -> set[str]:
    """What people call a disk: its name, its alias, its id."""
    return {image.id, image.name, image.alias or ""} - {""}


def _owners(manager: Manager) -> dict[str, list[Ref]]:
    """The machines that have a disk, by the disk's id."""
    found: dict[str, list[Ref]] = {}
    for vm in sorted(manager.list(Vm, details=True), key=lambda vm: natural(vm.name)):
        for disk in vm.disks or ():
            found.setdefault(disk.id, []).append(vm.ref)
    return found


def _with_names(manager: Manager, image: DiskImage, owners: Iterable[Ref]) -> DiskImage:
    domains = [Ref(ref.id, manager.name_of(StorageDomain, ref)) for ref in image.storage_domains]
    return image.replace(name=image.name or image.alias or image.id, storage_domains=tuple(domains), vms=tuple(owners))


def remove(context: Context, names: Sequence[str]) -> Plan:
    """Remove disks that no machine has."""
    found = list_images(context.manager, names)
    for name in names:
        hits = [image for image in found if name == image.id] or [image for image in found if name in known_as(image)]
        if not hits:
            yield Job(name, idle="there is no such disk: nothing to do")
        elif len(hits) > 1:
            shown = "; ".join(f"{image.id} ({_description(image)})" for image in hits)
            yield Error(f"{len(hits)} disks have this name: {shown}. Write the id in place of the name", name)
        elif hits[0].vms:
            (image,) = hits
            users = [ref.name for ref in image.vms]
            yield Error(f"it is a disk of {few(users)}. Run: chvm {users[0]} -p {image.name}", name)
        else:
            yield _removal(context, name, hits[0])


def _description(image: DiskImage) -> str:
    size = image.size or image.lun_size
    where = ", ".join(ref.name for ref in image.storage_domains) or "no storage domain"
    of = f", of {', '.join(ref.name for ref in image.vms)}" if image.vms else ""
    return f"{show_size(size) if size else 'LUN'} on {where}{of}"


def _removal(context: Context, name: str, image: DiskImage) -> Job:
    goal = partial(Goal, image, frozenset({GONE}), limit=context.limit(LIMIT))
    return Job(
        name,
        [
            Step(f"remove the disk {image.id} ({_description(image)})", partial(context.manager.remove, image)),
            Wait("wait until gone", goal, partial(_report_removal, name)),
        ],
    )


def _report_removal(name: str, _: object) -> list[Data]:
    return success(name)


def move(context: Context, names: Sequence[str]) -> Plan:
    """Move disks to another storage domain."""
    name = context.options["move"]
    target = context.manager.one(StorageDomain, name)
    yield from _each(context, names, MOVE, f"move to {name}", target)


def sparsify(context: Context, names: Sequence[str]) -> Plan:
    """Give back the space that thin disks do not use any more."""
    yield from _each(context, names, SPARSIFY, "sparsify")


def reduce(context: Context, names: Sequence[str]) -> Plan:
    """Make the volumes of thin disks on block storage as small as what is in them."""
    yield from _each(context, names, REDUCE, "reduce")


def _each(
    context: Context, names: Sequence[str], verb: DiskVerb, says: str, target: StorageDomain | None = None
) -> Plan:
    if late := context.manager.too_new(verb.came):
        raise Usage(late)
    images = context.manager.list(DiskImage)
    for name in names:
        hits = [image for image in images if name == image.id] or [each for each in images if name in known_as(each)]
        if len(hits) != 1:
            many = (
                f"{len(hits)} disks have this name: {few(each.id for each in hits)}. Write the id in place of the name"
            )
            yield Error(many if hits else "there is no such disk. Run: lsve -t disk", name)
        elif target is not None and any(ref.id == target.id for ref in hits[0].storage_domains):
            yield Job(name)
        else:
            work = DiskWork(context.manager, hits[0], verb, target=target, limit=context.limit(WORK_LIMIT))
            size = show_size(hits[0].size or hits[0].lun_size or 0)
            yield Job(name, work.parts(f"{says} the disk {hits[0].id} ({size})", partial(success, name)))


KIND = Kind(
    "disk",
    {
        "remove": Verb(remove),
        "move": Verb(move),
        "sparsify": Verb(sparsify),
        "reduce": Verb(reduce),
        "upload": Verb(images.upload, frozenset({"target"})),
        "download": Verb(images.download),
    },
)
