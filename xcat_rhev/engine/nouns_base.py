"""What all nouns share."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from .fields import Record, label, text
from .shapes import Ref

__all__ = ["N", "Noun", "Record"]

MIB = 1 << 20


class Noun(Record):
    """A thing with an id in a manager.

    Class attributes:
        TAG: Its element in v3, and in v4 unless `TAG4` says otherwise.
        PLURAL3: Its collection's element in v3 where that is not the tag with an s.
        PATH: The last word of its collection's path in v3, and in v4 unless `PATH4` says otherwise.
        SEARCHABLE: Its collection takes `search=`.
        TOP: It has a collection of its own below the base path, and so one address wherever it was seen.
        NAMED: It always has a name.
        SEARCH_NAME: The search language's word for its name.
        ALWAYS: What is read of it even by who needs little.
    """

    TAG: ClassVar[str] = ""
    TAG4: ClassVar[str] = ""
    PLURAL3: ClassVar[str] = ""
    PATH: ClassVar[str] = ""
    PATH4: ClassVar[str] = ""
    SEARCHABLE: ClassVar[bool] = False
    TOP: ClassVar[bool] = False
    NAMED: ClassVar[bool] = True
    SEARCH_NAME: ClassVar[str] = "name"
    ALWAYS: ClassVar[frozenset[str]] = frozenset({"id", "href", "name"})

    id = label("@id", required=True)
    href = text("@href")
    name = label("name")
    description = text("description")
    comment = text("comment", since=(3, 3))

    @property
    def ref(self) -> Ref:
        """A reference to it."""
        return Ref(self.id, self.name, self.href or "")

    @classmethod
    def tag(cls, major: int) -> str:
        """Its element in that dialect."""
        return cls.TAG4 or cls.TAG if major == 4 else cls.TAG

    @classmethod
    def plural(cls, major: int) -> str:
        """Its collection's element in that dialect."""
        return (cls.PLURAL3 if major == 3 else "") or cls.tag(major) + "s"

    @classmethod
    def collection(cls, major: int) -> str:
        """Its collection in that dialect."""
        return cls.PATH4 or cls.PATH if major == 4 else cls.PATH

    @classmethod
    def word(cls) -> str:
        """What a person calls it: `storage domain`."""
        return cls.TAG.replace("_", " ").replace("vm", "VM").replace("nic", "NIC")

    def __str__(self) -> str:
        return f"{self.word()} {self.name or self.id}"


N = TypeVar("N", bound=Noun)
