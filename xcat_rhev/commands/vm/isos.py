"""CD images by name: a file of an ISO domain is named in the drive, an image on a data domain is put in by its id."""

from __future__ import annotations

import re

from ...engine.manager import Manager, quote
from ...engine.nouns import DiskImage, StorageDomain
from ...errors import NotFound

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: The manager's word for the content of a CD image.
ISO = "iso"


class IsoImage:
    """The CD image that somebody named.

    Args:
        manager: The manager.
        name: Its name, or its id where it is on a data domain; empty for none.
    """

    def __init__(self, manager: Manager, name: str) -> None:
        self._manager, self.name = manager, name
        self.file, self.fault = (name, "") if not name else self._find()

    def _find(self) -> tuple[str, str]:
        """The value for the drive, or why the image cannot be put in."""
        manager, name = self._manager, self.name
        if manager.lacks(DiskImage, ["content_type"]):
            return name, ""
        images = [*manager.list(DiskImage, where=f"alias={quote(name)}"), *self._by_id()]
        hits = [image for image in images if image.content_type == ISO and name in (image.alias, image.name, image.id)]
        if len(hits) == 1:
            return hits[0].id, ""
        if hits:
            ids = ", ".join(sorted(image.id for image in hits))
            return "", f"several CD images are named {name}. Give the id of one: {ids}"
        if any(domain.type == ISO for domain in manager.list(StorageDomain)):
            return name, ""  # its files are not listed: the manager checks the name
        return "", f"manager {manager.name} has no CD image {name}. Put it on a data domain first, as an ISO"

    def _by_id(self) -> list[DiskImage]:
        """The image whose id was given, if it looks like one."""
        if not _ID.fullmatch(self.name):
            return []
        try:
            return [self._manager.get(DiskImage, self.name)]
        except NotFound:
            return []
