"""Framing, requests and answers as bytes; malformed and hostile ones first."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xcat_rhev.errors import BadAnswer, Usage
from xcat_rhev.messages import Data, Error, Info, Message, Note, Progress, Warn
from xcat_rhev.secret import Secret
from xcat_rhev.xcat import document, wire
from xcat_rhev.xcat.answers import exit_code, printed_lines, read_messages
from xcat_rhev.xcat.wire import (
    END_OF_REQUEST,
    UserPassword,
    WireRequest,
    read_request,
    read_response,
    split,
    write_done,
    write_messages,
    write_request,
    write_response,
)

BOMB = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>"


@pytest.mark.parametrize(
    "inside",
    [
        "<arg>a&b</arg>",
        "<arg>a",
        "<arg>a</arg",
        "<arg>&nbsp;</arg>",
        "<arg>\x01</arg>",
        "<arg>\x1b</arg>",
        "<a><b></a></b>",
        "<node><name>a</name></node>",
        "<becomeuser>x</becomeuser>",
        "<becomeuser><password>x</password></becomeuser>",
        "<command><a>b</a></command>",
        "<a>" * 40 + "</a>" * 40,
        "<?xml version='1.0'?>",
    ],
)
def test_malformed_requests(inside: str) -> None:
    with pytest.raises(BadAnswer):
        read_request(f"<xcatrequest>{inside}</xcatrequest>".encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "<xcatresponse></xcatresponse>",
        "<xcatrequest>",
        "<XCATREQUEST></XCATREQUEST>",
        f"{BOMB}<xcatrequest><arg>&b;</arg></xcatrequest>",
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><xcatrequest></xcatrequest>',
        "<xcatrequest></xcatrequest><xcatrequest></xcatrequest>",
    ],
)
def test_what_is_no_request(text: str) -> None:
    with pytest.raises(BadAnswer):
        read_request(text.encode())


@pytest.mark.parametrize(
    "data",
    [
        b"<xcatrequest><arg>\xe9</arg></xcatrequest>",
        b"<xcatrequest>\x00</xcatrequest>",
        "<xcatrequest><arg>a</arg></xcatrequest>".encode("utf-16"),
    ],
)
def test_only_utf8(data: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_request(data)


def test_too_many_elements_are_refused() -> None:
    many = b"<xcatrequest>" + b"<node/>" * (document.MOST + 1) + b"</xcatrequest>"
    with pytest.raises(BadAnswer, match="too many"):
        read_request(many)


def test_no_element_is_needed() -> None:
    assert read_request(b"<xcatrequest></xcatrequest>") == read_request(b"<xcatrequest/>") == WireRequest()


@pytest.mark.parametrize(
    ("inside", "name", "value"),
    [
        ("<command>rpower</command>", "command", "rpower"),
        ("<command>a</command><command>b</command>", "command", "a"),
        ("<noderange></noderange>", "noderange", ""),
        ("<noderange/>", "noderange", ""),
        ("", "noderange", None),
        ("<noderange> vm1 </noderange>", "noderange", " vm1 "),
        ("<noderange> \n </noderange>", "noderange", ""),
        ("<arg>a</arg><arg></arg><arg>b c</arg>", "args", ("a", "", "b c")),
        ("<node>a</node><node>b</node>", "nodes", ("a", "b")),
        ("<arg>&lt;&amp;&gt;&quot;&apos;&#233;&#x20;</arg>", "args", ("<&>\"'é ",)),
        ("<arg><![CDATA[<b>&]]></arg>", "args", ("<b>&",)),
        ("<!-- c --><arg>a<!-- c -->b</arg>", "args", ("ab",)),
        ('<arg x="1">a</arg>', "args", ("a",)),
        ("<arg>a\r\nb</arg>", "args", ("a\nb",)),
        ("<stdin></stdin>", "stdin", ""),
        ("<stdin>a\n</stdin>", "stdin", "a\n"),
        ("", "stdin", None),
        ("<abortcommand>1</abortcommand>", "abort", True),
        ("<abortcommand>0</abortcommand>", "abort", False),
        ("<addrows>yes</addrows>", "addrows", True),
        ("<table>site</table>", "table", "site"),
        ("<data>#key\n</data><data>\n</data>", "data", ("#key\n", "")),
        ("<_xcatpreprocessed>1</_xcatpreprocessed>", "preprocessed", True),
        ("<_xcatdest>sn1,sn2</_xcatdest>", "dest", "sn1,sn2"),
        ("<_xcatver>2.17</_xcatver>", "version", "2.17"),
        ("<_modname>rhevm</_modname>", "modname", "rhevm"),
        ("<transid>7</transid>", "transid", "7"),
        ("<username>u</username>", "username", "u"),
        ("<remote_client>a,b</remote_client>", "remote_client", "a,b"),
        ("<sequential>1</sequential>", "sequential", True),
        (
            "<environment><XCAT_A>1</XCAT_A><XCAT_B></XCAT_B></environment>",
            "environment",
            {"XCAT_A": "1", "XCAT_B": ""},
        ),
        ("<environment></environment>", "environment", {}),
        ("<tokens><tokenid>t</tokenid></tokens>", "token", Secret("t")),
        ("<tokens></tokens>", "token", None),
        (
            "<becomeuser><username>u</username><password>p</password></becomeuser>",
            "becomeuser",
            UserPassword("u", Secret("p")),
        ),
        ("<gettoken><username>u</username></gettoken>", "gettoken", UserPassword("u", Secret(""))),
        ("<inittime>1</inittime>", "inittime", True),
        ("<_disparatetftp>1</_disparatetftp>", "disparatetftp", True),
        ("<whatever><a>b</a></whatever>", "command", ""),
    ],
)
def test_every_element(inside: str, name: str, value: object) -> None:
    assert getattr(read_request(f"\n <xcatrequest>{inside}</xcatrequest>\n".encode()), name) == value


def test_passwords_do_not_show() -> None:
    request = read_request(
        b"<xcatrequest><becomeuser><username>u</username><password>s3ntinel</password></becomeuser>"
        b"<tokens><tokenid>s3ntinel</tokenid></tokens></xcatrequest>"
    )
    assert "s3ntinel" not in repr(request) + str(request)


# Surrogates, NUL and the like cannot be sent; blank texts come back empty, and a lone CR is sent as a reference.
TEXT = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=10).filter(
    lambda text: not text.isspace() and not set("\ufffe\uffff") & set(text)
)
NAME = st.from_regex(r"XCAT_[A-Z0-9]{1,8}", fullmatch=True)
LOGIN = st.one_of(st.none(), st.builds(UserPassword, TEXT, st.builds(Secret, st.one_of(st.just(""), TEXT))))
REQUESTS = st.builds(
    WireRequest,
    command=TEXT,
    noderange=st.one_of(st.none(), st.just(""), TEXT),
    nodes=st.lists(TEXT).map(tuple),
    args=st.lists(st.one_of(st.just(""), TEXT)).map(tuple),
    cwd=TEXT,
    stdin=st.one_of(st.none(), st.just(""), TEXT),
    environment=st.dictionaries(NAME, TEXT),
    becomeuser=LOGIN,
    gettoken=LOGIN,
    transid=st.one_of(st.just(""), TEXT),
    abort=st.booleans(),
    data=st.lists(TEXT).map(tuple),
    addrows=st.booleans(),
    preprocessed=st.booleans(),
    **{name: st.just("") | TEXT for name in "clienttype username remote_client table dest modname version".split()},
    token=st.none() | st.builds(Secret, TEXT),
    sequential=st.booleans(),
    inittime=st.booleans(),
    disparatetftp=st.booleans(),
)


@given(REQUESTS)
def test_requests_there_and_back(request: WireRequest) -> None:
    assert read_request(write_request(request)) == request


@pytest.mark.parametrize("text", ["\x00", "a\x1bb", "\ud800", "\x07", "\ufffe"])
def test_what_cannot_be_sent_is_said(text: str) -> None:
    with pytest.raises(Usage, match="cannot be sent"):
        write_request(WireRequest("x", args=(text,)))


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for each in (data, b"<xcatrequest>" + data + b"</xcatrequest>"):
        try:
            assert isinstance(read_request(each), WireRequest)
        except BadAnswer as problem:
            assert "\n" not in str(problem)


STREAM = write_messages([Info("a"), Data("é<&>", "vm1", "power"), Error("bad", "vm2")], "mn") + write_done("7")


def test_split_at_every_byte() -> None:
    whole, _ = split(STREAM)
    assert len(whole) == 4
    for at in range(len(STREAM) + 1):
        first, rest = split(STREAM[:at])
        second, rest = split(rest + STREAM[at:])
        assert (first + second, rest) == (whole, b"")


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_split_at_any_bytes(cuts: list[int]) -> None:
    places = sorted([0, *cuts, len(STREAM)])
    documents, rest = [], b""
    for begin, end in zip(places, places[1:]):
        found, rest = split(rest + STREAM[begin:end])
        documents += found
    assert (documents, rest) == split(STREAM)


def test_requests_are_split_too() -> None:
    one = write_request(WireRequest("a")).strip()
    assert split(one + one + one[:20], END_OF_REQUEST) == ([one, one], one[:20])


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        b"<xcatrequest>",
        b"GET / HTTP/1.0\r\n\r\n",
        b"\x16\x03\x01",
        b"</xcatresponse>",
    ],
)
def test_what_is_no_stream(data: bytes) -> None:
    with pytest.raises(BadAnswer):
        split(data)
    with pytest.raises(BadAnswer):
        split(STREAM + data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"  \n",
        b"<",
        b"<xcatr",
        b"\n<xcatresponse>",
        b"<xcatresponse><a></xcatrespons",
    ],
)
def test_what_may_become_a_stream(data: bytes) -> None:
    assert split(data) == ([], data.lstrip())


def test_a_document_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LONGEST", 100)
    with pytest.raises(BadAnswer, match="longer than 100 bytes"):
        split(b"<xcatresponse>" + b"a" * 100)


@pytest.mark.parametrize(
    ("message", "inside"),
    [
        (Info("a"), "<info>a</info>"),
        (Info("a", "vm1"), "<node>\n    <data>a</data>\n    <name>vm1</name>\n  </node>"),
        (Data("a"), "<data>a</data>"),
        (Data("a", desc="d"), "<data>\n    <contents>a</contents>\n    <desc>d</desc>\n  </data>"),
        (Data("a", "vm1"), "<node>\n    <data>a</data>\n    <name>vm1</name>\n  </node>"),
        (
            Data("a", "vm1", "d"),
            "<node>\n    <data>\n      <contents>a</contents>\n      <desc>d</desc>\n    </data>\n"
            "    <name>vm1</name>\n  </node>",
        ),
        (Data("a", code=4), "<data>a</data>\n  <errorcode>4</errorcode>"),
        (Warn("a"), "<warning>a</warning>"),
        (Warn("a", "vm1"), "<node>\n    <name>vm1</name>\n    <warning>a</warning>\n  </node>"),
        (Note("a"), "<NoWarnPrefix>1</NoWarnPrefix>\n  <warning>a</warning>"),
        (Error("a"), "<error>a</error>\n  <errorcode>1</errorcode>"),
        (
            Error("a", "vm1", 5),
            "<node>\n    <error>a</error>\n    <errorcode>5</errorcode>\n    <name>vm1</name>\n  </node>",
        ),
        (Progress("1%"), "<sinfo>1%</sinfo>"),
        (Data("0"), "<info>0</info>"),
        (Data(""), "<info></info>"),
        (Data(" \n"), "<info> \n</info>"),
        (Data('<a href="b">&'), "<data>&lt;a href=&quot;b&quot;&gt;&amp;</data>"),
        (Data("é\x00\x07\x0b\x1f\x7f\x85\ufffe\ud800!"), "<data>é!</data>"),
        (Data("\x1b[31mred\tand\nblue"), "<data>\x1b[31mred\tand\nblue</data>"),
        (Data("a\r\nb"), "<data>a&#13;\nb</data>"),
    ],
)
def test_messages_become_documents(message: Message, inside: str) -> None:
    wanted = f"<xcatresponse>\n  {inside}\n  <xcatdsource>mn</xcatdsource>\n</xcatresponse>\n"
    assert write_messages([message], "mn").decode() == wanted


def test_the_last_document() -> None:
    assert write_done() == b"<xcatresponse>\n  <serverdone></serverdone>\n</xcatresponse>\n"
    assert write_done("7", {"error": "Permission denied for request", "errorcode": "1"}) == (
        b"<xcatresponse>\n  <error>Permission denied for request</error>\n  <errorcode>1</errorcode>\n"
        b"  <serverdone></serverdone>\n  <transid>7</transid>\n</xcatresponse>\n"
    )


def test_a_source_stays() -> None:
    assert b"<xcatdsource>sn1</xcatdsource>" in write_response({"data": "a", "xcatdsource": "sn1"}, "mn")
    assert b"xcatdsource" not in write_response({"data": ["a", "b"]})


@given(st.text(max_size=30), st.sampled_from([Info, Data, Warn, Note, Error, Progress]))
def test_any_text_can_be_shown(text: str, kind: type) -> None:
    documents, rest = split(write_messages([kind(text)], "mn"))
    assert rest == b""
    assert read_response(documents[0])


MESSAGES = st.one_of(
    st.builds(Data, TEXT, st.one_of(st.just(""), TEXT), st.one_of(st.just(""), TEXT)),
    st.builds(Info, TEXT),
    st.builds(Warn, TEXT, st.one_of(st.just(""), TEXT)),
    st.builds(Progress, TEXT),
    st.builds(Note, TEXT),
    st.builds(Error, TEXT, st.one_of(st.just(""), TEXT), st.integers(1, 127)),
)


@given(st.lists(MESSAGES, max_size=6))
def test_messages_there_and_back(messages: list[Message]) -> None:
    documents, _ = split(write_messages(messages, "mn"))
    found = [message for each in documents for message in read_messages(read_response(each))]
    assert found == [Info(m.text) if m in (Data("0"),) else m for m in messages]


@given(st.lists(MESSAGES, max_size=6))
def test_every_message_is_printed_in_one_piece(messages: list[Message]) -> None:
    documents, _ = split(write_messages(messages, "mn"))
    for message, each in zip(messages, documents):
        lines = list(printed_lines(read_response(each)))
        assert len(lines) == 1
        assert message.text in lines[0].text
        assert exit_code(read_response(each)) == (message.code if isinstance(message, Error) else 0)


@pytest.mark.parametrize("inside", [b"<data>\x0b\x0c\x0e\x00a</data>", b"<data>a\x1f</data>"])
def test_a_perl_daemons_control_characters_do_no_harm(inside: bytes) -> None:
    assert read_response(b"<xcatresponse>" + inside + b"</xcatresponse>") == {"data": ["a"]}


def test_colours_pass() -> None:
    found = read_response(b"<xcatresponse><node><data>\x1b[1mx</data></node></xcatresponse>")
    assert found == {"node": [{"data": ["\x1b[1mx"]}]}


def test_a_cgi_loads_little() -> None:
    code = "import sys, xcat_rhev.xcat.wire; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"dataclasses", "inspect", "ssl", "socket", "subprocess", "logging", "json", "xml.etree.ElementTree"}
    assert heavy.isdisjoint(loaded)
    assert "xcat_rhev.xcat.wire" in loaded


def test_more_arguments_than_anybody_types_are_refused() -> None:
    assert len(read_request(write_request(WireRequest("nodels", args=("a",) * 10_000))).args) == 10_000
    with pytest.raises(BadAnswer, match="more than 10000 arguments"):
        read_request(write_request(WireRequest("nodels", args=("a",) * 10_001)))
