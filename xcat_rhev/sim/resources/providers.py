"""External providers of hosts, images, networks and volumes; nobody is asked whether they answer.

Since 4.5 every call to those of volumes fails inside the engine, which says to use Managed Block Storage instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..call import ApiCall
from ..dialect import SimField, SimShape, ref, sim_field, v4only
from ..faults import Crashed
from ..routing import Route
from .plain import Plain

_ALL = (
    sim_field("url"),
    sim_field("requires_authentication", "bool"),
    sim_field("username"),
    sim_field("password", "secret"),
    sim_field("authentication_url"),
)
_TENANT = (sim_field("tenant_name"),)
_NETWORK = (
    sim_field("plugin_type"),
    v4only("type", words="neutron external"),
    v4only("read_only", "bool"),
    v4only("auto_sync", "bool", since4=(4, 2)),
    v4only("unmanaged", "bool", since4=(4, 2)),
    v4only("external_plugin_type", since4=(4, 2)),
)
_ORDER = "url requires_authentication username password authentication_url properties tenant_name plugin_type"


def _shape(kind: str, more: tuple[SimField, ...]) -> SimShape:
    path = f"/{kind.replace('_', '')}s/{{{kind}}}"
    return SimShape(kind, kind, f"{kind}s", path, (*_ALL, *more), order36=_ORDER)


_SHAPES = (
    _shape("external_host_provider", ()),
    _shape("openstack_image_provider", _TENANT),
    _shape("openstack_network_provider", (*_TENANT, *_NETWORK)),
    _shape("openstack_volume_provider", (*_TENANT, ref("data_center"))),
)


def _until_4_5(route: Route) -> Route:
    """A call which later engines fail in."""

    def handle(call: ApiCall) -> Any:
        if call.dialect.version >= (4, 5):
            raise Crashed
        return route.handler(call)

    return replace(route, handler=handle)


def _routes() -> Iterator[Route]:
    for shape in _SHAPES:
        network = shape.kind == "openstack_network_provider"
        usual = {"requires_authentication": False, **({"read_only": True, "type": "external"} if network else {})}
        type_ = shape.kind.title().replace("_", "").replace("Openstack", "OpenStack")
        plain = Plain(shape, "provider", type_, usual=usual, since3=(3, 6), searched="provider")
        for route in plain.routes(shape.path.rpartition("/")[0]):
            yield _until_4_5(route) if shape.kind == "openstack_volume_provider" else route


ROUTES = tuple(_routes())
