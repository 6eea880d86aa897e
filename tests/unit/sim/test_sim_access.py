"""Who gets in, in which dialect, at which address."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest

SSO = "/ovirt-engine/sso/oauth/token"


def basic(user: str, password: str = "secret") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def token(engine: Any, **more: str) -> Any:
    told = {
        "grant_type": "password",
        "scope": "ovirt-app-api",
        "username": "admin@internal",
        "password": "secret",
        **more,
    }
    accept = told.pop("accept", "application/json")
    return engine.call("POST", SSO, urlencode(told), accept=accept, authorization="")


@pytest.mark.parametrize(
    ("version", "user", "known"),
    [
        ((3, 0), "admin@internal", True),
        ((3, 0), "internal\\admin", True),
        ((3, 6), "internal\\admin", True),
        ((4, 5), "admin@internal", True),
        ((4, 5), "admin", False),
        ((3, 0), "admin", False),
        ((4, 5), "", False),
    ],
)
def test_forms_of_a_name(make_engine: Any, version: tuple[int, int], user: str, known: bool) -> None:
    assert make_engine(version).get("/vms", authorization=basic(user)).status == (200 if known else 401)


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic !!!", "Basic //79", "Bearer x", "Digest x", basic("admin@internal", "no")]
)
def test_who_is_not_known_is_asked(engine: Any, header: str) -> None:
    answer = engine.get("/vms", authorization=header)
    assert answer.status == 401 and answer.body == b""
    realm = 'Basic realm = "' if engine.dialect.version < (3, 1) else 'Basic realm="RESTAPI"'
    assert answer.headers["WWW-Authenticate"].startswith(realm)


def test_401_may_carry_a_page(make_engine: Any) -> None:
    engine = make_engine((4, 5), html_errors=True)
    answer = engine.get("/vms", authorization="")
    assert answer.type.startswith("text/html") and b"<html>" in answer.body


def test_tokens(make_engine: Any) -> None:
    engine = make_engine((4, 5), token_life=60.0)
    answer = token(engine)
    told = json.loads(answer.body)
    assert answer.type == "application/json" and isinstance(told["exp"], str)
    bearer = f"Bearer {told['access_token']}"
    assert engine.get("/vms", authorization=bearer).status == 200
    engine.later(50)
    assert engine.get("/vms", authorization=bearer).status == 200
    engine.later(50)
    assert engine.get("/vms", authorization=bearer).status == 200
    engine.later(61)
    assert engine.get("/vms", authorization=bearer).status == 401
    fresh = f"Bearer {json.loads(token(engine).body)['access_token']}"
    out = engine.call("POST", "/ovirt-engine/services/sso-logout", urlencode({"token": fresh[7:]}), authorization="")
    assert (out.status, out.body) == (200, b"{}")
    assert engine.get("/vms", authorization=fresh).status == 401


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"password": "no"}, "access_denied"),
        ({"username": "x"}, "access_denied"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
        ({"accept": "application/xml"}, "invalid_request"),
    ],
)
def test_sso_says_no_with_400(make_engine: Any, more: dict[str, str], code: str) -> None:
    answer = token(make_engine((4, 5)), **more)
    assert answer.status == 400 and json.loads(answer.body)["error_code"] == code


def test_a_token_without_the_scope_is_worth_nothing(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    told = json.loads(token(engine, scope="openid").body)
    assert engine.get("/vms", authorization=f"Bearer {told['access_token']}").status == 401


def test_v3_has_no_sso(make_engine: Any) -> None:
    assert token(make_engine((3, 6))).status == 404


def test_sessions_on_v3(make_engine: Any) -> None:
    engine = make_engine((3, 6), token_life=60.0)
    first = engine.get("/vms", prefer="persistent-auth")
    cookie = first.headers["Set-Cookie"].partition(";")[0]
    assert first.headers["JSESSIONID"] == cookie.partition("=")[2]
    told = {"cookie": cookie, "authorization": ""}
    assert engine.get("/vms", prefer="persistent-auth", **told).status == 200
    csrf = engine.get("/vms", prefer="persistent-auth, csrf-protection", **told)
    assert csrf.status == 401
    good = engine.get("/vms", prefer="persistent-auth, csrf-protection", jsessionid=cookie.partition("=")[2], **told)
    assert good.status == 200
    assert engine.get("/vms", **told).status == 401, "without the header the session is destroyed"
    assert engine.get("/vms", prefer="persistent-auth", **told).status == 401
    again = engine.get("/vms", prefer="persistent-auth").headers["Set-Cookie"].partition(";")[0]
    engine.later(61)
    assert engine.get("/vms", prefer="persistent-auth", cookie=again, authorization="").status == 401
    assert "Set-Cookie" not in make_engine((3, 0)).get("/vms", prefer="persistent-auth").headers


@pytest.mark.parametrize(
    ("api", "path", "header", "wanted"),
    [
        ("both", "/ovirt-engine/api", "", "4"),
        ("both", "/ovirt-engine/api", "3", "3"),
        ("both", "/ovirt-engine/api", "4", "4"),
        ("both", "/ovirt-engine/api/v3", "4", "3"),
        ("both", "/ovirt-engine/api/v4", "3", "4"),
        ("both", "/api", "4", "3"),
        ("both", "/ovirt-engine/api", "5", 400),
        ("both", "/ovirt-engine/api/", "", "4"),
        ("4", "/ovirt-engine/api", "3", 405),
        ("4", "/ovirt-engine/api/v3", "", 405),
        ("4", "/api", "", 404),
        ("3", "/api", "", "3"),
        ("3", "/ovirt-engine/api", "4", "3"),
        ("3", "/ovirt-engine/api", "", "3"),
    ],
)
def test_which_dialect_answers(make_engine: Any, api: str, path: str, header: str, wanted: Any) -> None:
    engine = make_engine((3, 6) if api == "3" else (4, 5), api=api)
    answer = engine.get(path, **({"version": header} if header else {}))
    if isinstance(wanted, int):
        assert answer.status == wanted
        return
    version = answer.xml.find("product_info/version")
    assert (version.get("major") or version.findtext("major")) == wanted
    assert ("major" in version.attrib) == (wanted == "3")


def test_an_engine_4_2_still_speaks_v3_and_3_0_has_the_short_path_only(make_engine: Any) -> None:
    old = make_engine((4, 2), api="4").get("/ovirt-engine/api", version="3")
    assert old.xml.find("product_info/version").get("major") == "3"
    assert make_engine((3, 0)).get("/ovirt-engine/api").status == 404


def test_hrefs_begin_with_the_path_that_was_used(make_engine: Any) -> None:
    engine = make_engine((4, 5), api="both")
    short = engine.get("/api/vms").xml.xpath("//@href")
    long = engine.get("/ovirt-engine/api/vms", version="3").xml.xpath("//@href")
    assert short and all(href.startswith("/api/") for href in short)
    assert long and all(href.startswith("/ovirt-engine/api/") for href in long)
    assert engine.get("/api/vms").xml[0].get("id") == engine.get("/ovirt-engine/api/vms").xml[0].get("id")


def test_the_root_of_v3_has_a_link_header(make_engine: Any) -> None:
    engine = make_engine((3, 0))
    answer = engine.get("/api")
    assert "</api/vms>; rel=vms" in answer.headers["Link"]
    rels = answer.xml.xpath("link/@rel")
    assert "vms/search" in rels and "networks" in rels and "networks/search" not in rels and "disks" not in rels
    assert "networks/search" in make_engine((3, 6)).get("/api").xml.xpath("link/@rel")


@pytest.mark.parametrize(("version", "old", "new"), [((3, 0), 200, 404), ((3, 6), 200, 200), ((4, 5), 404, 200)])
def test_where_the_ca_is(make_engine: Any, version: tuple[int, int], old: int, new: int) -> None:
    engine = make_engine(version)
    assert engine.get("/ca.crt", authorization="").status == old
    path = "/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA"
    answer = engine.get(path, authorization="")
    assert answer.status == new
    assert answer.body == (b"PEM" if new == 200 else b"")


def test_correlation_ids_come_back_on_v4(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    assert engine.get("/vms", **{"correlation-id": "abc_1"}).headers["Correlation-Id"] == "abc_1"
    assert engine.get("/vms?correlation_id=q-2").headers["Correlation-Id"] == "q-2"
    assert len(engine.get("/vms", **{"correlation-id": "x y\r\nEvil: 1"}).headers["Correlation-Id"]) == 36
    assert "Correlation-Id" not in make_engine((3, 6)).get("/vms", **{"correlation-id": "abc"}).headers


def test_events_and_jobs_carry_the_correlation_id(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    answer = engine.call("POST", f"{engine.vm()}/start", "<action/>", **{"correlation-id": "run-7"})
    job = answer.xml.find("job").get("href")
    assert engine.get(job).text("status") == "finished"
    events = engine.get("/events?search=correlation_id%3Drun-7").xml
    assert "VM vm1 started on Host" in events.findtext("event/description")
    newest = int(events.find("event").get("id"))
    assert len(engine.get(f"/events?from={newest}").xml) == 0
    assert len(engine.get(f"/events?from={newest - 1}").xml) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": ""}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/json"}, 415),
        ({"accept": "application/json"}, 406),
        ({"accept": "*/*"}, 200),
        ({"content-type": "application/xml;charset=UTF-8"}, 200),
    ],
)
def test_what_is_sent_and_wanted_must_be_xml(engine: Any, headers: dict[str, str], status: int) -> None:
    answer = engine.call("POST", f"{engine.vm()}/start", "<action/>", **headers)
    assert answer.status == status
    if engine.dialect.modern and status > 400:
        assert answer.body == b""
    else:
        assert answer.type.startswith("text/html" if status > 400 else "application/xml")


def test_the_web_server_takes_8190_bytes(engine: Any) -> None:
    assert engine.get("/vms?search=" + "x" * 9000).status == 414
    assert engine.get("/vms?search=" + "x" * 8000).status == 200


def test_strict_mode_wants_a_body_with_every_action(make_engine: Any) -> None:
    strict, lax = make_engine((4, 5), strict=True), make_engine((4, 5))
    assert "an action without a body" in strict.post(f"{strict.vm()}/start", "").detail()
    refused = lax.post(f"{lax.vm()}/start", "")
    assert refused.detail().endswith("/ovirt-engine/apidoc#services/vm/methods/start")
    old = make_engine((3, 6))
    assert old.post(f"{old.vm()}/start", "").status == 200


def test_parameters_that_no_action_has(make_engine: Any) -> None:
    body = "<action><hots/><force>true</force></action>"
    for version in ((3, 0), (3, 6), (4, 5)):
        strict, lax = make_engine(version, strict=True), make_engine(version)
        assert strict.post(f"{strict.vm()}/start", body).detail().endswith("does not know: action/hots")
        four = version >= (4, 0)
        assert lax.post(f"{lax.vm()}/start", body).status == (400 if four else 200)
        wrong = lax.post(f"{lax.vm('vm2')}/start", "<vm/>")
        assert wrong.status == (500 if four else 400)
        assert four or wrong.xml.tag in {"usage_message", "fault"}
    old = make_engine((3, 6), strict=True)
    later = "<action><activate>true</activate></action>"
    assert "action/activate" in old.post(f"{old.host()}/deactivate", later).detail()


def test_methods_that_an_address_does_not_have(engine: Any) -> None:
    assert engine.call("DELETE", "/vms").status == 405
    assert engine.call("PATCH", "/vms").status == 405
    assert engine.call("HEAD", "/vms").status == 200


def test_lists_below_what_is_not_there_are_empty_since_4(make_engine: Any) -> None:
    gone = "/vms/12345678-1234-1234-1234-123456789012"
    new, old = make_engine((4, 5)), make_engine((3, 6))
    assert (new.get(f"{gone}/nics").status, old.get(f"{gone}/nics").status) == (200, 404)
    assert new.post(f"{gone}/stop", "<action/>").detail() == "[Cannot stop VM. VM is not found.]"
    assert old.post(f"{gone}/stop", "<action/>").status == 404
    assert new.get("/vms/nosuch/nics").status == 404
