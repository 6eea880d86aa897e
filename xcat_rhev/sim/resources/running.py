"""What becomes of a change to a machine that runs: some of it at once, the rest at its next start.

As UpdateVmCommand of 4.5.8 does it. A plain change begins with what runs, so what waited is thrown away; with
`next_run` it begins with what waits, and nothing is plugged into the running machine. Devices that wait are forgotten
all the same, unless they are named again; the view of the next run does not show them. What begins to wait before a
machine has come up for the first time is refused as a whole when it goes off, and so is all that is added to it later:
the stored `initialized` is another by then, and that field is not to be changed (ObjectIdentityChecker).
"""

from __future__ import annotations

from ..call import ApiCall
from ..dialect import Thing
from ..faults import BAD, Refused, refuse
from ..world import MIB

#: The least memory that can be plugged, and its multiples; before 4.3 it is larger, and other memory waits.
_STEP = 128 * MIB
_OLD_STEP = 256 * MIB
_DEVICES = frozenset({"display_type", "console_enabled"})
_AT_ONCE = frozenset("name description comment delete_protected ha_enabled ha_priority affinity pinned".split())


def change(call: ApiCall, thing: Thing, values: Thing) -> None:
    """Change a machine that runs.

    Args:
        call: Whether it asks for the next run, and in which version.
        thing: The machine.
        values: What should differ, checked.

    Raises:
        Refused: This engine can neither plug it nor keep it.
    """
    later = call.flag("next_run")
    waiting = {key: value for key, value in thing.get("next_run", {}).items() if key not in _DEVICES}
    wanted = {**waiting, **values} if later and call.dialect.knows((4, 2)) else values
    if not later and call.dialect.knows((4, 2)):
        _refuse_memory(call, thing, {**thing, **values}, waiting)
    early = thing.get("next_run_early") if later else thing.get("come_up") is False
    if early and thing.get("come_up"):
        raise refuse("vm edit running", call.dialect, BAD)
    differing = {key: value for key, value in wanted.items() if thing.get(key) != value}
    soft = {"os_type"} if call.dialect.knows((4, 0)) else set()
    now = {key: value for key, value in differing.items() if key in soft or at_once(key)}
    rest = {key: value for key, value in differing.items() if key not in now}
    plugged = _hot_plug(call, thing, rest) if not later else {}
    rest = {key: value for key, value in rest.items() if key not in plugged}
    kept = {key for key in rest if not (key in _lost_keys(call, thing, rest) and not later)}
    exists = bool(thing.get("next_run_exists") or kept)
    known = {"next_run_exists": exists, "next_run_early": exists and (early or thing.get("come_up") is False)}
    call.world.change(thing, **now, **plugged, next_run=rest if exists else {}, **known)


def at_once(key: str) -> bool:
    """Tell whether a running machine takes a value at once, in every version."""
    return key in _AT_ONCE or key.startswith("init_")


def _can_plug(call: ApiCall, thing: Thing) -> bool:
    return thing["status"] == "up" and call.dialect.knows((3, 6))


def _hot_plug(call: ApiCall, thing: Thing, rest: Thing) -> Thing:
    """Give what is put into the running machine: more memory, more sockets if nothing else of the CPUs changes."""
    keys = {key for key in ("lease",) if key in rest}
    if _can_plug(call, thing):
        if rest.get("memory", thing["memory"]) >= thing["memory"] and not _is_odd(call, thing, rest):
            keys |= {"memory", "memory_guaranteed"}
        if rest.get("sockets", 0) > thing["sockets"] and not {"cores", "threads"} & set(rest):
            keys |= {"sockets"}
    return {key: rest[key] for key in keys if key in rest}


def _lost_keys(call: ApiCall, thing: Thing, rest: Thing) -> set[str]:
    """Give what a plain change loses without a word, unless something else has to wait: less memory, fewer sockets."""
    if not _can_plug(call, thing) or call.dialect.behind == (4, 2):  # there it waits (seen on 4.2.8)
        return set()
    memory = rest.get("memory", thing["memory"])
    less = {"memory", "memory_guaranteed"} if memory < thing["memory"] else set()
    fewer = {"sockets"} if not {"cores", "threads"} & set(rest) else set()
    return less | fewer


def _is_odd(call: ApiCall, thing: Thing, rest: Thing) -> bool:
    """Tell whether memory is no multiple of what can be plugged: in engines before 4.3 it waits."""
    more = rest.get("memory", thing["memory"]) - thing["memory"]
    return (4, 0) <= call.dialect.version < (4, 3) and bool(more % _OLD_STEP)


def _refuse_memory(call: ApiCall, thing: Thing, wanted: Thing, waiting: Thing) -> None:
    """Refuse a plain change, whatever it is, while other memory waits; and memory that cannot be plugged."""
    pending = waiting.get("memory", thing["memory"])
    if pending not in (wanted["memory"], thing["memory"]) and call.dialect.knows((4, 3)):
        raise refuse("memory waits", call.dialect, BAD)
    more = wanted["memory"] - thing["memory"]
    if more > 0 and more % _STEP and call.dialect.knows((4, 3)):
        raise refuse("memory step", call.dialect, BAD, more=str(more // MIB), step=str(_STEP // MIB))
    most = thing.get("memory_max") or wanted["memory"]
    if wanted["memory"] > most:
        raise too_much(wanted["memory"], most)


def too_much(memory: int, most: int, action: str = "edit") -> Refused:
    """Refuse memory above its maximum, in bytes."""
    words = f"Memory size ({memory // MIB}MB) cannot exceed maximum memory size ({most // MIB}MB)."
    return Refused(f"Cannot {action} VM. {words}")


def next_view(thing: Thing, call: ApiCall) -> Thing:
    """Give what the next run's view, or the answer to a change for it, has otherwise than the running machine."""
    hidden = set(_DEVICES if call.dialect.knows((3, 6)) else ["console_enabled"])  # displays are devices since 3.6
    hidden |= {"boot"} if call.body is not None else set()
    return {key: value for key, value in thing.get("next_run", {}).items() if key not in hidden}
