"""Where a VM's console is."""

from __future__ import annotations

from dataclasses import dataclass

from ..secret import Secret


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
    """

    protocol: str
    address: str
    port: int | None
    secure_port: int | None
    ticket: Secret
    seconds: int
