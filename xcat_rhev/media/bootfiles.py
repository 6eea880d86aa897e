"""Put kernel and initrd of a copied medium where boot loaders fetch them, once per image."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import Conflict
from .copying import copy, same, write_error
from .initrd import build, replace_file
from .locks import lock_folder
from .medium import whole_file
from .store import Image


@dataclass(frozen=True)
class BootFiles:
    """What boot loaders fetch for one osimage.

    Attributes:
        image: The medium.
        tftpdir: What TFTP and HTTP serve.
        osimage: The osimage's name, which names the folder.
    """

    image: Image
    tftpdir: Path
    osimage: str

    @property
    def kernel(self) -> str:
        """The kernel's path below tftpdir."""
        return f"xcat/osimage/{self.osimage}/{Path(self.image.kernel).name}"

    @property
    def initrd(self) -> str:
        """The initrd's path below tftpdir."""
        return f"xcat/osimage/{self.osimage}/{Path(self.image.initrd).name}"

    @property
    def size(self) -> int:
        """How many bytes `make` deals with at most."""
        inside = [self.image.kernel, self.image.initrd, *([] if self.image.kickstart else [self.image.iso])]
        return sum(whole_file(self.image.folder / path).size for path in inside)

    def make(self) -> Generator[int, None, None]:
        """Make both, where they are not there already; a live image's ISO goes into the initrd.

        Returns:
            Numbers of bytes dealt with.

        Raises:
            NotFound: The medium is not there any more.
            Conflict: No space is left.
        """
        kernel, initrd = self.tftpdir / self.kernel, self.tftpdir / self.initrd
        try:
            kernel.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise write_error(kernel.parent, problem) from problem
        folder = self.image.folder
        yield from _copy(folder / self.image.kernel, kernel)
        if self.image.kickstart:
            yield from _copy(folder / self.image.initrd, initrd)
        else:
            yield from build(folder / self.image.initrd, folder / self.image.iso, initrd)


def _copy(source: Path, target: Path) -> Iterator[int]:
    """Copy a file, unless the copy that is there is the same."""
    file = whole_file(source)
    with lock_folder(target.parent):
        try:
            yield from same(file, target)
        except Conflict:
            with replace_file(target) as out:
                yield from copy(file, out, target)
