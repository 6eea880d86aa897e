"""What travels between xCAT's clients and daemons, as pure functions over bytes.

A request is one `<xcatrequest>`; answers are a stream of `<xcatresponse>`, the last of which holds `<serverdone>`. Both
end with their end tag; there is no length and no separator. This module is also imported by a CGI, so it loads little:
messages are told apart by the names of their classes instead of by importing them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from ..errors import BadAnswer, Usage
from ..secret import Secret
from .document import Element, read, write

if TYPE_CHECKING:
    from ..messages import Message

REQUEST, RESPONSE = "xcatrequest", "xcatresponse"
END_OF_REQUEST, END_OF_RESPONSE = b"</xcatrequest>", b"</xcatresponse>"
#: What a request or an answer may be at most, in bytes.
LONGEST = 16 << 20
#: Arguments of one request: what splits them into options and words takes time by the square of their number.
MOST_ARGS = 10_000

#: C0 controls but tab, newline and ESC, then DEL, C1 controls and what UTF-8 or XML cannot carry.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
#: What a request cannot carry.
_UNCARRIED = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
#: The bytes of the C0 controls that no XML parser takes. A Perl xcatd lets them through; its client then fails.
_UNPARSED = bytes(set(range(0x20)) - set(b"\t\n\r\x1b"))
#: How ESC gets through a parser: xCAT's own client uses the same word.
_ESCAPE, _ESCAPED = b"\x1b", b"xxxxESCxxxx"
_SPELLING = re.compile("(?<=xxxx)ESC(?=xxxx)")
_YES = ("1", "yes", "y", "true")


class UserPassword(NamedTuple):
    """A user's name and password, as `becomeuser` and `gettoken` carry them.

    Attributes:
        name: The user.
        password: Compared with the `xcat` rows of the passwd table.
    """

    name: str
    password: Secret


class WireRequest(NamedTuple):
    """Every element that a request may have.

    Attributes:
        command: What to run.
        noderange: As typed; empty when the client sent an empty one, None when it sent none.
        nodes: A flat list, as one daemon sends to another; the noderange then does not count.
        args: The arguments in order, options included.
        cwd: The client's working directory.
        clienttype: `cli`, `ws`, `webui`, or empty.
        stdin: What the client read from its standard input; None if it did not read.
        environment: The client's `XCAT_...` variables.
        becomeuser: Who the client wants to be, with the password that proves it.
        gettoken: Who wants a token, with the password.
        token: The token that says who the client is.
        username: On whose behalf a trusted peer asks; for the audit log.
        remote_client: Hosts that a trusted front end asks for, comma separated.
        transid: Echoed in the last document.
        abort: The running command should stop.
        table: Whose lines `data` are.
        data: Lines of a table, for tabrestore, each with its newline.
        addrows: tabrestore keeps the rows that are there.
        sequential: Plugins run one after another.
        preprocessed: Another daemon has split the request already.
        dest: The daemons to which it was sent, comma separated.
        modname: The only plugin that should answer.
        version: The sending daemon's version.
        inittime: A service node's first configuration.
        disparatetftp: Each service node has its own tftpdir.
    """

    command: str = ""
    noderange: str | None = None
    nodes: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    cwd: str = ""
    clienttype: str = ""
    stdin: str | None = None
    environment: Mapping[str, str] = {}
    becomeuser: UserPassword | None = None
    gettoken: UserPassword | None = None
    token: Secret | None = None
    username: str = ""
    remote_client: str = ""
    transid: str = ""
    abort: bool = False
    table: str = ""
    data: tuple[str, ...] = ()
    addrows: bool = False
    sequential: bool = False
    preprocessed: bool = False
    dest: str = ""
    modname: str = ""
    version: str = ""
    inittime: bool = False
    disparatetftp: bool = False


#: Attribute -> element, for each kind of element that is the same in both directions.
_TEXTS = {
    "command": "command",
    "cwd": "cwd",
    "clienttype": "clienttype",
    "username": "username",
    "remote_client": "remote_client",
    "transid": "transid",
    "table": "table",
    "dest": "_xcatdest",
    "modname": "_modname",
    "version": "_xcatver",
}
_LISTS = {"nodes": "node", "args": "arg", "data": "data"}
_FLAGS = {
    "abort": "abortcommand",
    "addrows": "addrows",
    "sequential": "sequential",
    "preprocessed": "_xcatpreprocessed",
    "inittime": "inittime",
    "disparatetftp": "_disparatetftp",
}
_LOGINS = ("becomeuser", "gettoken")


def split(buffer: bytes, end: bytes = END_OF_RESPONSE) -> tuple[list[bytes], bytes]:
    """Cut what came into whole documents.

    Args:
        buffer: Everything received and not cut yet.
        end: The end tag: END_OF_RESPONSE or END_OF_REQUEST.

    Returns:
        The documents, each from its begin to its end tag, and the rest, which a later call gets back with what
        followed.

    Raises:
        BadAnswer: A document is longer than LONGEST, or the bytes cannot become one.
    """
    *documents, rest = buffer.split(end)
    begin = b"<" + end[2:]
    documents, rest = [document.lstrip() for document in documents], rest.lstrip()
    if not (begin.startswith(rest[: len(begin)]) and all(document.startswith(begin) for document in documents)):
        raise BadAnswer(f"this is not a {begin.decode()} document")
    if any(len(part) > LONGEST for part in (*documents, rest)):
        raise BadAnswer(f"a document is longer than {LONGEST} bytes")
    return [document + end for document in documents], rest


def read_request(document: bytes) -> WireRequest:
    """Read one request.

    Args:
        document: From `<xcatrequest>` to its end tag; blanks around it do no harm.

    Raises:
        BadAnswer: Malformed, a login without a name, or too many arguments.
    """
    element = read(document.strip(), REQUEST)
    if len(element.get("arg", ())) > MOST_ARGS:
        raise BadAnswer(f"a request has more than {MOST_ARGS} arguments")
    fields = {ours: take(element, theirs) for ours, theirs, take in _TAKEN if theirs in element}
    return WireRequest(**fields, environment=_environment(element), token=_token(element))


def write_request(request: WireRequest) -> bytes:
    """Write one request as xCAT's own client does: pretty printed, with newlines, without which a Perl xcatd waits.

    Args:
        request: What to ask; elements without a value are left out.

    Raises:
        Usage: A text has a character that XML cannot carry.
    """
    fields: dict[str, Any] = {theirs: value for ours, theirs in _TEXTS.items() if (value := getattr(request, ours))}
    fields.update((theirs, value) for ours, theirs in _LISTS.items() if (value := getattr(request, ours)))
    fields.update((theirs, "1") for ours, theirs in _FLAGS.items() if getattr(request, ours))
    for name in _LOGINS:
        login = getattr(request, name)
        if login:
            fields[name] = {"username": login.name, "password": login.password.reveal()}
    fields.update((name, value) for name in ("noderange", "stdin") if (value := getattr(request, name)) is not None)
    if request.environment:
        fields["environment"] = request.environment
    if request.token:
        fields["tokens"] = {"tokenid": request.token.reveal()}
    text = write(REQUEST, fields)
    unwanted = _UNCARRIED.search(text)
    if unwanted:
        raise Usage(f"the request has the character {unwanted[0]!a}, which cannot be sent")
    return text.encode()


def sanitise(text: str) -> str:
    """Drop what breaks a client's XML parser or a terminal: control characters but tab, newline and ESC (colours)."""
    return without_spelling(_UNWANTED.sub("", text.replace("\r\n", "\n")))


