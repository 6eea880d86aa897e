"""Writes: bodies, correlation, lost answers, removals, actions, parts of VMs, storage, host networks, fencing."""

from __future__ import annotations

import re

import pytest

from enginehelp import Script, manager_on, vms
from xcat_rhev.clock import ManualClock
from xcat_rhev.engine.documents.dialect import V4, V30, V36, Dialect
from xcat_rhev.engine.nouns import (
    Bonding,
    Cluster,
    DataCenter,
    Disk,
    FenceAgent,
    Host,
    HostNic,
    Network,
    NetworkAttachment,
    Nic,
    Ref,
    Snapshot,
    StorageDomain,
    Template,
    Vm,
)
from xcat_rhev.errors import BadAnswer, Conflict, NotFound, RhevError, Unreachable, Usage
from xcat_rhev.secret import Secret

MADE = (201, '<vm id="v1"><name>n1</name></vm>')
DONE3 = (200, "<action><status><state>complete</state></status></action>")
DONE4 = (200, "<action><job id='j'/><status>complete</status></action>")
NAME_IN_USE = (
    409,
    "<fault><reason>Operation Failed</reason><detail>[Cannot add VM. The VM name is already in use]</detail></fault>",
)  # noqa: E501
NEW = Vm(name="n1", cluster=Ref(name="c"), template=Ref(name="Blank"))
VM = Vm(id="v1", name="n1", cluster=Ref("c1"))


def test_every_write_has_its_own_correlation_id() -> None:
    script = Script([MADE, DONE4])
    manager = manager_on(script, V4)
    manager.create(NEW)
    manager.act(VM, "start")
    ids = [request.headers["Correlation-Id"] for request in script.asked]
    assert all(re.fullmatch(r"[0-9A-Za-z_-]{1,36}", id) for id in ids)
    assert len(set(ids)) == 2
    assert script.asked[0].headers["Content-Type"] == "application/xml"


@pytest.mark.parametrize("trouble", [Unreachable("lost"), (500, ""), (504, ""), (201, "<vm id="), (200, "")])
def test_a_lost_answer_is_settled_by_looking(trouble: object) -> None:
    script = Script([trouble, (200, vms("n1"))])
    assert manager_on(script, V4).create(NEW).id == "id-n1"
    assert script.lines() == ["POST /ovirt-engine/api/vms", "GET /ovirt-engine/api/vms?search=name%3D%22n1%22"]


def test_what_surely_failed_is_tried_again_when_nothing_is_there() -> None:
    script = Script([(500, ""), (200, vms()), MADE])
    assert manager_on(script, V4).create(NEW).id == "v1"
    assert [request.method for request in script.asked] == ["POST", "GET", "POST"]


@pytest.mark.parametrize("trouble", [(503, ""), Unreachable("refused", sent=False)])
def test_what_no_engine_has_seen_is_sent_again(trouble: object) -> None:
    script = Script([trouble, MADE])
    assert manager_on(script, V4).create(NEW).id == "v1"
    assert [request.method for request in script.asked] == ["POST", "POST"]


def test_what_may_still_come_is_looked_for_longer_and_not_made_twice() -> None:
    script, clock = Script([Unreachable("lost"), (200, vms())]), ManualClock()
    with pytest.raises(Unreachable, match="lost"):
        manager_on(script, V4, clock).create(NEW)
    assert [request.method for request in script.asked] == ["POST", "GET", "GET", "GET"]
    assert clock.now() > 0.5


def test_a_second_try_that_meets_the_first_is_no_conflict() -> None:
    script = Script([(500, ""), (200, vms()), NAME_IN_USE, (200, vms("n1"))])
    assert manager_on(script, V4).create(NEW).id == "id-n1"
    with pytest.raises(Conflict):
        manager_on(Script([NAME_IN_USE]), V4).create(NEW)


def test_a_thing_without_name_is_found_by_what_it_is() -> None:
    script = Script(
        [
            Unreachable("lost"),
            (
                200,
                '<snapshots><snapshot id="1"><description>Active VM</description></snapshot>'  # noqa: E501
                '<snapshot id="2"><description>before</description></snapshot></snapshots>',
            ),
        ]
    )
    assert manager_on(script, V4).create(Snapshot(description="before"), under=VM).id == "2"


