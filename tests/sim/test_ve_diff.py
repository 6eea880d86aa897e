"""cfgve --diff: silent where nothing differs, else a line for each difference and exit code 2."""

from __future__ import annotations

import json

import pytest

from vesim import each_version, only
from xcat_rhev.messages import Data, Error, Warn

yaml = pytest.importorskip("yaml")

site = each_version(((3, 0), (3, 6), (4, 5)), hosts=2, vms=2)


@pytest.fixture(autouse=True)
def named(site):
    for name in ("rhevh1", "rhevh2"):
        site.row("hypervisor", name, type="rhevh", mgr=site.manager)


def exported(site):
    return "\n".join(site.ok("lsve -m MGR --export"))


def differences(site, text, more=""):
    """Lines and the exit code."""
    said = [each for each in site.say(f"cfgve -m MGR --diff -{more}", stdin=text) if not isinstance(each, Warn)]
    code = 0
    for each in said:
        code |= each.code
    return [f"{each.node}: {each.text}" if each.node else each.text for each in said], code


def test_what_was_just_exported_differs_in_nothing(site):
    assert differences(site, exported(site)) == ([], 0)


def test_what_was_changed_since_is_told_with_both_values_and_nothing_is_changed(site):
    site.ok("cfgve -t nw -m MGR -o nw1 -c -n 100")
    text = exported(site)
    site.ok("cfgve -t nw -m MGR -o nw1 -u -n 7")
    before = exported(site)
    assert differences(site, text) == (["nw1: change network to vlan 100 (now vlan 7)"], 2)
    assert exported(site) == before


def test_what_is_not_there_and_what_is_not_described_are_told(site):
    site.ok("cfgve -t cl -m MGR -o cl2 -c -d Default")
    site.ok("cfgve -t nw -m MGR -o nw1 -c")
    described = yaml.safe_load(exported(site))
    home = described["data_centers"]["Default"]
    del home["clusters"]["cl2"], home["hosts"]["rhevh2"]
    home["networks"] = {"nw2": {}}
    gone = next(iter(home["vms"]))
    del home["vms"][gone]
    lines, code = differences(site, yaml.safe_dump(described))
    assert code == 2
    assert [line.partition(":")[0] for line in lines] == ["nw2", "cl2", "nw1", "rhevh2", gone]
    assert lines[1] == "cl2: cluster is not in the description"


def test_kinds_that_the_description_leaves_out_are_not_compared(site):
    assert differences(site, "data_centers: {Default: {}}") == ([], 0)


def test_what_from_could_not_mend_either_is_an_error_beside_the_differences(site):
    site.ok("cfgve -t dc -m MGR -o dc2 -c -k nfs")
    text = exported(site)
    wrong = text.replace("storage: nfs", "storage: localfs", 1)
    lines, code = differences(site, wrong)
    assert code & 1 and lines


def test_a_file_that_is_none_is_refused(site):
    (said,) = site.say("cfgve -m MGR --diff -", stdin="[]")
    assert isinstance(said, Error) and said.code == 1
    assert site.wrong("cfgve -m MGR --diff site.txt")[0].startswith("--diff site.txt: not the name of a description")
    assert site.wrong("cfgve -m MGR --diff a.yaml --from b.yaml") == ["--diff cannot be used with --from"]


@only((4, 5))
def test_programs_read_objects_and_the_same_exit_code(site):
    text = exported(site)
    site.ok("cfgve -t cl -m MGR -o cl2 -c -d Default")
    (said,) = site.say("cfgve -m MGR --diff - --json", stdin=text)
    assert isinstance(said, Data) and said.code == 2
    assert json.loads(said.text) == {
        "kind": "data",
        "text": "cluster is not in the description",
        "node": "cl2",
        "code": 2,
    }


@only((4, 5))
def test_what_the_official_sdk_makes_is_a_difference(site):
    from sdkhelp import connected, types

    text = exported(site)
    with connected(site) as system:
        home = system.data_centers_service().list()[0]
        system.networks_service().add(types.Network(name="byhand", data_center=home, vlan=types.Vlan(id=9)))
    assert differences(site, text)[1] == 0  # no networks were described, so none are compared
    site.ok("cfgve -t nw -m MGR -o nw1 -c")
    text = exported(site)
    with connected(site) as system:
        networks = system.networks_service()
        (made,) = (each for each in networks.list() if each.name == "byhand")
        networks.network_service(made.id).update(types.Network(vlan=types.Vlan(id=10)))
    assert differences(site, text) == (["byhand: change network to vlan 9 (now vlan 10)"], 2)
