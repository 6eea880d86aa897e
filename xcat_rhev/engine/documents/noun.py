"""What all nouns share."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar, TypeVar

from .fields import label, text
from .record import Record
from .shapes import Ref

__all__ = ["N", "Noun", "Record"]

MIB = 1 << 20


class Removal(Enum):
    """What v3 wants in the body of a removal; v4 takes query parameters for all kinds."""

    #: An action with the parameters.
    ACTION = "action"
    #: The thing itself, with the parameters as its values.
    DESCRIBED = "described"
    #: An action that says whether the thing is only detached.
    DETACHED = "detached"
    #: An action that may say that the disks stay.
    KEEPING_DISKS = "keeping disks"


class Noun(Record):
    """A thing with an id in a manager.

    Class keywords:
        tag: Its element in v3, and in v4 unless `tag4` says otherwise.
        tag4: Its element in v4.
        plural3: Its collection's element in v3 where that is not the tag with an s.
        plural4: The same for v4.
        path: The last word of its collection's path in v3, and in v4 unless `path4` says otherwise.
        path4: The same for v4.
        searchable: Its collection takes `search=`.
        top: It has a collection of its own below the base path, and so one address wherever it was seen.
        named: It always has a name.
        search_name: The search language's word for its name.
        removal: What v3 wants in the body of its removal.
    """

    TAG: ClassVar[str]
    TAG4: ClassVar[str]
    PLURAL3: ClassVar[str]
    PLURAL4: ClassVar[str]
    PATH: ClassVar[str]
    PATH4: ClassVar[str]
    SEARCHABLE: ClassVar[bool]
    TOP: ClassVar[bool]
    NAMED: ClassVar[bool]
    SEARCH_NAME: ClassVar[str]
    REMOVAL: ClassVar[Removal]
    #: What is read of it even by who needs little.
    ALWAYS: ClassVar[frozenset[str]] = frozenset({"id", "href", "name"})

    def __init_subclass__(
        cls,
        *,
        tag: str,
        tag4: str = "",
        plural3: str = "",
        plural4: str = "",
        path: str = "",
        path4: str = "",
        searchable: bool = False,
        top: bool = False,
        named: bool = True,
        search_name: str = "name",
        removal: Removal = Removal.ACTION,
    ) -> None:
        super().__init_subclass__()
        cls.TAG, cls.TAG4 = tag, tag4 or tag
        cls.PLURAL3, cls.PLURAL4 = plural3 or f"{cls.TAG}s", plural4 or f"{cls.TAG4}s"
        cls.PATH, cls.PATH4 = path, path4 or path
        cls.SEARCHABLE, cls.TOP, cls.NAMED = searchable, top, named
        cls.SEARCH_NAME, cls.REMOVAL = search_name, removal

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
        return cls.TAG4 if major == 4 else cls.TAG

    @classmethod
    def plural(cls, major: int) -> str:
        """Its collection's element in that dialect."""
        return cls.PLURAL3 if major == 3 else cls.PLURAL4

    @classmethod
    def collection(cls, major: int) -> str:
        """Its collection in that dialect."""
        return cls.PATH4 if major == 4 else cls.PATH

    @classmethod
    def word(cls) -> str:
        """What a person calls it: `storage domain`."""
        return cls.TAG.replace("_", " ").replace("vm", "VM").replace("nic", "NIC")

    def __str__(self) -> str:
        return f"{self.word()} {self.name or self.id}"


N = TypeVar("N", bound=Noun)
