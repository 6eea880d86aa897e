"""What is behind a console in a browser: a VNC server, and a websocket proxy that reads tickets as an engine's does."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import select
import socket
import ssl
import struct
import threading
import warnings
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from xcat_rhev.sim.certs import Certificates

with warnings.catch_warnings():  # it has moved there, and is old-fashioned where it was
    warnings.simplefilter("ignore")
    try:
        from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    except ImportError:
        from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import ECB

#: What a websocket's key is answered with (RFC 6455, 1.3).
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
WIDTH, HEIGHT = 320, 200
VERSION = b"RFB 003.008\n"
#: Seconds that only bound a hang.
LONG = 120.0


def answer_of(challenge: bytes, password: str) -> bytes:
    """What a client answers to a VNC challenge: DES with its first eight bytes, bits reversed (RFC 6143)."""
    raw = password.encode("latin-1")[:8].ljust(8, b"\0")
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in raw)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        work = Cipher(TripleDES(key * 3), ECB()).encryptor()  # noqa: S305
    return work.update(challenge) + work.finalize()


def read(sock: socket.socket, size: int) -> bytes:
    """Read so many bytes.

    Raises:
        OSError: The other end hung up before.
    """
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise OSError("it hung up")
        data += piece
    return data


class Server:
    """Something that listens on this machine, with a thread for each caller; for `with`.

    Args:
        serve: What is done with a caller.
    """

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._open: list[socket.socket] = []

    def __enter__(self) -> Server:
        self._threads[0].start()
        return self

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock = self._listener.accept()[0]
                sock.settimeout(LONG)
                self._open.append(sock)
                self._threads.append(threading.Thread(target=self._one, args=(sock,), daemon=True))
                self._threads[-1].start()

    def _one(self, sock: socket.socket) -> None:
        with contextlib.closing(sock), contextlib.suppress(OSError):
            self._serve(sock)

    def __exit__(self, *_: object) -> None:
        for sock in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(LONG)


class VncServer:
    """A console that wants a password, as QEMU has it.

    Args:
        password: Gives what it is at the moment.

    Attributes:
        let_in, turned_away: How many callers.
        shown: Set when somebody has been sent a picture.
    """

    def __init__(self, password: Callable[[], str]) -> None:
        self._password = password
        self.let_in = self.turned_away = 0
        self.shown = threading.Event()
        self.server = Server(self._serve)

    def _serve(self, sock: socket.socket) -> None:
        sock.sendall(VERSION)
        assert read(sock, 12) == VERSION
        sock.sendall(b"\x01\x02")
        assert read(sock, 1) == b"\x02"
        challenge = os.urandom(16)
        sock.sendall(challenge)
        if read(sock, 16) != answer_of(challenge, self._password()):
            self.turned_away += 1
            said = b"Authentication failed"
            sock.sendall(struct.pack(">II", 1, len(said)) + said)
            return
        self.let_in += 1
        sock.sendall(bytes(4))
        read(sock, 1)
        name = b"stand-in"
        form = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
        sock.sendall(struct.pack(">HH", WIDTH, HEIGHT) + form + struct.pack(">I", len(name)) + name)
        self._answer(sock)

    def _answer(self, sock: socket.socket) -> None:
        """Take what clients say, and show a picture to who asks for one that is not only what has changed."""
        rest = {0: 19, 4: 7, 5: 5}
        while True:
            kind = read(sock, 1)[0]
            if kind == 2:
                read(sock, 4 * struct.unpack(">xH", read(sock, 3))[0])
            elif kind == 6:
                read(sock, struct.unpack(">xxxI", read(sock, 7))[0])
            elif kind == 3:
                if not read(sock, 9)[0]:
                    head = struct.pack(">BxHHHHHi", 0, 1, 0, 0, WIDTH, HEIGHT, 0)
                    sock.sendall(head + struct.pack("<I", 0x00CC6600) * (WIDTH * HEIGHT))
                    self.shown.set()
            else:
                read(sock, rest[kind])


class TicketProxy:
    """A websocket proxy over TLS; the path is a ticket that says where it leads, as ovirt-websocket-proxy reads it.

    What it does not do is to look at the ticket's signature.

    Args:
        certificates: What it shows.

    Attributes:
        tickets: Those that came, unpacked.
    """

    def __init__(self, certificates: Certificates) -> None:
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificates.certificate, certificates.key)
        self.tickets: list[dict[str, Any]] = []
        self.server = Server(self._serve)

    def _serve(self, plain: socket.socket) -> None:
        with self._tls.wrap_socket(plain, server_side=True) as sock:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += read(sock, 1)
            first, *lines = head.decode("latin-1").split("\r\n")
            told = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}
            ticket = json.loads(base64.b64decode(first.split()[1][1:]))
            self.tickets.append(ticket)
            to = json.loads(unquote(ticket["data"]))
            accept = base64.b64encode(hashlib.sha1(f"{told['sec-websocket-key']}{_GUID}".encode()).digest()).decode()
            answer = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
            answer += [f"Sec-WebSocket-Accept: {accept}"]
            answer += ["Sec-WebSocket-Protocol: binary"] if "binary" in told.get("sec-websocket-protocol", "") else []
            sock.sendall("\r\n".join([*answer, "", ""]).encode())
            with socket.create_connection((to["host"], int(to["port"])), LONG) as console:
                _relay(WebSocket(sock, masks=False), console)


class WebSocket:
    """A websocket after its handshake.

    Args:
        sock: The line.
        masks: What is sent is masked, as clients have to.
    """

    def __init__(self, sock: ssl.SSLSocket, masks: bool) -> None:
        self.sock, self._masks = sock, masks
        self._left = b""

    def send(self, data: bytes, kind: int = _BINARY) -> None:
        """Send a message."""
        mask, bit = (os.urandom(4), 0x80) if self._masks else (b"", 0)
        size = len(data)
        long = struct.pack(">BH", bit | 126, size) if size < 1 << 16 else struct.pack(">BQ", bit | 127, size)
        head = bytes([0x80 | kind]) + (bytes([bit | size]) if size < 126 else long) + mask
        self.sock.sendall(head + (_masked(data, mask) if mask else data))

    def receive(self) -> bytes:
        """The next message; nothing when the other end says good bye."""
        while True:
            first, size = read(self.sock, 2)
            length = size & 0x7F
            if length > 125:
                length = int.from_bytes(read(self.sock, 2 if length == 126 else 8), "big")
            mask = read(self.sock, 4) if size & 0x80 else b""
            data = read(self.sock, length)
            data = _masked(data, mask) if mask else data
            kind = first & 0x0F
            if kind == _CLOSE:
                return b""
            if kind == _PING:
                self.send(data, _PONG)
            elif kind in (0, _TEXT, _BINARY) and data:
                return data

    def read(self, size: int) -> bytes:
        """So many bytes of the messages.

        Raises:
            OSError: The other end hung up before.
        """
        while len(self._left) < size:
            more = self.receive()
            if not more:
                raise OSError("it said good bye")
            self._left += more
        data, self._left = self._left[:size], self._left[size:]
        return data


def _masked(data: bytes, mask: bytes) -> bytes:
    whole = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(len(data), "big")


def _relay(browser: WebSocket, console: socket.socket) -> None:
    """Pass bytes on in both directions until one end has enough; in one thread, as TLS wants it."""
    line = browser.sock
    while True:
        ready = [line] if line.pending() else select.select([line, console], [], [], LONG)[0]
        if line in ready:
            data = browser.receive()
            if not data:
                return
            console.sendall(data)
        if console in ready:
            data = console.recv(1 << 16)
            browser.send(data, _BINARY if data else _CLOSE)
        if not ready or not data:
            return


def opened(host: str, port: int, path: str, tls: ssl.SSLContext) -> tuple[WebSocket, ssl.SSLSocket]:
    """Open a websocket as a browser does; its certificate must be good for the host."""
    sock = tls.wrap_socket(socket.create_connection((host, port), LONG), server_hostname=host)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET /{path} HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
    sock.sendall("\r\n".join(lines).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += read(sock, 1)
    assert head.startswith(b"HTTP/1.1 101 "), head
    return WebSocket(sock, masks=True), sock


def logged_in(line: WebSocket, password: str) -> bytes:
    """Log in at a VNC console; the name of what is there.

    Raises:
        PermissionError: The password is wrong.
    """
    assert line.read(12) == VERSION
    line.send(VERSION)
    assert line.read(2) == b"\x01\x02"
    line.send(b"\x02")
    line.send(answer_of(line.read(16), password))
    if line.read(4) != bytes(4):
        raise PermissionError
    line.send(b"\x01")
    size = struct.unpack(">HH16xI", line.read(24))[2]
    return line.read(size)
