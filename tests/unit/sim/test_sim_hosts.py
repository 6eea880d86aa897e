"""Hosts: registration, approval, maintenance, fencing, and the three ways to their networks."""

from __future__ import annotations

from typing import Any

import pytest

REGISTER = "/OvirtEngineWeb/register?vds_ip=10.0.0.7&vds_name={}&vds_unique_id={}&port=54321&__VIEWSTATE="
HOST = "<host><name>{}</name><address>{}</address><root_password>x</root_password></host>"


def conflict(engine: Any) -> int:
    return 400 if engine.dialect.version < (3, 3) else 409


def registered(engine: Any, name: str = "node7", unique: str = "4C4C_52:54:00:00:00:07") -> str:
    assert engine.get(REGISTER.format(name, unique), authorization="").status == 200
    return engine.host(name)


@pytest.mark.parametrize(
    "path", ["/RHEVManagerWeb/VdsAutoRegistration.aspx", "/OvirtEngineWeb/VdsAutoRegistration.aspx"]
)
def test_every_old_address_registers(engine: Any, path: str) -> None:
    answer = engine.get(f"{path}?vds_ip=10.0.0.8&vds_name=node8&vds_unique_id=AA", authorization="")
    assert answer.status == 200 and answer.body.startswith(b"20")
    assert engine.status(engine.host("node8")) == "pending_approval"


def test_the_new_servlet_registers(engine: Any) -> None:
    base = "/ovirt-engine/services/host-register?version=1&command="
    assert engine.get(f"{base}get-version", authorization="").body == b"1"
    assert engine.get(f"{base}get-pki-trust", authorization="").body == b"PEM"
    assert engine.get(f"{base}register", authorization="").status == 400
    assert engine.get(f"{base}register&uniqueId=BB&name=node9", authorization="").body == b"OK\n"
    assert engine.get(engine.host("node9")).text("address") == "10.1.2.3"


def test_registering_again_updates_and_names_do_not_collide(engine: Any) -> None:
    registered(engine)
    registered(engine)
    registered(engine, "node7", "4C4C_other")
    names = [host["name"] for host in engine.world.all("host")]
    assert names == ["rhevh1", "rhevh2", "node7", "node7-2"]


def test_approval_is_installation_and_then_up(engine: Any) -> None:
    path = registered(engine)
    answer = engine.post(f"{path}/approve", "<action><cluster><name>Default</name></cluster></action>")
    assert answer.status == 200
    seen = []
    for _ in range(20):
        seen.append(engine.status(path))
        engine.later(0.1)
    assert list(dict.fromkeys(seen)) == ["installing", "initializing", "up"]
    again = engine.post(f"{path}/approve")
    assert again.status == conflict(engine) and "Cannot approve" in again.detail()


def test_a_host_is_added_by_address_and_password(engine: Any) -> None:
    answer = engine.post("/hosts", HOST.format("h3", "10.0.0.3"))
    assert answer.status == 201 and engine.status(f"/hosts/{answer.id}") == "installing"
    engine.later()
    assert engine.status(f"/hosts/{answer.id}") == "up"
    assert b"root_password" not in engine.get(f"/hosts/{answer.id}").body
    for name, address in (("h3", "10.0.0.4"), ("h4", "10.0.0.3")):
        refused = engine.post("/hosts", HOST.format(name, address))
        assert refused.status == conflict(engine) and "already" in refused.detail()


def test_a_new_host_needs_a_password(make_engine: Any) -> None:
    body = "<host><name>h3</name><address>10.0.0.3</address></host>"
    answer = make_engine((3, 0)).post("/hosts", body)
    assert answer.detail() == "Host [root_password] required for add"
    assert make_engine((4, 5)).post("/hosts", body).detail() == "[Cannot install Host with empty password.]"
    key = "<host><name>h3</name><address>10.0.0.3</address><ssh><authentication_method>publickey"
    assert make_engine((4, 5)).post("/hosts", f"{key}</authentication_method></ssh></host>").status == 201


def test_maintenance_moves_the_machines_away(engine: Any) -> None:
    for name in ("vm1", "vm2"):
        engine.post(f"{engine.vm(name)}/start")
    engine.later()
    host = engine.world.get("vm", engine.id("vm", "vm1"))["host"]
    path = f"/hosts/{host}"
    assert engine.get(path).text("summary/total") == "1"
    assert engine.post(f"{path}/deactivate").status == 200
    assert engine.status(path) == "preparing_for_maintenance"
    engine.later()
    assert engine.status(path) == "maintenance"
    assert engine.get(path).text("summary/total") == "0"
    twice = engine.post(f"{path}/deactivate")
    assert twice.detail() == "[Cannot switch Host to Maintenance mode. Host is already in Maintenance mode.]"
    assert engine.post(f"{path}/activate").status == 200
    engine.later()
    assert engine.status(path) == "up"


