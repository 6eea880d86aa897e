"""What bodies of API v4 hold: an engine refuses elements that it does not know, and words that do not fit.

The words are those of oVirt 4.5 (`words4.txt`); many of them mean nothing to this simulator, which passes over them.
An engine refuses only the first ten unknown elements after its start, for its reader of XML reports no more; here they
are always refused.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree

from .dialect import Version
from .faults import BAD, Refused
from .routing import Route

_TRUTHS = frozenset({"true", "false", "0", "1"})
INVALID = "Invalid value"
#: Words of enumerations, and elements, that came with an engine of 4.x.
_CAME: Mapping[tuple[str, str], Version] = {
    ("NicInterface", "e1000e"): (4, 3),
    ("DiskInterface", "sata"): (4, 3),
    ("StorageDomainType", "managed_block_storage"): (4, 3),
    ("StorageType", "managed_block_storage"): (4, 3),
    ("Bios", "type"): (4, 3),
    ("Cluster", "bios_type"): (4, 4),
}


class Part(NamedTuple):
    """What may stand in an element: kind is `:` a type, `=` an enumeration, `.` a letter, or nothing for text."""

    kind: str
    name: str
    many: bool


@functools.cache
def _words() -> tuple[dict[str, dict[str, Part]], dict[str, list[str]], dict[str, str]]:
    """Types with their elements, enumerations with their words, and the types of elements that bodies begin with."""
    text = Path(__file__).with_name("words4.txt").read_text(encoding="utf-8")
    types, enums, roots = (
        [line.split() for line in part.splitlines() if not line.startswith("#")] for part in text.split("\n\n")
    )
    return (
        {name: dict(map(_part, parts)) for name, *parts in types},
        {name: words for name, *words in enums},
        {name: kind for name, kind in roots},
    )


def _part(word: str) -> tuple[str, Part]:
    many = word.endswith("*")
    for mark in ":=.":
        name, found, kind = word.rstrip("*").partition(mark)
        if found:
            return name, Part(mark, kind, many)
    return word.rstrip("*"), Part("", "", many)


#: Elements of v3's bodies that v4 does not have, or calls otherwise.
_ONLY_3 = frozenset(
    """actions boot_protocols creation creation_status current destroy detach detach_only guest_info host_nics
    iscsi_target label labels link live_snapshot_support message_broker_type numa_node_pin numa_node_pins os_types
    overcommit power_managers reboot_after_installation selinux serial_number_policy sso_methods state
    storage_manager thresholds vm_numa_node vmpool vmpools""".split()
)


def unknown3(body: Any) -> bool:
    """Tell whether a body holds an element that v3 of 4.x does not know; it reads none of it then."""
    return any(one.tag not in _ONLY_3 | _elements() for one in body.iter(etree.Element))


@functools.cache
def _elements() -> frozenset[str]:
    """All elements of v4, whatever they stand in."""
    types, _, roots = _words()
    return frozenset({*roots, *(name for parts in types.values() for name in parts)})


class WrongRoot(Exception):
    """A body that is a document of another kind: the engine fails inside."""


def check(body: Any, route: Route, host: str, version: Version) -> None:
    """Refuse a body as an engine's reader does.

    Args:
        body: Its root, or None if there is none.
        route: What is called; the engine's words name it.
        host: Whom the caller calls.
        version: The engine's.

    Raises:
        Refused: It cannot be read.
        WrongRoot: It begins with another element that an engine knows.
    """
    roots = _words()[2]
    wanted = _first_element(route)
    known = body is not None and body.tag in roots
    if known and body.tag != wanted:
        raise WrongRoot
    if not known or not _readable(body, roots[wanted], version):
        raise incorrect(route, host)


def unknown(body: Any, route: Route) -> list[str]:
    """Name the elements of a body, by their paths, that an engine does not know."""
    wanted = _first_element(route)
    return list(_unknown(body, _words()[2][wanted], wanted))


def _unknown(element: Any, name: str, path: str) -> Iterator[str]:
    parts = _words()[0][name]
    for child in element.iterchildren(etree.Element):
        part, where = parts.get(child.tag), f"{path}/{child.tag}"
        if part is None and child.tag not in _EVERYWHERE:
            yield where
        if part is not None and part.kind == ":":
            for one in child.iterchildren(etree.Element) if part.many else [child]:
                yield from _unknown(one, part.name, f"{where}/{one.tag}" if part.many else where)


def _first_element(route: Route) -> str:
    """The element with which a document begins that is sent to an address."""
    return "action" if route.action else _root(route)


def _root(route: Route) -> str:
    """Give the element with which a document begins that is sent to a collection, or to one of its things."""
    steps = [step for step in route.path.strip("/").split("/") if not step.startswith("{")]
    if route.path.startswith("/hosts/{host}/nics"):
        return "host_nic"
    single = _SERVICES.get(steps[-1], ("",))[0]
    return _ROOTS.get(steps[-1]) or single or _element_name(steps[-1].removesuffix("s"))


def _element_name(word: str) -> str:
    """An element as it is written, with its underscores: macpool is mac_pool."""
    return next((root for root in _words()[2] if root.replace("_", "") == word), word)


#: Where the document is not called as the service.
_ROOTS = {
    "fenceagents": "agent",
    "storageconnections": "storage_connection",
    "graphicsconsoles": "graphics_console",
    "numanodes": "vm_numa_node",
    "hostdevices": "host_device",
    "mediateddevices": "vm_mediated_device",
}


def incorrect(route: Route, host: str) -> Refused:
    """Make the refusal of what cannot be read."""
    where = f"https://{host}/ovirt-engine/apidoc#services/{service(route)}"
    return Refused(f"For correct usage, see: {where}", BAD, "Request syntactically incorrect.")


def _readable(element: Any, name: str, version: Version) -> bool:
    """Tell whether all that stands in an element can be read; a word that is none of an enumeration's is named."""
    parts = _words()[0][name]
    for child in element.iterchildren(etree.Element):
        part = parts.get(child.tag) if _CAME.get((name, child.tag), version) <= version else None
        if part is not None and not all(
            _fits(one, part, version) for one in (child.iterchildren(etree.Element) if part.many else [child])
        ):
            return False
    return True


