"""Disks, NICs and consoles of a VM, where the dialects differ in shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import Conflict, NotFound, Usage
from ...secret import Secret
from ..nouns import (
    Answer,
    Cdrom,
    Cluster,
    Disk,
    DiskImage,
    GraphicsConsole,
    Network,
    Nic,
    Ref,
    SystemOption,
    Ticket,
    Vm,
    VnicProfile,
)
from ..vm_update import next_run
from ..wire.session import split_name
from .console import BrowserConsole, Console, WebsocketProxy

if TYPE_CHECKING:
    from ..api import Api


def add_disk(api: Api, vm: Vm, disk: Disk) -> Disk:
    """Make a disk, or attach one that is there (`disk.id`).

    A create whose answer was lost is settled by comparing the VM's disks with those that it had, for before 3.1 disks
    have no names of their own and later ones need not be unique.
    """
    calls = api.calls
    known = {each.id for each in vm.disks} if vm.disks is not None else set()
    path = calls.collection(Disk, vm)
    wanted = _as_sent(disk, calls.dialect.major)

    def settle() -> Disk | None:
        for each in api.list(Disk, under=vm):
            if each.id not in known | api.made and _is_that_disk(each, disk, calls.dialect.since((3, 1))):
                return each
        return None

    made = calls.create(wanted, path, settle)
    api.made.add(made.id)
    return made if made.size else made.replace(**{**disk.values(), **made.values()})


def _as_sent(disk: Disk, major: int) -> Disk:
    """In v4 the attachment must say that the disk is active, and an existing disk is named by the disk's own id."""
    if major == 3:
        return disk
    existing = {"id": None, "disk_id": disk.id} if disk.id else {}
    return disk.replace(active=True if disk.active is None else disk.active, **existing)


def _is_that_disk(found: Disk, wanted: Disk, named: bool) -> bool:
    if wanted.id:
        return found.id == wanted.id
    if named and wanted.name and found.name:
        return found.name == wanted.name
    return found.size == wanted.size and not found.differences(
        {key: value for key, value in wanted.values().items() if key in ("interface", "format")}
    )


def work_on_disk(api: Api, disk: Disk | DiskImage, verb: str, vm: Vm | None, params: dict[str, Any]) -> None:
    """Begin to move, sparsify or reduce a disk, at the place that the engine has for it."""
    if vm is not None and isinstance(disk, Disk) and not api.calls.dialect.has("disk_verbs"):
        api.act(disk, verb, under=vm, **params)
    else:
        api.act(DiskImage(id=disk.id), verb, **params)


def remove_disk(api: Api, vm: Vm, disk: Disk, keep: bool) -> None:
    """Remove a disk, or only take it off the VM.

    v4 detaches unless told otherwise; v3 removes unless told otherwise, and before 3.1 whatever it is told.

    Raises:
        Usage: The disk would not be kept.
    """
    calls = api.calls
    if keep and not calls.dialect.has("disks"):
        raise Usage(f"RHEV 3.0 cannot take the disk {disk.name} off and keep it")
    path = calls.path(disk, vm)
    calls.remove(disk, path, detach_only=keep)


def add_nic(api: Api, vm: Vm, nic: Nic) -> Nic:
    """Make a NIC; in v4 on the vNIC profile of its network in the VM's data center."""
    calls = api.calls
    made = calls.create(with_network(api, vm, nic), calls.collection(Nic, vm), lambda: _nic_of(api, vm, nic.name))
    return api.catalog.with_network_name(made)


def _nic_of(api: Api, vm: Vm, name: str) -> Nic | None:
    return next((each for each in api.list(Nic, under=vm) if each.name == name), None)


def change_nic(api: Api, vm: Vm, nic: Nic, wanted: dict[str, Any]) -> Nic | None:
    """Change a NIC; a network is given by name and becomes a vNIC profile in v4."""
    calls = api.calls
    differing = nic.differences(wanted)
    if differing.get("vnic_profile"):
        differing.pop("network", None)
    if not differing:
        return None
    target = nic.replace(vnic_profile=None, network=None).replace(
        network=differing.get("network"), vnic_profile=differing.get("vnic_profile")
    )
    spelled = with_network(api, vm, target)
    if "network" in differing and not differing.pop("network"):
        differing["vnic_profile" if calls.dialect.has("vnic_profiles") else "network"] = None
    for name in ("network", "vnic_profile"):
        value = getattr(spelled, name)
        if value:
            differing[name] = value
    return api.catalog.with_network_name(calls.change(nic, calls.path(nic, vm), differing))


def with_network(api: Api, vm: Vm, nic: Nic) -> Nic:
    """A NIC as the dialect wants its network said: v3 the network, v4 the profile.

    Raises:
        NotFound: No such network, or no profile on it, in the VM's data center.
    """
    if nic.vnic_profile:
        return nic.replace(network=None)
    if api.calls.dialect.major == 3 or not nic.network:
        return nic
    network = network_for(api, vm, nic.network)
    fitting = profiles_of(api, network.id)
    if not fitting:
        raise NotFound(f"network {network.name} has no vNIC profile", "Is it a network for VMs?")
    return nic.replace(network=None, vnic_profile=Ref(fitting[0].id))


def profiles_of(api: Api, network: str) -> list[VnicProfile]:
    """The profiles of the network of that id, the one first that is called as the network, then by name."""
    fitting = [each for each in api.catalog.all(VnicProfile).values() if each.network and each.network.id == network]
    if len(fitting) < 2:
        return fitting
    name = api.catalog.name_of(Network, Ref(network))
    return sorted(fitting, key=lambda profile: (profile.name != name, profile.name))


