"""lsve: what a virtual environment is made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from ..engine.nouns import Cluster, DataCenter, Network, Noun, StorageDomain, Template
from ..errors import Usage
from ..jobs import Job, Step
from ..messages import Data, Error
from .common import Command, Context, Option, Place, Plan
from .ve import environment, export, picture, sdfound, svgfile
from .ve.kind import is_in
from .ve.layout import Shown, as_object, lines

_KINDS: dict[str, tuple[type[Noun], str]] = {
    "dc": (DataCenter, "data center"),
    "cl": (Cluster, "cluster"),
    "sd": (StorageDomain, "storage domain"),
    "nw": (Network, "network"),
    "tpl": (Template, "template"),
}

SPEC = Command(
    name="lsve",
    summary="list the elements of a virtual environment",
    usage="-t dc|cl|sd|nw|tpl -m manager [-o object[,object...]] [--json], or -m manager --graph FILE.svg | --export",
    place=Place.NAMED,
    routes=("rhevm",),
    options=(
        Option(("-t", "--type"), "type", "what kind of object", value="TYPE", choices=tuple(_KINDS)),
        Option(("-m", "--manager"), "manager", "the manager's full name; several joined by commas", value="MANAGER"),
        Option(("-o", "--objects"), "objects", "the objects, joined by commas; all of that type if absent",
               value="NAMES"),
        Option(("--json",), "as_json", "one JSON object a line, failures too"),
        Option(("--export",), "export", "write everything as cfgve --from reads it"),
        Option(("--graph",), "graph", "draw everything as a picture, on the machine of the daemon", value="FILE.svg"),
    ),
    description=(
        "A data center that is named is shown with all that belongs to it. The status of a storage domain is the one "
        "in its data center; unattached outside any."
    ),
    examples=(
        ("lsve -t dc -m rhevm.example.com -o Default", "a data center with all that belongs to it"),
        ("lsve -t sd -m rhevm.example.com", "all storage domains"),
        ("lsve -m rhevm.example.com --export > site.yaml", "everything as a description to make it anew"),
        ("lsve -m rhevm.example.com --graph /tmp/site.svg", "everything as one picture"),
    ),
)


def plan(context: Context) -> Plan:
    """Look the objects up and show them."""
    if context.words:
        raise Usage(f"lsve does not know what to do with '{' '.join(context.words)}'", f"Usage: lsve {SPEC.usage}")
    if "graph" in context.options:
        yield _picture(context, context.options["graph"])
        return
    if "export" in context.options:
        yield from export.plan(context)
        return
    kind = context.options.get("type")
    if not kind:
        raise Usage("lsve needs -t with the type of the object", f"Usage: lsve {SPEC.usage}")
    noun, title = _KINDS[kind]
    typed = (name.strip() for name in context.options.get("objects", "").split(","))
    names = list(dict.fromkeys(filter(None, typed)))
    found = _found(context, noun, names)
    for name in names:
        if not any(each.name == name for each in found):
            yield Error(f"cannot find the {title} on {context.manager.name}", name)
    if noun is DataCenter and names:
        shown = _with_children(context, found)
    elif noun is StorageDomain:
        shown = [Shown(each) for each in sdfound.with_states(context.manager, found)]
    else:
        shown = [Shown(each) for each in found]
    yield from _show(context, shown)


def _picture(context: Context, name: str) -> Job:
    """Read everything, and draw it into a file; `-` is the output."""
    path = None if name == "-" else svgfile.place(context.request.cwd, name)

    def draw() -> list[Data]:
        svg = picture.draw(environment.read(context.manager))
        if path is None:
            return [Data(svg)]
        svgfile.write(path, svg)
        return [Data(f"{path}: written")]

    return Job("", [Step(f"draw everything to {path or 'the output'}", draw)])


def _found(context: Context, noun: type[Noun], names: Sequence[str]) -> list[Noun]:
    """All of a kind, or those of some names; networks of one name may be several, one in each data center."""
    if not names:
        return list(context.manager.list(noun))
    if noun is Network:
        return [network for network in context.manager.list(Network) if network.name in names]
    by_name = context.manager.find(noun, names)
    return [by_name[name] for name in names if name in by_name]


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
        shown.append(Shown(home, [*own, *domains, *nets, *built]))
    return shown


def _show(context: Context, shown: Iterable[Shown]) -> Plan:
    several = "," in context.options["manager"]
    for each in shown:
        if "as_json" in context.options:
            found = {"manager": context.manager.name, **as_object(each)}
            yield Data(json.dumps(found, ensure_ascii=False))
        elif several:  # they answer side by side: an object must not be torn apart, and its manager be known
            yield Data("\n".join([f"managers: [{context.manager.name}]", *lines(each)]))
        else:
            yield from map(Data, lines(each))
