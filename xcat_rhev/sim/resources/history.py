"""What happened: events and jobs; and what is measured: statistics."""

from __future__ import annotations

from ..answers import Many, One, Removed
from ..call import SHAPES, ApiCall, require
from ..dialect import SimShape, Thing, ref, sim_field, v3only, v4only
from ..faults import Gone
from ..routing import Handler, delete, get, post
from . import certificates
from .common import lists, shows

#: What an event may be about; v4 tells the name that it had then, which v3 leaves out.
ABOUT = ("vm", "storage_domain", "host", "template", "cluster", "data_center")
EVENT = SimShape(
    "event",
    "event",
    "events",
    "/events/{event}",
    (
        sim_field("code", "int"),
        sim_field("severity", words="normal warning error alert"),
        sim_field("time", "date", fixed=True),
        sim_field("correlation_id", since3=(3, 1), fixed=True),
        ref("user"),
        v4only("user_name", path="user/name", fixed=True),
        *(ref(kind) for kind in ABOUT),
        *(v4only(f"{kind}_name", path=f"{kind}/name", fixed=True) for kind in ABOUT),
        sim_field("origin", since3=(3, 2)),
        sim_field("custom_id", "int", since3=(3, 2)),
        sim_field("flood_rate", "int", since3=(3, 2)),
        v4only("index", "int", fixed=True),
        sim_field("custom_data", since3=(3, 4)),
    ),
)
JOB = SimShape(
    "job",
    "job",
    "jobs",
    "/jobs/{job}",
    (
        sim_field("status", v3="status/state"),
        sim_field("start_time", "date", fixed=True),
        sim_field("end_time", "date", fixed=True),
        sim_field("last_updated", "date", fixed=True),
        sim_field("external", "bool"),
        sim_field("auto_cleared", "bool"),
    ),
)
STATISTIC = SimShape(
    "statistic",
    "statistic",
    "statistics",
    "",
    (
        sim_field("value", v3="values/value/datum", v4="values/value/datum"),
        sim_field("value_type", v3="values@type", v4="type"),
        v3only("measure", path="type"),
        v4only("measure", path="kind"),
        sim_field("unit"),
        ref("host"),
        ref("vm"),
    ),
    order36="values type unit host vm",
)
SHAPES["event"], SHAPES["job"] = EVENT, JOB


def events(call: ApiCall) -> Many:
    """List events, the newest first; `from` leaves out those up to an id."""
    certificates.look(call.world, call.dialect)
    found = list(reversed(call.world.all("event")))
    start = call.number("from")
    return Many(EVENT, [one for one in found if start is None or int(one["id"]) > start], "event")


def event_made(call: ApiCall) -> One:
    """Write down an event of somebody else's."""
    values = call.fresh(EVENT)
    require(values, ("Event", "Event"), ("origin", "severity", "custom_id", "description"), call.dialect)
    told = {
        key: values[key] for key in ("origin", "custom_id", "flood_rate", "custom_data", "comment") if key in values
    }
    about = {kind: call.look_up(kind, values[kind])["id"] for kind in ABOUT if values.get(kind)}
    event = call.world.event(9801, values["severity"], values["description"], **about)
    call.world.change(event, **told)
    return One(EVENT, event, 201)


def event_removed(call: ApiCall) -> Removed:
    """Forget an event."""
    call.world.remove(call.things["event"])
    return Removed()


#: Statistic -> (what it counts, unit, measure); the measure decides how v3 and v4 call it.
OF_HOST = {
    "memory.total": ("memory", "bytes", "integer"),
    "memory.used": ("memory_used", "bytes", "integer"),
    "memory.free": ("memory_free", "bytes", "integer"),
    "cpu.current.user": ("cpu", "percent", "decimal"),
    "cpu.current.system": ("cpu", "percent", "decimal"),
    "cpu.current.idle": ("idle", "percent", "decimal"),
    "cpu.load.avg.5m": ("cpu", "percent", "decimal"),
}
OF_VM = {
    "memory.installed": ("memory", "bytes", "integer"),
    "memory.used": ("memory_used", "bytes", "integer"),
    "cpu.current.guest": ("cpu", "percent", "decimal"),
    "cpu.current.hypervisor": ("cpu", "percent", "decimal"),
    "cpu.current.total": ("cpu", "percent", "decimal"),
}


def statistics(kind: str, table: dict[str, tuple[str, str, str]]) -> Handler:
    """Make a handler that lists the statistics of a thing."""

    def handle(call: ApiCall) -> Many:
        owner = call.things[kind]
        return Many(_SHAPES[kind], [_statistic(call, owner, name, *row) for name, row in table.items()])

    return handle


def statistic(kind: str, table: dict[str, tuple[str, str, str]]) -> Handler:
    """Make a handler that shows one statistic."""

    def handle(call: ApiCall) -> One:
        for one in statistics(kind, table)(call).things:
            if one["id"] == call.things["statistic"]["id"]:
                return One(_SHAPES[kind], one)
        raise Gone

    return handle


_SHAPES = {
    kind: SimShape(
        "statistic",
        "statistic",
        "statistics",
        f"/{kind}s/{{{kind}}}/statistics/{{statistic}}",
        STATISTIC.fields,
        order36=STATISTIC.order36,
    )
    for kind in ("host", "vm")
}


def _statistic(call: ApiCall, owner: Thing, name: str, what: str, unit: str, measure: str) -> Thing:
    number = f"{int(owner['id'][:8], 16):08x}{sum(map(ord, name)):08x}"
    one: Thing = {
        "id": f"{number[:8]}-0000-4000-8000-{number[8:]:0>12}",
        "name": name,
        "description": name,
        owner["kind"]: owner["id"],
        "value": _measurement(call, owner, what),
        "value_type": measure,
        "unit": unit,
        "measure": "gauge",
    }
    if call.dialect.number == 3:
        one.update(value_type=measure.upper(), unit=unit.upper(), measure="GAUGE")
    return one


def _measurement(call: ApiCall, owner: Thing, what: str) -> int | float:
    """Make up a value that fits the state: what does not run uses nothing."""
    vms = call.world.of("vm", "host", owner["id"]) if owner["kind"] == "host" else [owner]
    used = sum(vm["memory"] // 2 for vm in vms if vm["status"] == "up")
    load = 3 * len(vms) if owner["kind"] == "host" else 7 * (owner["status"] == "up")
    values: dict[str, int | float] = {
        "memory": owner["memory"],
        "memory_used": used,
        "memory_free": owner["memory"] - used,
        "cpu": min(load, 100),
        "idle": max(100 - load, 0),
    }
    return values[what]


ROUTES = (
    get("/events", events, "list events, the newest first; search, from, max"),
    post("/events", event_made, "write down an event of one's own", since3=(3, 2)),
    get("/events/{event}", shows(EVENT), "show an event"),
    delete("/events/{event}", event_removed, "forget an event", since3=(3, 2)),
    get("/jobs", lists(JOB, "job"), "list jobs", since3=(3, 3)),
    get("/jobs/{job}", shows(JOB), "show a job", since3=(3, 3)),
    get("/vms/{vm}/statistics", statistics("vm", OF_VM), "what is measured of it"),
    get("/hosts/{host}/statistics", statistics("host", OF_HOST), "what is measured of it"),
    get("/vms/{vm}/statistics/{statistic}", statistic("vm", OF_VM), "one measured value"),
    get("/hosts/{host}/statistics/{statistic}", statistic("host", OF_HOST), "one measured value"),
)
