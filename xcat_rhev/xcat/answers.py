"""What xCAT's own client makes of an answer: its lines, on which stream, and the exit code.

Every odd corner is the client's: a source is shown before errors and warnings always and before other lines only on
request; the first value of a node counts; after an error all later nodes of a document go to standard error.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from ..messages import Data, Error, Info, Message, Note, Progress, Warn
from .document import Element


class Stream(Enum):
    """Where a line goes."""

    OUT = "standard output"
    ERR = "standard error"


class PrintedLine(NamedTuple):
    """Something to print.

    Attributes:
        text: With its end: a newline, or a carriage return for progress.
        stream: Where.
    """

    text: str
    stream: Stream = Stream.OUT


#: Texts that Perl takes for nothing.
_FALSE = ("", "0")
#: How the client shows that an answer ended without its last document.
CUT_OFF = "ERROR/WARNING: communication with the xCAT server seems to have been ended prematurely\n"


def exit_code(response: Element) -> int:
    """All error codes of one document, joined by OR; a document without any says nothing, even with errors."""
    code = 0
    for text in [*_texts(response, "errorcode"), *(c for node in _nodes(response) for c in _texts(node, "errorcode"))]:
        code |= int(text) if text.strip().isdecimal() and len(text) < 10 else 0
    return code


def is_last(response: Element) -> bool:
    """Whether nothing follows."""
    return "serverdone" in response


def printed_lines(response: Element, show_source: bool = False) -> Iterator[PrintedLine]:
    """What the client prints for one document, in its order: errors, warnings, infos, progress, nodes, data.

    Args:
        response: As `wire.read_response` gives it.
        show_source: The user gave `-V` or `--verbose`.
    """
    source = _first(response, "xcatdsource")
    shown = source if "host" in response or (show_source and "NoSvrPrefix" not in response) else ""
    for name, word, mute in (("error", "Error", "NoErrorPrefix"), ("warning", "Warning", "NoWarnPrefix")):
        for text in _texts(response, name):
            line = _add_source(text, source)
            yield PrintedLine(f"{line}\n" if mute in response else f"{word}: {line}\n", Stream.ERR)
    for text in _texts(response, "info"):
        yield PrintedLine(_add_source(text, shown) + "\n")
    for text in _texts(response, "sinfo"):
        yield PrintedLine(f"{text}\r")
    yield from _printed_nodes(response, source, shown)
    for entry in response.get("data", ()):
        text = _entry(entry)
        if text not in _FALSE:
            yield PrintedLine(_add_source(text, shown) + "\n")


def read_messages(response: Element) -> list[Message]:
    """Turn a document back into messages, as far as messages can say what is in it.

    Args:
        response: As `wire.read_response` gives it.

    Returns:
        The messages; `<serverdone>` and what a client does not show make none.
    """
    code = exit_code({name: values for name, values in response.items() if name != "node"})
    messages: list[Message] = [Error(text, code=code or 1) for text in _texts(response, "error")]
    warning = Note if "NoWarnPrefix" in response else Warn
    messages += [warning(text) for text in _texts(response, "warning")]
    messages += [Info(text) for text in _texts(response, "info")]
    messages += [Progress(text) for text in _texts(response, "sinfo")]
    for node in _nodes(response):
        messages += _node_messages(node)
    messages += [_data_message(entry) for entry in response.get("data", ())]
    if code and not response.get("error"):
        messages.append(Error("the command failed", code=code))
    return messages


def _printed_nodes(response: Element, source: str, shown: str) -> Iterator[PrintedLine]:
    failed = False
    for node in _nodes(response):
        text, wrong = _node_line(node, source, shown)
        failed = failed or wrong
        if text not in (*_FALSE, f"[{source}]"):
            yield PrintedLine(text + "\n", Stream.ERR if failed else Stream.OUT)


def _node_line(node: Element, source: str, shown: str) -> tuple[str, bool]:
    """The one line that a node gets, and whether it tells of something wrong."""
    text = _first(node, "name")
    wrong = False
    for name, word in (("error", "Error"), ("warning", "Warning")):
        if name in node:
            wrong = True
            text = f"{_with_source(text, source)}: {word}: {_first(node, name)}"
    if "data" in node:
        text = _with_source(text, shown) + _node_data(node["data"][0])
    if "base64_data" in node:
        text += ": " + b64decode(_first(node, "base64_data")).decode(errors="replace")
    return text, wrong


def _node_data(entry: Any) -> str:
    if not isinstance(entry, dict):
        return f": {entry or ''}"
    return "".join(f": {_first(entry, name)}" for name in ("desc", "contents") if name in entry)


def _with_source(text: str, source: str) -> str:
    if not source:
        return text
    return f"[{source}]" if text in _FALSE else f"{text}: [{source}]"


def _add_source(text: str, source: str) -> str:
    return f"[{source}]: {text}" if source and text not in _FALSE else text


def _entry(entry: Any) -> str:
    """The text of a `data` element outside of nodes."""
    if not isinstance(entry, dict):
        return entry or ""
    desc = _first(entry, "desc")
    if "contents" not in entry:
        return desc
    contents = _first(entry, "contents")
    return f"{desc}: {contents}" if desc not in _FALSE else contents


def _node_messages(node: Element) -> list[Message]:
    name = _first(node, "name")
    code = exit_code({"errorcode": node.get("errorcode", [])})
    messages: list[Message] = [Error(text, name, code or 1) for text in _texts(node, "error")]
    messages += [Warn(text, name) for text in _texts(node, "warning")]
    messages += [_data_message(entry, name) for entry in node.get("data", ())]
    if code and "error" not in node:
        messages.append(Error("the command failed", name, code))
    return messages


def _data_message(entry: Any, node: str = "") -> Data:
    if isinstance(entry, dict):
        return Data(_first(entry, "contents"), node, _first(entry, "desc"))
    return Data(entry or "", node)


def _nodes(response: Element) -> Sequence[Element]:
    return [node for node in response.get("node", ()) if isinstance(node, dict)]


def _texts(element: Element, name: str) -> list[str]:
    return [value or "" for value in element.get(name, ()) if not isinstance(value, dict)]


def _first(element: Mapping[str, Any], name: str) -> str:
    value = element.get(name, [""])[0]
    return value if isinstance(value, str) else ""
