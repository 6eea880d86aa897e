"""What engines answered: read, written, and held against another answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scenario import HERE

RECORDED = HERE / "recorded"


def path_of(version: str, api: int, name: str) -> Path:
    """Where the answers of one version and dialect to a scenario stand."""
    return RECORDED / f"{version}-v{api}" / f"{name}.json"


def write(version: str, api: int, name: str, told: list[dict[str, Any]]) -> None:
    """Keep answers; sets of elements that come again are written once."""
    shapes: list[dict[str, str]] = []
    steps = [{**one, **_shape(one, shapes)} for one in told]
    path = path_of(version, api, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(one, ensure_ascii=False) for one in steps]
    sets = [json.dumps(_folded(shape), ensure_ascii=False) for shape in shapes]
    text = '{"steps": [\n' + ",\n".join(lines) + '\n], "elements": [\n' + ",\n".join(sets) + "\n]}\n"
    path.write_text(text, encoding="utf-8")


def _shape(one: dict[str, Any], shapes: list[dict[str, str]]) -> dict[str, Any]:
    if "elements" not in one:
        return {}
    if one["elements"] not in shapes:
        shapes.append(one["elements"])
    return {"elements": shapes.index(one["elements"])}


def _folded(shape: dict[str, str]) -> dict[str, str]:
    """The paths of each kind in one text."""
    kinds: dict[str, list[str]] = {}
    for path, kind in sorted(shape.items()):
        kinds.setdefault(kind, []).append(path)
    return {kind: " ".join(paths) for kind, paths in kinds.items()}


def read(version: str, api: int, name: str) -> list[dict[str, Any]]:
    """Read answers that were kept."""
    told = json.loads(path_of(version, api, name).read_text(encoding="utf-8"))
    shapes = [{path: kind for kind, paths in one.items() for path in paths.split(" ")} for one in told["elements"]]
    return [{**one, **({"elements": shapes[one["elements"]]} if "elements" in one else {})} for one in told["steps"]]


def versions() -> Iterator[tuple[str, int]]:
    """Versions and dialects of which there are recordings."""
    for folder in sorted(RECORDED.iterdir()) if RECORDED.exists() else ():
        version, _, api = folder.name.rpartition("-v")
        yield version, int(api)
