"""What differs between API v3 and v4, and between versions, as tables; other files ask what an engine can do.

How a single value is spelled is with its field in `nouns.py`; here is what concerns requests as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Version = tuple[int, int]

#: When a behaviour came (API guide's history of changes; engine branches 3.0 to 4.5).
_SINCE: Mapping[str, Version] = {
    "always": (3, 0),
    "max_matrix": (3, 1),  # ;max=N raises the limit of rows
    "sessions": (3, 1),  # Prefer: persistent-auth
    "correlation": (3, 1),  # Correlation-Id
    "disks": (3, 1),  # the /disks collection
    "ids_alone": (3, 1),  # a reference needs no name beside its id
    "networks_searchable": (3, 2),
    "own_events": (3, 2),  # others may write into the manager's log
    "ssh": (3, 3),  # hosts are logged in to by key, or as somebody else than root
    "growing_disks": (3, 3),  # ExtendImageSizeCommand; earlier ones take a larger size and do nothing about it
    "distinct_faults": (3, 3),  # 409 for conflicts; before that 400 for every refusal
    "vnic_profiles": (3, 3),
    "jobs": (3, 3),
    "affinity_groups": (3, 4),
    "operating_systems": (3, 4),  # guests' systems can be listed
    "certificates": (3, 6),  # events tell when certificates end, and hosts' are enrolled again
    "disk_verbs": (3, 4),  # disks are moved at /disks; before that at their machines
    "unlimited": (3, 4),  # lists are not cut at 100 rows
    "unregistered": (3, 5),  # what is on storage and not in the engine can be found and taken in
    "attachments": (3, 6),  # host network attachments
    "fence_agents": (3, 6),  # /hosts/{id}/fenceagents
    "consoles": (3, 6),
    "console_proxy": (3, 6),  # ovirt-vmconsole-proxy, for serial consoles
    "detaching_formats": (3, 6),  # local storage that is taken off its data center is formatted
    "host_upgrade": (3, 6),
    "several_hosts": (3, 6),  # placement_policy/hosts; before that one host
    "stopping_gluster": (4, 0),  # maintenance may stop Gluster, and is then refused while something is not healed
    "gluster_heal_look": (4, 4),  # clusters/{id}/refreshglusterhealstatus
    "next_run_adds": (4, 2),  # a change that is asked for a VM's next start is added to what waits already
    "upgrade_check": (4, 1),
    "current_consoles": (4, 1),  # graphicsconsoles?current=true
    "follow": (4, 2),
    "no_images": (4, 2),  # no hosts any more that are upgraded from an ISO on the manager
    "commit_on_success": (4, 3),
    "mediated_devices": (4, 5),  # virtual GPUs are a list of their own; before that a custom property
    "keeps_unnamed": (4, 4),  # a change leaves a machine's console and labels alone that it does not name
    "serial_consoles": (3, 4),
    "numa_tuned_each": (4, 4),  # each NUMA node of a machine has its own mode
    "silent_enrolment": (4, 5),  # a host that does not answer, as one with an expired certificate, can be enrolled
    # A host that is installed again stays in maintenance since 4.3 unless it is told otherwise. Engines 4.2 do not look
    # at the word, and cannot be told from 4.3 where a fork counts for itself.
    "install_rests": (4, 2),
}

#: Rows after which 3.0 to 3.3 cut a list without a word (SearchResultsLimit).
ROWS = 100

#: The order of an action's parameters in both schemas.
_ORDER: Mapping[str, tuple[str, ...]] = {
    "action": (
        "async",
        "grace_period",
        "host",
        "network",
        "root_password",
        "ssh",
        "image",
        "fence_type",
        "ticket",
        "iscsi",
        "storage_domain",
        "cluster",
        "discard_snapshots",
        "exclusive",
        "vm",
        "snapshot",
        "template",
        "host_nics",
        "modified_network_attachments",
        "removed_network_attachments",
        "synchronized_network_attachments",
        "modified_bonds",
        "removed_bonds",
        "check_connectivity",
        "connectivity_timeout",
        "pause",
        "force",
        "detach",
        "clone",
        "restore_memory",
        "disks",
        "maintenance_enabled",
        "disk",
        "reason",
        "use_sysprep",
        "use_cloud_init",
        "iscsi_target",
    ),
}

#: The order of children in engine_3.0's schema where it is another than 3.6's, which the declarations follow. Engines
#: take any order; a body in the published one can be checked.
_ORDER_30: Mapping[str, tuple[str, ...]] = {
    "vm": (
        "name",
        "description",
        "type",
        "memory",
        "cpu",
        "os",
        "high_availability",
        "display",
        "host",
        "cluster",
        "template",
        "storage_domain",
        "stateless",
        "timezone",
        "custom_properties",
        "disks",
        "placement_policy",
        "memory_policy",
    ),
    "template": (
        "name",
        "description",
        "vm",
        "type",
        "memory",
        "cpu",
        "os",
        "cluster",
        "storage_domain",
        "high_availability",
        "display",
        "stateless",
    ),
    "storage": ("type", "address", "path", "logical_unit"),
    "logical_unit": ("address", "port", "target", "username", "password"),
    "iscsi": ("address", "port", "target", "username", "password"),
}


_PERCENT = {
    code: f"%{code:02X}"
    for code in range(256)
    if not (chr(code).isascii() and chr(code).isalnum()) and chr(code) not in "-_.~*,"
}


def percent(text: str) -> str:
    """Encode a value for an address; a search of 100 names is long, and this is fast."""
    return text.encode().decode("latin-1").translate(_PERCENT)


@dataclass(frozen=True)
class Dialect:
    """One way of speaking: how documents are spelled, and what the engine behind can do.

    Attributes:
        major: 3 or 4: how documents are spelled.
        version: The engine's own version; a 4.x engine may speak v3.
    """

    major: int
    version: Version

    def has(self, feature: str) -> bool:
        """Whether this engine can do that in this dialect; a key of `_SINCE`."""
        since = _SINCE[feature]
        return self.since(since)

    def since(self, version: Version) -> bool:
        """Whether this dialect has what came with that version. v3 on a 4.x engine stays what it was in 3.6."""
        return min(self.version, (3, 6)) >= version if self.major == 3 else self.version >= version

    def order(self, tag: str) -> tuple[str, ...]:
        """The order of an element's children where the declared one does not do, else nothing."""
        if self.major == 4:
            return ()
        return _ORDER.get(tag, ()) or (_ORDER_30.get(tag, ()) if self.version < (3, 3) else ())

    def address(self, path: str, search: str = "", **params: str) -> str:
        """Write a path with its parameters: v4 takes them in the query, v3 as matrix parameters except the search.

        Args:
            path: Below the origin, already encoded.
            search: In the search language, not yet encoded.
            params: `max`, `follow`, `current` ..., not yet encoded.
        """
        pairs = [f"{name}={percent(value)}" for name, value in params.items()]
        query = [f"search={percent(search)}"] if search else []
        if self.major == 4:
            query += pairs
        else:
            path = ";".join([path, *pairs])
        return path + ("?" + "&".join(query) if query else "")


V30 = Dialect(3, (3, 0))
V36 = Dialect(3, (3, 6))
V4 = Dialect(4, (4, 5))