def test_a_network_of_that_name_in_another_data_center_is_not_it() -> None:
    centers = (
        200,
        '<data_centers><data_center id="d1"><name>a</name></data_center><data_center id="d2"><name>b</name>'
        "</data_center></data_centers>",
    )
    for center in (Ref("d1"), Ref(name="a")):
        script = Script([Unreachable("lost"), NETWORKS, centers])
        assert manager_on(script, V4).create(Network(name="prod", data_center=center)).id == "w1"
    with pytest.raises(Unreachable):
        manager_on(Script([Unreachable("lost"), NETWORKS]), V4).create(Network(name="prod", data_center=Ref("d3")))


def test_a_full_copy_of_a_template() -> None:
    script = Script([MADE])
    manager_on(script, V4).create(NEW.replace(clone=True))
    assert script.asked[0].path == "/ovirt-engine/api/vms?clone=true"
    with pytest.raises(Usage, match="API v3 takes no activate"):
        manager_on(script, V36).create(Host(name="h"), activate=False)


def test_only_what_differs_is_sent() -> None:
    script = Script([(200, '<vm id="v1"><name>n1</name><memory>2147483648</memory></vm>')])
    manager = manager_on(script, V4)
    current = VM.replace(memory=1 << 30, cores=2, template=Ref("t"))
    assert manager.change(current, memory=1 << 30, cores=2) is None
    assert script.asked == []
    assert manager.change(current, memory=2 << 30, cores=2).memory == 2 << 30
    assert script.asked[0].body == b"<vm><memory>2147483648</memory></vm>"
    assert script.lines() == ["PUT /ovirt-engine/api/vms/v1"]


def test_memory_takes_its_bounds_along() -> None:
    script = Script([MADE])
    manager = manager_on(script, V4)
    manager.change(VM.replace(memory=4 << 30, memory_guaranteed=4 << 30, memory_max=4 << 30), memory=1 << 30)
    assert b"<guaranteed>1073741824</guaranteed>" in script.asked[0].body
    manager.change(VM.replace(memory=1 << 30, memory_guaranteed=1 << 30, memory_max=4 << 30), memory=8 << 30)
    assert b"<memory_policy><max>8589934592</max></memory_policy>" in script.asked[1].body


def test_an_affinity_takes_its_hosts_along() -> None:
    script = Script([MADE])
    manager = manager_on(script, V4)
    there = VM.replace(affinity="migratable", placement_hosts=(Ref("h1"), Ref("h2")))
    manager.change(there, affinity="pinned")
    assert b'<hosts><host id="h1"/><host id="h2"/></hosts><affinity>pinned</affinity>' in script.asked[0].body
    manager.change(there, affinity="pinned", placement_hosts=(Ref("h3"),))
    assert b'<hosts><host id="h3"/></hosts>' in script.asked[1].body


def test_a_lost_change_is_settled_by_looking() -> None:
    there = (200, '<vm id="v1"><name>n1</name><description>new</description></vm>')
    manager = manager_on(Script([Unreachable("lost"), there]), V4)
    assert manager.change(VM, description="new").description == "new"
    with pytest.raises(Unreachable):
        manager_on(Script([Unreachable("lost"), there]), V4).change(VM, description="newer")


@pytest.mark.parametrize("answer", [(200, ""), DONE4, (202, "")])
def test_a_removal_in_every_versions_words(answer: tuple[int, str]) -> None:
    script = Script([answer])
    manager_on(script, V4).remove(VM, force=True)
    assert script.lines() == ["DELETE /ovirt-engine/api/vms/v1?force=true"]


def test_what_is_gone_already_is_removed() -> None:
    script = Script([(404, "")])
    manager_on(script, V4).remove(VM, force=True)
    assert script.lines() == ["DELETE /ovirt-engine/api/vms/v1?force=true", "GET /ovirt-engine/api/vms/v1"]


