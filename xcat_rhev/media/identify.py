"""Tell what a medium is: which product, which version, which way of installing."""

from __future__ import annotations

import configparser
import re
import shlex
import struct
from dataclasses import dataclass

from ..errors import BadAnswer, Usage
from .medium import Medium

_VERSION = re.compile(r"\d{1,4}(\.\d{1,6}){0,2}")
_RHEV = re.compile(r"rhev|Red Hat Enterprise Virtualization", re.IGNORECASE)
_OVIRT = re.compile(r"ovirt.?node", re.IGNORECASE)
_NAMED = re.compile(r"(rhevh|ovirt)(.+)")
#: The title line of a live image's boot menu: `say This is the <PRODUCT> <VERSION> (<RELEASE>)`.
_TITLE = re.compile(
    r"say\s+This is the\s+(?P<product>.*?)\s*(?P<version>\d+(?:\.\d+)+)?\s*(?:\((?P<release>[^)]*)\))?\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_IN_FILE_NAME = re.compile(r"(\d+\.\d+)-\d{8}")
_NG_FILE_NAME = re.compile(r"installer-(\d+\.\d+\.\d+)")
#: Some builds' `.treeinfo` has the version of the CentOS below instead, such as 9.
_NG_VERSION = re.compile(r"(3\.6|4\.\d+)(\.\d+)*")
_RHVH_LABEL = re.compile(r"RHVH-(\d+\.\d+)")
_RHVH_IMAGE = re.compile(r"Packages/redhat-virtualization-host-image-update-\d.*\.rpm", re.IGNORECASE)
_NG_IMAGE = re.compile(r"ovirt-node-ng-image[^/]*\.squashfs\.img", re.IGNORECASE)

_EXAMPLE = {"rhevh": "rhevh6.2", "ovirt": "ovirt4.5.5"}

#: What a live image boots; they hold for every one since 2010.
KERNEL, INITRD = "isolinux/vmlinuz0", "isolinux/initrd0.img"


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
    """

    family: str
    version: str
    build: str
    arch: str
    kickstart: bool
    product: str

    @property
    def distname(self) -> str:
        """The value for `osimage.osvers` and `nodetype.os`; no plugin of xCAT's own claims either family."""
        return self.family + self.version


def identify(medium: Medium, told: str = "") -> Release | None:
    """Tell what a medium is, by its own files; None for media of others.

    Args:
        medium: The medium.
        told: A version that somebody gave, which wins over what the medium says.

    Raises:
        BadAnswer: It is one of ours, but the version it says makes no sense.
        Usage: It is one of ours, but nothing on it tells the version.
    """
    return _live(medium, told) or _untold_live(medium, told) or _rhvh(medium, told) or _node_ng(medium, told)


def named(distname: str) -> tuple[str, str] | None:
    """Split what `copycds -n` says into family and version; None when the name is not one of ours.

    Raises:
        Usage: The family is ours and the version makes no sense.
    """
    found = _NAMED.fullmatch(distname)
    if not found:
        return None
    family, version = found[1], found[2]
    if not _VERSION.fullmatch(version):
        raise Usage(f"-n {distname}: '{version}' is no version", f"Write {family} and a version, such as {family}4.3")
    return family, version


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
    version = _checked(medium, told or said.get("VERSION", ""), family)
    name = said.get("PRODUCT", "").strip()
    return Release(family, version, said.get("RELEASE", ""), _live_arch(medium), False, name)


def _untold_live(medium: Medium, told: str) -> Release | None:
    """A live image without that file: RHEV-H 5, or one that somebody built."""
    if not all(medium.find(path) for path in (KERNEL, INITRD, "LiveOS/squashfs.img")):
        return None
    title = _TITLE.search(medium.text("isolinux/isolinux.cfg") or "")
    product, version, build = title.group("product", "version", "release") if title else (medium.label, "", "")
    family = _family(f"{product} {medium.label}")
    if not family or medium.find("isolinux/version"):
        return None
    in_name = _IN_FILE_NAME.search(medium.name)
    version = told or version or (in_name[1] if in_name else "")
    return Release(family, _checked(medium, version, family), build or "", _live_arch(medium), False, product)


def _rhvh(medium: Medium, told: str) -> Release | None:
    label = _RHVH_LABEL.match(medium.label)
    if not label and rhvh_image(medium) is None:
        return None
    tree = _treeinfo(medium)
    version = _checked(medium, told or (label[1] if label else tree.get("version", "")), "rhevh")
    return Release("rhevh", version, "", tree.get("arch", "x86_64"), True, "Red Hat Virtualization Host")


def _node_ng(medium: Medium, told: str) -> Release | None:
    tree = _treeinfo(medium)
    if tree.get("variant") != "ovirt-node" and node_ng_image(medium) is None:
        return None
    in_name = _NG_FILE_NAME.search(medium.name)
    of_tree = _NG_VERSION.match(tree.get("version", ""))
    version = _checked(medium, told or (in_name[1] if in_name else of_tree[0] if of_tree else ""), "ovirt")
    return Release("ovirt", version, "", tree.get("arch", "x86_64"), True, "oVirt Node")


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


def _checked(medium: Medium, version: str, family: str) -> str:
    if not version:
        raise Usage(f"{medium.name} does not tell its version",
                    f"Add -n {family}VERSION, such as -n {_EXAMPLE[family]}")
    if not _VERSION.fullmatch(version):
        raise BadAnswer(f"{medium.name} says of itself to be version {version!r}", f"Add -n {family}VERSION")
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


def _treeinfo(medium: Medium) -> dict[str, str]:
    """The `[general]` section of `.treeinfo`."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(medium.text(".treeinfo") or "")
    except configparser.Error:
        return {}
    return dict(parser.items("general")) if parser.has_section("general") else {}


def _live_arch(medium: Medium) -> str:
    """Nothing says it in words; only x86 was shipped, and the kernel's boot header tells how wide it is."""
    if any(medium.find(f"EFI/BOOT/BOOTX64.{kind}") for kind in ("EFI", "conf", "cfg")):
        return "x86_64"
    kernel = medium.find(KERNEL)
    return "x86" if kernel and _is_32_bit(medium.head(kernel, 1 << 16)) else "x86_64"


def _is_32_bit(kernel: bytes) -> bool:
    """Read the x86 boot header: magic at 0x202, protocol at 0x206, version text by 0x20E, xloadflags at 0x236."""
    if len(kernel) < 0x250 or kernel[0x202:0x206] != b"HdrS":
        return False
    protocol, = struct.unpack_from("<H", kernel, 0x206)
    if protocol >= 0x020C:
        return not kernel[0x236] & 1
    start = struct.unpack_from("<H", kernel, 0x20E)[0] + 0x200
    version = kernel[start:start + 200].partition(b"\0")[0]
    return bool(version) and b"x86_64" not in version and re.search(rb"\bi[3-6]86\b", version) is not None
