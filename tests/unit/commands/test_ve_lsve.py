"""lsve: the manual page's layout to the byte, and the same as JSON."""

import json

import pytest

from fakeengine import FakeEngine, run, texts
from xcat_rhev.commands import lsve
from xcat_rhev.engine.nouns import Cluster, DataCenter, Network, Ref, StorageDomain, Template
from xcat_rhev.errors import Usage

# What the manual page's example shows; there the first line is indented too, for it would not stand verbatim otherwise.
DEFAULT = """\
datacenters: [Default]
  description: The default Data Center
  state: up
  storageformat: v1
  storagetype: nfs
    clusters: [Default]
      cpu: Intel Westmere Family
      description: The default server cluster
      memory_hugepage: true
      memory_overcommit: 100
    storagedomains: [image]
      available: 55834574848
      committed: 13958643712
      ismaster: true
      status: active
      storage_add: nfs.example.com
      storage_format: v1
      storage_path: /vfsimg
      storage_type: nfs
      type: data
      used: 9663676416
    networks: [rhevm2]
      description:
      state: operational
      stp: false
    networks: [rhevm]
      description: Management Network
      state: operational
      stp: false
    templates: [Blank]
      bootorder: hd
      cpucore: 1
      cpusocket: 1
      creation_time: 2008-04-01T00:00:00.000-04:00
      display: spice
      memory: 536870912
      state: ok
      stateless: false
      type: desktop
"""


@pytest.fixture
def engine():
    engine = FakeEngine(
        DataCenter(
            id="dc",
            name="Default",
            description="The default Data Center",
            status="up",
            storage_format="v1",
            storage_type="nfs",
        ),
        DataCenter(id="dc2", name="dc2", local=True),
        Cluster(
            id="cl",
            name="Default",
            description="The default server cluster",
            cpu_type="Intel Westmere Family",
            hugepages=True,
            memory_overcommit=100,
            data_center=Ref("dc"),
        ),
        Cluster(id="cl2", name="cl2", data_center=Ref("dc2")),
        StorageDomain(
            id="sd",
            name="image",
            available=55834574848,
            committed=13958643712,
            used=9663676416,
            master=True,
            address="nfs.example.com",
            path="/vfsimg",
            storage_type="nfs",
            storage_format="v1",
            type="data",
        ),
        Network(name="rhevm2", status="operational", stp=False, data_center=Ref("dc")),
        Network(name="rhevm", description="Management Network", status="operational", stp=False, data_center=Ref("dc")),
        Network(name="rhevm", vlan=7, data_center=Ref("dc2")),
        Template(
            name="Blank",
            boot=("hd",),
            cores=1,
            sockets=1,
            creation_time="2008-04-01T00:00:00.000-04:00",
            display_type="spice",
            memory=536870912,
            status="ok",
            stateless=False,
            type="desktop",
        ),
        Template(name="tpl2", cluster=Ref("cl2"), boot=("network", "hd")),
    )
    engine.attached["dc", "sd"] = "active"
    return engine


def shown(engine, line):
    return "".join(f"{text}\n" for text in texts(run(lsve, engine, f"-m rhevm.example.com {line}")))


def test_a_data_center_with_all_that_belongs_to_it(engine):
    assert shown(engine, "-t dc -o Default") == DEFAULT
    assert engine.asked == 5


def test_a_data_center_of_one_dialect_that_only_tells_local_from_shared(engine):
    assert "  storagetype: localfs\n" in shown(engine, "-t dc -o dc2")
    engine.put(DataCenter(name="dc3", local=False))
    assert shown(engine, "-t dc -o dc3").startswith("datacenters: [dc3]\n  description:\n  storagetype: shared\n")


def test_data_centers_without_names_are_shown_without_their_parts(engine):
    assert "clusters:" not in shown(engine, "-t dc")
    assert engine.asked == 1


def test_a_cluster(engine):
    assert (
        shown(engine, "-t cl -o Default")
        == """\
clusters: [Default]
  cpu: Intel Westmere Family
  description: The default server cluster
  memory_hugepage: true
  memory_overcommit: 100
"""
    )


IMAGE = """\
storagedomains: [image]
  available: 55834574848
  committed: 13958643712
  ismaster: true
  status: {}
  storage_add: nfs.example.com
  storage_format: v1
  storage_path: /vfsimg
  storage_type: nfs
  type: data
  used: 9663676416
"""


def test_a_storage_domain_has_the_state_that_its_data_center_knows(engine):
    assert shown(engine, "-t sd -o image") == IMAGE.format("active")
    engine.attached["dc2", "sd"] = "maintenance"
    assert shown(engine, "-t sd -o image") == IMAGE.format("active,maintenance")


def test_a_storage_domain_without_a_data_center_is_unattached(engine):
    engine.attached.clear()
    engine.set(engine.by_name(StorageDomain, "image"), status="unattached")
    engine.asked = 0
    assert shown(engine, "-t sd -o image") == IMAGE.format("unattached")
    assert engine.asked == 1


def test_networks_are_indented_by_two_and_shown_from_every_data_center(engine):
    assert (
        shown(engine, "-t nw -o rhevm")
        == """\
  networks: [rhevm]
    datacenter: Default
    description: Management Network
    state: operational
    stp: false
  networks: [rhevm]
    datacenter: dc2
    description:
    vlan: 7
"""
    )


def test_a_template_with_two_boot_devices(engine):
    assert shown(engine, "-t tpl -o tpl2") == "templates: [tpl2]\n  bootorder: network,hd\n"


def test_missing_objects_are_errors_and_the_others_are_shown(engine):
    said = shown(engine, "-t cl -o cl9,cl2,cl8").splitlines()
    assert said == [
        "!cl9: cannot find the cluster on rhevm.example.com",
        "!cl8: cannot find the cluster on rhevm.example.com",
        "clusters: [cl2]",
        "  description:",
    ]


def test_json_has_the_same_keys_with_types(engine):
    (line,) = run(lsve, engine, "-m rhevm.example.com -t dc -o Default --json")
    found = json.loads(line.text)
    assert (found["kind"], found["name"], found["state"]) == ("datacenters", "Default", "up")
    assert found["manager"] == "rhevm.example.com"
    assert found["clusters"][0]["memory_hugepage"] is True
    assert found["storagedomains"][0]["used"] == 9663676416
    assert [network["name"] for network in found["networks"]] == ["rhevm2", "rhevm"]
    assert found["templates"][0]["bootorder"] == ["hd"]


def test_with_several_managers_each_object_is_whole_and_says_whose_it_is(engine):
    (block,) = run(lsve, engine, "-m rhevm.example.com,other -t cl -o cl2")
    assert block.text.splitlines() == ["managers: [rhevm.example.com]", "clusters: [cl2]", "  description:"]


@pytest.mark.parametrize(("line", "named"), [("", "needs -t"), ("-t dc rest", "'rest'"), ("-t vm", "not one of")])
def test_wrong_words(engine, line, named):
    with pytest.raises(Usage, match=named):
        run(lsve, engine, line)
