"""The declarations: what is written is read back, in both dialects; only what differs is sent; v3 fits the schemas."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from enginehelp import DIALECTS
from published import schema as schema_for
from xcat_rhev.engine import nouns
from xcat_rhev.engine.documents.bodies import action, document, removal
from xcat_rhev.engine.documents.dialect import V4, V30, V36, Dialect
from xcat_rhev.engine.documents.field import Field
from xcat_rhev.engine.documents.record import RecordShape, body
from xcat_rhev.engine.documents.shapes import Options, Pointer, Scalar, VersionShape
from xcat_rhev.engine.nouns import Disk, Host, Network, Nic, Ref, StorageDomain, Template, Vm
from xcat_rhev.errors import BadAnswer, Usage
from xcat_rhev.secret import Secret

NOUNS = sorted(
    {kind for kind in vars(nouns).values() if isinstance(kind, type) and issubclass(kind, nouns.Record)}
    - {nouns.Record, nouns.Noun},
    key=lambda kind: kind.__name__,
)
# What XML can say, without white space at the ends, which no engine keeps.
WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=20).filter(
    lambda text: text.strip() == text and text.isprintable()
)
REFS = st.builds(Ref, id=WORDS) | st.builds(Ref, name=WORDS)


def values_of(field: Field) -> st.SearchStrategy:
    shape = field.shape
    one: st.SearchStrategy[Any]
    if isinstance(shape, Pointer):
        one = REFS
    elif isinstance(shape, Options):
        one = st.dictionaries(WORDS, WORDS, min_size=1, max_size=3)
    elif isinstance(shape, VersionShape):
        one = st.builds("{}.{}".format, st.integers(0, 99), st.integers(0, 99))
    elif isinstance(shape, RecordShape):
        one = filled(shape._kind, nested=True).filter(lambda record: record.values())
    else:
        one = scalars(shape)
    return st.lists(one, max_size=3).map(tuple) if field.many else one


def scalars(shape: Scalar) -> st.SearchStrategy:
    parse = shape._parse
    if parse is Secret:
        return st.builds(Secret, WORDS)
    if parse is str:
        return WORDS
    if parse is float:
        return st.integers(0, 100000).map(float)
    return st.booleans() if parse.__name__ == "_flag" else st.integers(0, 1 << 50)


@cache
def filled(kind: type[Any], nested: bool = False) -> st.SearchStrategy:
    fields = {
        name: values_of(field)
        for name, field in kind.FIELDS.items()
        if not (nested and isinstance(field.shape, RecordShape))
    }
    needed = {name: fields.pop(name) for name in ("id",) if name in fields}
    return st.fixed_dictionaries(needed, optional=fields).map(lambda values: kind(**values))


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
@pytest.mark.parametrize("kind", NOUNS, ids=lambda kind: kind.__name__)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_what_is_written_is_read_back(kind: type[Any], dialect: Dialect, data: st.DataObject) -> None:
    record = data.draw(filled(kind))
    # No engine gives `clone` back: it stands inside the list of disks, which only a request has.
    known = {
        name: value for name, value in record.values().items() if says(kind.FIELDS[name], dialect) and name != "clone"
    }
    known = {name: only_said(value, dialect) for name, value in known.items()}
    root = etree.Element("thing")
    kind(**known).write(root, dialect)
    sent, _ = body(root)
    assert kind.read(etree.fromstring(sent), dialect) == kind(**known)


def says(field: Field, dialect: Dialect) -> bool:
    return field.spellings[dialect.major] is not None and dialect.since(field.since)


def only_said(value: object, dialect: Dialect) -> object:
    if isinstance(value, tuple):
        kept = tuple(only_said(each, dialect) for each in value)
        return tuple(each for each in kept if not isinstance(each, nouns.Record) or each.values())
    if isinstance(value, nouns.Record):
        return type(value)(
            **{
                name: only_said(each, dialect)
                for name, each in value.values().items()
                if says(type(value).FIELDS[name], dialect)
            }
        )
    return value


def test_absent_is_none_and_repeated_is_empty() -> None:
    vm = Vm.read(etree.fromstring("<vm id='1'/>"), V4)
    assert (vm.name, vm.memory, vm.boot, vm.disks, vm.host) == ("", None, (), None, None)


def test_unknown_elements_are_left_alone() -> None:
    vm = Vm.read(etree.fromstring("<vm id='1'><new><deep/></new><status>up</status><!-- c --></vm>"), V4)
    assert vm.status == "up"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<vms><vm/></vms>", "vms/vm/@id is missing"),
        ("<vms><vm id='1'><memory>2g</memory></vm></vms>", "vms/vm/memory: '2g' is not a whole number"),
        ("<vms><vm id='1'><stateless>si</stateless></vm></vms>", "vms/vm/stateless: 'si' is neither true nor false"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(text: str, said: str) -> None:
    with pytest.raises(BadAnswer) as caught:
        Vm.read(etree.fromstring(text)[0], V4)
    assert said in str(caught.value)


def test_both_spellings_of_a_status() -> None:
    v3 = "<vm id='1'><status><state>paused</state><detail>eio</detail></status></vm>"
    assert Vm.read(etree.fromstring(v3), V36).status_detail == "eio"
    v4 = "<vm id='1'><status>paused</status><status_detail>eio</status_detail></vm>"
    assert Vm.read(etree.fromstring(v4), V4).values() == Vm.read(etree.fromstring(v3), V30).values()


def test_asked_and_empty_is_not_the_same_as_not_asked() -> None:
    vm = Vm.read(etree.fromstring("<vm id='1'><nics/></vm>"), V4)
    assert (vm.nics, vm.disks) == ((), None)


def test_v4_attachment_and_disk_are_one() -> None:
    text = (
        "<disk_attachment id='d'><active>true</active><interface>virtio</interface><disk id='d'><name>n</name>"
        "<provisioned_size>1024</provisioned_size><status>ok</status></disk></disk_attachment>"
    )
    disk = Disk.read(etree.fromstring(text), V4)
    assert (disk.name, disk.size, disk.status, disk.active, disk.interface) == ("n", 1024, "ok", True, "virtio")


@pytest.mark.parametrize(
    ("current", "wanted"),
    [
        (Vm(memory=1999634432), {"memory": 2000000000 // 1048576 * 1048576 + 7}),
        (Vm(), {"stateless": False}),
        (Vm(description=None), {"description": ""}),
        (Vm(cluster=Ref("1", "a")), {"cluster": Ref(name="a")}),
        (Vm(cluster=Ref("1")), {"cluster": Ref("1", "a")}),
        (Vm(boot=("hd",)), {"boot": ("hd",)}),
        (Nic(mac="00:1A:4A:00:00:01"), {"mac": "00:1a:4a:00:00:01"}),
        (Vm(placement_hosts=(Ref("1"),)), {"placement_hosts": (Ref("1", "h"),)}),
    ],
)
def test_the_same_to_an_engine(current: nouns.Noun, wanted: dict) -> None:
    assert current.differences(wanted) == {}


@pytest.mark.parametrize(
    ("current", "wanted"),
    [
        (Vm(memory=1 << 30), {"memory": (1 << 30) + (1 << 20)}),
        (Vm(stateless=True), {"stateless": False}),
        (Vm(boot=("hd", "network")), {"boot": ("network", "hd")}),
        (Vm(cluster=Ref("1")), {"cluster": Ref("2")}),
        (Host(root_password=Secret("x")), {"root_password": Secret("x")}),
        (Vm(placement_hosts=(Ref("1"),)), {"placement_hosts": ()}),
    ],
)
def test_different_to_an_engine(current: nouns.Noun, wanted: dict) -> None:
    assert current.differences(wanted) == wanted


def test_a_record_takes_no_other_names() -> None:
    with pytest.raises(TypeError, match="Vm has no colour"):
        Vm(colour="red")


def test_what_a_version_would_ignore_is_refused() -> None:
    with pytest.raises(Usage, match="API 3.0 has no network mtu"):
        document(Network(name="n", mtu=9000), V30)
    with pytest.raises(Usage, match=r"API 4.5 has no vm kernel"):
        document(Vm(name="n", kernel="/k"), V4)
    assert b"linked" not in document(Nic(name="n", linked=True), V30)[0]


def test_v3_on_a_newer_engine_stays_what_it_was() -> None:
    assert not Dialect(3, (4, 3)).has("follow")
    assert Dialect(3, (4, 3)).has("attachments")


def test_secrets_go_out_but_do_not_show() -> None:
    sent, shown = document(Host(name="h", root_password=Secret("sentinel")), V4)
    assert b"<root_password>sentinel</root_password>" in sent
    assert b"secret=" not in sent
    assert "sentinel" not in shown
    assert "sentinel" not in repr(Host(root_password=Secret("sentinel")))


def test_an_emptied_list_clears_it() -> None:
    sent, _ = document(Vm(id="1", placement_hosts=(Ref("h"),)), V4, {"placement_hosts": ()})
    assert sent == b"<vm><placement_policy><hosts/></placement_policy></vm>"
    assert document(Network(name="n", vm_network=False), V36)[0].endswith(b"<usages/></network>")


VM = Vm(
    name="n1",
    description="d",
    type="server",
    memory=2 << 30,
    sockets=1,
    cores=2,
    boot=("network", "hd"),
    cluster=Ref(name="Default"),
    template=Ref(name="Blank"),
    display_type="vnc",
    placement_hosts=(Ref(id="H"),),
    affinity="migratable",
    stateless=True,
    ha=True,
    ha_priority=50,
    memory_guaranteed=1 << 30,
    clone=True,
    os_type="rhel_6x64",
    custom_properties={"a": "b"},
    storage_domain=Ref("S"),
    timezone="Etc/GMT",
)
BODIES = [
    VM,
    Disk(
        name="d",
        size=1 << 30,
        interface="virtio",
        format="cow",
        bootable=True,
        sparse=True,
        active=True,
        type="system",
        storage_domains=(Ref("S"),),
    ),
    Nic(name="eth0", network=Ref("1", "rhevm"), interface="virtio", mac="00:1a:4a:16:01:51", plugged=True, linked=True),
    nouns.DataCenter(name="dc", description="x", storage_type="nfs", local=False, version="3.0"),
    nouns.Cluster(
        name="c",
        data_center=Ref("1"),
        cpu_type="Intel Penryn Family",
        memory_overcommit=100,
        version="3.0",
        hugepages=True,
    ),
    Network(name="n", data_center=Ref("1"), vlan=4, stp=True, display=False, required=False),
    StorageDomain(name="s", type="data", storage_type="nfs", address="a", path="/p", host=Ref("h"), import_=True),
    StorageDomain(
        name="s",
        type="data",
        storage_type="iscsi",
        address="a",
        port=3260,
        target="iqn.x",
        username="u",
        password=Secret("p"),
        luns=("l1", "l2"),
        host=Ref("h"),
    ),
    Host(name="h", address="h.x", cluster=Ref(name="c"), port=54321, root_password=Secret("p")),
    Host(
        pm_enabled=True,
        pm_type="ipmilan",
        pm_address="b",
        pm_user="u",
        pm_password=Secret("p"),
        pm_options={"lanplus": "1"},
    ),
    nouns.HostNic(
        network=Ref("1", "n"), boot_protocol="static", ip="10.0.0.1", netmask="255.0.0.0", gateway="10.0.0.2"
    ),
    nouns.HostNic(
        name="bond0", network=Ref("1", "n"), bonding=nouns.Bonding(options={"mode": "4"}, slaves=(Ref("2"), Ref("3")))
    ),
    Template(name="t", description="d", vm=Ref("v"), cluster=Ref("c")),
    nouns.Tag(name="t", parent=Ref("1")),
    nouns.Snapshot(description="before"),
]
NEWER = [
    VM.replace(
        threads=2,
        comment="c",
        delete_protected=True,
        initialization=nouns.Initialization(
            host_name="h",
            root_password=Secret("p"),
            nic_configurations=(
                nouns.NicConfiguration(name="eth0", ip="1.2.3.4", boot_protocol="static", on_boot=True),
            ),
        ),
    ),
    Network(name="n", data_center=Ref("1"), mtu=9000, vm_network=False),
    StorageDomain(
        name="s",
        type="data",
        storage_type="posixfs",
        path="/p",
        vfs_type="ext4",
        mount_options="rw",
        address="a",
        host=Ref("h"),
    ),
    Host(
        name="h",
        address="h.x",
        ssh_authentication="publickey",
        ssh_user="root",
        ssh_password=Secret("p"),
        comment="c",
    ),
    nouns.NetworkAttachment.on(Ref("n"), Ref("e"), "static", "1.2.3.4", "255.0.0.0", "1.2.3.1"),
    nouns.FenceAgent(
        type="ipmilan",
        address="b",
        username="u",
        password=Secret("p"),
        order=1,
        port=623,
        options={"a": "b"},
    ),
]


def name_of(noun: object) -> str:
    return type(noun).__name__


@pytest.mark.parametrize("noun", BODIES, ids=name_of)
@pytest.mark.parametrize("version", ["3.0", "3.6"])
def test_bodies_fit_the_schema(noun: nouns.Noun, version: str) -> None:
    check(document(noun, V30 if version == "3.0" else V36)[0], version)


@pytest.mark.parametrize("noun", NEWER, ids=name_of)
def test_newer_bodies_fit_the_newer_schema(noun: nouns.Noun) -> None:
    check(document(noun, V36)[0], "3.6")


ACTIONS = [
    {},
    {"force": True, "host": Ref("h")},
    {"cluster": Ref(name="c"), "root_password": Secret("p")},
    {"fence_type": "status"},
    {"network": Ref("1", "n")},
    {"ticket": nouns.Ticket(value=Secret("p"), expiry=120)},
    {"pause": True, "vm": Vm(boot=("network",), stateless=True, display_type="vnc")},
    {"iscsi": nouns.Iscsi(address="a", port=3260, target="t", username="u", password=Secret("p"))},
    {"storage_domain": Ref("s"), "exclusive": True, "discard_snapshots": True},
]


@pytest.mark.parametrize("params", ACTIONS, ids=lambda params: "-".join(params) or "plain")
@pytest.mark.parametrize("version", ["3.0", "3.6"])
def test_actions_fit_the_schema(params: dict, version: str) -> None:
    check(action(V30 if version == "3.0" else V36, params)[0], version)


def test_network_set_up_fits_the_schema() -> None:
    wanted = nouns.NetworkAttachment.on(Ref("n"), Ref("e"), "dhcp")
    check(
        action(
            V36,
            {
                "connectivity_timeout": 60,
                "check_connectivity": True,
                "removed_network_attachments": [wanted],
                "modified_network_attachments": [wanted],
            },
        )[0],
        "3.6",
    )


REMOVALS = [
    (Vm(id="v"), {"force": True}, "3.0"),
    (Vm(id="v"), {"force": True, "detach_only": True}, "3.6"),
    (Host(id="h"), {"force": True}, "3.6"),
    (Disk(id="d"), {"detach_only": True}, "3.6"),
    (StorageDomain(id="s"), {"host": Ref("h"), "format": True}, "3.0"),
    (StorageDomain(id="s"), {"host": Ref("h"), "destroy": True}, "3.6"),
]


@pytest.mark.parametrize(("obj", "params", "version"), REMOVALS)
def test_v3_removals_say_it_in_a_body(obj: nouns.Noun, params: dict, version: str) -> None:
    query, (sent, _) = removal(V30 if version == "3.0" else V36, obj, params)
    assert query == {}
    check(sent, version)


@pytest.mark.parametrize(
    ("obj", "params", "query"),
    [
        (Vm(id="v"), {"force": True}, {"force": "true"}),
        (Vm(id="v"), {"force": False}, {}),
        (Disk(id="d"), {"detach_only": False}, {"detach_only": "false"}),
        (StorageDomain(id="s"), {"host": Ref("h", "n"), "format": True}, {"host": "h", "format": "true"}),
        (Host(id="h"), {}, {}),
    ],
)
def test_v4_removals_say_it_in_the_query(obj: nouns.Noun, params: dict, query: dict) -> None:
    assert removal(V4, obj, params) == (query, (b"", ""))


def test_3_0_cannot_keep_disks() -> None:
    with pytest.raises(Usage, match=r"3\.0 cannot"):
        removal(V30, Vm(id="v"), {"detach_only": True})
    with pytest.raises(Usage, match="takes no colour"):
        removal(V4, Vm(id="v"), {"colour": True})


def check(sent: bytes, version: str) -> None:
    schema = schema_for(version)
    assert schema.validate(etree.fromstring(sent)), f"{sent.decode()}\n{schema.error_log}"
