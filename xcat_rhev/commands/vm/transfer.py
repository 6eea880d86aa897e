"""Images between files here and disks of a manager: sent in pieces.

A later run continues where a former one stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO, Protocol

from ...engine.manager import Extent, ImageChannel
from ...engine.nouns import DiskImage, ImageTransfer, Ref, StorageDomain
from ...engine.states import (
    IMAGE_BROKEN,
    IMAGE_OK,
    TRANSFER_ENDED,
    TRANSFER_READY,
    TRANSFER_RESTING,
    ImageStatus,
    TransferPhase,
)
from ...engine.waiting import GONE, Goal
from ...errors import Conflict, Denied, FailedState, NotFound, RhevError, Unreachable, Usage
from ...files import new_file, open_named
from ...media.diskimages import DiskFile, look
from ...media.progress import meter
from ...messages import Message
from ...plan.context import Context
from ...plan.jobs import Step, Wait
from ...units import show_size
from ...xcat.host import Request

#: Seconds for making a disk, for a host to be ready, and for checking what was sent.
LIMIT = 600.0
#: Bytes that are read, sent and compared at once, and the most zeros in one request.
PIECE, ZEROS = 4 << 20, 256 << 20
#: The beginning of the description of a disk that is not filled yet.
UNFINISHED = "unfinished: "
AGAIN = "Type the same again: it goes on where it stopped"


@dataclass(frozen=True)
class Source:
    """A file that is to be sent.

    Attributes:
        path: Where it is.
        what: What is in it.
        mark: Identifies it in a later run.
        public: Only if everybody may read it.
    """

    path: Path
    what: DiskFile
    mark: str
    public: bool

    def open(self) -> BinaryIO:
        """Open it for reading.

        Raises:
            Conflict: It has changed since it was checked.
        """
        file = _open(self.path, self.public)
        if _mark(self.path, file) != self.mark:
            file.close()
            raise Conflict(f"{self.path} has changed meanwhile", "Type the same again when it is complete")
        return file


def source_of(request: Request, name: str, option: str) -> Source:
    """Open a file on the machine that runs the command.

    Args:
        request: Who asks, and where that person is.
        name: As typed.
        option: The option that names it.

    Raises:
        Usage: It is not an image that a manager takes.
        Denied: It is not for everybody, and somebody else than root asks.
        RhevError: The file system refuses.
    """
    path = Path(request.cwd, name)
    try:
        with _open(path, not request.by_root) as file:
            return Source(path, look(file, str(path)), _mark(path, file), not request.by_root)
    except OSError as problem:
        raise RhevError(f"{option}: cannot read {path}: {problem.strerror}") from None


def _open(path: Path, public: bool) -> BinaryIO:
    return open(open_named(path, public=public), "rb")


def _mark(path: Path, file: BinaryIO) -> str:
    state = os.fstat(file.fileno())
    when = datetime.fromtimestamp(state.st_mtime, timezone.utc)
    return f"{path.name[:120]}, {state.st_size} bytes of {when:%Y-%m-%dT%H:%M:%SZ}"


def target_of(request: Request, name: str, option: str) -> Path:
    """The path of a file that is to be written.

    Raises:
        Denied: Somebody else than root asks.
        Usage: Something is there.
    """
    path = Path(request.cwd, name)
    if not request.by_root:
        raise Denied(f"{option} {name}: only root may let xcatd write files")
    if os.path.lexists(path):
        raise Usage(f"{path} is there already, and nothing is replaced", "Remove it, or give another name")
    return path


class Sendable(Protocol):
    """What can be sent: as `Source`."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def what(self) -> DiskFile:
        """What is in it."""

    @property
    def mark(self) -> str:
        """Identifies it in a later run."""

    def open(self) -> BinaryIO:
        """Open it for reading."""


