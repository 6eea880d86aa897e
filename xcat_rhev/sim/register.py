"""What is beside the API and needs no login: the CA, SSH keys, SSO, and where a hypervisor registers itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from .answers import Raw
from .auth import INTROSPECTION
from .dialect import Thing
from .resources.hostnics import bring_parts
from .resources.hosts import default_cluster
from .resources.hostshape import hardware
from .sshkey import public_key
from .world import World


def ca(app: Any, _request: Any) -> Raw:
    """Give the CA certificate at the old address; from 4.0 the web server does not forward it."""
    if app.settings.api == "4":
        return Raw(b"<html><body>Not Found</body></html>", 404, "text/html")
    return Raw(app.ca, content_type="application/x-x509-ca-cert")


def resource(app: Any, request: Any) -> Raw:
    """Give the CA certificate or the engine's SSH key."""
    told = {key: values[0] for key, values in parse_qs(request.query).items()}
    if app.settings.api == "3" and app.settings.v3_version < (3, 4):
        return Raw(b"", 404)
    if told.get("resource") == "ca-certificate":
        return Raw(app.ca, content_type="application/x-x509-ca-cert")
    if told.get("resource") == "engine-certificate" and told.get("format") == "OPENSSH-PUBKEY":
        return Raw(public_key(app.settings.ssh_key), content_type="text/plain")
    return Raw(b"", 400)


def ssh_key(app: Any, _request: Any) -> Raw:
    """Give the engine's SSH key to a host that installs."""
    return Raw(public_key(app.settings.ssh_key), content_type="text/plain")


def token(app: Any, request: Any) -> Raw:
    """Give a token for a name and a password (v4)."""
    if not app.settings.has_sso:
        return Raw(b"<html><head><title>Error</title></head><body>404 - Not Found</body></html>", 404, "text/html")
    answer: Raw = app.door.token(request.headers, request.query, request.body)
    return answer


def log_out(app: Any, request: Any) -> Raw:
    """Take a token back (v4)."""
    answer: Raw = app.door.log_out(request.body)
    return answer


def introspection(app: Any, request: Any) -> Raw:
    """Tell the Apache in front whether a token is good, as Keycloak does."""
    if app.settings.login != "keycloak":
        return Raw(b"", 404, "text/html")
    answer: Raw = app.door.introspect(request.body)
    return answer


def old_servlet(app: Any, request: Any) -> Raw:
    """Register a host as vdsm-reg does: `vds_ip`, `vds_name`, `vds_unique_id`; the answer is a date."""
    told = {key: values[0] for key, values in parse_qs(request.query).items()}
    if not told.get("vds_ip") or not told.get("vds_unique_id"):
        return Raw(b"", 400)
    register(app.world, told.get("vds_name") or told["vds_ip"], told["vds_ip"], told["vds_unique_id"])
    return Raw(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(app.world.now())).encode(), content_type="text/plain")


def new_servlet(app: Any, request: Any) -> Raw:
    """Register a host as `vdsm-tool register` does (3.6 and later)."""
    told = {key: values[0] for key, values in parse_qs(request.query).items()}
    command = told.get("command")
    if command == "get-version":
        return Raw(b"1", content_type="text/plain")
    if command in {"get-pki-trust", "get-ssh-trust"}:
        return Raw(
            app.ca if command == "get-pki-trust" else public_key(app.settings.ssh_key), content_type="text/plain"
        )
    if command != "register" or not told.get("uniqueId"):
        return Raw(b"", 400)
    address = told.get("address") or request.peer
    register(app.world, told.get("name") or address, address, told["uniqueId"])
    return Raw(b"OK\n", content_type="text/plain")


def register(world: World, name: str, address: str, unique_id: str) -> Thing:
    """Take a host in as `pending_approval`; one whose unique id is known already is updated.

    Args:
        world: Where to.
        name: What it calls itself.
        address: Where it can be reached.
        unique_id: UUID and lowest MAC, as vdsm makes it.
    """
    for host in world.all("host"):
        if host.get("unique_id") == unique_id:
            world.change(host, address=address)
            return host
    uuid_part = {"hw_uuid": unique_id.partition("_")[0]}
    host = world.add(
        "host",
        **{**hardware(name, len(world.things["host"])), **uuid_part},
        name=_free_name(world, name),
        address=address,
        unique_id=unique_id,
        cluster=default_cluster(world)["id"],
        status="pending_approval",
    )
    bring_parts(world, host)
    world.event(16, "normal", f"Host {host['name']} registered itself and awaits approval.", host=host["id"])
    return host


def _free_name(world: World, name: str) -> str:
    """Give a name that no host has, as the engine does when two hosts call themselves the same."""
    number, free = 1, name
    while world.exactly("host", free):
        number += 1
        free = f"{name}-{number}"
    return free


#: Address -> what answers there, without a login.
OPEN: dict[str, Callable[[Any, Any], Raw]] = {
    "/ca.crt": ca,
    "/ovirt-engine/services/pki-resource": resource,
    "/engine.ssh.key.txt": ssh_key,
    "/rhevm.ssh.key.txt": ssh_key,
    "/ovirt-engine/sso/oauth/token": token,
    "/ovirt-engine/services/sso-logout": log_out,
    INTROSPECTION: introspection,
    "/RHEVManagerWeb/VdsAutoRegistration.aspx": old_servlet,
    "/OvirtEngineWeb/VdsAutoRegistration.aspx": old_servlet,
    "/OvirtEngineWeb/register": old_servlet,
    "/ovirt-engine/services/host-register": new_servlet,
}