@pytest.mark.parametrize("status", [400, 404, 409])
def test_a_removal_that_finds_not_its_host_is_no_removal(status: int) -> None:
    """Engines answer so when `host` leads nowhere, or when what the thing stands on is gone."""
    fault = "<fault><detail>Entity not found: Hosts: name=h9</detail><reason>Operation Failed</reason></fault>"
    script = Script([(status, fault), (200, '<storage_domain id="s1"><name>s</name></storage_domain>')])
    with pytest.raises(NotFound, match="name=h9"):
        manager_on(script, V4).remove(StorageDomain(id="s1", name="s"), host=Ref("h9"))
    assert script.lines()[1:] == ["GET /ovirt-engine/api/storagedomains/s1"]


def test_a_removal_that_failed_in_spite_of_its_status() -> None:
    failed = (
        "<action><status>failed</status><fault><reason>x</reason><detail>[Cannot remove VM]</detail></fault></action>"  # noqa: E501
    )
    with pytest.raises(Conflict, match="Cannot remove VM"):
        manager_on(Script([(200, failed)]), V4).remove(VM)


def test_a_lost_removal_is_settled_by_looking() -> None:
    manager_on(Script([Unreachable("lost"), (404, "")]), V4).remove(VM)
    repeated = Script([Unreachable("lost"), (200, '<vm id="v1"/>'), (404, "")])
    manager_on(repeated, V4).remove(VM)
    assert [line.split()[0] for line in repeated.lines()] == ["DELETE", "GET", "DELETE", "GET"]


def test_a_storage_domain_seen_in_a_data_center_is_not_detached_by_mistake() -> None:
    domain = StorageDomain(id="s1", name="s", href="/ovirt-engine/api/datacenters/d/storagedomains/s1")
    script = Script([DONE4])
    manager_on(script, V4).remove(domain, host=Ref("h1"), format=True)
    assert script.lines() == ["DELETE /ovirt-engine/api/storagedomains/s1?host=h1&format=true"]


def test_local_storage_is_not_detached_where_that_formats_it() -> None:
    script = Script([DONE4])
    local = StorageDomain(id="s1", name="s", storage_type="localfs")
    with pytest.raises(Conflict, match="to detach it is to format it"):
        manager_on(script, V4).detach_storage(DataCenter(id="d"), local)
    manager_on(script, V30).detach_storage(DataCenter(id="d"), local)
    assert script.lines() == ["DELETE /api/datacenters/d/storagedomains/s1"]


def test_a_hostile_id_or_address_leads_nowhere() -> None:
    manager = manager_on(Script([DONE4]), V4)
    for bad in (Vm(id="../hosts/1"), Vm(id="a/b"), Vm(id="1?force=true"), Vm(id=""), Vm(id="..")):
        with pytest.raises(BadAnswer):
            manager.remove(bad)
    for href in ("//evil/", "https://evil/", "", "x"):
        with pytest.raises(BadAnswer):
            manager.remove(Nic(id="1", href=href))


def test_an_action_and_its_answer() -> None:
    script = Script(
        [
            (
                200,
                "<action><host id='h'/><status>complete</status><ticket><value>pw</value><expiry>9</expiry>"
                "</ticket></action>",
            )
        ]
    )
    answer = manager_on(script, V4).act(VM, "migrate", host=Ref("h"), force=True, reason=None)
    assert script.asked[0].path == "/ovirt-engine/api/vms/v1/migrate"
    assert script.asked[0].body == b'<action><host id="h"/><force>true</force></action>'
    assert (answer.status, answer.ticket.reveal(), answer.ticket_expiry) == ("complete", "pw", 9)


@pytest.mark.parametrize("dialect", [V30, V36])
def test_fence_status_that_failed_with_200(dialect: Dialect) -> None:
    text = "<action><status><state>failed</state></status><fault><reason>no agent</reason><detail/></fault></action>"
    with pytest.raises(Conflict, match="no agent"):
        manager_on(Script([(200, text)]), dialect).fence(Host(id="h"), "status")
    on = "<action><status><state>complete</state></status><power_management><status><state>on</state></status></power_management></action>"  # noqa: E501
    assert manager_on(Script([(200, on)]), dialect).fence(Host(id="h"), "status") == "on"


