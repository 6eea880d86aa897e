"""What xCAT's own commands answer, as JSON: they know nothing of it themselves, and a Perl xcatd does not either."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Callable

from ..jsonlines import line, line_of
from ..messages import Data, Error, Info, Message, Note, Progress
from ..xcat.answers import read_messages
from ..xcat.document import Element

_NAMED = re.compile(r"Object name: (.*)")
_LISTED = re.compile(r"(\S+)  \((\w+)\)")


class JsonAnswers:
    """Turns the documents of one answer into lines.

    Args:
        command: What was asked; the lines of tabdump and lsdef become objects with fields.
        args: Its words.
    """

    def __init__(self, command: str, args: tuple[str, ...]) -> None:
        words = [word for word in args if not word.startswith("-")]
        readers: dict[str, Callable[[list[str]], Iterator[str]]] = {"tabdump": self._rows, "lsdef": self._objects}
        self._reader = readers.get(command) if not {"-h", "--help", "-v", "-d", "-z"} & set(args) else None
        self._table = words[0] if words else ""
        self._type = next((after for word, after in zip(args, args[1:]) if word == "-t"), "node")
        self._columns: list[str] = []

    def lines(self, answer: Element) -> Iterator[str]:
        """The objects of one document, each with its end of line."""
        plain: list[str] = []
        messages = [*_names(answer), *read_messages(answer)]
        told = any(map(_is_object, messages))
        for message in messages:
            if isinstance(message, (Note, Progress)) or (told and isinstance(message, Error)):
                continue  # for people, or the code of what is an object already
            if self._reader and isinstance(message, (Data, Info)) and not message.node:
                plain += message.text.split("\n")
            else:
                yield _object(message) + "\n"
        if self._reader and plain:
            yield from (f"{each}\n" for each in self._reader(plain))

    def _rows(self, lines: list[str]) -> Iterator[str]:
        """A table: the first line names the columns; without a table each line is the name of one."""
        for values in csv.reader(lines) if self._table else ():
            if not self._columns:
                self._columns = [values[0].lstrip("#"), *values[1:]]
            elif values:
                row = {column: value for column, value in zip(self._columns, values) if value}
                yield line({"kind": "row", "table": self._table, "row": row})
        if not self._table:
            yield from (line({"kind": "data", "text": name}) for name in lines)

    def _objects(self, lines: list[str]) -> Iterator[str]:
        """Definitions: a line with the name, then the attributes; or names with their types alone."""
        found: dict[str, dict[str, str]] = {}
        attributes: dict[str, str] | None = None
        for text in lines:
            named, listed = _NAMED.fullmatch(text.strip()), _LISTED.fullmatch(text)
            name, equals, value = text.strip().partition("=")
            if named:
                attributes = found.setdefault(named[1], {})
            elif listed:
                yield line({"kind": "object", "type": listed[2], "name": listed[1]})
            elif equals and attributes is not None:
                attributes[name] = value
            elif text.strip():
                yield line({"kind": "info", "text": text.strip()})
        for name, its in found.items():
            yield line({"kind": "object", "type": self._type, "name": name, "attributes": its})


def _names(answer: Element) -> Iterator[Message]:
    """Nodes of which nothing is said but that they are there, as nodels lists them."""
    for node in answer.get("node", ()):
        if isinstance(node, dict) and node.keys() <= {"name"}:
            yield Data("", str(node["name"][0]))


def _object(message: Message) -> str:
    """A command of ours has worded its answers itself."""
    return message.text if _is_object(message) else line_of(message)


def _is_object(message: Message) -> bool:
    return isinstance(message, Data) and not message.node and message.text.startswith("{")


def failure(text: str, code: int) -> str:
    """A failure that does not come from an xcatd."""
    return line_of(Error(text, code=code)) + "\n"