@dataclass
class Upload:
    """The upload of a file to a disk.

    Attributes:
        context: The command.
        name: The disk's.
        source: The file.
        domain: Where the disk is to be.
        there: The disk, if a former run has made it.
        transfer: The transfer, if a former run has begun it.
        as_raw: The guest's view of the disk is sent, whatever the disk's own format is.
    """

    context: Context
    name: str
    source: Sendable
    domain: StorageDomain
    there: DiskImage | None = None
    transfer: ImageTransfer | None = None
    as_raw: bool = False
    _start: int = field(default=0, init=False)

    def parts(self) -> Iterator[Step | Wait]:
        """The steps, up to a disk that can be used."""
        what, file = self.source.what, self.source.path.name
        if self.there is None:
            yield Step(f"make the disk {self.name} ({what.describe}) on {self.domain.name}", self._make)
        if self.transfer is None:
            yield Wait("wait until it can be filled", self._disk_goal, self._remember)
            yield Step("ask for a host that takes the image", self._begin)
        elif self.transfer.status in TRANSFER_RESTING:
            yield Step(f"go on with {file} after {show_size(self._offset())}", self._resume)
        yield Wait("wait until a host takes it", self._ready_goal, self._ready)
        yield Step(f"send {file} ({show_size(what.length)})", self._send)
        yield Wait("wait until the manager has looked at it", self._disk_goal, self._remember)
        yield Step("note that it is whole", self._note)
        yield Wait("wait until that is written", self._disk_goal, self._remember)

    @property
    def disk(self) -> DiskImage:
        """The disk."""
        assert self.there is not None
        return self.there

    def _make(self) -> None:
        what = self.source.what
        block = self.domain.storage_type in ("iscsi", "fcp")
        wanted = DiskImage(
            name=self.name,
            description=UNFINISHED + self.source.mark,
            size=what.size,
            format=what.format,
            sparse=what.format == "cow" or not block,
            storage_domains=(Ref(self.domain.id),),
        )
        if what.format == "cow" and block:
            wanted = wanted.replace(initial_size=what.length)
        if what.iso and not self.context.manager.lacks(DiskImage, ["content_type"]):
            wanted = wanted.replace(content_type="iso")
        self.there = self.context.manager.create(wanted)

    def _disk_goal(self) -> Goal:
        failed = IMAGE_BROKEN | {GONE}
        return Goal(self.disk, IMAGE_OK, failed=failed, limit=self.context.limit(LIMIT))

    def _remember(self, disk: DiskImage) -> None:
        self.there = disk

    def _begin(self) -> None:
        form = "raw" if self.as_raw else None
        wanted = ImageTransfer(image=Ref(self.disk.id), direction="upload", format=form)
        self.transfer = self.context.manager.create(wanted)

    def _offset(self) -> int:
        done = self.transfer.transferred if self.transfer else 0
        return min(done or 0, self.source.what.length) // PIECE * PIECE

    def _resume(self) -> None:
        assert self.transfer is not None
        self.context.manager.act(self.transfer, "resume")

    def _ready_goal(self) -> Goal:
        assert self.transfer is not None
        failed = TRANSFER_ENDED | {GONE}
        return Goal(self.transfer, TRANSFER_READY, failed=failed, limit=self.context.limit(LIMIT))

    def _ready(self, transfer: ImageTransfer) -> None:
        self.transfer = transfer
        self._start = self._offset()

    def _send(self) -> Iterator[Message]:
        assert self.transfer is not None
        channel = self.context.manager.channel_of(self.transfer)
        size = self.source.what.length - self._start
        try:
            with self.source.open() as file:
                work = self._pieces(channel, file)
                yield from meter(work, size, self.context.request.aborted, self.context.clock)
            channel.flush()
        except Unreachable as problem:
            raise Unreachable(problem.text, AGAIN) from None
        except OSError as problem:
            raise RhevError(f"cannot read {self.source.path}: {problem.strerror}", AGAIN) from None
        finally:
            channel.close()
        self.context.manager.act(self.transfer, "finalize")

    def _pieces(self, channel: ImageChannel, file: BinaryIO) -> Generator[int, None, None]:
        """Send the data; zeros are sent as a length only, where the host can do that."""
        can_zero = channel.can_zero()
        for start, size, data in runs(file, self._start, self.source.what.length):
            if data is None and can_zero:
                channel.zero(start, size)
            else:
                for at in range(0, size, PIECE):
                    channel.write(start + at, data or bytes(min(PIECE, size - at)))
            yield size
        rest = self.source.what.size - self.source.what.length
        if self.source.what.format == "raw" and rest:
            channel.write(self.source.what.length, bytes(rest))

    def _note(self) -> None:
        self.context.manager.change_image(self.disk, description=self.source.mark)


def runs(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, bytes | None]]:
    """Give the parts of a file as (place, bytes, data), and zeros together without data."""
    zeros = 0
    at = start
    while at < end:
        file.seek(at)
        data = file.read(min(PIECE, end - at))
        if not data:
            raise OSError(0, "it has become shorter")
        if data.count(0) == len(data) and zeros < ZEROS:
            zeros += len(data)
        else:
            if zeros:
                yield at - zeros, zeros, None
                zeros = 0
            yield at, len(data), data
        at += len(data)
    if zeros:
        yield at - zeros, zeros, None


