"""Ten hypervisors with their own addresses, a management node and a service node, on one PostgreSQL.

Every outcome is asserted where it counts: in the tables and in the boot files.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from finish_network import DOMAIN, inside, missing, network, postgresql
from finish_site import NGINX, Embedded, accepts, apache, needs_apache, program, public_folder, write_map
from test_finish_url_embedded import install

from xcat_rhev.clock import SystemClock
from xcat_rhev.web.notify import XcatdClient
from xcat_rhev.web.settings import WebSettings
from xcat_rhev.xcat.rows import read_csv

WHY = missing()
pytestmark = [pytest.mark.root, pytest.mark.slow, needs_apache, pytest.mark.skipif(bool(WHY), reason=WHY or "-")]
POLICY = Path(__file__).parents[2] / "policy"
NODES = [f"h{number}" for number in (1, 2, 3, 4, 5, 6, 8, 9, 10)]
#: What the tables say; h3 has IPv6 only, h6 is known to the name service only, h2 has a second NIC.
HOSTS = {
    "h1": "10.77.0.11",
    "h2": "10.77.0.12",
    "h3": "fd77::13",
    "h4": "10.77.0.14",
    "h5": "10.77.0.15",
    "h8": "10.77.0.18",
    "h9": "10.77.0.19",
    "h10": "10.77.0.20",
    "sn1": "10.77.0.2",
}
MAP = {address: node for node, address in HOSTS.items() if node != "sn1"} | {"10.78.0.12": "h2"}
STRANGER = "No node has the address 10.77.0.17.\n"
FORGED = ("-H", "X-Forwarded-For: 10.77.0.11")
NAMES = {node: node for node in NODES} | {f"{node}.{DOMAIN}": node for node in NODES} | {"node-six": "h6"}


class Site:
    """The management node, the service node, and what they share."""

    def __init__(self, xcat: Embedded, second: Embedded) -> None:
        self.xcat, self.second = xcat, second

    def moved(self, node: str) -> bool:
        """Whether a node has moved on, by tables and boot file alike."""
        status = self.xcat.row("nodelist", node).get("status")
        state = self.xcat.row("chain", node).get("currstate")
        local = "LOCALBOOT 0" in self.file(node).read_text()
        assert (status == "booted") == (state == "boot") == local, (status, state, local)
        return local

    def file(self, node: str) -> Path:
        return self.xcat.home.tftp / "pxelinux.cfg" / node


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with ExitStack() as stack:
        stack.enter_context(network())
        shared, first, second = (stack.enter_context(public_folder()) for _ in range(3))
        cfgloc = stack.enter_context(postgresql(shared, "mn", "10.77.0.1"))
        mn = Embedded(first, "0.0.0.0", cfgloc, inside("mn"))
        fill(mn)
        stack.enter_context(mn)
        sn = Embedded(second, "127.0.0.1", cfgloc, inside("sn1"))
        shutil.copytree(mn.home.cert, sn.home.cert, dirs_exist_ok=True)
        (sn.home.root / "etc" / "xCATSN").touch()
        stack.enter_context(sn)
        for folder, xcat, machine, address in ((first, mn, "mn", "10.77.0.1"), (second, sn, "sn1", "10.77.0.2")):
            write_map(folder / "nodes.json", MAP, NAMES)
            settings = {
                **xcat.settings(),
                "NODES": str(folder / "nodes.json"),
                "PROXIES": "10.77.0.3",
                "NETWORKS": "10.77.0.0/30",
            }
            stack.enter_context(apache(folder, settings, "cgid", address, inside(machine)))
        stack.enter_context(reverse_proxy(shared))
        yield Site(mn, sn)


def fill(xcat: Embedded) -> None:
    """Rows of the cluster."""
    xcat.put("site", {"master": {"value": "10.77.0.1"}, "domain": {"value": DOMAIN}}, "key")
    xcat.put("nodelist", {node: {"groups": "rhevh"} for node in NODES} | {"sn1": {"groups": "service"}})
    xcat.put("nodetype", {"rhevh": {"os": "rhevh7.3", "arch": "x86_64", "profile": "compute"}})
    xcat.put("noderes", {"rhevh": {"netboot": "pxe"}, "h10": {"servicenode": "sn1", "xcatmaster": "10.77.0.2"}})
    xcat.put("mac", {node: {"mac": f"52:54:00:00:01:{number:02x}"} for number, node in enumerate(NODES)})
    xcat.put("hosts", {node: {"ip": address} for node, address in HOSTS.items()} | {"h6": {"hostnames": "node-six"}})
    xcat.put("nics", {"h2": {"nicips": "eth1!10.78.0.12"}})
    xcat.put("servicenode", {"sn1": {"tftpserver": "1"}})
    row = read_csv((POLICY / "policy.narrow.csv").read_text().splitlines())[1][0]
    xcat.put("policy", {"1": {"name": "root", "rule": "allow"}, "5": row}, "priority")  # type: ignore[dict-item]


def reverse_proxy(folder: Path) -> object:
    """nginx on a machine of its own, which says for whom it asks."""
    config, log = folder / "proxy.conf", folder / "proxy.log"
    config.write_text(
        f"daemon off; pid {folder}/proxy.pid; error_log {log}; events {{}} http {{ access_log off; "
        + "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        + "server { listen 80; location / { proxy_pass http://10.77.0.1; "
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; } } }"
    )
    words = [*inside("proxy"), NGINX, "-e", str(log), "-c", str(config)]
    return program(words, log, lambda: accepts(80, "10.77.0.3"))


TOOLS = {
    "wget": ["wget", "-q", "--tries=1", "-O", "-"],
    "curl": ["curl", "-s", "--insecure", "-g", "--max-time", "300"],
}


def finish(machine: str, name: str, server: str = "10.77.0.1", *more: str, tool: str = "wget") -> tuple[int, str]:
    """What a machine's own program gets: its exit code and the body."""
    url = f"http://{server}/xcatrhevh/rhevh_finish_install/{name}"
    done = subprocess.run([*inside(machine), *TOOLS[tool], *more, url], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("machine", "name", "server", "node", "tool"),
    [
        pytest.param("h1", "h1.lab.test", "10.77.0.1", "h1", "wget", id="one NIC, in DNS and map"),
        pytest.param("h1", "H1", "10.77.0.1", "h1", "curl", id="upper case, curl"),
        pytest.param("h2", "h2", "10.78.0.1", "h2", "wget", id="second NIC, without a name"),
        pytest.param("h3", "localhost.localdomain", "[fd77::1]", "h3", "wget", id="IPv6"),
        pytest.param("h4", "(none)", "10.77.0.1", "h4", "curl", id="no reverse DNS"),
        pytest.param("h5", "h5", "10.77.0.1", "h5", "wget", id="wrong reverse DNS"),
        pytest.param("h6", "node-six.lab.test", "10.77.0.1", "h6", "wget", id="name service only, another name"),
        pytest.param("h9", "h9", "10.77.0.3", "h9", "curl", id="behind a proxy"),
        pytest.param("h10", "h10", "10.77.0.2", "h10", "wget", id="at the service node"),
        pytest.param("h4", "h4", "10.77.0.2", "h4", "wget", id="at the other server than usual"),
    ],
)
def test_those_who_may(site: Site, machine: str, name: str, server: str, node: str, tool: str) -> None:
    install(site.xcat, node)
    assert not site.moved(node)
    assert finish(machine, name, server, tool=tool) == (0, f"{node}: booted\n")
    assert site.moved(node)
    assert finish(machine, name, server, tool=tool) == (0, f"{node}: booted\n")


