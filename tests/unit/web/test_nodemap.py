"""Which node an address is."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from nameservice import NameService
from xcat_rhev.web import nodemap
from xcat_rhev.web.nodemap import NodeMap, load, names_of, spoken_name

MAP = {
    "version": 1,
    "addresses": {"10.0.0.5": "rhevh1", "10.1.0.5": "rhevh1", "FD00:0::5": "rhevh1", "10.0.0.6": "rhevh2"},
    "names": {"rhevh1": "rhevh1", "RHEVH1.example.com": "rhevh1", "rhevh1-data": "rhevh1", "rhevh2": "rhevh2"},
}


@pytest.fixture(autouse=True)
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    NameService({}, {}).install(monkeypatch)


def written(tmp_path: Path, content: object) -> str:
    path = tmp_path / "nodes.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


@pytest.mark.parametrize(
    ("address", "nodes"),
    [
        ("10.0.0.5", ["rhevh1"]),
        ("10.1.0.5", ["rhevh1"]),
        ("fd00::5", ["rhevh1"]),
        ("10.0.0.6", ["rhevh2"]),
        ("10.0.0.7", []),
        ("", []),
    ],
)
def test_the_map_knows_addresses(tmp_path: Path, address: str, nodes: list[str]) -> None:
    assert list(load(written(tmp_path, MAP)).candidates(address)) == nodes


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '"text"',
        "{}",
        '{"addresses": []}',
        '{"addresses": {}, "names": 7}',
        "[" * 100_000,
        '{"addresses": {"a": 1}, "names": null}',
    ],
)
def test_a_broken_map_is_empty_and_says_so(tmp_path: Path, content: str) -> None:
    nodes = load(written(tmp_path, content))
    assert nodes.nodes() == []
    assert "nodes.json is not a node map" in nodes.wrong


def test_a_missing_map_is_empty_and_says_so(tmp_path: Path) -> None:
    assert "No such file" in load(str(tmp_path / "none.json")).wrong


def test_a_name_that_leads_back_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    NameService({"10.9.0.1": "rhevh1.example.com"}, {"rhevh1.example.com": "10.9.0.1"}).install(monkeypatch)
    assert list(load(written(tmp_path, MAP)).candidates("10.9.0.1")) == ["rhevh1"]


def test_a_name_that_leads_elsewhere_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    NameService({"10.9.0.1": "rhevh1.example.com"}, {"rhevh1.example.com": "10.0.0.5"}).install(monkeypatch)
    assert list(load(written(tmp_path, MAP)).candidates("10.9.0.1")) == []


def test_the_map_comes_before_the_name_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    NameService({"10.0.0.6": "rhevh1"}, {"rhevh1": "10.0.0.6"}).install(monkeypatch)
    assert list(load(written(tmp_path, MAP)).candidates("10.0.0.6")) == ["rhevh2", "rhevh1"]


def test_without_a_map_the_short_name_is_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    NameService({"10.9.0.1": "rhevh7.example.com"}, {"rhevh7.example.com": "10.9.0.1"}).install(monkeypatch)
    assert list(NodeMap().candidates("10.9.0.1")) == ["rhevh7"]


def test_a_map_that_is_older_than_a_node_does_not_hide_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    NameService({"10.9.0.1": "rhevh7.example.com"}, {"rhevh7.example.com": "10.9.0.1"}).install(monkeypatch)
    assert list(load(written(tmp_path, MAP)).candidates("10.9.0.1")) == ["rhevh7"]


def test_each_node_is_a_candidate_once(monkeypatch: pytest.MonkeyPatch) -> None:
    both = ["rhevh7.example.com", "rhevh7"]
    NameService({}, dict.fromkeys(both, "10.9.0.1")).install(monkeypatch)
    monkeypatch.setattr(socket, "gethostbyaddr", lambda address: (both[0], both[1:], [address]))
    assert list(NodeMap().candidates("10.9.0.1")) == ["rhevh7"]


@pytest.mark.parametrize("name", ["../../etc", "a b", "a,b", "a<b>", "-x", "x;reboot", "\u212a", "localhost", "all\n"])
def test_names_from_the_name_service_are_names(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    NameService({"10.9.0.1": name}, {name: "10.9.0.1", name.strip(): "10.9.0.9"}).install(monkeypatch)
    assert list(NodeMap().candidates("10.9.0.1")) == []


def test_a_dead_name_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(nodemap, "_confirmed_names", lambda address: release.wait(300) and ["rhevh1"])
    assert names_of("10.0.0.9", limit=0.01) == []
    release.set()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rhevh1", "rhevh1"),
        ("RHEVH1.Example.COM.", "rhevh1.example.com"),
        ("", ""),
        ("(none)", ""),
        ("localhost", ""),
        ("localhost.localdomain", ""),
        ("LOCALHOST", ""),
        ("localhost1", "localhost1"),
        ("@HOSTNAME@", ""),
        ("a/b", ""),
        ("rhevh1\x00", ""),
        ("rhevh1\r\nX: y", ""),
        ("<command>", ""),
        ("$(reboot)", ""),
        ("x" * 300, ""),
        ("é", ""),
        ("-", ""),
        (".", ""),
        ("..", ""),
        ("a", "a"),
    ],
)
def test_what_the_url_says(text: str, name: str) -> None:
    assert spoken_name(text) == name
