"""Whom to believe: the manager's CA, fetched once and pinned, or named by the site.

What is fetched is taken only if it parses as a CA certificate, so that no error page can become one; it is shown by its
SHA-256 and never replaced.
"""

from __future__ import annotations

import hashlib
import os
import ssl
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from ..errors import RhevError, Unreachable, Usage
from .transport import Http, Limits, Request

if TYPE_CHECKING:
    from .session import Access

#: Where engines give their CA, newest first (engine 3.4 and later; 3.0 to 3.6).
CA_PATHS = ("/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA", "/ca.crt")
#: Plain HTTP, for engines that give it there alone: 3.1 and later behind Apache, 3.0 by itself.
PLAIN_PORTS = (80, 8080)
_PEM_END = b"-----END CERTIFICATE-----"


def context(ca: Path | None, *, insecure: bool = False, old: bool = False) -> ssl.SSLContext:
    """Make the TLS settings for a manager.

    Args:
        ca: A file with the CA; None means the system's own.
        insecure: Believe anybody.
        old: Allow TLS below 1.2, with the ciphers of that time (RHEV 3.0).

    Raises:
        Usage: The file holds no certificate.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if old:
        _allow_old(made)
    if insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    elif ca is None:
        made.load_default_certs()
    else:
        try:
            made.load_verify_locations(cafile=str(ca))
        except (OSError, ssl.SSLError):
            raise Usage(f"{ca} holds no CA certificate", "Put the manager's CA there, or remove the file") from None
    return made


def _allow_old(made: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        # Python calls these versions deprecated; an engine of 2012 has no others.
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = ssl.TLSVersion.TLSv1
    made.set_ciphers("DEFAULT:@SECLEVEL=0")


def fingerprint(pem: str) -> str:
    """The SHA-256 of a certificate, as `AB:CD:...`."""
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
    return ":".join(digest[i:i + 2] for i in range(0, len(digest), 2))


def ca_in(data: bytes) -> str:
    """Take the first certificate out of what a manager sent, if it is a CA's.

    Returns:
        PEM text, or nothing for an HTML page, an empty answer, a server's certificate ...
    """
    start, end = data.find(b"-----BEGIN CERTIFICATE-----"), data.find(_PEM_END)
    if not 0 <= start < end:
        return ""
    try:
        pem = data[start:end + len(_PEM_END)].decode("ascii") + "\n"
        probe = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        probe.load_verify_locations(cadata=pem)
    except (UnicodeDecodeError, ssl.SSLError, ValueError):
        return ""
    return pem if probe.cert_store_stats()["x509_ca"] == 1 else ""


def pinned(access: Access, origin: str, tell: Callable[[str], None]) -> Path:
    """Give the file with a manager's CA, fetching it if it is not there yet.

    Args:
        access: How the manager is reached; the file is `ca.crt` in its folder.
        origin: `https://host:port` that answers.
        tell: Told when a CA was fetched, with its SHA-256.

    Raises:
        Unreachable: No address gives a CA.
        Usage: The folder cannot be written.
    """
    file = access.folder / "ca.crt"
    if file.exists():
        return file
    pem = _fetch(access, origin)
    if _keep(access.folder, file, pem):
        tell(f"manager {access.name}: its CA is now kept in {file}, SHA-256 {fingerprint(pem)}")
    return file


def _fetch(access: Access, origin: str) -> str:
    """Ask the known addresses until one gives a CA certificate."""
    limits = Limits(connect=access.connect_timeout, read=30.0)
    believing = Http(origin, context(None, insecure=True, old=access.old_tls), access.name, limits)
    try:
        for url in _addresses(origin):
            try:
                response = believing.send(Request("GET", url, headers={"Accept": "*/*"}))
            except RhevError:
                continue
            pem = ca_in(response.body) if response.status == 200 else ""
            if pem:
                return pem
    finally:
        believing.close()
    raise Unreachable(
        f"manager {access.name} gives its CA certificate at none of the known addresses",
        "Get it from its administrator, and name the file in the site table's rhevmca",
    )


def _addresses(origin: str) -> Iterable[str]:
    host = origin.removeprefix("https://").rpartition(":")[0]
    yield from CA_PATHS
    for port in PLAIN_PORTS:
        for path in CA_PATHS:
            yield f"http://{host}:{port}{path}"


def _keep(folder: Path, file: Path, pem: str) -> bool:
    """Write the file unless somebody else just did; what is there is never replaced."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=folder, prefix=".ca-")
        try:
            with os.fdopen(handle, "w", encoding="ascii") as out:
                out.write(pem)
            Path(draft).chmod(0o644)
            os.link(draft, file)
        finally:
            os.unlink(draft)
    except FileExistsError:
        return False
    except OSError as problem:
        raise Usage(f"{folder} cannot be written: {problem.strerror}") from None
    return True
