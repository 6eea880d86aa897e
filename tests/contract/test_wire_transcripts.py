"""Transcripts of xCAT's protocol, to the byte: what its clients send, and what they print for what they get.

They were composed from the protocol's description and compared with xCAT's own Perl clients. Names in an element are
in ASCII order, as XML::Simple writes them; everything else is exact.
"""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent

import pytest

from xcat_rhev.cli.run import compose
from xcat_rhev.messages import Data, Error, Info, Message, Note, Progress, Warn
from xcat_rhev.secret import Secret
from xcat_rhev.xcat.answers import Stream, exit_code, is_last, printed_lines
from xcat_rhev.xcat.commandnames import OURS
from xcat_rhev.xcat.wire import (
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


def xml(text: str) -> bytes:
    """A document as it stands in this file."""
    return dedent(text).lstrip("\n").encode()


#: Command line, and what xCAT's client for that command sends. CWD stands for the working directory.
REQUESTS: list[tuple[list[str], str]] = [
    (
        ["rpower", "vm1-vm3", "stat"],
        """
        <xcatrequest>
          <arg>stat</arg>
          <clienttype>cli</clienttype>
          <command>rpower</command>
          <cwd>CWD</cwd>
          <noderange>vm1-vm3</noderange>
        </xcatrequest>
        """,
    ),
    (
        ["nodels"],
        """
        <xcatrequest>
          <clienttype>cli</clienttype>
          <command>nodels</command>
          <cwd>CWD</cwd>
          <noderange></noderange>
        </xcatrequest>
        """,
    ),
    (
        ["rpower", "-V", "--timeout=5", "vm1,,vm2,,", "on"],
        """
        <xcatrequest>
          <arg>-V</arg>
          <arg>--timeout=5</arg>
          <arg>on</arg>
          <clienttype>cli</clienttype>
          <command>rpower</command>
          <cwd>CWD</cwd>
          <noderange>vm1,,vm2</noderange>
        </xcatrequest>
        """,
    ),
    (
        ["nodels", "^list,vm1,^/abs"],
        """
        <xcatrequest>
          <clienttype>cli</clienttype>
          <command>nodels</command>
          <cwd>CWD</cwd>
          <noderange>^CWD/list,vm1,^/abs</noderange>
        </xcatrequest>
        """,
    ),
    (
        ["tabdump", "-w", "key==a&b", "site"],
        """
        <xcatrequest>
          <arg>-w</arg>
          <arg>key==a&amp;b</arg>
          <arg>site</arg>
          <clienttype>cli</clienttype>
          <command>tabdump</command>
          <cwd>CWD</cwd>
        </xcatrequest>
        """,
    ),
    (
        ["chtab", "node=vm1", "vm.mgr="],
        """
        <xcatrequest>
          <arg>node=vm1</arg>
          <arg>vm.mgr=</arg>
          <clienttype>cli</clienttype>
          <command>tabch</command>
          <cwd>CWD</cwd>
        </xcatrequest>
        """,
    ),
    (
        ["lsdef", "-t", "node", "^list", "-i", "a=^b"],
        """
        <xcatrequest>
          <arg>-t</arg>
          <arg>node</arg>
          <arg>^CWD/list</arg>
          <arg>-i</arg>
          <arg>a=^b</arg>
          <clienttype>cli</clienttype>
          <command>lsdef</command>
          <cwd>CWD</cwd>
          <stdin></stdin>
        </xcatrequest>
        """,
    ),
    (
        ["cfgve", "-o", 'it\'s "é" <x>'],
        """
        <xcatrequest>
          <arg>-o</arg>
          <arg>it's &quot;é&quot; &lt;x&gt;</arg>
          <clienttype>cli</clienttype>
          <command>cfgve</command>
          <cwd>CWD</cwd>
        </xcatrequest>
        """,
    ),
]


@pytest.mark.parametrize(("words", "sent"), REQUESTS, ids=lambda value: value[0] if isinstance(value, list) else "")
def test_what_a_client_sends(
    words: list[str],
    sent: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    with open(os.devnull, encoding="ascii") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        request = compose(words[0], words[1:], {"TERM": "xterm", "PATH": "/bin"})
    assert read_request(write_request(request)) == request
    assert ("XCAT_RHEV_PROGRESS" in request.environment) == (words[0] in OURS)  # all that ours adds
    known = {name: value for name, value in request.environment.items() if name != "XCAT_RHEV_PROGRESS"}
    assert write_request(request._replace(environment=known)) == xml(sent).replace(b"CWD", os.getcwd().encode())


FULL = WireRequest(
    "rpower",
    nodes=("vm1", "vm2"),
    args=("stat",),
    cwd="/root",
    clienttype="ws",
    stdin="x\n",
    environment={"XCAT_B": "2", "XCAT_A": "1"},
    becomeuser=UserPassword("joe", Secret("pw")),
    token=Secret("7f-1"),
    username="joe",
    remote_client="h1,h2",
    transid="42",
    sequential=True,
    preprocessed=True,
    dest="sn1,sn2",
    modname="rhevm",
    version="2.17",
    inittime=True,
    disparatetftp=True,
)
FULL_DOCUMENT = """
    <xcatrequest>
      <_disparatetftp>1</_disparatetftp>
      <_modname>rhevm</_modname>
      <_xcatdest>sn1,sn2</_xcatdest>
      <_xcatpreprocessed>1</_xcatpreprocessed>
      <_xcatver>2.17</_xcatver>
      <arg>stat</arg>
      <becomeuser>
        <password>pw</password>
        <username>joe</username>
      </becomeuser>
      <clienttype>ws</clienttype>
      <command>rpower</command>
      <cwd>/root</cwd>
      <environment>
        <XCAT_A>1</XCAT_A>
        <XCAT_B>2</XCAT_B>
      </environment>
      <inittime>1</inittime>
      <node>vm1</node>
      <node>vm2</node>
      <remote_client>h1,h2</remote_client>
      <sequential>1</sequential>
      <stdin>x
    </stdin>
      <tokens>
        <tokenid>7f-1</tokenid>
      </tokens>
      <transid>42</transid>
      <username>joe</username>
    </xcatrequest>
    """


def test_a_request_from_another_daemon() -> None:
    assert write_request(FULL) == xml(FULL_DOCUMENT)
    assert read_request(xml(FULL_DOCUMENT)) == FULL


@pytest.mark.parametrize(
    "inside",
    [
        "<abortcommand>1</abortcommand>",
        "<command>authcheck</command>",
        "<noderange></noderange><command>nodels</command>",
    ],
)
def test_a_request_in_one_line_without_a_newline(inside: str) -> None:
    assert isinstance(read_request(f"<xcatrequest>{inside}</xcatrequest>".encode()), WireRequest)


#: Documents, what is printed on standard output and on standard error, and the exit code.
ANSWERS: list[tuple[str, str, str, str, int]] = [
    ("data", "<data>one</data><data>two</data>", "one\ntwo\n", "", 0),
    (
        "data with desc",
        "<data><contents>c</contents><desc>d</desc></data><data><contents>c</contents></data>"
        "<data><desc>d</desc></data>",
        "d: c\nc\nd\n",
        "",
        0,
    ),
    ("data that is false", "<data>0</data><data></data><data> </data><data><contents>0</contents></data>", "", "", 0),
    ("data that failed", "<data>d</data><errorcode>4</errorcode><xcatdsource>mn</xcatdsource>", "d\n", "", 4),
    ("info", "<info>a</info><info>0</info><info></info>", "a\n0\n\n", "", 0),
    ("progress", "<sinfo>12%</sinfo>", "12%\r", "", 0),
    ("warning", "<warning>w</warning><xcatdsource>mn</xcatdsource>", "", "Warning: [mn]: w\n", 0),
    ("warning without source", "<warning>w</warning>", "", "Warning: w\n", 0),
    ("warning without prefix", "<warning>w</warning><NoWarnPrefix>1</NoWarnPrefix>", "", "w\n", 0),
    ("error", "<error>e</error><errorcode>1</errorcode><xcatdsource>mn</xcatdsource>", "", "Error: [mn]: e\n", 1),
    ("error without code", "<error>e</error>", "", "Error: e\n", 0),
    (
        "error without prefix",
        "<error>e</error><NoErrorPrefix>1</NoErrorPrefix><xcatdsource>mn</xcatdsource>",
        "",
        "[mn]: e\n",
        0,
    ),
    (
        "codes are joined",
        "<errorcode>1</errorcode><errorcode>4</errorcode><node><errorcode>8</errorcode></node>",
        "",
        "",
        13,
    ),
    ("node data", "<node><name>n</name><data>t</data></node>", "n: t\n", "", 0),
    (
        "node data with desc",
        "<node><name>n</name><data><desc>d</desc><contents>c</contents></data></node>",
        "n: d: c\n",
        "",
        0,
    ),
    ("only the first value of a node", "<node><name>n</name><data>a</data><data>b</data></node>", "n: a\n", "", 0),
    (
        "node error",
        "<node><name>n</name><error>e</error><errorcode>1</errorcode></node><xcatdsource>mn</xcatdsource>",
        "",
        "n: [mn]: Error: e\n",
        1,
    ),
    (
        "node warning",
        "<node><name>n</name><warning>w</warning></node><xcatdsource>mn</xcatdsource>",
        "",
        "n: [mn]: Warning: w\n",
        0,
    ),
    (
        "after an error nodes go to standard error",
        "<node><name>a</name><data>1</data></node><node><name>b</name>"
        "<error>e</error></node><node><name>c</name><data>3</data></node>",
        "a: 1\n",
        "b: Error: e\nc: 3\n",
        0,
    ),
    ("node base64", "<node><name>n</name><base64_data>aGVsbG8=</base64_data></node>", "n: hello\n", "", 0),
    (
        "the source on request",
        "<host>1</host><info>a</info><data>b</data><node><name>n</name><data>c</data></node>"
        "<xcatdsource>sn1</xcatdsource>",
        "[sn1]: a\nn: [sn1]: c\n[sn1]: b\n",
        "",
        0,
    ),
    (
        "the order",
        "<data>6</data><node><name>5</name><data>x</data></node><sinfo>4</sinfo><info>3</info>"
        "<warning>2</warning><error>1</error>",
        "3\n4\r5: x\n6\n",
        "Error: 1\nWarning: 2\n",
        0,
    ),
    ("nodes as texts", "<node>vm1</node><node>vm2</node>", "", "", 0),
    ("what is not shown", "<numofnodes>3</numofnodes><errorabort>1</errorabort><username>root</username>", "", "", 0),
]


def shown(documents: bytes, show_source: bool = False) -> tuple[str, str, int]:
    """What a client prints on both streams, and its exit code."""
    whole, rest = split(documents)
    assert rest == b""
    texts = {Stream.OUT: "", Stream.ERR: ""}
    code = 0
    for each in map(read_response, whole):
        code |= exit_code(each)
        for text, stream in printed_lines(each, show_source):
            texts[stream] += text
    return texts[Stream.OUT], texts[Stream.ERR], code


@pytest.mark.parametrize(
    ("inside", "out", "err", "code"), [answer[1:] for answer in ANSWERS], ids=[answer[0] for answer in ANSWERS]
)
def test_what_a_client_prints(inside: str, out: str, err: str, code: int) -> None:
    documents = f"<xcatresponse>{inside}</xcatresponse>\n".encode() + write_done()
    assert shown(documents) == (out, err, code)


def test_the_source_by_verbose() -> None:
    documents = write_response({"info": "a", "data": "b", "node": {"name": "n", "data": "c"}}, "mn")
    assert shown(documents, True)[0] == "[mn]: a\nn: [mn]: c\n[mn]: b\n"
    muted = write_response({"info": "a", "NoSvrPrefix": "1"}, "mn")
    assert shown(muted, True)[0] == "a\n"


def test_a_node_that_nobody_can_handle() -> None:
    text = "Unable to identify plugin for this command, check relevant tables: nodehm.power,mgt"
    documents = write_messages([Error(text, "fx1")], "vm") + write_done()
    assert documents == xml(f"""
        <xcatresponse>
          <node>
            <error>{text}</error>
            <errorcode>1</errorcode>
            <name>fx1</name>
          </node>
          <xcatdsource>vm</xcatdsource>
        </xcatresponse>
        <xcatresponse>
          <serverdone></serverdone>
        </xcatresponse>
        """)
    assert shown(documents) == ("", f"fx1: [vm]: Error: {text}\n", 1)


@pytest.mark.parametrize(
    ("fields", "err", "code"),
    [
        ({"error": "Permission denied for request", "errorcode": "1"}, "Error: Permission denied for request\n", 1),
        ({"error": "Unsupported request"}, "Error: Unsupported request\n", 0),
        (
            {"error": "Invalid nodes and/or groups in noderange: a,b", "errorcode": "1"},
            "Error: Invalid nodes and/or groups in noderange: a,b\n",
            1,
        ),
        ({"error": "Authentication failure", "errorcode": "1"}, "Error: Authentication failure\n", 1),
        (
            {"node": ["vm1", "vm2"], "warning": "Invalid nodes in noderange:a,b"},
            "Warning: Invalid nodes in noderange:a,b\n",
            0,
        ),
    ],
)
def test_answers_of_one_document(fields: dict[str, object], err: str, code: int) -> None:
    documents = write_done("", fields)
    assert documents.count(b"<xcatresponse>") == 1
    assert b"xcatdsource" not in documents
    assert shown(documents) == ("", err, code)
    assert is_last(read_response(split(documents)[0][0]))


def test_authcheck() -> None:
    assert write_done("9", {"username": "root", "data": "Authenticated"}) == xml("""
        <xcatresponse>
          <data>Authenticated</data>
          <serverdone></serverdone>
          <transid>9</transid>
          <username>root</username>
        </xcatresponse>
        """)


def test_a_token() -> None:
    token = {"data": {"token": {"id": "7f-1", "expire": "2030-01-02 03:04:05"}}}
    assert write_done("", token) == xml("""
        <xcatresponse>
          <data>
            <token>
              <expire>2030-01-02 03:04:05</expire>
              <id>7f-1</id>
            </token>
          </data>
          <serverdone></serverdone>
        </xcatresponse>
        """)


CONVERSATION: list[Message] = [
    Data("copying", desc="RHEV-H"),
    Progress("50%"),
    Info("done"),
    Data("on", "vm1", "state"),
    Info("fine", "vm2"),
    Warn("old", "vm3"),
    Warn("late"),
    Note("500 to do"),
    Error("gone", "vm4", 2),
    Error("all over", code=4),
]


def test_every_kind_of_message() -> None:
    assert shown(write_messages(CONVERSATION, "mn") + write_done()) == (
        "RHEV-H: copying\n50%\rdone\nvm1: state: on\nvm2: fine\n",
        "vm3: [mn]: Warning: old\nWarning: [mn]: late\n[mn]: 500 to do\n"
        "vm4: [mn]: Error: gone\nError: [mn]: all over\n",
        6,
    )
