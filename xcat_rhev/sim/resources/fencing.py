"""Power management of hosts, and what a host finds in the storage network."""

from __future__ import annotations

import zlib
from xml.sax.saxutils import escape

from ..answers import Done, One, Raw, Removed, refused_action
from ..call import SHAPES, Call, require
from ..dialect import NEVER, Shape, Thing, named, ref
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

AGENT = Shape(
    "agent",
    "agent",
    "agents",
    "/hosts/{host}/fenceagents/{agent}",
    (
        named("type", v3="@type", v4="type"),
        named("address"),
        named("username"),
        named("password", "secret"),
        named("options", v3="options/option[]", v4="options/option[]", item=OPTION),
        named("encrypt_options", "bool"),
        named("concurrent", "bool"),
        named("order", "int"),
        named("port", "int"),
        ref("host", fixed=True),
    ),
)
SHAPES["agent"] = AGENT


def added(call: Call) -> One:
    """Add a fence agent; all five of address, order, type, user and password must be there."""
    values = call.fresh(AGENT)
    wanted = ("address", "order", "type", "username", "password")
    require(values, ("Agent", "Agent"), wanted, call.dialect)
    values.pop("password")
    agent = call.world.add(
        "agent",
        **{"options": [], "encrypt_options": False, "concurrent": False, **values},
        host=call.things["host"]["id"],
    )
    return One(AGENT, agent, 201)


def changed(call: Call) -> One:
    """Change a fence agent."""
    values = call.changes(AGENT)
    for key in ("password", "host"):
        values.pop(key, None)
    call.world.change(call.things["agent"], **values)
    return One(AGENT, call.things["agent"])


def removed(call: Call) -> Removed:
    """Remove a fence agent; the last one switches fencing off."""
    host, world = call.things["host"], call.world
    world.remove(call.things["agent"])
    if not world.of("agent", "host", host["id"]):
        world.change(host, pm_enabled=False)
    return Removed()


WORDS = frozenset({"manual", "restart", "start", "stop", "status"})


def fence(call: Call) -> Done | Raw:
    """Switch a host by its power management, or confirm that somebody did (`manual`)."""
    host, word = call.things["host"], call.text("fence_type").lower()
    if not word:
        raise Refused("Action [fenceType] required for fence", BAD, "Incomplete parameters")
    if word not in WORDS:
        raise bad_value(word, "FenceType")
    if word == "manual":
        _lost(call.world, host)
        return Done(HOST, host)
    if not (host.get("pm_enabled") and call.world.of("agent", "host", host["id"])):
        refusal = refuse("host no fencing", call.dialect, action=word)
        if word == "status" and call.dialect.version < (3, 1):
            return Raw(document(refused_action(call, fault(call.dialect, refusal))))  # 3.0 says so with 200
        raise refusal
    _proxy(call, host, word)
    if word == "status":
        return Done(HOST, host, {"power_management": _power(call, host)})
    _switch(call.world, host, word)
    return Done(HOST, host)


def _proxy(call: Call, host: Thing, word: str) -> None:
    """Refuse when no other host of the data center is up to do it."""
    center = call.world.the("cluster", host["cluster"]).get("data_center")
    if not any(one is not host and one["status"] == "up" for one in hosts_of(call.world, center)):
        raise refuse("host no proxy", call.dialect, action=word)


def _power(call: Call, host: Thing) -> str:
    word = "off" if host["status"] == "down" else "on"
    inner = f"<status>{word}</status>" if call.dialect.number == 4 else f"<status><state>{word}</state></status>"
    return f"<power_management>{inner}</power_management>"


def _switch(world: World, host: Thing, word: str) -> None:
    idle = host["status"] == "maintenance"
    if word != "start" or host["status"] != "down":
        _lost(world, host)
    if word == "stop":
        world.move(host, "host.stop", effect="host fenced")
    else:
        world.move(host, "host.reboot_idle" if idle else "host.restart", effect="host up")


def _lost(world: World, host: Thing) -> None:
    """Let everything that ran on a host be down."""
    for vm in world.of("vm", "host", host["id"]):
        vm["turn"] += 1
        world.change(vm, status="down")
        went_down(world, vm, {})


@effect("host fenced")
def fenced(world: World, host: Thing, _end: Thing) -> None:
    """Let another host manage the storage."""
    if host["spm"]:
        world.change(host, spm=False)
        choose_spm(world, (world.get("cluster", host["cluster"]) or {}).get("data_center"))


# what a host finds in the storage network ---------------------------------------------------------------------------


