"""A name service of the test's own, in place of the system's."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from typing import Any, Union

import pytest


class NameService:
    """Answers from two tables, which may change while it is asked.

    Args:
        reverse: Address -> its name.
        forward: Name -> its address, or several.
    """

    def __init__(
        self, reverse: Mapping[str, str] | None = None, forward: Mapping[str, Union[str, Iterable[str]]] | None = None
    ) -> None:
        self.reverse = {} if reverse is None else reverse
        self.forward = {} if forward is None else forward

    def gethostbyaddr(self, address: str) -> tuple[str, list[str], list[str]]:
        """The name of an address."""
        if address not in self.reverse:
            raise socket.herror(1, "Unknown host")
        return self.reverse[address], [], [address]

    def getaddrinfo(self, name: str, *_: Any, **__: Any) -> list[Any]:
        """The addresses of a name."""
        known = self.forward.get(name, ())
        addresses = [known] if isinstance(known, str) else list(known)
        if not addresses:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Answer in place of the system's."""
        monkeypatch.setattr(socket, "gethostbyaddr", self.gethostbyaddr)
        monkeypatch.setattr(socket, "getaddrinfo", self.getaddrinfo)
