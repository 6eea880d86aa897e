"""Tell what a medium is: which product, which version, which way of installing."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from ..errors import BadAnswer, Usage
from .machine import architecture, enterprise_linux
from .medium import Medium
from .names import VERSION, build_of, installer_version, live_version
from .tree import compose_time, treeinfo

_RHEV = re.compile(r"rhev|Red Hat Enterprise Virtualization", re.IGNORECASE)
_OVIRT = re.compile(r"ovirt.?node", re.IGNORECASE)
#: The title line of a live image's boot menu: `say This is the <PRODUCT> <VERSION> (<RELEASE>)`.
_TITLE = re.compile(
    r"say\s+This is the\s+(?P<product>.*?)\s*(?P<version>\d+(?:\.\d+)+)?\s*(?:\((?P<release>[^)]*)\))?\s*$",
    re.IGNORECASE | re.MULTILINE,
)
#: oVirt Node NG's boot menus have the image's PRETTY_NAME in place of CentOS's.
_NG_MENUS = ("isolinux/isolinux.cfg", "EFI/BOOT/grub.cfg")
_NG_TITLE = re.compile(r"oVirt Node (?:Next )?(\d+\.\d+(?:\.\d+){0,2})")
#: Some builds' `.treeinfo` has the version of the CentOS below instead, such as 9.
_NG_VERSION = re.compile(r"(3\.6|4\.\d+)(\.\d+)*")
_RHVH_LABEL = re.compile(r"RHVH-(\d+\.\d+)")
_RHVH_IMAGE = re.compile(r"Packages/(.*/)?redhat-virtualization-host-image-update-\d.*\.rpm", re.IGNORECASE)
#: Named after the build's image (`ovirt-node-ng-image.squashfs.img`), or after the package that it was taken from.
_NG_IMAGE = re.compile(r"ovirt-node-ng[^/]*\.squashfs\.img", re.IGNORECASE)

_EXAMPLE = {"rhevh": "rhevh6.2", "ovirt": "ovirt4.5.5"}

#: What a live image boots; they hold for every one since 2010.
KERNEL, INITRD = "isolinux/vmlinuz0", "isolinux/initrd0.img"
#: What an Anaconda installer boots.
NG_KERNEL, NG_INITRD = "images/pxeboot/vmlinuz", "images/pxeboot/initrd.img"


@dataclass(frozen=True)
class Release:
    """What a medium is.

    Attributes:
        family: `rhevh` for RHEV-H and RHVH, `ovirt` for oVirt Node.
        version: Such as `6.2`, `4.3` or `4.5.5`.
        build: The rest of the product's own version, such as `20111117.0.el6`; may be empty.
        arch: As xCAT writes it, `x86_64` or `ppc64le`.
        kickstart: It is an Anaconda installer with one file system image (RHVH, oVirt Node NG), not a live image.
        product: What it calls itself.
        linux: The major version of the RHEL that its Anaconda is of; 0 for a live image, or where it is not known.
    """

    family: str
    version: str
    build: str
    arch: str
    kickstart: bool
    product: str
    linux: int = 0

    @property
    def distname(self) -> str:
        """The value for `osimage.osvers` and `nodetype.os`; no plugin of xCAT's own claims either family."""
        return self.family + self.version


def identify(medium: Medium, told: str = "") -> Release | None:
    """Tell what a medium is, by its own files; None for media of others.

    Args:
        medium: The medium.
        told: A version from the command line, which wins over that of the medium.

    Raises:
        BadAnswer: It is one of ours, but the version it says makes no sense.
        Usage: It is one of ours, but nothing on it tells the version.
    """
    return _live(medium, told) or _untold_live(medium, told) or _rhvh(medium, told) or _node_ng(medium, told)


def looks_ours(label: str) -> bool:
    """Whether a volume label is one of ours, which is all that can be asked of an image too damaged to list."""
    return bool(_RHEV.search(label) or _OVIRT.search(label) or _RHVH_LABEL.match(label))


