"""What counts of an engine's answer: its status, its words, and its elements with the kinds of their values."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

#: They lead to other calls; which of them there are is told by the list of calls.
_LEADING = frozenset({"link", "actions"})
_KINDS = (
    ("empty", re.compile(r"")),
    ("truth", re.compile(r"true|false")),
    ("number", re.compile(r"-?\d+(\.\d+)?")),
    ("date", re.compile(r"\d{4}-\d\d-\d\dT.*")),
    ("id", re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")),
)


def kind_of(value: str) -> str:
    """The kind of a value: empty, truth, number, date, id or text."""
    return next((kind for kind, form in _KINDS if form.fullmatch(value.strip())), "text")


def parsed(body: bytes) -> Any:
    """The document of an answer, or None if it is none."""
    try:
        return etree.fromstring(body)
    except (etree.XMLSyntaxError, ValueError):
        return None


def words(body: bytes) -> tuple[str, str]:
    """Reason and detail of a refusal; a page of HTML, or nothing, is told by its first words."""
    document = parsed(body)
    if document is None or document.tag == "html":
        return "", _first_words(body.decode())
    if document.tag == "usage_message":
        return "usage_message", ""
    fault = document if document.tag == "fault" else document.find(".//fault")
    if fault is None:
        return "", ""
    return (fault.findtext("reason") or ""), re.sub(r"https://[^/]*", "https://HOST", fault.findtext("detail") or "")


def _first_words(page: str) -> str:
    """The beginning of a page; an engine that fails inside says what its language happens to say."""
    if page.startswith(("java.lang.", "argument type")):
        return "failed inside"
    text = re.sub(r"<style.*?</style>|<[^>]*>", " ", page, flags=re.S)
    text = re.sub(r"\s+", " ", text).strip()
    return "no such path" if text.startswith("RESTEASY003210") else text[:70]


def elements(body: bytes) -> dict[str, str]:
    """The paths of a document's elements and attributes, each with the kind of its value; the first of many counts."""
    found: dict[str, str] = {}
    document = parsed(body)
    if document is not None:
        _walk(document, document.tag, found)
    return found


def leaves(body: bytes) -> dict[str, list[str]]:
    """The values of a document's elements that have no others inside, by path; in order where there are several."""
    found: dict[str, list[str]] = {}
    document = parsed(body)
    if document is not None:
        _gather(document, document.tag, found)
    return found


def _gather(element: Any, path: str, found: dict[str, list[str]]) -> None:
    children = [child for child in element.iterchildren(etree.Element) if child.tag not in _LEADING]
    if not children and (element.text or "").strip():
        found.setdefault(path, []).append(element.text.strip())
    for child in children:
        _gather(child, f"{path}/{child.tag}", found)


def _walk(element: Any, path: str, found: dict[str, str]) -> None:
    for name, value in element.attrib.items():
        found.setdefault(f"{path}@{name}", "address" if name == "href" else kind_of(value))
    children = [child for child in element.iterchildren(etree.Element) if child.tag not in _LEADING]
    if not children:
        found.setdefault(path, kind_of(element.text or ""))
    for child in children:
        _walk(child, f"{path}/{child.tag}", found)
