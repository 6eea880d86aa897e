"""Sends the requests of recorded exchanges to the simulator, in order, and holds its answers against the recorded ones.

    python tests/contract/engine/exchanges.py FOLDER|FILE ... [--show SUBJECT] [--limit N]

A file is `{"api": 3|4, "version": ..., "exchanges": [{"request": {...}, "answer": {...}}]}`, or has documents by their
paths in `answers`. Each file begins with a world of its own, in which stands what its requests name and its answers
show without having made it; and before each exchange what it is about is brought, or taken away, as the engine had it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facts import elements, parsed, words
from lxml import etree
from seeded import Seeded, shown

#: Seconds between two requests: longer than any state on the way lasts.
PAUSE = 15.0
#: The recorded engine's database had no icons.
_ICON = re.compile(r"/(large|small)_icon\b")
#: An engine's words for a thing of the path that is not there.
_GONE = re.compile(r"Invalid Host Id|Desktop does not exist|Host does not exist|Host not found|VM is not found")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Tally:
    """Counts of one subject."""

    pairs: int = 0
    status: int = 0
    refused: int = 0
    words: int = 0
    answered: int = 0
    elements: int = 0
    searches: int = 0
    found: int = 0
    same_order: int = 0
    lines: list[str] = field(default_factory=list)


def subject(path: str) -> str:
    """The kind of call: its first word and the last, without ids."""
    if "/api" not in path:
        return "SSO" if "sso" in path else "other"
    steps = [step for step in re.split(r"[?;]", path)[0].split("/api", 1)[1].split("/") if step]
    named = [step for step in steps if not _GUID.fullmatch(step) and step not in {"v3", "v4"}]
    return "/".join([*named[:1], *named[-1:]] if len(named) > 1 else named) or "root"


def replay(told: Any, pool: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Each exchange of a file with the simulator's answer.

    Args:
        told: The file.
        pool: Documents of things by id, from all files.
    """
    major, minor = (told["version"].split(".") + ["0"])[:2]
    engine = Seeded(told["api"], (int(major), int(minor)), hosts=2)
    engine.seed(_before(told["exchanges"], pool))
    for exchange in told["exchanges"]:
        request, answer = exchange["request"], exchange["answer"]
        engine.clock.leap(PAUSE)
        _align(engine, exchange, pool)
        first = parsed((answer.get("body") or "").encode())
        made = first.get("id", "") if first is not None and request["method"] == "POST" else ""
        said = (request.get("body") or "").replace("PASSWORD", "secret")
        yield exchange, engine.call(request["method"], request["path"], said, request.get("headers"), made)


def _align(engine: Seeded, exchange: Any, pool: dict[str, Any]) -> None:
    """Let an exchange not suffer from those before it: what the engine had then is there, what it lacked is not."""
    request, answer = exchange["request"], exchange["answer"]
    said = (answer.get("body") or "").encode()
    gone = answer["status"] == 404 or bool(_GONE.search(words(said)[1]))
    shown_there = " ".join(str(one.get("id")) for one in shown(said.decode())) if request["method"] == "GET" else ""
    for one in _GUID.findall(f"{request['path']} {request.get('body') or ''} {shown_there}"):
        there = [things[one] for things in list(engine.world.things.values()) if one in things]
        if not there and one in pool and not gone:
            engine.seed([pool[one]])
        elif there and gone and one in _GUID.findall(request["path"])[:1]:
            engine.world.remove(there[0])
    if request["method"] == "POST" and answer["status"] in {201, 202}:
        _free_name(engine, parsed((request.get("body") or "").encode()))


def _free_name(engine: Seeded, document: Any) -> None:
    """What was made under a name was not there before: another thing has that name later."""
    name = document.findtext("name") if document is not None else None
    there = engine.world.exactly(document.tag, name) if name and document.tag in engine.world.things else None
    if there is not None:
        engine.world.change(there, name=f"{name}-later")


