"""XML from a manager: hostile until parsed.

No DTD, no entities, no network; libxml2's own bounds hold (256 levels, 10 MB per text), and one thing's size is
bounded here. A list is cut between its things, and every part is parsed as a document of its own: the list never is
in memory as a whole, and other threads go on meanwhile. lxml's own way of parsing piecemeal takes the interpreter from
them at every element.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Generic

from lxml import etree

from ...errors import BadAnswer
from .dialect import Dialect
from .noun import N
from .shapes import Element

#: No single thing that an engine describes is longer.
THING = 16 << 20
#: A part of a list is hardly longer, unless one thing is.
PART = 256 << 10
#: Elements and attributes of one document. A machine with everything has some hundreds; each takes memory of its own,
#: so that tiny ones would take a hundred times the length of their text.
MARKS = 400_000
#: Things in one list, with those inside them that are kept: ten thousand machines have some hundred thousand.
THINGS = 300_000
#: Bytes in which a DTD would begin; what hides it behind a longer comment is found when all is read.
_HEAD = 4096
#: What begins so is neither a comment nor a CDATA section.
_DECLARATION = re.compile(rb"<![^\[-]")
#: All before a document's content: declaration, comments, the root's tag.
_OPENING = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|<[?].*?[?]>|<!--.*?-->)*<[A-Za-z_][^<>]*>", re.DOTALL)
_HTML = ("html", "HTML")


def parse(data: bytes) -> Element:
    """Parse one whole document.

    Raises:
        BadAnswer: It is no XML, or has what no engine sends.
    """
    _check_head(data[:_HEAD])
    if len(data) > 2 * MARKS and data.count(b"<") + data.count(b'="') + data.count(b"='") > MARKS:
        raise BadAnswer(f"the manager's answer has more than {MARKS} elements and attributes in one piece")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root: Element | None = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as problem:
        raise BadAnswer(f"the manager's answer is not complete XML: {str(problem.msg)[:120]}") from None
    if root is None:
        raise BadAnswer("the manager's answer is empty")
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadAnswer("the manager's answer has a DTD, which no manager sends")
    return root


def _check_head(head: bytes) -> None:
    """Refuse a DTD before the parser sees what it defines; in UTF-16 it could hide from this, so none of that."""
    if b"\0" not in head and not _DECLARATION.search(head):
        return
    if b"<!doctype html" in head.lower():
        raise BadAnswer("the manager answers with an HTML page", "Is something else listening at its address?")
    raise BadAnswer("the manager's answer has a DTD or is not UTF-8, which no manager sends")


class _Cutter:
    """Cuts a list's document between its things, into documents of the same root.

    A cut at what only looks like such a place, within a comment or between things of the same name deeper down, leaves
    something open before it; so it can make a document unreadable, but not make it say something else.

    Args:
        tag: A thing's element.
        plural: The root.
    """

    def __init__(self, tag: str, plural: str) -> None:
        self._between = re.compile(rf"</{tag}>\s*(?=<{tag}[\s/>])".encode())
        self._closing = f"</{plural}>".encode()
        self._opening: bytes | None = None
        self._text = bytearray()
        self._searched = 0

    def cut(self, piece: bytes) -> Iterator[bytes]:
        """Take the next bytes, and give the documents that are complete.

        Raises:
            BadAnswer: One thing without end.
        """
        self._text += piece
        while len(self._text) > PART:
            found = self._between.search(self._text, max(PART, self._searched))
            if found is None:
                break
            yield self._before(found.end())
        # A place may begin in what is there, and end in what comes.
        self._searched = max(0, len(self._text) - _HEAD)
        if len(self._text) > THING:
            raise BadAnswer(f"the manager's answer describes one thing in more than {THING >> 20} MiB")

    def rest(self) -> bytes:
        """All is there: give the last document, or the whole if nothing was cut."""
        return (self._opening or b"") + bytes(self._text)

    def _before(self, end: int) -> bytes:
        part = bytes(self._text[:end])
        del self._text[:end]
        self._searched = 0
        if self._opening is None:
            opening = _OPENING.match(part)
            self._opening = opening[0] if opening else b""
            return part + self._closing
        return self._opening + part + self._closing


class ListReader(Generic[N]):
    """Reads a collection thing by thing.

    Args:
        noun: What it is a collection of.
        dialect: How it is spelled.
        only: The fields that are wanted; none for all.
    """

    def __init__(self, noun: type[N], dialect: Dialect, only: frozenset[str] = frozenset()) -> None:
        self._noun, self._dialect, self._only = noun, dialect, only
        self._tag, self._plural = noun.tag(dialect.major), noun.plural(dialect.major)
        self._cutter = _Cutter(self._tag, self._plural)
        self._found: list[N] = []
        self._size = 0

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the answer."""
        for part in self._cutter.cut(piece):
            self._take(part)

    def close(self) -> list[N]:
        """All things, in the answer's order.

        Raises:
            BadAnswer: The document is not complete, or no such collection.
        """
        self._take(self._cutter.rest())
        return self._found

    def _take(self, part: bytes) -> None:
        root = parse(part)
        if root.tag != self._plural:
            raise unexpected_document(root, self._plural)
        for child in root:
            if child.tag == self._tag:
                self._keep(self._noun.read(child, self._dialect, self._only))

    def _keep(self, thing: N) -> None:
        self._size += 1 + sum(len(value) for value in vars(thing).values() if isinstance(value, tuple))
        if self._size > THINGS:
            raise BadAnswer(f"the manager's answer lists more than {THINGS} things")
        self._found.append(thing)


def read_one(noun: type[N], data: bytes, dialect: Dialect) -> N:
    """Read a document that describes one thing.

    Raises:
        BadAnswer: It does not.
    """
    root = parse(data)
    if root.tag != noun.tag(dialect.major):
        raise unexpected_document(root, noun.tag(dialect.major))
    return noun.read(root, dialect)


def unexpected_document(root: Element, wanted: str) -> BadAnswer:
    """Say that a document is not the one that was wanted."""
    if str(root.tag) in _HTML:
        return BadAnswer("the manager answers with an HTML page", "Is something else listening at its address?")
    return BadAnswer(f"the manager answers with <{str(root.tag)[:40]}> where <{wanted}> was expected")
