"""How we log in: tokens first, the user's name as the manager knows it, and a refusal in the manager's own words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from enginehelp import OK, Script, access
from xcat_rhev.clock import ManualClock
from xcat_rhev.engine.documents.dialect import V4, V36
from xcat_rhev.engine.wire.faults import Checked
from xcat_rhev.engine.wire.layers import LoggedIn
from xcat_rhev.engine.wire.login import Login
from xcat_rhev.engine.wire.refusals import login_problem, reason_of, user_forms
from xcat_rhev.engine.wire.session import split_name
from xcat_rhev.engine.wire.transport import HttpRequest, Response
from xcat_rhev.errors import Denied, RhevError, Unreachable, Usage
from xcat_rhev.secret import Secret
from xcat_rhev.sim import app, build, http, plan, settings, world

API, SSO = "/ovirt-engine/api", "/ovirt-engine/sso/oauth/token"
GET = HttpRequest("GET", f"{API}/vms")
ACCOUNTS = tuple((f"{state}@internal", state) for state in ("expired", "account-expired", "locked", "no-role", "user"))


class Wire:
    """The simulator's application without a socket, and how often somebody wanted to log in to it."""

    def __init__(self, version: tuple[int, int] = (4, 5), **told: Any) -> None:
        major = version[0]
        named = {"v3_version": version} if major == 3 else {"v4_version": version}
        made = settings.Settings(api=str(major), html_errors=True, accounts=ACCOUNTS, **named, **told)
        self.world = world.World(ManualClock(), epoch=1_700_000_000.0)
        dialect, _, _ = made.dialect(API, "")
        assert dialect is not None
        build.build(self.world, dialect, "ovirtmgmt", 1, 1)
        self.front = http.Front(app.Application(self.world, made, b""), plan.Plan())
        self.asked: list[str] = []

    def send(self, request: HttpRequest) -> Response:
        self.asked.append(f"{request.method} {request.path}")
        headers = {name.lower(): value for name, value in request.headers.items()}
        raw = self.front.handle(app.SimRequest(request.method, request.path, headers, request.body, "")).raw
        answered = {name.lower(): value for name, value in raw.headers.items()}
        return Response(raw.status, answered, raw.body)

    def has_session(self) -> bool:
        return False

    def forget_session(self) -> None:
        pass

    def tries(self) -> int:
        return self.asked.count(f"POST {SSO}")


def login_of(wire: Any, user: str = "admin", password: str = "secret", **known: Any) -> Login:
    return Login(access(user=user, password=Secret(password)), V4, API, wire, **known)


def send(wire: Any, login: Login, request: HttpRequest = GET) -> Response:
    return Checked(LoggedIn(wire, login), "m", API, login.user).send(request)


def refusal(wire: Any, login: Login, request: HttpRequest = GET) -> RhevError:
    with pytest.raises(RhevError) as caught:
        send(wire, login, request)
    return caught.value


@pytest.mark.parametrize(
    ("user", "password", "words", "advice"),
    [
        ("admin@internal", "wrong", "Unable to log in. Verify your login information", "Check user and password"),
        ("nobody@internal", "secret", "Unable to log in. Verify your login information", "Check user and password"),
        ("expired@internal", "secret", "the password has expired", "Change the password at the manager"),
        ("account-expired@internal", "secret", "the user account has expired", "extend the account"),
        ("locked@internal", "secret", "disabled or locked", "ovirt-aaa-jdbc-tool user unlock locked"),
        ("admin@nosuch", "secret", "No valid profile found in credentials", "admin@ovirt@internalsso"),
        ("no-role@internal", "secret", "is not authorized to perform login", "has no role"),
    ],
)
def test_a_refusal_says_why_and_what_to_do(user: str, password: str, words: str, advice: str) -> None:
    wire = Wire()
    problem = refusal(wire, login_of(wire, user, password))
    assert isinstance(problem, Denied)
    assert problem.text.startswith(f"manager m refuses the login of {user}: ") and words in problem.text
    assert "access_denied" not in problem.text and "Cannot authenticate" not in problem.text
    assert advice in problem.hint
    assert wire.tries() == 1


def test_a_login_that_was_refused_is_not_tried_again() -> None:
    """Eight workers with one wrong password would lock the account otherwise."""
    wire = Wire()
    login = login_of(wire, "admin@internal", "wrong")
    for _ in range(8):
        refusal(wire, login)
    assert login.refused and wire.tries() == 1