def _live(medium: Medium, told: str) -> Release | None:
    """A live image: its `isolinux/version` says what it is."""
    said = _version_file(medium)
    product = f"{said.get('PRODUCT', '')} {said.get('PACKAGE', '')}"
    family = _family(product)
    if not family:
        return None
    version = _check(medium, told or said.get("VERSION", ""), family)
    name = said.get("PRODUCT", "").strip()
    return Release(family, version, said.get("RELEASE", ""), architecture(medium, KERNEL), False, name)


def _untold_live(medium: Medium, told: str) -> Release | None:
    """A live image without that file: RHEV-H 5, or one that somebody built."""
    if not all(medium.find(path) for path in (KERNEL, INITRD, "LiveOS/squashfs.img")):
        return None
    title = _TITLE.search(medium.text("isolinux/isolinux.cfg") or "")
    product, version, build = title.group("product", "version", "release") if title else (medium.label, "", "")
    family = _family(f"{product} {medium.label}")
    if not family or medium.find("isolinux/version"):
        return None
    version = told or version or live_version(medium.file_name)
    return Release(family, _check(medium, version, family), build or "", architecture(medium, KERNEL), False, product)


def _rhvh(medium: Medium, told: str) -> Release | None:
    label, package = _RHVH_LABEL.match(medium.label), rhvh_image(medium)
    if not label and package is None:
        return None
    version = told or (label[1] if label else treeinfo(medium).get("version", ""))
    return _installer(medium, "rhevh", version, "Red Hat Virtualization Host", package or "")


def _node_ng(medium: Medium, told: str) -> Release | None:
    tree = treeinfo(medium)
    if tree.get("variant") != "ovirt-node" and node_ng_image(medium) is None:
        return None
    of_tree = _NG_VERSION.match(tree.get("version", ""))
    version = told or installer_version(medium.file_name) or _of_menus(medium) or (of_tree[0] if of_tree else "")
    return _installer(medium, "ovirt", version, "oVirt Node")


def _of_menus(medium: Medium) -> str:
    """The version in oVirt Node NG's boot menus, for an image that somebody has renamed."""
    found = (_NG_TITLE.search(medium.text(menu) or "") for menu in _NG_MENUS)
    return next((title[1] for title in found if title), "")


def _installer(medium: Medium, family: str, version: str, product: str, package: str = "") -> Release:
    version = _check(medium, version, family)
    build = build_of(medium.file_name) or build_of(package) or compose_time(medium)
    linux = enterprise_linux(medium, NG_KERNEL, family, version)
    return Release(family, version, build, architecture(medium, NG_KERNEL), True, product, linux)


def _family(product: str) -> str:
    if _RHEV.search(product):
        return "rhevh"
    return "ovirt" if _OVIRT.search(product) else ""


def rhvh_image(medium: Medium) -> str | None:
    """The package that holds RHVH's file system image."""
    return next((name for name in medium.files if _RHVH_IMAGE.fullmatch(name)), None)


def node_ng_image(medium: Medium) -> str | None:
    """oVirt Node NG's file system image."""
    return next((name for name in medium.files if _NG_IMAGE.fullmatch(name)), None)


def _check(medium: Medium, version: str, family: str) -> str:
    if not version:
        raise Usage(
            f"{medium.name} does not name its version", f"Add -n {family}VERSION, such as -n {_EXAMPLE[family]}"
        )
    if not VERSION.fullmatch(version):
        raise BadAnswer(f"{medium.name} says that its version is {version!r}", f"Add -n {family}VERSION")
    return version


def _version_file(medium: Medium) -> dict[str, str]:
    """The lines `KEY=value` of `isolinux/version`, read as a shell would but never run."""
    said = {}
    for line in (medium.text("isolinux/version") or "").splitlines():
        try:
            words = shlex.split(line)
        except ValueError:
            words = []
        key, equals, value = words[0].partition("=") if words else ("", "", "")
        if equals:
            said[key] = value
    return said
