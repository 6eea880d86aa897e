"""Descriptions: every fault named at once, no text of the file in a message, no surprise from YAML."""

import pytest

from enginehelp import Documents, manager_on, run_command
from fakes import FakeHost
from xcat_rhev.commands import cfgve
from xcat_rhev.commands.environment import descriptionfile
from xcat_rhev.commands.environment.overlay import Overlay
from xcat_rhev.engine.documents.dialect import V4
from xcat_rhev.errors import RhevError, Usage
from xcat_rhev.rows import description
from xcat_rhev.xcat.host import Request

pytest.importorskip("yaml")

GOOD = """
data_centers:
  dc1:
    storage: nfs
    compat: 4.7
    clusters: {cl1: {cpu: Intel Nehalem Family}, cl2: }
    networks:
      nw1: {vlan: 100, clusters: [cl1, cl2]}
      san: {hosts_only: true}
    hosts:
      rhevh1: {cluster: cl1, address: 10.0.0.1, interface: "nw1:eth1:none"}
    storage_domains:
      sd1: {stype: nfs, location: "nfs1:/data", host: rhevh1}
    vms:
      vm1: {cluster: cl1, memory: 2048, storage: "sd1:10g:system"}
  dc2:
"""


def test_a_description_is_read_with_texts_as_texts():
    centers, faults = description.parse(GOOD)
    assert not faults
    first, second = centers
    assert (first.name, first.storage, first.compat) == ("dc1", "nfs", "4.7")
    assert first.clusters == {"cl1": {"cpu": "Intel Nehalem Family"}, "cl2": {}}
    assert first.networks["nw1"] == {"vlan": 100, "clusters": ["cl1", "cl2"]}
    assert first.storage_domains["sd1"]["datacenter"] == "dc1"
    assert first.vms["vm1"]["memory"] == "2048"
    assert (second.name, second.hosts) == ("dc2", {})


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (
            "data_centers: {dc1: {clusters: {1: }, hosts: {h: {cluster: 1}}, networks: {n: {clusters: [[1]]}}}}",
            ["networks.n.clusters has to be a list of names"],
        ),
        (
            "data_centers: {dc1: {clusters: 5, vms: {v: {cluster: {}}}}}",
            ["dc1.clusters has to hold names", "vms.v.cluster has to be a text"],
        ),
        ("", ["has to begin with data_centers:"]),
        ("- a\n- b\n", ["has to begin with data_centers:"]),
        ("data_centers: {}\nclusters: {}\n", ["has to begin with data_centers:"]),
        ("data_centers: {dc1: nfs}", ["data_centers.dc1 has to hold names and values"]),
        ("data_centers: {dc1: {clusters: [a]}}", ["data_centers.dc1.clusters has to hold names"]),
        ("data_centers: {dc1: {storage: cifs}}", ["data_centers.dc1.storage is not one of nfs"]),
        ("data_centers: {dc1: {size: 1}}", ["data_centers.dc1 has no size; it may have storage, compat, description"]),
        ("data_centers: {dc1: {networks: {n: {vlan: x}}}}", ["networks.n.vlan has to be a number"]),
        ("data_centers: {dc1: {networks: {n: {vlan: 4095}}}}", ["networks.n.vlan is not from 0 to 4094"]),
        ("data_centers: {dc1: {networks: {n: {vlan: true}}}}", ["networks.n.vlan has to be a number"]),
        ("data_centers: {dc1: {networks: {n: {clusters: c}}}}", ["networks.n.clusters has to be a list of names"]),
        ("data_centers: {dc1: {networks: {n: {clusters: [c]}}}}", ["clusters names c, which is not described there"]),
        ("data_centers: {dc1: {hosts: {h: {}}}}", ["hosts.h.cluster is Default, which is not described there"]),
        (
            "data_centers: {dc1: {hosts: {h: {password: x}}}}",
            ["hosts.h has no password", "hosts.h.cluster is Default, which"],
        ),
        ("data_centers: {a: {clusters: {c: }}, b: {clusters: {c: }}}", ["the cluster c is described twice"]),
        (
            "data_centers: {a: {x: 1, networks: {n: {mtu: 5}}, vms: {v: {memory: []}}}}",
            ["a has no x", "mtu is not from 68", "vms.v.memory has to be a text", "vms.v.cluster is Default, which"],
        ),
    ],
)
def test_every_fault_is_named(text, faults):
    _, found = description.parse(text)
    assert len(found) == len(faults)
    assert all(wanted in fault for wanted, fault in zip(faults, found))