def test_admin_alone_is_found_out_behind_keycloak_and_remembered() -> None:
    wire = Wire(login="keycloak", user="admin@ovirt@internalsso")
    login = login_of(wire)
    assert send(wire, login).status == 200
    assert login.user == "admin@ovirt@internalsso" and login.tokens
    assert wire.asked == [f"POST {SSO}", f"GET {API}", f"POST {SSO}", GET.method + " " + GET.path]
    wire.asked.clear()
    assert send(wire, login_of(wire, user="admin", **{})).status == 200
    again = Login(access(user="admin", password=Secret("secret")), V4, API, wire, login.user, True)  # type: ignore[arg-type]
    wire.asked.clear()
    assert send(wire, again).status == 200
    assert wire.asked == [f"POST {SSO}", GET.method + " " + GET.path]


def test_the_name_that_keycloak_has_is_named_when_it_refuses_both() -> None:
    wire = Wire(login="keycloak", user="admin@ovirt@internalsso")
    problem = refusal(wire, login_of(wire, password="wrong"))
    assert problem.text == "manager m refuses the login of admin@ovirt@internalsso: Invalid user credentials"
    assert "Keycloak is in front of this manager" in problem.hint
    problem = refusal(wire, login_of(wire, "admin@internal"))
    assert problem.text == "manager m refuses the login of admin@internal: Invalid user credentials"
    assert "its administrator is called admin@ovirt@internalsso there" in problem.hint


def test_without_keycloak_no_other_name_is_tried() -> None:
    wire = Wire()
    problem = refusal(wire, login_of(wire, password="wrong"))
    assert "the login of admin@internal:" in problem.text and wire.tries() == 1


@pytest.mark.parametrize("way", ["both", "sso", "basic"])
def test_each_way_in(way: str) -> None:
    wire = Wire(login=way)
    login = login_of(wire)
    assert send(wire, login).status == 200
    assert login.tokens is (way != "basic")
    assert wire.tries() == 1
    assert send(wire, login).status == 200
    assert wire.tries() == 1


def test_an_engine_that_has_tokens_now_is_found_out_when_basic_is_refused() -> None:
    """It was noted without a token service, and upgraded since."""
    wire = Wire(login="sso")
    assert send(wire, login_of(wire, tokens=False)).status == 200


def test_an_engine_that_gave_tokens_is_not_sent_a_password_while_it_starts() -> None:
    wire = Wire()
    login = login_of(wire, tokens=True)
    wire.front.plan = plan.make([{"do": "away", "status": 404}])
    problem = refusal(wire, login)
    assert isinstance(problem, Unreachable) and not problem.sent
    assert wire.asked == [f"POST {SSO}"]
    wire.front.plan = plan.Plan()
    assert send(wire, login).status == 200


@pytest.mark.parametrize("version", [(3, 6), (4, 1), (4, 2), (4, 5)])
def test_who_is_no_administrator_asks_for_what_it_may_see(version: tuple[int, int]) -> None:
    wire = Wire(version)
    login = login_of(wire, "user@internal", tokens=False if version < (4, 0) else None)
    login.speak(V36 if version < (4, 0) else V4)
    assert send(wire, login).status == 200
    assert login.filtered is (version < (4, 2))
    wire.asked.clear()
    assert send(wire, login).status == 200 and len(wire.asked) == 1
    xml = {"Content-Type": "application/xml"}
    problem = refusal(wire, login, HttpRequest("POST", f"{API}/tags", b"<tag><name>x</name></tag>", headers=xml))
    assert isinstance(problem, Denied) and "not authorized to perform this action" in problem.text
    assert problem.hint == "Give user@internal a role at the manager that allows it"


@pytest.mark.parametrize("status", [404, 500, 401])
def test_an_engine_that_stops_in_the_middle_is_told_as_that(status: int) -> None:
    """It is no absence, no mistake of the request, and no wrong password."""
    wire = Wire()
    login = login_of(wire)
    send(wire, login)
    wire.front.plan = plan.make([{"do": "away", "status": status}])
    problem = refusal(wire, login)
    assert isinstance(problem, Unreachable) and problem.may_retry
    assert problem.sent is (status == 500)
    wire.front.plan = plan.Plan()
    assert send(wire, login).status == 200


