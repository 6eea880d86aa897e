"""The world itself: states over time, the journal, growth from a seed, the list of calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from xcat_rhev.clock import ManualClock
from xcat_rhev.errors import Usage
from xcat_rhev.sim import calls
from xcat_rhev.sim.build import build
from xcat_rhev.sim.dialect import SimDialect
from xcat_rhev.sim.journal import Journal
from xcat_rhev.sim.states import EFFECTS, FAILURES, PATHS, delays
from xcat_rhev.sim.world import World

V4 = SimDialect(4, (4, 5), "/ovirt-engine/api")


def grown(clock: ManualClock | None = None, **more: Any) -> World:
    world = World(
        clock or ManualClock(), paths=more.pop("paths", None), seed=more.pop("seed", 0), epoch=1_700_000_000.0
    )
    build(world, V4, "ovirtmgmt", **more)
    return world


def test_delays_have_a_factor_and_an_own_table() -> None:
    assert delays(2)["vm.start"][0] == ("wait_for_launch", 0.6)
    hardly_up, up = ("up", 0.0), ("up", 0.0)
    made = delays(1, {"vm.start": [5]})["vm.start"]
    assert made == (("wait_for_launch", 5), ("powering_up", 0.0), hardly_up, up)
    with pytest.raises(KeyError, match="vm.fly"):
        delays(1, {"vm.fly": [1]})


def test_every_failure_belongs_to_an_operation() -> None:
    assert set(FAILURES) <= set(PATHS)
    assert all(path[-1][1] == 0 for path in PATHS.values())
    assert EFFECTS


def test_instant_delays_end_at_once() -> None:
    world = grown(hosts=1, vms=1, paths=delays(0))
    vm = world.all("vm")[0]
    world.move(vm, "vm.start", host=world.all("host")[0]["id"])
    assert vm["status"] == "up" and vm["host"]


def test_a_later_operation_makes_an_earlier_one_void() -> None:
    clock = ManualClock()
    world = grown(clock, hosts=1, vms=1)
    vm = world.all("vm")[0]
    world.move(vm, "vm.start")
    world.move(vm, "vm.stop")
    clock.advance(100)
    world.settle()
    assert vm["status"] == "down"


def test_things_that_happen_get_the_time_at_which_they_happen(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    start = engine.world.now()
    engine.post("/hosts", "<host><name>h9</name><address>10.0.0.9</address><root_password>x</root_password></host>")
    engine.later(3600)
    engine.get("/vms")
    up = [event for event in engine.world.all("event") if "set to Up" in event["description"]]
    assert 0 < up[0]["time"] - start < 10


def test_a_seed_grows_the_same_world_again() -> None:
    ids = [[vm["id"] for vm in grown(seed=seed, hosts=2, vms=5).all("vm")] for seed in (7, 7, 8)]
    assert ids[0] == ids[1] != ids[2]


def test_a_large_world_has_unique_ids_names_and_macs() -> None:
    world = grown(hosts=400, vms=10_000, running=50)
    for kind, key in (
        ("vm", "id"),
        ("vm", "name"),
        ("nic", "mac"),
        ("host", "address"),
        ("host_nic", "mac"),
        ("host", "hw_uuid"),
    ):
        values = [thing[key] for thing in world.all(kind)]
        assert len(values) == len(set(values)), (kind, key)
    assert sum(vm["status"] == "up" for vm in world.all("vm")) == 5000


def test_events_and_jobs_do_not_grow_for_ever() -> None:
    world = grown()
    for number in range(6000):
        world.event(1, "normal", str(number))
        world.job("x")
    assert (len(world.all("event")), len(world.all("job"))) == (5000, 1000)
    assert world.all("event")[-1]["description"] == "5999"


def kept(tmp_path: Path, clock: ManualClock) -> tuple[World, Journal]:
    world = World(clock, epoch=1_700_000_000.0)
    journal = Journal(tmp_path / "state", world)
    if not journal.load():
        build(world, V4, "ovirtmgmt", 2, 3)
    return world, journal


def test_a_world_is_kept_and_goes_on_where_it_was(tmp_path: Path) -> None:
    clock = ManualClock()
    world, journal = kept(tmp_path, clock)
    journal.start()
    vm = world.all("vm")[0]
    with world.lock:
        world.move(vm, "vm.start", host=world.all("host")[0]["id"], effect="vm up")
        world.remove(world.all("nic")[2])
        world.change(vm, description="größe <&>")
    journal.stop()
    again, _ = kept(tmp_path, ManualClock(5000))
    assert again.get("vm", vm["id"]) == vm
    assert len(again.all("nic")) == 2
    assert abs(again.now() - world.now()) < 1
    again.clock.advance(0.4)  # type: ignore[attr-defined]
    again.settle()
    assert again.get("vm", vm["id"])["status"] == "powering_up"  # type: ignore[index]
    assert again.exactly("vm", vm["name"]) is again.get("vm", vm["id"])
    assert again.new_id() not in {thing["id"] for all_ in again.things.values() for thing in all_.values()}


def test_a_last_line_that_is_cut_short_is_left_out(tmp_path: Path) -> None:
    world, journal = kept(tmp_path, ManualClock())
    journal.start()
    world.change(world.all("vm")[0], description="whole")
    journal.flush()
    world.change(world.all("vm")[0], description="lost")
    journal.flush()
    journal.stop()
    file = tmp_path / "state"
    file.write_bytes(file.read_bytes()[:-20])
    again, _ = kept(tmp_path, ManualClock())
    assert again.all("vm")[0]["description"] == "whole"


@pytest.mark.parametrize("text", ["nonsense\n", "{}\n", "[1]\n", '{"put": 1}\n', "\x00\n"])
def test_a_file_that_is_no_state_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "state").write_text(text)
    with pytest.raises(Usage, match="line 1 is not a state"):
        kept(tmp_path, ManualClock())
    assert (tmp_path / "state").read_text() == text


def test_the_journal_is_compacted_at_the_start(tmp_path: Path) -> None:
    world, journal = kept(tmp_path, ManualClock())
    journal.start()
    for number in range(50):
        world.change(world.all("vm")[0], description=str(number))
        journal.flush()
    journal.stop()
    lines = len((tmp_path / "state").read_text().splitlines())
    _, second = kept(tmp_path, ManualClock())
    second.start()
    second.stop()
    assert len((tmp_path / "state").read_text().splitlines()) == 1 < lines
    assert json.loads((tmp_path / "state").read_text())["del"] == []


def test_the_journal_is_written_anew_when_it_has_grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xcat_rhev.sim.journal.WORTH", 1000)
    monkeypatch.setattr("xcat_rhev.sim.journal.PERIOD", 0.01)
    world, journal = kept(tmp_path, ManualClock())
    journal.start()
    whole = (tmp_path / "state").stat().st_size
    shrunk = False
    size = whole
    for number in range(2000):
        world.change(world.all("vm")[0], description="x" * 2000 + str(number))
        journal.flush()
        before, size = size, (tmp_path / "state").stat().st_size
        shrunk = shrunk or size < before
    journal.stop()
    assert shrunk
    again, _ = kept(tmp_path, ManualClock())
    assert again.all("vm")[0]["description"].endswith("1999")


def test_a_full_disk_is_said_and_made_good_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    world, journal = kept(tmp_path, ManualClock())
    journal._rewrite()
    file, journal._file = journal._file, open("/dev/full", "ab", buffering=0)
    world.change(world.all("vm")[0], description="late")
    journal._write()
    assert "The state is not kept" in caplog.text
    journal._file.close()
    journal._file = file
    journal._write()
    journal._file.close()
    again, _ = kept(tmp_path, ManualClock())
    assert again.all("vm")[0]["description"] == "late"


def test_secrets_do_not_stay_in_the_world(make_engine: Any) -> None:
    engine = make_engine((3, 6), strict=True)
    pm = '<power_management type="ipmilan"><enabled>true</enabled><address>b</address><username>u</username>'
    engine.put(engine.host(), f"<host>{pm}<password>sentinel</password></power_management></host>")
    init = "<initialization><root_password>sentinel</root_password><user_name>root</user_name></initialization>"
    engine.put(engine.vm(), f"<vm>{init}</vm>")
    engine.post("/hosts", "<host><name>h</name><address>a</address><root_password>sentinel</root_password></host>")
    agent = '<agent type="ipmilan"><address>b</address><username>u</username><order>2</order>'
    agent += "<password>sentinel</password></agent>"
    assert engine.post(f"{engine.host()}/fenceagents", agent).status == 201
    assert "user_name" in str(engine.get(engine.vm()).body)
    assert "sentinel" not in json.dumps(engine.world.things)


def test_the_list_of_calls_is_current() -> None:
    file = Path(calls.__file__).resolve().parents[2] / "share" / "engine-calls.md"
    assert file.read_text() == calls.text(), "run: python -m xcat_rhev.sim.calls > share/engine-calls.md"
