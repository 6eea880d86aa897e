"""Requests out of bytes: cut anywhere, followed by anything, and what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xcat_rhev.daemon.framing import PROLOG, Framer
from xcat_rhev.errors import BadAnswer

ONE = b"<xcatrequest><command>nodels</command></xcatrequest>"
TWO = b"<xcatrequest>\n  <command>tabdump</command>\n</xcatrequest>\n"


def test_cut_at_every_byte():
    for cut in range(len(ONE) + 1):
        framer = Framer()
        assert framer.feed(ONE[:cut]) + framer.feed(ONE[cut:]) == [ONE]
        assert framer.backlog == 0


def test_byte_by_byte_with_two_requests_and_blanks_between():
    framer = Framer()
    found = [request for byte in ONE + b"\n\n " + TWO for request in framer.feed(bytes([byte]))]
    assert found == [ONE, TWO.rstrip()]


def test_several_at_once_and_the_begin_of_another():
    framer = Framer()
    assert framer.feed(ONE + TWO + ONE[:20]) == [ONE, TWO.rstrip()]
    assert framer.backlog == 20
    assert framer.feed(ONE[20:]) == [ONE]


def test_an_xml_declaration_may_stand_before():
    assert Framer().feed(b'\n<?xml version="1.0"?>\n<!-- x -->' + ONE) == [ONE]


@pytest.mark.parametrize(
    "rubbish",
    [b"GET / HTTP/1.1\r\n", b"\x16\x03\x01", b"   x", b"</xcatrequest>" + b"x" * PROLOG, b"<" + b"x" * PROLOG],
)
def test_what_can_never_be_a_request_is_refused_at_once(rubbish):
    with pytest.raises(BadAnswer, match="not an xCAT request"):
        Framer().feed(rubbish)


def test_blanks_do_not_pile_up():
    framer = Framer()
    for _ in range(100):
        assert framer.feed(b" \n" * 1000) == []
    assert framer.backlog == 0


def test_too_long_a_request_is_refused_whether_it_ends_or_not():
    with pytest.raises(BadAnswer, match="longer than 60"):
        Framer(60).feed(b"<xcatrequest>" + b"x" * 60)
    with pytest.raises(BadAnswer, match="longer than 60"):
        Framer(60).feed(b"<xcatrequest>" + b"x" * 34 + b"</xcatrequest>")
    assert len(Framer(61).feed(b"<xcatrequest>" + b"x" * 34 + b"</xcatrequest>")) == 1


def test_a_long_request_in_small_pieces_is_looked_through_once():
    framer = Framer()
    body = b"<xcatrequest>" + b"x" * (4 << 20)
    for at in range(0, len(body), 4096):
        assert framer.feed(body[at : at + 4096]) == []
    assert framer.feed(b"</xcatreq") == []
    assert len(framer.feed(b"uest>")[0]) == len(body) + 14


@given(st.lists(st.sampled_from([ONE, TWO, b"\n", b"<?xml version='1.0'?>"]), max_size=6), st.data())
@settings(deadline=None)
def test_any_cut_gives_the_same_requests(parts, data):
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=8)))
    framer = Framer()
    found = [r for a, b in zip([0, *cuts], [*cuts, len(stream)]) for r in framer.feed(stream[a:b])]
    assert found == [part.strip() for part in parts if part in (ONE, TWO)]


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_are_a_request_or_are_refused_or_wait(rubbish):
    framer = Framer(200)
    try:
        found = framer.feed(rubbish)
    except BadAnswer:
        return
    assert found == [] or all(one.startswith(b"<xcatrequest>") and one.endswith(b"</xcatrequest>") for one in found)
    assert framer.backlog <= 200


@pytest.mark.parametrize("junk", [b"\0", b"junk", b"]]></arg></xcatrequest>", b"<" * 100_000])
def test_what_comes_behind_a_request_does_not_take_it_away(junk: bytes) -> None:
    framer = Framer()
    assert framer.feed(ONE + junk) == [ONE]
    with pytest.raises(BadAnswer):
        framer.feed(b" ")
