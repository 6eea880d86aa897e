"""A whole hall of racks finishes at once, also while xcatd is restarted: nobody is lost."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from finish_site import INSTALL, Embedded, Web, apache, needs_apache, public_folder, write_map
from test_finish_url_embedded import fill

pytestmark = [pytest.mark.slow, needs_apache]
#: How many; FINISH_NODES=1000 for the figures.
MANY, AT_ONCE = int(os.environ.get("FINISH_NODES", "40")), 20
NODES = {f"n{number}": f"127.3.{number // 200}.{number % 200 + 1}" for number in range(MANY)}


@pytest.fixture
def xcat() -> Iterator[Embedded]:
    with public_folder() as folder:
        xcat = Embedded(folder)
        fill(xcat)
        xcat.put("nodelist", {node: {"groups": "rhevh", "status": "installing"} for node in NODES})
        xcat.put("chain", {node: {"currstate": INSTALL, "currchain": "boot"} for node in NODES})
        xcat.put("hosts", {node: {"ip": address} for node, address in NODES.items()})
        xcat.put("mac", {node: {"mac": f"52:54:00:01:{n // 256:02x}:{n % 256:02x}"} for n, node in enumerate(NODES)})
        with xcat:
            yield xcat


@pytest.fixture(params=[os.environ.get("FINISH_SERVER", "cgid")])
def web(request: pytest.FixtureRequest, xcat: Embedded) -> Iterator[Web]:
    with public_folder() as folder:
        write_map(folder / "nodes.json", {address: node for node, address in NODES.items()})
        with apache(
            folder, {**xcat.settings(), "WAIT": "300", "NODES": str(folder / "nodes.json")}, request.param
        ) as web:
            yield web


def storm(web: Web) -> tuple[Counter[int], list[float], float]:
    """All finish, so many at once: the statuses, the seconds of each, and of all together."""

    def finish(node: str) -> tuple[int, float]:
        begun = time.perf_counter()
        status = web.ask(f"/xcatrhevh/rhevh_finish_install/{node}", NODES[node])[0]
        return status, time.perf_counter() - begun

    begun = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(finish, NODES))
    total = time.perf_counter() - begun
    return Counter(status for status, _ in answers), sorted(second for _, second in answers), total


def all_booted(xcat: Embedded) -> bool:
    files = xcat.home.tftp / "pxelinux.cfg"
    assert set(xcat.column("nodelist", "status")[node] for node in NODES) == {"booted"}
    assert set(xcat.column("chain", "currstate")[node] for node in NODES) == {"boot"}
    return all("LOCALBOOT 0" in (files / node).read_text() for node in NODES)


def show(capsys: pytest.CaptureFixture[str], what: str, seconds: list[float], total: float) -> None:
    with capsys.disabled():
        median, most = seconds[len(seconds) // 2], seconds[-1]
        print(f"\n{what}: {MANY} nodes in {total:.1f} s, median {median:.2f} s, slowest {most:.2f} s")


def test_all_at_once(xcat: Embedded, web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    statuses, seconds, total = storm(web)
    show(capsys, "storm", seconds, total)
    assert statuses == {200: MANY}
    assert all_booted(xcat)


def test_all_at_once_while_xcatd_is_restarted_twice(
    xcat: Embedded, web: Web, capsys: pytest.CaptureFixture[str]
) -> None:
    def restart() -> None:
        for pause in (0.7, 1.5):
            time.sleep(pause)
            xcat.stop()
            xcat.start()

    restarting = threading.Thread(target=restart)
    restarting.start()
    statuses, seconds, total = storm(web)
    restarting.join()
    show(capsys, "storm with two restarts", seconds, total)
    assert statuses == {200: MANY}
    assert all_booted(xcat)
