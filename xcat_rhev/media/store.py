"""Copy a medium to the install folder, whole or not at all, and tell later what is there.

Everything is written to a hidden folder beside the place; its last file is the record that `open_image` reads, and
then it takes the place in one step. So whatever stops the copy, nothing that nodeset would use is there half done.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import struct
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..errors import BadAnswer, Conflict, NotFound, Usage
from ..units import show_size
from . import file_signature as noted
from .copying import copy_new, same, write_error
from .file_signature import Signature
from .identify import INITRD, KERNEL, NG_INITRD, NG_KERNEL, Release, node_ng_image, rhvh_image
from .locks import lock_folder
from .medium import File, Medium, check_links
from .rpm import extract_image
from .tree import TREEINFO, second_stage

RECORD = "xcat-rhev.json"
#: What tells the next copycds of the same medium that nothing was written to since; the medium itself is there too.
NOTES, _SOURCE = "xcat-rhev.notes", ""
_FORMAT = 1
_RHVH_PAYLOAD = "squashfs.img"
_APPEND = re.compile(r"^\s*append\s+(.*)$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Image:
    """A medium that was copied.

    Attributes:
        folder: Where it is.
        family, version, build, arch, kickstart, product, linux: As in `Release`.
        iso: The original image's path in the folder, kept byte for byte; empty for a medium that was a folder.
        kernel, initrd: Their paths in the folder.
        append: The kernel arguments that the medium itself boots with; empty for Anaconda installers.
        cmdline_size: How many characters the kernel says it takes; 0 when it does not say.
        payload: The file system image that Anaconda installs, its path in the folder; empty for live images.
        digests: Files that are not on the medium as they are -> their SHA-256.
    """

    folder: Path
    family: str
    version: str
    build: str
    arch: str
    kickstart: bool
    product: str
    iso: str
    kernel: str
    initrd: str
    append: str
    cmdline_size: int
    payload: str
    digests: dict[str, str] = field(default_factory=dict)
    linux: int = 0

    @property
    def distname(self) -> str:
        """As in `Release`."""
        return self.family + self.version


def open_image(folder: Path) -> Image:
    """Read the record of a copied medium.

    Raises:
        NotFound: None was copied there.
    """
    try:
        record = json.loads((folder / RECORD).read_text())
        if record.pop("format") != _FORMAT:
            raise ValueError("another format")
        return Image(**{**record, "folder": folder})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
        hint = "Run: copycds ISO; a service node needs the management node's folder, mounted or copied"
        raise NotFound(f"no medium was copied to {folder}", hint) from problem


class MediaStore:
    """One medium and the folder that it is copied to.

    Args:
        medium: The medium.
        release: What it is.
        target: The folder.

    Raises:
        Usage: The medium lacks what is needed to boot it or is for machines that are not supported.
        BadAnswer: It is not whole, or its links are hostile.
    """

    def __init__(self, medium: Medium, release: Release, target: Path) -> None:
        if medium.cut_off:
            raise BadAnswer(f"{medium.name} is cut off: {medium.cut_off}", "Copy the image again")
        self._medium = medium
        self._release = release
        self._target = target
        self._files = _files_to_serve(medium, release)
        self._package = self._payload_package()
        self._image = self._make_image()

    @property
    def size(self) -> int:
        """How many bytes a copy, or a comparison, deals with."""
        return sum(file.size for file in self._files.values()) + (self._package.size if self._package else 0)

    def is_there(self) -> bool:
        """Whether a copy of a medium of ours is in the folder."""
        return (self._target / RECORD).is_file()

    def compare(self) -> Generator[int, None, None]:
        """Compare what is there with the medium: byte for byte what may have changed since that was done before.

        Returns:
            Numbers of bytes compared, when all is as it should be.

        Raises:
            NotFound: Nothing is there.
            Conflict: What is there differs, or some of it is gone.
            Usage: The medium cannot be read.
        """
        there = open_image(self._target)
        # The build comes from the image's name where nothing else tells; another name makes no other medium.
        if asdict(there) != {**asdict(self._image), "digests": there.digests, "build": there.build}:
            raise Conflict(f"{self._target} holds another medium")
        paths = {path: self._target / path for path in (*self._files, *there.digests)}
        before = {path: Signature.at(file) for path, file in paths.items()}
        unknown = paths.keys() - self._unchanged_files(before)
        since = noted.moment(self._target) if unknown else 0
        for path in unknown:
            digest = there.digests.get(path)
            yield from _has_digest(paths[path], digest) if digest else same(self._files[path], paths[path])
        if unknown:
            after = noted.settled_files(paths, since)
            self._note(self._target, {path: seen for path, seen in after.items() if seen == before[path]})

    def _unchanged_files(self, present: Mapping[str, Signature | None]) -> set[str]:
        """Those files of the copy that are as they were when they were last found the same as this very medium."""
        notes, opened = noted.read(self._target / NOTES), self._medium.opened
        if opened is None or notes.get(_SOURCE) != opened.signature:
            return set()
        return {path for path, signature in present.items() if signature and notes.get(path) == signature}

    def _note(self, folder: Path, notes: dict[str, Signature]) -> None:
        opened, image = self._medium.opened, self._medium.image
        if opened and opened.settled and image and Signature.at(image.source) == opened.signature:
            notes = {**notes, _SOURCE: opened.signature}
        noted.write(folder / NOTES, notes)

    def copy(self) -> Generator[int, None, None]:
        """Copy the medium.

        Returns:
            Numbers of bytes copied.

        Raises:
            Conflict: No space, or the folder is there and is not a copy of a medium.
            Locked: Another copy to the same place is under way.
            RhevError: As `copying.copy`.
        """
        parent = self._target.parent
        with _parent_folders(parent), lock_folder(parent, wait=False):
            stage, old = (parent / f".{self._target.name}.{word}" for word in ("new", "old"))
            try:
                _clear(stage, old, self._target)
                self._check_place()
                yield from self._fill(stage)
                _swap(stage, old, self._target)
            except OSError as problem:
                raise write_error(self._target, problem) from problem
            finally:
                shutil.rmtree(stage, ignore_errors=True)

    def _check_place(self) -> None:
        target = self._target
        if os.path.lexists(target) and not self.is_there() and not (target.is_dir() and not any(target.iterdir())):
            raise Conflict(
                f"{target} is there and was not made by copycds of {self._release.family}",
                "Move it away, or name another folder with -p",
            )
        room = os.statvfs(target.parent)
        free = room.f_bavail * room.f_frsize
        if free < self.size:
            raise Conflict(f"no space left in {target.parent}: {show_size(self.size)} needed, {show_size(free)} free")

    def _fill(self, stage: Path) -> Iterator[int]:
        image = self._image
        stage.mkdir(mode=0o700)  # until all is there and was found to be from one image, it is nobody's business
        for path, file in self._files.items():
            _folder((stage / path).parent, stage)
            yield from copy_new(file, stage / path)
        if self._package:
            digest = hashlib.sha256()
            yield from extract_image(self._package, stage / _RHVH_PAYLOAD, digest)
            image.digests[_RHVH_PAYLOAD] = digest.hexdigest()
        if self._release.kickstart:
            _link(stage, self._medium)
        record = {**asdict(image), "format": _FORMAT}
        del record["folder"]
        self._check_source()
        paths = {path: stage / path for path in (*self._files, *image.digests)}
        self._note(stage, noted.settled_files(paths, noted.moment(stage)))
        (stage / RECORD).write_text(json.dumps(record, indent=1) + "\n")
        (stage / RECORD).chmod(0o644)

    def _check_source(self) -> None:
        """Make sure that all was read from one and the same image, not from one that was still being written."""
        opened, image = self._medium.opened, self._medium.image
        if opened and image and _but_ctime(Signature.at(image.source)) != _but_ctime(opened.signature):
            raise BadAnswer(
                f"{image.source} has changed while it was copied", "Run the same command again when it is complete"
            )

    def _payload_package(self) -> File | None:
        name = rhvh_image(self._medium)
        return self._medium.files[name] if name and self._release.kickstart else None

    def _make_image(self) -> Image:
        release, medium = self._release, self._medium
        kernel = self._files[NG_KERNEL if release.kickstart else KERNEL]
        payload = _RHVH_PAYLOAD if self._package else node_ng_image(medium) or ""
        if release.kickstart and not payload:
            raise Usage(f"{medium.name} holds no file system image to install", "Is it the complete installer image?")
        return Image(
            self._target,
            release.family,
            release.version,
            release.build,
            release.arch,
            release.kickstart,
            release.product,
            iso=_iso_name(release) if medium.image else "",
            kernel=NG_KERNEL if release.kickstart else KERNEL,
            initrd=NG_INITRD if release.kickstart else INITRD,
            append="" if release.kickstart else _append_line(medium),
            cmdline_size=_cmdline_size(medium, kernel),
            payload=payload if release.kickstart else "",
            linux=release.linux,
        )


def _but_ctime(signature: Signature | None) -> Signature | None:
    """A new name or other permissions leave another ctime, and the same content."""
    return signature and signature._replace(ctime=0)


def _iso_name(release: Release) -> str:
    return f"{release.family}.iso"


def _files_to_serve(medium: Medium, release: Release) -> dict[str, File]:
    """What lands in the folder, by the names that mkinstall and Anaconda look for."""
    if release.arch not in ("x86_64", "x86"):
        raise Usage(f"{medium.name} is for {release.arch}; only x86_64 can be installed")
    files = {_iso_name(release): medium.image} if medium.image else {}
    if release.kickstart:
        check_links(medium)
        files.update(medium.files)
        needed: tuple[str, ...] = (NG_KERNEL, NG_INITRD)
        wanted = (*needed, TREEINFO)
        path, its = second_stage(medium, release.linux)
        files[path] = medium.files[its]
    else:
        if not medium.image:
            raise Usage(f"{medium.name} is a folder; the image itself is needed", "Give the ISO file to copycds")
        needed = (KERNEL, INITRD)
        wanted = (*needed, "isolinux/isolinux.cfg", "isolinux/version")
    for path in wanted:
        found = medium.find(path)
        if found:
            files[path] = medium.files[found]
        elif path in needed:
            raise BadAnswer(f"{medium.name} is {release.product or release.distname}, but has no {path}")
    return files


def _append_line(medium: Medium) -> str:
    """The first `append` line of the medium's boot menu."""
    found = _APPEND.search(medium.text("isolinux/isolinux.cfg") or "")
    return " ".join(found[1].split()) if found else ""


