"""Which networks are attached to a host, as engines from 3.6 on tell and set it: together, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..answers import ActionDone, Many, One, Removed
from ..call import ApiCall, require
from ..dialect import NEVER, Thing
from ..faults import BAD, Refused
from ..render import reference
from ..routing import delete, get, post, put, verb
from ..world import World
from .common import lists_of, shows
from .hostnics import (
    ATTACHMENT,
    HOST_NIC,
    attach,
    break_bond,
    card_named,
    carrier_of,
    detach,
    elements,
    make_bond,
    manages,
    network_named,
    own_part,
    refuse_double,
    set_address,
)


def attach_network(call: ApiCall) -> One:
    """Attach a network."""
    values = call.read(ATTACHMENT)
    if "host_nic" in call.things:
        values["host_nic"] = {"id": call.things["host_nic"]["id"]}
    require(
        values,
        ("NetworkAttachment", "NetworkAttachment"),
        ("network:network.id|name", "host_nic:hostNic.id|name"),
        call.dialect,
    )
    network = network_named(call, values["network"])
    refuse_double(call, network)
    nic = card_named(call, values["host_nic"])
    return One(ATTACHMENT, attach(call.world, call.things["host"], nic, network, *_ways(call, values)), 201)


def attachment_changed(call: ApiCall) -> One:
    """Change an attachment: other addresses, another card."""
    values = call.changes(ATTACHMENT)
    return One(ATTACHMENT, _change(call, call.things["attachment"], values))


def _ways(call: ApiCall, values: Thing) -> list[Thing]:
    """How a network gets its addresses: what the body does not name has none. RHEV 3.6 knows IPv4 alone."""
    told = {_version(way): way for way in values.get("assignments", ())}
    known = ("v4", "v6") if call.dialect.number == 4 else ("v4", *(["v6"] if "v6" in told else []))
    return [{"method": "none", **told.get(version, {}), "version": version} for version in known]


def _version(way: Thing) -> str:
    """The IP version: as told, or by the address, or the old one (IpHelper.getVersion)."""
    return str(way.get("version") or ("v6" if ":" in (way.get("address") or "") else "v4"))


def _change(call: ApiCall, thing: Thing, values: Thing) -> Thing:
    """Change an attachment; addresses that are told replace all that it had."""
    world, host = call.world, call.things["host"]
    network = world.the("network", thing["network"])
    ways = _ways(call, values) if "assignments" in values else thing["assignments"]
    nic = world.the("host_nic", thing["host_nic"])
    if values.get("host_nic"):
        nic = card_named(call, values["host_nic"])
    if nic["id"] != thing["host_nic"]:
        detach(world, thing)
        return attach(world, host, nic, network, *ways, id=thing["id"])
    world.change(thing, assignments=ways, in_sync=True)
    set_address(world, carrier_of(world, thing), network["id"], *ways)
    return thing


def detach_network(call: ApiCall) -> Removed:
    """Detach a network."""
    if manages(call.world, call.world.the("network", call.things["attachment"]["network"])):
        name = call.world.the("network", call.things["attachment"]["network"])["name"]
        raise Refused(f"The Management Network ('{name}') is mandatory and cannot be removed.", BAD)
    detach(call.world, call.things["attachment"])
    return Removed()


@dataclass
class _Change:
    """All that one call asks for.

    Attributes:
        removed: Attachments that go.
        broken: Bonds that go.
        bonds: Bonds that are made or changed, as they are told.
        entries: Attachments that are made or changed: the one that is there, and what is told.
        synchronized: Ids of attachments whose host may differ from what the network wants.
    """

    removed: list[Thing] = field(default_factory=list)
    broken: list[Thing] = field(default_factory=list)
    bonds: list[Thing] = field(default_factory=list)
    entries: list[tuple[Thing | None, Thing]] = field(default_factory=list)
    synchronized: set[str] = field(default_factory=set)

    def left_on(self, world: World, host: Thing) -> list[tuple[str, Thing]]:
        """Card's name and network of each attachment as it will be."""
        told = {there["id"]: values for there, values in self.entries if there}
        gone = {one["id"] for one in self.removed}
        left = []
        for one in world.of("attachment", "host", host["id"]):
            if one["id"] not in gone and not told.get(one["id"], {}).get("host_nic"):
                left.append((world.the("host_nic", one["host_nic"])["name"], world.the("network", one["network"])))
        for _, values in self.entries:
            if values.get("host_nic"):
                said = values["host_nic"]
                name = world.the("host_nic", said["id"])["name"] if "id" in said else said["name"]
                left.append((name, values["network"]))
        return left


