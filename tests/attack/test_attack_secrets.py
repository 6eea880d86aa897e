"""Secrets in what is written down: logs, the audit table, and what everybody who may dump tables sees."""

from __future__ import annotations

import ssl

import pytest

from attackhelp import user
from daemonhelp import Served
from xcat_rhev.daemon.audit import hidden, without_secrets
from xcat_rhev.daemon.revocation import revoke
from xcat_rhev.secret import Secret
from xcat_rhev.xcat.wire import UserPassword, WireRequest


@pytest.fixture
def xcat(tmp_path):
    xcat = Served(tmp_path / "mn")
    xcat.type("tabch", "key=xcat,username=joe", "passwd.password=right")
    yield xcat
    xcat.close()


SECRETS = [
    ("chdef", ("-t", "node", "n1", "othersettings=adminpw=geheim")),
    ("chtab", ("node=n1", "vm.othersettings=cloudinit:password:geheim;user:x")),
    ("chtab", ("node=n1", "bootparams.addkcmdline=rootpw=geheim")),
    ("chtab", ("node=n1", "vm.othersettings=user:x;password:geheim with blanks")),
    ("chtab", ("node=n1", 'vm.othersettings={"password": "geheim"}')),
    ("chtab", ("node=n1", "bootparams.addkcmdline=quiet luks_pass=geheim")),
    ("chtab", ("node=n1", "bootparams.addkcmdline=quiet x.pwd=geheim")),
    ("chtab", ("node=n1", "bootparams.addkcmdline=ks=http://user:geheim@mn/x")),
    ("chtab", ("node=n1", "bootparams.addkcmdline=netroot=iscsi:user:geheim@10.0.0.1::::x")),
    ("chtab", ("node=n1", "vm.othersettings=private_key:geheim")),
    ("chtab", ("node=n1", "--passphrase", "geheim")),
    ("chtab", ("key=rhevm", "passwd.password=geheim")),
    ("rspconfig", ("--bmcpw", "geheim")),
    ("chhypervisor", ("--adminpw=geheim",)),
    ("mkdef", ("n1", "bmcpassword=geheim")),
]
NODERANGES = [
    "passwd.password==geheim",
    "all@ipmi.password=~/geheim/",
    "ipmi.username!=geheim",
    "vm1,passwd.cryptmethod==geheim",
    "vm.othersettings=~password:geheim",
]


@pytest.mark.parametrize("command, args", SECRETS)
def test_no_secret_is_in_the_audit_log_or_the_table(xcat, command, args):
    joe = user(xcat, "joe")
    xcat.ask(WireRequest(command, args=args))
    xcat.ask(WireRequest(command, args=args), cert=joe)
    check_no_secret_is_written(xcat)


@pytest.mark.parametrize("noderange", NODERANGES)
def test_no_secret_of_a_noderange_either(xcat, noderange):
    xcat.ask(WireRequest("nodels", noderange=noderange))
    xcat.ask(WireRequest("lsxcatd", noderange=noderange, args=("-v",)), cert=False)
    check_no_secret_is_written(xcat)


def check_no_secret_is_written(xcat):
    xcat.xcatd.audit.close()
    texts = [path.read_text() for path in xcat.home.log.iterdir()] + [str(xcat.table("auditlog"))]
    assert any(texts) and not any("geheim" in text for text in texts)


@pytest.mark.parametrize("text", ["nodehm.mgt==ipmi", "groups==passwd", "vm1,vm2", "ipmi1-ipmi9", "/passwd.*"])
def test_what_is_no_secret_is_shown(text):
    assert hidden(text) == text


@pytest.mark.parametrize("arg", ["nodehm.mgt=ipmi", "power=on", "groups=rootpw", "passwordless", "vm.memory=4g"])
def test_words_that_only_look_like_it(arg):
    assert without_secrets((arg,)) == (arg,)


def test_tabdump_shows_no_live_token(xcat):
    answer = xcat.ask(WireRequest("x", gettoken=UserPassword("joe", Secret("right"))), cert=False).decode()
    token = answer.split("<id>")[1].split("</id>")[0]
    for command in (
        WireRequest("tabdump", args=("token",)),
        WireRequest("gettab", args=("username=joe", "token.tokenid")),
    ):
        shown = xcat.ask(command).decode()
        assert token not in shown and "sha256:" in shown
        stored = "sha256:" + shown.split("sha256:")[1][:64]
        assert b"Authentication failure" in xcat.ask(WireRequest("authcheck", token=Secret(stored)), cert=False)
    guess = xcat.ask(WireRequest("tabdump", args=("-w", f"tokenid=~{token[:4]}%", "token"))).decode()
    assert "joe" not in guess, "nor letter by letter"
    xcat.type("tabch", "priority=6", "policy.name=joe", "policy.rule=allow")
    assert b"<username>joe</username>" in xcat.ask(WireRequest("authcheck", token=Secret(token)), cert=False)


def test_a_lost_certificate_is_believed_no_longer(tmp_path):
    first = Served(tmp_path / "mn")
    lost, kept = user(first, "joe"), user(first, "ann")
    who = WireRequest("lsxcatd", args=("-v",))
    assert b"Version" in first.ask(who, cert=lost)
    revoke(first.home, lost)
    revoke(first.home, user(first, "bob"))
    first.close()
    again = Served(tmp_path / "mn")
    try:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            again.ask(who, cert=lost)
        assert b"Version" in again.ask(who, cert=kept) and b"Version" in again.ask(who, cert=False)
        assert b"Version" in again.ask(who)
    finally:
        again.close()
