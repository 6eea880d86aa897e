"""lsve: the manual page's layout to the byte, and the same as JSON; a manager answers from documents."""

import json

import pytest

from enginehelp import Documents, manager_on, run_command
from xcat_rhev.commands import lsve
from xcat_rhev.engine.documents.dialect import V36
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
    networks: [rhevm]
      description: Management Network
      state: operational
      stp: false
    networks: [rhevm2]
      description:
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


STATE = "<status><state>{}</state></status>"
CENTERS = [
    """<data_center id="dc"><name>Default</name><description>The default Data Center</description>
    <storage_type>nfs</storage_type><storage_format>v1</storage_format><status><state>up</state></status></data_center>""",
    '<data_center id="dc2"><name>dc2</name><local>true</local></data_center>',
]
CLUSTERS = [
    """<cluster id="cl"><name>Default</name><description>The default server cluster</description>
    <cpu id="Intel Westmere Family"/><data_center id="dc"/><memory_policy><overcommit percent="100"/>
    <transparent_hugepages><enabled>true</enabled></transparent_hugepages></memory_policy></cluster>""",
    '<cluster id="cl2"><name>cl2</name><data_center id="dc2"/></cluster>',
]
DOMAIN = """<storage_domain id="sd"><name>image</name><type>data</type>{}<master>true</master>
    <storage><address>nfs.example.com</address><type>nfs</type><path>/vfsimg</path></storage>
    <available>55834574848</available><used>9663676416</used><committed>13958643712</committed>
    <storage_format>v1</storage_format></storage_domain>"""
NETWORKS = [
    f"""<network id="n1"><name>rhevm2</name><data_center id="dc"/>
    <stp>false</stp>{STATE.format("operational")}</network>""",
    f"""<network id="n2"><name>rhevm</name><description>Management Network</description><data_center id="dc"/>
    <stp>false</stp>{STATE.format("operational")}</network>""",
    '<network id="n3"><name>rhevm</name><data_center id="dc2"/><vlan id="7"/></network>',
]
TEMPLATES = [
    f"""<template id="t1"><name>Blank</name><type>desktop</type>{STATE.format("ok")}<memory>536870912</memory>
    <cpu><topology sockets="1" cores="1"/></cpu><os><boot dev="hd"/></os><stateless>false</stateless>
    <creation_time>2008-04-01T00:00:00.000-04:00</creation_time><display><type>spice</type></display></template>""",
    """<template id="t2"><name>tpl2</name><cluster id="cl2"/>
    <os><boot dev="network"/><boot dev="hd"/></os></template>""",
]


class Engine(Documents):
    """A manager of 3.6 with two data centers."""

    def __init__(self):
        super().__init__(
            {
                "/datacenters": CENTERS,
                "/clusters": CLUSTERS,
                "/storagedomains": [DOMAIN.format("")],
                "/networks": NETWORKS,
                "/templates": TEMPLATES,
            }
        )
        self.attached("dc", "active")

    def attached(self, center, state=""):
        """Have the domain in a data center, in that state; without one it is not there."""
        self.lists[f"/datacenters/{center}/storagedomains"] = [DOMAIN.format(STATE.format(state))] if state else []


@pytest.fixture
def engine():
    return Engine()


def run(engine, line):
    """What a command line says; errors with an exclamation mark in front."""
    return run_command(lsve, manager_on(engine, V36), line)


def shown(engine, line):
    return "".join(f"{text}\n" for text in run(engine, f"-m m {line}"))


def test_a_data_center_with_all_that_belongs_to_it(engine):
    assert shown(engine, "-t dc -o Default") == DEFAULT
    assert len(engine.asked) == 5


def test_a_data_center_of_one_dialect_that_only_tells_local_from_shared(engine):
    assert "  storagetype: localfs\n" in shown(engine, "-t dc -o dc2")
    engine.lists["/datacenters"].append('<data_center id="dc3"><name>dc3</name><local>false</local></data_center>')
    assert shown(engine, "-t dc -o dc3").startswith("datacenters: [dc3]\n  description:\n  storagetype: shared\n")


def test_data_centers_without_names_are_shown_without_their_parts(engine):
    assert "clusters:" not in shown(engine, "-t dc")
    assert len(engine.asked) == 1


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
    engine.attached("dc2", "maintenance")
    assert shown(engine, "-t sd -o image") == IMAGE.format("active,maintenance")


def test_a_storage_domain_without_a_data_center_is_unattached(engine):
    engine.attached("dc")
    engine.lists["/storagedomains"] = [DOMAIN.format(STATE.format("unattached"))]
    assert shown(engine, "-t sd -o image") == IMAGE.format("unattached")
    assert len(engine.asked) == 1


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
        "!cl9: cannot find the cluster on m",
        "!cl8: cannot find the cluster on m",
        "clusters: [cl2]",
        "  description:",
    ]


def test_json_has_the_same_keys_with_types(engine):
    (line,) = run(engine, "-m m -t dc -o Default --json")
    found = json.loads(line)
    assert (found["kind"], found["name"], found["state"]) == ("datacenters", "Default", "up")
    assert found["manager"] == "m"
    assert found["clusters"][0]["memory_hugepage"] is True
    assert found["storagedomains"][0]["used"] == 9663676416
    assert [network["name"] for network in found["networks"]] == ["rhevm", "rhevm2"]
    assert found["templates"][0]["bootorder"] == ["hd"]


def test_with_several_managers_each_object_is_whole_and_says_whose_it_is(engine):
    (block,) = run(engine, "-m m,other -t cl -o cl2")
    assert block.splitlines() == ["managers: [m]", "clusters: [cl2]", "  description:"]


@pytest.mark.parametrize(("line", "named"), [("", "needs -t"), ("-t dc rest", "'rest'"), ("-t vm", "not one of")])
def test_wrong_words(engine, line, named):
    with pytest.raises(Usage, match=named):
        run(engine, line)
