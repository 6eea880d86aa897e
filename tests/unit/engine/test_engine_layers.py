"""What is tried again, what is not; who we are; what is shown; what a refusal means."""

from __future__ import annotations

import json

import pytest

from enginehelp import Script, access, manager_on, patience, vms
from xcat_rhev.clock import ManualClock
from xcat_rhev.engine.documents.dialect import V4, V30, V36
from xcat_rhev.engine.nouns import Vm
from xcat_rhev.engine.wire.faults import Checked, error_of, fault_text
from xcat_rhev.engine.wire.layers import (
    AWAY_LIMIT,
    LOCKED_LIMIT,
    Counted,
    LoggedIn,
    Patient,
    RequestCounts,
    Retried,
    Traced,
)
from xcat_rhev.engine.wire.login import Login
from xcat_rhev.engine.wire.transport import HttpRequest, Response
from xcat_rhev.errors import BadAnswer, Conflict, Denied, Locked, NotFound, Unreachable
from xcat_rhev.secret import Secret

GET, POST = HttpRequest("GET", "/x"), HttpRequest("POST", "/x", b"<action/>", "<action/>")
LOCK = "<fault><reason>Operation Failed</reason><detail>[Cannot run VM: VM is locked. Please try again in a few minutes.]</detail></fault>"  # noqa: E501
OK = (200, "<vms/>")


def sent(script: Script, request: HttpRequest, clock: ManualClock | None = None) -> Response:
    how = patience(clock)
    return Patient(Retried(Checked(script, "m"), how), how).send(request)


@pytest.mark.parametrize(
    "trouble",
    [
        Unreachable("lost"),
        Unreachable("refused", sent=False),
        (502, ""),
        (503, "<html>"),
        (504, ""),
    ],
)
def test_a_read_is_tried_again(trouble: object) -> None:
    script, clock = Script([trouble, trouble, OK]), ManualClock()
    assert sent(script, GET, clock).status == 200
    assert len(script.asked) == 3
    assert 0.25 <= clock.slept[0] <= 0.5 <= clock.slept[1] <= 1.0


@pytest.mark.parametrize("trouble", [(500, ""), (400, ""), (404, ""), (401, ""), (403, ""), (409, LOCK), (418, "")])
def test_nothing_else_is(trouble: object) -> None:
    script = Script([trouble, OK])
    with pytest.raises((BadAnswer, NotFound, Denied, Conflict)):
        sent(script, GET)
    assert len(script.asked) == 1


@pytest.mark.parametrize("request_", [GET, POST])
def test_a_manager_that_does_not_come_back_is_given_up_in_the_end(request_: HttpRequest) -> None:
    """A write too is sent again when it surely was not carried out: 503 is of the web server in front."""
    script, clock = Script([(503, "")]), ManualClock()
    with pytest.raises(Unreachable, match="not available"):
        sent(script, request_, clock)
    assert AWAY_LIMIT <= clock.now() < AWAY_LIMIT + 10
    assert len(script.asked) < 20


def test_and_then_it_is_not_asked_again() -> None:
    """A thousand nodes would wait a thousand times otherwise."""
    script, clock = Script([(503, "")]), ManualClock()
    layer = Retried(Checked(script, "m"), patience(clock))
    for _ in range(3):
        with pytest.raises(Unreachable):
            layer.send(GET)
    assert clock.now() < AWAY_LIMIT + 10


@pytest.mark.parametrize("trouble", [Unreachable("lost"), (502, ""), (500, "")])
def test_a_write_that_may_have_been_carried_out_is_not_sent_twice(trouble: object) -> None:
    script = Script([trouble, OK])
    with pytest.raises((Unreachable, BadAnswer)):
        sent(script, POST)
    assert len(script.asked) == 1


@pytest.mark.parametrize("status", [400, 409])
def test_a_write_waits_for_a_lock(status: int) -> None:
    script = Script([(status, LOCK)] * 3 + [OK])
    assert sent(script, POST).status == 200
    assert len(script.asked) == 4