def test_iscsi_discovery_in_both_dialects() -> None:
    text = "<action><iscsi_target>iqn.a</iscsi_target><status><state>complete</state></status></action>"
    script = Script([(200, text)])
    answer = manager_on(script, V36).act(Host(id="h"), "iscsidiscover", address="10.0.0.9", port=3260)
    assert [target.target for target in answer.targets] == ["iqn.a"]
    assert script.asked[0].body == b"<action><iscsi><port>3260</port><address>10.0.0.9</address></iscsi></action>"


DISK = Disk(name="d1", size=1 << 30, format="cow", interface="virtio", storage_domains=(Ref("s"),))


@pytest.mark.parametrize(
    ("dialect", "path", "part"),
    [
        (V30, "/api/vms/v1/disks", b"<size>"),
        (V36, "/ovirt-engine/api/vms/v1/disks", b"<size>"),
        (V4, "/ovirt-engine/api/vms/v1/diskattachments", b"<provisioned_size>"),
    ],
)
def test_a_disk(dialect: Dialect, path: str, part: bytes) -> None:
    tag = "disk_attachment" if dialect is V4 else "disk"
    script = Script([(202, f'<{tag} id="d"/>')])
    disk = manager_on(script, dialect).add_disk(VM, DISK)
    assert (disk.id, disk.size, disk.name) == ("d", 1 << 30, "d1")
    assert script.lines() == [f"POST {path}"]
    assert part in script.asked[0].body
    assert (b"<active>true</active>" in script.asked[0].body) is (dialect is V4)


def test_an_existing_disk_is_attached() -> None:
    script = Script([(201, '<disk_attachment id="d"/>')])
    manager_on(script, V4).add_disk(VM, Disk(id="d", interface="virtio", bootable=True))
    assert b'<disk id="d"/>' in script.asked[0].body
    assert b"<disk_attachment id=" not in script.asked[0].body


def test_a_lost_disk_is_not_mistaken_for_an_older_one() -> None:
    listed = "".join(
        f'<disk id="{id}"><size>1073741824</size><format>cow</format><interface>virtio</interface></disk>'
        for id in ("old", "first", "second")
    )
    script = Script([(202, '<disk id="first"/>'), Unreachable("lost"), (200, f"<disks>{listed}</disks>")])
    manager = manager_on(script, V30)
    vm = VM.replace(disks=(Disk(id="old"),))
    assert manager.add_disk(vm, DISK).id == "first"
    assert manager.add_disk(vm, DISK).id == "second"


@pytest.mark.parametrize(
    ("dialect", "keep", "line", "body"),
    [
        (V4, True, "DELETE /ovirt-engine/api/vms/v1/diskattachments/d?detach_only=true", b""),
        (V4, False, "DELETE /ovirt-engine/api/vms/v1/diskattachments/d?detach_only=false", b""),
        (V36, True, "DELETE /ovirt-engine/api/vms/v1/disks/d", b"<action><detach>true</detach></action>"),
        (V36, False, "DELETE /ovirt-engine/api/vms/v1/disks/d", b""),
    ],
)
def test_a_disk_goes(dialect: Dialect, keep: bool, line: str, body: bytes) -> None:
    script = Script([DONE4 if dialect is V4 else DONE3])
    manager_on(script, dialect).remove_disk(VM, Disk(id="d"), keep=keep)
    assert script.lines() == [line]
    assert script.asked[0].body == body


PROFILES = (
    200,
    '<vnic_profiles><vnic_profile id="p0"><name>gold</name><network id="w1"/></vnic_profile><vnic_profile id="p1">'  # noqa: E501
    '<name>prod</name><network id="w1"/></vnic_profile><vnic_profile id="p2"><name>prod</name><network id="w2"/>'  # noqa: E501
    "</vnic_profile></vnic_profiles>",
)
NETWORKS = (
    200,
    '<networks><network id="w2"><name>prod</name><data_center id="d2"/></network><network id="w1"><name>prod'  # noqa: E501
    '</name><data_center id="d1"/></network></networks>',
)
CLUSTERS = (200, '<clusters><cluster id="c1"><name>c</name><data_center id="d1"/></cluster></clusters>')


