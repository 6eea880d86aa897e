"""A router that says at once that there is nothing to configure over IPv6: `ipv6_router.py DEVICE`.

iPXE goes on with the address from DHCP only when it knows that; without an answer it waits for 15 seconds.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys

SOLICITATION, ADVERTISEMENT, ALL_ROUTERS, ALL_NODES = 133, 134, "ff02::2", "ff02::1"
#: Type, code and a checksum that the kernel fills in; no hop limit, no flags, no lifetimes: a router for nobody.
NOTHING = struct.pack(">BBHBBHII", ADVERTISEMENT, 0, 0, 0, 0, 0, 0, 0)
#: RFC 4861: other hop limits are from beyond the link, and ignored.
HOPS = 255


def main() -> None:
    index = socket.if_nametoindex(sys.argv[1])
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as port:
        member = socket.inet_pton(socket.AF_INET6, ALL_ROUTERS) + struct.pack("@I", index)
        port.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
        port.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, HOPS)
        while True:
            if port.recv(1 << 16)[0] == SOLICITATION:
                with contextlib.suppress(OSError):  # our own address is not ready yet; it asks again
                    port.sendto(NOTHING, (ALL_NODES, 0, 0, index))


if __name__ == "__main__":
    main()
