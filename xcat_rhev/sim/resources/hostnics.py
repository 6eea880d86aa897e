"""The network cards of hosts, and which networks are attached to them: three generations of doing the same."""

from __future__ import annotations

from typing import Any

from ..answers import ActionDone, One, Removed
from ..call import SHAPES, ApiCall, require
from ..dialect import NEVER, SimShape, Thing, ref, sim_field
from ..faults import BAD, Refused, incomplete, not_found, refuse
from ..render import reference
from ..routing import delete, get, post, put, verb
from ..world import World
from .common import lists_of, shows

OPTION = (sim_field("name", v3="@name", v4="name"), sim_field("value", v3="@value", v4="value"))
HOST_NIC = SimShape(
    "host_nic",
    "host_nic",
    "host_nics",
    "/hosts/{host}/nics/{host_nic}",
    (
        ref("host"),
        ref("network"),
        sim_field("mac", v3="mac@address", v4="mac/address", fixed=True),
        sim_field("ip_address", v3="ip@address", v4="ip/address"),
        sim_field("ip_netmask", v3="ip@netmask", v4="ip/netmask"),
        sim_field("ip_gateway", v3="ip@gateway", v4="ip/gateway"),
        sim_field("base_interface", since3=(3, 1), fixed=True),
        sim_field("vlan", "int", "vlan@id", "vlan@id", fixed=True),
        sim_field("bond_options", v3="bonding/options/option[]", v4="bonding/options/option[]", item=OPTION),
        ref("slaves", "host_nic", "bonding/slaves/host_nic[]", "bonding/slaves/host_nic[]"),
        sim_field("boot_protocol", words="dhcp static none"),
        sim_field("check_connectivity", "bool", v4=""),
        sim_field("speed", "int", fixed=True),
        sim_field("status", v3="status/state", v4="status", fixed=True),
        sim_field("mtu", "int", since3=(3, 1)),
        sim_field("bridged", "bool", since3=(3, 1), fixed=True),
        sim_field("custom_configuration", "bool", since3=(3, 1), fixed=True),
    ),
    order30="host network mac ip vlan bonding boot_protocol statistics check_connectivity speed status",
    order36="host network mac ip base_interface vlan bonding boot_protocol statistics check_connectivity speed status "
    "mtu bridged custom_configuration",
)
ATTACHMENT = SimShape(
    "attachment",
    "network_attachment",
    "network_attachments",
    "/hosts/{host}/networkattachments/{attachment}",
    (
        ref("network"),
        ref("host_nic"),
        sim_field(
            "assignments",
            v3="ip_address_assignments/ip_address_assignment[]",
            v4="ip_address_assignments/ip_address_assignment[]",
            item=(
                sim_field("address", v3="ip@address", v4="ip/address"),
                sim_field("netmask", v3="ip@netmask", v4="ip/netmask"),
                sim_field("gateway", v3="ip@gateway", v4="ip/gateway"),
                sim_field("version", v3="ip@version", v4="ip/version"),
                sim_field("method", v3="assignment_method", v4="assignment_method"),
            ),
        ),
        sim_field("in_sync", "bool", v3="reported_configurations/in_sync", v4="in_sync", fixed=True),
        ref("host"),
    ),
)
SHAPES["host_nic"], SHAPES["attachment"] = HOST_NIC, ATTACHMENT


def bring_parts(world: World, host: Thing) -> None:
    """Give a new host its four network cards; the first carries the management network of its cluster."""
    number = 0x525400000000 + (world.random.getrandbits(28) << 4)
    cluster = world.get("cluster", host["cluster"]) or {}
    management = cluster.get("management_network")
    for at in range(4):
        mac = ":".join(f"{number + at:012x}"[byte : byte + 2] for byte in range(0, 12, 2))
        nic = world.add(
            "host_nic",
            name=f"eth{at}",
            host=host["id"],
            mac=mac,
            speed=10_000_000_000,
            mtu=1500,
            boot_protocol="none",
            status="up" if at < 2 else "down",
            network=None,
            bridged=True,
            custom_configuration=False,
        )
        if at == 0 and management:
            attach(world, host, nic, world.the("network", management), {"method": "dhcp", "address": host["address"]})