def test_a_nic_on_the_profile_of_its_network_in_its_data_center() -> None:
    script = Script([NETWORKS, CLUSTERS, PROFILES, (201, '<nic id="n"><name>eth0</name><vnic_profile id="p1"/></nic>')])
    manager = manager_on(script, V4)
    nic = manager.add_nic(VM, Nic(name="eth0", network=Ref(name="prod"), mac="00:1a:4a:16:01:51"))
    assert nic.network == Ref("w1", "prod")
    assert b'<vnic_profile id="p1"/>' in script.asked[3].body
    assert b"<network" not in script.asked[3].body
    manager.add_nic(VM, Nic(name="eth0", network=Ref(name="prod")))
    assert len(script.asked) == 5


def test_a_network_that_is_not_there() -> None:
    with pytest.raises(NotFound, match="its data center has no network test"):
        manager_on(Script([NETWORKS, CLUSTERS]), V4).add_nic(VM, Nic(name="eth0", network=Ref(name="test")))


def test_a_nic_changes_its_network() -> None:
    script = Script([NETWORKS, CLUSTERS, PROFILES, (200, '<nic id="n"><name>eth0</name><vnic_profile id="p1"/></nic>')])
    nic = Nic(id="n", name="eth0", network=Ref("w9", "old"), vnic_profile=Ref("p9"), mac="00:00:00:00:00:01")
    manager = manager_on(script, V4)
    assert manager.change_nic(VM, nic, network=Ref(name="old"), mac="00:00:00:00:00:01") is None
    assert manager.change_nic(VM, nic, network=Ref(name="prod")).network.name == "prod"
    assert script.asked[3].body == b'<nic><vnic_profile id="p1"/></nic>'


def test_v3_nics_name_the_network() -> None:
    script = Script([(201, '<nic id="n"><name>eth0</name><network id="w"/></nic>'), (200, NETWORKS[1])])
    manager_on(script, V30).add_nic(VM, Nic(name="eth0", network=Ref(name="prod"), plugged=True))
    assert script.asked[0].body == b"<nic><name>eth0</name><network><name>prod</name></network></nic>"


def test_fencing_in_v4_is_an_agent_and_a_switch() -> None:
    script = Script([(200, "<agents/>"), (201, '<agent id="a"/>'), (200, '<host id="h"><name>h</name></host>')])
    agent = FenceAgent(type="ipmilan", address="bmc", username="u", password=Secret("sentinel"))
    assert manager_on(script, V4).set_fencing(Host(id="h", pm_enabled=False), agent) is True
    assert script.lines()[1:] == ["POST /ovirt-engine/api/hosts/h/fenceagents", "PUT /ovirt-engine/api/hosts/h"]
    assert b"<order>1</order>" in script.asked[1].body
    assert "sentinel" not in script.asked[1].shown
    same = '<agents><agent id="a"><type>ipmilan</type><address>bmc</address><username>u</username><order>1</order></agent></agents>'  # noqa: E501
    again = Script([(200, same)])
    assert manager_on(again, V4).set_fencing(Host(id="h", pm_enabled=True), agent) is False
    assert len(again.asked) == 1


def test_fencing_in_3_6_is_an_agent_too_for_the_part_of_the_host_is_ignored() -> None:
    script = Script([(200, "<agents/>"), (201, '<agent id="a"/>'), (200, '<host id="h"><name>h</name></host>')])
    agent = FenceAgent(type="ipmilan", address="bmc", username="u", password=Secret("p"), options={"lanplus": "1"})
    assert manager_on(script, V36).set_fencing(Host(id="h"), agent)
    assert script.asked[1].body.startswith(b'<agent type="ipmilan">')
    assert script.asked[2].body == b"<host><power_management><enabled>true</enabled></power_management></host>"


