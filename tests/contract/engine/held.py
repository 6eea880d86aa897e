"""Holds what one engine answered against what another did, step by step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from differences import Wanted, reasons


def differences(
    version: str, recorded: list[dict[str, Any]], told: list[dict[str, Any]], engine: bool = False
) -> list[str]:
    """What differs and is not wanted: lines for people.

    Args:
        version: Of which engine and dialect, as `4.2.8-v4`.
        recorded: What it answered.
        told: What is held against it.
        engine: That is an engine, too, and has data of its own.
    """
    compared = [Compared(version, *pair, engine) for pair in _pairs(recorded, told)]
    return [f"{one.step[:150]}\n    {line}" for one in compared for line in one.lines()]


def _pairs(recorded: list[dict[str, Any]], told: list[dict[str, Any]]) -> Iterator[tuple[Any, Any]]:
    """The steps that both have, in order: a scenario may have grown since an engine was recorded."""
    steps, ours = [one["step"] for one in recorded], [one["step"] for one in told]
    for at, here, length in SequenceMatcher(None, steps, ours, autojunk=False).get_matching_blocks():
        yield from zip(recorded[at : at + length], told[here : here + length])


@dataclass(frozen=True)
class Compared:
    """One step on two engines.

    Attributes:
        version: Of which engine and dialect.
        real: What was recorded.
        ours: What is held against it.
        engine: That is an engine, too.
    """

    version: str
    real: dict[str, Any]
    ours: dict[str, Any]
    engine: bool

    @property
    def step(self) -> str:
        """The line of the scenario."""
        return str(self.real["step"])

    def lines(self) -> list[str]:
        """What differs and is not wanted."""
        if "states" in self.real:
            return [] if self._same_states() or self._reasons("states") else [self._both("states")]
        if self.real["status"] != self.ours["status"]:
            return [] if self._reasons("status") else [f"status: engine {_told(self.real)}, here {_told(self.ours)}"]
        lines = []
        if _words(self.real) != _words(self.ours) and not self._reasons("words"):
            lines.append(f"words: engine {_told(self.real)}, here {_told(self.ours)}")
        lines += self._elements() + self._values()
        if self.real.get("order", []) != self.ours.get("order", []) and not self._reasons("order"):
            lines.append(self._both("order"))
        return lines

    def _reasons(self, what: str) -> list[Wanted]:
        return reasons(self.step, what, self.version, self.engine)

    def _both(self, key: str) -> str:
        return f"{key}: engine {self.real.get(key)}, here {self.ours.get(key)}"

    def _same_states(self) -> bool:
        """The simulator shows all states that were seen; an engine that is asked now and then may show fewer."""
        real, ours = self.real["states"], self.ours["states"]
        return _within(real, ours) or (self.engine and _within(ours, real))

    def _values(self) -> list[str]:
        """What became of the values that bodies said; recordings of before lack them."""
        real, ours = self.real.get("values", {}), self.ours.get("values", {})
        differing = self._left((path for path in real if real[path] != ours.get(path)), "values")
        return [f"values: {path}: engine {real[path]}, here {ours.get(path)}" for path in differing]

    def _elements(self) -> list[str]:
        real, ours = self.real.get("elements", {}), self.ours.get("elements", {})
        lacks, more = (
            self._left(paths, "elements") for paths in (real.keys() - ours.keys(), ours.keys() - real.keys())
        )
        kinds = self._left((path for path in real.keys() & ours.keys() if real[path] != ours[path]), "elements")
        lines = [f"{name}: {' '.join(paths)}" for name, paths in (("lacks", lacks), ("has more", more)) if paths]
        return lines + ([f"kinds: {' '.join(f'{path} {real[path]}/{ours[path]}' for path in kinds)}"] if kinds else [])

    def _left(self, paths: Iterable[str], what: str) -> list[str]:
        """The paths that are not meant to differ."""
        wanted = [re.compile(one.paths) for one in self._reasons(what)]
        return [path for path in sorted(paths) if not any(one.fullmatch(path) for one in wanted)]


def _within(few: list[str], many: list[str]) -> bool:
    """Tell whether all states of one list are in the other, in this order."""
    rest = iter(many)
    return few[-1:] == many[-1:] and all(state in rest for state in few)


def _words(told: dict[str, Any]) -> tuple[Any, ...]:
    return told.get("type"), told.get("reason"), told.get("detail")


def _told(told: dict[str, Any]) -> str:
    return " ".join(str(told[key]) for key in ("status", "type", "reason", "detail") if key in told)