def setup(call: ApiCall) -> ActionDone:
    """Change attachments and bonds in one go, or nothing: an entry with an id is changed, one without is made."""
    world, host = call.world, call.things["host"]
    change = _read_change(call)
    _check(call, change)
    for one in change.removed:
        detach(world, one)
    # What leaves a bond that goes has left before it goes.
    broken = {bond["id"] for bond in change.broken}
    for there, _ in change.entries:
        if there is not None and there["host_nic"] in broken:
            detach(world, there)
    for bond in change.broken:
        break_bond(world, bond)
    for values in change.bonds:
        make_bond(call, values)
    for there, values in change.entries:
        if there is None:
            nic = card_named(call, values["host_nic"])
            attach(world, host, nic, values["network"], *_ways(call, values))
        elif world.get("attachment", there["id"]) is None:
            nic = card_named(call, values["host_nic"])
            ways = _ways(call, values) if "assignments" in values else there["assignments"]
            attach(world, host, nic, values["network"], *ways, id=there["id"])
        else:
            _change(call, there, values)
    for wanted in change.synchronized:
        world.change(world.the("attachment", wanted), in_sync=True)
    return ActionDone()


def _read_change(call: ApiCall) -> _Change:
    """Read what is asked for, and find what it is about."""
    change = _Change()
    for element in elements(call, "removed_network_attachments"):
        change.removed.append(_attachment(call, element.get("id") or "", "Cannot remove following"))
    for element in elements(call, "removed_bonds"):
        change.broken.append(card_named(call, reference(element)))
    for element in elements(call, "modified_bonds"):
        change.bonds.append(call.read(HOST_NIC, element))
    for element in elements(call, "synchronized_network_attachments"):
        change.synchronized.add(own_part(call, "attachment", {"id": element.get("id") or ""})["id"])
    for element in elements(call, "modified_network_attachments"):
        values = call.read(ATTACHMENT, element)
        change.entries.append(_entry(call, values))
    return change


def _attachment(call: ApiCall, wanted: str, says: str) -> Thing:
    for one in call.world.of("attachment", "host", call.things["host"]["id"]):
        if one["id"] == wanted:
            return one
    raise Refused(f"Cannot setup Networks. {says} Network Attachments, because they do not exist: \t{wanted}.", BAD)


def _entry(call: ApiCall, values: Thing) -> tuple[Thing | None, Thing]:
    """The attachment that an entry is about: by its id, or because the host has that network already."""
    host = call.things["host"]["id"]
    there = None
    if values.get("id"):
        there = _attachment(call, values["id"], "Cannot modify following")
        network = call.world.the("network", there["network"])
    else:
        network = network_named(call, values.get("network"))
        here = [one for one in call.world.of("attachment", "host", host) if one["network"] == network["id"]]
        there = here[0] if here else None
    return there, {**values, "network": network}


def _check(call: ApiCall, change: _Change) -> None:
    """Refuse what cannot be before anything is changed (HostSetupNetworksCommand and its validator, 3.6 to 4.5)."""
    coming = {bond["name"] for bond in change.bonds}
    for there, values in change.entries:
        _check_card(call, values, coming)
        _check_addresses(call, values)
        told = values.get("id")
        if there is not None and told and not there["in_sync"] and told not in change.synchronized:
            raise Refused(
                "Cannot setup Networks. The following Network definitions on the Network Interface are different than "
                "those on the Logical Network. Please synchronize the Network Interface before editing network "
                f"{values['network']['name']}. The non-synchronized values are: bootProtocol."
            )
    left = change.left_on(call.world, call.things["host"])
    for bond in change.bonds:
        _check_members(call, change, bond, left)
    for bond in change.broken:
        if any(name == bond["name"] for name, _ in left):
            raise Refused(
                f"Cannot setup Networks. Cannot remove bond {bond['name']}, because it's used by Network Attachments."
            )