def test_fencing_in_v3_is_a_part_of_the_host() -> None:
    script = Script([(200, '<host id="h"><name>h</name></host>')])
    agent = FenceAgent(type="ipmilan", address="bmc", username="u", password=Secret("p"), options={"lanplus": "1"})
    assert manager_on(script, V30).set_fencing(Host(id="h"), agent)
    assert script.asked[0].body == (
        b'<host><power_management type="ipmilan"><enabled>true</enabled><address>bmc</address><username>u</username>'
        b'<password>p</password><options><option name="lanplus" value="1"/></options></power_management></host>'
    )


NICS = (
    '<host_nics><host_nic id="e0"><name>eth0</name><network id="w1"/></host_nic><host_nic id="e1"><name>eth1</name>'
    "</host_nic></host_nics>"
)
HOST = Host(id="h", name="h")
STATIC = NetworkAttachment.on(Ref(name="data"), Ref(name="eth1"), "static", "10.1.0.1", "255.255.0.0", "10.1.0.254")
HOSTS_NETWORKS = (
    200,
    '<networks><network id="w1"><name>mgmt</name></network><network id="w2"><name>data</name></network>'  # noqa: E501
    "</networks>",
)


def test_a_network_on_a_nic_in_v4_is_one_transaction() -> None:
    attachments = (
        200,
        '<network_attachments><network_attachment id="a1"><network id="w1"/><host_nic id="e0"/>'
        "</network_attachment></network_attachments>",
    )
    script = Script([(200, NICS), HOSTS_NETWORKS, attachments, DONE4])
    assert manager_on(script, V4).set_host_networks(HOST, [STATIC]) is True
    assert script.lines()[-1] == "POST /ovirt-engine/api/hosts/h/setupnetworks"
    body = script.asked[-1].body.decode()
    assert "<modified_network_attachments><network_attachment><network><name>data</name></network>" in body
    assert "<commit_on_success>true</commit_on_success>" in body
    assert "<assignment_method>static</assignment_method>" in body
    mine = NetworkAttachment.on(Ref(name="mgmt"), Ref(name="eth0"))
    again = Script([(200, NICS), HOSTS_NETWORKS, attachments])
    assert manager_on(again, V4).set_host_networks(HOST, [mine]) is False


def test_an_attachment_that_exists_is_sent_with_its_id() -> None:
    attachments = (
        200,
        '<network_attachments><network_attachment id="a1"><network id="w2"/><host_nic id="e0"/>'
        "</network_attachment></network_attachments>",
    )
    script = Script([(200, NICS), HOSTS_NETWORKS, attachments, DONE4, DONE4])
    manager_on(script, Dialect(4, (4, 2))).set_host_networks(
        HOST,
        [STATIC],
        bonds=[
            HostNic(name="bond0", bonding=Bonding(options={"mode": "4"}, slaves=(Ref(name="eth0"), Ref(name="eth1"))))
        ],
    )
    body = script.asked[-2].body.decode()
    assert '<network_attachment id="a1">' in body
    assert (
        "<modified_bonds><host_nic><name>bond0</name><bonding><options><option><name>mode</name><value>4</value>"
        in body
    )  # noqa: E501
    assert script.lines()[-1] == "POST /ovirt-engine/api/hosts/h/commitnetconfig"


def test_a_network_on_a_nic_in_3_0_is_three_steps() -> None:
    script = Script(
        [
            lambda request: {
                "GET": HOSTS_NETWORKS if request.path.endswith("networks") else (200, NICS),
                "POST": DONE3,
                "PUT": (200, '<host_nic id="e1"/>'),
            }[request.method]
        ]
    )
    assert manager_on(script, V30).set_host_networks(HOST, [STATIC])
    writes = [line for line in script.lines() if not line.startswith("GET")]
    assert writes == [
        "POST /api/hosts/h/nics/e1/attach",
        "PUT /api/hosts/h/nics/e1",
        "POST /api/hosts/h/commitnetconfig",
    ]  # noqa: E501
    attach = next(request for request in script.asked if request.path.endswith("attach"))
    assert attach.body == b'<action><network id="w2"><name>data</name></network></action>'


