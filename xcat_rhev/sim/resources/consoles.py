"""Consoles, CD drives and reported addresses of machines."""

from __future__ import annotations

import base64
import json
import time
from urllib.parse import quote_plus
from xml.sax.saxutils import escape

from ..answers import ActionDone, Many, One, Raw
from ..call import SHAPES, ApiCall
from ..dialect import NEVER, SimShape, Thing, ref, sim_field
from ..faults import BAD, CONFLICT, Gone, Refused, refuse
from ..routing import get, put, verb
from .vmpower import RUNNING, state_shown, ticket_text

#: Seconds for which the proxy of consoles takes a ticket (WebSocketProxyTicketValiditySeconds).
_PROXY_SECONDS = 120
CONSOLE = SimShape(
    "console",
    "graphics_console",
    "graphics_consoles",
    "/vms/{vm}/graphicsconsoles/{console}",
    (ref("vm"), sim_field("protocol"), sim_field("port", "int"), sim_field("tls_port", "int"), sim_field("address")),
    basics=(),
)
SHAPES["console"] = CONSOLE
CDROM = SimShape(
    "cdrom",
    "cdrom",
    "cdroms",
    "/vms/{vm}/cdroms/{cdrom}",
    (ref("vm", fixed=True), sim_field("file", v3="file@id", v4="file@id")),
    basics=(sim_field("name"),),
)
DEVICE = SimShape(
    "device",
    "reported_device",
    "reported_devices",
    "/vms/{vm}/reporteddevices/{device}",
    (
        sim_field("type"),
        sim_field("mac", v3="mac@address", v4="mac/address"),
        sim_field("ips", v3="ips/ip[]@address", v4="ips/ip[]/address"),
        ref("vm"),
    ),
)


def _console(call: ApiCall) -> Thing:
    """Give the machine's one console, that of its next start; with `current=true` this run's, with its port."""
    vm = call.things["vm"]
    current = call.flag("current") and call.dialect.knows((4, 1))
    protocol = (None if current else vm.get("next_run", {}).get("display_type")) or vm.get("display_type") or "vnc"
    console: Thing = {"kind": "console", "id": protocol.encode().hex(), "vm": vm["id"], "protocol": protocol, "v": 0}
    if current and vm.get("host"):
        console["address"] = vm["display_address"]
        if protocol == "spice":
            console["tls_port"] = vm.get("display_secure_port")
        console["port"] = vm["display_port"]
    return console


def list_consoles(call: ApiCall) -> Many:
    """List the consoles; with `current` only those of a machine that runs."""
    if call.flag("current") and call.dialect.knows((4, 1)) and not call.things["vm"].get("host"):
        return Many(CONSOLE, ())
    return Many(CONSOLE, [_console(call)])


def show(call: ApiCall) -> One | Raw:
    """Show a console, or give the file that a viewer opens."""
    console = _by_id(call)
    if "virt-viewer" in call.headers.get("accept", ""):
        return Raw(_viewer(call.things["vm"]).encode(), content_type="application/x-virt-viewer")
    return One(CONSOLE, console)


def _viewer(vm: Thing) -> str:
    where = f"host={vm.get('display_address')}\nport={vm.get('display_port')}\n"
    return f"[virt-viewer]\ntype={vm['display_type']}\n{where}"


def _by_id(call: ApiCall) -> Thing:
    console = _console(call)
    if console["id"] != call.things["graphics"]["id"]:
        raise Gone
    return console


def ticket(call: ApiCall) -> ActionDone:
    """Give a password for the console."""
    _by_id(call)
    if call.things["vm"]["status"] not in RUNNING:
        situation = "vm ticket" if call.dialect.modern else "vm not running"
        raise refuse(
            situation, call.dialect, action="set Virtual Machine Ticket of", state=state_shown(call.things["vm"])
        )
    return ActionDone(outputs={"ticket": ticket_text(call)})


def viewer_file(call: ApiCall) -> ActionDone:
    """Give the file that a viewer opens, as text inside the answer."""
    _by_id(call)
    text = escape(_viewer(call.things["vm"]))
    return ActionDone(
        outputs={
            "remote_viewer_connection_file": f"<remote_viewer_connection_file>{text}</remote_viewer_connection_file>"
        }
    )


