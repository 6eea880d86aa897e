"""The official Python SDK sends an image to the simulator and fetches it: what the client does there, others can do."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Iterator
from typing import Any, Callable
from urllib.parse import urlsplit

import pytest

sdk = pytest.importorskip("ovirtsdk4", reason="ovirtsdk4 is not installed (it compiles against libcurl and libxml2)")
types = pytest.importorskip("ovirtsdk4.types")

MIB = 1 << 20


@pytest.fixture
def connection(simulator: Any) -> Iterator[Any]:
    """Connected with SSO, the CA verified."""
    opened = sdk.Connection(
        url=simulator.v4, ca_file=simulator.ca, username=simulator.user, password=simulator.password
    )
    yield opened
    opened.close()


def services(connection: Any) -> Any:
    return connection.system_service()


def wait(read: Callable[[], Any], wanted: Any) -> None:
    """Read until the status is there."""
    end = time.monotonic() + 300
    while read().status != wanted:
        assert time.monotonic() < end, f"{read().status} is not {wanted}"
        time.sleep(0.02)


def wait_for_phase(transfer: Any, wanted: Any) -> None:
    """The same for a transfer."""
    end = time.monotonic() + 300
    while transfer.get().phase != wanted:
        assert time.monotonic() < end, f"{transfer.get().phase} is not {wanted}"
        time.sleep(0.02)


def new_disk(connection: Any, name: str, size: int) -> Any:
    disks = services(connection).disks_service()
    wanted = types.Disk(
        name=name,
        provisioned_size=size,
        format=types.DiskFormat.RAW,
        sparse=True,
        storage_domains=[types.StorageDomain(name="data1")],
    )
    disk = disks.disk_service(disks.add(wanted).id)
    wait(disk.get, types.DiskStatus.OK)
    return disk


def transfer_of(connection: Any, **more: Any) -> Any:
    transfers = services(connection).image_transfers_service()
    transfer = transfers.image_transfer_service(transfers.add(types.ImageTransfer(**more)).id)
    wait_for_phase(transfer, types.ImageTransferPhase.TRANSFERRING)
    return transfer


def ask(simulator: Any, url: str, method: str, body: bytes = b"", more: str = "", **headers: str) -> tuple[int, bytes]:
    """Send one request to the daemon."""
    where = urlsplit(url)
    context = ssl.create_default_context(cafile=simulator.ca)
    line = http.client.HTTPSConnection(where.hostname or "", where.port, context=context, timeout=300)
    try:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        line.request(method, where.path + more, body or None, told)
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()


def test_an_image_goes_in_and_comes_out(connection: Any, simulator: Any) -> None:
    disk = new_disk(connection, "d1", 4 * MIB)
    mine = types.Disk(id=disk.get().id)
    transfer = transfer_of(connection, disk=mine, direction=types.ImageTransferDirection.UPLOAD)
    url = transfer.get().transfer_url
    assert disk.get().status == types.DiskStatus.LOCKED
    data = bytes(range(256)) * 4096
    assert ask(simulator, url, "PUT", data, "?flush=n", Content_Range=f"bytes {MIB}-{2 * MIB - 1}/*")[0] == 200
    zero = json.dumps({"op": "zero", "offset": 0, "size": MIB}).encode()
    assert ask(simulator, url, "PATCH", zero)[0] == 200
    assert ask(simulator, url, "PATCH", b'{"op": "flush"}')[0] == 200
    assert transfer.get().transferred == 2 * MIB
    features = json.loads(ask(simulator, url, "OPTIONS")[1])["features"]
    assert {"zero", "flush", "extents"} <= set(features)
    transfer.finalize()
    wait(disk.get, types.DiskStatus.OK)
    wait_for_phase(transfer, types.ImageTransferPhase.FINISHED_SUCCESS)
    assert ask(simulator, url, "GET")[0] == 403  # whoever knows the address has no right any more

    fetch = transfer_of(
        connection, disk=mine, direction=types.ImageTransferDirection.DOWNLOAD, format=types.DiskFormat.RAW
    )
    url = fetch.get().transfer_url
    assert ask(simulator, url, "GET", Range=f"bytes={MIB}-{2 * MIB - 1}") == (206, data)
    assert ask(simulator, url, "GET", Range=f"bytes={4 * MIB - 1}-{4 * MIB}")[0] == 416
    assert ask(simulator, url, "PUT", b"x")[0] == 403
    extents = json.loads(ask(simulator, url, "GET", more="/extents")[1])
    assert sum(each["length"] for each in extents) == 4 * MIB
    assert all(each["zero"] for each in extents if each["start"] + each["length"] <= MIB)
    assert ask(simulator, url, "GET", more="/extents?context=dirty")[0] == 404
    fetch.finalize()
    wait(disk.get, types.DiskStatus.OK)


def test_what_is_given_up_is_gone(connection: Any) -> None:
    disk = new_disk(connection, "d2", MIB)
    transfer = transfer_of(
        connection, image=types.Image(id=disk.get().id), direction=types.ImageTransferDirection.UPLOAD
    )
    with pytest.raises(sdk.Error, match="disks are locked: d2"):
        transfer_of(connection, disk=types.Disk(id=disk.get().id))
    transfer.pause()
    assert transfer.get().phase == types.ImageTransferPhase.PAUSED_USER
    transfer.resume()
    wait_for_phase(transfer, types.ImageTransferPhase.TRANSFERRING)
    transfer.cancel()
    wait_for_phase(transfer, types.ImageTransferPhase.FINISHED_FAILURE)
    end = time.monotonic() + 300
    while services(connection).disks_service().list(search="name=d2"):
        assert time.monotonic() < end
        time.sleep(0.02)
