"""From wget to the tables and boot files: Apache, the CGI, the embedded xcatd, nodeset."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from finish_site import INSTALL, Embedded, Web, apache, needs_apache, program, public_folder, wait_for, write_map

from xcat_rhev.xcat.rows import read_csv

pytestmark = needs_apache
NODES = {f"rhevh{number}": f"127.0.2.{number}" for number in range(1, 10)}
POLICY = Path(__file__).parents[2] / "policy"


def install(xcat: Embedded, node: str, state: str = INSTALL) -> Path:
    """Bring a node into the state in which `nodeset osimage=` leaves it; gives its boot file."""
    xcat.put("chain", {node: {"currstate": state, "currchain": "boot"}})
    xcat.put("nodelist", {node: {"status": "installing", "appstatus": ""}})
    file = xcat.home.tftp / "pxelinux.cfg" / node
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#{state}\nDEFAULT xCAT\nLABEL xCAT\n KERNEL xcat/rhevh/vmlinuz0\n APPEND rootpw=$6$secret\n")
    return file


def fill(xcat: Embedded, policy: str = "narrow") -> None:
    """Rows of a small cluster."""
    xcat.put("nodelist", {node: {"groups": "rhevh"} for node in NODES})
    xcat.put("nodetype", {"rhevh": {"os": "rhevh7.3", "arch": "x86_64", "profile": "compute"}})
    xcat.put("noderes", {"rhevh": {"netboot": "pxe"}})
    xcat.put("mac", {node: {"mac": f"52:54:00:00:00:{number:02x}"} for number, node in enumerate(NODES)})
    xcat.put("hosts", {node: {"ip": address} for node, address in NODES.items()})
    lines = (POLICY / f"policy.{policy}.csv").read_text().splitlines()
    xcat.put("policy", {str(row["priority"]): row for row in read_csv(lines)[1]}, "priority")  # type: ignore[misc]


@pytest.fixture(scope="module")
def xcat() -> Iterator[Embedded]:
    with public_folder() as folder, Embedded(folder) as xcat:
        fill(xcat)
        yield xcat


@pytest.fixture(scope="module")
def web(xcat: Embedded) -> Iterator[Web]:
    with public_folder() as folder:
        write_map(folder / "nodes.json", {address: node for node, address in NODES.items()})
        with apache(folder, {**xcat.settings(), "NODES": str(folder / "nodes.json")}, "cgid") as web:
            yield web


def test_wget_makes_the_node_boot_from_its_disk(xcat: Embedded, web: Web) -> None:
    file = install(xcat, "rhevh1")
    words = ["wget", "-q", "--tries=1", "--bind-address=127.0.2.1", "-O", "-", web.url("rhevh1")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "rhevh1: booted\n")
    assert xcat.row("chain", "rhevh1") == {"node": "rhevh1", "currstate": "boot", "currchain": "boot"}
    node = xcat.row("nodelist", "rhevh1")
    assert (node["status"], node["appstatus"]) == ("booted", "rhevhfinish=127.0.2.1")
    assert node["statustime"]
    assert "LOCALBOOT 0" in file.read_text()
    assert "KERNEL" not in file.read_text()


def test_again_is_the_same(xcat: Embedded, web: Web) -> None:
    install(xcat, "rhevh2")
    first = web.ask("/xcatrhevh/rhevh_finish_install/rhevh2", NODES["rhevh2"])
    rows = [xcat.row(table, "rhevh2") for table in ("chain", "nodelist")]
    again = web.ask("/xcatrhevh/rhevh_finish_install/rhevh2", NODES["rhevh2"])
    assert again[:2] == first[:2] == (200, "rhevh2: booted\n")
    assert [xcat.row(table, "rhevh2") for table in ("chain", "nodelist")] == rows


@pytest.mark.parametrize(
    ("source", "name", "state", "status"),
    [
        ("127.0.9.9", "rhevh3", INSTALL, 403),
        ("127.0.2.4", "rhevh3", INSTALL, 403),
        ("127.0.2.3", "rhevh4", INSTALL, 403),
        ("127.0.2.3", "rhevh3", "install rhels9-x86_64-compute", 403),
        ("127.0.2.3", "rhevh3", "standby", 403),
    ],
)
def test_refusals_change_nothing(xcat: Embedded, web: Web, source: str, name: str, state: str, status: int) -> None:
    for node in ("rhevh3", "rhevh4"):
        file = install(xcat, node, state)
    before = {table: xcat.store.rows(table) for table in ("chain", "nodelist", "nodetype", "hosts", "policy")}
    assert web.ask(f"/xcatrhevh/rhevh_finish_install/{name}", source)[0] == status
    assert {table: xcat.store.rows(table) for table in before} == before
    assert "KERNEL" in file.read_text()


def test_nothing_secret_comes_back(xcat: Embedded, web: Web) -> None:
    install(xcat, "rhevh5")
    xcat.put("bootparams", {"rhevh5": {"kcmdline": "rootpw=$6$sentinel", "addkcmdline": "rootpw=$6$sentinel"}})
    _, body, headers = web.ask("/xcatrhevh/rhevh_finish_install/rhevh5", NODES["rhevh5"])
    assert "sentinel" not in body + str(headers) + web.log.read_text()


def test_a_nodeset_that_cannot_write_is_seen_in_the_status(xcat: Embedded, web: Web) -> None:
    file = install(xcat, "rhevh6")
    file.unlink()
    file.mkdir()  # nodeset cannot put a file there
    (file / "x").touch()
    status, body, headers = web.ask("/xcatrhevh/rhevh_finish_install/rhevh6", NODES["rhevh6"])
    assert (status, "retry-after" in headers) == (503, True)
    assert body.startswith("rhevh6: nodeset failed")
    assert xcat.row("nodelist", "rhevh6")["status"] == "failed"
    (file / "x").unlink()
    file.rmdir()
    assert web.ask("/xcatrhevh/rhevh_finish_install/rhevh6", NODES["rhevh6"])[0] == 200
    assert xcat.row("nodelist", "rhevh6")["status"] == "booted"
    assert "LOCALBOOT 0" in file.read_text()


def test_while_xcatd_is_being_restarted(xcat: Embedded, web: Web) -> None:
    install(xcat, "rhevh7")
    xcat.stop()
    words = ["wget", "-q", "--tries=1", f"--bind-address={NODES['rhevh7']}", "-O", "-", web.url("rhevh7")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as waiting:
        xcat.start()
        assert waiting.communicate(timeout=300)[0] == "rhevh7: booted\n"
    assert xcat.row("chain", "rhevh7")["currstate"] == "boot"


def test_the_status_page_of_a_living_site(xcat: Embedded, web: Web) -> None:
    install(xcat, "rhevh8")
    xcat.put("nodelist", {"rhevh9": {"status": "failed"}})
    status, html, _ = web.ask("/xcatrhevh/")
    assert status == 200
    assert html.index(">rhevh9<") < html.index(">rhevh8<") < html.index(">rhevh1<")
    assert "<td>127.0.2.1</td>" in html
    assert web.ask("/xcatrhevh/", "127.0.2.8")[0] == 200  # loopback is this machine


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")
def test_the_status_page_in_a_browser(xcat: Embedded, web: Web, tmp_path: Path) -> None:
    install(xcat, "rhevh8")
    xcat.put("nodelist", {"rhevh9": {"status": "failed"}})
    words = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path}",
        "--window-size=1100,620",
        f"http://127.0.0.1:{web.port}/xcatrhevh/",
    ]
    picture = tmp_path / "page.png"
    subprocess.run([*words, f"--screenshot={picture}"], check=True, capture_output=True, timeout=300)
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert picture.stat().st_size > 20_000  # an empty page has 6 kB
    shown = subprocess.run([*words, "--dump-dom"], check=True, capture_output=True, text=True, timeout=300).stdout
    assert re.findall(r'<th scope="row">(\w+)</th>', shown)[0] == "rhevh9"
    assert "<script" not in shown
    before = web.log.read_text().count("status page")
    with program([*words, "--remote-debugging-port=0"], tmp_path / "chromium.log", lambda: True):
        wait_for(lambda: web.log.read_text().count("status page") >= before + 2, "the page's second load")
