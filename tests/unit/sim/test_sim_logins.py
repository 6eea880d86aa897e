"""The ways in: Keycloak in front, tokens alone, Basic alone; and accounts that are refused in the engine's words."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from xcat_rhev.sim.accounts import KEYCLOAK, LOCKED_FOR, MOST_FAILURES
from xcat_rhev.sim.auth import INTROSPECTION

SSO = "/ovirt-engine/sso/oauth/token"
ACCOUNTS = tuple((f"{state}@internal", state) for state in ("expired", "account-expired", "locked", "no-role", "user"))


def basic(user: str, password: str = "secret") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def asked(engine: Any, user: str, password: str = "secret") -> tuple[int, dict[str, str]]:
    form = {"grant_type": "password", "scope": "ovirt-app-api", "username": user, "password": password}
    answer = engine.call("POST", SSO, urlencode(form), accept="application/json", authorization="")
    return answer.status, json.loads(answer.body)


def bearer(engine: Any, user: str) -> str:
    return f"Bearer {asked(engine, user)[1]['access_token']}"


def test_keycloak_lets_nobody_in_without_a_token(make_engine: Any) -> None:
    engine = make_engine((4, 5), login="keycloak", user=KEYCLOAK)
    for proof in ("", basic(KEYCLOAK), basic("admin@internal"), "Bearer wrong"):
        answer = engine.get("/vms", authorization=proof)
        assert answer.status == 401 and b"401 Unauthorized" in answer.body
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert engine.get("/vms", authorization=bearer(engine, KEYCLOAK)).status == 200
    for user in ("admin@internal", "admin", "admin@ovirt"):
        status, told = asked(engine, user)
        assert status == 400 and told["error"] == "Cannot authenticate user No valid profile found in credentials.."
    assert asked(engine, KEYCLOAK, "x")[1]["error"] == "Cannot authenticate user Invalid user credentials."


def test_apache_asks_keycloak_whose_a_token_is(make_engine: Any) -> None:
    engine = make_engine((4, 5), login="keycloak", user=KEYCLOAK)
    for token, active in ((bearer(engine, KEYCLOAK).split()[1], True), ("wrong", False)):
        answer = engine.call("POST", INTROSPECTION, urlencode({"token": token}), authorization=basic("client"))
        assert json.loads(answer.body)["active"] is active
    assert make_engine((4, 5)).call("POST", INTROSPECTION, "token=x").status == 404


def test_tokens_alone_and_basic_alone(make_engine: Any) -> None:
    tokens, plain = make_engine((4, 5), login="sso"), make_engine((4, 5), login="basic")
    assert tokens.get("/vms").status == 401
    assert tokens.get("/vms", authorization=bearer(tokens, "admin@internal")).status == 200
    assert plain.get("/vms").status == 200
    assert plain.call("POST", SSO, "x", accept="application/json").status == 404


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("expired@internal", "the password has expired"),
        ("account-expired@internal", "the user account has expired"),
        ("locked@internal", "disabled or locked"),
        ("nobody@internal", "Verify your login information"),
        ("admin@nosuch", "No valid profile"),
        ("admin", "'admin@N/A': No valid profile"),
    ],
)
def test_a_refusal_in_the_engines_words(make_engine: Any, user: str, words: str) -> None:
    engine = make_engine((4, 5), accounts=ACCOUNTS, html_errors=True)
    status, told = asked(engine, user)
    assert status == 400 and told["error_code"] == "access_denied"
    assert told["error"].startswith("Cannot authenticate user '") and words in told["error"]
    page = engine.get("/vms", authorization=basic(user)).body.decode()
    assert f"<body>access_denied: {told['error']}</body>" in page


def test_five_wrong_passwords_lock_an_account(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    for _ in range(MOST_FAILURES):
        assert "Verify your login" in asked(engine, "admin@internal", "wrong")[1]["error"]
    assert "disabled or locked" in asked(engine, "admin@internal")[1]["error"]
    engine.later(LOCKED_FOR + 1)
    assert asked(engine, "admin@internal")[0] == 200


def test_without_a_role_a_token_opens_nothing(make_engine: Any) -> None:
    engine = make_engine((4, 5), accounts=ACCOUNTS, html_errors=True)
    answer = engine.get("/vms", authorization=bearer(engine, "no-role@internal"))
    assert answer.status == 401
    assert b"The user no-role@internal-authz with profile [internal] is not authorized to perform login" in answer.body


@pytest.mark.parametrize(("version", "root", "alone"), [((3, 6), 400, 400), ((4, 1), 200, 400), ((4, 2), 200, 200)])
def test_who_is_no_administrator_sees_what_is_filtered(
    make_engine: Any, version: tuple[int, int], root: int, alone: int
) -> None:
    engine = make_engine(version, accounts=ACCOUNTS)
    proof = {"authorization": basic("user@internal")}
    assert engine.get("", **proof).status == root
    answer = engine.get("/vms", **proof)
    assert answer.status == alone
    assert alone == 200 or answer.detail() == "Query execution failed due to insufficient permissions."
    assert engine.get("/vms", filter="true", **proof).status == 200
    refused = engine.call("POST", f"{engine.vm()}/start", "<action/>", filter="true", **proof)
    assert refused.status == 403 and "not authorized to perform this action" in refused.detail()


def test_a_fork_counts_for_itself(make_engine: Any) -> None:
    fork = make_engine((4, 4), product="ROSA Virtualization", number=(2, 1)).get("").xml
    assert fork.findtext("product_info/name") == "ROSA Virtualization"
    assert [fork.findtext(f"product_info/version/{part}") for part in ("major", "minor")] == ["2", "1"]
    for version, marks in (((4, 1), set()), ((4, 2), {"u"}), ((4, 4), {"u", "i"}), ((4, 5), {"u", "i", "b"})):
        root = make_engine(version).get("").xml
        found = {"u": "authenticated_user", "i": "product_info/instance_id", "b": "engine_backup"}
        assert {mark for mark, path in found.items() if root.find(path) is not None} == marks


@pytest.mark.parametrize("status", [404, 500, 401])
def test_an_engine_that_stops_has_no_form_for_it(make_engine: Any, status: int) -> None:
    engine = make_engine((4, 5))
    engine.plan({"do": "away", "status": status})
    for path in ("/vms", SSO):
        answer = engine.get(path)
        assert answer.status == status and b"<fault>" not in answer.body
        assert answer.type == ("" if status == 404 else answer.type) and "xml" not in answer.type


def test_a_database_that_is_away(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    engine.plan({"do": "database"})
    assert engine.get("/vms").status == 401 and b"PSQLException" in engine.get("/vms").body
    assert asked(engine, "admin@internal")[1]["error_code"] == "server_error"
