"""rmimage and chkosimage: the files of images."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ...declare.command import CommandWords, Option
from ...errors import Conflict, NotFound, RhevError, Usage
from ...messages import Info, Warn
from .. import objects
from ..reply import Output, Reply
from .declare import CommandCall, Core, own_command, refusal

#: Images that are made of files that rmimage may remove; others are installed from a medium.
_METHODS = ("netboot", "statelite", "raw", "sysclone")
_FILES = ("kernel", "initrd-stateless.gz", "initrd-statelite.gz")
#: Columns of linuximage that name files or folders of this machine.
_PATHS = ("template", "pkglist", "pkgdir", "otherpkglist", "otherpkgdir", "postinstall", "rootimgdir", "partitionfile")
_MOUNTS = Path("/proc/mounts")


class _Image(NamedTuple):
    """An image on disk.

    Attributes:
        folder: What was made for nodes.
        boot: What nodes fetch of it by TFTP.
        method: osimage.provmethod, or empty.
    """

    folder: Path
    boot: Path
    method: str


def remove(call: CommandCall) -> Iterator[Output]:
    """Answer `rmimage [-V] IMAGE [--xcatdef]` and `rmimage [-V] -o OS -a ARCH -p PROFILE`."""
    try:
        image = _by_name(call, call.words[0]) if call.words else _by_options(call)
        yield from _result(call, image)
        if not image.folder.is_dir():
            raise NotFound(f"Image directory {image.folder} does not exist")
        _refuse_mounts(image.folder / "rootimg")
        yield from _without_files(image)
    except RhevError as problem:
        yield refusal(str(problem))
        return
    except OSError as problem:
        yield refusal(f"{problem.filename} cannot be removed: {problem.strerror}")
        return
    yield Info("Image files have been removed successfully from this management node.")
    if "xcatdef" in call.options:
        name = call.words[0]
        yield Info(f"Removing osimage definition for {name}.")
        objects.remove(call.tables, objects.kind_of("osimage"), [name])
        yield Info(f"osimage definition for {name} is removed successfully.")


def _by_name(call: CommandCall, name: str) -> _Image:
    """The image of a name, by its rows or by the parts of the name.

    Raises:
        Usage: Other options beside it, no such name, or one that is installed from a medium.
    """
    if len(call.words) > 1 or call.options.keys() & {"os", "arch", "profile"}:
        raise Usage("-o, -a and -p options are not allowed when a image name is specified.")
    row = _row(call, "osimage", name)
    method, parts = row.get("provmethod", ""), [row.get(key, "") for key in ("osvers", "osarch", "profile")]
    folder = _row(call, "linuximage", name).get("rootimgdir", "")
    if not folder and not all(parts):
        words = name.split("-", 3)
        if len(words) < 4 or not all(words):
            raise Usage(f"Invalid image name {name}")
        method, parts = words[2], [words[0], words[1], words[3]]
    if method and method not in _METHODS:
        raise Usage(
            f'Invalid method "{method}", the rmimage command can only be used to remove the netboot, statelite, '
            "sysclone or raw image files"
        )
    boot = _below(_tftp(call) / "xcat/osimage", name)
    return _Image(Path(folder) if folder else _below(_install(call) / "netboot", *parts), boot, method)


def _by_options(call: CommandCall) -> _Image:
    """The image that -o, -a and -p describe.

    Raises:
        Usage: One of them is missing, or --xcatdef is beside them.
    """
    parts = [call.options.get(name, "") for name in ("os", "arch", "profile")]
    if not all(parts):
        raise Usage("Missing flag -o, -a or -p")
    if "xcatdef" in call.options:
        raise Usage("--xcatdef can not be used with the -o, -a or -p")
    return _Image(_below(_install(call) / "netboot", *parts), _below(_tftp(call) / "xcat/netboot", *parts), "")


def _below(folder: Path, *names: str) -> Path:
    """A place below a folder.

    Raises:
        Usage: A name would lead out of it.
    """
    for name in names:
        if "/" in name or name in ("", ".", ".."):
            raise Usage(f"Invalid image name {name}")
    return folder.joinpath(*names)


def _row(call: CommandCall, table: str, name: str) -> Mapping[str, str]:
    return next(iter(call.tables.rows(table, {"imagename": name})), {})


def _install(call: CommandCall) -> Path:
    return Path(call.tables.site("installdir", str(call.home.install)))


def _tftp(call: CommandCall) -> Path:
    return Path(call.tables.site("tftpdir", str(call.home.tftp)))


def _result(call: CommandCall, image: _Image) -> Iterator[Output]:
    if "verbose" in call.options:
        if call.words:
            yield Info(f"image name is {call.words[0]}")
        yield Info(f"image directory is {image.folder}")


def _refuse_mounts(folder: Path) -> None:
    """Nothing of another file system is removed.

    Raises:
        Conflict: Something is mounted there.
    """
    real = os.path.realpath(folder)
    for line in _MOUNTS.read_text().splitlines():
        point = line.split(" ")[1].encode().decode("unicode_escape")
        if point == real or point.startswith(f"{real}/"):
            raise Conflict(f"{point} is mounted below the image", f"Run: umount {point}")


def _without_files(image: _Image) -> Iterator[Output]:
    for folder in (image.folder / "rootimg", image.boot):
        if folder.is_dir():
            yield Info(f"Removing directory {folder}")
            shutil.rmtree(folder)
    for file in (*map(image.folder.joinpath, _FILES), *sorted(image.folder.glob("rootimg.*"))):
        if file.is_file():
            yield Info(f"Removing file {file}")
            file.unlink()


def check(call: CommandCall) -> Iterator[Output]:
    """Answer `chkosimage [-V] IMAGE`: whether what its row names is there."""
    if not call.words:
        yield _check_help({})
        return
    name = call.words[-1]
    if not _row(call, "osimage", name):
        yield refusal(f"Could not get xCAT image definition. There is no osimage {name}")
        return
    row = _row(call, "linuximage", name)
    places = [(column, Path(place)) for column in _PATHS for place in row.get(column, "").split(",") if place]
    missing = [f"linuximage.{column}: {place} does not exist" for column, place in places if not place.exists()]
    yield from map(refusal, missing)
    if "verbose" in call.options:
        yield from (Info(f"linuximage.{column}: {place}") for column, place in places if place.exists())
    if "clean" in call.options:
        yield Warn("-c cleans lpp_source directories of AIX, and there are none here")
    if not row.get("otherpkglist"):
        yield Info("There was no additional software listed in the 'otherpkgs' or 'installp_bundle' attributes.")


def _check_help(_: object) -> Reply:
    return CHKOSIMAGE.help()


def _remove_help(_: object) -> Reply:
    return Reply({"info": f"\n{RMIMAGE.spec.help_text}"})


RMIMAGE = Core(
    own_command(
        "rmimage",
        "remove the files of an image",
        (
            "Usage:",
            "    rmimage [-h | --help]",
            "    rmimage [-V | --verbose] imagename [--xcatdef]",
            "    rmimage [-V | --verbose] -o osver -a arch -p profile",
        ),
        (
            Option(("-o",), "os", "its system", value="OSVER"),
            Option(("-a",), "arch", "its architecture", value="ARCH"),
            Option(("-p",), "profile", "its profile", value="PROFILE"),
            Option(("--xcatdef",), "xcatdef", "its definition as well"),
        ),
        CommandWords(most=None),
    ),
    remove,
    describe=_remove_help,
)
CHKOSIMAGE = Core(
    own_command(
        "chkosimage",
        "whether the files are there that an image's row names",
        ("Usage: ", "\tchkosimage [-h | --help]", "or", "\tchkosimage [-V] [-c|--clean] image_name"),
        (Option(("-c", "--clean"), "clean", "accepted as in xCAT, without effect"),),
        CommandWords(most=None),
    ),
    check,
)