@dataclass
class Download:
    """The download of a disk into a file, as its guest sees it.

    Attributes:
        context: The command.
        disk: The disk.
        path: The file that is to be.
        backup: Gives the backup that it belongs to, once that is begun; None for a disk that nobody uses.
        changed: What has changed since the checkpoint of the backup alone, if the host can tell.
        undo: What is done if it fails, and the error that is then told.
        changes: What was fetched, as start, bytes, and whether it is zeros; None for all of it.
    """

    context: Context
    disk: DiskImage
    path: Path
    backup: Callable[[], Ref] | None = None
    changed: bool = False
    undo: Callable[[RhevError], RhevError] = lambda problem: problem
    transfer: ImageTransfer | None = field(default=None, init=False)
    changes: list[tuple[int, int, bool]] | None = field(default=None, init=False)

    def parts(self) -> Iterator[Step | Wait]:
        """The steps, up to a file that is whole and a disk that is free again."""
        name, size = self.disk.name or self.disk.id, show_size(self.disk.size or 0)
        yield Step(f"ask for a host that gives {name}", self._begin)
        yield Wait("wait until a host gives it", self._ready_goal, self._ready, self.undo)
        yield Step(f"fetch {name} ({size}) into {self.path}", self._fetch)
        yield Wait("wait until the host has ended it", self._ended_goal, lambda _: None, self.undo)

    def _begin(self) -> None:
        backup = self.backup() if self.backup else None
        wanted = ImageTransfer(image=Ref(self.disk.id), direction="download", format="raw", backup=backup)
        try:
            self.transfer = self.context.manager.create(wanted)
        except RhevError as problem:
            raise self.undo(problem) from None

    @property
    def _own(self) -> ImageTransfer:
        assert self.transfer is not None
        return self.transfer

    def _ready_goal(self) -> Goal:
        failed = TRANSFER_ENDED | TRANSFER_RESTING | {GONE}
        return Goal(self._own, TRANSFER_READY, failed=failed, limit=self.context.limit(LIMIT))

    def _ready(self, transfer: ImageTransfer) -> None:
        self.transfer = transfer

    def _ended_goal(self) -> Goal:
        """It has ended, and its disk is free: engines free it first, and forget what has ended after a while."""
        wanted = frozenset({TransferPhase.FINISHED_SUCCESS, GONE})
        failed = frozenset({TransferPhase.FINISHED_FAILURE, TransferPhase.FINISHED_CLEANUP})
        return Goal(self._own, wanted, failed, limit=self.context.limit(LIMIT))

    def _fetch(self) -> Iterator[Message]:
        try:
            with new_file(self.path, 0o600) as file:
                yield from self._fill(file)
        except OSError as problem:
            raise self.undo(RhevError(f"cannot write {self.path}: {problem.strerror}")) from None
        except RhevError as problem:
            raise self.undo(problem) from None

    def _fill(self, file: BinaryIO) -> Iterator[Message]:
        """Fetch what is in the disk into a file, with holes where there are zeros.

        Then end the transfer at the manager.
        """
        channel = self.context.manager.channel_of(self._own)
        done = False
        try:
            file.truncate(self.disk.size or 0)
            extents = [each for each in self._extents(channel) if not each.zero]
            work = self._pieces(channel, file, [(each.start, each.length) for each in extents])
            total = sum(each.length for each in extents)
            yield from meter(work, total, self.context.request.aborted, self.context.clock)
            done = True
        finally:
            channel.close()
            self._end("finalize" if done else "cancel")

    def _pieces(
        self, channel: ImageChannel, file: BinaryIO, parts: list[tuple[int, int]]
    ) -> Generator[int, None, None]:
        for start, length in parts:
            file.seek(start)
            with closing(channel.read(start, length)) as pieces:
                for piece in pieces:
                    file.write(piece)
                    yield len(piece)

    def _extents(self, channel: ImageChannel) -> list[Extent]:
        """What is to be fetched."""
        try:
            found = [each for each in channel.extents(dirty=True) if each.dirty] if self.changed else None
        except NotFound:
            found = None  # the disk is newer, or is raw
        if found is None:
            return channel.extents()
        self.changes = [(each.start, each.length, each.zero) for each in found]
        return found

    def _end(self, verb: str) -> None:
        """End it at the manager; cancelling is optional, because the manager notices by itself within a minute."""
        try:
            self.context.manager.act(self._own, verb)
        except RhevError:
            if verb == "finalize":
                raise


def former(context: Context, name: str, mark: str) -> tuple[DiskImage | None, ImageTransfer | None]:
    """What a former run has left of an upload.

    Args:
        context: The command.
        name: The disk's.
        mark: The file's.

    Raises:
        FailedState: There is a disk of that name that does not belong to it, or is broken.
    """
    found = [each for each in context.manager.look(DiskImage, [name]) if name in (each.name, each.alias)]
    if not found:
        return None, None
    disk = found[0]
    live = _live_uploads(context, disk)
    if len(found) > 1 or disk.description not in (mark, UNFINISHED + mark):
        being = "is being filled from another file" if live else "is there already"
        raise FailedState(
            f"the disk {name} {being} ({disk.description or 'no description'})",
            f"Give another name, or remove it: cfgve -t disk -m {context.manager.name} -o {name} -r",
        )
    if disk.status == ImageStatus.ILLEGAL:
        hint = f"Run: cfgve -t disk -m {context.manager.name} -o {disk.id} -r"
        raise FailedState(f"the disk {name} could not be filled by a former run", hint)
    return disk, live[0] if live else None


def give_up(context: Context, disk: DiskImage) -> None:
    """Remove a disk that was to be filled; where a transfer is under way, to give that up removes it."""
    live = _live_uploads(context, disk)
    for each in live:
        context.manager.act(each, "cancel")
    if not live:
        context.manager.remove(disk)


def _live_uploads(context: Context, disk: DiskImage) -> list[ImageTransfer]:
    found = [each for each in context.manager.list(ImageTransfer) if each.image and each.image.id == disk.id]
    return [each for each in found if each.status not in TRANSFER_ENDED and each.direction == "upload"]
