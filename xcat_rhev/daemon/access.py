"""The other end of a connection: TLS settings of the daemon, and the name in a client's certificate."""

from __future__ import annotations

import logging
import ssl
from functools import lru_cache
from typing import Optional

from cryptography import x509
from cryptography.x509.oid import NameOID

from ..errors import Usage
from .home import Home

log = logging.getLogger(__name__)

#: Python has OpenSSL 3 take a connection that just ends for one that was ended with a word. We want to know: the one is
#: a client that went away, the other may still wait for its answer. The number is OpenSSL's; Python 3.9 has no name.
IGNORE_SUDDEN_END = getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0x80 if ssl.OPENSSL_VERSION_INFO >= (3,) else 0)


def server_context(home: Home) -> ssl.SSLContext:
    """Make the settings for clients: TLS 1.2 or newer, a certificate of our CA or none.

    No session tickets are sent: no client resumes a session, and an unread ticket in a socket that is closed at once
    turns the close into a reset, which loses the request that was sent just before.

    Args:
        home: Where the certificates are.

    Raises:
        Usage: A certificate file is missing or unusable.
    """
    context = _context(home, ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_OPTIONAL
    revoked = home.cert / "crl.pem"
    if revoked.exists():
        context.load_verify_locations(revoked)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    context.num_tickets = 0
    context.options &= ~IGNORE_SUDDEN_END
    return context


def peer_context(home: Home) -> ssl.SSLContext:
    """Make the settings for talking to another xcatd as this one: `server-cred.pem` is the client certificate.

    The chain is checked, the host name is not, as in xCAT: a service node shows the certificate of its management node.

    Args:
        home: Where the certificates are.

    Raises:
        Usage: A certificate file is missing or unusable.
    """
    context = _context(home, ssl.PROTOCOL_TLS_CLIENT, check_hostname=False)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _context(home: Home, protocol: int, check_hostname: Optional[bool] = None) -> ssl.SSLContext:
    credentials, authority = home.cert / "server-cred.pem", home.cert / "ca.pem"
    context = ssl.SSLContext(protocol)
    if check_hostname is not None:
        context.check_hostname = check_hostname
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(credentials)
        context.load_verify_locations(authority)
    except OSError as problem:  # ssl.SSLError is one
        raise Usage(
            f"the certificate {credentials} or its CA {authority} cannot be used: {problem.strerror or problem}",
            "Remove the directory cert to have it made again",
        ) from problem
    return context


@lru_cache(maxsize=1024)
def peer_name(certificate: bytes | None) -> str:
    """The name in a client's certificate: its CN up to a `/`, as xCAT cuts it; empty without a certificate.

    One that OpenSSL takes and the library refuses to read says nothing either.

    Args:
        certificate: In DER; it has been checked already.
    """
    if certificate is None:
        return ""
    try:
        names = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value).partition("/")[0] if names else ""
    except Exception as problem:  # what it raises for which fault has changed with its versions
        log.warning("a client's certificate cannot be read: %s", type(problem).__name__)
        return ""
