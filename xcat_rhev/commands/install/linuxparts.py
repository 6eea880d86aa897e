"""What the tables say about a node that gets a full Linux: its packages, its scripts, and their environment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ...errors import NotFound, Usage
from ...media.fulllinux import LinuxParts, read_packages
from ...xcat.host import Row
from .location import InstallLocation
from .site import InstallSite, Osimage

#: A script of a node, with its arguments; characters that are special to a shell are refused.
_LINE = re.compile(r"[A-Za-z0-9_.+:/=@ ,-]+")
#: Scripts for hypervisors, which are run over SSH; see nodescripts.
_REMOTE = "rhevh:"


def linux_parts(node: str, osimage: Osimage, location: InstallLocation, site: InstallSite) -> LinuxParts:
    """Put together the parts of a node.

    Raises:
        NotFound: A list of packages or a script is not there.
        Usage: One of them has something that cannot be done.
    """
    row, image = osimage.row, site.osimage_row(osimage.name)
    own = site.tables.postscripts[node]
    post = _lines(image.get("postscripts", ""), own.get("postscripts", ""))
    first = _lines(image.get("postbootscripts", ""), own.get("postbootscripts", ""))
    others = read_packages(row.get("otherpkglist", "").split(","))
    return LinuxParts(
        read_packages(row.get("pkglist", "").split(",")),
        tuple(name.rpartition("/")[2] for name in others),
        post,
        first,
        tuple(_files([*post, *first], Path(site.installdir, "postscripts"))),
        _environment(node, row, image, location, site),
    )


def _lines(*columns: str) -> tuple[str, ...]:
    lines = [line.strip() for column in columns for line in column.split(",")]
    found = tuple(dict.fromkeys(line for line in lines if line and not line.startswith(_REMOTE)))
    for line in found:
        if not _LINE.fullmatch(line) or line.startswith("/") or ".." in line:
            raise Usage(f"the script '{line}' has signs that a shell would read", "Take letters, digits and -_.+:/=@")
    return found


def _files(lines: Iterable[str], folder: Path) -> list[str]:
    """The scripts, and the files that their arguments name."""
    found: dict[str, None] = {}
    for line in lines:
        script, *words = line.split()
        if not (folder / script).is_file():
            raise NotFound(f"there is no script {folder / script}", "Put it there, or take its name away")
        found[script] = None
        found.update((word, None) for word in words if not word.startswith("/") and (folder / word).is_file())
    return list(found)


def _environment(node: str, row: Row, image: Row, location: InstallLocation, site: InstallSite) -> dict[str, str]:
    """The names are those that xCAT's postscripts know."""
    return {
        "NODE": node,
        "MASTER": site.address_of(location.master),
        "NFSSERVER": site.address_of(location.files),
        "HTTPPORT": site.port.lstrip(":") or "80",
        "OSVER": image.get("osvers", ""),
        "ARCH": image.get("osarch", ""),
        "PROFILE": image.get("profile", ""),
        "OTHERPKGDIR": _web_path(row.get("otherpkgdir", ""), site.installdir),
        "DOMAIN": site.domain,
    }


def _web_path(folder: str, installdir: str) -> str:
    """A folder as the web server has it."""
    return f"/install{folder[len(installdir) :]}" if folder.startswith(f"{installdir.rstrip('/')}/") else folder
