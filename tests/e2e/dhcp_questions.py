"""A DHCP client for tests: asks as firmware does and prints what it is told, as JSON; run inside the namespace.

The first argument is the interface, the second a list of questions: MAC, architecture or null, user class, options, and
the seconds to wait.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
from typing import Any


def question(mac: bytes, xid: bytes, arch: int | None, user: str, wanted: list[int]) -> bytes:
    """A DHCPDISCOVER from the first octet of Ethernet on."""
    options = b"\x63\x82\x53\x63\x35\x01\x01" + bytes([55, len(wanted), *wanted])
    if arch is not None:
        vendor = b"HTTPClient" if arch in (15, 16, 19) else b"PXEClient"
        options += struct.pack("!BBH", 93, 2, arch) + bytes([60, len(vendor)]) + vendor
    if user:
        options += bytes([77, len(user)]) + user.encode()
    head = struct.pack("!BBBB4sHH16x", 1, 1, 6, 0, xid, 0, 0x8000)
    boot = head + mac.ljust(16, b"\0") + bytes(192) + options + b"\xff"
    udp = struct.pack("!HHHH", 68, 67, 8 + len(boot), 0) + boot
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    total = sum(struct.unpack("!10H", ip))
    total = (total & 0xFFFF) + (total >> 16)
    ip = ip[:10] + struct.pack("!H", ~total & 0xFFFF) + ip[12:]
    return b"\xff" * 6 + mac + b"\x08\x00" + ip + udp


def answer(boot: bytes) -> dict[str, Any]:
    """What a DHCPOFFER says."""
    options, at = {}, 240
    while boot[at] != 255:
        if boot[at]:
            options[boot[at]] = boot[at + 2 : at + 2 + boot[at + 1]]
            at += boot[at + 1]
            at += 2
        else:
            at += 1
    file = boot[108:236].rstrip(b"\0") or options.get(67, b"").rstrip(b"\0")
    return {
        "address": socket.inet_ntoa(boot[16:20]),
        "server": socket.inet_ntoa(boot[20:24]),
        "file": file.decode(),
        "vendor": options.get(60, b"").decode(),
        "router": options.get(3, b"").hex(),
        "name": options.get(12, b"").decode(),
    }


def ask(
    interface: str, mac: str, arch: int | None, user: str, wanted: list[int], limit: float
) -> dict[str, Any] | None:
    """Ask once; None without an answer in so many seconds."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)) as wire:
        wire.bind((interface, 0))
        wire.settimeout(limit)
        xid = os.urandom(4)
        wire.send(question(bytes.fromhex(mac.replace(":", "")), xid, arch, user, wanted))
        try:
            while True:
                frame = wire.recv(2000)
                if frame[23] == 17 and frame[36:38] == b"\0\x44" and frame[46:50] == xid:
                    return answer(frame[42:])
        except TimeoutError:
            return None


if __name__ == "__main__":
    print(json.dumps([ask(sys.argv[1], *each) for each in json.loads(sys.argv[2])]))
