"""Holds documents against what the engine's makers published: the schemas of v3, the types of the Python SDK for v4."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from xcat_rhev.sim.answers import Raw
from xcat_rhev.sim.app import Application, SimRequest

try:
    from ovirtsdk4.reader import Reader
    from ovirtsdk4.writer import Writer
except ImportError:  # it is compiled, and not everywhere can that be done
    Reader = Writer = None

#: The published schemas of v3; their README names the licence.
SCHEMAS = Path(__file__).with_name("schemas")
#: What engines have always sent and taken, whatever was published: the SDK knows no creation status, and the schema
#: of 3.6 wants a content in every file, even in the empty one by which a CD is ejected.
UNPUBLISHED_TAGS = frozenset({"creation_status"})
UNPUBLISHED_WORDS = ("Element 'file': Missing child element(s)",)


@functools.lru_cache
def schema(version: str) -> etree.XMLSchema:
    """The published v3 schema of a version, `3.0` or `3.6`."""
    return etree.XMLSchema(etree.parse(str(SCHEMAS / f"api-{version}.xsd")))


#: What real engines say (recorded of 4.2 and 4.5) and the SDK reads and does not write again.
_LOST_BY_SDK = "/job/last_updated="


def misfit(document: bytes, version: tuple[int, int]) -> str:
    """What is wrong with a document of that version; empty if nothing is, or nothing is at hand to tell by."""
    if not document.lstrip().startswith(b"<"):
        return ""
    root = etree.fromstring(document)
    if version in ((3, 1), (3, 2)):
        return ""  # neither schema is theirs
    if version[0] == 3:
        return _against_schema(root, schema("3.0" if version < (3, 3) else "3.6"))
    return _against_sdk(root) if Reader else ""


def _against_schema(root: Any, published: etree.XMLSchema) -> str:
    if published.validate(root):
        return ""
    found: Any = published.error_log  # a list, which its stubs do not say
    said = [error.message for error in found]
    return "; ".join(words for words in said if not words.startswith(UNPUBLISHED_WORDS))


def _against_sdk(root: Any) -> str:
    """What the SDK loses when it reads a document and writes it again."""
    things = [thing for thing in (root if _is_list(root.tag) else [root]) if thing.tag != "link"]
    lost = [words for thing in things for words in _lost_by_sdk(etree.tostring(thing).decode())]
    return "; ".join(words for words in dict.fromkeys(lost) if not words.startswith(_LOST_BY_SDK))


@functools.lru_cache(20_000)
def _lost_by_sdk(thing: str) -> tuple[str, ...]:
    """One thing's part of it; the same things come again and again."""
    again = Writer.write(Reader.read(thing))
    return tuple(Counter(_said(etree.fromstring(thing))) - Counter(_said(etree.fromstring(again))))


@functools.lru_cache
def _is_list(tag: str) -> bool:
    return isinstance(Reader.read(f"<{tag}/>"), list)


def _said(element: Any, above: str = "") -> Iterator[str]:
    """Each statement of a document as `path` or `path=value`; times and empty elements, which say nothing, aside."""
    if element.tag in ("link", "actions") or element.tag in UNPUBLISHED_TAGS:
        return
    path = f"{above}/{element.tag}"
    if "id" in element.attrib:
        yield f"{path}/@id={element.get('id')}"
    text = (element.text or "").strip()
    if text and not element.tag.endswith(("time", "date")):
        yield f"{path}={_number(text)}"
    for inner in element:
        yield from _said(inner, path)


def _number(text: str) -> str:
    """The SDK writes 2100 as 2100.0."""
    return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text


class Witness(Application):
    """A simulated engine that notes every body and answer which its real makers would not know.

    Attributes:
        misfits: What did not fit, and in which call.
        bodies: Every body that came.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.misfits: list[str] = []
        self.bodies: list[bytes] = []
        self._seen: set[tuple[object, bytes]] = set()

    def answer(self, request: SimRequest) -> Raw:
        """Answer as ever."""
        if request.body.startswith(b"<"):
            self.bodies.append(request.body)
        raw = super().answer(request)
        dialect = self.settings.dialect(request.path, request.headers.get("version", ""))[0]
        if dialect is not None:
            for document in (request.body, raw.body):
                self._look(document, dialect.version, f"{request.method} {request.path}")
        return raw

    def _look(self, document: bytes, version: tuple[int, int], call: str) -> None:
        if document and (version, document) not in self._seen:
            self._seen.add((version, document))
            wrong = misfit(document, version)
            if wrong:
                self.misfits.append(f"{call}: {wrong}")