def test_a_database_that_is_away_is_the_managers_failure() -> None:
    wire = Wire()
    login = login_of(wire)
    send(wire, login)
    wire.front.plan = plan.make([{"do": "database"}])
    for known in (login, login_of(wire)):
        problem = refusal(wire, known)
        assert isinstance(problem, Unreachable) and problem.text.startswith("manager m cannot work now: ")
        assert not known.refused


def test_what_is_absent_on_a_working_engine_is_absent() -> None:
    wire = Wire()
    problem = refusal(wire, login_of(wire), HttpRequest("GET", f"{API}/vms/00000000-0000-0000-0000-000000000001"))
    assert problem.text == f"manager m has no {API}/vms/00000000-0000-0000-0000-000000000001"
    assert wire.asked[-1] == f"GET {API}"


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "invalid_grant", "error_description": "the password sentinel is wrong"},
        {"error_code": "access_denied", "error": "Cannot authenticate user 'a@b': sentinel?.."},
    ],
)
def test_a_password_that_comes_back_is_not_shown(answer: dict[str, str]) -> None:
    script = Script([(400, json.dumps(answer)), OK])
    problem = refusal(script, login_of(script, "admin@internal", "sentinel"))
    assert "sentinel" not in str(problem) and "******" in str(problem)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (b"<html><head><title>Error</title></head><body>Unauthorized</body></html>", ""),
        (b"<html><body>\n<h1>Unauthorized</h1>\n</body></html>", ""),
        (b"<html><body><h1>Unauthorized</h1>\n<p>This server could not verify that you\nare</p></body></html>", ""),
        (b"<html><body>The user a@b with profile [b] is not authorized to perform login</body></html>", "The user a@b"),
        (b"<html><body>access_denied: Cannot &amp; will not</body></html>", "access_denied: Cannot & will not"),
        (b"", ""),
        (b"<fault/>", ""),
    ],
)
def test_the_reason_in_a_page(page: bytes, reason: str) -> None:
    assert reason_of(page).startswith(reason) and bool(reason) == bool(reason_of(page))


@pytest.mark.parametrize(
    ("written", "forms"),
    [
        ("admin", ("admin@internal", "admin@ovirt@internalsso")),
        ("joe", ("joe@internal", "joe@internalsso")),
        ("admin@internal", ("admin@internal", "admin@internal@internalsso")),
        ("admin@ovirt", ("admin@ovirt", "admin@ovirt@internalsso")),
        ("admin@ovirt@internalsso", ("admin@ovirt@internalsso",)),
        ("internal\\admin", ("internal\\admin",)),
    ],
)
def test_what_a_user_may_be_called(written: str, forms: tuple[str, ...]) -> None:
    assert user_forms(written) == forms


@pytest.mark.parametrize(
    "said",
    [
        "Unable to log in because servers cannot be reached. Try again later.",
        "server_error: Connect to engine:443 failed: Connection refused",
        "Failed to obtain JDBC Connection",
        "Unable to get token from external OIDC.",
    ],
)
def test_a_failing_service_is_no_refusal(said: str) -> None:
    problem = login_problem("m", "admin@internal", said)
    assert isinstance(problem, Unreachable) and problem.may_retry and not problem.sent


def test_a_password_that_was_changed_meanwhile_is_tried_once_more_and_not_by_every_worker() -> None:
    wire = Wire((3, 6))
    login = login_of(wire, tokens=False)
    assert send(wire, login).status == 200
    login.speak(V36)
    wire.front.app.settings.__dict__["password"] = Secret("new")
    wire.asked.clear()
    for _ in range(8):
        assert isinstance(refusal(wire, login), Denied)
    assert len(wire.asked) == 3 and login.refused


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("rhevm.example.com", "rhevm.example.com", 0),
        ("rhevm:8443", "rhevm", 8443),
        ("fd00::1", "fd00::1", 0),
        ("[fd00::1]", "fd00::1", 0),
        ("[fd00::1]:8443", "fd00::1", 8443),
        ("10.0.0.1:443", "10.0.0.1", 443),
    ],
)
def test_how_a_manager_may_be_written(written: str, host: str, port: int) -> None:
    assert split_name(written) == (host, port)


@pytest.mark.parametrize("written", ["", "a b", "https://m", "m:port", "user@m", "m/api", "fd00::1::2", "m:99999"])
def test_what_is_no_manager(written: str) -> None:
    with pytest.raises(Usage, match="is not a manager. Write host, host:port or"):
        split_name(written)
