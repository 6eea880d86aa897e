"""lsve: what a virtual environment is made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Callable

from ..declare.command import Command, Option, Place
from ..engine.nouns import Cluster, DataCenter, DiskImage, Network, Noun, Ref, StorageDomain, Template
from ..errors import Usage
from ..messages import Data, Error
from ..plan.context import Context, Plan
from ..plan.jobs import Job, Step
from .environment import disk, events, export, metrics, picture, sdlookup, svgfile
from .environment import inventory as environment
from .environment.kind import is_in
from .environment.layout import LAYOUTS
from .environment.plainkinds import PLAIN
from .show.listing import Layout, Listing, Shown, by_name

_KINDS: dict[str, tuple[type[Noun], str]] = {
    "dc": (DataCenter, "data center"),
    "cl": (Cluster, "cluster"),
    "sd": (StorageDomain, "storage domain"),
    "nw": (Network, "network"),
    "tpl": (Template, "template"),
    "disk": (DiskImage, "disk"),
    **{word: (each.noun, each.title) for word, each in PLAIN.items()},
}
#: How each kind is shown.
SHOWN: Mapping[type[Noun], Layout] = {
    **LAYOUTS,
    **{noun: each.layout for each in PLAIN.values() for noun in each.nouns},
}
_PLAIN = {each.noun: each for each in PLAIN.values()}
#: What is asked of a manager as a whole.
_WHOLE: Mapping[str, Callable[[Context], Plan]] = {
    "export": export.plan,
    "metrics": metrics.plan,
    "events": events.plan,
}

SPEC = Command(
    name="lsve",
    summary="list the elements of a virtual environment",
    usage="-t TYPE -m manager [-o object[,object...]] [--json], or -m manager --graph FILE.svg | --export | --metrics "
    "| --events ID",
    place=Place.NAMED,
    routes=("rhevm",),
    options=(
        Option(("-t", "--type"), "type", "what kind of object", value="TYPE", choices=tuple(_KINDS)),
        Option(("-m", "--manager"), "manager", "the manager's full name; several joined by commas", value="MANAGER"),
        Option(
            ("-o", "--objects"), "objects", "the objects, joined by commas; all of that type if absent", value="NAMES"
        ),
        Option(("--json",), "as_json", "one JSON object a line, failures too"),
        Option(("--export",), "export", "write everything as cfgve --from reads it"),
        Option(("--unused",), "unused", "with -t disk: only disks that belong to no machine and to no template"),
        Option(("--metrics",), "metrics", "write states and numbers in Prometheus' text format; one manager at a time"),
        Option(("--events",), "events", "write the events after that one, one JSON object a line", value="ID"),
        Option(("--graph",), "graph", "a picture; - is standard output, else root gets a new file", value="FILE.svg"),
    ),
    description=(
        "A data center that is named is shown with all that belongs to it. The status of a storage domain is the one "
        "in its data center; without one it is unattached. A disk that shows no machine after vms belongs to none: "
        "chvm --attach gives it to one, cfgve -t disk -r removes it. --unused shows only those that also belong to no "
        "template and that the manager does not keep for itself.\n\n"
        "--metrics writes machines and hypervisors by state, the space of storage domains, the ends of certificates, "
        "the events of the last hour, and the requests that it took. The web server of the status page serves that as "
        "/xcatrhevh/metrics, see share/httpd/README.md; node_exporter can collect it from a file.\n\n"
        "--events writes what the manager has noted after the event with that number, the oldest first: manager, id, "
        "code, severity, time, description, and vm, host, cluster, data_center, storage_domain or template. Of a node "
        "of that manager it also says node, state (what the manager says of it now) and status: what nodelist.status "
        "should become, if it should. The last object has the newest number; now instead of a number gives it alone. "
        "xcat-rhev events asks this way and passes each event on."
    ),
    examples=(
        ("lsve -t dc -m rhevm.example.com -o Default", "a data center with all that belongs to it"),
        ("lsve -t sd -m rhevm.example.com", "all storage domains"),
        ("lsve -m rhevm.example.com --export > site.yaml", "everything as a description to make it again"),
        ("lsve -m rhevm.example.com --metrics > rhevm.prom", "numbers for node_exporter's textfile collector"),
        ("lsve -m rhevm.example.com --events 1234", "what happened since event 1234"),
        ("lsve -m rhevm.example.com --graph - > site.svg", "everything as one picture"),
    ),
)


def plan(context: Context) -> Plan:
    """Look the objects up and show them."""
    if "graph" in context.options:
        yield _picture(context, context.options["graph"])
        return
    whole = next((name for name in _WHOLE if name in context.options), "")
    if whole:
        if whole != "export":
            _one_manager(context.options["manager"], f"--{whole}")
        yield from _WHOLE[whole](context)
        return
    kind = context.options.get("type")
    if not kind:
        raise Usage("lsve needs -t with the type of the object", f"Usage: lsve {SPEC.usage}")
    noun, title = _KINDS[kind]
    if "unused" in context.options and noun is not DiskImage:
        raise Usage("--unused can only be used with -t disk")
    typed = (name.strip() for name in context.options.get("objects", "").split(","))
    names = list(dict.fromkeys(filter(None, typed)))
    found = _Found(context, noun, names)
    for name in names:
        if not found.of(name):
            yield Error(f"cannot find the {title} on {context.manager.name}", name)
    if noun is DataCenter and names:
        shown = _with_children(context, found.all)
    elif noun is StorageDomain:
        shown = [Shown(each) for each in sdlookup.with_states(context.manager, found.all)]
    else:
        shown = [Shown(each) for each in _with_places(context, found.all)]
    yield from _show(context, shown)


def _one_manager(managers: str, option: str) -> None:
    """Refuse several: Prometheus' format has each metric once, and each manager numbers its own events.

    Raises:
        Usage: There are several.
    """
    if "," in managers:
        raise Usage(f"{option} takes one manager at a time", "Ask for each by itself")


def _picture(context: Context, name: str) -> Job:
    """Read everything, and draw it into a file; `-` is the output."""
    path = None if name == "-" else svgfile.place(context.request, name)

    def draw() -> list[Data]:
        svg = picture.draw(environment.read(context.manager, with_vms=True))
        if path is None:
            return [Data(svg)]
        svgfile.write(path, svg)
        return [Data(f"{path}: written")]

    return Job("", [Step(f"draw everything to {path or 'the output'}", draw)])


class _Found:
    """All of a kind, or those of some names; several networks and templates may have the same name.

    Args:
        context: The command.
        noun: The kind.
        names: As they were typed; none for all.
    """

    def __init__(self, context: Context, noun: type[Noun], names: Sequence[str]) -> None:
        manager = context.manager
        self._templates = manager.templates(names) if noun is Template and names else None
        self._known: Sequence[Noun] = []
        if noun is DiskImage:
            listed = disk.list_images(manager, names)
            self._known = disk.unused_images(manager, listed) if "unused" in context.options else listed
        elif noun in _PLAIN:
            self._known = _PLAIN[noun].everything(manager)
        elif self._templates is None:
            self._known = manager.look(noun, names) if names and noun is not Network else manager.list(noun)
        told = [each for name in names for each in self.of(name)]
        self.all: list[Noun] = [*{each.id: each for each in (told if names else by_name(self._known))}.values()]

    def of(self, name: str) -> Sequence[Noun]:
        """Those that a name means."""
        if self._templates is not None:
            return self._templates.all(name)
        if self._known and isinstance(self._known[0], DiskImage):
            return [each for each in self._known if isinstance(each, DiskImage) and name in disk.known_as(each)]
        return [each for each in self._known if each.name == name]


def _with_places(context: Context, found: Sequence[Noun]) -> list[Noun]:
    """The same, with the names of their data centers where they are in several."""
    homes = [each.data_center for each in found if isinstance(each, (Network, Cluster)) and each.data_center]
    if len({home.id or home.name for home in homes}) < 2:
        return list(found)
    return [_in_center(context, each) for each in found]


def _in_center(context: Context, noun: Noun) -> Noun:
    home = noun.data_center if isinstance(noun, (Network, Cluster)) else None
    return noun.replace(data_center=Ref(home.id, context.manager.name_of(DataCenter, home))) if home else noun


def _with_children(context: Context, homes: Iterable[Noun]) -> list[Shown]:
    """Data centers with clusters, storage domains, networks and templates; each kind is listed once."""
    manager = context.manager
    wanted = [home for home in homes if isinstance(home, DataCenter)]
    if not wanted:
        return []
    clusters, networks, templates = manager.list(Cluster), manager.list(Network), manager.list(Template)
    shown = []
    for home in wanted:
        own = [cluster for cluster in clusters if is_in(cluster.data_center, home)]
        ids = {cluster.id for cluster in own}
        domains = manager.list(StorageDomain, under=home)
        nets = [network for network in networks if is_in(network.data_center, home)]
        # The manager's empty template has no cluster and belongs to every data center.
        built = [template for template in templates if template.cluster is None or template.cluster.id in ids]
        shown.append(Shown(home, [each for kind in (own, domains, nets, built) for each in by_name(kind)]))
    return shown


def _show(context: Context, shown: Iterable[Shown]) -> Plan:
    several = "," in context.options["manager"]
    listing = Listing(SHOWN, context.manager)
    for each in shown:
        if "as_json" in context.options:
            found = {"manager": context.manager.name, **listing.as_object(each)}
            yield Data(json.dumps(found, ensure_ascii=False))
        else:  # in one message: several managers answer in parallel, and an object must stay in one piece
            heading = [f"managers: [{context.manager.name}]"] if several else []
            yield Data("\n".join([*heading, *listing.lines(each)]))
