"""Users: people of a directory whom the manager knows, by `name@directory` as joe@internal-authz."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ....engine.manager import Manager
from ....engine.nouns import Noun, User
from ....errors import Usage
from ....plan.context import Context
from ..plainkind import Asked, PlainKind
from ..settings import text


@dataclass(frozen=True)
class _Users(PlainKind):
    """The attribute `name` is the first name; users are identified by their names in the directory."""

    def fetch(self, manager: Manager, under: Noun | None) -> list[Noun]:
        """All users, called as they log in."""
        return [each.replace(name=each.user_name) for each in manager.all(User)]

    def new(self, context: Context, name: str, wanted: Asked) -> Noun:
        """A user of a directory.

        Raises:
            Usage: The name has no directory.
        """
        domain = name.rpartition("@")[2]
        if domain == name:
            raise Usage(f"{name}: not of the form name@directory", "Write it as joe@internal-authz")
        return User(user_name=name, domain_name=domain, **wanted.values)

    def own(self, noun: Any, manager: Manager) -> bool:
        """Whether it is the administrator of every installation."""
        return str(noun.name).startswith(("admin@internal", "admin@ovirt@internal"))


KIND = _Users(
    "user",
    User,
    (text("namespace", fixed=True),),
    described=False,
)
