"""XML as xCAT uses it: elements without attributes, read into lists by name and written with sorted names.

The two directions follow Perl's XML::Simple with the settings of xcatd and its clients: every element becomes a list
item, an empty or blank element has no value, names are written in ASCII order and indented by two spaces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union
from xml.parsers import expat

from ..errors import BadAnswer

if TYPE_CHECKING:
    #: What one element holds: nothing, a text, or elements.
    Value = Union[None, str, "Element"]

#: Elements by name, in the order in which they stood.
Element = dict[str, list["Value"]]
#: Elements may nest so deep; xCAT's own documents need five levels.
DEEPEST = 16
#: Elements in one document: a tabrestore of a hundred thousand nodes stays far below.
MOST = 500_000

#: The ampersand first, since the others bring some.
_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("\r", "&#13;"))


def read(document: bytes, root: str) -> Element:
    """Read one document.

    Args:
        document: UTF-8 XML without a DTD.
        root: The name that the outermost element must have.

    Returns:
        What is inside the root element.

    Raises:
        BadAnswer: Malformed, another root, too deep, too many elements, a DTD, or not UTF-8.
    """
    tree = _Tree()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(document.decode(), True)
    except (expat.ExpatError, UnicodeDecodeError) as problem:
        raise BadAnswer(f"the XML is malformed: {problem}") from None
    if tree.root != root:
        raise BadAnswer(f"the XML begins with <{tree.root}> instead of <{root}>")
    return tree.content()


def write(root: str, fields: Mapping[str, Any]) -> str:
    """Write one document, with a newline at its end.

    Args:
        root: The outermost element's name.
        fields: Name -> text, None for an empty element, a mapping of the same kind, or a sequence of those, which
            repeats the element.
    """
    return f"<{root}>\n" + "".join(_elements(fields, "  ")) + f"</{root}>\n"


def _elements(fields: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name in sorted(fields):
        value = fields[name]
        many = not isinstance(value, str) and isinstance(value, Sequence)
        for one in value if many else (value,):
            if one is None or isinstance(one, str):
                yield f"{indent}<{name}>{_escape(one or '')}</{name}>\n"
            else:
                yield f"{indent}<{name}>\n"
                yield from _elements(one, indent + "  ")
                yield f"{indent}</{name}>\n"


def _escape(text: str) -> str:
    """What `str.translate` does in three times as long, and most of the time of a large answer goes here."""
    for plain, written in _ESCAPES:
        if plain in text:
            text = text.replace(plain, written)
    return text


class _Tree:
    """Takes the parser's events; `open` holds the elements that have begun and not ended."""

    def __init__(self) -> None:
        self.root = ""
        self._open: list[tuple[str, Element, list[str]]] = [("", {}, [])]
        self._count = 0

    def start(self, name: str, _attributes: Mapping[str, str]) -> None:
        self.root = self.root or name
        self._count += 1
        if len(self._open) > DEEPEST or self._count > MOST:
            raise BadAnswer("the XML is too deep" if len(self._open) > DEEPEST else "the XML has too many elements")
        self._open.append((name, {}, []))

    def end(self, _name: str) -> None:
        name, children, texts = self._open.pop()
        self._open[-1][1].setdefault(name, []).append(children or _text(texts))

    def text(self, text: str) -> None:
        self._open[-1][2].append(text)

    def content(self) -> Element:
        inside = self._open[0][1][self.root][0]
        return inside if isinstance(inside, dict) else {}


def _text(parts: Sequence[str]) -> str | None:
    """XML::Simple takes blank content for none, and otherwise keeps the blanks around a text."""
    text = "".join(parts)
    return None if not text or text.isspace() else text


def _refuse(*_: object) -> None:
    raise BadAnswer("the XML has a document type")
