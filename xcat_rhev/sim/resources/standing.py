"""What every engine has from its installation, and lists that this simulator never fills."""

from __future__ import annotations

from lxml import etree

from ..answers import Raw
from ..call import ApiCall
from ..faults import BAD, Gone, Refused
from ..render import document, write_collection
from ..routing import Handler, Route, get
from ..world import INTERNAL, World
from .vmshape import LARGE_ICON, SMALL_ICON, derive_id

#: Address -> the element of the list, the element of a thing, and (id, inner text) of each.
_THINGS: dict[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {
    "domains": ("domains", "domain", ((INTERNAL, "<name>internal-authz</name>"),)),
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
}
#: The same below a thing: kind -> words.
_BELOW = {
    "/vms/{vm}": {
        "sessions": "sessions",
        "applications": "applications",
        "watchdogs": "watchdogs",
        "katelloerrata": "katello_errata",
        "affinitylabels": "affinity_labels",
    },
    "/hosts/{host}": {
        "hooks": "hooks",
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
        return Raw(write_collection(plural, texts))

    return handle


def _one_of(listed: Handler) -> Handler:
    """Make a handler that shows one of what another lists."""

    def handle(call: ApiCall) -> Raw:
        for child in etree.fromstring(listed(call).body):
            if child.get("id") == call.things["standing"]["id"]:
                return Raw(document(etree.tostring(child, encoding="unicode")))
        raise Gone

    return handle


def _nothing(plural: str) -> Handler:
    return lambda _call: Raw(write_collection(plural, []))


def _of(call: ApiCall, kind: str, things: list[tuple[str, str, str]], tag: str) -> Raw:
    """List what comes with other things: (owner, id, name), the owners' kind being in the address."""
    path = {"cluster": "clusters", "storage_domain": "storagedomains", "data_center": "datacenters"}[kind]
    texts = []
    for owner, one, name in things:
        home = f"{call.dialect.base}/{path}/{owner}"
        where = f'href="{home}/{tag.replace("_", "")}s/{one}" id="{one}"'
        texts.append(f'<{tag} {where}><name>{name}</name><{kind} href="{home}" id="{owner}"/></{tag}>')
    return Raw(write_collection(f"{tag}s", texts))


def _with(world: World, kind: str, what: str) -> list[tuple[str, str, str]]:
    return [(one["id"], derive_id(what, one["id"]) or "", one["name"]) for one in world.all(kind)]


def cpu_profiles(call: ApiCall) -> Raw:
    """List the profile that comes with each cluster."""
    own = call.things.get("cluster")
    found = [one for one in _with(call.world, "cluster", "cpu profile") if own is None or one[0] == own["id"]]
    return _of(call, "cluster", found, "cpu_profile")


def errata(_call: ApiCall) -> Raw:
    """Refuse: no provider of errata was ever told."""
    text = "The engine is not associated with a Foreman/Satellite provider. No errata for the engine are available."
    raise Refused(text, BAD, listed=False)


def option(call: ApiCall) -> Raw:
    """Show the one option that is known here: where the proxy is that brings consoles into browsers."""
    if call.things["option"]["id"] != "WebSocketProxy" or not call.dialect.knows((4, 2)):
        raise Gone
    place = call.world.meta.get("websocket_proxy", "Engine:6100")
    value = f"<system_option_value><value>{place}</value><version>general</version></system_option_value>"
    return Raw(
        document(
            f'<system_option href="{call.dialect.base}/options/WebSocketProxy" id="WebSocketProxy">'
            f"<name>WebSocketProxy</name><values>{value}</values></system_option>"
        )
    )


#: What the schema of 3.6 does not have, or not in the words of 4.x.
_OF_V4 = frozenset("icons networkfilters enabledfeatures affinitylabels".split())


def _since(word: str) -> dict[str, tuple[int, int]]:
    return {"since3": (99, 0) if word in _OF_V4 else (3, 6)}


_LATER = {"since3": (3, 6)}
ROUTES: tuple[Route, ...] = (
    *(get(f"/{word}", _things(word), "what every engine has from the start", **_since(word)) for word in _THINGS),
    *(get(f"/{word}/{{standing}}", _one_of(_things(word)), "show one of them", **_since(word)) for word in _THINGS),
    *(get(f"/{word}", _nothing(plural), "an empty list", **_since(word)) for word, plural in _EMPTY.items()),
    *(
        get(f"{home}/{word}", _nothing(plural), "an empty list", **_since(word))
        for home, words in _BELOW.items()
        for word, plural in words.items()
    ),
    get("/cpuprofiles", cpu_profiles, "the profile that comes with each cluster", **_LATER),
    get("/cpuprofiles/{standing}", _one_of(cpu_profiles), "show it", **_LATER),
    get("/clusters/{cluster}/cpuprofiles", cpu_profiles, "its profile", **_LATER),
    get("/clusters/{cluster}/cpuprofiles/{standing}", _one_of(cpu_profiles), "show it", **_LATER),
    get("/katelloerrata", errata, "400, as engines answer that were told of no provider", **_LATER),
    get("/options/{option}", option, "the websocket proxy's place; 404 for other options", since3=(99, 0)),
)
