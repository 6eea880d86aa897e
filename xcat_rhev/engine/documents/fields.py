"""Documents declared once: reading, writing, comparing and showing derive from the declaration.

    class Vm(Noun, tag="vm", path="vms"):
        status = text("status/state", "status")
        boot = words("os/boot*@dev", "os/boot/devices/device*")

A spelling names child elements with `/`, the one that repeats with `*`, and an attribute with `@`. The first is v3's,
the second v4's; one alone serves both, None means that the dialect has no such thing. An attribute that a document does
not have reads as None, a repeated one as an empty tuple. Elements that no field names are left alone.
"""

from __future__ import annotations

import re
from typing import Any, Union

from ...secret import Secret
from .field import SAME, Field, Traits
from .record import R, RecordShape
from .shapes import Options, Pointer, Ref, ReleaseShape, Scalar, VersionShape

_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,40}\s*", re.ASCII)


def text(v3: str | None, v4: str | None = SAME, **more: Any) -> Field[Union[str, None]]:
    """A text or a word of a fixed list."""
    return Field(Scalar(str, str), v3, v4, Traits(**more))


def label(v3: str | None, v4: str | None = SAME, **more: Any) -> Field[str]:
    """A text that reads as empty when it is not there: an id, a name."""
    field: Field[str] = Field(Scalar(str, str), v3, v4, Traits(**more))
    field.nothing = ""
    return field


def whole(v3: str | None, v4: str | None = SAME, **more: Any) -> Field[Union[int, None]]:
    """A whole number."""
    return Field(Scalar(_whole, str), v3, v4, Traits(**more))


def decimal(v3: str | None, v4: str | None = SAME, **more: Any) -> Field[Union[float, None]]:
    """A number that may have a fraction."""
    return Field(Scalar(float, lambda value: f"{value:g}"), v3, v4, Traits(**more))


def flag(v3: str | None, v4: str | None = SAME, **more: Any) -> Field[Union[bool, None]]:
    """Yes or no."""
    return Field(Scalar(_flag, lambda value: "true" if value else "false", absent_is=False), v3, v4, Traits(**more))


def secret(v3: str | None, v4: str | None = SAME, **more: Any) -> Field[Union[Secret, None]]:
    """A text that does not show itself, and that no engine gives back."""
    traits = Traits(same=lambda _, wanted: wanted is None, **more)
    return Field(Scalar(Secret, Secret.reveal, secret=True), v3, v4, traits)


def words(v3: str | None, v4: str | None = SAME, **more: Any) -> Field[tuple[str, ...]]:
    """Several texts in order."""
    return Field(Scalar(str, str), v3, v4, Traits(many=True, **more))


def ref(v3: str | None, v4: str | None = SAME, blank: bool = False, **more: Any) -> Field[Union[Ref, None]]:
    """Another noun, by id or name; `blank` as for `Pointer`."""
    return Field(Pointer(blank), v3, v4, Traits(**more))


def refs(v3: str | None, v4: str | None = SAME, **more: Any) -> Field[tuple[Ref, ...]]:
    """Several other nouns."""
    return Field(Pointer(), v3, v4, Traits(many=True, **more))


def options(v3: str | None, v4: str | None = SAME, **more: Any) -> Field[Union[dict[str, str], None]]:
    """Pairs of a name and a value; the spelling names the repeated element."""
    return Field(Options(), v3, v4, Traits(**more))


def version(v3: str | None, v4: str | None = SAME, **more: Any) -> Field[Union[str, None]]:
    """A version, as `4.7`."""
    return Field(VersionShape(), v3, v4, Traits(**more))


def release(v3: str | None, v4: str | None = SAME, **more: Any) -> Field[Union[str, None]]:
    """The version of a program, as its maker writes it: `4.30.17-1.el7ev`."""
    return Field(ReleaseShape(), v3, v4, Traits(**more))


def part(kind: type[R], v3: str | None, v4: str | None = SAME, **more: Any) -> Field[Union[R, None]]:
    """A record inside."""
    return Field(RecordShape(kind), v3, v4, Traits(**more))


def parts(kind: type[R], v3: str | None, v4: str | None = SAME, **more: Any) -> Field[tuple[R, ...]]:
    """Several records inside."""
    return Field(RecordShape(kind), v3, v4, Traits(many=True, **more))


def inline_records(kind: type[R], v3: str | None, v4: str | None = SAME) -> Field[Union[tuple[R, ...], None]]:
    """Several records which the engine puts inside only when asked to; None: not asked for."""
    return Field(RecordShape(kind), v3, v4, Traits(many=True, inlined=True))


def _whole(raw: str) -> int:
    # Python takes a number of a million digits, and minutes for it.
    if not _NUMBER.fullmatch(raw):
        raise ValueError(f"'{raw[:40]}' is not a whole number")
    return int(raw)


def _flag(raw: str) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if raw.lower() not in known:
        raise ValueError(f"'{raw[:40]}' is neither true nor false")
    return known[raw.lower()]
