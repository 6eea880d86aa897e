"""mkinstall: what nodeset asks for to install a node with RHEV-H, RHVH or oVirt Node."""

from __future__ import annotations

import hashlib
import re
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Callable

from ..errors import NotFound, RhevError, Usage
from ..jobs import Job, Step
from ..media.addresses import address_of_nic, bond_of, fixed_address, install_nic, network_of, servers
from ..media.bootfiles import BootFiles
from ..media.copying import write_all, writing
from ..media.initrd import replaced
from ..media.kernelargs import Settings, has_trigger, kernel_line
from ..media.kickstart import kickstart, read_template
from ..media.medium import whole_file
from ..media.nodemap import Known, node_map_path, update_node_map
from ..media.passwords import hashed
from ..media.progress import metered
from ..media.store import Image, open_image
from ..messages import Message, Warning, error_of
from ..secret import Secret
from ..units import MIB, parse_size, show_size
from ..xcat.host import Row
from . import nodeaddresses
from .common import Command, Context, Place, Plan

SPEC = Command(
    name="mkinstall",
    summary="prepare nodes to install RHEV-H, RHVH or oVirt Node",
    usage="noderange",
    place=Place.HERE,
    routes=("nodetype:os=(rhevh.*)", "nodetype:os=(ovirt.*)"),
    description=(
        "Called by nodeset. Makes kernel and initrd of the osimage once (a live image's ISO goes into the initrd), "
        "writes the kernel arguments, for RHVH and oVirt Node NG a kickstart as well, and notes by which address the "
        "node will tell that it is installed. Needs no manager. The disks that storage_init names are erased without a "
        "question; without it a live image takes the first one, RHVH and oVirt Node NG take all. Words of "
        "bootparams.addkcmdline and linuximage.addkcmdline, such as storage_init=/dev/sda, take the place of its own; "
        "those of site.rhevhkcmdline hold for all live images."
    ),
)

#: The boot loader's plugin puts in the address by which the node reaches this host.
_FACING = "!myipfn!"
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=]+\n)+-----END CERTIFICATE-----")
_FINISH = "xcatrhevh/rhevh_finish_install"
#: GRUB hands these to the kernel with a backslash before them, whatever stands in its file.
_CHANGED_BY_GRUB = re.compile(r"[\\'\"]")
_SPECIAL_TO_GRUB = re.compile(r"[$;&|<>{}]")


def plan(context: Context) -> Plan:
    """Work out every node's files and kernel arguments; a node that lacks something is left out, the others go on."""
    tables = _Tables.read(context)
    site = _Site(context, tables)
    ready: dict[str, list[Step]] = {}
    for node in context.nodes:
        try:
            ready[node] = list(_steps(node, tables, site))
            yield from _warnings(node, tables, site)
        except RhevError as problem:
            yield error_of(problem, node)
    note = _Once(partial(_note_addresses, context, list(ready)))
    for node, steps in ready.items():
        yield Job(node, [Step("note its addresses for the finish URL", note), *steps])


@dataclass(frozen=True)
class _Tables:
    """The columns that installing a node needs, read for all nodes at once."""

    noderes: Mapping[str, Row]
    nodetype: Mapping[str, Row]
    mac: Mapping[str, Row]
    hosts: Mapping[str, Row]
    nics: Mapping[str, Row]
    hypervisor: Mapping[str, Row]
    bootparams: Mapping[str, Row]
    hwinv: Mapping[str, Row]

    @classmethod
    def read(cls, context: Context) -> _Tables:
        return cls(
            context.attrs("noderes", "installnic", "primarynic", "xcatmaster", "nfsserver", "tftpdir", "nameservers",
                          "netboot"),
            context.attrs("nodetype", "os", "arch", "profile", "provmethod"),
            context.attrs("mac", "mac"),
            context.attrs("hosts", "ip"),
            context.attrs("nics", "nicips", "nictypes", "nicdevices", "nicextraparams"),
            context.attrs("hypervisor", "mgr"),
            context.attrs("bootparams", "addkcmdline"),
            context.attrs("hwinv", "memory"),
        )