def test_but_not_for_ever() -> None:
    clock = ManualClock()
    with pytest.raises(Locked, match="VM is locked"):
        sent(Script([(409, LOCK)]), POST, clock)
    assert LOCKED_LIMIT <= clock.now() < LOCKED_LIMIT + 10


def test_a_dead_manager_is_asked_once() -> None:
    dead = Unreachable("no answer within 5 s", sent=False)
    dead.may_retry = False
    script = Script([dead])
    layer = Retried(Checked(script, "m"), patience())
    for request in (GET, POST, GET):
        with pytest.raises(Unreachable):
            layer.send(request)
    assert len(script.asked) == 1


def fault(detail: str, reason: str = "Operation Failed") -> bytes:
    return f"<fault><reason>{reason}</reason><detail>{detail}</detail></fault>".encode()


@pytest.mark.parametrize(
    ("status", "detail", "kind"),
    [
        (409, "[Cannot run VM. VM is running.]", Conflict),
        (400, "[Cannot run VM. VM is running.]", Conflict),
        (400, "[Cannot run VM: VM's image is locked. Please try again in a few minutes.]", Locked),
        (409, "[Cannot remove VM: The following disks are locked: d1. Please try again in a few minutes.]", Locked),
        (409, "[Cannot edit VM. Related operation is currently in progress. Please try again later.]", Locked),
        (400, "[Cannot start VM. Same action in progress.]", Locked),
        (409, "[Cannot deactivate Storage while there are running tasks on this Storage.]", Locked),
        (409, "[Cannot edit VM. VM is being updated.]", Locked),
        (409, "[Cannot remove Virtual Disk. Disk d1 is being moved or copied.]", Locked),
        (409, "[Cannot add VM. Template is currently locked (temporarily).]", Locked),
        (409, "[Cannot run VM because the VM is in Image Locked status.]", Locked),
        (
            409,
            "[Cannot stop VM. VM is in saving/restoring state.\n-Please try again when the VM is either up or down.]",
            Locked,
        ),  # noqa: E501
        (409, "[Another Power Management operation is still running, please retry in 142 Sec.]", Locked),
        (
            409,
            "[Cannot switch Host to Maintenance mode. Host is contending for Storage Pool Manager,\nwait for operation to complete and retry.]",  # noqa: E501
            Locked,
        ),
        (409, "[Cannot remove Network. Network is being used by at least one Cluster.]", Conflict),
        (409, "[Cannot delete Template. Template is being used by the following VMs: a.]", Conflict),
        (409, "[Cannot edit Policy. Scheduling Policy is locked, and cannot be editable.]", Conflict),
        (409, "[Cannot add VM. The VM name is already in use, please choose a unique name and try again.]", Conflict),
        (400, "[Permission settings on the specified path do not allow access to the storage.]", Conflict),
        (400, "[User doesn't have permissions to assign the cpu profile p to VMs.]", Denied),
        (400, "[Cannot add VM. The VM name is already in use, please choose a unique name and try again.]", Conflict),
        (400, "Entity not found: Cluster: name=foo", NotFound),
        (404, "Entity not found: 123", NotFound),
        (400, "[Cannot detach Storage. Storage Domain doesn't exist.]", NotFound),
        (400, "VM [name, template.id|name] required for add", Conflict),
        (400, "[User is not authorized to perform this action.]", Denied),
        (403, "[x]", Denied),
        (401, "", Denied),
        (404, "", NotFound),
        (405, "", BadAnswer),
        (500, "java.lang.NullPointerException", BadAnswer),
        (502, "", Unreachable),
        (400, "", Conflict),
    ],
)
def test_what_a_refusal_means(status: int, detail: str, kind: type) -> None:
    problem = error_of(Response(status, body=fault(detail) if detail else b""), "m", GET)
    assert type(problem) is kind
    assert "[" not in str(problem).replace("VM [name", "")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (fault("[Cannot run VM. VM is running.]"), "Cannot run VM. VM is running."),
        (fault("[a\n -b]", "Operation Failed"), "a -b"),
        (fault("[]", "Broken"), "Broken"),
        (fault("X is not a member of StorageType", "Invalid value"), "Invalid value: X is not a member of StorageType"),
        (b"<action><fault><reason>Operation Failed</reason><detail>[no]</detail></fault></action>", "no"),
        (b"<usage_message/>", "the manager did not understand the request"),
        (b"<html/>", ""),
        (b"", ""),
        (b"garbage", ""),
        (b"<fault/>", ""),
    ],
)
def test_the_text_of_a_fault(body: bytes, text: str) -> None:
    assert fault_text(body) == text


