"""A host's fencing, installation and upgrade, where the dialects differ in shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import Usage
from ..nouns import FenceAgent, Host

if TYPE_CHECKING:
    from ..api import Api


def set_fencing(api: Api, host: Host, agent: FenceAgent) -> bool:
    """Set how a host is switched off from outside; False if it was so already (passwords cannot be compared)."""
    if not api.calls.dialect.has("fence_agents"):
        return _set_power_management(api, host, agent)
    calls = api.calls
    path = calls.collection(FenceAgent, host)
    wanted = {"order": 1, **{key: value for key, value in agent.values().items() if key not in ("id", "href")}}
    there = [each for each in calls.list(FenceAgent, path) if each.order == wanted["order"]]
    changed = True
    if not there:
        made = FenceAgent(**wanted)
        calls.create(made, path, lambda: next(iter(calls.list(FenceAgent, path)), None))
    elif _readable(there[0], wanted):
        calls.change(there[0], calls.path(there[0], host), wanted)
    else:
        changed = False
    # The agent first: an engine refuses to enable what has no agent, and since 3.6 takes none inside the host.
    return api.change(host, pm_enabled=True) is not None or changed


def _set_power_management(api: Api, host: Host, agent: FenceAgent) -> bool:
    options = {**(agent.options or {}), **({"port": str(agent.port)} if agent.port else {})}
    wanted: dict[str, Any] = {
        "pm_enabled": True,
        "pm_type": agent.type,
        "pm_address": agent.address,
        "pm_user": agent.username,
    }
    if options:
        wanted["pm_options"] = options
    if not host.differences(wanted):
        return False
    if agent.password:
        wanted["pm_password"] = agent.password
    api.calls.change(host, api.calls.path(host), {**host.kept_along, **wanted})
    api.catalog.forget(Host)
    return True


def _readable(agent: FenceAgent, wanted: dict[str, Any]) -> dict[str, Any]:
    return agent.differences({key: value for key, value in wanted.items() if key != "password"})


def fence(api: Api, host: Host, kind: str) -> str:
    """Have a host fenced: manual, restart, start, stop, or status, which answers on or off."""
    answer = api.act(host, "fence", fence_type=kind)
    return answer.power or answer.status or ""


def reinstall(api: Api, host: Host, activate: bool, login: dict[str, Any]) -> None:
    """Install a host again."""
    tell = activate and api.calls.dialect.has("install_rests")
    api.act(host, "install", **login, activate=True if tell else None)


#: How the engines word the type of a RHEV-H.
_IMAGE_TYPES = ("rhev-h", "rhev_h")


def upgrade_of(api: Api, host: Host, image: str) -> tuple[str, dict[str, Any]]:
    """How a host is upgraded: the action, and its parameters."""
    dialect = api.calls.dialect
    runs_image = host.type in _IMAGE_TYPES and not dialect.has("no_images")
    if image and not runs_image:
        raise Usage("--image has no effect here: only a RHEV-H is upgraded from an ISO file")
    if runs_image and not image:
        raise Usage("a RHEV-H is upgraded from an ISO file on its manager", "Give --image with the name of the file")
    if dialect.has("host_upgrade"):
        return "upgrade", {"image": image or None}
    if image:  # before 3.6 that was a way to install
        return "install", {"image": image}
    version = ".".join(map(str, api.version))
    raise Usage(
        f"a manager of version {version} upgrades no hosts",
        f"Update the packages on the host, then run: chhypervisor {host.name} --reinstall",
    )


def deactivate(api: Api, host: Host, stop_gluster: bool) -> None:
    """Take a host to maintenance; engines read that word of the query alone (BackendHostResource)."""
    path = f"{api.calls.path(host)}/deactivate"
    api.calls.act(api.calls.dialect.address(path, stop_gluster_service="true") if stop_gluster else path)
