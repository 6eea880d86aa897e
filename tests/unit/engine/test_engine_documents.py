"""XML is hostile until parsed."""

from __future__ import annotations

import random
import resource
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enginehelp import vms
from xcat_rhev.engine.documents import parsing as documents
from xcat_rhev.engine.documents.dialect import V4
from xcat_rhev.engine.documents.parsing import ListReader, parse, read_one
from xcat_rhev.engine.nouns import Vm
from xcat_rhev.errors import BadAnswer, Bug

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE vms [<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]><vms><vm id="&d;"/></vms>'
)
FILE = '<!DOCTYPE vms [<!ENTITY f SYSTEM "file:///etc/passwd">]><vms><vm id="1"><name>&f;</name></vm></vms>'
HTML = "<!DOCTYPE HTML PUBLIC '-//IETF//DTD HTML 2.0//EN'><html><body>Service Unavailable</body></html>"


def read_one_way(data: bytes, piece: int, only: frozenset[str] = frozenset()) -> list[Vm]:
    reader = ListReader(Vm, V4, only)
    for start in range(0, len(data), piece):
        reader.feed(data[start : start + piece])
    return reader.close()


def read(data: bytes, piece: int = 1000, only: frozenset[str] = frozenset()) -> list[Vm]:
    """Read it whole and cut between its things: the second says the same, or that it is no list."""
    try:
        with mock.patch.object(documents, "PART", 1):
            cut = read_one_way(data, piece, only)
    except BadAnswer:
        return read_one_way(data, piece, only)
    assert read_one_way(data, piece, only) == cut
    return cut


@pytest.mark.parametrize("piece", [1, 7, 64, 100000])
def test_a_list_in_any_pieces(piece: int) -> None:
    names = [f"n{number}" for number in range(50)]
    assert [vm.name for vm in read(vms(*names).encode(), piece)] == names


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "<vms>",
        "<vms><vm id='1'>",
        vms("a")[:-3],
        "no xml",
        "<vms></vm>",
        "{}",
        LAUGHS,
        FILE,
        HTML,
        "<fault><reason>no</reason></fault>",
        "<html/>",
        "<hosts><host id='1'/></hosts>",
        "<vms/>".encode("utf-16").decode("latin-1"),
        "<vms>" + "<a>" * 300 + "</a>" * 300 + "</vms>",
        "<vms>\x00</vms>",
    ],
)
def test_what_is_no_list_is_a_bad_answer(text: str) -> None:
    for piece in (3, 100000):
        with pytest.raises(BadAnswer):
            read(text.encode(), piece)


@pytest.mark.parametrize("text", ["<vms/>", "<vms></vms>", "<?xml version='1.0'?>\n<vms>\n</vms>", "<!-- c --><vms/>"])
def test_an_empty_list_is_one(text: str) -> None:
    assert read(text.encode()) == []


def test_a_page_is_called_a_page() -> None:
    with pytest.raises(BadAnswer, match="HTML page"):
        parse(HTML.encode())


def test_a_long_comment_does_not_hide_a_dtd() -> None:
    hidden = "<!--" + "x" * 9000 + "--><!DOCTYPE vms [<!ENTITY a 'b'>]><vms><vm id='1'/></vms>"
    with pytest.raises(BadAnswer):
        read(hidden.encode())


def test_one_thing_without_end() -> None:
    reader = ListReader(Vm, V4)
    reader.feed(b"<vms><vm id='1'>")
    with pytest.raises(BadAnswer, match="one thing"):
        for _ in range(400):
            reader.feed(b"<a>" + b"x" * 65000 + b"</a>")


def test_what_else_stands_in_a_list_is_not_kept() -> None:
    assert [vm.id for vm in read(b"<vms><link rel='x'/><vm id='1'><vm id='2'/></vm><total>3</total></vms>")] == ["1"]


LONG = vms(*(f"n{number}" for number in range(2000)), status="<status>up</status><memory>1048576</memory>").encode()


@pytest.mark.parametrize("head", [b"", b"<?xml version='1.0'?>\n", b"\xef\xbb\xbf", b"<!-- <vms> -->\n<!-- b -->"])
@pytest.mark.parametrize("between", [b"", b"\n  "])
def test_a_long_list_is_cut_between_its_things(head: bytes, between: bytes) -> None:
    data = head + LONG.replace(b"</vm>", b"</vm>" + between)
    with mock.patch.object(documents, "PART", 1000), mock.patch.object(documents, "parse", wraps=parse) as parsed:
        found = read_one_way(data, 700)
    assert [vm.name for vm in found] == [f"n{number}" for number in range(2000)]
    assert all(vm.status == "up" and vm.memory == 1048576 for vm in found)
    sizes = [len(call.args[0]) for call in parsed.call_args_list]
    assert len(sizes) > 100
    assert max(sizes) < 3000


