"""External providers: a Foreman, a Glance, a Neutron, a Cinder; passwords are those of passwd rows `provider:NAME`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ....engine.manager import Manager
from ....engine.nouns import DataCenter, HostProvider, ImageProvider, NetworkProvider, Noun, VolumeProvider
from ....errors import Usage
from ....plan.context import Context
from ....secret import Secret
from ..plainkind import Asked, PlainKind
from ..settings import choice, flag, reference, text

_TYPES: Mapping[str, type[Noun]] = {
    "host": HostProvider,
    "image": ImageProvider,
    "network": NetworkProvider,
    "volume": VolumeProvider,
}


@dataclass(frozen=True)
class _Providers(PlainKind):
    """Each type is a collection of its own."""

    @property
    def nouns(self) -> tuple[type[Noun], ...]:
        """Those of all types."""
        return (*_TYPES.values(),)

    def fetch(self, manager: Manager, under: Noun | None) -> list[Noun]:
        """Those of all types that the manager has."""
        nouns = [noun for type_, noun in _TYPES.items() if not manager.too_new(f"providers of {type_}s")]
        return [each for found in manager.each(lambda noun: manager.list(noun), nouns) for each in found]

    def new(self, context: Context, name: str, wanted: Asked) -> Noun:
        """A provider, with the name and the password of its own row in the passwd table.

        Raises:
            Usage: A setting belongs to another type, or the manager has no such providers.
        """
        values = {key: value for key, value in wanted.values.items() if key != "type"}
        if late := context.manager.too_new(f"providers of {wanted.values['type']}s"):
            raise Usage(late)
        noun = _TYPES[wanted.values["type"]]
        strange = [key for key in values if key not in noun.FIELDS]
        if strange:
            raise Usage(f"--set {strange[0]}: providers of type {wanted.values['type']} have none")
        return noun(name=name, **{**values, **_login(context, name, values)})

    def sent_again(self, context: Context, noun: Noun, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The name and the password of its row in the passwd table."""
        return _login(context, noun.name, values)


def _login(context: Context, name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the passwd table has for a provider; a user name that was typed is stronger than its own."""
    rows = context.xcat.rows("passwd", {"key": f"provider:{name}"})
    row = next((row for row in rows if row.get("password")), None)
    if row is None:
        return {}
    user = {"username": row["username"]} if row.get("username") and "username" not in values else {}
    return {**user, "password": Secret(row["password"]), "requires_authentication": True}


KIND = _Providers(
    "provider",
    HostProvider,
    (
        choice("type", "type", *_TYPES, needed=True, identity=True),
        text("url"),
        text("username"),
        flag("requires_authentication"),
        text("authentication_url"),
        text("tenant_name"),
        choice("network_type", "network_type", "neutron", "external"),
        text("plugin_type"),
        flag("read_only"),
        flag("auto_sync"),
        flag("unmanaged"),
        reference("data_center", DataCenter),
    ),
    came="external providers",
)