@pytest.mark.parametrize(
    "text",
    ["a: [", "a: b: c", "\tx", "!!python/object/apply:os.system ['true']", "data_centers: &a {x: *b}", "a: \x01"],
)
def test_what_is_no_plain_yaml_is_refused_with_its_place_and_nothing_of_its_text(text):
    with pytest.raises(Usage) as caught:
        description.parse("# root:$6$secret\n" + text)
    assert "is not YAML: " in str(caught.value)
    assert "secret" not in str(caught.value) and "system" not in str(caught.value)


@pytest.mark.parametrize("value", ["2001-99-99", "!!int x", "!!timestamp x", "[" * 3000 + "]" * 3000])
def test_values_that_the_yaml_library_chokes_on(value):
    with pytest.raises(Usage, match="^the description has a bad value: "):
        description.parse(f"data_centers: {{Default: {{description: {value}}}}}")


def test_a_description_that_is_too_large():
    with pytest.raises(Usage, match="larger than 4 MiB"):
        description.parse("#" * (description.LARGEST + 1))


def test_only_files_that_are_called_descriptions_are_read(tmp_path):
    (tmp_path / "site.yaml").write_text("x: y\n")
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe")
    request = Request("cfgve", cwd=str(tmp_path), stdin="from the input")
    assert descriptionfile.read(request, "site.yaml", "--from") == "x: y\n"
    assert descriptionfile.read(request, "-", "--from") == "from the input"
    with pytest.raises(Usage, match="there is no input. Run: cat FILE"):
        descriptionfile.read(Request("cfgve"), "-", "--from")
    for name in ("/etc/shadow", "site", "site.yaml.txt"):
        with pytest.raises(Usage, match="not the name of a description"):
            descriptionfile.read(request, name, "--from")
    with pytest.raises(Usage, match="is not text"):
        descriptionfile.read(request, "binary.yml", "--from")
    with pytest.raises(RhevError, match="cannot read .*none.yaml: No such file"):
        descriptionfile.read(request, "none.yaml", "--from")


def test_a_faulty_description_makes_no_request():
    engine = Documents({})
    said = run_command(cfgve, manager_on(engine, V4), "--from -", "nonsense: 1")
    assert len(said) == 1 and "has to begin with data_centers:" in said[0]
    assert not engine.asked


def test_rows_of_a_description_lie_over_those_of_the_tables():
    real = FakeHost(
        {
            "virtsd": [{"node": "sd1", "stype": "nfs"}, {"node": "sd2", "stype": "fcp"}],
            "hypervisor": [{"node": "h1", "password": "geheim", "cluster": "old"}],
            "site": [{"key": "domain", "value": "example.com"}],
        }
    )
    over = Overlay(real, {"virtsd": {"sd1": {"stype": "iscsi"}}, "hypervisor": {"h1": {"cluster": "new"}}})
    assert over.rows("virtsd") == [{"node": "sd1", "stype": "iscsi"}, {"node": "sd2", "stype": "fcp"}]
    assert over.rows("virtsd", {"node": "sd2"}) == [{"node": "sd2", "stype": "fcp"}]
    assert over.node_attrs("hypervisor", ["h1", "h2"], ["password", "cluster"]) == {
        "h1": {"password": "geheim", "cluster": "new"},
        "h2": {},
    }
    assert over.site("domain") == "example.com"
    over.set_node_attrs("vm", {"vm1": {"mgr": "m"}})
    assert real.row("vm", "vm1")["mgr"] == "m"
