"""Networks, clusters and data centers."""

from __future__ import annotations

from typing import Any

import pytest


def conflict(engine: Any) -> int:
    return 400 if engine.dialect.version < (3, 3) else 409


def new(engine: Any, name: str, more: str = "") -> Any:
    center = engine.id("data_center", "Default")
    return engine.post("/networks", f'<network><name>{name}</name><data_center id="{center}"/>{more}</network>')


def test_a_vm_network_gets_a_profile_of_its_name(make_engine: Any) -> None:
    engine = make_engine((4, 5), strict=True)
    blue = new(engine, "blue").id
    quiet = new(engine, "quiet", "<profile_required>false</profile_required>").id
    storage = new(engine, "storage", "<usages/>").id
    names = engine.get("/vnicprofiles").xml.xpath("//vnic_profile/name/text()")
    assert names == ["rhevm", "blue"]
    assert engine.get(f"/networks/{blue}/vnicprofiles").xml.xpath("//network/@id") == [blue]
    assert engine.get(f"/networks/{quiet}/vnicprofiles").xml.tag == "vnic_profiles"
    assert len(engine.get(f"/networks/{quiet}/vnicprofiles").xml) == 0
    assert engine.get(f"/networks/{storage}").status == 200


def test_names_and_vlans_are_used_once_in_a_data_center(engine: Any) -> None:
    assert new(engine, "blue", '<vlan id="7"/>').status == 201
    assert new(engine, "blue").status == conflict(engine)
    again = new(engine, "green", '<vlan id="7"/>')
    if engine.dialect.modern:
        assert again.status == 201
    else:
        assert again.status == conflict(engine) and "VLAN ID (7)" in again.detail()
    local = "<local>false</local>" if engine.dialect.number == 4 else "<storage_type>nfs</storage_type>"
    center = engine.post("/datacenters", f"<data_center><name>dc2</name>{local}</data_center>").id
    other = engine.post("/networks", f'<network><name>blue</name><data_center id="{center}"/><vlan id="7"/></network>')
    assert other.status == 201
    assert new(engine, "red", '<vlan id="5000"/>').status == 400


def test_attach_detach_and_twice(engine: Any) -> None:
    net, cluster = new(engine, "blue").id, engine.id("cluster", "Default")
    more = "" if engine.dialect.version < (3, 1) else "<required>false</required>"
    body = f'<network id="{net}"><name>blue</name>{more}</network>'
    answer = engine.post(f"/clusters/{cluster}/networks", body)
    assert answer.status == 201
    assert (answer.text("status/state") or answer.text("status")) == "operational"
    assert answer.xml.find("cluster").get("id") == cluster
    assert engine.post(f"/clusters/{cluster}/networks", body).status == conflict(engine)
    assert engine.delete(f"/clusters/{cluster}/networks/{net}").status == 200
    assert engine.get(f"/clusters/{cluster}/networks/{net}").status == 404
    assert engine.get(f"/networks/{net}").status == 200


def test_3_0_wants_the_name(make_engine: Any) -> None:
    engine = make_engine((3, 0))
    net, cluster = new(engine, "blue").id, engine.id("cluster", "Default")
    assert (
        engine.post(f"/clusters/{cluster}/networks", f'<network id="{net}"/>').detail()
        == "Network [name] required for add"
    )


def test_the_management_network_stays(engine: Any) -> None:
    net = engine.id("network", "rhevm")
    for path in (f"/networks/{net}", f"/clusters/{engine.id('cluster', 'Default')}/networks/{net}"):
        answer = engine.delete(path)
        assert answer.status == (400 if engine.dialect.modern else conflict(engine)) and "mandatory" in answer.detail()


def test_a_cluster_in_use_stays(engine: Any) -> None:
    path = f"/clusters/{engine.id('cluster', 'Default')}"
    assert "contains one or more Hosts" in engine.delete(path).detail()


def test_cpu_types_and_levels_must_be_the_engines_own(make_engine: Any) -> None:
    old, new_ = make_engine((3, 0), strict=True), make_engine((4, 5), strict=True)
    body = "<cluster><name>c</name><data_center><name>Default</name></data_center>{}</cluster>"
    assert old.post("/clusters", body.format('<cpu id="Intel Penryn Family"/>')).status == 201
    refused = new_.post("/clusters", body.format("<cpu><type>Intel Penryn Family</type></cpu>"))
    assert "CPU is not supported" in refused.detail()
    version = "<version><major>3</major><minor>0</minor></version>"
    version = f"<data_center><name>d</name><local>false</local>{version}</data_center>"
    assert "Compatibility Version is not supported" in new_.post("/datacenters", version).detail()
    names = old.get("/capabilities").xml.xpath("version[@major='3']/cpus/cpu/@id")
    assert "Intel Penryn Family" in names
    assert new_.get("/capabilities").status == 404
    assert new_.get("/clusterlevels/9.9").status == 404


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ((3, 0), "DataCenter [storage_type] required for add"),
        ((3, 6), "DataCenter [storage_type|local] required for add"),
        ((4, 5), "Parameter 'data_center.local' is mandatory but was not provided."),
    ],
)
def test_what_a_data_center_must_say(make_engine: Any, version: tuple[int, int], words: str) -> None:
    answer = make_engine(version).post("/datacenters", "<data_center><name>d</name></data_center>")
    assert answer.detail() == words


def test_a_v3_body_on_v4_is_refused_for_what_v4_does_not_know(make_engine: Any) -> None:
    body = "<data_center><name>d</name><storage_type>nfs</storage_type></data_center>"
    refused = make_engine((4, 5)).post("/datacenters", body)
    assert refused.text("reason") == "Request syntactically incorrect."


def test_nics_need_a_network_of_the_cluster(engine: Any) -> None:
    net = new(engine, "blue").id
    if engine.dialect.number == 3:
        body = f'<nic><name>e1</name><network id="{net}"/></nic>'
    else:
        profile = engine.world.of("vnic_profile", "network", net)[0]["id"]
        body = f'<nic><name>e1</name><vnic_profile id="{profile}"/></nic>'
    answer = engine.post(f"{engine.vm()}/nics", body)
    assert answer.status == conflict(engine) and "'blue' does not exist in the Cluster" in answer.detail()
