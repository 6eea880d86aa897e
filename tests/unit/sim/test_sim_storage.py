"""Storage domains: the state that stands only under the data center, and what each version does on attach."""

from __future__ import annotations

from typing import Any

import pytest

SD = (
    "<storage_domain><name>{}</name><type>{}</type><host><name>rhevh1</name></host>"
    "<storage>{}</storage></storage_domain>"
)
NFS = "<type>nfs</type><address>10.0.0.5</address><path>/export/{}</path>"


def made(engine: Any, name: str = "d2", kind: str = "data") -> str:
    answer = engine.post("/storagedomains", SD.format(name, kind, NFS.format(name)))
    assert answer.status == 201, answer.body
    return answer.id


def center(engine: Any) -> str:
    return f"/datacenters/{engine.id('data_center', 'Default')}/storagedomains"


def state(engine: Any, path: str) -> str | None:
    xml = engine.get(path).xml
    return xml.findtext("status/state") if engine.dialect.number == 3 else xml.findtext("status")


def conflict(engine: Any) -> int:
    return 400 if engine.dialect.version < (3, 3) else 409


def test_the_state_stands_only_under_the_data_center(engine: Any) -> None:
    domain = made(engine)
    assert state(engine, f"/storagedomains/{domain}") == "unattached"
    assert engine.get(f"{center(engine)}/{domain}").status == 404
    data1 = engine.id("storage_domain", "data1")
    assert engine.get(f"/storagedomains/{data1}").xml.find("status") is None
    assert state(engine, f"{center(engine)}/{data1}") == "active"


def test_attaching_a_second_domain_leaves_it_in_maintenance_on_3_0_only(engine: Any) -> None:
    domain = made(engine)
    answer = engine.post(center(engine), f'<storage_domain id="{domain}"/>')
    assert answer.status == 201
    assert state(engine, f"{center(engine)}/{domain}") == ("active" if engine.dialect.modern else "locked")
    engine.later()
    old = engine.dialect.version < (3, 1)
    assert state(engine, f"{center(engine)}/{domain}") == ("maintenance" if old else "active")
    if old:
        assert engine.post(f"{center(engine)}/{domain}/activate").status == 200
        engine.later()
        assert state(engine, f"{center(engine)}/{domain}") == "active"


def test_words_on_the_way_by_version(engine: Any) -> None:
    domain = made(engine)
    engine.post(center(engine), f'<storage_domain id="{domain}"/>')
    engine.later()
    if engine.dialect.version < (3, 1):
        engine.post(f"{center(engine)}/{domain}/activate")
        engine.later()
    engine.post(f"{center(engine)}/{domain}/deactivate")
    assert state(engine, f"{center(engine)}/{domain}") == "locked"
    if engine.dialect.version >= (3, 1):
        again = engine.post(f"{center(engine)}/{domain}/deactivate")
        assert "Related operation is currently in progress" in again.detail()
    if engine.dialect.version >= (3, 5):
        engine.later(0.5)
        assert state(engine, f"{center(engine)}/{domain}") == "preparing_for_maintenance"
    engine.later()
    assert state(engine, f"{center(engine)}/{domain}") == "maintenance"


def test_the_whole_life(engine: Any) -> None:
    domain = made(engine)
    host = engine.id("host", "rhevh1")
    attached = engine.post(center(engine), f'<storage_domain id="{domain}"/>')
    assert attached.status == 201
    twice = engine.post(center(engine), f'<storage_domain id="{domain}"/>')
    assert twice.status == conflict(engine)
    engine.later()
    if engine.dialect.version < (3, 1):
        engine.post(f"{center(engine)}/{domain}/activate")
        engine.later()
    assert engine.delete(f"{center(engine)}/{domain}").status == conflict(engine)
    engine.post(f"{center(engine)}/{domain}/deactivate")
    engine.later()
    assert engine.delete(f"{center(engine)}/{domain}").status == 200
    engine.later()
    assert state(engine, f"/storagedomains/{domain}") == "unattached"
    if engine.dialect.number == 4:
        assert engine.delete(f"/storagedomains/{domain}?host=rhevh1&format=true").status == 200
    else:
        body = f'<storage_domain><host id="{host}"/><format>true</format></storage_domain>'
        assert engine.delete(f"/storagedomains/{domain}", body).status == 200
    assert engine.get(f"/storagedomains/{domain}").status == 404