def test_a_machine_that_cannot_move_keeps_its_host_preparing(make_engine: Any) -> None:
    engine = make_engine((4, 5), hosts=1)
    engine.post(f"{engine.vm()}/start")
    engine.later()
    engine.post(f"{engine.host()}/deactivate")
    engine.later(1000)
    assert engine.status(engine.host()) == "preparing_for_maintenance"
    engine.post(f"{engine.vm()}/stop")
    engine.later(2)
    assert engine.status(engine.host()) == "maintenance"


def test_a_host_that_works_is_neither_removed_nor_moved(engine: Any) -> None:
    path = engine.host()
    answer = engine.delete(path)
    assert answer.status == conflict(engine)
    assert answer.detail() == "[Cannot remove Host. Host is operational. Please switch Host to Maintenance mode first.]"
    moved = engine.put(path, "<host><address>10.8.8.8</address></host>")
    assert moved.status == conflict(engine) and "cannot be modified while Host is operational" in moved.detail()
    assert engine.post(f"{path}/activate").status == conflict(engine)
    assert engine.post(f"{path}/install", "<action><root_password>x</root_password></action>").status == conflict(
        engine
    )


def test_removing_a_host_in_maintenance(engine: Any) -> None:
    path = engine.host("rhevh2")
    engine.post(f"{path}/deactivate")
    engine.later()
    assert engine.delete(path).status == 200
    assert engine.get(path).status == 404


def test_fencing(engine: Any) -> None:
    path = engine.host("rhevh2")
    restart = "<action><fence_type>restart</fence_type></action>"
    detail = engine.post(f"{path}/fence", restart).detail()
    old = engine.dialect.number == 3
    assert ("Power Management is not enabled" if old else "Host fence is disabled") in detail
    if engine.dialect.version < (3, 6):
        pm = (
            '<power_management type="ipmilan"><enabled>true</enabled><address>bmc</address><username>u</username>'
            '<password>p</password><options><option name="lanplus" value="1"/></options></power_management>'
        )
        assert engine.put(path, f"<host>{pm}</host>").status == 200
        shown = engine.get(path).xml
        assert shown.find("power_management").get("type") == "ipmilan"
        assert shown.xpath("power_management/options/option/@value") == ["1"]
        assert shown.find("power_management/password") is None
    else:
        enable = "<host><power_management><enabled>true</enabled></power_management></host>"
        assert engine.put(path, enable).status == 400
        kind = "<agent><type>ipmilan</type>" if engine.dialect.number == 4 else '<agent type="ipmilan">'
        agent = f"{kind}<address>bmc</address><username>u</username><password>p</password><order>1</order></agent>"
        assert engine.post(f"{path}/fenceagents", agent.replace("<order>1</order>", "")).status == 400
        assert engine.post(f"{path}/fenceagents", agent).status == 201
        shown = engine.get(f"{path}/fenceagents").xml.find("agent")
        assert (shown.get("type") or shown.findtext("type")) == "ipmilan"
        assert engine.put(path, enable).status == 200
    status = engine.post(f"{path}/fence", "<action><fence_type>status</fence_type></action>").xml
    assert (status.findtext("power_management/status/state") or status.findtext("power_management/status")) == "on"
    assert engine.post(f"{path}/fence", restart).status == 200
    assert engine.status(path) == "reboot"
    engine.later()
    assert engine.status(path) == "up"
    engine.post(f"{path}/fence", "<action><fence_type>stop</fence_type></action>")
    engine.later()
    assert engine.status(path) == "down"
    bad = engine.post(f"{path}/fence", "<action><fence_type>sideways</fence_type></action>")
    assert (bad.status, bad.text("fault/reason")) == (400, "Invalid value")


def test_3_0_and_4_say_with_200_that_a_status_query_failed(make_engine: Any) -> None:
    for version, status in (((3, 0), 200), ((3, 6), 409), ((4, 5), 200)):
        engine = make_engine(version)
        answer = engine.post(f"{engine.host()}/fence", "<action><fence_type>status</fence_type></action>")
        assert answer.status == status
        if version < (4, 0):
            assert "not enabled" in answer.detail()
        else:
            assert answer.text("fault/reason").startswith("Invalid fence agents defined for host '")
        assert (answer.text("status/state") or answer.text("status")) == "failed"