@pytest.mark.parametrize(
    ("machine", "name", "server", "more", "text"),
    [
        pytest.param("h7", "h7", "10.77.0.1", (), STRANGER, id="a stranger"),
        pytest.param("h7", "h1", "10.77.0.1", (), STRANGER, id="a stranger with a name"),
        pytest.param("h8", "h1", "10.77.0.1", (), "10.77.0.18 is h8, not h1.\n", id="another's name"),
        pytest.param("h7", "h1", "10.77.0.2", (), STRANGER, id="at the service node"),
        pytest.param("h7", "h1", "10.77.0.1", FORGED, STRANGER, id="a forged forward"),
        pytest.param("h7", "h1", "10.77.0.3", FORGED, STRANGER, id="a forged forward through the proxy"),
    ],
)
def test_those_who_may_not(site: Site, machine: str, name: str, server: str, more: tuple[str, ...], text: str) -> None:
    for node in NODES:
        install(site.xcat, node)
    before = {table: site.xcat.store.rows(table) for table in ("chain", "nodelist", "hosts", "policy")}
    assert finish(machine, name, server, *more, tool="curl") == (0, text)
    assert {table: site.xcat.store.rows(table) for table in before} == before
    assert not any(site.moved(node) for node in NODES)


def test_a_stranger_at_xcatd_itself(site: Site) -> None:
    install(site.xcat, "h1")
    settings = WebSettings(
        {
            "XCATRHEVH_XCATD": f"10.77.0.1:{site.xcat.port}",
            "XCATRHEVH_CA": str(site.xcat.ca),
            "XCATRHEVH_FILE": "/nowhere",
        }
    )
    verdict = XcatdClient(settings, SystemClock()).report("h1", "10.77.0.11")
    assert (verdict.booted, verdict.text) == (False, "Permission denied for request")
    original = {"host": None, "parameters": None, "commands": "rhevhupdateflag", "rule": "allow"}
    narrow = site.xcat.row("policy", "5", "priority")
    site.xcat.put("policy", {"5": original}, "priority")  # type: ignore[dict-item]
    verdict = XcatdClient(settings, SystemClock()).report("h1", "10.77.0.11")
    site.xcat.put("policy", {"5": narrow}, "priority")
    assert not verdict.booted
    assert verdict.text.startswith("only this host, a service node or a user with a certificate may ask this")
    assert not site.moved("h1")


def test_the_status_page_is_for_the_management_network(site: Site) -> None:
    words = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://10.77.0.1/xcatrhevh/"]
    seen = {
        machine: subprocess.run([*inside(machine), *words], capture_output=True, text=True).stdout
        for machine in ("sn1", "h1", "h7")
    }
    assert seen == {"sn1": "200", "h1": "403", "h7": "403"}


def test_the_web_server_has_no_rights(site: Site) -> None:
    found = subprocess.run(["ps", "-o", "user=", "-C", "apache2"], capture_output=True, text=True).stdout.split()
    assert "www-data" in found
    assert (site.xcat.home.cert / "server-cred.pem").stat().st_mode & 0o077 == 0
