"""The list by which the web server knows a caller."""

import json
import os
import threading

import pytest

from xcat_rhev.errors import Conflict
from xcat_rhev.media.nodemap import KnownNode, node_map_path, update_node_map


def read(path):
    return json.loads(path.read_text())


@pytest.fixture
def path(tmp_path):
    return node_map_path(str(tmp_path))


def test_what_the_web_server_reads(path):
    update_node_map(path, {"n1": KnownNode(("10.0.0.1", "fd00::1"), ("n1", "N1.Example.com."))})
    assert read(path) == {
        "version": 1,
        "addresses": {"10.0.0.1": "n1", "fd00::1": "n1"},
        "names": {"n1": "n1", "n1.example.com": "n1"},
    }
    assert oct(path.stat().st_mode & 0o777) == "0o644"


def test_other_nodes_stay_and_old_addresses_go(path):
    update_node_map(path, {"n1": KnownNode(("10.0.0.1",), ("n1", "old")), "n2": KnownNode(("10.0.0.2",), ("n2",))})
    update_node_map(path, {"n1": KnownNode(("10.0.0.11",), ("n1",))})
    assert read(path)["addresses"] == {"10.0.0.11": "n1", "10.0.0.2": "n2"}
    assert read(path)["names"] == {"n1": "n1", "n2": "n2"}


def test_an_address_belongs_to_whom_it_was_given_last(path):
    update_node_map(path, {"n1": KnownNode(("10.0.0.1",), ("n1",))})
    update_node_map(path, {"n2": KnownNode(("10.0.0.1",), ("n2",))})
    assert read(path)["addresses"] == {"10.0.0.1": "n2"}


def test_a_name_that_is_a_nodes_own_is_never_anothers(path):
    update_node_map(path, {"n1": KnownNode((), ("n1", "n2", "shared")), "n2": KnownNode((), ("n2", "shared"))})
    assert read(path)["names"] == {"n1": "n1", "n2": "n2", "shared": "n1"}


def test_further_keys_stay(path):
    path.parent.mkdir()
    path.write_text('{"version": 1, "addresses": {}, "names": {}, "networks": ["10.0.0.0/8"]}')
    update_node_map(path, {"n1": KnownNode((), ("n1",))})
    assert read(path)["networks"] == ["10.0.0.0/8"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"addresses": []}',
        '{"addresses": {"a": 1}, "names": 7}',
        "\0",
    ],
)
def test_a_damaged_list_is_mended(path, text):
    path.parent.mkdir()
    path.write_text(text)
    update_node_map(path, {"n1": KnownNode(("10.0.0.1",), ("n1",))})
    assert read(path)["addresses"] == {"10.0.0.1": "n1"}


def test_many_writers_lose_nothing(path):
    threads = [
        threading.Thread(target=update_node_map, args=(path, {f"n{n}": KnownNode((f"10.0.0.{n}",), (f"n{n}",))}))
        for n in range(1, 25)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert read(path)["addresses"] == {f"10.0.0.{n}": f"n{n}" for n in range(1, 25)}


def test_where_nothing_can_be_written(path):
    path.parent.parent.joinpath("xcatrhevh").write_text("a file")
    with pytest.raises(Conflict, match="cannot write"):
        update_node_map(path, {"n1": KnownNode((), ())})
    assert os.listdir(path.parent.parent) == ["xcatrhevh"]
