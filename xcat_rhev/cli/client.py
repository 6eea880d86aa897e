"""A conversation with an xcatd over TLS, as xCAT's own clients have it."""

from __future__ import annotations

import os
import pwd
import socket
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Callable, NamedTuple

from ..errors import Denied, NotFound, Unreachable, Usage
from ..xcat.document import Element
from ..xcat.wire import WireRequest, read_response, split, write_request
from . import homes

#: Seconds for the connection to be made.
CONNECT_LIMIT = 15.0
DEFAULT_HOST = "localhost:3001"
CHUNK = 64 << 10


class Target(NamedTuple):
    """Which daemon, and how to trust it.

    Attributes:
        host: A name or address.
        port: The TCP port.
        certificates: The folder with `ca.pem` and `client-cred.pem`.
    """

    host: str
    port: int
    certificates: Path

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def target(environment: Mapping[str, str]) -> Target:
    """Find the daemon to ask: `XCAT_CERT_DIR`, else `~/.xcat`, else the embedded xcatd's home. There `XCATHOST` counts,
    else what is beside the certificates, else this machine.

    Args:
        environment: The process's variables.

    Raises:
        Usage: XCATHOST is not a host:port.
    """
    certificates = Path(environment.get("XCAT_CERT_DIR") or _certificates())
    text = environment.get("XCATHOST") or homes.named_beside(certificates) or DEFAULT_HOST
    host, colon, port = text.rpartition(":")
    if not colon or "]" in port:
        host, port = text, "3001"
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536 and host):
        raise Usage(f"XCATHOST is '{text}'", "Write it as host:port, such as localhost:3001")
    return Target(host.strip("[]"), int(port), certificates)


def _certificates() -> Path:
    """A user's own certificates, else those of a home of the embedded xcatd that this user may read."""
    own, embedded = _home() / ".xcat", homes.certificates_of(homes.usual())
    return embedded if not own.exists() and os.access(embedded / "client-cred.pem", os.R_OK) else own


def _home() -> Path:
    """The user's own folder whatever HOME says, as for xCAT's clients; HOME's for a user without a passwd entry."""
    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        return Path.home()


class Conversation:
    """One connection, one request.

    Args:
        where: The daemon to ask.

    Raises:
        NotFound: The certificates are not there.
        Unreachable: Nobody listens, or the other side is not trusted; its exit code is the system's error number, as
            that of xCAT's clients is.
    """

    def __init__(self, where: Target) -> None:
        self._where = where
        context = _context(where.certificates)
        try:
            plain = socket.create_connection((where.host, where.port), CONNECT_LIMIT)
        except OSError as problem:
            failure = Unreachable(f"Connection failure: {problem.strerror or problem}")
            failure.exit_code = problem.errno if problem.errno and 0 < problem.errno < 128 else 1
            raise failure from None
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        try:
            self._channel = context.wrap_socket(plain)
        except OSError as problem:
            plain.close()
            raise Unreachable(f"Connection failure: {_reason(problem, where)}") from None
        self._channel.settimeout(None)

    def ask(self, request: WireRequest, silent: Callable[[], None] = lambda: None) -> Iterator[Element]:
        """Send a request and give the answer's documents as they come, the last one included.

        If the daemon goes away before, they just end; `<serverdone>` tells.

        Args:
            request: What.
            silent: Called once for every second in which nothing came.

        Raises:
            BadAnswer: What came is not an answer.
            Denied: The daemon does not accept our certificate.
            Usage: The request cannot be sent.
        """
        document = write_request(request)
        try:
            self._channel.sendall(document)
            yield from self._answers(silent)
        except ssl.SSLError as problem:
            if "ALERT" in (problem.reason or ""):
                raise Denied(f"{self._where} does not accept the certificate in {self._where.certificates}") from None
        except OSError:
            return

    def abort(self) -> None:
        """Ask the daemon to stop what it is doing for us, and wait until it says that it did by closing."""
        try:
            self._channel.settimeout(2.0)
            self._channel.sendall(write_request(WireRequest(abort=True)))
            while self._channel.recv(CHUNK):
                pass
        except (OSError, ValueError):
            return  # it went first

    def close(self) -> None:
        """End the connection."""
        self._channel.close()

    def _answers(self, silent: Callable[[], None]) -> Iterator[Element]:
        rest = b""
        self._channel.settimeout(1.0)
        while True:
            try:
                received = self._channel.recv(CHUNK)
            except socket.timeout:  # TimeoutError from Python 3.10 on
                silent()
                continue
            if not received:
                return
            documents, rest = split(rest + received)
            for document in documents:
                answer = read_response(document)
                yield answer
                if "serverdone" in answer:
                    return


def _context(folder: Path) -> ssl.SSLContext:
    """Trust what the CA in the folder has signed; like xCAT's clients, whatever host name it was signed for."""
    authority, credentials = folder / "ca.pem", folder / "client-cred.pem"
    for file in (authority, credentials):
        if not os.access(file, os.R_OK):
            raise NotFound(
                f"the certificate {file} is not there or not readable",
                "Set XCAT_CERT_DIR to the folder with ca.pem and client-cred.pem; it is ~/.xcat if not set",
            )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    for file, load in ((authority, context.load_verify_locations), (credentials, context.load_cert_chain)):
        try:
            load(str(file))
        except (OSError, ValueError) as problem:
            raise NotFound(f"{file} holds no usable certificate: {problem}") from None
    return context


def _reason(problem: OSError, where: Target) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"the certificate of {where} is not from the CA in {where.certificates}: {problem.verify_message}"
    if isinstance(problem, TimeoutError):
        return "SSL Timeout or incorrect certificates in ~/.xcat"
    return f"{where} does not speak TLS as xcatd does: {problem.strerror or problem}"
