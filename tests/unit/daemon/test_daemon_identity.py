"""Passwords and tokens, without a network."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from daemonhelp import Inside
from xcat_rhev.daemon import identity
from xcat_rhev.daemon.tables import Tables
from xcat_rhev.secret import Secret
from xcat_rhev.xcat.wire import UserPassword

#: What crypt(3) makes of the password `right`, by every method that a C library has had.
HASHES = [
    "abuq21xu6EMNI",
    "_J9..rasmWZKr5d0na2k",
    "$1$abcdefgh$vdBSIIpG7R8DPkuUogsqU0",
    "$5$abc$k0VdEOECUAWiIRDWuNQA7ckw24BfaW7JAPVeL//LyL0",
    "$6$abc$Rp.m/P24RM5NK9HsFFYz3bJu1tH1bSAnhixavKK8fDYoeVUvwQRm1m4kCCGLQrdt7cOfeuBwv2sOboivTzdkq0",
    "$2y$05$abcdefghijklmnopqrstuu8xaCxxL82bnl.UY74PMksDxIJShppPC",
    "$2b$05$abcdefghijklmnopqrstuu8xaCxxL82bnl.UY74PMksDxIJShppPC",
    "$y$j9T$abcdefgh$yoFMCKt0qC3olVjWJgpLhh1O9KJeMSRLQ6dTwpilmqA",
    "$7$CU..../....abcd$QZUNZZtpUmguHn0/G.M1MBI0hKXSuf9uaMYh7FHG2t.",
    "$md5$abcd$$QaJXgKJ8FUy4beeqdLqBV1",
    "$sha1$1000$abcd$m01mabhiUmr21IVaYRmcZIKG69vY",
]


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(Inside(tmp_path).store)


def knows(tables: Tables, password: str, name: str = "joe") -> bool:
    return identity.knows(tables, UserPassword(name, Secret(password)))


@pytest.mark.parametrize("stored", HASHES)
def test_every_kind_of_hash(tables: Tables, stored: str) -> None:
    tables.put("passwd", {"key": "xcat", "username": "joe"}, {"password": stored})
    assert knows(tables, "right")
    assert not any(knows(tables, wrong) for wrong in ("", "wrong", "Right", "*0", "right" * 2000, "\u20ac"))
    assert not knows(tables, "right", "ann")
    assert knows(tables, stored) == (stored == HASHES[0] or stored == HASHES[1])  # these may be plain ones


@pytest.mark.parametrize(
    "stored",
    [
        "right",
        "abcdefghijklm",
        "$",
        "$1",
        "$x$y",
        "*",
        "!",
        "pässwörd€",
        " blank ",
        "a|b",
        '"quoted"',
        "*0",
        "*1",
    ],
)
def test_plain_passwords(tables: Tables, stored: str) -> None:
    tables.put("passwd", {"key": "xcat", "username": "joe"}, {"password": stored})
    assert knows(tables, stored)
    assert not any(knows(tables, wrong) for wrong in {"", stored + "x", stored.upper() + "X", "*0", "*1"} - {stored})


def test_a_row_without_password_or_disabled_lets_nobody_in(tables: Tables) -> None:
    tables.put("passwd", {"key": "xcat", "username": "joe"}, {"password": None, "comments": "x"})
    assert not knows(tables, "")
    tables.put("passwd", {"key": "xcat", "username": "joe"}, {"password": "right", "disable": "1"})
    assert not knows(tables, "right")
    tables.put("passwd", {"key": "system", "username": "ann"}, {"password": "right"})
    assert not knows(tables, "right", "ann")


@pytest.mark.parametrize("stored", ["$6$", "$6$a", "$6$abc$", "$y$", "$2b$05$x", "$1$:$x", "$9$a$b", "$6$rounds=1$a$b"])
def test_a_broken_hash_lets_nobody_in(tables: Tables, stored: str) -> None:
    tables.put("passwd", {"key": "xcat", "username": "joe"}, {"password": stored})
    assert not any(knows(tables, wrong) for wrong in ("", "right", "*0", "*1"))


@pytest.mark.parametrize(
    "days, seconds",
    [
        ("", 86400),
        ("2", 172800),
        ("0.5", 43200),
        ("0", 86400),
        ("-3", 86400),
        ("soon", 86400),
        ("\u00b2", 86400),
        ("nan", 86400),
        ("inf", 86400 * 36500),
        ("99999999999", 86400 * 36500),
        (" 1 ", 86400),
    ],
)
def test_how_long_a_token_is_good(tables: Tables, days: str, seconds: float) -> None:
    tables.put("site", {"key": "tokenexpiredays"}, {"value": days or "x"})
    _, expire = identity.new_token(tables, "joe")
    good = time.mktime(time.strptime(expire, "%Y-%m-%d %H:%M:%S")) - time.time()
    assert seconds - 3700 < good < seconds + 3700  # an hour for summer time


@pytest.mark.parametrize("days", ["never", "Never", "NEVER"])
def test_a_token_may_be_for_ever(tables: Tables, days: str) -> None:
    tables.put("site", {"key": "tokenexpiredays"}, {"value": days})
    token, expire = identity.new_token(tables, "joe")
    assert expire == "never"
    assert identity.owner(tables, Secret(token)) == "joe"


@pytest.mark.parametrize(
    "expire, good",
    [
        ("never", True),
        ("2001-01-01 00:00:00", False),
        ("2999-01-01 00:00:00", True),
        ("1", False),
        ("99999999999", True),
        (None, False),
    ],
)
def test_tokens_as_xcat_has_stored_them(tables: Tables, expire: str | None, good: bool) -> None:
    tables.put("token", {"tokenid": identity.digest("7f-1")}, {"username": "joe", "expire": expire})
    assert identity.owner(tables, Secret("7f-1")) == ("joe" if good else None)
    assert identity.owner(tables, Secret("")) is None
    identity.new_token(tables, "ann")
    assert any(row["tokenid"] == identity.digest("7f-1") for row in tables.rows("token")) == good
