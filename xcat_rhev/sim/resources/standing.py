"""What every engine has from its installation, and lists that this simulator never fills."""

from __future__ import annotations

import re

from lxml import etree

from ..answers import Raw
from ..call import ApiCall
from ..faults import BAD, Gone, Refused
from ..render import collected, document
from ..routing import Handler, Route, get
from ..world import ROOT_USER, World
from .clusters import BALANCED
from .root import INTERNAL
from .vmshape import LARGE_ICON, SMALL_ICON, derived

#: The group of all users, the role of an administrator and that of a user.
EVERYONE, SUPER_USER, USER_ROLE = (
    "eee00000-0000-0000-0000-123456789eee",
    "00000000-0000-0000-0000-000000000001",
    "00000000-0000-0000-0001-000000000001",
)
#: Address -> the element of the list, the element of a thing, and (id, inner text) of each.
_THINGS: dict[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {
    "roles": (
        "roles",
        "role",
        (
            (
                SUPER_USER,
                "<name>SuperUser</name><description>Roles management administrator</description>"
                "<administrative>true</administrative><mutable>false</mutable>",
            ),
            (
                USER_ROLE,
                "<name>UserRole</name><description>Standard User Role</description>"
                "<administrative>false</administrative><mutable>false</mutable>",
            ),
        ),
    ),
    "groups": (
        "groups",
        "group",
        (
            (
                EVERYONE,
                f"<name>Everyone</name><domain_entry_id>{INTERNAL}</domain_entry_id><namespace>*</namespace>",
            ),
        ),
    ),
    "domains": ("domains", "domain", ((INTERNAL, "<name>internal-authz</name>"),)),
    "schedulingpolicies": (
        "scheduling_policies",
        "scheduling_policy",
        (
            (
                BALANCED,
                "<name>evenly_distributed</name><default_policy>false</default_policy><locked>true</locked>"
                "<properties><property><name>HighUtilization</name><value>80</value></property></properties>",
            ),
        ),
    ),
    "schedulingpolicyunits": (
        "scheduling_policy_units",
        "scheduling_policy_unit",
        (
            (
                "e659c871-0bf1-4ccc-b748-f28f5d08ddda",
                "<name>Migration</name><description>Prevent migration to the same host.</description>"
                "<enabled>true</enabled><internal>true</internal><properties><property><name>Weight</name><value>1</value>"
                "</property></properties><type>filter</type>",
            ),
        ),
    ),
    "icons": (
        "icons",
        "icon",
        tuple((one, "<data>iVBORw0KGgo=</data><media_type>image/png</media_type>") for one in (LARGE_ICON, SMALL_ICON)),
    ),
    "networkfilters": (
        "network_filters",
        "network_filter",
        (
            (
                "d2370ab4-fee3-11e9-a310-8c1645ce738e",
                "<name>vdsm-no-mac-spoofing</name><version><major>3</major><minor>2</minor></version>",
            ),
        ),
    ),
}
#: Addresses of lists that are always empty here -> their elements.
_EMPTY = {
    "bookmarks": "bookmarks",
    "vmpools": "vm_pools",
    "instancetypes": "instance_types",
    "externalhostproviders": "external_host_providers",
    "openstackimageproviders": "openstack_image_providers",
    "openstacknetworkproviders": "openstack_network_providers",
    "imagetransfers": "image_transfers",
    "affinitylabels": "affinity_labels",
}
#: The same below a thing: kind -> words.
_BELOW = {
    "/vms/{vm}": {
        "sessions": "sessions",
        "applications": "applications",
        "watchdogs": "watchdogs",
        "hostdevices": "host_devices",
        "katelloerrata": "katello_errata",
        "affinitylabels": "affinity_labels",
    },
    "/hosts/{host}": {
        "hooks": "hooks",
        "devices": "host_devices",
        "numanodes": "host_numa_nodes",
        "unmanagednetworks": "unmanaged_networks",
        "katelloerrata": "katello_errata",
    },
    "/clusters/{cluster}": {"enabledfeatures": "cluster_features"},
    "/storagedomains/{storage_domain}": {"disksnapshots": "disk_snapshots"},
}


def _things(word: str) -> Handler:
    plural, tag, things = _THINGS[word]

    def handle(call: ApiCall) -> Raw:
        at = f"{call.dialect.base}/{word}"
        texts = [f'<{tag} href="{at}/{one}" id="{one}">{text}</{tag}>' for one, text in things]
        if call.dialect.number == 3:  # whose schema has them in another order
            texts = [_RIGHTS.sub(r"\2\1", text) for text in texts]
        return Raw(collected(plural, texts))

    return handle


_RIGHTS = re.compile(r"(<administrative>.*?</administrative>)(<mutable>.*?</mutable>)")


def _one_of(listed: Handler) -> Handler:
    """Make a handler that shows one of what another lists."""

    def handle(call: ApiCall) -> Raw:
        for child in etree.fromstring(listed(call).body):
            if child.get("id") == call.things["standing"]["id"]:
                return Raw(document(etree.tostring(child, encoding="unicode")))
        raise Gone

    return handle


def _nothing(plural: str) -> Handler:
    return lambda _call: Raw(collected(plural, []))


def _of(call: ApiCall, kind: str, things: list[tuple[str, str, str]], tag: str) -> Raw:
    """List what comes with other things: (owner, id, name), the owners' kind being in the address."""
    path = {"cluster": "clusters", "storage_domain": "storagedomains", "data_center": "datacenters"}[kind]
    texts = []
    for owner, one, name in things:
        home = f"{call.dialect.base}/{path}/{owner}"
        where = f'href="{home}/{tag.replace("_", "")}s/{one}" id="{one}"'
        about = "<description>Default unlimited quota</description>" if tag == "quota" else ""
        more = _limits(call) if tag == "quota" else ""
        texts.append(f'<{tag} {where}><name>{name}</name>{about}<{kind} href="{home}" id="{owner}"/>{more}</{tag}>')
    return Raw(collected(f"{tag}s", texts))


def _limits(call: ApiCall) -> str:
    names = ("cluster_soft", "cluster_hard", "storage_soft", "storage_hard")  # in the order of the schema of v3
    marks = [f"<{name}_limit_pct>{20 if 'hard' in name else 80}</{name}_limit_pct>" for name in names]
    return "".join(marks if call.dialect.number == 3 else sorted(marks))


def _with(world: World, kind: str, what: str) -> list[tuple[str, str, str]]:
    return [(one["id"], derived(what, one["id"]) or "", one["name"]) for one in world.all(kind)]


def cpu_profiles(call: ApiCall) -> Raw:
    """List the profile that comes with each cluster."""
    own = call.things.get("cluster")
    found = [one for one in _with(call.world, "cluster", "cpu profile") if own is None or one[0] == own["id"]]
    return _of(call, "cluster", found, "cpu_profile")


def disk_profiles(call: ApiCall) -> Raw:
    """List the profile that comes with each storage domain."""
    return _of(call, "storage_domain", _with(call.world, "storage_domain", "disk profile"), "disk_profile")


def quotas(call: ApiCall) -> Raw:
    """List the quota that comes with a data center."""
    center = call.things["data_center"]
    return _of(call, "data_center", [(center["id"], derived("quota", center["id"]) or "", "Default")], "quota")


def permissions(call: ApiCall) -> Raw:
    """List the one permission that all have."""
    base = call.dialect.base
    one = derived("permission", EVERYONE)
    group, role = (
        f'<{tag} href="{base}/{tag}s/{there}" id="{there}"/>'
        for tag, there in (("group", EVERYONE), ("role", USER_ROLE))
    )
    where = f'href="{base}/groups/{EVERYONE}/permissions/{one}" id="{one}"'
    parts = group + role if call.dialect.number == 4 else role + group
    mine = derived("permission", ROOT_USER)
    user = f'<user href="{base}/users/{ROOT_USER}" id="{ROOT_USER}"/>'
    own = f'<permission href="{base}/users/{ROOT_USER}/permissions/{mine}" id="{mine}">'
    more = [f"{own}{role}{user}</permission>"] if call.dialect.number == 4 else []
    return Raw(collected("permissions", [f"<permission {where}>{parts}</permission>", *more]))


def _permissions_on(kind: str, path: str) -> Handler:
    """Make a handler that lists who may do what with a thing: all its users, and who made it."""

    def handle(call: ApiCall) -> Raw:
        base, thing = call.dialect.base, call.things[kind]["id"]
        owner = f'<{kind} href="{base}/{path}/{thing}" id="{thing}"/>'
        group = f'<group href="{base}/groups/{EVERYONE}" id="{EVERYONE}"/>'
        user = f'<user href="{base}/users/{ROOT_USER}" id="{ROOT_USER}"/>'
        texts = []
        for who, role, more in ((group, USER_ROLE, ""), (user, SUPER_USER, owner)):
            one = derived(f"permission {role}", thing)
            may = f'<role href="{base}/roles/{role}" id="{role}"/>'
            where = f'href="{base}/{path}/{thing}/permissions/{one}" id="{one}"'
            texts.append(f"<permission {where}>{more}{who}{may}</permission>")
        return Raw(collected("permissions", texts if call.dialect.number == 4 else []))

    return handle


_OWNED = {"vm": "vms", "host": "hosts", "cluster": "clusters", "data_center": "datacenters"}
_OWNED |= {"storage_domain": "storagedomains", "template": "templates", "network": "networks"}


def errata(_call: ApiCall) -> Raw:
    """Refuse: no provider of errata was ever told."""
    text = "The engine is not associated with a Foreman/Satellite provider. No errata for the engine are available."
    raise Refused(text, BAD, listed=False)


def option(_call: ApiCall) -> Raw:
    """Know of no option that is asked for."""
    raise Gone


#: What the schema of 3.6 does not have, or not in the words of 4.x.
_OF_V4 = frozenset(
    "icons networkfilters schedulingpolicies schedulingpolicyunits vmpools imagetransfers affinitylabels "
    "enabledfeatures".split()
)


def _since(word: str) -> dict[str, tuple[int, int]]:
    return {"since3": (99, 0) if word in _OF_V4 else (3, 6)}


_LATER = {"since3": (3, 6)}
ROUTES: tuple[Route, ...] = (
    *(get(f"/{word}", _things(word), "what every engine has from the start", **_since(word)) for word in _THINGS),
    *(get(f"/{word}/{{standing}}", _one_of(_things(word)), "show one of them", **_since(word)) for word in _THINGS),
    *(get(f"/{word}", _nothing(plural), "an empty list", **_since(word)) for word, plural in _EMPTY.items()),
    *(
        get(f"/{path}/{{{kind}}}/permissions", _permissions_on(kind, path), "who may do what with it", **_LATER)
        for kind, path in _OWNED.items()
    ),
    *(
        get(f"/{path}/{{{kind}}}/permissions/{{standing}}", _one_of(_permissions_on(kind, path)), "show it", **_LATER)
        for kind, path in _OWNED.items()
    ),
    *(
        get(f"{home}/{word}", _nothing(plural), "an empty list", **_since(word))
        for home, words in _BELOW.items()
        for word, plural in words.items()
    ),
    get("/cpuprofiles", cpu_profiles, "the profile that comes with each cluster", **_LATER),
    get("/cpuprofiles/{standing}", _one_of(cpu_profiles), "show it", **_LATER),
    get("/clusters/{cluster}/cpuprofiles", cpu_profiles, "its profile", **_LATER),
    get("/clusters/{cluster}/cpuprofiles/{standing}", _one_of(cpu_profiles), "show it", **_LATER),
    get("/storagedomains/{storage_domain}/diskprofiles/{standing}", _one_of(disk_profiles), "show it", **_LATER),
    get("/datacenters/{data_center}/quotas/{standing}", _one_of(quotas), "show it", **_LATER),
    get("/users/{user}/permissions/{standing}", _one_of(permissions), "show it", **_LATER),
    get("/groups/{group}/permissions/{standing}", _one_of(permissions), "show it", **_LATER),
    get("/diskprofiles/{standing}", _one_of(disk_profiles), "show it", **_LATER),
    get("/diskprofiles", disk_profiles, "the profile that comes with each storage domain", **_LATER),
    get("/permissions", permissions, "the permission that all have", **_LATER),
    get("/datacenters/{data_center}/quotas", quotas, "the quota that comes with a data center", **_LATER),
    get("/katelloerrata", errata, "400, as engines answer that were told of no provider", **_LATER),
    get("/options/{option}", option, "404, as engines answer for an option that they lack", since3=(99, 0)),
)