def _check_card(call: ApiCall, values: Thing, coming: set[str]) -> None:
    """Refuse a card that is not there and that no bond of the same call becomes."""
    said = values.get("host_nic")
    if said is None and values.get("id"):
        return
    said = said or {}
    if said.get("name") in coming:
        return
    cards = call.world.of("host_nic", "host", call.things["host"]["id"])
    if not any(one["id"] == said["id"] if "id" in said else one["name"] == said.get("name") for one in cards):
        about = f"(id {said.get('id', 'null')}, name {said.get('name', 'null')})"
        raise Refused(f"Cannot setup Networks. The host network interface {about} does not exist.", BAD)


def _check_addresses(call: ApiCall, values: Thing) -> None:
    for way in values.get("assignments", ()):
        if way.get("method") == "static" and not (way.get("address") and way.get("netmask")):
            said = values.get("host_nic") or {}
            name = said.get("name") or (call.world.get("host_nic", said.get("id")) or {}).get("name", "null")
            raise Refused(
                f"Insufficient ip configuration of Network attachment for Network {values['network']['name']}, "
                f"Interface {name}. Must define ip address and netmask when boot protocol is static.",
                BAD,
            )


def _check_members(call: ApiCall, change: _Change, bond: Thing, left: list[tuple[str, Thing]]) -> None:
    """Refuse members that another bond keeps or that carry a network."""
    cards = call.world.of("host_nic", "host", call.things["host"]["id"])
    kept = {
        slave
        for one in cards
        if one.get("slaves") and one["name"] != bond["name"] and one not in change.broken
        for slave in _slaves(call, change, one)
    }
    for said in bond.get("slaves", ()):
        member = card_named(call, said)
        if member["id"] in kept:
            raise Refused(f"Network Interface '{member['name']}' already belongs to the bond.")
        for name, network in left:
            if name == member["name"]:
                raise Refused(
                    f"Cannot setup Networks. Network Interface '{name}' cannot become slave, "
                    f"there's network '{network['name']}' attached to it."
                )


def _slaves(call: ApiCall, change: _Change, bond: Thing) -> list[str]:
    """The members of a bond as they will be."""
    for told in change.bonds:
        if told["name"] == bond["name"]:
            return [card_named(call, said)["id"] for said in told.get("slaves", ())]
    return list(bond["slaves"])


def synchronize(call: ApiCall) -> ActionDone:
    """Bring all networks of a host into line with what they are to be."""
    for one in call.world.of("attachment", "host", call.things["host"]["id"]):
        call.world.change(one, in_sync=True)
    return ActionDone()


def by_card(call: ApiCall) -> Many:
    """List the attachments of one card."""
    return Many(ATTACHMENT, call.world.of("attachment", "host_nic", call.things["host_nic"]["id"]))


_ON = "/hosts/{host}/networkattachments"
_CARD = "/hosts/{host}/nics/{host_nic}/networkattachments"
_SINCE: Any = {"since3": (3, 6)}
ROUTES = (
    get(_ON, lists_of(ATTACHMENT, "host"), "list what networks it has", **_SINCE),
    post(_ON, attach_network, "attach a network", **_SINCE),
    get(f"{_ON}/{{attachment}}", shows(ATTACHMENT), "show an attachment", **_SINCE),
    put(f"{_ON}/{{attachment}}", attachment_changed, "change an attachment", **_SINCE),
    delete(f"{_ON}/{{attachment}}", detach_network, "detach a network", **_SINCE),
    get(_CARD, by_card, "list the attachments of a card", **_SINCE),
    post(_CARD, attach_network, "attach a network to a card", **_SINCE),
    verb("/hosts/{host}/setupnetworks", setup, "change attachments and bonds in one go", **_SINCE),
    verb("/hosts/{host}/syncallnetworks", synchronize, "bring its networks into line", since3=NEVER, since4=(4, 2)),
)
