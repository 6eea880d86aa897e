"""What every reader of strangers' bytes promises, whatever the bytes: one function a reader, called by `fuzz.py` with
what a fuzzer makes up, and by `test_fuzz_corpus.py` with what it found worth keeping."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from typing import Callable

from xcat_rhev.daemon.framing import Framer
from xcat_rhev.errors import BadAnswer, Usage
from xcat_rhev.xcat import noderange, policy, rows, wire


def framing(data: bytes) -> None:
    """Bytes in one piece or in many are the same requests, which can be written again and read as the same."""
    size, stream = (data[0] % 17) + 1, data[1:]
    pieces = [stream[begin : begin + size] for begin in range(0, len(stream), size)]
    cut, cut_is_wrong = _fed(pieces)
    whole, whole_is_wrong = _fed([stream])
    assert (cut, cut_is_wrong) == (whole, whole_is_wrong)
    for document in cut:
        with contextlib.suppress(BadAnswer, Usage):
            request = wire.read_request(document)
            assert wire.read_request(wire.write_request(request)) == request
    with contextlib.suppress(BadAnswer):
        for document in wire.split(stream)[0]:
            wire.read_response(document)


def _fed(pieces: list[bytes]) -> tuple[list[bytes], bool]:
    framer, found = Framer(), []
    try:
        for piece in (*pieces, b""):
            found += framer.feed(piece)
    except BadAnswer:
        return found, True
    return found, False


class _World:
    """Twenty nodes with awkward names, and groups of every kind."""

    names = frozenset([*(f"n{number}" for number in range(1, 13)), "r1c1", "r1c2", "n01", "a-b", "fx1-ib0", "x.y", "5"])

    def nodes(self) -> AbstractSet[str]:
        return self.names

    def groups(self) -> Mapping[str, Collection[str]]:
        return {"all": self.names, "some": {"n1", "n2", "r1c1"}, "g-1": {"n3"}}

    def empty_group(self, name: str) -> bool:
        return name == "nobody"

    def dynamic_group(self, name: str) -> Collection[str] | None:
        return {"n4"} if name == "dyn" else None

    def attribute(self, table: str, column: str) -> Mapping[str, str] | None:
        return {"n1": "rhevm", "n2": "ipmi"} if (table, column) == ("nodehm", "mgt") else None

    def read_file(self, path: str) -> str | None:
        return "n1\n# n2\n^/again\nn3:x\n" if path == "/again" else None

    def exclusion(self) -> str:
        return "n12"


def nodes(data: bytes) -> None:
    """A noderange stands for nodes that there are, in order and without the excluded, or it is refused in words."""
    with contextlib.suppress(Usage):
        found = noderange.expand(data.decode(errors="replace"), _World())
        assert list(found.nodes) == sorted(set(found.nodes) & (_World.names - {"n12"}))


def values(data: bytes) -> None:
    """A table value is a text for every node, or it is refused in words; its CSV is read as it was written."""
    value, _, node = data.decode(errors="replace").partition("\n")
    with contextlib.suppress(Usage):
        assert isinstance(rows.expand_value(value, node or "n01"), str)
    with contextlib.suppress(Usage):
        rows.read_csv(data.decode(errors="replace").splitlines(keepends=True))


def decisions(data: bytes) -> None:
    """A policy row never allows by failing: without it nothing is allowed, and the same question has one answer."""
    parameters, nodes_of_row, rule, *args = [*data.decode(errors="replace").split("\n"), "", "", ""]
    row = {"priority": "1", "parameters": parameters, "noderange": nodes_of_row, "rule": rule}
    asked = policy.Query("rpower", ("n1", "n2"), tuple(args))
    with contextlib.suppress(Usage):
        found, again = (policy.decide([row], policy.Asker("root"), asked, _expanded) for _ in range(2))
        assert found == again
        word = rule.lower()
        assert not found.allowed or any(good in word for good in ("allow", "accept", "trusted"))


def _expanded(text: str) -> Collection[str]:
    return noderange.expand(text, _World()).nodes


TARGETS: dict[str, Callable[[bytes], None]] = {
    "framing": framing,
    "noderange": nodes,
    "rows": values,
    "policy": decisions,
}
