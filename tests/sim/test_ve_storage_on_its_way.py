"""cfgve -t sd of domains that are on their way already: what others began is waited for, within --timeout."""

from __future__ import annotations

import pytest

from vesim import each_version

site = each_version(hosts=2)


@pytest.fixture(autouse=True)
def another(site):
    """A second data domain, active."""
    site.row("virtsd", "sd2", stype="nfs", location="nfs1:/sd2", host="rhevh1")
    site.ok("cfgve -t sd -m MGR -o sd2 -c")


def domain(site):
    site.world.settle()
    return site.thing("storage_domain", "sd2")


def told_by_somebody(site, verb, operation):
    """Somebody else tells the manager, and it is under way."""
    old = {"sd.deactivate", "sd.activate"} & {operation} and site.version < (3, 5)
    site.world.move(domain(site), f"{operation}_30" if old else operation, effect=verb)
    site.front.counts.clear()


def writes(site):
    return [call for call in site.front.counts.report()["requests"] if not call.startswith("GET")]


def test_a_domain_on_its_way_to_maintenance_is_waited_for(site):
    told_by_somebody(site, "sd idle", "sd.deactivate")
    assert domain(site)["status"] == "locked"
    assert site.ok("cfgve -t sd -m MGR -o sd2 -s") == ["sd2: succeeded."]
    assert not [call for call in writes(site) if "deactivate" in call]
    assert domain(site)["status"] == "maintenance"
    assert "nothing to do" in site.ok("cfgve -t sd -m MGR -o sd2 -s")[0]


def test_a_domain_that_is_being_activated_is_then_deactivated(site):
    site.ok("cfgve -t sd -m MGR -o sd2 -s")
    told_by_somebody(site, "sd active", "sd.activate")
    assert site.ok("cfgve -t sd -m MGR -o sd2 -s") == ["sd2: succeeded."]
    assert domain(site)["status"] == "maintenance"


def test_a_domain_that_is_being_deactivated_is_then_activated(site):
    told_by_somebody(site, "sd idle", "sd.deactivate")
    assert site.ok("cfgve -t sd -m MGR -o sd2 -g") == ["sd2: succeeded."]
    assert domain(site)["status"] == "active"


def test_removal_waits_for_what_is_under_way(site):
    told_by_somebody(site, "sd idle", "sd.deactivate")
    assert site.ok("cfgve -t sd -m MGR -o sd2 -r -f") == ["sd2: delete storage domain succeeded."]
    assert not site.world.by_name("storage_domain", "sd2")


@pytest.mark.parametrize("state", ["locked", "preparing_for_maintenance"])
def test_the_time_is_kept(site, state):
    site.world.change(domain(site), status=state)
    before = site.clock.now()
    (said,) = site.wrong("cfgve -t sd -m MGR -o sd2 -s --timeout 20")
    assert f"still {state} after 20 s" in said
    assert site.clock.now() - before < 40


def test_a_domain_that_comes_back_is_no_success(site):
    site.faults([{"do": "fail", "state": state} for state in ("sd.deactivate", "sd.deactivate_30")])
    said = site.wrong("cfgve -t sd -m MGR -o sd2 -s")
    assert "sd2 is active" in said[0]