def without_spelling(text: str) -> str:
    """Break the word that xCAT's clients turn into ESC: somebody's text would steer the terminal of who reads it."""
    return _SPELLING.sub("ESC_", text) if "xxxxESCxxxx" in text else text


def write_response(fields: Mapping[str, Any], source: str = "") -> bytes:
    """Write one answer of any shape.

    Args:
        fields: Element -> text, None, a mapping of the same kind, or a sequence of those. Texts are sanitised.
        source: The short name of the host that answers, shown by clients before errors and warnings.
    """
    if source and "xcatdsource" not in fields:
        fields = {**fields, "xcatdsource": source}
    return sanitise(write(RESPONSE, fields)).encode()


def write_messages(messages: Iterable[Message], source: str) -> bytes:
    """Write messages, each as a document of its own, since a client shows one line per node and document.

    Args:
        messages: In order.
        source: The short name of the host that answers.
    """
    return b"".join(write_response(_SHAPES[type(message).__name__](message), source) for message in messages)


def write_done(transid: str = "", fields: Mapping[str, Any] | None = None) -> bytes:
    """Write the last document of an answer.

    Args:
        transid: What the request had.
        fields: Other elements of the same document, as refusals and the daemon's own commands have them.
    """
    extra = {"transid": transid} if transid else {}
    return write_response({**(fields or {}), **extra, "serverdone": None})


