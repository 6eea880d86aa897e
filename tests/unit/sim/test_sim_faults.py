"""The plan of faults: what a rule hits, and how wrong plans are refused."""

from __future__ import annotations

from typing import Any

import pytest

from xcat_rhev.errors import Usage
from xcat_rhev.sim.http import _chunks
from xcat_rhev.sim.plan import CALLS, make, read


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ({"do": "status", "status": 401}, 401),
        ({"do": "status", "status": 409}, 409),
        ({"do": "status", "status": 500}, 500),
        ({"do": "status", "status": 503}, 503),
        ({"do": "empty"}, 200),
        ({"do": "html"}, 200),
        ({"do": "status", "status": 418}, 418),
    ],
)
def test_answers_that_stand_in(engine: Any, rule: dict[str, Any], status: int) -> None:
    engine.plan({**rule, "times": 1, "path": "/vms*"})
    assert engine.get("/hosts").status == 200
    answer = engine.get("/vms")
    assert answer.status == status
    assert engine.get("/vms").status == 200
    if status in (409, 500):
        assert answer.xml.tag == "fault" and answer.detail()
    if status == 503:
        assert answer.type.startswith("text/html")


def test_after_times_share_and_body(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    engine.plan({"do": "status", "status": 500, "after": 2, "times": 2, "path": "/hosts"})
    assert [engine.get("/hosts").status for _ in range(6)] == [200, 200, 500, 500, 200, 200]
    engine.plan({"do": "status", "status": 500, "share": 0.3})
    hit = sum(engine.get("/hosts").status == 500 for _ in range(300))
    assert 50 < hit < 130
    engine.plan({"do": "status", "status": 500, "method": "POST", "path": "/vms", "body": "<name>n7<"})
    body = "<vm><name>{}</name><cluster><name>Default</name></cluster><template><name>Blank</name></template></vm>"
    assert [engine.post("/vms", body.format(name)).status for name in ("n6", "n7")] == [201, 500]


def test_dropped_before_and_after(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    start = f"{engine.vm()}/start"
    engine.plan(
        {"do": "drop", "path": "/vms/*/start", "times": 1}, {"do": "drop-after", "path": "/vms/*/start", "times": 1}
    )
    assert engine.post(start).manner == "drop"
    assert engine.status(engine.vm()) == "down"
    assert engine.post(start).manner == "drop"
    assert engine.status(engine.vm()) == "wait_for_launch"


def test_manners_of_sending(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    engine.plan({"do": "truncate", "path": "/vms"}, {"do": "chunked", "path": "/hosts"})
    assert (engine.get("/vms").manner, engine.get("/hosts").manner) == ("truncate", "chunked")


def test_chunks_have_lines_that_look_like_sizes() -> None:
    sent = _chunks(b'<?xml version="1.0"?>\n<vms/>')
    text, rest = b"", sent
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        text, rest = text + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    assert b"\n0\n\n" in text and b"beef" in text and text.endswith(b"<vms/>")


def test_status_left_out(make_engine: Any) -> None:
    engine = make_engine((3, 6))
    engine.plan({"do": "no-status", "path": "/vms*"})
    answer = engine.get(engine.vm())
    assert answer.xml.find("status") is None and answer.text("name") == "vm1"


def test_states_that_never_come_and_that_fail(engine: Any) -> None:
    engine.plan(
        {"do": "never", "state": "vm.start", "name": "vm1"},
        {
            "do": "fail",
            "state": "vm.start",
            "name": "vm2",
            "text": "VM vm2 is down with error. Exit message: no space.",
        },
    )
    for name in ("vm1", "vm2", "vm3"):
        assert engine.post(f"{engine.vm(name)}/start").status == 200
    engine.later(100_000)
    assert [engine.status(engine.vm(name)) for name in ("vm1", "vm2", "vm3")] == ["wait_for_launch", "down", "up"]
    events = engine.get("/events?search=severity%3Derror").xml
    assert "no space" in events.findtext("event/description")
    assert events.find("event/vm").get("id") == engine.id("vm", "vm2")
    assert engine.post(f"{engine.vm('vm1')}/stop").status == 200
    engine.later()
    assert engine.status(engine.vm("vm1")) == "down"


def test_failing_hosts_disks_and_storage(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    engine.plan({"do": "fail", "state": "host.*"}, {"do": "fail", "state": "disk.create"})
    host = engine.post(
        "/hosts", "<host><name>h9</name><address>10.0.0.9</address><root_password>x</root_password></host>"
    )
    domain = f'<storage_domains><storage_domain id="{engine.id("storage_domain", "data1")}"/></storage_domains>'
    disk = f"<disk><format>cow</format><provisioned_size>1073741824</provisioned_size>{domain}</disk>"
    made = engine.post(
        f"{engine.vm()}/diskattachments", f"<disk_attachment><interface>virtio</interface>{disk}</disk_attachment>"
    )
    engine.later()
    assert engine.status(f"/hosts/{host.id}") == "install_failed"
    assert engine.status(f"/disks/{made.id}") == "illegal"


def test_expiry_is_felt_by_the_call_that_meets_it(make_engine: Any) -> None:
    engine = make_engine((3, 6))
    cookie = engine.get("/vms", prefer="persistent-auth").headers["Set-Cookie"].partition(";")[0]
    told = {"prefer": "persistent-auth", "cookie": cookie, "authorization": ""}
    engine.plan({"do": "expire", "times": 1})
    assert engine.get("/vms", **told).status == 401


def test_two_of_one_name(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    engine.plan({"do": "duplicate", "kind": "vm", "name": "vm1"})
    assert len(engine.get("/vms?search=name%3Dvm1").xml) == 2


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "a plan is a list"),
        ([1], "rule 1"),
        ([{"do": "explode"}], "explode"),
        ([{"do": "drop", "when": 1}], "when"),
        ([{"do": "drop"}, {"do": "never", "state": "vm.fly"}], "rule 2.*vm.fly"),
        ([{"do": "drop", "body": "("}], "rule 1"),
        ([{"do": "duplicate", "kind": "toaster"}], "toaster"),
        ([{"method": "GET"}], "do=None"),
    ],
)
def test_wrong_plans_are_refused_by_name(told: Any, words: str) -> None:
    with pytest.raises(Usage, match=words):
        make(told)


def test_plans_from_files(tmp_path: Any) -> None:
    file = tmp_path / "plan.json"
    with pytest.raises(Usage, match="plan.json"):
        read(file)
    file.write_text("[")
    with pytest.raises(Usage, match="JSON list"):
        read(file)
    file.write_text('[{"do": "drop", "times": 1}]')
    assert read(file).pick("GET", "/vms", b"") is not None


def test_every_kind_of_fault_is_described() -> None:
    assert all(len(about) > 10 for about in CALLS.values())
    assert len(CALLS) == 13


def test_plans_are_replaced_and_looked_at_over_the_wire(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    assert engine.call("PUT", "/-/faults", '[{"do": "status", "status": 500, "times": 1}]').status == 200
    assert engine.get("/vms").status == 500
    assert b'"hit": 1' in engine.get("/-/faults").body
    assert engine.call("PUT", "/-/faults", '[{"do": "explode"}]').status == 400
    assert engine.call("PUT", "/-/faults", "nonsense").status == 400
    assert engine.get("/-/nothing").status == 404


def test_time_passes_when_it_is_told_to(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    engine.post(f"{engine.vm()}/start")
    assert engine.call("PUT", "/-/clock", '{"advance": 60}').status == 200
    assert engine.status(engine.vm()) == "up"
    assert engine.call("PUT", "/-/clock", "soon").status == 400


def test_counts_name_the_kind_of_call(make_engine: Any) -> None:
    import json

    engine = make_engine((4, 5))
    engine.get("/vms?search=x")
    engine.get("/vms;max=1")
    engine.post(f"{engine.vm()}/start")
    stats = json.loads(engine.get("/-/stats").body)
    assert stats["requests"] == {"GET /vms": 2, "POST /vms/{id}/start": 1}
    assert stats["bytes"] > 100
    engine.delete("/-/stats")
    assert json.loads(engine.get("/-/stats").body)["requests"] == {}