@pytest.mark.parametrize(
    "inside",
    [
        "<!-- </vm><vm id='2'> -->",
        "<![CDATA[</vm><vm id='2'>]]>",
        "<?x </vm><vm id='2'> ?>",
        "<a><vm id='2'></vm><vm id='3'/></a>",
    ],
)
def test_what_only_looks_like_a_place_to_cut_makes_no_other_list(inside: str) -> None:
    data = f"<vms><vm id='1'>{inside}</vm><vm id='4'/></vms>".encode()
    assert [vm.id for vm in read_one_way(data, 7)] == ["1", "4"]
    with mock.patch.object(documents, "PART", 1), pytest.raises(BadAnswer):
        read_one_way(data, 7)


def test_only_what_is_wanted_is_read() -> None:
    vm = read(LONG, only=frozenset({"status"}))[0]
    assert (vm.id, vm.name, vm.status) == ("id-n0", "n0", "up")
    assert vm.ref.name == "n0"
    assert vm.values().keys() == {"id", "name", "status"} | ({"href"} if vm.href else set())
    for ask in (
        lambda: vm.memory,
        lambda: vm.disks,
        lambda: vm.differences({"memory": 1}),
        lambda: vm.replace(status="x").host,
    ):
        with pytest.raises(Bug, match="was not asked for"):
            ask()
    assert vm.replace(memory=5).memory == 5


def test_what_is_not_wanted_may_be_wrong() -> None:
    data = b"<vms><vm id='1'><memory>much</memory><status>up</status></vm></vms>"
    assert read(data, only=frozenset({"status"}))[0].status == "up"
    with pytest.raises(BadAnswer, match="vms/vm/memory"):
        read(data)


def test_another_thing_than_was_asked_for() -> None:
    with pytest.raises(BadAnswer, match="<host> where <vm> was expected"):
        read_one(Vm, b"<host id='1'/>", V4)


SEED = vms(
    "a",
    "b&c",
    status=(
        "<status>up</status><memory>1073741824</memory><os><boot><devices><device>hd</device></devices></boot></os>"
        "<cluster id='c' href='/c'/><stateless>false</stateless><cpu><topology><cores>1</cores></topology></cpu>"
    ),
).encode()
NASTY = [
    b"<",
    b">",
    b"&",
    b"&#0;",
    b"]]>",
    b"<!DOCTYPE a>",
    b"<![CDATA[",
    b"\x00",
    b"\xff\xfe",
    b"<vm>",
    b"</vms>",
    b"&lt;" * 50,
    b"<?x ?>",
    b" id=''",
    b"9" * 400,
    b"\xc3\x28",
]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(SEED)), st.integers(0, 30), st.sampled_from(NASTY) | st.binary(max_size=8)),
        max_size=4,
    ),
    st.integers(1, 500),
)
def test_mutated_documents_are_answers_or_bad_answers(edits: list, piece: int) -> None:
    data = SEED
    for at, cut, put in edits:
        data = data[:at] + put + data[at + cut :]
    try:
        found = read(data, piece)
    except BadAnswer:
        return
    assert all(isinstance(vm, Vm) and vm.id for vm in found)


def test_ten_thousand_machines_do_not_stand_in_memory_as_text() -> None:
    item = vms("n", status="<filler>" + "<x a='b'>yyyyyyyy</x>" * 200 + "</filler>")[5:-6].encode()
    reader = ListReader(Vm, V4)
    reader.feed(b"<vms>")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(10000):
        reader.feed(item)
    reader.feed(b"</vms>")
    assert len(reader.close()) == 10000
    # 45 MB of text; the reader may keep what it read of it, not the text or its tree.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 << 10


def test_thousands_of_mutations_leave_nothing_behind() -> None:
    chance = random.Random(20)
    before = 0
    for turn in range(5_000):
        data = SEED
        for _ in range(chance.randrange(1, 5)):
            at = chance.randrange(len(data) + 1)
            put = chance.choice(NASTY) if chance.random() < 0.6 else chance.randbytes(chance.randrange(8))
            data = data[:at] + put + data[at + chance.randrange(30) :]
        with mock.patch.object(documents, "PART", chance.choice((1, documents.PART))):
            try:
                assert all(vm.id for vm in read_one_way(data, chance.choice((1, 16, 200, 1000))))
            except BadAnswer:
                pass
        if turn == 1000:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 << 10