def read_response(document: bytes) -> Element:
    """Read one answer, as `split` gives it.

    Returns:
        Elements by name, each a list of None, text or elements of the same kind.

    Raises:
        BadAnswer: Malformed.
    """
    clean = document.translate(None, _UNPARSED)
    if _ESCAPE not in clean:
        return read(clean, RESPONSE)
    return _with_escapes(read(clean.replace(_ESCAPE, _ESCAPED), RESPONSE))


def _with_escapes(element: Element) -> Element:
    def back(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace(_ESCAPED.decode(), _ESCAPE.decode())
        return _with_escapes(value) if value else value

    return {name: [back(value) for value in values] for name, values in element.items()}


def _first(element: Element, name: str) -> str | None:
    value = element.get(name, [None])[0]
    if isinstance(value, dict):
        raise BadAnswer(f"the element {name} holds elements instead of a text")
    return value


def _text(element: Element, name: str) -> str:
    return _first(element, name) or ""


def _flag(element: Element, name: str) -> bool:
    return _text(element, name).lower() in _YES


def _all(element: Element, name: str) -> tuple[str, ...]:
    values = element.get(name, [])
    if any(isinstance(value, dict) for value in values):
        raise BadAnswer(f"an element {name} holds elements instead of a text")
    return tuple(str(value or "") for value in values)


def _inside(element: Element, name: str) -> Element | None:
    value = element.get(name, [None])[0]
    return value if isinstance(value, dict) else None


def _login(element: Element, name: str) -> UserPassword:
    inside = _inside(element, name) or {}
    user = _first(inside, "username")
    if not user:
        raise BadAnswer(f"the element {name} has no username")
    return UserPassword(user, Secret(_first(inside, "password") or ""))


#: Attribute, element, and how that is read when it is there.
_TAKEN: tuple[tuple[str, str, Callable[[Element, str], Any]], ...] = (
    *((ours, theirs, _text) for ours, theirs in {**_TEXTS, "noderange": "noderange", "stdin": "stdin"}.items()),
    *((ours, theirs, _all) for ours, theirs in _LISTS.items()),
    *((ours, theirs, _flag) for ours, theirs in _FLAGS.items()),
    *((name, name, _login) for name in _LOGINS),
)


def _token(element: Element) -> Secret | None:
    inside = _inside(element, "tokens")
    return Secret(_first(inside, "tokenid") or "") if inside else None


def _environment(element: Element) -> dict[str, str]:
    inside = _inside(element, "environment") or {}
    return {name: _first(inside, name) or "" for name in inside}


def _about(message: Any, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"node": {"name": message.node, **fields}} if message.node else fields


def _info(message: Any) -> Mapping[str, Any]:
    return _about(message, {"data": message.text}) if message.node else {"info": message.text}


def _data(message: Any) -> Mapping[str, Any]:
    code = {"errorcode": str(message.code)} if message.code else {}
    if message.desc:
        return _about(message, {"data": {"desc": message.desc, "contents": message.text}, **code})
    if not message.node and message.text.strip() in ("", "0"):
        return {"info": message.text}  # the Perl client prints no data that Perl takes for false
    return _about(message, {"data": message.text, **code})


def _warning(message: Any) -> Mapping[str, Any]:
    return _about(message, {"warning": message.text})


def _note(message: Any) -> Mapping[str, Any]:
    return {"warning": message.text, "NoWarnPrefix": "1"}


def _error(message: Any) -> Mapping[str, Any]:
    return _about(message, {"error": message.text, "errorcode": str(message.code)})


def _progress(message: Any) -> Mapping[str, Any]:
    return {"sinfo": message.text}


#: The class of a message -> the elements it becomes.
_SHAPES: Mapping[str, Callable[[Any], Mapping[str, Any]]] = {
    "Info": _info,
    "Data": _data,
    "Warn": _warning,
    "Note": _note,
    "Error": _error,
    "Progress": _progress,
}
