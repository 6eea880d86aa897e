"""/xcatrhevh/metrics: what managers have and how they are, for Prometheus, as xcatd's `lsve --metrics` says it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timezone
from typing import NamedTuple, Protocol

from ..errors import Unreachable

KIND = "text/plain; version=0.0.4"
#: Seconds for which the status page takes what was said last; it loads itself again far more often.
FRESH = 600.0
#: Days before its end from which a certificate stands on the status page.
NEAR = 60
_END = re.compile(r'rhev_certificate_end_timestamp_seconds\{.*of="(\w+)",name="([^"]*)"\} ([\d.e+]+)')
_OF = {"manager": "the manager", "ca": "the CA of the manager", "host": "the host"}
_last: dict[str, tuple[float, str]] = {}


class Teller(Protocol):
    """Who is asked."""

    def metrics(self, manager: str) -> tuple[str, str]:
        """The text of a manager, or why there is none."""


class CertificateEnd(NamedTuple):
    """A certificate whose end is near.

    Attributes:
        whose: In words.
        ends: The last day.
        left: Days; negative when it is over.
    """

    whose: str
    ends: date
    left: int


def text(xcatd: Teller, managers: Sequence[str]) -> tuple[str, str]:
    """Ask about all managers side by side.

    Returns:
        The text, with each metric once, and what went wrong.
    """
    with ThreadPoolExecutor(max(len(managers), 1), "metrics") as pool:
        answers = dict(zip(managers, pool.map(lambda name: _ask(xcatd, name), managers)))
    alive = [f'rhev_up{{manager="{name}"}} {int(bool(said))}' for name, (said, _) in answers.items()]
    head = ["# HELP rhev_up Whether a manager could be asked.", "# TYPE rhev_up gauge", *alive]
    lines = [*head, *_merge([said for said, _ in answers.values() if said])]
    return "\n".join(lines) + "\n", "; ".join(why for _, why in answers.values() if why)


def near(xcatd: Teller, managers: Sequence[str]) -> list[CertificateEnd]:
    """The certificates that end soon, the first one first; as far as managers can be asked."""
    today = datetime.now(timezone.utc).date()
    found = []
    for name in managers:
        for of, whose, seconds in _END.findall(_recent_text(xcatd, name)):
            ends = datetime.fromtimestamp(float(seconds), timezone.utc).date()
            found.append(CertificateEnd(f"{_OF.get(of, of)} {whose}", ends, (ends - today).days))
    return sorted((each for each in found if each.left <= NEAR), key=lambda each: each.ends)


def _recent_text(xcatd: Teller, name: str) -> str:
    since, said = _last.get(name, (0.0, ""))
    return said if said and time.monotonic() - since < FRESH else _ask(xcatd, name)[0]


def _ask(xcatd: Teller, name: str) -> tuple[str, str]:
    try:
        said, why = xcatd.metrics(name)
    except Unreachable as problem:
        return "", str(problem)
    if said:
        _last[name] = time.monotonic(), said
    return said, why


def _merge(texts: Sequence[str]) -> Iterator[str]:
    """The lines of several texts, each metric's together under one head."""
    heads: dict[str, list[str]] = {}
    samples: dict[str, list[str]] = {}
    for line in (line for each in texts for line in each.splitlines()):
        if line.startswith("# "):
            name = line.split(" ", 3)[2]
            kept = heads.setdefault(name, [])
            kept += [line] if line not in kept else []
        else:
            samples.setdefault(re.split(r"[{ ]", line, maxsplit=1)[0], []).append(line)
    for name, head in heads.items():
        yield from (*head, *samples.get(name, ()))
