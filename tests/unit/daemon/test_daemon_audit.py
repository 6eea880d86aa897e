"""What is written down of a request, however large."""

from __future__ import annotations

import pytest

from xcat_rhev.daemon.audit import OF_ALL, OF_ONE, Audit, AuditEntry, without_secrets


@pytest.mark.parametrize(
    "args",
    [("x" * (16 << 20),), ("password" * (2 << 20),), ("x",) * 10_000, ("",) * 10_000, ("password=" + "y" * 5000,) * 9],
)
def test_of_large_requests_the_beginning_is_written_without_secrets(args):
    shown = " ".join(without_secrets(args))
    assert len(shown) < OF_ALL + OF_ONE + 100
    assert "yyy" not in shown


def test_one_request_is_one_line_of_bearable_length(tmp_path):
    audit = Audit(None, tmp_path / "audit.log")
    audit.note(AuditEntry("root", "mn", "k" * 99_999, "c" * 99_999, "n" * 99_999, ("a\nb",) * 99_999, "allowed"))
    audit.close()
    (line,) = (tmp_path / "audit.log").read_text().splitlines()
    assert len(line) < 3 * OF_ALL and line.endswith("... (99999 arguments) for root from mn")


@pytest.mark.parametrize(
    ("arg", "shown"),
    [
        ("passwd.password=x=y z", "passwd.password=******"),
        ("key=rhevm", "key=rhevm"),
        ("a=b Token=c d", "a=b Token=******"),
        ("password =x", "password =x"),
        ("password", "password"),
        ("=x", "=x"),
    ],
)
def test_what_follows_the_name_of_a_secret_is_hidden(arg, shown):
    assert without_secrets((arg,)) == (shown,)


def test_what_follows_an_option_of_a_secret_is_hidden():
    args = ("-m", "x", "--password", "s3", "--force", "--vnc-passwd", "s4", "--password=s5", "y", "snmpc=s6")
    shown = " ".join(without_secrets(args))
    assert not any(secret in shown for secret in ("s3", "s4", "s5", "s6"))
    assert shown == "-m x --password ****** --force --vnc-passwd ****** --password=****** y snmpc=******"


@pytest.mark.parametrize("skipped", ["ALL", "all", "nodels, All"])
def test_a_site_may_want_no_audit(tmp_path, skipped):
    audit = Audit(None, tmp_path / "audit.log")
    audit.note(AuditEntry("root", "mn", "cli", "rpower", "", (), "allowed"), skipped)
    audit.note(AuditEntry("root", "mn", "cli", "rinstall", "", (), "allowed"), "install,rpower")
    audit.close()
    assert [line.split()[4] for line in (tmp_path / "audit.log").read_text().splitlines()] == ["rinstall"]
