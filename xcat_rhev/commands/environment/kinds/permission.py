"""Permissions: a role of a user or group on an object, or everywhere; -o names the user or group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ....engine.manager import Manager
from ....engine.nouns import (
    Cluster,
    DataCenter,
    Group,
    Host,
    Noun,
    Permission,
    Role,
    StorageDomain,
    Template,
    User,
    Vm,
)
from ....errors import NotFound, Usage
from ....plan.context import Context
from ..plainkind import Asked, PlainKind
from ..settings import Setting, reference

#: What a permission may be on; nothing for everywhere.
_PLACES: Mapping[str, type[Noun]] = {
    "vm": Vm,
    "host": Host,
    "cluster": Cluster,
    "data_center": DataCenter,
    "storage_domain": StorageDomain,
    "template": Template,
}


def _settings() -> tuple[Setting, ...]:
    places = (reference(word, noun, identity=True) for word, noun in _PLACES.items())
    return (reference("role", Role, needed=True, identity=True), *places)


@dataclass(frozen=True)
class _Permissions(PlainKind):
    """A permission has no name: the user or group stands for it."""

    def everything(self, manager: Manager) -> list[Noun]:
        """All permissions of all users and groups, each from its user or group."""
        people = [*manager.all(User), *manager.all(Group)]
        found = manager.each(lambda who: manager.list(Permission, under=who), people)
        once = {each.id: each for each in sum(found, [])}
        return [self._with_user(manager, each) for each in once.values() if self._told(manager, each)]

    def _told(self, manager: Manager, each: Any) -> bool:
        """Whether it names its object. Permissions on other kinds of objects look as if they were on everything."""
        if any(getattr(each, word) for word in _PLACES) or manager.too_new("permissions everywhere"):
            return True
        return each.id in {one.id for one in manager.all(Permission)}

    def fetch(self, manager: Manager, under: Noun | None) -> list[Noun]:
        """Those on an object, or everywhere."""
        self._refuse_everywhere(manager, under)
        return [self._with_user(manager, each) for each in manager.list(Permission, under=under)]

    def _refuse_everywhere(self, manager: Manager, under: Noun | None) -> None:
        late = manager.too_new("permissions everywhere") if under is None else ""
        if late:
            raise Usage(late, f"Give --set {'=... or --set '.join(_PLACES)}=...")

    def _with_user(self, manager: Manager, each: Any) -> Permission:
        """The permission with the name of its user or group."""
        if each.user:
            names = {one.id: one.user_name for one in manager.all(User)}
            return each.replace(name=names.get(each.user.id, each.user.id))  # type: ignore[no-any-return]
        return each.replace(name=manager.name_of(Group, each.group) or each.id)  # type: ignore[no-any-return]

    def home_of(self, context: Context, wanted: Asked) -> Noun | None:
        """What it is on.

        Raises:
            Usage: It is on several.
        """
        places = [word for word in _PLACES if wanted.values.get(word)]
        if len(places) > 1:
            raise Usage(f"--set {places[1]}: a permission is on one thing alone")
        if not places:
            return None
        found: Noun = _PLACES[places[0]](id=wanted.values[places[0]].id)
        return found

    def new(self, context: Context, name: str, wanted: Asked) -> Noun:
        """A role for a user or a group.

        Raises:
            NotFound: The manager knows nobody of that name.
        """
        user = next((each for each in context.manager.all(User) if each.user_name == name), None)
        group = next((each for each in context.manager.all(Group) if each.name == name), None)
        if user is None and group is None:
            raise NotFound(f"{name}: there is no such user, and no such group", f"Run: cfgve -t user -o {name} -c")
        who = {"user": user.ref} if user else {"group": group.ref if group else None}
        return Permission(role=wanted.values["role"], **who)

    def own(self, noun: Any, manager: Manager) -> bool:
        """Whether every installation has it, or it comes with each object."""
        return noun.name == "Everyone" or str(noun.name).startswith("admin@")


KIND = _Permissions("permission", Permission, _settings(), described=False)