def network_for(api: Api, vm: Vm, wanted: Ref) -> Network:
    """The network that a reference means inside a VM's data center: the same name may be used in several.

    Raises:
        NotFound: None there.
    """
    networks = api.catalog.all(Network)
    if wanted.id and wanted.id in networks:
        return networks[wanted.id]
    cluster = api.catalog.all(Cluster).get(vm.cluster.id) if vm.cluster else None
    home = cluster.data_center.id if cluster and cluster.data_center else ""
    for each in networks.values():
        if each.name == wanted.name and (not home or not each.data_center or each.data_center.id == home):
            return each
    raise NotFound(f"VM {vm.name}: its data center has no network {wanted.name}")


def change_cdrom(api: Api, vm: Vm, iso: str, current: bool) -> None:
    """Put an ISO into a VM's first drive; every VM has one."""
    calls = api.calls
    drives = api.list(Cdrom, under=vm)
    if not drives:
        raise NotFound(f"VM {vm.name} has no CD drive")
    path = calls.path(drives[0], vm)
    address = calls.dialect.address(path, **({"current": "true"} if current else {}))
    calls.change(drives[0], address, {"file": Ref(iso) if iso else None})


def next_run_of(api: Api, vm: Vm) -> Vm:
    """A VM as it will be from its next start: engines show what holds for this run (3.5 and later)."""
    return next_run(api.calls, api.calls.path(vm))


def plug_disk(api: Api, vm: Vm, disk: Disk, active: bool) -> None:
    """Let the guest see a disk, or not: an action in v3, a change of the attachment in v4.

    Raises:
        Usage: Engines before 3.1 cannot.
    """
    calls = api.calls
    if not calls.dialect.since((3, 1)):
        raise Usage("RHEV 3.0 cannot unplug a disk of a running VM", f"Run: rpower {vm.name} off")
    path = calls.path(disk, vm)
    if calls.dialect.major == 3:
        calls.act(f"{path}/{'activate' if active else 'deactivate'}")
    else:
        calls.change(disk, path, {"active": active}, check=False)


def console(api: Api, vm: Vm, seconds: int, password: Secret | None = None) -> Console:
    """Where a running VM's console is, with a fresh ticket.

    Args:
        manager: The manager.
        vm: Must run.
        seconds: How long the ticket lives.
        password: What the ticket should be; the engine makes one up if it is None.

    Raises:
        Conflict: It does not run, or has no console.
    """
    calls = api.calls
    path = calls.path(vm)
    place = _current(api, vm, path) if calls.dialect.has("current_consoles") else None
    if place is not None and place.id:
        found, address, port, secure = place.protocol, place.address, place.port, place.tls_port
        ticket = calls.act(f"{calls.path(place, vm)}/ticket", ticket=Ticket(value=password, expiry=seconds))
    else:
        now = calls.get(Vm, path)
        found, address = now.display_type, now.display_address
        port, secure = now.display_port, now.display_secure_port
        ticket = calls.act(f"{path}/ticket", ticket=Ticket(value=password, expiry=seconds))
    if not address or not (port or secure):
        raise Conflict(f"VM {vm.name} has no console now", "Is it running?")
    return Console(found or "vnc", address, port, secure, _value(ticket, password), ticket.ticket_expiry or seconds)


def browser_console(api: Api, vm: Vm, seconds: int, proxy: WebsocketProxy) -> BrowserConsole:
    """A running VM's VNC console behind the engine's websocket proxy, with fresh tickets.

    The proxy's ticket is the one that the engine's own page gets; it lives as long as the engine says
    (WebSocketProxyTicketValiditySeconds, two minutes).

    Args:
        api: The manager's.
        vm: Must run.
        seconds: How long the console's password lives; the engine makes one up.
        proxy: As `websocket_proxy` gives it.

    Raises:
        Conflict: It does not run, or its console is not VNC.
    """
    calls, path = api.calls, api.calls.path(vm)
    place = _current(api, vm, path)
    if place is None or not place.address or place.protocol != "vnc":
        has = f"is {place.protocol}, and browsers show vnc" if place is not None else "is not there now"
        raise Conflict(f"the console of {vm.name} {has}", f"Run: chtab node={vm.name} vm.vidproto=vnc")
    host = proxy.host or place.address
    console = calls.path(place, vm)
    leads = calls.act(f"{console}/proxyticket").proxy_ticket or Secret("")
    ticket = calls.act(f"{console}/ticket", ticket=Ticket(expiry=seconds))
    return BrowserConsole(host, proxy.port, leads, _value(ticket, None))


def websocket_proxy(api: Api) -> WebsocketProxy:
    """Where the engine's websocket proxy is: its option says so, with words for the engine itself and each VM's host.

    Raises:
        Usage: The engine is too old, or it is off.
    """
    if late := api.too_new("consoles in a browser"):
        raise Usage(late)
    option = api.calls.get(SystemOption, f"{api.calls.collection(SystemOption)}/WebSocketProxy", version="general")
    name, _, port = (option.value or "").rpartition(":")
    if not name or not port.isdecimal():
        raise Usage(f"the websocket proxy of {api.calls.name} is off", "Set it up there: engine-setup")
    places = {"Engine": split_name(api.calls.name)[0], "Host": ""}
    return WebsocketProxy(places.get(name, name), int(port))


def _current(api: Api, vm: Vm, path: str) -> GraphicsConsole | None:
    """The console that is in use: without `current` engines give no port."""
    places = api.calls.list(GraphicsConsole, f"{path}/graphicsconsoles", current="true")
    usable = [place for place in places if place.port or place.tls_port]
    kind = (vm.display_type or "vnc").lower()
    return min(usable, key=lambda place: place.protocol != kind, default=None)


def _value(answer: Answer, asked: Secret | None) -> Secret:
    return answer.ticket or asked or Secret("")