def test_a_console_with_its_port() -> None:
    consoles = (
        '<graphics_consoles><graphics_console id="s"><protocol>spice</protocol><port>5900</port><address>h</address>'  # noqa: E501
        '</graphics_console><graphics_console id="v"><protocol>vnc</protocol><port>5901</port><address>h</address>'  # noqa: E501
        "</graphics_console></graphics_consoles>"
    )
    ticket = (200, "<action><status>complete</status><ticket><value>pw</value><expiry>60</expiry></ticket></action>")
    script = Script([(200, consoles), ticket])
    console = manager_on(script, V4).console(VM, 60)
    assert (console.protocol, console.port, console.ticket.reveal()) == ("vnc", 5901, "pw")
    assert script.lines() == [
        "GET /ovirt-engine/api/vms/v1/graphicsconsoles?current=true",
        "POST /ovirt-engine/api/vms/v1/graphicsconsoles/v/ticket",
    ]


def test_cpu_families_of_a_level() -> None:
    v3 = (
        '<capabilities><version major="3" minor="0"><cpus><cpu id="Intel Nehalem Family"><level>4</level></cpu>'
        '<cpu id="Intel Penryn Family"><level>3</level></cpu></cpus></version>'
        '<version major="2" minor="2"/></capabilities>'
    )
    assert manager_on(Script([(200, v3)]), V30).cpu_types() == ["Intel Penryn Family", "Intel Nehalem Family"]
    v4 = (
        '<cluster_levels><cluster_level id="4.7"><cpu_types><cpu_type><name>Intel Nehalem Family</name><level>3</level>'  # noqa: E501
        "</cpu_type></cpu_types></cluster_level></cluster_levels>"
    )
    assert manager_on(Script([(200, v4)]), V4).cpu_types("4.7") == ["Intel Nehalem Family"]
    many = "".join(
        f"<cpu_type><name>{name}</name><level>{level}</level><architecture>{kind}</architecture></cpu_type>"
        for level, name, kind in (
            (4, "Intel Penryn Family", "x86_64"),
            (3, "Intel Conroe Family", "x86_64"),
            (2, "AMD Opteron G1", "x86_64"),
            (5, "Secure Intel Nehalem Family", "x86_64"),
            (1, "IBM POWER8", "ppc64"),
        )
    )
    level = f'<cluster_levels><cluster_level id="4.2"><cpu_types>{many}</cpu_types></cluster_level></cluster_levels>'
    assert manager_on(Script([(200, level)]), V4).cpu_types() == [
        "Intel Conroe Family",
        "Intel Penryn Family",
        "Secure Intel Nehalem Family",
        "AMD Opteron G1",
        "IBM POWER8",
    ]
    with pytest.raises(NotFound, match=r"no compatibility level 3\.0"):
        manager_on(Script([(200, v4)]), V4).cpu_types("3.0")


def test_what_an_engine_does_before_it_answers() -> None:
    host, domain, center = Host(id="h1", name="h"), StorageDomain(id="s1", name="s"), DataCenter(id="d1", name="d")
    script = Script([DONE4])
    manager = manager_on(script, V4)
    manager.act(host, "fence", fence_type="restart")
    manager.act(host, "setupnetworks")
    manager.act(Snapshot(id="x"), "restore", under=VM)
    manager.activate_storage(center, domain)
    manager.remove(domain, host=Ref("h1"))
    assert all(asked.slow for asked in script.asked)
    manager.act(host, "deactivate")
    manager.act(VM, "start")
    assert [asked.slow for asked in script.asked[-2:]] == [False, False]


def test_events_are_asked_for_by_the_things_name() -> None:
    script = Script([(200, "<events/>")])
    manager = manager_on(script, V4)
    manager.events(VM, 3)
    assert manager.events(Cluster(id="c", name="c")) == []
    assert script.lines() == ["GET /ovirt-engine/api/events?search=event_vm%3D%22n1%22&max=3"]


