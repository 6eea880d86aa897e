"""Serves a recording: lists by their path, filtered where a search names things. Nothing can be changed."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

from lxml import etree
from recording import HOST_LISTS, LISTS, Recording

from xcat_rhev.sim.answers import Raw
from xcat_rhev.sim.app import SimRequest
from xcat_rhev.sim.http import Counts, Outcome

#: One condition of a search: `name="vm1"`, `address=10.1.1.1*`.
_CONDITION = re.compile(r'([A-Za-z_.]+)\s*=\s*(?:"([^"]*)"|([^\s"]+))')
#: What stands behind the conditions.
_TAIL = re.compile(r"\s*(?:sortby \S+(?: asc| desc)?)?\s*(?:page (\d+))?\s*$")
_TOKEN = {"access_token": "replayed", "exp": "4102444800000", "token_type": "bearer", "scope": "ovirt-app-api"}
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REFUSAL = b"<fault><reason>Operation Failed</reason><detail>[It is over.]</detail></fault>"


class Replay:
    """An engine that only tells what it once told.

    Args:
        recording: What it told.

    Attributes:
        refused: What was asked that would have changed something.
        joined: As in the recording.
    """

    def __init__(self, recording: Recording) -> None:
        self.counts, self.refused = Counts(), list[str]()
        self.version, self._answers, self.joined = recording.version, dict(recording.answers), recording.joined
        self.base = "/api" if any(path.startswith("/api/") for path in self._answers) else "/ovirt-engine/api"
        self._answers.setdefault(self.base, self._root())

    def _root(self) -> Any:
        major, minor = self.version
        told = f"<version><major>{major}</major><minor>{minor}</minor></version>"
        if major == 3:
            told = f'<version major="{major}" minor="{minor}"/>'
        return etree.fromstring(f"<api><product_info><name>oVirt Engine</name>{told}</product_info></api>")

    def handle(self, request: SimRequest) -> Outcome:
        """Answer one request."""
        self.counts.count(f"{request.method} {request.path}", 0)
        if "/sso/" in request.path or request.path.endswith("/sso-logout"):
            return Outcome(Raw(json.dumps(_TOKEN).encode(), content_type="application/json"))
        if request.method != "GET":
            self.refused.append(f"{request.method} {request.path}")
            return Outcome(Raw(_REFUSAL, 409))
        path = request.path.partition(";")[0].rstrip("/")
        found = self._document(path)
        if found is None:
            return Outcome(Raw(b"", 404))
        found = _copied(found)
        if _is_list(found):
            _select(found, request.query_words.get("search", ""))
        if request.query_words.get("follow") and self.version >= (4, 2):
            for thing in found if _is_list(found) else [found]:
                for word in request.query_words["follow"].split(","):
                    self._put_inside(thing, word.split("."))
        return Outcome(Raw(etree.tostring(found, encoding="utf-8", xml_declaration=True)))

    def _document(self, path: str) -> Any:
        """The document of a path; one thing may be known from its list alone, and a list that is not there is empty."""
        if path in self._answers:
            return self._answers[path]
        if not path.startswith(self.base):
            return None
        above, _, last = path.rpartition("/")
        if _ID.fullmatch(last):
            things = self._answers.get(above)
            return next((child for child in things if child.get("id") == last), None) if things is not None else None
        if last == "vmpools" and self.version >= (4, 0):
            return etree.Element("vm_pools")
        names = {**LISTS, **HOST_LISTS} if "/hosts/" in above else LISTS
        return etree.Element(names.get(last, last))

    def _put_inside(self, thing: Any, steps: list[str]) -> None:
        """Write what a link leads to into its place."""
        word, rest = steps[0], steps[1:]
        there = thing.find(word)
        if there is not None and there.get("href"):
            target = self._document(there.get("href"))
            if target is not None:
                thing.replace(there, _copied(target))
            return
        inside = etree.SubElement(thing, word)
        listed = self._document(f"{thing.get('href')}/{word.replace('_', '')}")
        for child in listed if listed is not None else ():
            inside.append(_copied(child))
            if rest:
                self._put_inside(inside[-1], rest)


def _copied(document: Any) -> Any:
    return etree.fromstring(etree.tostring(document))


def _is_list(document: Any) -> bool:
    return document.get("id") is None and document.tag != "api"


def _select(found: Any, search: str) -> None:
    """Keep what a search finds; there is one page."""
    tail = _TAIL.search(search)
    assert tail is not None
    later = int(tail[1] or 1) > 1
    for child in list(found):
        if later or not _fits(child, search[: tail.start()]):
            found.remove(child)


def _fits(thing: Any, search: str) -> bool:
    """Does a search find a thing? Conditions are joined by `or`; those about anything else than itself find nothing."""
    if not search.strip():
        return True
    own = {"name": "name", "alias": "alias", "address": "address"}
    wanted = [(own.get(word), quoted or plain) for word, quoted, plain in _CONDITION.findall(search)]
    return any(
        fnmatch.fnmatchcase((thing.findtext(word) or "").lower(), value.lower()) for word, value in wanted if word
    )