def _before(exchanges: Any, pool: dict[str, Any]) -> list[Any]:
    """What stands in the world before a file's first request: what is named or shown, less what the file makes."""
    made, wanted = set(), dict[str, None]()
    for exchange in exchanges:
        request, answer = exchange["request"], exchange["answer"]
        wanted.update(dict.fromkeys(_GUID.findall(f"{request['path']} {request.get('body') or ''}")))
        if request["method"] == "POST" and answer["status"] in {201, 202}:
            made |= {one.get("id") for one in shown(answer.get("body") or "")[:1]}
        else:
            wanted.update({one.get("id"): None for one in shown(answer.get("body") or "") if one.get("id")})
            wanted.update(dict.fromkeys(_GUID.findall(answer.get("body") or "")))
    found = {one: pool[one] for one in wanted if one in pool and one not in made}
    for document in list(found.values()):  # what it refers to must be there as well
        for one in document.iter(etree.Element):
            if one.get("id") in pool and one.get("id") not in made:
                found.setdefault(one.get("id"), pool[one.get("id")])
    _switch(exchanges, found)
    return sorted(found.values(), key=lambda one: _RANK.get(one.tag, 9))


def _switch(exchanges: Any, found: dict[str, Any]) -> None:
    """A machine that is started by a file's first order was down before, one that is stopped was up."""
    told = set()
    for exchange in exchanges:
        steps = re.split(r"[?;]", exchange["request"]["path"])[0].split("/")
        verb, thing, fine = steps[-1], steps[-2], exchange["answer"]["status"] < 400
        if exchange["request"]["method"] != "POST" or verb not in _VERBS or thing in told or not fine:
            continue
        told.add(thing)
        if thing in found and found[thing].find("status") is not None:
            found[thing] = etree.fromstring(etree.tostring(found[thing]))
            state = found[thing].find("status/state")
            (found[thing].find("status") if state is None else state).text = _VERBS[verb]


_VERBS = {"start": "down", "suspend": "up", "activate": "maintenance", "deactivate": "up"}


_RANK = {
    tag: at for at, tag in enumerate("data_center cluster network vnic_profile host storage_domain template vm".split())
}


def documents(files: list[Any]) -> dict[str, Any]:
    """The fullest document of each thing, by its id."""
    pool, stubs = dict[str, Any](), dict[str, Any]()
    for told in files:
        for exchange in told["exchanges"]:
            for one in shown(exchange["answer"].get("body") or ""):
                there = pool.get(one.get("id"))
                if one.get("href") and (there is None or len(list(one.iter())) > len(list(there.iter()))):
                    pool[one.get("id")] = one
        for number, one in enumerate(re.findall(r'<cluster [^>]*id=\\?"([0-9a-f-]{36})', json.dumps(told))):
            stub = f'<cluster href="/ovirt-engine/api/clusters/{one}" id="{one}"><name>cluster{number}</name></cluster>'
            stubs.setdefault(one, etree.fromstring(stub))
        for number, one in enumerate(re.findall(r'<data_center [^>]*id=\\?"([0-9a-f-]{36})', json.dumps(told))):
            stub = f'<data_center href="/ovirt-engine/api/datacenters/{one}" id="{one}"><name>center{number}</name>'
            stubs.setdefault(one, etree.fromstring(f"{stub}<local>false</local></data_center>"))
        for number, one in enumerate(re.findall(r"/hosts/([0-9a-f-]{36})", json.dumps(told))):
            stub = f'<host href="/ovirt-engine/api/hosts/{one}" id="{one}"><name>host{number}</name>'
            stubs.setdefault(one, etree.fromstring(f"{stub}<address>host{number}.example.com</address></host>"))
    return {**stubs, **pool}