def attach(world: World, host: Thing, nic: Thing, network: Thing, *ways: Thing, **more: Any) -> Thing:
    """Attach a network to a card; a tagged one gets a device of its own on it, as eth1.100.

    Args:
        world: Where they are.
        host: The card's host.
        nic: The card.
        network: The network.
        *ways: How it gets its addresses, one for each IP version: `method`, `address`, `netmask`, `gateway`,
            `version`, as far as they are known.
        **more: What else the attachment has, e.g. the id of one that moves.
    """
    carrier = _vlan_device(world, host, nic, network["vlan"]) if network.get("vlan") else nic
    set_address(world, carrier, network["id"], *ways)
    return world.add(
        "attachment",
        host=host["id"],
        host_nic=nic["id"],
        network=network["id"],
        assignments=[way for way in ways if way],
        **{"in_sync": True, **more},
    )


def _vlan_device(world: World, host: Thing, nic: Thing, vlan: int) -> Thing:
    """Give the device of a VLAN on a card."""
    name = f"{nic['name']}.{vlan}"
    about = {key: nic.get(key) for key in ("mac", "speed", "mtu", "status")}
    return world.exactly("host_nic", name, host=host["id"]) or world.add(
        "host_nic",
        name=name,
        host=host["id"],
        base_interface=nic["name"],
        vlan=vlan,
        network=None,
        bridged=True,
        custom_configuration=False,
        boot_protocol="none",
        **about,
    )


def set_address(world: World, carrier: Thing, network: str | None, *ways: Thing) -> None:
    """Let a card show a network and its IPv4 address."""
    how = next((way for way in ways if way.get("version") != "v6"), {})
    world.change(
        carrier,
        network=network,
        boot_protocol=how.get("method") or "none",
        ip_address=how.get("address"),
        ip_netmask=how.get("netmask"),
        ip_gateway=how.get("gateway"),
    )


def carrier_of(world: World, attachment: Thing) -> Thing:
    """Give the card, or the device on it, that shows an attached network."""
    card = world.the("host_nic", attachment["host_nic"])
    on = [one for one in world.of("host_nic", "host", attachment["host"]) if one.get("base_interface") == card["name"]]
    return next((one for one in on if one.get("network") == attachment["network"]), card)


def _attachments(world: World, nic: Thing) -> list[Thing]:
    """Give what is attached to a card, or over a device on it."""
    return [
        one
        for one in world.of("attachment", "host", nic["host"])
        if nic["id"] in (one["host_nic"], carrier_of(world, one)["id"])
    ]


def detach(world: World, attachment: Thing) -> None:
    """Take a network off its card, and its device away."""
    carrier = carrier_of(world, attachment)
    world.remove(attachment)
    if carrier.get("base_interface"):
        world.remove(carrier)
    elif carrier.get("network") == attachment["network"]:
        set_address(world, carrier, None)


def forget_network(world: World, network: Thing) -> None:
    """Take a network out of the world, off every card and out of every cluster."""
    for kind in ("vnic_profile", "cluster_network"):
        for part in world.of(kind, "network", network["id"]):
            world.remove(part)
    for attachment in world.of("attachment", "network", network["id"]):
        detach(world, attachment)
    for nic in world.all("nic"):
        if nic.get("network") == network["id"]:
            world.change(nic, network=None, vnic_profile=None)
    for cluster in world.of("cluster", "data_center", network["data_center"]):
        if cluster["management_network"] == network["id"]:
            world.change(cluster, management_network=None)
    world.remove(network)


