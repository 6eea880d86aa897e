"""Scenarios: requests in order, as text. One line is one step; `README.md` beside this file has the words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from facts import elements, leaves, parsed, words

HERE = Path(__file__).parent
_LINE = re.compile(
    r"(?:(?P<word>find|drop|(?:until|await) (?P<wanted>\S+)) )?(?:(?P<name>\w+) = )?"
    r"(?:(?P<method>GET|POST|PUT|DELETE) )?(?P<path>/\S*)(?P<headers>(?: \+[\w-]+=\S+)*)(?: (?P<body><.*))?"
)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Tries of one `until`, and seconds between them.
TRIES, TICK = 400, 0.25


class Answer(NamedTuple):
    """What came back: status, content type, and the bytes."""

    status: int
    type: str
    body: bytes


class Engine(Protocol):
    """What a scenario runs on."""

    api: int
    names: dict[str, str]

    def ask(self, method: str, path: str, body: str, headers: dict[str, str]) -> Answer:
        """Send a request to a path below the API's base address."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""


class Step(NamedTuple):
    """One line of a scenario."""

    text: str
    name: str
    word: str
    wanted: str
    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Scenario:
    """A file of steps.

    Attributes:
        name: The file's, without its ending.
        api: 3 or 4; a folder has those of one.
        steps: In order.
    """

    name: str
    api: int
    steps: list[Step] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Scenario:
        """Read a file; an empty line or one with # is no step."""
        lines = path.read_text(encoding="utf-8").splitlines()
        steps = [_step(line) for line in lines if line.strip() and not line.startswith("#")]
        return cls(path.stem, int(path.parent.name[1]), steps)


def _step(line: str) -> Step:
    found = _LINE.fullmatch(line.strip())
    assert found, f"no step: {line}"
    word = (found["word"] or "").partition(" ")[0]
    headers = dict(part[1:].partition("=")[::2] for part in found["headers"].split())
    method = found["method"] or ("DELETE" if word == "drop" else "GET")
    return Step(
        line.strip(),
        found["name"] or "",
        word,
        found["wanted"] or "",
        method,
        found["path"],
        headers,
        found["body"] or "",
    )


def scenarios(api: int) -> list[Scenario]:
    """All scenarios of a dialect."""
    return [Scenario.read(path) for path in sorted((HERE / "scenarios" / f"v{api}").glob("*.txt"))]


class Run:
    """One run of a scenario on an engine.

    Args:
        scenario: What to do.
        engine: Where.
    """

    def __init__(self, scenario: Scenario, engine: Engine) -> None:
        self._scenario, self._engine = scenario, engine
        self._ids = dict(engine.names)
        self._drops: list[Step] = []
        #: Paths of what bodies have said; what becomes of these values counts.
        self._said: set[str] = set()

    def told(self) -> Iterator[dict[str, Any]]:
        """Do each step and give what counts of its answer; things that the scenario wants away go at the end."""
        try:
            for step in self._scenario.steps:
                if step.word == "drop":
                    self._drops.append(step)
                else:
                    told = self._until(step) if step.wanted else self._ask(step)
                    if step.word not in {"find", "await"}:
                        yield {"step": step.text, **told}
        finally:
            self._tidy()

    def _tidy(self) -> None:
        """Remove what is left; some things go a moment after others."""
        for step in reversed(self._drops):
            for _ in range(40):
                if "{" in self._filled(step.path) or self._send(step).status != 409:
                    break
                self._engine.wait(1)

    def _filled(self, text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: self._ids.get(found[1], found[0]), text)

    def _send(self, step: Step) -> Answer:
        return self._engine.ask(step.method, self._filled(step.path), self._filled(step.body), step.headers)

    def _ask(self, step: Step) -> dict[str, Any]:
        answer = self._found(step) if step.word == "find" else self._send(step)
        self._said.update(leaves(self._filled(step.body).encode()))
        if step.name and answer.status < 400:
            self._keep(step, answer.body)
        return self._counting(answer)

    def _found(self, step: Step) -> Answer:
        """Look until a list has something: what is being made shows after a moment."""
        for _ in range(TRIES):
            answer = self._send(step)
            document = parsed(answer.body)
            if document is not None and (document.get("id") or len(document)):
                break
            self._engine.wait(TICK)
        return answer

    def _keep(self, step: Step, body: bytes) -> None:
        """Remember the id, and the name, of what was made or found."""
        document = parsed(body)
        assert document is not None, step.text
        first = document if document.get("id") else next(iter(document), None)
        assert first is not None, f"nothing there: {step.text}"
        self._ids[step.name] = first.get("id")
        for part in ("name", "address"):
            if first.findtext(part):
                self._ids[f"{step.name}_{part}"] = str(first.findtext(part))

    def _counting(self, answer: Answer) -> dict[str, Any]:
        told: dict[str, Any] = {"status": answer.status}
        if answer.type.split(";")[0] != "application/xml":
            told["type"] = answer.type.split(";")[0]
        if answer.status >= 400:
            reason, detail = words(answer.body)
            told.update({key: self._named(text) for key, text in (("reason", reason), ("detail", detail)) if text})
        else:
            told["elements"] = elements(answer.body)
            document = parsed(answer.body)
            if document is not None and document.get("id") is None and document.tag not in {"api", "action"}:
                told["order"] = self._order(document)
            elif document is not None and document.tag != "action":
                told["values"] = self._values(answer.body)
        return told

    def _values(self, body: bytes) -> dict[str, list[str]]:
        """What an answer has of all that was said so far; what it does not show is no value."""
        there = leaves(body)
        return {path: [self._named(text) for text in there[path]] for path in sorted(self._said & there.keys())}

    def _order(self, document: Any) -> list[str]:
        """The names of a list's things that the scenario made, in the order in which they came."""
        own = [child.findtext("name") or "" for child in document if isinstance(child.tag, str)]
        return [name for name in own if name.startswith("ct_")]

    def _named(self, text: str) -> str:
        """Put names in the place of ids and of what engines call otherwise; the longest first."""
        for name, value in sorted(self._ids.items(), key=lambda one: -len(one[1])):
            if len(value) > 3 and not value.startswith("ct_"):
                text = text.replace(value, f"{{{name}}}")
        text = re.sub(r"\binvoke0\b", "invoke", text)  # an engine that runs for a while names it otherwise
        return re.sub(r"@[0-9a-f]{5,8}\b", "@X", _ID.sub("{id}", text))

    def _until(self, step: Step) -> dict[str, Any]:
        """Look until a thing has a state, or is gone; give the states on the way and when each was seen first."""
        seen: list[tuple[str, float]] = []
        passed = 0.0
        for _ in range(TRIES):
            answer = self._send(step)
            state = "gone" if answer.status == 404 else _state(answer.body)
            if not seen or seen[-1][0] != state:
                seen.append((state, round(passed, 1)))
            if state == step.wanted:
                break
            self._engine.wait(TICK)
            passed += TICK
        return {"states": [state for state, _ in seen], "seconds": [moment for _, moment in seen]}


def _state(body: bytes) -> str:
    document = parsed(body)
    if document is None:
        return ""
    found = document.find("status/state")
    told = found.text if found is not None else document.findtext("status") or document.findtext("snapshot_status")
    return str(told or "").strip()


Starter = Callable[[int], Engine]
