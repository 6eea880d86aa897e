"""The status page: one name of the node map that is no node hides nothing but itself."""

from __future__ import annotations

import json

import pytest

from daemonhelp import Served
from xcat_rhev.clock import SystemClock
from xcat_rhev.web import app


@pytest.fixture
def xcat(tmp_path):
    xcat = Served(tmp_path / "mn")
    xcat.type("nodeadd", "rhevh1,rhevh2", "groups=all")
    xcat.type("tabch", "node=all", "nodetype.os=rhevh6.6")
    xcat.type("tabch", "priority=5", "policy.commands=rhevhupdateflag", "policy.rule=allow")
    xcat.type("tabch", "node=rhevh1", "chain.currstate=install rhevh6.6-x86_64")
    yield xcat
    xcat.close()


def shown(xcat, tmp_path, *names):
    nodes = tmp_path / "nodes.json"
    nodes.write_text(json.dumps({"version": 1, "addresses": {}, "names": {name: name for name in names}}))
    environ = {
        "PATH_INFO": "/",
        "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_METHOD": "GET",
        "XCATRHEVH_NODES": str(nodes),
        "XCATRHEVH_XCATD": f"127.0.0.1:{xcat.server.port}",
        "XCATRHEVH_CA": str(xcat.home.client / "ca.pem"),
        "XCATRHEVH_FILE": "/nowhere",
        "XCATRHEVH_WAIT": "20",
    }
    answer, _, body = app.respond(environ, SystemClock(), lambda _: None)
    assert answer.status == 200
    return body.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        ("gone",),
        ("gone", "gone2"),
        ("^/etc/passwd",),
        ("/.*",),
        ("a b",),
        ("<b>x</b>",),
        ("@", "-rhevh1"),
    ],
)
def test_one_wrong_name_costs_that_name(xcat, tmp_path, wrong):
    page = shown(xcat, tmp_path, "rhevh1", *wrong, "rhevh2")
    assert '<th scope="row">rhevh1</th>' in page and '<th scope="row">rhevh2</th>' in page
    assert "No hypervisor has been set up" not in page
    assert "but no nodes: " in page and "<b>x</b>" not in page


def test_what_xcatd_refuses_is_said(xcat, tmp_path):
    xcat.type("tabch", "-d", "priority=5", "policy")
    page = shown(xcat, tmp_path, "rhevh1")
    assert "xcatd says: Permission denied for request" in page and "No hypervisor" not in page
    assert "No hypervisor has been set up" in shown(xcat, tmp_path)