def test_confirming_a_lost_host_frees_its_machines(engine: Any) -> None:
    engine.post(f"{engine.vm()}/start")
    engine.later()
    host = engine.world.get("vm", engine.id("vm", "vm1"))["host"]
    if engine.dialect.modern:
        refused = engine.post(f"/hosts/{host}/fence", "<action><fence_type>manual</fence_type></action>")
        assert refused.status == 409 and "Valid Host statuses are" in refused.detail()
        engine.world.change(engine.world.the("host", host), status="non_responsive")
    assert engine.post(f"/hosts/{host}/fence", "<action><fence_type>manual</fence_type></action>").status == 200
    assert engine.status(engine.vm()) == "down"


def network(engine: Any, name: str = "blue", required: str = "") -> str:
    center, cluster = engine.id("data_center", "Default"), engine.id("cluster", "Default")
    answer = engine.post("/networks", f'<network><name>{name}</name><data_center id="{center}"/></network>')
    body = f'<network id="{answer.id}"><name>{name}</name>{required}</network>'
    assert engine.post(f"/clusters/{cluster}/networks", body).status == 201
    return answer.id


def test_a_required_network_makes_hosts_non_operational_since_3_1(engine: Any) -> None:
    network(engine)
    old = engine.dialect.version < (3, 1)
    assert engine.status(engine.host()) == ("up" if old else "non_operational")
    if not old:
        detail = engine.get(engine.host())
        assert (detail.text("status/detail") or detail.text("status_detail")) == "network_unreachable"


def test_networks_by_card_in_v3_and_not_in_v4(engine: Any) -> None:
    optional = "" if engine.dialect.version < (3, 1) else "<required>false</required>"
    net = network(engine, required=optional)
    nics = engine.get(f"{engine.host()}/nics").xml
    card = nics.xpath("//host_nic[name='eth1']/@id")[0]
    path = f"{engine.host()}/nics/{card}"
    attach = engine.post(f"{path}/attach", f'<action><network id="{net}"/></action>')
    if engine.dialect.number == 4:
        # the engine has no such address any more: nothing stands there
        assert attach.status == 404
        assert engine.put(path, "<host_nic/>").status == 405
        return
    assert attach.status == 200
    twice = engine.post(f"{path}/attach", f'<action><network id="{net}"/></action>')
    assert twice.status == conflict(engine) and "already attached" in twice.detail()
    address = (
        '<host_nic><boot_protocol>static</boot_protocol><ip address="10.5.0.1" netmask="255.255.255.0"/></host_nic>'
    )
    shown = engine.put(path, address).xml
    assert shown.find("ip").get("address") == "10.5.0.1"
    assert shown.find("network").get("id") == net
    assert engine.post(f"{engine.host()}/commitnetconfig").status == 200
    assert engine.post(f"{path}/detach", f'<action><network id="{net}"/></action>').status == 200
    assert engine.get(path).xml.find("network") is None


def test_attachments_since_3_6(make_engine: Any) -> None:
    for version in ((3, 6), (4, 5)):
        engine = make_engine(version, strict=True)
        net = network(engine, required="<required>false</required>")
        path = f"{engine.host()}/networkattachments"
        ip = '<ip address="10.5.0.1" netmask="255.255.255.0"/>'
        if version >= (4, 0):
            ip = "<ip><address>10.5.0.1</address><netmask>255.255.255.0</netmask><version>v4</version></ip>"
        how = (
            "<ip_address_assignments><ip_address_assignment>" + ip + "<assignment_method>static</assignment_method>"
            "</ip_address_assignment></ip_address_assignments>"
        )
        body = (
            f'<network_attachment><network id="{net}"/><host_nic><name>eth1</name></host_nic>{how}</network_attachment>'
        )
        answer = engine.post(path, body)
        assert answer.status == 201, answer.body
        assert "already attached" in engine.post(path, body).detail()
        setup = (
            f'<action><removed_network_attachments><network_attachment id="{answer.id}"/></removed_network_attachments>'
            "<check_connectivity>true</check_connectivity></action>"
        )
        assert engine.post(f"{engine.host()}/setupnetworks", setup).status == 200
        assert engine.get(f"{path}/{answer.id}").status == 404


def test_bonds(make_engine: Any) -> None:
    engine = make_engine((3, 0), strict=True)
    net = network(engine)
    slaves = "<slaves><host_nic><name>eth2</name></host_nic><host_nic><name>eth3</name></host_nic></slaves>"
    options = '<options><option name="mode" value="4"/></options>'
    body = f'<host_nic><name>bond0</name><network id="{net}"/><bonding>{options}{slaves}</bonding></host_nic>'
    answer = engine.post(f"{engine.host()}/nics", body)
    assert answer.status == 201, answer.body
    assert len(answer.xml.xpath("bonding/slaves/host_nic/@id")) == 2
    assert engine.delete(f"{engine.host()}/nics/{answer.id}").status == 200
    few = body.replace("<host_nic><name>eth3</name></host_nic>", "")
    assert "at least two" in engine.post(f"{engine.host()}/nics", few).detail()
