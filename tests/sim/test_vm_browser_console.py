"""getrvidparms --browser: the address that it prints leads through the websocket proxy to the machine's console."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from consolehelp import TicketProxy, VncServer, logged_in, opened
from vesim import only
from vmsite import VmSite, each_version
from xcat_rhev.messages import Data
from xcat_rhev.sim.certs import make

site = each_version(((4, 5),))


@pytest.fixture
def vnc(site: VmSite) -> Iterator[VncServer]:
    """The console of vm1, which has the password that the manager gave it last."""
    site.running("vm1", vidproto="vnc")
    site.host.set_row("site", {"key": "master"}, {"value": "mn.example.com"})
    server = VncServer(lambda: str(site.vm("vm1").get("console_password")))
    with server.server:
        site.world.change(site.vm("vm1"), display_address="127.0.0.1", display_port=server.server.port)
        yield server


@pytest.fixture
def proxy(site: VmSite) -> Iterator[TicketProxy]:
    """The manager's websocket proxy, with the manager's certificate."""
    made = TicketProxy(make(Path(site.host.site("rhevmca")).parent, ["127.0.0.1"]))
    with made.server:
        site.world.meta["websocket_proxy"] = f"Engine:{made.server.port}"
        yield made


def asked(site: VmSite) -> dict[str, str]:
    """What noVNC reads in the address: what is behind its #."""
    (line,) = site.ok("getrvidparms --browser", ["vm1"])
    page, _, told = line.removeprefix("vm1: ").partition("#")
    assert page == "https://mn.example.com/novnc/vnc.html"
    return dict(parse_qsl(told, strict_parsing=True))


def test_the_address_opens_a_session_at_the_console(site: VmSite, vnc: VncServer, proxy: TicketProxy) -> None:
    told = asked(site)
    assert told["encrypt"] == "1" and told["autoconnect"] == "true"
    trust = ssl.create_default_context(cafile=site.host.site("rhevmca"))
    line, sock = opened(told["host"], int(told["port"]), told["path"], trust)
    with sock:
        assert logged_in(line, told["password"]) == b"stand-in"
    assert (vnc.let_in, vnc.turned_away, len(proxy.tickets)) == (1, 0, 1)


def test_an_older_address_has_no_good_password(site: VmSite, vnc: VncServer, proxy: TicketProxy) -> None:
    first, second = asked(site), asked(site)
    assert first["password"] != second["password"]
    trust = ssl.create_default_context(cafile=site.host.site("rhevmca"))
    line, sock = opened(first["host"], int(first["port"]), first["path"], trust)
    with sock, pytest.raises(PermissionError):
        logged_in(line, first["password"])
    assert (vnc.let_in, vnc.turned_away) == (0, 1)


@pytest.mark.parametrize(
    ("place", "host"),
    [
        ("Engine:6100", "127.0.0.1"),
        ("Host:6100", "10.0.0.7"),
        ("proxy.example.com:6100", "proxy.example.com"),
        ("2001:db8::7:6100", "[2001:db8::7]"),
    ],
)
def test_the_proxy_is_where_the_manager_says(site: VmSite, vnc: VncServer, place: str, host: str) -> None:
    site.world.meta["websocket_proxy"] = place
    site.world.change(site.vm("vm1"), display_address="10.0.0.7")
    told = asked(site)
    assert (told["host"], told["port"]) == (host, "6100")


@pytest.mark.parametrize("place", ["Off", "", "Engine", "Engine:"])
def test_a_proxy_that_is_off_is_said_in_a_line_and_no_ticket_is_asked_for(
    site: VmSite, vnc: VncServer, place: str
) -> None:
    site.world.meta["websocket_proxy"] = place
    site.front.counts.clear()
    assert site.wrong("getrvidparms --browser", ["vm1"]) == [
        f"the websocket proxy of {site.manager} is off. Set it up there: engine-setup"
    ]
    assert site.changes() == []


def test_what_it_costs_and_says_in_json_and_in_a_dry_run(site: VmSite, vnc: VncServer) -> None:
    site.running("vm2", vidproto="vnc")
    assert site.ok("getrvidparms --browser --dry-run", ["vm1"]) == ["vm1: get a ticket for its console"]
    vnc_id = b"vnc".hex()
    cost = site.cost("getrvidparms --browser", ["vm1", "vm2"])
    assert cost == {
        "GET /vms": 1,
        "GET /options/WebSocketProxy": 1,
        "GET /vms/{id}/graphicsconsoles": 2,
        f"POST /vms/{{id}}/graphicsconsoles/{vnc_id}/proxyticket": 2,
        f"POST /vms/{{id}}/graphicsconsoles/{vnc_id}/ticket": 2,
    }
    (answer,) = site.ok("getrvidparms --browser --json", ["vm1"])
    assert '"node": "vm1"' in answer and "https://mn.example.com/novnc/vnc.html#autoconnect=true&encrypt=1&" in answer


def test_neither_ticket_nor_password_is_in_a_trace(site: VmSite, vnc: VncServer) -> None:
    said = site.say("getrvidparms --browser -V", ["vm1"])
    (answer,) = (each for each in said if isinstance(each, Data))
    told = dict(parse_qsl(answer.text.partition("#")[2]))
    trace = "\n".join(str(each) for each in said if each is not answer)
    assert "proxyticket" in trace
    assert told["path"][:40] not in trace and told["password"] not in trace


@only((3, 0), (3, 6), (4, 1))
def test_engines_before_have_no_such_console(site: VmSite) -> None:
    site.running("vm1")
    site.host.set_row("site", {"key": "master"}, {"value": "mn.example.com"})
    version = ".".join(map(str, site.version))
    (said,) = site.wrong("getrvidparms --browser", ["vm1"])
    assert said == f"the manager is {version}; consoles in a browser came with 4.2"