def test_a_token_is_renewed_once_and_silently() -> None:
    token = json.dumps({"access_token": "t2", "token_type": "bearer"})
    script = Script([(401, ""), (200, token), OK])
    login = Login(access(), V4, "/ovirt-engine/api", script)
    login._token = Secret("t1")
    assert LoggedIn(script, login).send(GET).status == 200
    assert script.lines() == ["GET /x", "POST /ovirt-engine/sso/oauth/token", "GET /x"]
    assert script.asked[0].headers["Authorization"] == "Bearer t1"
    assert script.asked[2].headers["Authorization"] == "Bearer t2"
    assert script.asked[1].headers["Accept"] == "application/json"
    assert b"username=admin%40internal&password=sentinel" in script.asked[1].body


def test_a_fresh_token_that_is_refused_is_not_renewed() -> None:
    """Each login counts at the manager, and some wrong ones lock the account."""
    script = Script([(200, '{"access_token":"t1"}'), (401, ""), OK])
    assert LoggedIn(script, Login(access(), V4, "/ovirt-engine/api", script)).send(GET).status == 401
    assert len(script.asked) == 2


def test_a_wrong_password_is_said_so() -> None:
    refusal = json.dumps({"error_code": "access_denied", "error": "Cannot authenticate user 'admin@internal'"})
    script = Script([(400, refusal)])
    with pytest.raises(Denied, match="manager m refuses the login of admin@internal"):
        LoggedIn(script, Login(access(), V4, "/ovirt-engine/api", script)).send(GET)


@pytest.mark.parametrize("answer", [(404, "<html/>"), (200, "<html/>"), (405, "")])
def test_without_a_token_service_basic_will_do(answer: tuple[int, str]) -> None:
    script = Script([answer, OK, OK])
    layer = LoggedIn(script, Login(access(), V4, "/ovirt-engine/api", script))
    layer.send(GET)
    layer.send(GET)
    assert [request.method for request in script.asked] == ["POST", "GET", "GET"]
    assert script.asked[1].headers["Authorization"].startswith("Basic ")


def test_v3_keeps_a_session_since_3_1() -> None:
    for dialect, prefer in ((V30, None), (V36, "persistent-auth")):
        script = Script([OK])
        LoggedIn(script, Login(access(), dialect, "/api", script)).send(GET)
        assert script.asked[0].headers.get("Prefer") == prefer
        assert script.asked[0].headers["Version"] == "3"


def test_a_trace_shows_no_secret() -> None:
    lines: list[str] = []
    script = Script([(200, '{"access_token":"sentinel-token"}'), OK])
    counts = RequestCounts()
    LoggedIn(Traced(Counted(script, counts), lines.append), Login(access(), V4, "/ovirt-engine/api", script)).send(
        HttpRequest("POST", "/x", b"<a>sentinel</a>", "<a>******</a>")
    )
    assert str(counts) == "2 requests, 1 connection"
    assert lines[1] == "POST /x <a>******</a> -> 200, 6 bytes"
    assert "sentinel" not in "".join(lines)


def test_counts_and_trace_of_a_facade() -> None:
    lines: list[str] = []
    manager = manager_on(Script([(200, vms("a"))]), V4, say=lines.append)
    manager.find(Vm, ["a"])
    assert str(manager.counts) == "1 request, 1 connection"
    assert lines == [f"GET /ovirt-engine/api/vms?search=name%3D%22a%22 -> 200, {len(vms('a'))} bytes"]
