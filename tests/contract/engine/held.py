"""Holds what one engine answered against what another did, step by step."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from differences import reasons


def differences(recorded: Iterable[dict[str, Any]], told: Iterable[dict[str, Any]]) -> list[str]:
    """What differs and is not wanted: lines for people."""
    found: list[str] = []
    for real, ours in zip(recorded, told):
        assert real["step"] == ours["step"], "the scenario has changed since it was recorded"
        found += [f"{real['step'][:150]}\n    {line}" for line in _of_step(real, ours)]
    return found


def _of_step(real: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    step = real["step"]
    if "states" in real:
        same = real["states"] == ours["states"] or reasons(step, "states")
        return [] if same else [f"states: engine {real['states']}, here {ours['states']}"]
    if real["status"] != ours["status"]:
        return [] if reasons(step, "status") else [f"status: engine {_told(real)}, here {_told(ours)}"]
    lines = []
    if _words(real) != _words(ours) and not reasons(step, "words"):
        lines.append(f"words: engine {_told(real)}, here {_told(ours)}")
    lines += _elements(step, real.get("elements", {}), ours.get("elements", {}))
    lines += _values(step, real.get("values", {}), ours.get("values", {}))
    if real.get("order", []) != ours.get("order", []) and not reasons(step, "order"):
        lines.append(f"order: engine {real.get('order')}, here {ours.get('order')}")
    return lines


def _values(step: str, real: dict[str, list[str]], ours: dict[str, list[str]]) -> list[str]:
    """What became of the values that bodies said; recordings of before lack them."""
    wanted = [re.compile(one.paths) for one in reasons(step, "values")]
    differing = [path for path in sorted(real) if real[path] != ours.get(path)]
    left = [path for path in differing if not any(one.fullmatch(path) for one in wanted)]
    return [f"values: {path}: engine {real[path]}, here {ours.get(path)}" for path in left]


def _words(told: dict[str, Any]) -> tuple[Any, ...]:
    return told.get("type"), told.get("reason"), told.get("detail")


def _told(told: dict[str, Any]) -> str:
    return " ".join(str(told[key]) for key in ("status", "type", "reason", "detail") if key in told)


def _elements(step: str, real: dict[str, str], ours: dict[str, str]) -> list[str]:
    wanted = [re.compile(one.paths) for one in reasons(step, "elements")]

    def left(paths: Iterable[str]) -> list[str]:
        return [path for path in sorted(paths) if not any(one.fullmatch(path) for one in wanted)]

    lacks, more = left(real.keys() - ours.keys()), left(ours.keys() - real.keys())
    kinds = left(path for path in real.keys() & ours.keys() if real[path] != ours[path])
    lines = [f"{name}: {' '.join(paths)}" for name, paths in (("lacks", lacks), ("has more", more)) if paths]
    return lines + ([f"kinds: {' '.join(f'{path} {real[path]}/{ours[path]}' for path in kinds)}"] if kinds else [])
