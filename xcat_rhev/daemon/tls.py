"""TLS of one client over a socket that never waits.

OpenSSL left alone with a socket reads each record in two calls and writes each in one of its own. Through memory, one
call moves all that is there, a third of the calls of a small request.
"""

from __future__ import annotations

import contextlib
import socket
import ssl

#: Bytes that are taken from the socket at once, so that no client keeps the others waiting.
SHARE = 64 << 10
#: The longest text of one record.
RECORD = 16 << 10


class Tls:
    """The daemon's side.

    Args:
        sock: The accepted socket, which the loop watches.
        context: TLS settings.
        share: Where to put what came, SHARE bytes; all connections of a loop use the same.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, share: memoryview) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._in, self._out, server_side=True)
        self._unsent = b""
        self._ended = False
        self._share = share

    @property
    def unsent(self) -> int:
        """How many bytes wait until the socket takes them."""
        return len(self._unsent) + self._out.pending

    def fill(self) -> None:
        """Take what came, up to one share.

        Raises:
            OSError: The connection is broken.
        """
        try:
            count = self.sock.recv_into(self._share)
        except BlockingIOError:
            return
        if count:
            self._in.write(self._share[:count])
        else:
            self._in.write_eof()

    def greet(self) -> bool:
        """Go on with the handshake; tells whether it is done.

        Raises:
            OSError: The client does not speak TLS as we do, or has gone.
        """
        try:
            self._session.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:  # a refusal is told too
            self.flush()
        # Acknowledge at once what the client sent: its request follows its last handshake record, and its kernel holds
        # that back until then, 40 ms later by default, as no ticket of ours is under way.
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return True

    def certificate(self) -> bytes | None:
        """The client's certificate in DER, which OpenSSL found to be of our CA; None without one."""
        return self._session.getpeercert(binary_form=True)

    def read(self) -> bytes | None:
        """One record of what was filled in; None: there is no whole one; empty: the client says that it has ended.

        Raises:
            OSError: The end came without a word, or this is no TLS.
        """
        try:
            return self._session.read(RECORD)
        except ssl.SSLWantReadError:
            return None

    def write(self, data: bytes) -> None:
        """Encrypt bytes; `flush` sends them."""
        self._session.write(data)

    def end(self) -> None:
        """Write the word of the end, once."""
        if not self._ended:
            self._ended = True
            with contextlib.suppress(OSError):  # it would wait for the client's as well
                self._session.unwrap()

    def flush(self) -> bool:
        """Send what the socket takes; tells whether it took anything.

        Raises:
            OSError: The connection is broken.
        """
        before = self.unsent
        while self.unsent:
            self._unsent = self._unsent or self._out.read()
            try:
                self._unsent = self._unsent[self.sock.send(self._unsent) :]
            except BlockingIOError:
                break
        return self.unsent < before