def test_what_lies_below_something() -> None:
    script = Script(
        [(200, "<templates/>"), (200, "<networks/>"), (201, '<network id="n"><name>x</name></network>'), DONE4]
    )  # noqa: E501
    manager = manager_on(script, V4)
    manager.list(Template, under=StorageDomain(id="s"))
    manager.list(Network, under=Ref("c", "c", "/ovirt-engine/api/clusters/c"))
    network = manager.create(Network(id="n", name="x", required=False), under=Cluster(id="c"))
    manager.remove(network, under=Cluster(id="c"))
    assert script.lines() == [
        "GET /ovirt-engine/api/storagedomains/s/templates",
        "GET /ovirt-engine/api/clusters/c/networks",
        "POST /ovirt-engine/api/clusters/c/networks",
        "DELETE /ovirt-engine/api/clusters/c/networks/n",
    ]


def event(severity: str, text: str) -> str:
    return f'<events><event id="7"><description>{text}</description><severity>{severity}</severity></event></events>'


def test_an_action_whose_answer_was_lost_is_settled_by_the_managers_events() -> None:
    script = Script([Unreachable("lost"), (200, event("normal", "VM vm1 was started"))])
    assert manager_on(script, V4).act(VM, "start").status == "complete"
    correlation = script.asked[0].headers["Correlation-Id"]
    assert script.lines()[1].endswith(f"/events?max=20&search=correlation_id%3D{correlation}") or (
        f"correlation_id%3D{correlation}" in script.lines()[1]
    )
    assert [request.method for request in script.asked] == ["POST", "GET"]


def test_and_so_is_one_that_failed() -> None:
    script = Script([Unreachable("lost"), (200, event("error", "Failed to run VM vm1"))])
    with pytest.raises(Conflict, match="Failed to run VM vm1"):
        manager_on(script, V4).act(VM, "start")


def test_what_nobody_knows_is_called_so() -> None:
    """It is no failure: the manager may have done it."""
    lost = Unreachable("manager m broke the connection off")
    for after in ((200, "<events/>"), Unreachable("gone", sent=False), (503, "")):
        script = Script([lost, after])
        with pytest.raises(Unreachable, match="broke the connection off; it is not known whether it was done. Run the"):
            manager_on(script, V4).act(VM, "start")
        assert [request.method for request in script.asked].count("POST") == 1


@pytest.mark.parametrize("call", ["create", "change", "remove"])
@pytest.mark.parametrize("lost", [Unreachable("lost"), BadAnswer("lost")], ids=["no-answer", "failure"])
def test_a_manager_that_does_not_come_back_leaves_every_write_open(call: str, lost: RhevError) -> None:
    """An engine that stops answers with failures to what it has carried out."""
    script = Script([lost, (503, "")])
    manager = manager_on(script, V4)
    with pytest.raises(Unreachable, match="lost; it is not known whether it was done"):
        if call == "create":
            manager.create(NEW)
        elif call == "change":
            manager.change(Network(id="w1", name="prod"), description="x")
        else:
            manager.remove(VM)


def test_what_was_surely_not_done_is_no_open_question() -> None:
    script = Script([Unreachable("refused", sent=False)])
    with pytest.raises(Unreachable, match="^refused$"):
        manager_on(script, V4).act(VM, "start")


@pytest.mark.parametrize("dialect, hinted", [(Dialect(3, (4, 2)), True), (V4, False)])
def test_a_maximum_that_the_old_api_cannot_raise_leads_to_the_new_one(dialect: Dialect, hinted: bool) -> None:
    detail = "[Cannot edit VM. Memory size (40960MB) cannot exceed maximum memory size (8192MB).]"
    script = Script([(409, f"<fault><reason>Operation Failed</reason><detail>{detail}</detail></fault>")])
    with pytest.raises(Conflict) as raised:
        manager_on(script, dialect).change(VM.replace(status="down", console=False), memory=40 << 30)
    assert ("chtab key=rhevmapi site.value=" in str(raised.value)) == hinted
