"""What engines since 4.0 say of a thing that is not there: lists below it are empty, and verbs have words of their own.

Seen on oVirt 4.2.8 (API v3) and 4.5.8 (API v4). What stands in neither table is answered with 404 and nothing else.
"""

from __future__ import annotations

from .answers import Raw
from .dialect import SimDialect
from .faults import BAD, BROKEN, MISSING, Gone, Refused
from .render import document
from .routing import Route

#: Lists that nobody looks up an owner for, by the owner's kind.
_EMPTY = {
    "vm": "nics diskattachments=disk_attachments disks snapshots tags reporteddevices=reported_devices",
    "host": "fenceagents=agents devices=host_devices numanodes=host_numa_nodes",
    "cluster": "networks affinitygroups=affinity_groups",
    "template": "nics diskattachments=disk_attachments",
    "data_center": "storagedomains=storage_domains clusters networks",
    "network": "vnicprofiles=vnic_profiles",
}
_VM_GONE = "Cannot {} VM. VM is not found."
_HOST_GONE = "Cannot {} Host. Invalid Host Id."
#: Verbs and creations, by the owner's kind: what they are called in the refusal.
_CALLED = {
    "vm": "stop=stop shutdown=shutdown suspend=hibernate reboot=restart reset=reset migrate=migrate "
    "cancelmigration=cancel_migration export=export logon=log_on freezefilesystems=freeze",
    "host": "activate=activate deactivate=maintenance upgrade=upgrade upgradecheck=check_for_upgrade "
    "enrollcertificate=enroll_certificate",
}
_OWN = {
    "/vms/{vm}/nics": "Cannot add Interface. VM is not found.",
    "/vms/{vm}/snapshots": "Cannot create Snapshot. VM is not found.",
    "/vms/{vm}/diskattachments": "Cannot add Virtual Disk. VM is not found.",
    "/hosts/{host}/approve": "Cannot approve Host - Host does not exists.",
    "/hosts/{host}/commitnetconfig": "Host not found.",
    "/hosts/{host}/fenceagents": "Cannot add Fence Agent. Invalid Host Id.",
    "/clusters/{cluster}/affinitygroups": "Cannot add Affinity Group. Provided Cluster is invalid.",
}
#: These are looked up first, and the refusal names the id or the query that found nothing.
_LOOKED_UP = {
    "/vms/{vm}/ticket": "GetVmByVmId",
    "/vms/{vm}/clone": "VM: id={}",
    "/hosts/{host}/install": "{}",
    "/hosts/{host}/nics": "Host",
    "/clusters/{cluster}/networks": "{}",
    "/vms/{vm}/statistics": "{}",
    "/hosts/{host}/statistics": "{}",
    "/storagedomains/{storage_domain}/vms": "{}",
}


def answer(route: Route, kind: str, thing_id: str, dialect: SimDialect) -> Raw:
    """Answer a call about a thing that is not there.

    Args:
        route: The call.
        kind: The thing's.
        thing_id: Its id, as the path has it.
        dialect: Whose engine answers.

    Raises:
        Gone: There is nothing to say.
        Refused: In the engine's words.
    """
    below = route.path.rpartition("/")[2]
    if not dialect.modern or route.path.count("{") > 1 or "{" in below or len(thing_id) != len(_ZERO):
        raise Gone
    if route.method == "GET" and below in _words(_EMPTY.get(kind, "")):
        return Raw(document(f"<{_words(_EMPTY[kind])[below]}/>"))
    looks_up = route.method == "GET" or route.path not in _OWN
    if looks_up and route.path in _LOOKED_UP:
        raise Refused(f"Entity not found: {_LOOKED_UP[route.path].format(thing_id)}", MISSING, listed=False)
    if route.method != "POST":
        raise Gone
    if route.path == "/vms/{vm}/start" and dialect.number == 4:
        raise Refused(_FAILED_INSIDE, BROKEN, listed=False)
    raise _refusal(route.path, kind, below, dialect)


_FAILED_INSIDE = (
    'java.lang.NullPointerException: Cannot invoke "org.ovirt.engine.core.common.businessentities.VM.getStatus()" '
    'because the return value of "org.ovirt.engine.core.bll.RunVmCommand.getVm()" is null'
)
_ZERO = "00000000-0000-0000-0000-000000000000"


def _refusal(path: str, kind: str, verb: str, dialect: SimDialect) -> Exception:
    words = _words(_CALLED.get(kind, ""))
    if path in _OWN:
        return Refused(_OWN[path], BAD)
    if verb not in words:
        return Gone()
    if kind == "vm" and max(dialect.version, dialect.engine) < (4, 3):
        return Refused("Desktop does not exist", BAD)
    return Refused((_VM_GONE if kind == "vm" else _HOST_GONE).format(words[verb].replace("_", " ")), BAD)


def _words(text: str) -> dict[str, str]:
    """Read `one two=other`."""
    return {name: value or name for name, _, value in (word.partition("=") for word in text.split())}
