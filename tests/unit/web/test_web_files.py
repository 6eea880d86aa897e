"""Folders over HTTP: what machines fetch, and what nobody gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from xcat_rhev.web.files import Folders, pairs

BODY = bytes(range(256)) * 4


@pytest.fixture
def site(tmp_path: Path) -> Folders:
    shown = tmp_path / "install"
    (shown / "sub").mkdir(parents=True)
    (shown / "sub/file name").write_bytes(BODY)
    (shown / "empty").write_bytes(b"")
    (shown / "inside").symlink_to("sub/file name")
    (shown / "outside").symlink_to(tmp_path / "secret")
    (shown / "loop").symlink_to("loop")
    (shown / ".hidden").write_text("x")
    (shown / "private").write_text("x")
    (shown / "private").chmod(0o600)
    (tmp_path / "secret").write_text("x")
    return Folders({"/install": shown, "/gone": tmp_path / "nothing"}, lambda environ, start: [b"rest"])


def get(site: Folders, path: str, method: str = "GET", **headers: str) -> tuple[str, dict[str, str], bytes]:
    said: list[Any] = []
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, **headers}
    body = site(environ, lambda status, found: said.extend((status, dict(found))))
    data = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return (said[0], said[1], data) if said else ("", {}, data)


def test_a_whole_file_and_its_head(site):
    status, headers, data = get(site, "/install/sub/file name")
    assert (status, headers["Content-Length"], data) == ("200 OK", str(len(BODY)), BODY)
    status, headers, data = get(site, "/install//inside", "HEAD")
    assert (status, headers["Content-Length"], data) == ("200 OK", str(len(BODY)), b"")
    assert get(site, "/install/empty")[::2] == ("200 OK", b"")


@pytest.mark.parametrize(
    "wanted, first, last",
    [("bytes=0-0", 0, 0), ("bytes=1000-", 1000, 1023), ("bytes=-10", 1014, 1023), ("bytes=5-99999", 5, 1023)],
)
def test_a_part(site, wanted, first, last):
    status, headers, data = get(site, "/install/inside", HTTP_RANGE=wanted)
    assert status == "206 Partial Content" and data == BODY[first : last + 1]
    assert headers["Content-Range"] == f"bytes {first}-{last}/1024"


@pytest.mark.parametrize("wanted", ["", "bytes=", "bytes=-", "bytes=0-1,4-5", "lines=1-2", "bytes=9-1", "bytes=x"])
def test_what_is_no_part_is_the_whole(site, wanted):
    assert get(site, "/install/inside", HTTP_RANGE=wanted)[::2] == ("200 OK", BODY)


def test_a_part_that_is_not_there(site):
    status, headers, data = get(site, "/install/inside", HTTP_RANGE="bytes=1024-")
    assert (status, headers["Content-Range"], data) == ("416 Range Not Satisfiable", "bytes */1024", b"")
    assert get(site, "/install/inside", HTTP_RANGE="bytes=-0")[0].startswith("416")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "sub",
        "sub/",
        "nothing",
        "outside",
        "loop",
        ".hidden",
        "private",
        "../secret",
        "sub/../../secret",
        "a\0b",
        "é",
    ],
)
def test_nobody_gets_what_is_not_shown(site, path):
    assert get(site, f"/install/{path}")[::2] == ("404 Not Found", b"")


def test_other_urls_and_methods(site):
    assert get(site, "/installed")[2] == get(site, "/install")[2] == get(site, "/")[2] == b"rest"
    assert get(site, "/gone/x")[0] == "404 Not Found"
    assert get(site, "/install/inside", "PUT")[0] == "405 Method Not Allowed"


def test_folders_as_they_are_typed():
    assert pairs(["/a=/b", "/c=/d=e"]) == {"/a": Path("/b"), "/c": Path("/d=e")}
    for wrong in ("a=/b", "/a", "/a=", ""):
        with pytest.raises(ValueError, match="write /URL=FOLDER"):
            pairs([wrong])
