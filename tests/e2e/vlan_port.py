"""An untagged port of a VLAN, for kernels without 802.1Q: what a switch does, between two TAP devices.

`vlan_port.py TRUNK PORT TAG`: frames that reach TRUNK with that tag leave PORT without it, and the other way round.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import sys

TUNSETIFF, TAP, NO_HEADER = 0x400454CA, 0x0002, 0x1000
#: The length of the two addresses in front of a frame, and what stands behind them where it is tagged.
ADDRESSES, TAGGED = 12, b"\x81\x00"


def tap(name: str) -> int:
    """Make a TAP device, which lasts as long as its descriptor."""
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), TAP | NO_HEADER))
    return device


def main() -> None:
    trunk, port, tag = tap(sys.argv[1]), tap(sys.argv[2]), int(sys.argv[3])
    print("ready", flush=True)
    while True:
        for device in select.select([trunk, port], [], [])[0]:
            frame = os.read(device, 1 << 16)
            if device == port:
                os.write(trunk, frame[:ADDRESSES] + TAGGED + struct.pack(">H", tag) + frame[ADDRESSES:])
            elif frame[ADDRESSES : ADDRESSES + 2] == TAGGED and struct.unpack_from(">H", frame, 14)[0] & 0xFFF == tag:
                os.write(port, frame[:ADDRESSES] + frame[ADDRESSES + 4 :])


if __name__ == "__main__":
    main()
