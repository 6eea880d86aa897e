"""What installing nodes needs of xCAT: its tables, read for all nodes at once, and what is the same for many nodes."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Callable

from ...addresses import plain, resolve
from ...declare.command import FULL_LINUX
from ...errors import NotFound, RhevError
from ...media.bootfiles import BootFiles
from ...media.fulllinux import linux_image
from ...media.passwords import hash_password
from ...media.progress import meter
from ...media.store import Image, open_image
from ...messages import Message
from ...plan.context import Context
from ...rows.manager import manager_folder
from ...secret import Secret
from ...xcat.host import Row

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=]+\n)+-----END CERTIFICATE-----")
_NODERES = ("installnic", "primarynic", "xcatmaster", "nfsserver", "tftpdir", "nameservers", "netboot")
_NICS = ("nicips", "nictypes", "nicdevices", "nicextraparams", "nicnetworks")


@dataclass(frozen=True)
class InstallTables:
    """The columns that installing a node needs: table -> node -> row."""

    noderes: Mapping[str, Row]
    nodetype: Mapping[str, Row]
    nodehm: Mapping[str, Row]
    mac: Mapping[str, Row]
    hosts: Mapping[str, Row]
    nics: Mapping[str, Row]
    hypervisor: Mapping[str, Row]
    bootparams: Mapping[str, Row]
    hwinv: Mapping[str, Row]
    postscripts: Mapping[str, Row]

    @classmethod
    def read(cls, context: Context) -> InstallTables:
        """Read them for the nodes of a command."""
        return cls(
            context.attrs("noderes", *_NODERES),
            context.attrs("nodetype", "os", "arch", "profile", "provmethod"),
            context.attrs("nodehm", "serialport", "serialspeed", "serialflow"),
            context.attrs("mac", "mac"),
            context.attrs("hosts", "ip"),
            context.attrs("nics", *_NICS),
            context.attrs("hypervisor", "mgr"),
            context.attrs("bootparams", "addkcmdline"),
            context.attrs("hwinv", "memory"),
            context.attrs("postscripts", "postscripts", "postbootscripts"),
        )


class Once:
    """Work that several nodes share and the first one does; its failure is the failure of all."""

    def __init__(self, work: Callable[[], Iterator[Message]]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._done = False
        self._problem: RhevError | None = None

    def __call__(self) -> Iterator[Message]:
        """Do it, unless it is done.

        Raises:
            RhevError: It has failed, now or for another node.
        """
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
class Osimage:
    """An osimage with its medium."""

    name: str
    image: Image
    row: Row
    files: BootFiles
    make: Once

    @property
    def full(self) -> bool:
        """A full Linux, of packages; not a hypervisor's own image."""
        return self.image.kickstart and not self.image.payload


@dataclass
class InstallSite:
    """What is the same for many nodes, looked up once."""

    context: Context
    tables: InstallTables
    osimages: dict[tuple[str, str], Osimage] = field(default_factory=dict)
    passwords: dict[tuple[str, str], Secret] = field(default_factory=dict)

    def __post_init__(self) -> None:
        xcat = self.context.xcat
        self.installdir = xcat.site("installdir", "/install")
        self.master, self.domain = xcat.site("master"), xcat.site("domain")
        port = xcat.site("httpport", "80")
        self.port = "" if port == "80" else f":{port}"
        self.static = xcat.site("managedaddressmode").lower() == "static"
        self.networks = xcat.rows("networks")
        self.words = tuple(xcat.site("rhevhkcmdline").split())
        self.ca = lru_cache(None)(self._ca)
        self.address_of = lru_cache(None)(_address_of)
        self.mine = lru_cache(None)(self._mine)

    def _mine(self) -> tuple[str, ...]:
        """This host's addresses, site.master's first."""
        master = self.address_of(self.master) if self.master else ""
        return tuple(sorted(self.context.xcat.my_addresses(), key=lambda address: (address != master, address)))

    def osimage(self, node: str) -> Osimage:
        """The osimage of a node.

        Raises:
            NotFound: No such osimage, or no medium at its pkgdir.
        """
        nodetype = self.tables.nodetype[node]
        name = nodetype.get("provmethod", "install")
        if name == "install":
            name = "{}-{}-install-{}".format(*(nodetype.get(key, "") for key in ("os", "arch", "profile")))
        tftpdir = self.tables.noderes[node].get("tftpdir") or self.context.xcat.site("tftpdir", "/tftpboot")
        key = (name, tftpdir)
        if key not in self.osimages:
            self.osimages[key] = self._read_osimage(name, tftpdir, nodetype)
        return self.osimages[key]

    def _read_osimage(self, name: str, tftpdir: str, nodetype: Row) -> Osimage:
        row = next(iter(self.context.xcat.rows("linuximage", {"imagename": name})), {})
        usual = Path(self.installdir, nodetype.get("os", ""), nodetype.get("arch", ""))
        folder, system = Path(row.get("pkgdir", "").split(",")[0] or usual), nodetype.get("os", "")
        full = re.fullmatch(FULL_LINUX, system)
        image = linux_image(folder, system, nodetype.get("arch", "")) if full else open_image(folder)
        files = BootFiles(image, Path(tftpdir), name)
        return Osimage(name, image, row, files, Once(partial(self._make, files)))

    def _make(self, files: BootFiles) -> Iterator[Message]:
        return meter(files.make(), files.size, self.context.request.aborted, self.context.clock)

    def osimage_row(self, name: str) -> Row:
        """The row of the osimage table; empty if there is none."""
        return next(iter(self.context.xcat.rows("osimage", {"imagename": name})), {})

    def password(self, user: str, key: str = "rhevh") -> Secret:
        """The hash of a user, of a hypervisor's if no other key is named.

        Raises:
            NotFound: The passwd table has none.
            Usage: It is a hash that no system reads.
        """
        if (key, user) not in self.passwords:
            rows = self.context.xcat.rows("passwd", {"key": key, "username": user})
            if not rows or not rows[0].get("password"):
                raise NotFound(
                    f"the passwd table has no password for key={key}, username={user}",
                    f"Run: chtab key={key},username={user} passwd.password=PASSWORD",
                )
            self.passwords[key, user] = hash_password(Secret(rows[0]["password"]), f"passwd key={key}, username={user}")
        return self.passwords[key, user]

    def _ca(self, manager: str) -> str:
        """The manager's CA in PEM; empty if no command on this machine has fetched it yet, or if it is ambiguous."""
        named = self.context.xcat.site("rhevmca")
        own = named not in ("", "system")
        file = Path(named) if own else manager_folder(self.context.xcat, manager) / "ca.crt"
        try:
            found = [each[0] for each in _CERTIFICATE.finditer(file.read_text())]
        except (OSError, UnicodeDecodeError):
            return ""
        return found[0] if found and not (own and found[1:]) else ""

    def ssh_key(self, manager: str) -> str:
        """The public key that a manager logs in with, if it is stored next to its CA as `engine.pub`."""
        try:
            return (manager_folder(self.context.xcat, manager) / "engine.pub").read_text().strip()
        except OSError:
            return ""


def _address_of(name: str) -> str:
    """One address of a name, IPv4 before IPv6; the name itself if it is one, or cannot be looked up."""
    if plain(name):
        return name
    return next(iter(sorted(resolve(name), key=lambda address: (":" in address, address))), name)
