"""The witness that the other tests rely on does notice what an engine would not know."""

from __future__ import annotations

import pytest

import published


@pytest.mark.parametrize(
    "body",
    [
        "<vm><name>a</name><colour>red</colour></vm>",
        "<vm><name>a</name><memory>1024</memory><cpu><sockets>2</sockets></cpu></vm>",
        "<vms><vm id='1'><name>a</name></vm><vm id='2'><nmae>b</nmae></vm></vms>",
    ],
)
def test_what_the_sdk_does_not_know(body: str) -> None:
    pytest.importorskip("ovirtsdk4")
    assert published.misfit(body.encode(), (4, 5))


def test_what_the_sdk_knows() -> None:
    pytest.importorskip("ovirtsdk4")
    body = b"<vm id='1'><name>a</name><memory>1024</memory><cpu><topology><sockets>2</sockets></topology></cpu></vm>"
    assert published.misfit(body, (4, 5)) == ""
    assert published.misfit(b'{"json": true}', (4, 5)) == published.misfit(b"", (3, 0)) == ""


@pytest.mark.parametrize("version", [(3, 0), (3, 6)])
def test_what_the_schema_does_not_know(version: tuple[int, int]) -> None:
    assert published.misfit(b"<vm><name>a</name><memory>1024</memory></vm>", version) == ""
    assert "colour" in published.misfit(b"<vm><name>a</name><colour>red</colour></vm>", version)