def proxy_ticket(call: ApiCall) -> ActionDone:
    """Give a ticket for the proxy that brings a console into a browser.

    It has an engine's form (TicketEncoder), and a signature that no proxy takes.
    """
    _by_id(call)
    vm = call.things["vm"]
    if not vm.get("host"):
        raise Refused("Graphics console cannot be obtained", CONFLICT)
    where = {"host": vm["display_address"], "port": str(vm["display_port"]), "ssl_target": False}
    told = {
        "salt": base64.b64encode(call.world.random.randbytes(8)).decode(),
        "validFrom": _stamp(call.world.now()),
        "validTo": _stamp(call.world.now() + _PROXY_SECONDS),
        "data": quote_plus(json.dumps(where, separators=(",", ":"))),  # no blanks, as engines write it
        "signedFields": "salt,validFrom,validTo,data",
        "v2_signature": base64.b64encode(b"simulated").decode(),
    }
    value = base64.b64encode(json.dumps(told).encode()).decode()
    return ActionDone(outputs={"proxy_ticket": f"<proxy_ticket><value>{value}</value></proxy_ticket>"})


def _stamp(moment: float) -> str:
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(moment))


def cdroms(call: ApiCall) -> Many:
    """List the one CD drive."""
    return Many(CDROM, [_drive(call)])


def _drive(call: ApiCall) -> Thing:
    vm = call.things["vm"]
    return {"id": "00000000-0000-0000-0000-000000000000", "vm": vm["id"], "file": vm.get("cd_file"), "v": 0}


def cdrom(call: ApiCall) -> One:
    """Show the CD drive."""
    return One(CDROM, _drive(call))


def insert(call: ApiCall) -> One:
    """Put a disc in, or take it out; on a data domain it is an image, named by its id."""
    values = call.read(CDROM)
    if call.part("file") is None and call.dialect.number == 4:
        raise Refused("Cdrom [file] required for update", BAD, "Incomplete parameters")
    if call.flag("current") and call.dialect.modern and call.things["vm"]["status"] not in RUNNING:
        raise refuse("eject", call.dialect, state=state_shown(call.things["vm"]))
    file, world = values.get("file") or "", call.world
    image = world.things["disk"].get(file)
    on_iso_domain = any(domain.get("type") == "iso" for domain in world.all("storage_domain"))
    if file and call.dialect.knows((4, 3)) and not on_iso_domain and (image or {}).get("content_type") != "iso":
        raise Refused("Invalid ISO image path", BAD)
    call.world.change(call.things["vm"], cd_file=values.get("file") or None)
    return One(CDROM, _drive(call))


def devices(call: ApiCall) -> Many:
    """List what the guest says about its network."""
    vm = call.things["vm"]
    nics = call.world.of("nic", "vm", vm["id"]) if vm.get("guest_ips") else []
    found = [
        {
            "id": nic["id"],
            "name": nic["name"],
            "type": "network",
            "mac": nic["mac"],
            "ips": vm["guest_ips"],
            "vm": vm["id"],
        }
        for nic in nics[:1]
    ]
    return Many(DEVICE, found)


def device(call: ApiCall) -> One:
    """Show one of what the guest says about its network."""
    for one in devices(call).things:
        if one["id"] == call.things["device"]["id"]:
            return One(DEVICE, one)
    raise Gone


_ALL, _ONE = "/vms/{vm}/graphicsconsoles", "/vms/{vm}/graphicsconsoles/{graphics}"
ROUTES = (
    get(_ALL, list_consoles, "list its consoles; ports with current=true since 4.1", since3=(3, 6)),
    get(_ONE, show, "show a console, or a viewer's file", since3=(3, 6)),
    verb(f"{_ONE}/ticket", ticket, "set a console password", since3=NEVER, since4=(4, 1)),
    verb(f"{_ONE}/proxyticket", proxy_ticket, "a ticket for the browser's proxy", since3=NEVER, since4=(4, 1)),
    verb(f"{_ONE}/remoteviewerconnectionfile", viewer_file, "a viewer's file", since3=NEVER, since4=(4, 1)),
    get("/vms/{vm}/cdroms", cdroms, "list its CD drive"),
    get("/vms/{vm}/cdroms/{drive}", cdrom, "show its CD drive"),
    put("/vms/{vm}/cdroms/{drive}", insert, "change the disc"),
    get("/vms/{vm}/reporteddevices", devices, "what the guest says about its network", since3=(3, 2)),
    get("/vms/{vm}/reporteddevices/{device}", device, "show one of them", since3=(3, 2)),
)
