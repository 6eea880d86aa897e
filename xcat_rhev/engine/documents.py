"""XML from a manager: hostile until parsed.

No DTD, no entities, no network; libxml2's own bounds hold (256 levels, 10 MB per text), and one thing's size is
bounded here. A list is read thing by thing and never stands in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic

from lxml import etree

from ..errors import BadAnswer
from .dialect import Dialect
from .nouns_base import N
from .shapes import Element

#: No single thing that an engine describes is longer.
THING = 16 << 20

_HTML = ("html", "HTML")


def parse(data: bytes) -> Element:
    """Parse one whole document.

    Raises:
        BadAnswer: It is no XML, or has what no engine sends.
    """
    tree = _Tree(None)
    tree.feed(data)
    return tree.close()


class _Tree:
    """A parser that drops children of the root which somebody has taken already.

    Args:
        root: The root's tag, to be told of it as soon as it opens; None if nothing is dropped.
    """

    def __init__(self, root: str | None) -> None:
        self._parser = etree.XMLPullParser(
            events=("start",), tag=root or "no-such-tag", resolve_entities=False, no_network=True, load_dtd=False,
            dtd_validation=False, attribute_defaults=False, huge_tree=False, remove_comments=True, remove_pis=True,
        )
        self.root: Element | None = None
        self._prolog = b""
        self._since = 0

    def feed(self, piece: bytes) -> None:
        """Take the next bytes.

        Raises:
            BadAnswer: No XML, a DTD, or one thing without end.
        """
        self._check_prolog(piece)
        self._since += len(piece)
        if self._since > THING + len(piece):
            raise BadAnswer(f"the manager's answer describes one thing in more than {THING >> 20} MiB")
        try:
            self._parser.feed(piece)
            if self.root is None:
                events: Iterator[tuple[str, Element]] = self._parser.read_events()  # type: ignore[assignment]
                self.root = next((element for _, element in events), None)
        except etree.XMLSyntaxError as problem:
            raise _no_xml(problem) from None

    def complete(self) -> list[Element]:
        """Those children of the root that are complete; the last one may still be growing."""
        return list(self.root)[:-1] if self.root is not None else []

    def drop(self, children: list[Element]) -> None:
        """Forget children that were taken."""
        for child in children:
            assert self.root is not None
            self.root.remove(child)
        if children:
            self._since = 0

    def close(self) -> Element:
        """The document is complete: give its root.

        Raises:
            BadAnswer: It is not.
        """
        try:
            root: Element = self._parser.close()
        except etree.XMLSyntaxError as problem:
            raise _no_xml(problem) from None
        if root is None:
            raise BadAnswer("the manager's answer is empty")
        if root.getroottree().docinfo.internalDTD is not None:
            raise BadAnswer("the manager's answer has a DTD, which no manager sends")
        return root

    def _check_prolog(self, piece: bytes) -> None:
        """Refuse a DTD before the parser sees what it defines; in UTF-16 it could hide from this, so none of that."""
        if self._prolog is _DONE:
            return
        self._prolog += piece[:4096]
        if b"\0" in self._prolog or b"<!" in self._prolog.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
            low = self._prolog.lower()
            if b"<!doctype html" in low:
                raise BadAnswer("the manager answers with an HTML page", "Is something else listening at its address?")
            raise BadAnswer("the manager's answer has a DTD or is not UTF-8, which no manager sends")
        if len(self._prolog) >= 4096:
            self._prolog = _DONE


_DONE = b"-done-"


class ListReader(Generic[N]):
    """Reads a collection thing by thing.

    Args:
        noun: What it is a collection of.
        dialect: How it is spelled.
    """

    def __init__(self, noun: type[N], dialect: Dialect) -> None:
        self._noun, self._dialect = noun, dialect
        self._tag = noun.tag(dialect.major)
        self._plural = noun.plural(dialect.major)
        self._tree = _Tree(self._plural)
        self._found: list[N] = []

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the answer."""
        self._tree.feed(piece)
        children = self._tree.complete()
        self._take(children)
        self._tree.drop(children)

    def close(self) -> list[N]:
        """All things, in the answer's order.

        Raises:
            BadAnswer: The document is not complete, or no such collection.
        """
        root = self._tree.close()
        if root.tag != self._plural:
            raise unexpected(root, self._plural)
        self._take(list(root))
        return self._found

    def _take(self, children: list[Element]) -> None:
        for child in children:
            if child.tag == self._tag:
                self._found.append(self._noun.read(child, self._dialect))


def read_one(noun: type[N], data: bytes, dialect: Dialect) -> N:
    """Read a document that describes one thing.

    Raises:
        BadAnswer: It does not.
    """
    root = parse(data)
    if root.tag != noun.tag(dialect.major):
        raise unexpected(root, noun.tag(dialect.major))
    return noun.read(root, dialect)


def unexpected(root: Element, wanted: str) -> BadAnswer:
    """Say that a document is not the one that was wanted."""
    if str(root.tag) in _HTML:
        return BadAnswer("the manager answers with an HTML page", "Is something else listening at its address?")
    return BadAnswer(f"the manager answers with <{str(root.tag)[:40]}> where <{wanted}> was expected")


def _no_xml(problem: etree.XMLSyntaxError) -> BadAnswer:
    return BadAnswer(f"the manager's answer is no complete XML: {str(problem.msg)[:120]}")