def _cmdline_size(medium: Medium, kernel: File) -> int:
    """Field cmdline_size of the x86 boot header, at 0x238 from protocol 2.06 on."""
    name = next(name for name, file in medium.files.items() if file is kernel)
    head = medium.head(name, 0x240)
    if len(head) < 0x23C or head[0x202:0x206] != b"HdrS" or struct.unpack_from("<H", head, 0x206)[0] < 0x206:
        return 0
    size: int = struct.unpack_from("<I", head, 0x238)[0]
    return size


def _has_digest(path: Path, digest: str) -> Iterator[int]:
    found = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while True:
                part = stream.read(1 << 20)
                if not part:
                    break
                found.update(part)
                yield 0
    except OSError as problem:
        raise Conflict(f"cannot read {path}: {problem.strerror}") from problem
    if found.hexdigest() != digest:
        raise Conflict(f"{path} is not as it was taken from the medium")


def _folder(path: Path, top: Path) -> None:
    """Make a folder that anybody may read, and those above it down from `top`."""
    if path.is_dir():
        return
    if path != top:
        _folder(path.parent, top)
    path.mkdir()
    path.chmod(0o755)


def _link(stage: Path, medium: Medium) -> None:
    """Make the links, last of all, so that no file was written through one."""
    for path, target in medium.links.items():
        _folder((stage / path).parent, stage)
        os.symlink(target, stage / path)


@contextmanager
def _parent_folders(parent: Path) -> Iterator[None]:
    """Make the folders above the place; take those away again that are still empty in the end."""
    missing = [path for path in (parent, *parent.parents) if not path.exists()]
    try:
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            path.chmod(0o755)
        yield
    except OSError as problem:
        raise write_error(parent, problem) from problem
    finally:
        for path in missing:
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()


def _clear(stage: Path, old: Path, target: Path) -> None:
    """Take away what a copy that was killed has left."""
    shutil.rmtree(stage, ignore_errors=True)
    if not os.path.lexists(old):
        return
    if os.path.lexists(target):
        _remove(old)
    else:
        os.rename(old, target)


def _swap(stage: Path, old: Path, target: Path) -> None:
    stage.chmod(0o755)
    if os.path.lexists(target):
        os.rename(target, old)
    os.rename(stage, target)
    if os.path.lexists(old):
        _remove(old)


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)
