"""A fork that counts for itself and has the newest level: hosts, clusters and machines as on the oVirt inside it."""

from __future__ import annotations

import pytest

from vesim import starting
from vmsite import VmSite


@pytest.fixture
def start(tmp_path_factory):
    with starting(tmp_path_factory) as start:
        yield start


def test_the_newest_level_is_taken_and_asked_for(start):
    site = start((4, 5), VmSite)
    for kind in ("dc -k nfs", "cl -d dc48"):
        name = "dc48" if kind.startswith("dc") else "cl48"
        site.ok(f"cfgve -t {kind} -m MGR -o {name} -c --compat 4.8" + (" -p 'AMD EPYC-Rome'" if name == "cl48" else ""))
    for kind, name in (("data_center", "dc48"), ("cluster", "cl48")):
        assert (site.thing(kind, name)["major"], site.thing(kind, name)["minor"]) == (4, 8)
    site.ok("cfgve -t dc -m MGR -o usual -c -k nfs")
    assert site.thing("data_center", "usual")["minor"] == 8
    assert (
        "CPU type 'AMD EPYC-Rome' is not offered by"
        in (site.wrong("cfgve -t cl -m MGR -o cl47 -c -d dc48 --compat 4.7 -p 'AMD EPYC-Rome'")[0])
    )
    (said,) = site.wrong("cfgve -t cl -m MGR -o cl49 -c -d dc48 --compat 4.9")
    assert "knows no compatibility level 4.9. It knows 4.2, 4.3, 4.4, 4.5, 4.6, 4.7, 4.8" in said
    told = "\n".join(site.ok("lsve -m MGR --export"))
    assert "compat: '4.8'" in told and "cpu: AMD EPYC-Rome" in told


@pytest.mark.parametrize(("made_of", "number"), [((4, 3), (7, 3)), ((4, 2), (7, 3)), ((4, 4), (2, 1))])
def test_a_host_of_a_fork_is_installed_again_and_comes_up(start, made_of, number):
    site = start(made_of, VmSite, product="RED Virtualization", number=number)
    site.row("passwd", "rhevh", key="rhevh", username="root", password="host")
    site.world.change(site.thing("host", "rhevh1"), status="install_failed")
    site.hypervisor("rhevh1")
    assert site.ok("chhypervisor --reinstall", ["rhevh1"])[-1] == "rhevh1: up"
    site.made("vm1", nics=f"{site.network}/{site.network}:eth0:yes")
