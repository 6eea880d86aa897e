"""What attackers have: a TLS server that writes down what it is told, a certificate, and a user with one policy row."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path
from typing import Any, Callable

from daemonhelp import Served
from xcat_rhev.daemon import certificates
from xcat_rhev.secret import Secret
from xcat_rhev.sim.certs import Certificates, make
from xcat_rhev.xcat.wire import UserPassword, WireRequest

DENIED = b"<error>Permission denied for request</error>"


class Rogue:
    """A TLS server of somebody's own: keeps what it gets, gives its CA as an engine does, and answers by a script.

    Args:
        folder: For its certificates.
        answer: Makes the bytes of an answer out of those of a request; it is sent piece by piece.
    """

    def __init__(self, folder: Path, answer: Callable[[bytes], Any] | None = None) -> None:
        self.certificates: Certificates = make(folder, ["127.0.0.1", "localhost"])
        self.heard: list[bytes] = []
        self.taken = 0
        self._answer = answer or self.gives_ca
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificates.certificate, self.certificates.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """As `-m` names it."""
        return f"127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def _run(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            self.taken += 1
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        try:
            with self._context.wrap_socket(raw, server_side=True) as sock:
                while request := _request(sock):
                    self.heard.append(request)
                    for piece in self._answer(request):
                        sock.sendall(piece)
        except OSError:
            raw.close()

    def gives_ca(self, request: bytes) -> list[bytes]:
        """An engine's answer to whoever asks for its CA; others are not known."""
        body = self.certificates.ca.read_bytes() if b"pki-resource" in request else b""
        status = b"200 OK" if body else b"401 Unauthorized"
        return [b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)]


def _request(sock: ssl.SSLSocket) -> bytes:
    """A request's head; those of a client that asks for things have no body worth waiting for."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = sock.recv(65536)
        if not part:
            return b""
        head += part
    return head


def user(xcat: Served, name: str, *commands: str, priority: str = "6") -> Path:
    """Give somebody a certificate and, if there are commands, one policy row; the file to show."""
    if commands:
        words = (f"policy.name={name}", f"policy.commands={','.join(commands)}", "policy.rule=allow")
        xcat.type("tabch", f"priority={priority}", *words)
    folder = xcat.home.root / "users" / name
    certificates.issue_client(xcat.home, name, folder)
    return folder / "client-cred.pem"


def by_password(xcat: Served, name: str, **request: Any) -> WireRequest:
    """A request of somebody who has a password and no certificate."""
    xcat.type("tabch", f"key=xcat,username={name}", "passwd.password=right")
    return WireRequest(becomeuser=UserPassword(name, Secret("right")), **request)