def compare(exchange: Any, raw: Any, tally: Tally) -> None:
    """Count one pair."""
    request, answer = exchange["request"], exchange["answer"]
    said = (answer.get("body") or "").encode()
    name = f"{request['method']} {re.sub('.*/api', '', request['path'])[:150]} {(request.get('body') or '')[:200]}"
    tally.pairs += 1
    if answer["status"] == raw.status:
        tally.status += 1
    else:
        tally.lines.append(
            f"STATUS {name}\n   engine {answer['status']} {words(said)}\n   sim    {raw.status} {words(raw.body)}"
        )
        return
    if raw.status >= 400:
        tally.refused += 1
        tally.words += words(said) == words(raw.body)
        if words(said) != words(raw.body):
            tally.lines.append(
                f"WORDS {name}\n   engine {raw.status} {words(said)}\n   sim    {raw.status} {words(raw.body)}"
            )
        return
    if "search=" in request["path"] or "max=" in request["path"]:
        _search(name, said, raw.body, tally)
        return
    if answer.get("truncated"):
        return
    tally.answered += 1
    real, ours = (
        {path: kind for path, kind in elements(body).items() if not _ICON.search(path)} for body in (said, raw.body)
    )
    tally.elements += real == ours
    lacks = sorted(set(real) - set(ours))
    more = sorted(set(ours) - set(real))
    other = sorted(f"{path}:{real[path]}/{ours[path]}" for path in set(real) & set(ours) if real[path] != ours[path])
    if real != ours:
        tally.lines.append(
            f"ELEMENTS {name}\n   lacks {' '.join(lacks)}\n   more {' '.join(more)}\n   kinds {' '.join(other)}"
        )


def _search(name: str, said: bytes, ours: bytes, tally: Tally) -> None:
    real, our = ([one.get("id") for one in shown(body.decode())] for body in (said, ours))
    tally.searches += 1
    tally.same_order += real == our
    tally.found += sorted(map(str, real)) == sorted(map(str, our))
    if real != our:
        tally.lines.append(f"SEARCH {name}\n   engine {len(real)} sim {len(our)}")


def _exchanged(told: Any) -> Any:
    """A file that has only documents by their paths, as exchanges."""
    if "answers" in told:
        told["exchanges"] = [
            {"request": {"method": "GET", "path": path}, "answer": {"status": 200, "body": body}}
            for path, body in told["answers"].items()
        ]
    return told


def main() -> None:
    words_ = argparse.ArgumentParser()
    words_.add_argument("paths", nargs="+", type=Path)
    words_.add_argument("--show", default="")
    words_.add_argument("--limit", type=int, default=10000)
    told = words_.parse_args()
    files = [file for path in told.paths for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]
    read = [_exchanged(json.loads(file.read_text(encoding="utf-8"))) for file in files]
    pool = documents(read)
    tallies: dict[str, Tally] = {}
    for file, one in zip(files, read):
        for exchange, raw in replay(one, pool):
            tally = tallies.setdefault(subject(exchange["request"]["path"]), Tally())
            before = len(tally.lines)
            compare(exchange, raw, tally)
            tally.lines[before:] = [f"{file.stem}: {line}" for line in tally.lines[before:]]
    if told.show:
        lines = [line for name, tally in tallies.items() if re.fullmatch(told.show, name) for line in tally.lines]
        print("\n".join(lines[: told.limit]))
        return
    total = Counter[str]()
    print("| subject | pairs | same status | both refused | same words | both answered | same elements |")
    print("|---|---|---|---|---|---|---|")
    for name, tally in sorted(tallies.items(), key=lambda one: -one[1].pairs):
        row = [tally.pairs, tally.status, tally.refused, tally.words, tally.answered, tally.elements]
        total.update(dict(zip("abcdef", row)))
        total.update(searches=tally.searches, found=tally.found, order=tally.same_order)
        print(f"| {name} | " + " | ".join(map(str, row)) + " |")
    print("| all | " + " | ".join(str(total[key]) for key in "abcdef") + " |")
    print(f"searches {total['searches']}: the same things {total['found']}, in the same order {total['order']}")


if __name__ == "__main__":
    sys.exit(main())
