"""The simulator with a key of its own: hosts that are added by key are really logged in to."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from simulator import Simulator
from sshserver import new_key, no_logins, sshd
from xcat_rhev.errors import Usage
from xcat_rhev.sim.__main__ import parser, serve_in_threads

HOST = """<host><name>h1</name><address>127.0.0.1</address><ssh><port>{port}</port>
<authentication_method>publickey</authentication_method></ssh></host>"""


@pytest.mark.skipif(bool(no_logins()), reason=no_logins())
@pytest.mark.parametrize(("allowed", "ends"), [("key", "up"), ("other", "install_failed")])
def test_a_host_that_its_key_opens_comes_up_and_no_other(allowed: str, ends: str, tmp_path: Path) -> None:
    key, _ = (new_key(tmp_path / name) for name in ("key", "other"))
    with sshd(tmp_path, tmp_path / f"{allowed}.pub") as port:
        engine = Simulator("--ssh-key", str(key), "--delays", "0")
        try:
            page = f"{engine.origin}/ovirt-engine/services/pki-resource"
            served = engine.call("GET", f"{page}?resource=engine-certificate&format=OPENSSH-PUBKEY")[1]
            assert served == (tmp_path / "key.pub").read_bytes()
            assert engine.call("POST", "/hosts", HOST.format(port=port))[0] == 201
            assert [host.findtext("status") for host in engine.xml("/hosts")] == [ends]
            failed = [
                each.findtext("description") or "" for each in engine.xml("/events") if each.findtext("code") == "505"
            ]
            assert len(failed) == (ends == "install_failed")
            assert all("authenticate" in text for text in failed)
        finally:
            engine.close()


def test_a_key_without_its_public_half_is_refused(tmp_path: Path) -> None:
    words: argparse.Namespace = parser().parse_args(["--ssh-key", str(tmp_path / "key")])
    with pytest.raises(Usage, match=r"key.pub is not there"), serve_in_threads(words):
        pass