class _Once:
    """Work that several nodes need and the first does; a failure is the failure of all."""

    def __init__(self, work: Callable[[], Iterator[Message]]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._done = False
        self._problem: RhevError | None = None

    def __call__(self) -> Iterator[Message]:
        with self._lock:
            if self._problem:
                raise self._problem
            if self._done:
                return
            try:
                yield from self._work()
            except RhevError as problem:
                self._problem = problem
                raise
            self._done = True


@dataclass(frozen=True)
class _Osimage:
    """An osimage with its medium."""

    name: str
    image: Image
    row: Row
    files: BootFiles
    make: _Once


@dataclass
class _Site:
    """What is the same for many nodes, looked up once."""

    context: Context
    tables: _Tables
    osimages: dict[tuple[str, str], _Osimage] = field(default_factory=dict)
    passwords: dict[str, Secret] = field(default_factory=dict)

    def __post_init__(self) -> None:
        site = self.context.host.site
        self.installdir = site("installdir", "/install")
        self.master, self.domain = site("master"), site("domain")
        port = site("httpport", "80")
        self.port = "" if port == "80" else f":{port}"
        self.static = site("managedaddressmode").lower() == "static"
        self.networks = self.context.host.rows("networks")
        self.ca = lru_cache(None)(self._ca)
        self.address_of = lru_cache(None)(_address_of)

    def osimage(self, node: str) -> _Osimage:
        """The osimage of a node.

        Raises:
            NotFound: No such osimage, or no medium at its pkgdir.
        """
        nodetype = self.tables.nodetype[node]
        name = nodetype.get("provmethod", "install")
        if name == "install":
            name = "{}-{}-install-{}".format(*(nodetype.get(key, "") for key in ("os", "arch", "profile")))
        tftpdir = self.tables.noderes[node].get("tftpdir") or self.context.host.site("tftpdir", "/tftpboot")
        key = (name, tftpdir)
        if key not in self.osimages:
            self.osimages[key] = self._opened(name, tftpdir, nodetype)
        return self.osimages[key]

    def _opened(self, name: str, tftpdir: str, nodetype: Row) -> _Osimage:
        row = next(iter(self.context.host.rows("linuximage", {"imagename": name})), {})
        usual = Path(self.installdir, nodetype.get("os", ""), nodetype.get("arch", ""))
        image = open_image(Path(row.get("pkgdir", "").split(",")[0] or usual))
        files = BootFiles(image, Path(tftpdir), name)
        return _Osimage(name, image, row, files, _Once(partial(self._make, files)))

    def _make(self, files: BootFiles) -> Iterator[Message]:
        return metered(files.make(), files.size, self.context.request.aborted, self.context.clock)

    def password(self, user: str) -> Secret:
        """The hash of a hypervisor's user.

        Raises:
            NotFound: The passwd table has none.
            Usage: It is a hash that no hypervisor reads.
        """
        if user not in self.passwords:
            rows = self.context.host.rows("passwd", {"key": "rhevh", "username": user})
            if not rows or not rows[0].get("password"):
                raise NotFound(f"the passwd table has no password for key=rhevh, username={user}",
                               f"Run: chtab key=rhevh,username={user} passwd.password=PASSWORD")
            self.passwords[user] = hashed(Secret(rows[0]["password"]), f"passwd key=rhevh, username={user}")
        return self.passwords[user]

    def _ca(self, manager: str) -> str:
        """The manager's CA in PEM; empty while no command has met it on this machine, or if several may be it."""
        named = self.context.host.site("rhevmca")
        own = named not in ("", "system")
        file = Path(named) if own else self.folder_of(manager) / "ca.crt"
        try:
            found = [each[0] for each in _CERTIFICATE.finditer(file.read_text())]
        except (OSError, UnicodeDecodeError):
            return ""
        return found[0] if found and not (own and found[1:]) else ""

    def folder_of(self, manager: str) -> Path:
        """Where the other commands keep what they know of a manager."""
        return Path(self.context.host.site("xcatconfdir", "/etc/xcat"), "rhevm", manager.replace(":", "_"))

    def ssh_key(self, manager: str) -> str:
        """The public key that a manager logs in with, when it was put beside its CA as `engine.pub`."""
        try:
            return (self.folder_of(manager) / "engine.pub").read_text().strip()
        except OSError:
            return ""


def _fingerprint(pem: str) -> str:
    """SHA-1 of a certificate as RHEV-H compares it."""
    if not pem:
        return ""
    digest = hashlib.sha1(ssl.PEM_cert_to_DER_cert(pem), usedforsecurity=False).hexdigest().upper()
    return ":".join(digest[at:at + 2] for at in range(0, 40, 2))


def _address_of(name: str) -> str:
    """One IPv4 address of a name; the name itself if it is one, or cannot be looked up."""
    if nodeaddresses.plain(name):
        return name
    return next((address for address in sorted(nodeaddresses.resolved(name)) if ":" not in address), name)


def _steps(node: str, tables: _Tables, site: _Site) -> Iterator[Step]:
    osimage = site.osimage(node)
    _check_memory(node, osimage.image, tables.hwinv[node].get("memory", ""))
    settings = _settings(node, osimage, tables, site)
    yield Step(f"make kernel and initrd of {osimage.name}", osimage.make)
    if osimage.image.kickstart:
        base = f"http://{settings.server}/install"
        tree = f"{base}/{_below(osimage.image.folder, site.installdir)}"
        line = kernel_line(osimage.image, settings, tree, f"{base}/autoinst/{node}")
        template = read_template(osimage.row.get("template", ""), osimage.name)
        zone = site.context.host.site("timezone", "Etc/UTC")
        text = kickstart(template, settings, f"{tree}/{osimage.image.payload}", zone)
        yield Step("write its kickstart", partial(_write_kickstart, Path(site.installdir, "autoinst", node), text))
    else:
        line = kernel_line(osimage.image, settings)
    files = osimage.files
    line = _for_loader(line, settings, tables.noderes[node].get("netboot", ""))
    yield Step("hand kernel, initrd and kernel arguments to nodeset",
               partial(site.context.host.set_bootparams, node, files.kernel, files.initrd, line))


def _settings(node: str, osimage: _Osimage, tables: _Tables, site: _Site) -> Settings:
    noderes, live = tables.noderes[node], not osimage.image.kickstart
    facing = noderes.get("xcatmaster") or (_FACING if live else noderes.get("nfsserver") or site.master)
    if not facing:
        raise NotFound("neither noderes.xcatmaster nor site.master is set", "Run: chtab key=master site.value=ADDRESS")
    master = facing if facing == _FACING else site.address_of(facing)
    nic, vlan = install_nic(node, noderes, tables.mac[node].get("mac", ""))
    ip = address_of_nic(nic, vlan, tables.nics[node]) or tables.hosts[node].get("ip", "")
    network = network_of(ip, site.networks)
    manager = tables.hypervisor[node].get("mgr", "")
    ca = site.ca(manager) if manager else ""
    own_dns = noderes.get("nameservers", "")
    name_servers = (network.get("nameservers", ""), site.context.host.site("nameservers")) if site.static else ()
    ntp = (network.get("ntpservers", ""), site.context.host.site("ntpservers"))
    server = facing + site.port
    return Settings(
        node=node, hostname=f"{node}.{site.domain}" if site.domain and "." not in node else node, nic=nic,
        address=fixed_address(node, ip, network, master) if site.static else None,
        nameservers=tuple(map(site.address_of, servers(own_dns, *name_servers, master=master))),
        ntpservers=servers(*ntp, master=master), vlan=vlan, bond=bond_of(nic, tables.nics[node]),
        admin_password=site.password("admin") if live else Secret(""), root_password=site.password("root"),
        manager=manager, fingerprint=_fingerprint(ca), manager_ca=ca,
        finish_url=f"http://{server}/{_FINISH}/{'@HOSTNAME@' if live else node}",
        extra=tuple(f"{tables.bootparams[node].get('addkcmdline', '')} {osimage.row.get('addkcmdline', '')}".split()),
        site_words=tuple(site.context.host.site("rhevhkcmdline").split()), server=server,
        ssh_key=site.ssh_key(manager) if manager else "",
        loaders_own=f"BOOT_IMAGE={osimage.files.kernel} initrd={osimage.files.initrd}",  # pxelinux, which adds most
    )


def _by_grub(netboot: str) -> bool:
    return netboot.startswith("grub2")


def _for_loader(line: str, settings: Settings, netboot: str) -> str:
    """Write a line as the node's boot loader reads it.

    GRUB puts variables in and splits at semicolons and their like. xCAT's grub2 plugin ends the line with `BOOTIF=` and
    a MAC with colons; images since ovirt-node 2.4 take one that begins with `e` for the name of a card. So the words of
    addkcmdline, which it puts before that, are put in here, and whatever it adds stands behind a `#`.
    """
    if not _by_grub(netboot):
        return line
    words = [word for word in settings.extra if not word.startswith("R::")]
    for word in words:
        if word.startswith("#") or _CHANGED_BY_GRUB.search(word):
            raise Usage(f"addkcmdline: GRUB would change '{word}'", "Set noderes.netboot to xnba or pxe")
    return _SPECIAL_TO_GRUB.sub(r"\\\g<0>", " ".join([line, *words])) + " #"


def _warnings(node: str, tables: _Tables, site: _Site) -> Iterator[Message]:
    image = site.osimage(node).image
    if not image.kickstart and not tables.hypervisor[node].get("mgr"):
        yield Warning(f"it will know no manager. Run: chtab node={node} hypervisor.mgr=MANAGER", node)
    if not image.kickstart and not has_trigger(image):
        yield Warning(f"{image.distname} cannot tell when it is installed. Run nodeset {node} boot then", node)
    noderes = tables.noderes[node]
    nic, _ = install_nic(node, noderes, tables.mac[node].get("mac", ""))
    if not image.kickstart and bond_of(nic, tables.nics[node]) and not _by_grub(noderes.get("netboot", "")):
        yield Warning(f"its boot loader adds BOOTIF= with the card it started from, which {image.distname} takes "
                      f"before {nic}. Set noderes.netboot to grub2", node)


def _check_memory(node: str, image: Image, memory: str) -> None:
    """The ISO is in memory twice while the kernel unpacks the initrd; with less it panics."""
    if image.kickstart or not memory:
        return
    have = parse_size(memory, f"hwinv.memory of {node}")
    need = 2 * whole_file(image.folder / image.iso).size + 256 * MIB
    if have < need:
        raise Usage(f"it has {show_size(have)} of memory; {image.distname} needs {show_size(need)} to start",
                    "Correct hwinv.memory if it is wrong")


def _below(folder: Path, installdir: str) -> str:
    """The path of an image as the web server has it, which serves installdir as /install."""
    try:
        return folder.relative_to(installdir).as_posix()
    except ValueError:
        raise Usage(f"{folder} is not below {installdir}, which the web server offers",
                    "Run copycds again with a -p below it") from None


def _write_kickstart(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise writing(path, problem) from problem
    with replaced(path) as out:
        write_all(out, text.encode())


def _note_addresses(context: Context, nodes: list[str]) -> Iterator[Message]:
    """Write down by which addresses and names the nodes will be met."""
    host = context.host
    addresses, names = nodeaddresses.written(host, nodes), nodeaddresses.names(host, nodes)
    known = {
        node: Known(tuple(sorted(addresses[node] or nodeaddresses.resolved(node))), names[node]) for node in nodes
    }
    update_node_map(node_map_path(host.site("installdir", "/install")), known)
    yield from ()
