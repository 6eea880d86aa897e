"""Versions and builds of hypervisor media, in the names that people give and in those of image files."""

from __future__ import annotations

import re

from ..errors import Usage

#: A release, and behind it the build where `copycds -s` has put one: `4.5.3.1`, `6.3.20120926`, `3.0.4.1.0.20140129`,
#: `4.5.4.2022120615.el9`.
VERSION = re.compile(r"\d{1,4}(\.\d{1,6}){0,3}(\.\d{1,14}){0,3}(\.el\d{1,2})?")
#: What people call the families; RHVH is what RHEV-H is called since 4.0, and xCAT's own plugin takes every `rh` but
#: `rhevh` for Red Hat Enterprise Linux.
FAMILIES = {"rhevh": "rhevh", "rhvh": "rhevh", "ovirt": "ovirt"}
_NAMED = re.compile(f"({'|'.join(FAMILIES)})(.+)")
#: `ovirt-node-ng-installer-ovirt-4.1-2018012411.iso` until summer 2018, then
#: `ovirt-node-ng-installer-4.5.3.1-2022101914.el9.iso`; `master` in that place is not a version.
_OF_INSTALLER = re.compile(r"installer-(?:ovirt-)?(\d{1,2}\.\d+(?:\.\d+){0,2})(?![\d.]*\d)", re.IGNORECASE)
_OF_LIVE = re.compile(r"(\d+\.\d+)-\d{8}")
#: The day, or the hour, that a build was made on, and which of that day's it is.
_BUILD = re.compile(r"(?<!\d)(20\d{6}(?:\d{2,4})?)(?:\.(\d{1,3})(?!\d))?")
_NUMBERS = re.compile(r"[\d.]*\d")


def parse_name(distname: str) -> tuple[str, str] | None:
    """Split what `copycds -n` says into family and version; None when the name is not one of ours.

    Raises:
        Usage: The family is ours and the version makes no sense.
    """
    found = _NAMED.fullmatch(distname)
    if not found:
        return None
    family, version = found[1], found[2]
    if not VERSION.fullmatch(version):
        raise Usage(
            f"-n {distname}: '{version}' is not a version", f"Write {family} and a version, such as {family}4.3"
        )
    return FAMILIES[family], version


def installer_version(file_name: str) -> str:
    """The version in the name of an oVirt Node NG image, such as `4.1`; empty if there is none."""
    found = _OF_INSTALLER.search(file_name)
    return found[1] if found else ""


def live_version(file_name: str) -> str:
    """The version in the name of a live image, such as `5.8`; empty if there is none."""
    found = _OF_LIVE.search(file_name)
    return found[1] if found else ""


def build_of(text: str) -> str:
    """The build in a name of a file or package, such as `20190404.0` or `2018012411`; empty if there is none."""
    found = _BUILD.search(text)
    return ".".join(filter(None, found.groups())) if found else ""


def specific(version: str, build: str, linux: int) -> str:
    """The version that `copycds -s` makes, which tells two builds of one release apart; empty without a build.

    Args:
        version: Such as `6.3`.
        build: As the medium says it: `20120926.0.el6_3`, `1.0.20140129.el6`. A build's number 0 is left out.
        linux: The RHEL that an installer is of, or 0; oVirt 4.5 was built of two of them in the same hour.
    """
    numbers = _NUMBERS.match(build)
    if not numbers:
        return ""
    told = f"{version}.{re.sub(r'(?<=[0-9]{8})[.]0$', '', numbers[0])}"
    return f"{told}.el{linux}" if linux else told


def numbers_of(version: str) -> tuple[int, ...]:
    """The numbers of a version, without the `el9` behind some."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())
