"""Tells xcatd that a node has finished its install, and asks it how far nodes are.

The hypervisor asks once and never again, so a daemon that is being restarted is waited for: whatever fails before an
answer is there is tried again until the limit. That does no harm, since xcatd answers a repetition as the first time.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from ..clock import Clock
from ..errors import BadAnswer, RhevError, TimedOut, Unreachable
from ..xcat.wire import WireRequest, read_response, split, write_request
from .settings import WebSettings

COMMAND, SETUP_COMMAND, METRICS = "rhevhupdateflag", "rhevmupdateflag", "lsve"
#: What a node may ask or tell about its setup.
SETUP_WORDS = ("answers", "taken", "up", "failed", "installed", "ready")
BOOTED = "booted"
#: The bit in an error code that rhevhupdateflag sets where a later try can succeed.
TRY_AGAIN = 2
#: What xcatd says when some of the names are not nodes; it then answers for none of them.
UNKNOWN = "Invalid nodes and/or groups in noderange: "
#: What can be a node; everything else would be a noderange of another meaning.
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
#: Questions about one page: nodes may be taken away between two of them.
QUESTIONS = 3
#: Seconds between two tries while xcatd does not answer.
PAUSE = 0.3
#: Seconds for one connection to be made; xcatd is on this machine or beside it.
CONNECT_LIMIT = 5.0


class Verdict(NamedTuple):
    """What xcatd decided about one report.

    Attributes:
        booted: The node boots from its own disk from now on.
        again: It does not yet, but may after a later report.
        text: xcatd's reason, one line, where it is not booted.
    """

    booted: bool
    again: bool
    text: str


class SetupAnswer(NamedTuple):
    """What xcatd said to a node that is set up.

    Attributes:
        lines: For the node; none where it was refused.
        again: A later try can succeed.
        reason: Why there are none, in xcatd's words.
    """

    lines: tuple[str, ...]
    again: bool = False
    reason: str = ""


class InstallProgress(NamedTuple):
    """How far one node is, as xcatd words it.

    Attributes:
        node: Its name.
        state: Its `chain.currstate`.
        status: Its `nodelist.status`.
        since: Its `nodelist.statustime`.
        address: The address that it reported from, or empty.
        manager: What the chain of steps after boot says, or empty.
    """

    node: str
    state: str
    status: str
    since: str
    address: str
    manager: str


class Overview(NamedTuple):
    """How far nodes are.

    Attributes:
        nodes: Those that xcatd answered for.
        unknown: Names that are not nodes of xcatd's.
        reason: Why there are not more, in xcatd's words, or empty.
    """

    nodes: list[InstallProgress]
    unknown: tuple[str, ...] = ()
    reason: str = ""


class XcatdClient:
    """The xcatd that gets the report.

    Args:
        settings: Where it is and how to trust it.
        clock: Time.
    """

    def __init__(self, settings: WebSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def report(self, node: str, address: str, name: str = "") -> Verdict:
        """Report that a node has finished its install.

        Args:
            node: The node.
            address: Where the report came from.
            name: What the machine calls itself, if that says something.

        Raises:
            Unreachable: xcatd did not answer within the limit.
        """
        words = (address, name) if name else (address,)
        return _verdict(node, self._answer(WireRequest(COMMAND, noderange=node, args=words, clienttype="ws")))

    def setup(self, node: str, address: str, word: str) -> SetupAnswer:
        """Ask, or tell, for a node that becomes a manager or a host.

        Args:
            node: The node.
            address: Where the request came from.
            word: One of `SETUP_WORDS`.

        Raises:
            Unreachable: xcatd did not answer within the limit.
        """
        documents = self._answer(WireRequest(SETUP_COMMAND, noderange=node, args=(address, word), clienttype="ws"))
        refused = _refusal(documents)
        if refused:
            return SetupAnswer((), refused.again, refused.text)
        lines = tuple(text for name, text in _node_data(documents) if name == node)
        return SetupAnswer(lines, not lines, "" if lines else "xcatd's answer says nothing for it")

    def progress(self, nodes: Sequence[str]) -> Overview:
        """Ask how far nodes are; a name that is not a node costs nothing but itself.

        Args:
            nodes: Their names.

        Raises:
            Unreachable: xcatd did not answer within the limit.
        """
        left = [node for node in nodes if _NODE.fullmatch(node)]
        unknown = [node for node in nodes if node not in left]
        documents: list[Mapping[str, Any]] = []
        for _ in range(QUESTIONS):
            if not left:
                break
            request = WireRequest(COMMAND, noderange=",".join(left), args=("--status",), clienttype="ws")
            documents = self._answer(request)
            gone = _unknown(documents).intersection(left)
            if not gone:
                break
            unknown += [node for node in left if node in gone]
            left = [node for node in left if node not in gone]
        lines = [InstallProgress(*line) for line in _lines(documents)]
        reason = "" if lines or not left else _verdict("", documents).text
        return Overview(lines, tuple(unknown), reason)

    def metrics(self, manager: str) -> tuple[str, str]:
        """Ask for a manager's numbers.

        Returns:
            The text in Prometheus' format, or nothing and why there is none.

        Raises:
            Unreachable: xcatd did not answer within the limit.
        """
        documents = self._answer(WireRequest(METRICS, args=("-m", manager, "--metrics"), clienttype="ws"))
        texts = [str(text) for document in documents for text in document.get("data", ()) if text]
        return "\n".join(texts), "" if texts else _verdict("", documents).text

    def _answer(self, request: WireRequest) -> list[Mapping[str, Any]]:
        end = self._clock.now() + self._settings.wait
        context = self._context()
        while True:
            try:
                return self._exchange(context, write_request(request), end)
            except ssl.SSLCertVerificationError as problem:
                raise Unreachable(f"xcatd's certificate is not from the CA: {problem.verify_message}") from None
            except (OSError, RhevError) as problem:
                if self._clock.now() + PAUSE >= end:
                    raise Unreachable(f"xcatd does not answer: {problem}") from None
            self._clock.sleep(PAUSE)

    def _exchange(self, context: ssl.SSLContext, request: bytes, end: float) -> list[Mapping[str, Any]]:
        """Send one request over one connection and read the whole answer."""
        connection = socket.create_connection(self._settings.xcatd, min(CONNECT_LIMIT, self._time_left(end)))
        connection.settimeout(self._time_left(end))
        # The request follows the handshake's last bytes; without this it waits 40 ms for their acknowledgement.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with closing(connection), closing(context.wrap_socket(connection)) as channel:
            channel.sendall(request)
            return list(self._documents(channel, end))

    def _documents(self, channel: ssl.SSLSocket, end: float) -> Iterator[Mapping[str, Any]]:
        rest = b""
        while True:
            channel.settimeout(self._time_left(end))
            received = channel.recv(65536)
            if not received:
                raise BadAnswer("the answer ends too early")
            documents, rest = split(rest + received)
            for document in map(read_response, documents):
                yield document
                if "serverdone" in document:
                    return

    def _time_left(self, end: float) -> float:
        left = end - self._clock.now()
        if left <= 0:
            raise TimedOut("the time is up")
        return left

    def _context(self) -> ssl.SSLContext:
        """Trust xCAT's CA but, as xCAT's own clients, not insist on a host name.

        Raises:
            Unreachable: No CA can be read and xcatd is on another machine, where anybody could pretend to be it; or
                the certificate to show cannot be read.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False
        ca = next((path for path in self._settings.ca if os.access(path, os.R_OK)), None)
        if ca:
            context.load_verify_locations(ca)
        elif self._settings.xcatd[0] in ("127.0.0.1", "::1", "localhost"):
            context.verify_mode = ssl.CERT_NONE
        else:
            raise Unreachable(f"no CA can be read ({', '.join(self._settings.ca)}), so xcatd cannot be verified")
        if self._settings.certificate:
            _show(context, self._settings.certificate)
        return context


