"""copycd: copy a RHEV-H, RHVH or oVirt Node medium into the install folder.

xCAT's copycds asks every plugin in turn, this one among them, and takes any message as "that is mine"; so there is no
message about other media.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ..clock import Clock
from ..declare.command import Command, Option, Place
from ..errors import BadAnswer, Conflict, Denied, NotFound, Usage
from ..media.identify import Release, identify, looks_ours
from ..media.iso import read_iso, volume_label
from ..media.kickstart import template_path, write_template
from ..media.medium import Medium, read_folder
from ..media.mounts import source_of
from ..media.names import parse_name, specific
from ..media.progress import meter
from ..media.store import MediaStore
from ..messages import Data, Info, Message, Warn
from ..plan.context import Context, Plan
from ..plan.jobs import Job, Step
from ..xcat.host import Xcat

SPEC = Command(
    name="copycd",
    summary="copy a RHEV-H, RHVH or oVirt Node medium into the install folder",
    usage="-f ISO [-m MOUNT] [-n NAME] [-a ARCH] [-p PATH] [-i] [-o] [-s] [-w]",
    place=Place.HERE,
    routes=("rhevm",),
    options=(
        Option(("-f",), "file", "the ISO image", value="ISO"),
        Option(("-m",), "mount", "where copycds has mounted it; read when there is no -f", value="MOUNT"),
        Option(
            ("-n", "--name", "--osver"),
            "name",
            "what to call it: rhevh (or rhvh) or ovirt, and a version",
            value="NAME",
        ),
        Option(("-a", "--arch"), "arch", "the architecture", value="ARCH"),
        Option(("-p", "--path"), "path", "copy to this folder instead of installdir/NAME/ARCH", value="PATH"),
        Option(("-i", "--inspection"), "inspect", "say what it is and copy nothing"),
        Option(("-o", "--noosimage"), "no_osimage", "make no osimage"),
        Option(("-s", "--specific"), "specific", "add the build to the name, to keep two builds side by side"),
        Option(("-w", "--nonoverwrite"), "keep", "leave alone what was copied before"),
    ),
    description=(
        "Called by copycds. The ISO is read without mounting it and identified by its own files. It is copied to a "
        "folder of its own and moved to its place when it is whole. A second copy of the same medium changes nothing: "
        "it compares, byte for byte, the files that may have changed since the last time. Other media are left "
        "to xCAT's other plugins without a message."
    ),
    examples=(
        ("copycds rhev-hypervisor6-6.6-20150123.iso", "take a RHEV-H 6.6 in as rhevh6.6"),
        ("copycds RHVH-4.4-dvd1.iso -s", "add the build to the name, to keep two builds side by side"),
        ("copycds ovirt-node.iso -i", "say what it is and copy nothing"),
    ),
)

_ARCHES = {"i386": "x86", "i486": "x86", "i586": "x86", "i686": "x86", "amd64": "x86_64"}
_PROFILE = "compute"
_SUCCESS = "Media copy operation successful"


def plan(context: Context) -> Plan:
    """Find out what the medium is and what is to be done with it."""
    options = context.options
    told = parse_name(options["name"]) if "name" in options else None
    if "name" in options and told is None:
        return
    medium = _medium(context, insist=told is not None)
    release = identify(medium, told[1] if told else "") if medium else None
    if medium is None or release is None:
        if told:
            raise Usage(
                f"{_what(context)} is not a RHEV-H, RHVH or oVirt Node medium", f"Leave -n {options['name']} out"
            )
        return
    release = _as_told(release, told, context)
    if "inspect" in options:
        yield Info(f"DISTNAME:{release.distname}\nARCH:{release.arch}\nDISCNO:1\n")
        return
    yield from _taking_in(context, medium, release)
    if "mount" in options and told and options["name"].startswith("rh"):
        # Only xCAT's own copycds mounts; then its anaconda.pm is asked too, and claims every name that begins with rh.
        yield Warn(
            f"with -n {options['name']} xCAT's anaconda plugin may have copied the medium too, and made Red Hat images "
            "of it. copycds without -n is enough. Run: xcat-rhev doctor"
        )


def _medium(context: Context, insist: bool) -> Medium | None:
    """Read the medium; None if it is too damaged to list and does not look like one of ours."""
    path, device = _source(context)
    if path.is_dir():
        return read_folder(path)
    try:
        return read_iso(path, device=device)
    except BadAnswer:
        if insist or looks_ours(volume_label(path, device=device) or ""):
            raise
        return None


def _source(context: Context) -> tuple[Path, bool]:
    """The path to read, and whether it is a block device; only the device of a mount may be one."""
    if "file" in context.options:
        return Path(context.request.cwd, context.options["file"]), False
    if "mount" not in context.options:
        raise Usage("copycd needs the ISO", "Name it with -f")
    mount = Path(context.request.cwd, context.options["mount"])
    device = source_of(mount)
    return (mount, False) if device is None else (device, True)


def _what(context: Context) -> str:
    return str(context.options.get("file") or context.options["mount"])


def _as_told(release: Release, told: tuple[str, str] | None, context: Context) -> Release:
    """The release with the values of the options, which take precedence over those of the medium."""
    arch = context.options.get("arch", release.arch)
    family = told[0] if told else release.family
    release = replace(release, family=family, arch=_ARCHES.get(arch, arch))
    if "specific" in context.options and not told:
        version = specific(release.version, release.build, release.linux)
        if not version:
            raise Usage(f"{_what(context)} does not name its build", "Leave -s out, or give a name with -n")
        release = replace(release, version=version)
    return release


def _taking_in(context: Context, medium: Medium, release: Release) -> Plan:
    target, installdir = _target(context, release), Path(context.xcat.site("installdir", "/install"))
    if not target.is_relative_to(installdir):
        yield Warn(
            f"{target} is outside of {installdir}, which is all that nodes can read unless your web server says more"
        )
    store = MediaStore(medium, release, target)
    if "keep" in context.options and store.is_there():
        yield Info("The disc iso has already been copied in!")
        return
    taking = _Taking(store, target, context.request.aborted, context.clock)
    parts = [Step(f"copy {medium.name} to {target}", taking.copy)]
    rows = Rows(context.xcat, release, target)
    parts.append(Step(f"write osdistro row {rows.distro}", rows.write_distro))
    if "no_osimage" not in context.options:
        parts.append(Step(f"write osimage {rows.osimage}", rows.write_osimage))
    yield Job("", parts)


def _target(context: Context, release: Release) -> Path:
    installdir = Path(context.xcat.site("installdir", "/install"))
    path = context.options.get("path")
    if not path:
        return installdir / release.distname / release.arch
    target = Path(os.path.normpath(Path(context.request.cwd, path)))
    if not context.request.by_root and not target.is_relative_to(installdir):
        raise Denied(f"-p {path} is outside of {installdir}, where only root may copy to", "Name a folder below that")
    return target


@dataclass(frozen=True)
class _Taking:
    """The copy of one medium."""

    store: MediaStore
    target: Path
    aborted: threading.Event
    clock: Clock

    def copy(self) -> Iterator[Message]:
        """Copy it, unless what is there is the same."""
        if self.store.is_there():
            try:
                yield from self._with_progress(self.store.compare())
            except (Conflict, NotFound):
                pass
            else:
                said = f"{self.target} already holds this medium; nothing was copied"
                yield from map(Data, (f"Copying media to {self.target}: {said}", _SUCCESS))  # scripts look for both
                return
        yield Data(f"Copying media to {self.target}")
        yield from self._with_progress(self.store.copy())
        yield Data(_SUCCESS)

    def _with_progress(self, work: Generator[int, None, None]) -> Iterator[Message]:
        return meter(work, self.store.size, self.aborted, self.clock)


@dataclass(frozen=True)
class Rows:
    """What xCAT's tables get about a medium.

    Attributes:
        xcat: The xCAT around.
        release: What the medium is.
        target: Where it is.
    """

    xcat: Xcat
    release: Release
    target: Path

    @property
    def distro(self) -> str:
        """The key of its osdistro row."""
        return f"{self.release.distname}-{self.release.arch}"

    @property
    def osimage(self) -> str:
        """The name of its osimage."""
        return f"{self.distro}-install-{_PROFILE}"

    def write_distro(self) -> None:
        """Write the osdistro row, keeping other folders that it names."""
        row = next(iter(self.xcat.rows("osdistro", {"osdistroname": self.distro})), {})
        folders = dict.fromkeys(filter(None, row.get("dirpaths", "").split(",")))
        folders[str(self.target)] = None
        major, _, minor = self.release.version.partition(".")
        self.xcat.set_row(
            "osdistro",
            {"osdistroname": self.distro},
            {
                "basename": self.release.family,
                "majorversion": major,
                "minorversion": minor,
                "arch": self.release.arch,
                "type": "Linux",
                "dirpaths": ",".join(folders),
            },
        )

    def write_osimage(self) -> Iterator[Message]:
        """Write the osimage and linuximage rows; a template that somebody has set stays."""
        key = {"imagename": self.osimage}
        self.xcat.set_row(
            "osimage",
            key,
            {
                "imagetype": "linux",
                "provmethod": "install",
                "profile": _PROFILE,
                "osname": "Linux",
                "osvers": self.release.distname,
                "osarch": self.release.arch,
                "osdistroname": self.distro,
            },
        )
        image = {"pkgdir": str(self.target)}
        before = next(iter(self.xcat.rows("linuximage", key)), {})
        if self.release.kickstart and not before.get("template"):
            path = template_path(self.xcat.site("installdir", "/install"), self.release, _PROFILE)
            write_template(path)
            image["template"] = str(path)
        self.xcat.set_row("linuximage", key, image)
        yield Data(f"The osimage {self.osimage} is ready for nodeset")