def test_removing_needs_a_host_and_v4_does_not_read_bodies(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    domain = made(engine)
    host = engine.id("host", "rhevh1")
    body = f'<storage_domain><host id="{host}"/><format>true</format></storage_domain>'
    answer = engine.delete(f"/storagedomains/{domain}", body)
    assert (answer.status, answer.text("reason")) == (400, "host parameter is missing")
    assert engine.delete(f"/storagedomains/{domain}?destroy=true").status == 200


def test_3_0_wants_data_domains_formatted(make_engine: Any) -> None:
    engine = make_engine((3, 0))
    domain = made(engine)
    body = f'<storage_domain><host id="{engine.id("host", "rhevh1")}"/></storage_domain>'
    answer = engine.delete(f"/storagedomains/{domain}", body)
    assert answer.status == 400 and "must be formated" in answer.detail()


def test_active_and_master_domains_stay(engine: Any) -> None:
    data1 = engine.id("storage_domain", "data1")
    path = f"/storagedomains/{data1}"
    answer = (
        engine.delete(f"{path}?host=rhevh1&format=true")
        if engine.dialect.number == 4
        else engine.delete(
            path, "<storage_domain><host><name>rhevh1</name></host><format>true</format></storage_domain>"
        )
    )
    assert answer.status == conflict(engine)
    inaccessible = engine.dialect.version < (3, 1) or engine.dialect.modern
    word = "inaccessible" if inaccessible else "status is Active"
    assert word in answer.detail()


def test_the_first_data_domain_brings_a_data_center_up(engine: Any) -> None:
    local = "<local>false</local>" if engine.dialect.number == 4 else "<storage_type>nfs</storage_type>"
    dc = engine.post("/datacenters", f"<data_center><name>dc2</name>{local}</data_center>")
    assert dc.status == 201, dc.body
    assert engine.status(f"/datacenters/{dc.id}") == "uninitialized"
    domain = made(engine)
    answer = engine.post(f"/datacenters/{dc.id}/storagedomains", f'<storage_domain id="{domain}"/>')
    assert answer.status == conflict(engine) and "no available operational Host" in answer.detail()
    cluster = engine.post("/clusters", f'<cluster><name>cl2</name><data_center id="{dc.id}"/></cluster>')
    body = "<host><name>h3</name><address>10.0.0.3</address><root_password>x</root_password>"
    body += "<cluster><name>cl2</name></cluster></host>"
    assert cluster.status == 201 and engine.post("/hosts", body).status == 201
    engine.later()
    assert engine.post(f"/datacenters/{dc.id}/storagedomains", f'<storage_domain id="{domain}"/>').status == 201
    engine.later()
    assert engine.status(f"/datacenters/{dc.id}") == "up"
    refused = engine.delete(f"/datacenters/{dc.id}")
    words = "active Data Center" if engine.dialect.modern else "torage Domains"
    assert refused.status == conflict(engine) and words in refused.detail()


@pytest.mark.parametrize(
    ("storage", "missing"),
    [
        ("<type>nfs</type><path>/x</path>", "address"),
        ("<type>nfs</type><address>a</address>", "path"),
        ("<type>localfs</type>", "path"),
        ("<type>iscsi</type>", "logicalUnits.id"),
        ("<type>posixfs</type><path>/x</path>", "vfsType"),
    ],
)
def test_each_type_says_what_it_lacks(make_engine: Any, storage: str, missing: str) -> None:
    engine = make_engine((4, 5))
    answer = engine.post("/storagedomains", SD.format("d9", "data", storage))
    assert (answer.status, answer.detail()) == (400, f"HostStorage [{missing}] required for add")


def test_types_that_came_later(make_engine: Any) -> None:
    storage = "<type>posixfs</type><path>/x</path><vfs_type>ceph</vfs_type>"
    assert make_engine((3, 0)).post("/storagedomains", SD.format("d9", "data", storage)).status == 400
    assert make_engine((3, 6)).post("/storagedomains", SD.format("d9", "data", storage)).status == 201


def test_names_and_places_in_use(engine: Any) -> None:
    made(engine)
    again = engine.post("/storagedomains", SD.format("d2", "data", NFS.format("other")))
    assert again.status == conflict(engine) and "already in use" in again.detail()
    same = engine.post("/storagedomains", SD.format("d3", "data", NFS.format("d2")))
    assert same.status == conflict(engine) and "already exists" in same.detail()


def test_a_host_that_is_not_up_makes_no_storage(engine: Any) -> None:
    engine.post(f"{engine.host()}/deactivate")
    engine.later()
    answer = engine.post("/storagedomains", SD.format("d9", "data", NFS.format("9")))
    assert answer.status == 400 and "any available running Hosts" in answer.detail()


def test_a_domain_that_runs_machines_stays_active(engine: Any) -> None:
    engine.post(f"{engine.vm()}/start")
    engine.later()
    data1 = engine.id("storage_domain", "data1")
    answer = engine.post(f"{center(engine)}/{data1}/deactivate")
    assert answer.status == conflict(engine) and "vm1" in answer.detail()


def test_local_storage_is_for_local_data_centers(engine: Any) -> None:
    answer = engine.post(
        "/storagedomains", SD.format("l1", "data", "<type>localfs</type><path>/data/images/rhev</path>")
    )
    refused = engine.post(center(engine), f'<storage_domain id="{answer.id}"/>')
    assert refused.status == conflict(engine) and "type" in refused.detail()


def test_luns(make_engine: Any) -> None:
    for version in ((3, 0), (3, 6), (4, 5)):
        engine = make_engine(version, strict=True)
        luns = engine.get(f"{engine.host()}/storage").xml.xpath("//logical_unit/@id")
        unit = f'<logical_unit id="{luns[0]}"/>'
        unit = unit if version < (4, 0) else f"<logical_units>{unit}</logical_units>"
        answer = engine.post("/storagedomains", SD.format("f1", "data", f"<type>fcp</type>{unit}"))
        assert answer.status == 201, answer.body
        assert answer.xml.xpath("//logical_unit/@id") == [luns[0]]


FCP = '<type>fcp</type><logical_unit id="3600a098000000001"/>'
FOUND = "unregisteredstoragedomainsdiscover"


def leave(engine: Any, name: str, storage: str) -> str:
    """Make a domain and remove it without formatting; its id."""
    if engine.dialect.number == 4:
        storage = storage.replace("<logical_unit ", "<logical_units><logical_unit ")
        storage += "</logical_units>" * storage.count("<logical_units>")
    domain: str = engine.post("/storagedomains", SD.format(name, "data", storage)).id
    if engine.dialect.number == 4:
        assert engine.delete(f"/storagedomains/{domain}?host=rhevh1").status == 200
    else:
        body = "<storage_domain><host><name>rhevh1</name></host></storage_domain>"
        assert engine.delete(f"/storagedomains/{domain}", body).status == 200
    return domain


@pytest.mark.parametrize("version", [(3, 5), (3, 6), (4, 2), (4, 5)])
def test_a_block_domain_is_found_and_imported_by_its_id(make_engine: Any, version: Any) -> None:
    engine = make_engine(version, strict=True)
    domain = leave(engine, "b1", FCP)
    found = engine.post(f"{engine.host()}/{FOUND}")
    assert found.xml.xpath("storage_domains/storage_domain/@id") == [domain]
    assert found.xml.xpath("//volume_group/@id")
    new = SD.format("again", "data", "<type>fcp</type>").replace("</host>", "</host><import>true</import>")
    assert "[id] required" in engine.post("/storagedomains", new).detail()
    wrong = new.replace("<storage_domain>", '<storage_domain id="11111111-2222-3333-4444-555555555555">')
    assert engine.post("/storagedomains", wrong).status in (400, 404)
    made = engine.post("/storagedomains", new.replace("<storage_domain>", f'<storage_domain id="{domain}">'))
    assert (made.status, made.id, made.text("name")) == (201, domain, "again")
    assert made.xml.xpath("storage/volume_group//logical_unit/@id") == ["3600a098000000001"]
    assert engine.post(f"{engine.host()}/{FOUND}").xml.xpath("storage_domains/storage_domain") == []


def test_targets_have_to_be_named_when_a_portal_is_searched(make_engine: Any) -> None:
    engine = make_engine((4, 5), strict=True)
    answer = engine.post(f"{engine.host()}/{FOUND}", "<action><iscsi><address>10.0.0.9</address></iscsi></action>")
    assert answer.status == 400 and "Couldn't connect" in answer.detail()


def test_there_is_no_such_search_before_3_5(make_engine: Any) -> None:
    assert make_engine((3, 4)).post(f"/hosts/{'1' * 8}/{FOUND}").status == 404


def test_a_lun_that_is_not_seen_or_not_free_makes_no_domain(make_engine: Any) -> None:
    engine = make_engine((3, 6), strict=True)
    answer = engine.post("/storagedomains", SD.format("b1", "data", FCP.replace("00001", "99999")))
    assert answer.status == 400 and "Cannot create Volume Group" in answer.detail()
    leave(engine, "b1", FCP)
    answer = engine.post("/storagedomains", SD.format("b2", "data", FCP))
    assert answer.status == 409 and "already part of existing storage domains: 3600a" in answer.detail()
    over = FCP + "<override_luns>true</override_luns>"
    assert engine.post("/storagedomains", SD.format("b2", "data", over)).status == 201


@pytest.mark.parametrize("flag", ["", "<import>true</import>"])
def test_a_file_domain_that_is_there_is_imported_whether_it_is_asked_for_or_not(make_engine: Any, flag: str) -> None:
    engine = make_engine((3, 6), strict=True)
    domain = leave(engine, "f1", NFS.format("f1"))
    new = SD.format("f2", "data", NFS.format("f1")).replace("</host>", f"</host>{flag}")
    made = engine.post("/storagedomains", new)
    assert (made.id, made.text("name")) == (domain, "f2")