def manages(world: World, network: Thing) -> bool:
    """Tell whether a cluster is managed over this network."""
    clusters = world.of("cluster", "data_center", network["data_center"])
    return any(cluster["management_network"] == network["id"] for cluster in clusters)


def network_named(call: ApiCall, said: Thing | None) -> Thing:
    """Find a network of the host's data center."""
    cluster = call.world.the("cluster", call.things["host"]["cluster"])
    if call.dialect.modern and said is not None and "id" not in said:
        if call.world.exactly("network", said.get("name", ""), data_center=cluster["data_center"]) is None:
            raise Refused(f"Logical Network (name '{said.get('name', '')}') doesn't exist.", BAD)
    network = call.look_up("network", said, data_center=cluster["data_center"])
    if not any(one["network"] == network["id"] for one in call.world.of("cluster_network", "cluster", cluster["id"])):
        raise Refused(
            f"Cannot setup Networks. The network '{network['name']}' does not exist in the Host's Cluster.", BAD
        )
    return network


def card_named(call: ApiCall, said: Thing | None) -> Thing:
    """Find a card of the host."""
    return own_part(call, "host_nic", said)


def own_part(call: ApiCall, kind: str, said: Thing | None) -> Thing:
    """Find a part of the host; another host's is as good as none."""
    host = call.things["host"]["id"]
    found = call.look_up(kind, said, host=host)
    if found["host"] != host:
        raise not_found(kind.title().replace("_", ""), found["id"])
    return found


def refuse_double(call: ApiCall, network: Thing, but: Thing | None = None) -> None:
    """Refuse to attach a network to a host twice."""
    for one in call.world.of("attachment", "host", call.things["host"]["id"]):
        if one["network"] == network["id"] and one is not but:
            raise refuse("nic has network", call.dialect, name=network["name"])


# v3's first way: attach, detach, PUT on the card ---------------------------------------------------------------------


def nic_attach(call: ApiCall) -> ActionDone:
    """Attach a network to this card (v3)."""
    element = call.part("network")
    network = network_named(call, reference(element))
    refuse_double(call, network)
    attach(call.world, call.things["host"], call.things["host_nic"], network, {})
    return ActionDone(HOST_NIC, call.things["host_nic"])


def nic_detach(call: ApiCall) -> ActionDone:
    """Detach a network from this card (v3)."""
    element, nic = call.part("network"), call.things["host_nic"]
    network = network_named(call, reference(element))
    for one in _attachments(call.world, nic):
        if one["network"] == network["id"]:
            detach(call.world, one)
            return ActionDone(HOST_NIC, nic)
    raise Refused("Cannot detach Network from Interface. The network is not attached to the Interface.")


def nic_changed(call: ApiCall) -> One:
    """Give a card another address (v3)."""
    nic, world = call.things["host_nic"], call.world
    values = call.changes(HOST_NIC)
    for key in ("check_connectivity", "host", "slaves", "name"):
        values.pop(key, None)
    if values.get("network"):
        network = network_named(call, values["network"])
        _swap(call, nic, network)
        values["network"] = network["id"]
    if values.get("boot_protocol", "none") != "none" and not (values.get("network") or nic.get("network")):
        raise refuse("nic without network", call.dialect, BAD)
    world.change(nic, **values)
    for one in _attachments(world, nic):
        if one["network"] == nic["network"]:
            how = {
                "method": nic["boot_protocol"],
                "address": nic.get("ip_address"),
                "netmask": nic.get("ip_netmask"),
                "gateway": nic.get("ip_gateway"),
            }
            world.change(one, assignments=[how])
    return One(HOST_NIC, nic)


def _swap(call: ApiCall, nic: Thing, network: Thing) -> None:
    here = [one for one in _attachments(call.world, nic) if one["network"] == nic.get("network")]
    refuse_double(call, network, here[0] if here else None)
    if here:
        call.world.change(here[0], network=network["id"])
    else:
        attach(call.world, call.things["host"], nic, network, {})


