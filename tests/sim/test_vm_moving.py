"""rmigrate and revacuate: running machines go elsewhere."""

from __future__ import annotations

from vmsite import VmSite, each_version
from xcat_rhev.messages import Error

site = each_version()


def elsewhere(site, vm):
    """A hypervisor that a machine does not run on."""
    return next(name for name in ("rhevh1", "rhevh2", "rhevh3") if name != site.host_of(vm))


def test_a_machine_moves_to_the_named_host_and_vm_host_follows(site):
    site.running("vm1")
    target = elsewhere(site, "vm1")
    assert site.ok(f"rmigrate {target}", ["vm1"]) == [f"vm1: migrated to {target}: up."]
    assert (site.host_of("vm1"), site.row_of("vm1")["host"]) == (target, target)


def test_its_own_host_is_refused_without_a_request(site):
    site.running("vm1")
    here = site.host_of("vm1")
    site.front.counts.clear()
    assert site.ok(f"rmigrate {here}", ["vm1"]) == [f"vm1: Guest is already on host {here}. There is nothing to do"]
    assert not any(line.startswith("POST") for line in site.front.counts.report()["requests"])


def test_the_second_run_finds_nothing_to_do(site):
    site.running("vm1")
    target = elsewhere(site, "vm1")
    site.ok(f"rmigrate {target}", ["vm1"])
    assert site.ok(f"rmigrate {target}", ["vm1"])[0].endswith("There is nothing to do")


def test_the_manager_may_choose(site):
    site.running("vm1")
    was = site.host_of("vm1")
    (line,) = site.ok("rmigrate any", ["vm1"])
    assert site.host_of("vm1") != was
    assert line == f"vm1: migrated to {site.host_of('vm1')}: up."
    assert site.row_of("vm1")["host"] == site.host_of("vm1")


def test_the_least_busy_of_vm_migrationdest_is_taken(site):
    site.running("vm1", "vm2", migrationdest="rhevh3", host="rhevh1", virtflags="placement_affinity=migratable")
    for node in ("vm1", "vm2"):
        site.ok("rmigrate", [node])
        assert site.host_of(node) == "rhevh3"


def test_without_a_target_the_old_words_come(site):
    site.running("vm1")
    (error,) = site.wrong("rmigrate", ["vm1"])
    assert error.startswith("vm1: Needs a target host.") and "vm.migrationdest" in error
    assert site.wrong("rmigrate rhevh1 rhevh2", ["vm1"])


def test_a_machine_that_is_off_does_not_move(site):
    site.made("vm1")
    (error,) = site.wrong("rmigrate rhevh2", ["vm1"])
    assert "the machine is down; only one that runs can move" in error


def test_a_host_that_is_not_there_or_not_up_is_named(site):
    site.running("vm1")
    assert site.wrong("rmigrate rhevh9", ["vm1"])[0].startswith("vm1: rhevh9: host was not defined in the rhevm.")
    target = elsewhere(site, "vm1")
    site.world.change(site.thing("host", target), status="maintenance")
    assert f"{target} is maintenance, not up" in site.wrong(f"rmigrate {target}", ["vm1"])[0]


def test_rhevh1_is_not_rhevh10(tmp_path_factory):
    site = VmSite(tmp_path_factory, (4, 5), hosts=12)
    try:
        site.running("vm1")
        target = "rhevh1" if site.host_of("vm1") != "rhevh1" else "rhevh10"
        site.ok(f"rmigrate {target}", ["vm1"])
        assert site.host_of("vm1") == target
        assert site.wrong("rmigrate rhevh", ["vm1"])
    finally:
        site.close()


def test_a_move_that_fails_is_an_error_and_vm_host_stays(site):
    site.running("vm1")
    was = dict(site.row_of("vm1"))
    site.faults([{"do": "fail", "state": "vm.migrate", "text": "Migration failed while Host is busy."}])
    (error,) = site.wrong(f"rmigrate {elsewhere(site, 'vm1')}", ["vm1"])
    assert "vm1 did not move" in error and "Migration failed while Host is busy." in error
    assert site.row_of("vm1") == was


def test_a_move_that_never_ends_says_so_after_the_limit(site):
    site.running("vm1")
    site.faults([{"do": "never", "state": "vm.migrate"}])
    (error,) = site.wrong(f"rmigrate {elsewhere(site, 'vm1')} --timeout 60", ["vm1"])
    assert "vm1 is still migrating after 60 s" in error


def test_a_pinned_machine_is_refused_before_anything_is_sent(site):
    site.running("vm1", host="rhevh1", virtflags="placement_affinity=pinned")
    assert "is pinned to its host" in site.wrong("rmigrate rhevh2", ["vm1"])[0]


def test_a_hypervisor_is_emptied(site):
    site.running("vm1", "vm2", "vm3")
    target = site.host_of("vm1")
    site.hypervisor(target)
    there = [node for node in ("vm1", "vm2", "vm3") if site.host_of(node) == target]
    lines = site.ok("revacuate", [target])
    assert sorted(line.split(":")[0] for line in lines) == there
    for node in there:
        assert site.host_of(node) not in ("", target)
        assert site.row_of(node)["host"] == site.host_of(node)
    assert site.ok("revacuate", [target]) == [f"{target}: no virtual machine runs there. There is nothing to do"]


def test_two_hypervisors_are_emptied_onto_the_third(site):
    site.running("vm1", "vm2", "vm3", "vm4")
    hosts = [site.hypervisor(name) for name in ("rhevh1", "rhevh2")]
    site.ok("revacuate", hosts)
    assert {site.host_of(node) for node in ("vm1", "vm2", "vm3", "vm4")} == {"rhevh3"}


def test_what_stays_is_said_with_the_reason(site):
    site.running("vm1", host="rhevh1", virtflags="placement_affinity=pinned")
    site.hypervisor("rhevh1")
    assert site.wrong("revacuate", ["rhevh1"]) == [
        "vm1: stays on rhevh1: the machine is pinned to its host. Set placement_affinity in vm.virtflags and run chvm"
    ]


def test_what_does_not_arrive_is_said_with_the_reason(site):
    site.running("vm1")
    target = site.hypervisor(site.host_of("vm1"))
    site.faults([{"do": "fail", "state": "vm.migrate", "text": "No available host."}])
    (error,) = site.wrong("revacuate", [target])
    assert error.startswith(f"vm1: stays on {target}: ") and "No available host." in error


def test_an_unknown_hypervisor_is_named(site):
    site.hypervisor("rhevh9")
    said = site.say("revacuate", ["rhevh9"])
    assert [type(message) for message in said] == [Error]
    assert said[0].text.startswith("host was not defined in the rhevm.")
