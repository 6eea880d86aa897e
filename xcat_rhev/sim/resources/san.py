"""What a host finds in the storage network: iSCSI targets, LUNs, and storage domains on them that the engine lacks."""

from __future__ import annotations

import zlib
from xml.sax.saxutils import escape

from ..answers import ActionDone, Raw
from ..call import ApiCall
from ..dialect import NEVER, Thing
from ..faults import BAD, Refused, refuse
from ..render import document
from ..routing import get, verb
from ..world import World
from .hostshape import HOST
from .storageshape import DOMAIN, LUN, LUN_30

#: The LUNs of the Fibre Channel storage; every host sees them.
FIBRE = tuple(f"3600a0980{number:08d}" for number in range(1, 9))


def luns_of(target: str) -> tuple[str, ...]:
    """Give the LUNs behind an iSCSI target."""
    return tuple(f"36001405{zlib.crc32(target.encode()):08x}{number:016x}" for number in (1, 2))


def discover(call: ApiCall) -> ActionDone:
    """Ask an iSCSI portal for its targets."""
    address = call.text("iscsi/address")
    if not address:
        raise Refused("Action [iscsi.address] required for iscsiDiscover", BAD, "Incomplete parameters")
    target = f"iqn.2026-01.com.example:{address}"
    if call.dialect.number == 3:
        return ActionDone(HOST, call.things["host"], {"iscsi_target": f"<iscsi_target>{escape(target)}</iscsi_target>"})
    found = f"<address>{escape(address)}</address><port>3260</port><target>{escape(target)}</target>"
    outputs = {"iscsi_targets": f"<iscsi_targets><iscsi_target>{escape(target)}</iscsi_target></iscsi_targets>"}
    if call.dialect.knows((4, 4)):
        outputs["discovered_targets"] = (
            f"<discovered_targets><iscsi_details>{found}</iscsi_details></discovered_targets>"
        )
    return ActionDone(HOST, call.things["host"], outputs)


def log_in(call: ApiCall) -> ActionDone:
    """Log in to an iSCSI target; from then on the host sees its LUNs."""
    told = {word: call.text(f"iscsi/{word}") for word in ("address", "port", "target")}
    missing = [word for word in ("address", "target") if not told[word]]
    if missing:
        words = ", ".join(f"iscsi.{word}" for word in missing)
        raise Refused(f"Action [{words}] required for iscsiLogin", BAD, "Incomplete parameters")
    connect(call.world, call.things["host"], told)
    return ActionDone(HOST, call.things["host"])


def connect(world: World, host: Thing, portal: Thing) -> None:
    """Log a host in to an iSCSI target.

    Args:
        world: Where it is.
        host: The hypervisor.
        portal: `address`, `port` and `target`.
    """
    others = [one for one in host.get("targets", ()) if one["target"] != portal["target"]]
    told = {"address": portal["address"], "target": portal["target"], "port": str(portal.get("port") or "3260")}
    world.change(host, targets=[*others, told])


def seen_by(host: Thing) -> dict[str, Thing]:
    """Give what a host sees: the id of each LUN with its storage type, and the target that it is behind."""
    fibre: dict[str, Thing] = {lun: {"type": "fcp"} for lun in FIBRE}
    return fibre | {
        lun: {"type": "iscsi", **target} for target in host.get("targets", ()) for lun in luns_of(target["target"])
    }


def holders(world: World) -> dict[str, Thing]:
    """Give the storage domain on each LUN that has one, also those that no engine has any more."""
    everything = (*world.all("leftover"), *world.all("storage_domain"))
    return {one["id"]: domain for domain in everything for one in domain.get("luns", ())}


def take(call: ApiCall, host: Thing, values: Thing) -> None:
    """Make a volume group of a new domain's LUNs; the host logs in to their target where the body names it.

    Raises:
        Refused: The host does not see a LUN, or there is a volume group on it.
    """
    for one in values["luns"]:
        if one.get("target") and one.get("address"):
            connect(call.world, host, one)
    seen, held = seen_by(host), holders(call.world)
    for one in values["luns"]:
        if seen.get(one["id"], {}).get("type") != values["storage_type"]:
            raise Refused("Cannot create Volume Group", BAD)
        if one["id"] in held and not values.get("override_luns"):
            raise refuse("lun used", call.dialect, luns=one["id"])
    values["vg"] = group_name(values["luns"][0]["id"])


