"""What engines show of a thing without anybody having said it: values that this simulator gives no meaning to."""

from __future__ import annotations

from .dialect import SimField, Version

_KINDS = (("bool", lambda value: value in {"true", "false"}), ("int", lambda value: value.lstrip("-").isdigit()))


def usual(text: str, since: Version = (4, 0), *, full: bool = False, v3: bool = False) -> tuple[SimField, ...]:
    """Declare such values of v4.

    Args:
        text: Words `path=value`; `~` stands for a blank, and no value for an empty element.
        since: The first engine that shows them.
        full: They are shown where all content is asked for, and in what answers a POST or PUT.
        v3: The same is shown in v3, since 3.6.
    """
    return tuple(_field(*word.partition("=")[::2], since, full, v3) for word in text.split())


def _field(path: str, value: str, since: Version, full: bool, v3: bool) -> SimField:
    kind = next((kind for kind, fits in _KINDS if fits(value)), "text")
    shown: object = value == "true" if kind == "bool" else int(value) if kind == "int" else value.replace("~", " ")
    three = path if v3 else ""
    return SimField(path, kind, three, path, since3=(3, 6), since4=since, usual=shown, full=full)