def discover(call: Call) -> Done:
    """Ask an iSCSI portal for its targets."""
    address = call.text("iscsi/address")
    if not address:
        raise Refused("Action [iscsi.address] required for iscsiDiscover", BAD, "Incomplete parameters")
    target = f"iqn.2026-01.com.example:{address}"
    if call.dialect.number == 3:
        return Done(HOST, call.things["host"], {"iscsi_target": f"<iscsi_target>{target}</iscsi_target>"})
    found = f"<iscsi_details><address>{address}</address><port>3260</port><target>{target}</target></iscsi_details>"
    outputs = {"iscsi_targets": f"<iscsi_targets><iscsi_target>{target}</iscsi_target></iscsi_targets>"}
    if call.dialect.knows((4, 4)):
        outputs["discovered_targets"] = f"<discovered_targets>{found}</discovered_targets>"
    return Done(HOST, call.things["host"], outputs)


def log_in(call: Call) -> Done:
    """Log in to an iSCSI target; from then on the host sees its LUNs."""
    told = {word: call.text(f"iscsi/{word}") for word in ("address", "port", "target")}
    missing = [word for word in ("address", "target") if not told[word]]
    if missing:
        words = ", ".join(f"iscsi.{word}" for word in missing)
        raise Refused(f"Action [{words}] required for iscsiLogin", BAD, "Incomplete parameters")
    host = call.things["host"]
    others = [one for one in host.get("targets", ()) if one["target"] != told["target"]]
    call.world.change(host, targets=[*others, {**told, "port": told["port"] or "3260"}])
    return Done(HOST, host)


def storage(call: Call) -> Raw:
    """List the LUNs that a host sees: four over Fibre Channel, and two of each target that it is logged in to."""
    host = call.things["host"]
    own = int(host["id"][:8], 16)
    seen: list[tuple[str, str, Thing]] = [("fcp", f"36001405{own:08x}{number:016x}", {}) for number in range(1, 5)]
    for target in host.get("targets", ()):
        name = zlib.crc32(target["target"].encode())
        seen += [("iscsi", f"36001405{name:08x}{number:016x}", target) for number in (1, 2)]
    domains = {one["id"]: domain["id"] for domain in call.world.all("storage_domain") for one in domain.get("luns", ())}
    texts = []
    for number, (kind, lun, target) in enumerate(seen, 1):
        unit = f'<logical_unit id="{lun}">{_unit(call, number, target, domains.get(lun))}</logical_unit>'
        if call.dialect.number == 4:
            inside = f"<logical_units>{unit}</logical_units><type>{kind}</type>"
            texts.append(f'<host_storage id="{lun}">{inside}</host_storage>')
        else:
            texts.append(f'<storage id="{lun}"><type>{kind}</type>{unit}</storage>')
    tag = "host_storages" if call.dialect.number == 4 else "host_storage"
    return Raw(document(f"<{tag}>{''.join(texts)}</{tag}>"))


def _unit(call: Call, number: int, target: Thing, domain: str | None) -> str:
    """Write what a LUN is, and since 3.1 who uses it."""
    where = [("port", target.get("port")), ("target", target.get("target"))]
    address = ("address", target.get("address"))
    parts = [address, *where] if call.dialect.version < (3, 1) else [*where, address]
    parts += [("serial", "SEX"), ("vendor_id", "EXAMPLE"), ("product_id", "VIRTUAL-DISK"), ("lun_mapping", number),
              ("size", 100 << 30), ("paths", 1)]
    if call.dialect.knows((3, 1)):
        parts += [("status", "used" if domain else "free"), ("storage_domain_id", domain)]
    return "".join(f"<{tag}>{escape(str(value))}</{tag}>" for tag, value in parts if value)


_AGENTS = "/hosts/{host}/fenceagents"
_SINCE = {"since3": (3, 6)}
ROUTES = (
    verb("/hosts/{host}/fence", fence, "switch it by its power management"),
    get(_AGENTS, lists_of(AGENT, "host"), "list its fence agents", rels=("fenceagents", "agents"), **_SINCE),
    post(_AGENTS, added, "add a fence agent", **_SINCE),
    get(f"{_AGENTS}/{{agent}}", shows(AGENT), "show a fence agent", **_SINCE),
    put(f"{_AGENTS}/{{agent}}", changed, "change a fence agent", **_SINCE),
    delete(f"{_AGENTS}/{{agent}}", removed, "remove a fence agent", **_SINCE),
    verb("/hosts/{host}/iscsidiscover", discover, "ask an iSCSI portal for its targets"),
    verb("/hosts/{host}/discoveriscsi", discover, "ask an iSCSI portal for its targets", since3=NEVER, since4=(4, 4)),
    verb("/hosts/{host}/iscsilogin", log_in, "log in to an iSCSI target"),
    get("/hosts/{host}/storage", storage, "list the LUNs that it sees"),
)
