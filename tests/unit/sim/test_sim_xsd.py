"""Every document that v3 answers with fits the engine's own schema, for 3.0 and for 3.6."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from published import schema as schema_for
from xcat_rhev.sim.resources import ROUTES

#: The versions between have no published schema of their own; what they answer fits that of 3.6.
SCHEMA_OF = {"3.0": "3.0", "3.1": "3.6", "3.2": "3.6", "3.3": "3.6", "3.4": "3.6", "3.5": "3.6", "3.6": "3.6"}


@pytest.fixture(params=list(SCHEMA_OF))
def schema(request: pytest.FixtureRequest) -> tuple[tuple[int, int], etree.XMLSchema]:
    return (3, int(request.param[2])), schema_for(SCHEMA_OF[request.param])


def populate(engine: Any) -> None:
    """Put at least one of everything into the world, through the API."""
    new = engine.dialect.version >= (3, 1)
    more = "<interface>virtio</interface><format>cow</format>"
    size = "<provisioned_size>5368709120</provisioned_size>" if new else "<size>5368709120</size>"
    center = engine.id("data_center", "Default")
    made = [
        engine.post("/networks", f'<network><name>blue</name><data_center id="{center}"/><vlan id="7"/></network>'),
        engine.post(f"{engine.vm()}/disks", f"<disk>{size}{more}</disk>"),
        engine.post(f"{engine.vm()}/snapshots", "<snapshot><description>before</description></snapshot>"),
        engine.post("/tags", "<tag><name>red</name></tag>"),
        engine.post(f"{engine.vm()}/tags", "<tag><name>red</name></tag>"),
        engine.post(f"{engine.host()}/tags", "<tag><name>red</name></tag>"),
    ]
    network = "<required>false</required>" if new else ""
    cluster = engine.id("cluster", "Default")
    body = f'<network id="{made[0].id}"><name>blue</name>{network}</network>'
    made.append(engine.post(f"/clusters/{cluster}/networks", body))
    engine.later()
    made.append(engine.post("/templates", "<template><name>gold</name><vm><name>vm2</name></vm></template>"))
    if engine.dialect.version >= (3, 6):
        agent = '<agent type="ipmilan"><address>bmc</address><username>u</username><password>p</password>'
        agent += "<order>1</order></agent>"
        made.append(engine.post(f"{engine.host()}/fenceagents", agent))
        made.append(
            engine.post(
                f"/clusters/{cluster}/affinitygroups",
                "<affinity_group><name>near</name><positive>true</positive></affinity_group>",
            )
        )
        made.append(engine.post("/storageconnections", "<storage_connection><type>nfs</type></storage_connection>"))
    for answer in made:
        assert answer.status in (200, 201, 202), answer.body
    pm = '<power_management type="ipmilan"><enabled>true</enabled><address>b</address><username>u</username>'
    pm += "</power_management>"
    taken = engine.dialect.version < (3, 6)  # later engines want an agent
    assert engine.put(engine.host("rhevh2"), f"<host>{pm}</host>").status == (200 if taken else 400)
    engine.later()
    for name in ("vm1", "vm3"):
        assert engine.post(f"{engine.vm(name)}/start").status == 200
    engine.later()
    assert engine.post(f"{engine.vm('vm3')}/suspend").status == 202


#: To these the root of an engine leads, and 4.5.8 answers 405.
POSTED_ONLY = ("/externalvmimports", "/externaltemplateimports")
#: oVirt 4.5 fails inside when it is asked for these.
FAILS_SINCE_4_5 = "/openstackvolumeproviders"


def every_get(engine: Any) -> list[str]:
    """Give the address of every resource that there is, by following links from the root."""
    seen: list[str] = []
    failing: list[str] = []
    todo = [engine.base]
    while todo:
        path = todo.pop()
        if path in seen or "{query}" in path or "/creation_status/" in path:
            continue
        seen.append(path)
        answer = engine.get(path)
        if path == f"{engine.base}/katelloerrata":
            assert answer.status == 400  # no provider of errata is known
            continue
        if path.endswith(POSTED_ONLY):
            assert answer.status == 405
            continue
        if path.endswith(FAILS_SINCE_4_5) and answer.status == 500:
            failing.append(path)
            continue
        assert answer.status == 200, (path, answer.status, answer.body)
        actions = set(answer.xml.xpath("//actions/link/@href"))
        todo += [href for href in answer.xml.xpath("//@href") if href not in actions]
    unread = (*POSTED_ONLY, "/api/katelloerrata")
    return [path for path in seen if not path.endswith(unread) and path not in failing]


def test_everything_that_can_be_read_fits_the_schema(schema: Any, make_engine: Any) -> None:
    version, xsd = schema
    engine = make_engine(version, strict=True)
    populate(engine)
    paths = every_get(engine)
    assert len(paths) > 60
    for path in paths:
        document = engine.get(path).xml
        assert xsd.validate(document), (path, str(xsd.error_log))
    readable = {route.path for route in ROUTES if route.method == "GET" and route.there(engine.dialect)}
    assert len(readable) > 30


@pytest.mark.parametrize("version", [(4, 0), (4, 1), (4, 2), (4, 3), (4, 4), (4, 5)])
def test_every_link_of_v4_leads_somewhere(make_engine: Any, version: tuple[int, int]) -> None:
    engine = make_engine(version, strict=True)
    engine.post(f"{engine.vm()}/start")
    engine.post("/templates", "<template><name>gold</name><vm><name>vm2</name></vm></template>")
    engine.post(f"{engine.vm('vm3')}/snapshots", "<snapshot><description>before</description></snapshot>")
    engine.later()
    paths = every_get(engine)
    assert len(paths) > 80
    for path in paths:
        for element in engine.get(path).xml.iter():
            assert set(element.attrib) <= {"id", "href", "rel"}, "v4 has no other attributes"


def test_what_writing_answers_fits_the_schema(schema: Any, make_engine: Any) -> None:
    version, xsd = schema
    engine = make_engine(version, strict=True)
    calls = [
        engine.post(
            "/vms",
            "<vm><name>n1</name><cluster><name>Default</name></cluster><template><name>Blank</name></template></vm>",
        ),
        engine.post(f"{engine.vm()}/start"),
        engine.post(f"{engine.vm('vm2')}/stop"),
        engine.post(f"{engine.vm()}/ticket", "<action><ticket><expiry>60</expiry></ticket></action>"),
        engine.post("/vms", "<vm><name>n2</name></vm>"),
        engine.post("/vms", "<vm"),
        engine.post(f"{engine.host()}/fence", "<action><fence_type>sideways</fence_type></action>"),
        engine.post(f"{engine.host()}/iscsidiscover", "<action><iscsi><address>10.0.0.9</address></iscsi></action>"),
        *block_storage(engine),
    ]
    for answer in calls:
        assert xsd.validate(answer.xml), (answer.body, str(xsd.error_log))


def block_storage(engine: Any) -> list[Any]:
    """What is answered about a domain on a LUN: made, seen by a host, and found when it was let go."""
    body = "<storage_domain><name>b1</name><type>data</type><host><name>rhevh1</name></host><storage><type>fcp</type>"
    body += '<logical_unit id="3600a098000000001"/></storage></storage_domain>'
    made = engine.post("/storagedomains", body)
    said = [made, engine.get(f"{engine.host()}/storage"), engine.get(f"/storagedomains/{made.id}")]
    assert said[2].xml.xpath("storage/volume_group/logical_unit/@id") == ["3600a098000000001"]
    if engine.dialect.version >= (3, 5):
        gone = "<storage_domain><host><name>rhevh1</name></host></storage_domain>"
        assert engine.delete(f"/storagedomains/{made.id}", gone).status == 200
        said.append(engine.post(f"{engine.host()}/unregisteredstoragedomainsdiscover"))
        assert said[-1].xml.xpath("storage_domains/storage_domain/name/text()") == ["b1"]
    return said


def test_details_stand_where_the_schema_has_them(schema: Any, make_engine: Any) -> None:
    version, xsd = schema
    engine = make_engine(version, strict=True)
    answer = engine.get("/vms", accept="application/xml; detail=disks+nics; detail=tags; detail=statistics")
    assert len(answer.xml.findall("vm/disks/disk")) == 3
    assert len(answer.xml.findall("vm/nics/nic")) == 3
    assert answer.xml.find("vm/statistics/statistic") is not None
    assert xsd.validate(answer.xml), str(xsd.error_log)
    hosts = engine.get("/hosts", accept="application/xml; detail=statistics")
    assert xsd.validate(hosts.xml), str(xsd.error_log)
