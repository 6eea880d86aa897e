"""Power management of hosts."""

from __future__ import annotations

from ..answers import ActionDone, One, Raw, Removed, refused_action
from ..call import SHAPES, ApiCall, require
from ..dialect import SimShape, Thing, ref, sim_field, v3only
from ..faults import BAD, Refused, bad_value, refuse
from ..render import document, fault
from ..routing import delete, get, post, put, verb
from ..states import effect
from ..world import World
from .common import lists_of, shows
from .hostnics import OPTION
from .hosts import choose_spm, hosts_of
from .hostshape import HOST
from .vmpower import went_down

AGENT = SimShape(
    "agent",
    "agent",
    "agents",
    "/hosts/{host}/fenceagents/{agent}",
    (
        sim_field("type", v3="@type", v4="type"),
        sim_field("address"),
        sim_field("username"),
        sim_field("password", "secret"),
        sim_field("options", v3="options/option[]", v4="options/option[]", item=OPTION),
        sim_field("encrypt_options", "bool"),
        v3only("concurrent", "bool"),
        sim_field("order", "int"),
        sim_field("port", "int"),
        ref("host", fixed=True),
    ),
)
SHAPES["agent"] = AGENT


_AGENT_TYPES = frozenset(
    "apc apc_snmp bladecenter cisco_ucs drac5 drac7 eps hpblade ilo ilo2 ilo3 ilo3_ssh ilo4 ilo4_ssh ilo_ssh ipmilan "
    "redfish rsa rsb wti".split()
)


def add(call: ApiCall) -> One:
    """Add a fence agent; all five of address, order, type, user and password must be there."""
    values = call.fresh(AGENT)
    wanted = ("address", "order", "type", "username", "password")
    require(values, ("Agent", "Agent"), wanted, call.dialect)
    values.pop("password")
    if call.dialect.modern and values["type"] not in _AGENT_TYPES:
        raise refuse("agent type", call.dialect)
    agent = call.world.add(
        "agent",
        **{"options": [], "encrypt_options": False, "concurrent": False, **values},
        host=call.things["host"]["id"],
    )
    return One(AGENT, agent, 201)


def change(call: ApiCall) -> One:
    """Change a fence agent."""
    values = call.changes(AGENT)
    for key in ("password", "host"):
        values.pop(key, None)
    call.world.change(call.things["agent"], **values)
    return One(AGENT, call.things["agent"])


def remove(call: ApiCall) -> Removed:
    """Remove a fence agent; the last one switches fencing off."""
    host, world = call.things["host"], call.world
    world.remove(call.things["agent"])
    if not world.of("agent", "host", host["id"]):
        world.change(host, pm_enabled=False)
    return Removed()


#: States in which somebody may say that a host was switched off by hand.
_LOST = frozenset({"non_operational", "maintenance", "connecting", "non_responsive", "down", "error"})
WORDS = frozenset({"manual", "restart", "start", "stop", "status"})


def fence(call: ApiCall) -> ActionDone | Raw:
    """Switch a host by its power management, or confirm that somebody did (`manual`)."""
    host, word = call.things["host"], call.text("fence_type").lower()
    if not word and call.dialect.number == 4:
        raise Refused("Parameter 'fence_type' is mandatory but was not provided.", BAD, "Input validation failed.")
    if not word:
        raise Refused("Action [fenceType] required for fence", BAD, "Incomplete parameters")
    if word not in WORDS and call.dialect.modern:
        known = "manual, restart, start, stop, status"
        told = f"{word.upper()} is not a member of FenceType. Possible values for FenceType are: {known}"
        raise Refused(told, BAD, "Invalid value")
    if word not in WORDS:
        raise bad_value(word, "FenceType")
    if word == "manual" and call.dialect.modern and host["status"] not in _LOST:
        raise refuse("host manual", call.dialect)
    if word == "manual":
        _stop_machines(call.world, host)
        return ActionDone(HOST, host)
    if not (host.get("pm_enabled") and call.world.of("agent", "host", host["id"])):
        return _no_fencing(call, host, word)
    _proxy(call, host, word)
    if word == "status":
        return ActionDone(HOST, host, {"power_management": _power(call, host)})
    _switch(call.world, host, word)
    return ActionDone(HOST, host)


def _no_fencing(call: ApiCall, host: Thing, word: str) -> Raw:
    """Say that a host has no power management: 3.0 and 4.x say so to a question for its state with 200."""
    later = call.dialect.modern
    refusal = refuse("host fencing disabled" if later else "host no fencing", call.dialect, action=word)
    if word != "status" or not (later or call.dialect.version < (3, 1)):
        raise refusal
    if later:
        refusal = Refused("", reason=f"Invalid fence agents defined for host '{host['address']}'.")
    return Raw(document(refused_action(call, fault(call.dialect, refusal))))


def _proxy(call: ApiCall, host: Thing, word: str) -> None:
    """Refuse when no other host of the data center is up to do it."""
    center = call.world.the("cluster", host["cluster"]).get("data_center")
    if not any(one is not host and one["status"] == "up" for one in hosts_of(call.world, center)):
        raise refuse("host no proxy", call.dialect, action=word)


def _power(call: ApiCall, host: Thing) -> str:
    word = "off" if host["status"] == "down" else "on"
    inner = f"<status>{word}</status>" if call.dialect.number == 4 else f"<status><state>{word}</state></status>"
    return f"<power_management>{inner}</power_management>"


def _switch(world: World, host: Thing, word: str) -> None:
    idle = host["status"] == "maintenance"
    if word != "start" or host["status"] != "down":
        _stop_machines(world, host)
    if word == "stop":
        world.move(host, "host.stop", effect="host fenced")
    else:
        world.move(host, "host.reboot_idle" if idle else "host.restart", effect="host up")


def _stop_machines(world: World, host: Thing) -> None:
    """Let everything that ran on a host be down."""
    for vm in world.of("vm", "host", host["id"]):
        vm["turn"] += 1
        world.change(vm, status="down")
        went_down(world, vm, {})


@effect("host fenced")
def elect_spm(world: World, host: Thing, _end: Thing) -> None:
    """Let another host manage the storage."""
    if host["spm"]:
        world.change(host, spm=False)
        choose_spm(world, (world.get("cluster", host["cluster"]) or {}).get("data_center"))


_AGENTS = "/hosts/{host}/fenceagents"
_SINCE = {"since3": (3, 6)}
ROUTES = (
    verb("/hosts/{host}/fence", fence, "switch it by its power management"),
    get(_AGENTS, lists_of(AGENT, "host"), "list its fence agents", rels=("fenceagents", "agents"), **_SINCE),
    post(_AGENTS, add, "add a fence agent", **_SINCE),
    get(f"{_AGENTS}/{{agent}}", shows(AGENT), "show a fence agent", **_SINCE),
    put(f"{_AGENTS}/{{agent}}", change, "change a fence agent", **_SINCE),
    delete(f"{_AGENTS}/{{agent}}", remove, "remove a fence agent", **_SINCE),
)
