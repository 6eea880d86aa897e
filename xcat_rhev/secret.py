"""A text that does not show itself: passwords, tokens, tickets and hashes."""

from __future__ import annotations

from typing import NoReturn

STARS = "******"


class Secret:
    """Hold a text that prints as stars wherever it lands by accident.

    Only `reveal()` gives the text, so that every place which uses it can be found by that word.

    Args:
        text: The secret itself.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text, for the one call that has to send it."""
        return self._text

    def __str__(self) -> str:
        return STARS

    def __repr__(self) -> str:
        return f"Secret({STARS})"

    def __format__(self, spec: str) -> str:
        return format(STARS, spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(("Secret", self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not written to files or pipes")
