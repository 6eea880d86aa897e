"""rmhypervisor against the simulator: which host goes, which one stays, and what is in the way."""

import pytest

from vesim import each_version

site = each_version(((4, 5),), hosts=3, vms=3, running=100)


@pytest.fixture(autouse=True)
def rows(site):
    for number in (1, 2, 3):
        site.row("hypervisor", f"rhevh{number}", type="rhevh", mgr=site.manager)


def out_of_use(site, name, status="maintenance"):
    """A host without machines in that state."""
    host = site.thing("host", name)
    for vm in site.world.of("vm", "host", host["id"]):
        site.world.change(vm, status="down", host=None)
    site.world.change(host, status=status)
    return name


def machine_on(site, name):
    (vm, *_) = site.world.of("vm", "host", site.thing("host", name)["id"])
    return vm


def rm(site, line="", nodes=("rhevh2",)):
    return site.lines(f"rmhypervisor {line}", nodes)


@pytest.mark.parametrize("status", ["maintenance", "down", "install_failed", "pending_approval", "non_responsive"])
def test_a_host_out_of_use_is_removed(site, status):
    out_of_use(site, "rhevh2", status)
    assert rm(site) == ["rhevh2: succeeded."]
    assert site.changes() == ["DELETE /hosts/{id}"]
    assert not site.world.by_name("host", "rhevh2")


def test_a_host_in_use_needs_force(site):
    assert rm(site) == ["!rhevh2: the host is up. Give -f to take it to maintenance first"]
    assert not site.changes()


def test_force_goes_through_maintenance(site):
    assert rm(site, "-f") == ["rhevh2: succeeded."]
    assert site.changes() == ["POST /hosts/{id}/deactivate", "DELETE /hosts/{id}"]


def test_the_second_run_has_nothing_to_do(site):
    site.world.remove(site.thing("host", out_of_use(site, "rhevh2")))
    assert rm(site, "-f") == ["rhevh2: there is no such host: nothing to do"]


def test_pinned_machines_keep_a_host_even_by_force(site):
    vm = machine_on(site, "rhevh2")
    site.world.change(vm, affinity="pinned")
    (said,) = rm(site, "-f")
    assert f"pinned to the host and cannot migrate: {vm['name']}" in said
    assert not site.changes()


def test_a_host_that_machines_do_not_leave_is_not_removed(site):
    site.faults([{"do": "never", "state": "vm.migrate"}])
    (said,) = rm(site, "-f --timeout 30")
    assert f"virtual machines are still on it: {machine_on(site, 'rhevh2')['name']}" in said
    assert site.changes() == ["POST /hosts/{id}/deactivate"]


def test_one_refused_host_leaves_the_others_alone(site):
    out_of_use(site, "rhevh2")
    out_of_use(site, "rhevh3")
    path = f"/hosts/{site.thing('host', 'rhevh2')['id']}"
    site.faults([{"do": "status", "method": "DELETE", "path": path, "status": 409}])
    said = rm(site, "", ["rhevh2", "rhevh3"])
    assert [line for line in said if line != "rhevh3: succeeded."][0].startswith("!rhevh2: ") and len(said) == 2
    assert site.world.by_name("host", "rhevh2") and not site.world.by_name("host", "rhevh3")


def test_wrong_words(site):
    assert rm(site, "now")[0].startswith("!")
    assert not site.changes()
