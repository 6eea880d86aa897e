"""The simulator as a program: its ready line, its end, what goes over the wire, and what a hard end leaves."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

import pytest

from simulator import SimulatorProgram


def refused(*words: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-m", "xcat_rhev.sim", *words], capture_output=True, text=True, timeout=300)
    assert done.stdout == ""
    return done.returncode, done.stderr


def ended_by(number: signal.Signals, simulator: SimulatorProgram) -> int:
    """Its exit code after a signal."""
    os.kill(simulator.program.pid, number)
    return simulator.program._process.wait(300)


def test_ready_line_and_a_clean_end(start_simulator: Any) -> None:
    simulator = start_simulator("--hosts", "1", kind=SimulatorProgram)
    assert simulator.v4.endswith("/ovirt-engine/api") and simulator.v3.endswith("/api")
    assert Path(simulator.ca).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert simulator.call("GET", "/hosts")[0] == 200
    assert ended_by(signal.SIGTERM, simulator) == 0
    assert simulator.program.log.read_text() == ""


def test_interrupt_ends_it_as_well(start_simulator: Any) -> None:
    assert ended_by(signal.SIGINT, start_simulator(kind=SimulatorProgram)) == 0


@pytest.mark.parametrize(("api", "three", "four"), [("3", True, False), ("4", False, True), ("both", True, True)])
def test_dialects_are_told(start_simulator: Any, api: str, three: bool, four: bool) -> None:
    simulator = start_simulator("--api", api)
    assert (simulator.v3 is not None, simulator.v4 is not None) == (three, four)
    assert simulator.xml("").tag == "api"


def test_certificates_are_kept_and_private(start_simulator: Any, tmp_path: Path) -> None:
    first = start_simulator("--cert-dir", str(tmp_path))
    pem = Path(first.ca).read_bytes()
    second = start_simulator("--cert-dir", str(tmp_path))
    assert Path(second.ca).read_bytes() == pem
    assert (tmp_path / "engine.key").stat().st_mode & 0o077 == 0
    url = f"{second.origin}/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA"
    assert second.call("GET", url, Authorization="")[1] == pem


def test_old_tls_is_refused(simulator: Any) -> None:
    context = simulator.tls()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    host, _, port = simulator.origin.rpartition("/")[2].partition(":")
    with socket.create_connection((host, int(port))) as raw, context.wrap_socket(raw, server_hostname=host) as tls:
        assert tls.version() == "TLSv1.3"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--faults", "/nowhere"), "--faults /nowhere"),
        (("--delays", "/nowhere"), "--delays /nowhere"),
        (("--v3-version", "7"), "not an engine version"),
        (("--v3-version", "4.0"), "below 4.0"),
        (("--speed", "0"), "--speed 0"),
        (("--cert-dir", "/proc/x"), "/proc/x"),
        (("--host", "192.0.2.1"), "192.0.2.1"),
        (("--nonsense",), "--nonsense"),
    ],
)
def test_wrong_words_are_refused_in_one_line(words: tuple[str, ...], said: str) -> None:
    code, text = refused(*words)
    assert code in (1, 2) and said in text.splitlines()[-1]
    assert "Traceback" not in text


def test_a_port_in_use_is_named(simulator: Any) -> None:
    port = simulator.origin.rpartition(":")[2]
    code, text = refused("--port", port)
    assert code == 1 and port in text and "Traceback" not in text


def test_counts(simulator: Any) -> None:
    for _ in range(3):
        simulator.call("GET", "/vms?search=name%3Dvm1")
    assert simulator.stats()["requests"] == {"GET /vms": 3}
    connection = http.client.HTTPSConnection(*simulator.origin.rpartition("/")[2].split(":"), context=simulator.tls())  # type: ignore[arg-type]
    before = simulator.stats()["connections"]
    for _ in range(5):
        connection.request("GET", "/-/stats")
        after = json.loads(connection.getresponse().read())["connections"]
    connection.close()
    assert after == before + 1, "five requests on one connection"


def test_faults_on_the_wire(simulator: Any) -> None:
    whole = simulator.call("GET", "/vms")[1]
    simulator.faults({"do": "drop", "times": 1})
    with pytest.raises((OSError, http.client.HTTPException)):
        simulator.call("GET", "/vms")
    simulator.faults({"do": "truncate", "times": 1})
    with pytest.raises(http.client.IncompleteRead):
        simulator.call("GET", "/vms")
    simulator.faults({"do": "chunked", "times": 1})
    chunked = simulator.call("GET", "/vms")
    assert chunked[2]["Transfer-Encoding"] == "chunked"
    assert chunked[1].partition(b"-->")[2].strip() == whole.partition(b"?>")[2].strip()
    simulator.faults({"do": "delay", "seconds": 0.3, "times": 1})
    start = time.monotonic()
    simulator.call("GET", "/vms")
    assert time.monotonic() - start > 0.29
    simulator.faults({"do": "status", "status": 503, "times": 1})
    status, body, headers = simulator.call("GET", "/vms")
    assert (status, headers["Content-Type"].partition(";")[0]) == (503, "text/html") and b"Service Unavailable" in body


def test_garbage_on_the_wire_does_not_end_it(simulator: Any) -> None:
    host, _, port = simulator.origin.rpartition("/")[2].partition(":")
    for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 100, b"\x16\x03\x01" + b"\xff" * 50):
        with socket.create_connection((host, int(port)), timeout=300) as raw:
            raw.sendall(noise)
            raw.settimeout(2)
            try:
                raw.recv(1000)
            except OSError:
                pass
    context = simulator.tls()
    for noise in (
        b"NONSENSE\r\n\r\n",
        b"GET /ovirt-engine/api HTTP/9.9\r\n\r\n",
        b"POST /ovirt-engine/api/vms HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n",
        b"GET " + b"/" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        with (
            socket.create_connection((host, int(port)), timeout=300) as raw,
            context.wrap_socket(raw, server_hostname=host) as tls,
        ):
            tls.sendall(noise)
    assert simulator.call("GET", "/vms")[0] == 200


def test_a_hard_end_loses_at_most_the_last_second(start_simulator: Any, tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    words = ("--hosts", "1", "--vms", "2", "--speed", "10")
    first = start_simulator("--state", state, *words, kind=SimulatorProgram)
    body = "<tag><name>{}</name></tag>"
    assert first.call("POST", "/tags", body.format("early"))[0] == 201
    wait_for(lambda: b'"early"' in Path(state).read_bytes())
    ended_by(signal.SIGKILL, first)
    second = start_simulator("--state", state, kind=SimulatorProgram)
    names = second.xml("/tags").xpath("tag/name/text()")
    assert "early" in names
    assert len(second.xml("/vms")) == 2 and len(second.xml("/hosts")) == 1
    assert second.call("POST", "/tags", body.format("late"))[0] == 201
    ended_by(signal.SIGTERM, second)
    third = start_simulator("--state", state)
    assert set(third.xml("/tags").xpath("tag/name/text()")) >= {"early", "late"}


def test_many_callers_at_once(simulator: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    body = "<vm><name>n{}</name><cluster><name>Default</name></cluster><template><name>Blank</name></template></vm>"
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda number: simulator.call("POST", "/vms", body.format(number % 40))[0], range(80)))
    assert (made.count(201), made.count(409)) == (40, 40)
    assert len(simulator.xml("/vms?search=name%3Dn*")) == 40


def test_a_registered_host_over_the_wire(simulator: Any) -> None:
    url = f"{simulator.origin}/OvirtEngineWeb/register?vds_ip=10.0.0.7&vds_name=node7&vds_unique_id=AA&port=54321"
    assert simulator.call("GET", url, Authorization="")[0] == 200
    host = simulator.xml("/hosts?search=name%3Dnode7").find("host")
    assert host.findtext("status") == "pending_approval"
    wait_for(lambda: simulator.call("POST", f"/hosts/{host.get('id')}/approve", "<action/>")[0] == 200)
    wait_for(lambda: simulator.xml(f"/hosts/{host.get('id')}").findtext("status") == "up")


def wait_for(there: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end
        time.sleep(0.05)