#: What each type has besides its own: whoever sends back what it was shown sends these.
_EVERYWHERE = frozenset({"actions", "link", "creation_status"})


def _fits(element: Any, part: Part, version: Version) -> bool:
    enums = _words()[1]
    text = (element.text or "").strip()
    if part.kind == ":":
        return _readable(element, part.name, version)
    if part.kind == "=":
        known = [word for word in enums[part.name] if _CAME.get((part.name, word), version) <= version]
        _refuse_word(text, part.name, known)
    elif part.name == "b" and text.lower() not in _TRUTHS:
        raise Refused(f'Value "{text}" isn\'t a valid boolean, it should be "true" , "false", "0" or "1"', BAD, INVALID)
    elif part.name == "i":
        return text.lstrip("-").isdigit()
    return True


def _refuse_word(text: str, name: str, words: list[str]) -> None:
    if text not in words:
        listed = ", ".join(f"'{word}'" for word in words)
        told = f"The string '{text}' isn't a valid value for the '{name}' enumerated type. Valid values are: {listed}."
        raise Refused(told, BAD, INVALID)


#: Where the service is not called as its address: the part of the address -> one, and the collection.
_SERVICES = {
    "datacenters": ("data_center", "data_centers"),
    "storagedomains": ("storage_domain", "storage_domains"),
    "schedulingpolicies": ("scheduling_policy", "scheduling_policies"),
    "vnicprofiles": ("vnic_profile", "vnic_profiles"),
    "affinitygroups": ("affinity_group", "affinity_groups"),
    "diskattachments": ("disk_attachment", "disk_attachments"),
    "fenceagents": ("fence_agent", "fence_agents"),
    "networkattachments": ("network_attachment", "network_attachments"),
    "storageconnections": ("storage_server_connection", "storage_server_connections"),
    "graphicsconsoles": ("vm_graphics_console", "vm_graphics_consoles"),
    "externalvmimports": ("external_vm_import", "external_vm_imports"),
    "imagetransfers": ("image_transfer", "image_transfers"),
    "/vms/nics": ("vm_nic", "vm_nics"),
    "/vms/cdroms": ("vm_cdrom", "vm_cdroms"),
    "/hosts/nics": ("host_nic", "host_nics"),
    "/vms/numanodes": ("vm_numa_node", "vm_numa_nodes"),
    "/vms/hostdevices": ("vm_host_device", "vm_host_devices"),
    "/vms/mediateddevices": ("vm_mediated_device", "vm_mediated_devices"),
    "/vms/tags": ("assigned_tag", "assigned_tags"),
    "/hosts/tags": ("assigned_tag", "assigned_tags"),
    "/affinitygroups/vms": ("affinity_group_vm", "affinity_group_vms"),
    "/datacenters/storagedomains": ("attached_storage_domain", "attached_storage_domains"),
    "/clusters/networks": ("cluster_network", "cluster_networks"),
    "/datacenters/networks": ("data_center_network", "data_center_networks"),
    "/networks/vnicprofiles": ("assigned_vnic_profile", "assigned_vnic_profiles"),
}
#: Verbs of several words.
_VERBS = {
    "setupnetworks": "setup_networks",
    "cancelmigration": "cancel_migration",
    "commitnetconfig": "commit_net_config",
    "forceselectspm": "force_select_spm",
    "enrollcertificate": "enroll_certificate",
    "upgradecheck": "upgrade_check",
    "iscsidiscover": "iscsi_discover",
    "iscsilogin": "iscsi_login",
    "freezefilesystems": "freeze_filesystems",
    "thawfilesystems": "thaw_filesystems",
    "reordermacaddresses": "reorder_mac_addresses",
    "proxyticket": "proxy_ticket",
    "remoteviewerconnectionfile": "remote_viewer_connection_file",
}


def service(route: Route) -> str:
    """Name a call as the engine's documentation does: `vms/methods/add`."""
    steps = route.path.strip("/").split("/")
    verb = steps.pop() if route.action else ""
    one = steps[-1].startswith("{")
    names = [step for step in steps if not step.startswith("{")]
    last = names[-1] if names else "system"
    pair = _SERVICES.get(f"/{names[-2]}/{last}" if len(names) > 1 else "") or _SERVICES.get(last)
    single, several = pair or (last.removesuffix("s"), last)
    method = _VERBS.get(verb, verb) or {"POST": "add", "PUT": "update"}.get(route.method, "remove")
    return f"{single if one else several}/methods/{method}"
