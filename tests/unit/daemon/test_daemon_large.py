"""Commands on many nodes: in pieces, in few transactions, and ended with who asked for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from daemonhelp import Inside
from xcat_rhev.abort import Abort
from xcat_rhev.daemon.reply import Reply
from xcat_rhev.daemon.store import Change, Store
from xcat_rhev.daemon.tables import Tables
from xcat_rhev.errors import Aborted
from xcat_rhev.xcat import rows
from xcat_rhev.xcat.host import Request
from xcat_rhev.xcat.wire import WireRequest

NODES = 2500
STANZAS = "".join(f"m{number}:\n  objtype=node\n  groups=all\n  arch=x\n  mgt=y\n" for number in range(9))


@pytest.fixture
def inside(tmp_path: Path) -> Inside:
    inside = Inside(tmp_path)
    inside.type("nodeadd", f"n1-n{NODES}", "groups=all", "nodehm.mgt=ipmi", "nodetype.arch=x86_64")
    return inside


def test_an_answer_about_many_nodes_comes_in_pieces(inside: Inside) -> None:
    shapes = [one for one in inside.said("nodels", "mgt", on="all") if isinstance(one, Reply)]
    said = [one.fields["node"] for one in shapes if "node" in one.fields]
    assert [len(piece) for piece in said] == [1000, 1000, 500]
    assert [element["name"] for piece in said for element in piece] == [f"n{n}" for n in range(1, NODES + 1)]
    assert all(isinstance(one, Reply) for one in inside.said("nodels", "nodehm.power==x", on="all"))


@pytest.mark.parametrize("command", [["rmdef", "all"], ["mkdef", "all", "-f", "groups=all", "mgt=kvm"]])
def test_many_rows_are_removed_at_once(inside: Inside, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    dropped, drop = [], Change.drop
    monkeypatch.setattr(Change, "drop", lambda self, *keys: dropped.append(len(keys)) or drop(self, *keys))
    inside.type(*command)
    assert set(dropped) == {NODES}
    assert len(inside.type("nodels", on="all")) == (0 if command[0] == "rmdef" else NODES) or inside.rc == 1


def test_how_many_rows_were_removed_is_counted(inside: Inside) -> None:
    tables = Tables(inside.store)
    assert tables.drop("nodehm", *({"node": f"n{number}"} for number in range(NODES + 50))) == NODES
    assert tables.drop("passwd", {"key": "a", "username": "b"}, {"key": "a"}) == 0
    assert tables.drop("nodelist") == 0
    assert len(tables.raw("nodelist")) == NODES


@pytest.mark.parametrize(
    "command, stdin, owner, what",
    [
        (["lsdef", "-l"], "", rows, "node_attrs"),
        (["nodels", "mgt"], "", rows, "node_attrs"),
        (["chdef", "all", "arch=x", "mgt=y"], "", Store, "change"),
        (["rmdef", "all"], "", Store, "change"),
        (["mkdef", "-z"], STANZAS, Store, "change"),
    ],
)
def test_work_on_many_nodes_ends_with_who_asked(
    inside: Inside, monkeypatch: pytest.MonkeyPatch, command: list[str], stdin: str, owner: Any, what: str
) -> None:
    request = Request(command[0], args=tuple(command[1:]), asker="root", stdin=stdin, aborted=Abort())
    tables, done, work = Tables(inside.store), [], getattr(owner, what)
    if command[0] == "nodels":
        request = Request("nodels", tables.expand("all").nodes, ("mgt",), asker="root", aborted=request.aborted)

    def once(*words: Any) -> Any:
        done.append(words)
        request.aborted.set()
        return work(*words)

    monkeypatch.setattr(owner, what, once)
    with pytest.raises(Aborted):
        list(inside.xcatd.perform(request, tables, wire=WireRequest(command[0], args=request.args)))
    assert len(done) == 1
