"""rmhypervisor against a manager in memory."""

import pytest

from fakeengine import FakeEngine, run, texts
from xcat_rhev.commands import rmhypervisor
from xcat_rhev.engine.nouns import Host, Ref, Vm
from xcat_rhev.errors import Conflict, Usage


def rm(engine, line="", nodes=("rhevh1",)):
    return texts(run(rmhypervisor, engine, line, nodes))


def an_engine(status="up", *more):
    return FakeEngine(Host(id="h1", name="rhevh1", status=status), *more)


@pytest.mark.parametrize("status", ["maintenance", "down", "install_failed", "pending_approval", "non_responsive"])
def test_a_host_out_of_use_is_removed(status):
    engine = an_engine(status)
    assert rm(engine) == ["rhevh1: succeeded."]
    assert engine.calls == [("remove", "host rhevh1")]


def test_a_host_in_use_needs_force():
    engine = an_engine()
    assert rm(engine) == ["!rhevh1: the host is up. Give -f to take it to maintenance first"]
    assert not engine.calls


def test_force_goes_through_maintenance():
    engine = an_engine()
    assert rm(engine, "-f") == ["rhevh1: succeeded."]
    assert [call[0] for call in engine.calls] == ["deactivate", "remove"]


def test_the_second_run_has_nothing_to_do():
    assert rm(FakeEngine(), "-f") == ["rhevh1: there is no such host: nothing to do"]


def test_pinned_machines_keep_a_host_even_by_force():
    engine = an_engine("up", Vm(name="vm1", status="up", host=Ref("h1"), affinity="pinned"))
    (said,) = rm(engine, "-f")
    assert "pinned to the host and cannot migrate: vm1" in said
    assert not engine.calls


def test_a_host_that_machines_do_not_leave_is_not_removed():
    engine = an_engine("up", Vm(name="vm1", status="up", host=Ref("h1")))
    engine.to_come["h1"] = ["preparing_for_maintenance"]
    (said,) = rm(engine, "-f")
    assert "virtual machines are still on it: vm1" in said
    assert [call[0] for call in engine.calls] == ["deactivate"]


def test_one_refused_host_leaves_the_others_alone():
    engine = an_engine("maintenance", Host(id="h2", name="rhevh2", status="maintenance"))
    engine.refuse["remove", "host rhevh1"] = Conflict("Host is operational")
    assert rm(engine, "", ["rhevh1", "rhevh2"]) == ["!rhevh1: Host is operational", "rhevh2: succeeded."]


def test_wrong_words():
    with pytest.raises(Usage):
        rm(an_engine(), "now")
