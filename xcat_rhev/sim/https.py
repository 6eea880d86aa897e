"""What the engine's server and its hosts' image daemon have in common: an HTTPS server that leaves nothing behind."""

from __future__ import annotations

import logging
import ssl
from typing import Any

from cheroot.server import HTTPServer
from cheroot.ssl import Adapter
from cheroot.ssl.builtin import BuiltinSSLAdapter

from .certs import Certificates


class HttpsServer(HTTPServer):
    """A server of cheroot that is forgotten when it has ended."""

    def stop(self) -> None:
        """End it, and leave the table of the process in which cheroot keeps each server, and its engine with it."""
        super().stop()
        vars(logging)["statistics"].pop(f"Cheroot HTTPServer {id(self)}", None)


class EngineTls(BuiltinSSLAdapter):
    """TLS without what cheroot's own adapter tells WSGI programs: for that it connects to itself at the start, and
    describes the certificate for each client.

    Args:
        certificates: What the server shows.
    """

    def __init__(self, certificates: Certificates) -> None:
        files = str(certificates.certificate), str(certificates.key)
        Adapter.__init__(self, *files)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.load_cert_chain(*files)

    def get_environ(self, *_: Any) -> dict[str, str]:
        """Nothing: no WSGI program asks."""
        return {}