def _show(context: ssl.SSLContext, certificate: str) -> None:
    try:
        context.load_cert_chain(certificate)
    except OSError as problem:
        raise Unreachable(f"the certificate {certificate} cannot be used: {problem}") from None


def _verdict(node: str, documents: Sequence[Mapping[str, Any]]) -> Verdict:
    refused = _refusal(documents)
    if refused:
        return refused
    booted = (node, BOOTED) in _node_data(documents)
    return Verdict(booted, not booted, "" if booted else "xcatd's answer does not say that it is booted")


def _refusal(documents: Sequence[Mapping[str, Any]]) -> Verdict | None:
    """What xcatd complained about, if it did."""
    codes, reason = 0, ""
    for document in documents:
        for element in (document, *(part for part in document.get("node", ()) if isinstance(part, dict))):
            codes |= _code(element)
            reason = reason or str(next(filter(None, element.get("error", ())), ""))
    if not (reason or codes):
        return None
    return Verdict(False, bool(codes & TRY_AGAIN), reason or "refused without a reason")


def _node_data(documents: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Each node with a line that xcatd has for it."""
    elements = (part for document in documents for part in document.get("node", ()) if isinstance(part, dict))
    return [
        (str(element["name"][0]), str(element["data"][0] or ""))
        for element in elements
        if element.get("name") and len(element.get("data", ())) == 1
    ]


def _unknown(documents: Sequence[Mapping[str, Any]]) -> set[str]:
    texts = (str(text) for document in documents for text in document.get("error", ()))
    return {name for text in texts if text.startswith(UNKNOWN) for name in text[len(UNKNOWN) :].split(",")}


def _code(element: Mapping[str, Any]) -> int:
    texts = (str(value) for value in element.get("errorcode", ()))
    return sum({int(text) for text in texts if text.isascii() and text.isdigit()})


def _lines(documents: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    for document in documents:
        for element in document.get("node", ()):
            if isinstance(element, dict) and element.get("name") and element.get("data"):
                fields = str(element["data"][0] or "").split("|")
                if len(fields) == len(InstallProgress._fields) - 1:
                    yield (str(element["name"][0]), *fields)
