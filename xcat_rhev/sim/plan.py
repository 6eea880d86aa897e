"""A plan of things that go wrong, as data: which calls, how often, in which way.

A plan is a JSON list of rules. A rule for calls::

    {"do": "drop-after", "method": "POST", "path": "/vms*", "body": "<name>vm7<", "after": 2, "times": 1, "share": 0.5}

`path` is compared with the path below the base address, ids as they are (`*` and `?` stand for anything); `after` lets
so many matching calls pass first, `times` ends the rule, `share` hits a part of them by chance. What is not said
matches everything. `do` is one of `CALLS`. A rule for states::

    {"do": "fail", "state": "vm.start", "name": "vm3", "text": "VM vm3 is down with error. Exit message: no space."}

`do` is `never` (the next state never comes) or `fail` (it ends in the failure state, and an event says `text`).
`{"do": "duplicate", "kind": "vm", "name": "vm1"}` makes a second thing of that name when the plan is taken up.
"""

from __future__ import annotations

import fnmatch
import json
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from ..errors import Usage
from .dialect import Thing
from .states import PATHS
from .world import KINDS, World

#: What a rule for calls can do.
CALLS = {
    "delay": "answer after `seconds`",
    "drop": "cut the connection before anything is done",
    "drop-after": "do it, then cut the connection without an answer",
    "truncate": "do it, announce the whole answer and cut it in the middle",
    "chunked": "do it, and answer in small chunks whose text has lines that look like chunk sizes",
    "status": "do not do it; answer `status`: 401, 409, 500 in the engine's shape, 503 as a web page, others empty",
    "expire": "forget every token and session, which this call is the first to feel",
    "empty": "do not do it; answer 200 with nothing",
    "no-status": "do it, and leave the status out of the answer",
    "html": "do not do it; answer 200 with a page for people",
    "deaf": "do not do it; answer 200 with the thing as it is",
    "away": "do not do it; answer `status` as a stopping or starting engine: 404, 500 without a fault, 401 as a page",
    "database": "do not do it; answer as an engine whose database is away",
}
STATES = ("never", "fail")
_KEYS = frozenset("do method path body after times share seconds status state name text kind about".split())


@dataclass
class Rule:
    """One line of a plan; `seen` and `hit` count."""

    do: str
    method: str = ""
    path: str = "*"
    body: str = ""
    after: int = 0
    times: int = -1
    share: float = 1.0
    seconds: float = 1.0
    status: int = 500
    state: str = ""
    name: str = ""
    text: str = "It went wrong, as planned."
    kind: str = "vm"
    about: str = ""
    seen: int = field(default=0, compare=False)
    hit: int = field(default=0, compare=False)

    def fits(self, method: str, path: str, sent: bytes) -> bool:
        """Tell whether a call is one that the rule is about."""
        return (
            self.do in CALLS
            and self.method in {"", method}
            and fnmatch.fnmatchcase(path, self.path)
            and (not self.body or re.search(self.body, sent.decode("utf-8", "replace")) is not None)
        )

    def strikes(self, chance: float) -> bool:
        """Count a matching call and tell whether it is hit."""
        self.seen += 1
        if self.seen <= self.after or (0 <= self.times <= self.hit) or chance >= self.share:
            return False
        self.hit += 1
        return True


class Plan:
    """The rules in force.

    Args:
        rules: In order; the first that strikes counts.
        seed: For rules that hit by chance.
    """

    def __init__(self, rules: list[Rule] | None = None, seed: int = 0) -> None:
        self.rules = rules or []
        self._random = Random(seed)  # noqa: S311  (chance in a test, no secret)
        self._lock = threading.Lock()

    def pick(self, method: str, path: str, body: bytes) -> Rule | None:
        """Give the rule that a call runs into, if any."""
        if not self.rules:
            return None
        with self._lock:
            for rule in self.rules:
                if rule.fits(method, path, body) and rule.strikes(self._random.random()):
                    return rule
        return None

    def verdict(self, operation: str, thing: Thing) -> str:
        """Give `never`, the text of a failure, or nothing for an operation that begins."""
        for rule in self.rules:
            about = rule.do in STATES and fnmatch.fnmatchcase(operation, rule.state)
            named = not rule.name or fnmatch.fnmatchcase(thing.get("name") or "", rule.name)
            if about and named and rule.strikes(self._random.random()):
                return "never" if rule.do == "never" else rule.text
        return ""

    def begin(self, world: World) -> None:
        """Take the plan up: states obey it, and what it doubles is doubled."""
        world.verdict = self.verdict
        for rule in self.rules:
            if rule.do == "duplicate":
                for thing in world.by_name(rule.kind, rule.name)[:1]:
                    world.add(rule.kind, **{k: v for k, v in thing.items() if k not in {"id", "kind", "v", "turn"}})


def read(file: Path, seed: int = 0) -> Plan:
    """Read a plan from a file.

    Args:
        file: JSON, a list of rules.
        seed: As for `Plan`.

    Raises:
        Usage: The file cannot be read or a rule is wrong, named.
    """
    try:
        told = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise Usage(f"--faults {file}: {error}", "Give a JSON list of rules") from error
    return make(told, str(file), seed)


def make(told: Any, where: str = "the plan", seed: int = 0) -> Plan:
    """Make a plan from what a file or a request holds.

    Raises:
        Usage: A rule is wrong; the text names its number and what is wrong.
    """
    if not isinstance(told, list):
        raise Usage(f"{where}: a plan is a list of rules")
    return Plan([_rule(one, f"{where}: rule {at}") for at, one in enumerate(told, 1)], seed)


def _rule(told: Any, where: str) -> Rule:
    if not isinstance(told, dict) or set(told) - _KEYS:
        unknown = sorted(set(told) - _KEYS) if isinstance(told, dict) else told
        raise Usage(f"{where}: {unknown} is not known", f"A rule has {', '.join(sorted(_KEYS))}")
    if told.get("do") not in (*CALLS, *STATES, "duplicate"):
        raise Usage(f"{where}: do={told.get('do')!r} is not known", f"Use {', '.join((*CALLS, *STATES, 'duplicate'))}")
    try:
        rule = Rule(**told)
        re.compile(rule.body)
    except (TypeError, re.error) as error:
        raise Usage(f"{where}: {error}") from error
    if rule.do in STATES and not any(fnmatch.fnmatchcase(name, rule.state) for name in PATHS):
        raise Usage(f"{where}: no operation is called {rule.state!r}", f"Use {', '.join(PATHS)}")
    if rule.do == "duplicate" and rule.kind not in KINDS:
        raise Usage(f"{where}: no kind of thing is called {rule.kind!r}", f"Use {', '.join(KINDS)}")
    return rule