def bond(call: ApiCall) -> One:
    """Bind cards together (v3)."""
    values = call.fresh(HOST_NIC)
    require(
        values,
        ("HostNIC", "HostNic"),
        ("name", "network:network.id|name", "slaves:bonding.slaves.id|name"),
        call.dialect,
    )
    network = network_named(call, values.pop("network"))
    refuse_double(call, network)
    bond = make_bond(call, values)
    attach(call.world, call.things["host"], bond, network, {"method": values.get("boot_protocol") or "none"})
    return One(HOST_NIC, bond, 201)


def make_bond(call: ApiCall, values: Thing) -> Thing:
    """Make a bond of cards that are free, or change the one of that name."""
    host, world = call.things["host"], call.world
    slaves = [card_named(call, said) for said in values.get("slaves", ())]
    if len(slaves) < 2:
        raise Refused("Cannot setup Networks. Bonds must include at least two Network Interfaces.", BAD)
    usual = {"mac": slaves[0]["mac"], "speed": slaves[0]["speed"], "mtu": 1500, "boot_protocol": "none", "status": "up"}
    told = {"bond_options": values.get("bond_options", []), "slaves": [one["id"] for one in slaves]}
    here = world.exactly("host_nic", values["name"], host=host["id"])
    if here is not None:
        world.change(here, **told)
        return here
    return world.add("host_nic", name=values["name"], host=host["id"], network=None, bridged=True, **usual, **told)


def unbond(call: ApiCall) -> Removed:
    """Break a bond (v3)."""
    break_bond(call.world, call.things["host_nic"])
    return Removed()


def break_bond(world: World, bond: Thing) -> None:
    """Let the members of a bond be cards of their own again."""
    if not bond.get("slaves"):
        raise Refused("Cannot remove Bond. The Interface is not a bond.")
    for one in world.of("attachment", "host_nic", bond["id"]):
        detach(world, one)
    world.remove(bond)


def setup_by_cards(call: ApiCall) -> ActionDone:
    """Bring all cards into the state that the body describes; a card that is left out loses its networks (v3.1+)."""
    world, host = call.world, call.things["host"]
    if call.part("host_nics") is None:
        raise incomplete("Action", ["hostNics.hostNic"], "setupNetworks")
    told = [call.read(HOST_NIC, element) for element in elements(call, "host_nics")]
    for one in world.of("attachment", "host", host["id"]):
        detach(world, one)
    for values in told:
        nic = make_bond(call, values) if values.get("slaves") else card_named(call, values)
        if values.get("network"):
            how = {key: values.get(f"ip_{key}") for key in ("address", "netmask", "gateway")}
            attach(
                world, host, nic, network_named(call, values["network"]), {"method": values.get("boot_protocol"), **how}
            )
    return ActionDone()


# what comes with both ways --------------------------------------------------------------------------------------------


def elements(call: ApiCall, path: str) -> list[Any]:
    """Give the elements that a list in the body holds."""
    element = call.part(path)
    return [] if element is None else [child for child in element if isinstance(child.tag, str)]


_CARD = "/hosts/{host}/nics/{host_nic}"
_OLD = {"since4": NEVER}
ROUTES = (
    get("/hosts/{host}/nics", lists_of(HOST_NIC, "host"), "list its network cards"),
    get(_CARD, shows(HOST_NIC), "show a network card"),
    post("/hosts/{host}/nics", bond, "bind cards together", **_OLD),
    put(_CARD, nic_changed, "give a card another address or network", **_OLD),
    delete(_CARD, unbond, "break a bond", **_OLD),
    verb(f"{_CARD}/attach", nic_attach, "attach a network to a card", **_OLD),
    verb(f"{_CARD}/detach", nic_detach, "detach a network from a card", **_OLD),
    verb(
        "/hosts/{host}/nics/setupnetworks", setup_by_cards, "bring all cards into a state", since3=(3, 1), since4=NEVER
    ),
)
