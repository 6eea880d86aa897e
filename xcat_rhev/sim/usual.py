"""What engines show of a thing without anybody having said it: values that this simulator gives no meaning to."""

from __future__ import annotations

from dataclasses import replace

from .dialect import MODERN, NEVER, SimField, Version

_KINDS = (("bool", lambda value: value in {"true", "false"}), ("int", lambda value: value.lstrip("-").isdigit()))


def usual(
    text: str, since: Version = (4, 0), *, until: Version = NEVER, full: bool = False, v3: bool = False
) -> tuple[SimField, ...]:
    """Declare such values of v4.

    Args:
        text: Words `path=value`; `~` stands for a blank, and no value for an empty element.
        since: The first engine that shows them.
        until: The first that no longer does, in v4.
        full: They are shown where all content is asked for, and in what answers a POST or PUT.
        v3: Engines of 4.x show the same in v3.
    """
    fields = (_field(*word.partition("=")[::2], since, full, v3) for word in text.split())
    return tuple(replace(one, until4=until) for one in fields)


def usual3(text: str, *, full: bool = False) -> tuple[SimField, ...]:
    """Declare values that engines of 4.x show in v3 alone, or elsewhere than in v4; the words as in `usual`."""
    fields = (_field(*word.partition("=")[::2], MODERN, full, v3=True) for word in text.split())
    return tuple(replace(one, v4="") for one in fields)


def _field(path: str, value: str, since: Version, full: bool, v3: bool) -> SimField:
    kind = next((kind for kind, fits in _KINDS if fits(value)), "text")
    shown: object = value == "true" if kind == "bool" else int(value) if kind == "int" else value.replace("~", " ")
    three = path if v3 else ""
    return SimField(path, kind, three, path, since3=(3, 6), since4=since, usual=shown, full=full, behind=MODERN)