def group_name(lun: str) -> str:
    """Give the id of the volume group on a LUN, in the form that LVM has."""
    digits = f"{zlib.crc32(lun.encode()):08x}{zlib.adler32(lun.encode()):08x}" * 2
    return "-".join((digits[:6], digits[6:10], digits[10:14], digits[14:18], digits[18:22], digits[22:26], digits[26:]))


def storage(call: ApiCall) -> Raw:
    """List the LUNs that a host sees, with what is on them."""
    held, texts = holders(call.world), []
    for number, (lun, about) in enumerate(seen_by(call.things["host"]).items(), 1):
        unit = f'<logical_unit id="{lun}">{_unit(call, number, about, held.get(lun))}</logical_unit>'
        if call.dialect.number == 4:
            inside = f"<logical_units>{unit}</logical_units><type>{about['type']}</type>"
            texts.append(f'<host_storage id="{lun}">{inside}</host_storage>')
        else:
            texts.append(f'<storage id="{lun}"><type>{about["type"]}</type>{unit}</storage>')
    tag = "host_storages" if call.dialect.number == 4 else "host_storage"
    return Raw(document(f"<{tag}>{''.join(texts)}</{tag}>"))


def _unit(call: ApiCall, number: int, about: Thing, domain: Thing | None) -> str:
    """Write what a LUN is, and since 3.1 what is on it."""
    values = {
        **about,
        "serial": "SEX",
        "vendor_id": "EXAMPLE",
        "product_id": "VIRTUAL-DISK",
        "lun_mapping": number,
        "size": 100 << 30,
        "paths": 1,
        "status": "used" if domain else "free",
        "volume_group_id": domain.get("vg") if domain else None,
        "storage_domain_id": domain["id"] if domain else None,
    }
    fields = LUN_30 if call.dialect.version < (3, 1) else LUN
    tags = [one.key for one in fields if one.key != "id" and one.path(call.dialect)]
    if call.dialect.number == 4:
        tags.sort()
    return "".join(f"<{tag}>{escape(str(values[tag]))}</{tag}>" for tag in tags if values.get(tag))


def find_domains(call: ApiCall) -> ActionDone:
    """List the block domains that a host sees and the engine lacks: over Fibre Channel, or behind the given targets."""
    address, host = call.text("iscsi/address"), call.things["host"]
    targets = [(one.text or "").strip() for one in call.body.iter("iscsi_target")] if call.body is not None else []
    if address and not any(targets):
        raise Refused("Couldn't connect to the specified targets", BAD)
    for target in filter(None, targets) if address else ():
        connect(call.world, host, {"address": address, "port": call.text("iscsi/port"), "target": target})
    luns = {lun for target in targets for lun in luns_of(target)} if address else set(FIBRE)
    found = [one for one in call.world.all("leftover") if luns & {lun["id"] for lun in one.get("luns", ())}]
    texts = "".join(_domain(call, one) for one in found)
    return ActionDone(HOST, host, {"storage_domains": f"<storage_domains>{texts}</storage_domains>"})


def _domain(call: ApiCall, one: Thing) -> str:
    kind = f"<type>{one['type']}</type>"
    name = f"<name>{escape(one['name'])}</name>"
    storage = f'<storage><type>{one["storage_type"]}</type><volume_group id="{one["vg"]}"/></storage>'
    committed, master = "<committed>0</committed>", "<master>false</master>"
    four = call.dialect.number == 4
    parts = (committed, master, name, storage, kind) if four else (name, kind, master, storage, committed)
    return f'<{DOMAIN.tag} id="{one["id"]}">{"".join(parts)}</{DOMAIN.tag}>'


ROUTES = (
    verb("/hosts/{host}/iscsidiscover", discover, "ask an iSCSI portal for its targets"),
    verb("/hosts/{host}/discoveriscsi", discover, "ask an iSCSI portal for its targets", since3=NEVER, since4=(4, 4)),
    verb("/hosts/{host}/iscsilogin", log_in, "log in to an iSCSI target"),
    verb(
        "/hosts/{host}/unregisteredstoragedomainsdiscover",
        find_domains,
        "list the block domains that it sees and the engine lacks",
        since3=(3, 5),
    ),
    get("/hosts/{host}/storage", storage, "list the LUNs that it sees"),
)
