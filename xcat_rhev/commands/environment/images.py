"""cfgve --upload and --download: disks and templates of files, and files of disks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ...engine.nouns import DiskImage, StorageDomain
from ...engine.states import DomainStatus
from ...errors import NotFound, Usage
from ...messages import Error, few
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step
from ..vm.transfer import Download, Upload, former, source_of, target_of
from .kind import success


def upload(context: Context, names: Sequence[str]) -> Plan:
    """Make a disk of a file."""
    name = one_name(names, "--upload")
    refuse_old(context, "uploads of images")
    source = source_of(context.request, context.options["upload"], "--upload")
    disk, transfer = former(context, name, source.mark)
    if disk is not None and disk.description == source.mark:
        yield Job(name, idle=f"it was made of {source.path.name} already: nothing to do")
        return
    domain = StorageDomain() if disk else domain_for(context)
    parts = Upload(context, name, source, domain, disk, transfer).parts()
    yield Job(name, [*parts, Step("", partial(success, name))])


def download(context: Context, names: Sequence[str]) -> Plan:
    """Make a file of a disk."""
    name = one_name(names, "--download")
    refuse_old(context, "downloads of images")
    path = target_of(context.request, context.options["download"], "--download")
    images = context.manager.list(DiskImage)
    hits = [each for each in images if each.id == name] or [each for each in images if name in (each.name, each.alias)]
    if len(hits) != 1:
        many = f"{len(hits)} disks have this name: {few(each.id for each in hits)}. Write the id in place of the name"
        yield Error(many if hits else "there is no such disk. Run: lsve -t disk", name)
    elif hits[0].lun_id:
        yield Error("it is a LUN, which the manager cannot give. Read it on a hypervisor", name)
    else:
        parts = Download(context, hits[0], path).parts()
        yield Job(name, [*parts, Step("", partial(success, name))])


def one_name(names: Sequence[str], option: str) -> str:
    """The only name.

    Raises:
        Usage: There are several.
    """
    if len(names) != 1:
        raise Usage(f"{option} is for one object, not for {len(names)}", "Name one with -o")
    return names[0]


def refuse_old(context: Context, what: str) -> None:
    """Refuse what the manager does not have.

    Raises:
        Usage: It is too old, or its API is v3, which never had it.
    """
    if late := context.manager.too_new(what):
        raise Usage(late)


def domain_for(context: Context, among: Sequence[StorageDomain] = ()) -> StorageDomain:
    """The data domain that a disk is made on: the named one, or the only active one.

    Args:
        context: The command.
        among: The candidates; all of the manager if not given.

    Raises:
        NotFound: There is none, or none of that name.
        Usage: There are several, and none is named.
    """
    wanted = context.options.get("target")
    domains = among or context.manager.list(StorageDomain)
    data = [each for each in domains if each.type == "data" and each.status in (None, DomainStatus.ACTIVE)]
    fits = [each for each in data if not wanted or each.name == wanted]
    if not fits:
        has = few(each.name for each in data) or "none"
        raise NotFound(f"there is no active data domain {wanted or ''}".strip(), f"There is: {has}")
    if len(fits) > 1:
        raise Usage("--to-domain has to name one of several domains", f"There is: {few(each.name for each in fits)}")
    return fits[0]
