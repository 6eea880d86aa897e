"""mkinstall: what nodeset asks for to install a node with RHEV-H, RHVH or oVirt Node."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ..addresses import resolve
from ..declare.command import FULL_LINUX, Command, Place
from ..errors import RhevError, Usage
from ..media.copying import write_all, write_error
from ..media.fulllinux import TEMPLATE as FULL_TEMPLATE
from ..media.fulllinux import linux_kickstart
from ..media.initrd import replace_file
from ..media.kernelargs import kernel_line
from ..media.kickstart import kickstart, read_template
from ..media.medium import whole_file
from ..media.nodemap import KnownNode, node_map_path, update_node_map
from ..media.settings import BootSettings
from ..media.store import Image
from ..messages import Message, Warn, error_of
from ..plan.context import Context, Plan
from ..plan.jobs import Job, Step
from ..rows import nodeaddresses
from ..units import MIB, parse_size, show_size
from .install import loaders
from .install.linuxparts import linux_parts
from .install.location import InstallLocation, gateway_is_missing, host_in_url, location_of
from .install.nodesettings import settings_of
from .install.site import InstallSite, InstallTables, Once, Osimage

SPEC = Command(
    name="mkinstall",
    summary="prepare nodes to install RHEV-H, RHVH or oVirt Node",
    usage="noderange",
    place=Place.HERE,
    routes=("nodetype:os=(rhevh.*)", "nodetype:os=(ovirt.*)"),
    embedded_routes=(f"nodetype:os=({FULL_LINUX})",),
    description=(
        "Called by nodeset. Makes kernel and initrd of the osimage once (a live image's ISO goes into the initrd), "
        "writes the kernel arguments, for RHVH and oVirt Node NG a kickstart as well, and notes from which address "
        "the node will report that it is installed. The embedded xcatd installs a full Enterprise Linux as well, with "
        "the osimage's packages and scripts; beside a Perl xCAT that is xCAT's own work. Needs no manager. The disks "
        "that storage_init names are erased without asking; without it a live image takes the first one, RHVH and "
        "oVirt Node NG take all. Words of bootparams.addkcmdline and linuximage.addkcmdline, such as "
        "storage_init=/dev/sda, take the place of its own; those of site.rhevhkcmdline hold for all live images."
    ),
    examples=(
        (
            "nodeset rhevh1 osimage=rhevh6.6-x86_64-install-compute",
            "nodeset calls it: kernel, initrd, kernel arguments",
        ),
        ("chtab node=rhevh1 bootparams.addkcmdline=storage_init=/dev/sda", "first name the disk; it is erased"),
        ("nodeset rhevh1 boot", "let it boot from its disk again"),
    ),
)


def plan(context: Context) -> Plan:
    """Compute every node's files and kernel arguments; a node that lacks something is left out, the others continue."""
    site = InstallSite(context, InstallTables.read(context))
    ready: dict[str, list[Step]] = {}
    for node in context.nodes:
        try:
            osimage = site.osimage(node)
            location = location_of(node, not osimage.image.kickstart, site)
            settings = settings_of(node, osimage, location, site)
            ready[node] = list(_steps(node, osimage, location, settings, site))
        except RhevError as problem:
            yield error_of(problem, node)
        else:
            yield from (Warn(text, node) for text in _warnings(node, osimage.image, location, settings, site))
    note = Once(partial(_note_addresses, context, list(ready)))
    for node, steps in ready.items():
        yield Job(node, [Step("note its addresses for the finish URL", note), *steps])


def _steps(
    node: str, osimage: Osimage, location: InstallLocation, settings: BootSettings, site: InstallSite
) -> Iterator[Step]:
    _check_memory(node, osimage.image, site.tables.hwinv[node].get("memory", ""))
    yield Step(f"make kernel and initrd of {osimage.name}", osimage.make)
    if osimage.image.kickstart:
        base = f"http://{host_in_url(location.files, site)}/install"
        tree = f"{base}/{_below(osimage.image.folder, site.installdir)}"
        line = kernel_line(osimage.image, settings, tree, f"{base}/autoinst/{node}")
        text = _kickstart(node, osimage, location, settings, tree, site)
        yield Step("write its kickstart", partial(_write_kickstart, Path(site.installdir, "autoinst", node), text))
    else:
        line = kernel_line(osimage.image, settings)
    line = loaders.for_loader(line, settings, site.tables.noderes[node].get("netboot", ""))
    yield Step(
        "hand kernel, initrd and kernel arguments to nodeset",
        partial(site.context.xcat.set_bootparams, node, osimage.files.kernel, osimage.files.initrd, line),
    )


def _kickstart(
    node: str, osimage: Osimage, location: InstallLocation, settings: BootSettings, tree: str, site: InstallSite
) -> str:
    """The text of a node's kickstart: for one file system image, or for packages."""
    image, zone = osimage.image, site.context.xcat.site("timezone", "Etc/UTC")
    if osimage.full:
        template = read_template(osimage.row.get("template", ""), osimage.name, FULL_TEMPLATE)
        return linux_kickstart(template, settings, tree, zone, image, linux_parts(node, osimage, location, site))
    template = read_template(osimage.row.get("template", ""), osimage.name)
    return kickstart(template, settings, f"{tree}/{image.payload}", zone, image.linux)


def _warnings(
    node: str, image: Image, location: InstallLocation, settings: BootSettings, site: InstallSite
) -> Iterator[str]:
    yield from loaders.warnings(image, settings, site.tables.noderes[node].get("netboot", ""))
    if gateway_is_missing(location, settings):
        yield (
            f"the gateway of its network is <xcatmaster>, and {location.master} has no address there; it gets none. "
            "Set networks.gateway, or noderes.xcatmaster to an address in that network"
        )


def _check_memory(node: str, image: Image, memory: str) -> None:
    """The ISO is in memory twice while the kernel unpacks the initrd; with less it panics."""
    if image.kickstart or not memory:
        return
    have = parse_size(memory, f"hwinv.memory of {node}")
    need = 2 * whole_file(image.folder / image.iso).size + 256 * MIB
    if have < need:
        raise Usage(
            f"it has {show_size(have)} of memory; {image.distname} needs {show_size(need)} to start",
            "Correct hwinv.memory if it is wrong",
        )


def _below(folder: Path, installdir: str) -> str:
    """The path of an image as the web server has it, which serves installdir as /install."""
    try:
        return folder.relative_to(installdir).as_posix()
    except ValueError:
        raise Usage(
            f"{folder} is not below {installdir}, which the web server offers", "Run copycds again with a -p below it"
        ) from None


def _write_kickstart(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise write_error(path, problem) from problem
    with replace_file(path) as out:
        write_all(out, text.encode())


def _note_addresses(context: Context, nodes: list[str]) -> Iterator[Message]:
    """Write the addresses and names of the nodes to the node map."""
    host = context.xcat
    addresses, names = nodeaddresses.stored_addresses(host, nodes), nodeaddresses.names(host, nodes)
    known = {node: KnownNode(tuple(sorted(addresses[node] or resolve(node))), names[node]) for node in nodes}
    update_node_map(node_map_path(host.site("installdir", "/install")), known)
    yield from ()
