"""The osimage of a kit: that of an Enterprise Linux which is there already, with packages and scripts added."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ...errors import NotFound, Usage
from ..xcatd import AskedXcatd
from .releases import EngineRelease, KitSystem

#: What nodetype.os of an Enterprise Linux begins with, before its version.
FAMILIES = ("rhels", "rhel", "centos-stream", "centos", "rocky", "alma", "ol", "sl")
_OS = re.compile(rf"(?:{'|'.join(FAMILIES)})(\d+)(?:\.[\d.]+)?")
#: Columns that the new osimage gets its own values for.
_OWN = (
    "imagename",
    "pkglist",
    "otherpkgdir",
    "otherpkglist",
    "postscripts",
    "postbootscripts",
    "comments",
    "disable",
)
_TABLES = ("osimage", "linuximage")


class BaseImage(NamedTuple):
    """An osimage that a kit is built on.

    Attributes:
        name: Its name.
        major: The major version of its Enterprise Linux.
        values: Its attributes.
    """

    name: str
    major: int
    values: Mapping[str, str]


def base_image(xcatd: AskedXcatd, name: str) -> BaseImage:
    """Read an osimage.

    Args:
        xcatd: Whose.
        name: Its name.

    Raises:
        NotFound: There is none.
        Usage: It is not one that installs an Enterprise Linux.
    """
    values: dict[str, str] = {}
    for table in _TABLES:
        values.update(xcatd.row(table, imagename=name))
    if not values.get("osvers"):
        raise NotFound(f"there is no osimage {name}", "Run: copycds FILE.iso, then lsdef -t osimage shows its name")
    found = _OS.fullmatch(values["osvers"])
    if not found or values.get("provmethod") != "install":
        raise Usage(
            f"the osimage {name} does not install an Enterprise Linux (osvers={values['osvers']}, "
            f"provmethod={values.get('provmethod', '')})",
            "Name one whose provmethod is install",
        )
    return BaseImage(name, int(found[1]), values)


class KitImage(NamedTuple):
    """The osimage of a kit.

    Attributes:
        base: What it is built on.
        role: `manager`, `host`, or `host-` and the manager whose key its hosts trust.
        chosen: The release.
        system: What it is made of.
        folder: Where the kit's files are.
        packages: Where its repositories are: folders by the names of these.
    """

    base: BaseImage
    role: str
    chosen: EngineRelease
    system: KitSystem
    folder: Path
    packages: Path

    @property
    def name(self) -> str:
        """Its name."""
        return f"{self.base.name}-{self.chosen.name}-{self.role}"

    def stanza(self, scripts: tuple[str, ...], boot_scripts: tuple[str, ...]) -> str:
        """Its definition, for `mkdef -z`.

        Args:
            scripts: Postscripts: they run while the system is being installed.
            boot_scripts: Postbootscripts: they run after its first start, behind xCAT's own otherpkgs.
        """
        values = {key: value for key, value in self.base.values.items() if key not in _OWN}
        values.update(
            pkglist=str(self.folder / "pkglist"),
            otherpkgdir=str(self.packages),
            otherpkglist=str(self.folder / "otherpkgs.pkglist"),
            postscripts=_join(self.base.values.get("postscripts", ""), scripts),
            postbootscripts=_join(self.base.values.get("postbootscripts", ""), boot_scripts),
        )
        lines = [f"{self.name}:", "    objtype=osimage"]
        return "\n".join([*lines, *(f"    {key}={value}" for key, value in sorted(values.items())), ""])

    def pkglist(self) -> str:
        """Packages of the system itself: those of the image below, and what the scripts need."""
        below = self.base.values.get("pkglist", "").split(",")
        lines = [f"#INCLUDE:{path}#" for path in below if path]
        firewall = "iptables" if self.base.major < 7 else "firewalld"
        return "\n".join([*lines, "openssh-server", "wget", "cronie", firewall, ""])

    def otherpkgs(self) -> str:
        """Packages of the product, with the folder of their repository."""
        first = self.system.repositories[0].name
        return "\n".join([*(f"{first}/{package}" for package in self.system.packages), ""])


def _join(before: str, more: tuple[str, ...]) -> str:
    return ",".join([*filter(None, before.split(",")), *more])
