"""Where a VM's console is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import BadAnswer
from ...secret import Secret


@dataclass(frozen=True)
class WebsocketProxy:
    """An engine's proxy that brings consoles into browsers.

    Attributes:
        host: Where it is; empty for the host of each VM.
        port: Its port.
    """

    host: str
    port: int


@dataclass(frozen=True)
class BrowserConsole:
    """A running VM's VNC console behind the engine's websocket proxy.

    Attributes:
        host, port: The proxy's.
        ticket: What leads through it, signed by the engine.
        password: The console's.

    Raises:
        BadAnswer: One of them is none.
    """

    host: str
    port: int
    ticket: Secret
    password: Secret

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.:_-]*", self.host) or not self.ticket.reveal().isprintable():
            raise BadAnswer("the manager's answer about its websocket proxy cannot be understood")


@dataclass(frozen=True)
class Console:
    """A running VM's console.

    Attributes:
        protocol: vnc, spice.
        address: The host to connect to.
        port: Plain port, or None.
        secure_port: TLS port, or None.
        ticket: The password.
        seconds: How long the ticket lives.

    Raises:
        BadAnswer: One of them is none: it would bring lines of its own into a viewer's file, or words into a command.
    """

    protocol: str
    address: str
    port: int | None
    secure_port: int | None
    ticket: Secret
    seconds: int

    def __post_init__(self) -> None:
        fits = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.:_%-]*", self.address) and re.fullmatch(r"[a-z]+", self.protocol)
        if not fits or not self.ticket.reveal().isprintable():
            raise BadAnswer("the manager's answer about a console cannot be understood")
