"""The CA to trust: the manager's own, fetched once and pinned, or one that the site names.

What is fetched is taken only if it holds CA certificates that vouch for what the manager shows, so that no error page
can become one; it is shown by its SHA-256 and never replaced.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import ssl
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Callable
from urllib.parse import urlsplit

from ...errors import Aborted, RhevError, TimedOut, Unreachable, Usage
from .access import Access
from .layers import Attended
from .no_answer import Trust
from .patience import Patience
from .transport import Http, HttpRequest, Limits

#: Where engines give their CA, newest first (engine 3.4 and later; 3.0 to 3.6). `X509-PEM-CA` is what browsers import.
CA_PATHS = (
    "/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA",
    "/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM",
    "/ca.crt",
)
#: Plain HTTP, for engines that give it there alone: 3.1 and later behind Apache, 3.0 by itself.
PLAIN_PORTS = (80, 8080)
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
#: An intermediate CA that is trusted is trusted without its root (X509_V_FLAG_PARTIAL_CHAIN, in Python since 3.10).
_PARTIAL_CHAIN = getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0x80000)


def trust_of(access: Access, origin: str, tell: Callable[[str], None], patience: Patience) -> Trust:
    """What certificates of a manager are checked against; its CA is fetched if the site names none.

    Args:
        access: How the manager is reached.
        origin: `https://host:port` that answers.
        tell: Told when a CA was fetched, with its SHA-256.
        patience: How one waits.

    Raises:
        Unreachable: No address gives a CA that signed what the manager shows.
        Usage: A file holds no CA, or the folder cannot be written.
    """
    if access.insecure:
        return Trust(context(None, insecure=True, old=access.old_tls))
    if access.ca == "system":
        return Trust(
            context(None, old=access.old_tls),
            "the system's CAs",
            "Add the CA that signed it to this machine's, or name a file with it in the site table's rhevmca",
        )
    if access.ca:
        return Trust(
            context(Path(access.ca), old=access.old_tls),
            access.ca,
            "site.rhevmca names that file. Put the CA that signed the manager's certificate into it",
        )
    file = pinned_ca(access, origin, tell, patience)
    return Trust(
        context(file, old=access.old_tls),
        f"{file} (SHA-256 {fingerprints(file)})",
        "That CA was fetched once and is kept. If the manager was installed again, compare its CA and remove the file; "
        "if it has a certificate of your company now, name that CA's file in the site table's rhevmca",
    )


def stamp_of(access: Access) -> tuple[int, ...]:
    """What changes when somebody puts another CA there; empty for none."""
    if access.insecure or access.ca == "system":
        return ()
    try:
        found = Path(access.ca or access.folder / "ca.crt").stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def context(ca: Path | None, *, insecure: bool = False, old: bool = False) -> ssl.SSLContext:
    """Make the TLS settings for a manager.

    Args:
        ca: A file with the CA, or with a chain of them; None means the system's own.
        insecure: Believe anybody.
        old: Allow TLS below 1.2, with the ciphers of that time (RHEV 3.0).

    Raises:
        Usage: The file holds no certificate.
    """
    made = _bare(old)
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


def _bare(old: bool) -> ssl.SSLContext:
    """Settings that trust no CA yet."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.verify_flags |= _PARTIAL_CHAIN
    if old:
        _allow_old(made)
    return made


def _allow_old(made: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        # Python calls these versions deprecated; an engine of 2012 has no others.
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = ssl.TLSVersion.TLSv1
    made.set_ciphers("DEFAULT:@SECLEVEL=0")


def fingerprint(pem: str) -> str:
    """The SHA-256 of each certificate, as `AB:CD:...`."""
    prints = []
    for block in _PEM.findall(pem.encode()):
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(block.decode())).hexdigest().upper()
        prints.append(":".join(digest[i : i + 2] for i in range(0, len(digest), 2)))
    return ", ".join(prints)


def fingerprints(file: Path) -> str:
    """The SHA-256 of each certificate in a file; a question mark for what cannot be read."""
    try:
        return fingerprint(file.read_text("ascii")) or "?"
    except (OSError, ValueError):
        return "?"


def ca_in(data: bytes) -> str:
    """Take the CA certificates out of what a manager sent: all of a chain, in its order.

    Returns:
        PEM text, or nothing for an HTML page, an empty answer, a server's certificate ...
    """
    if data[:1] == b"\x30":  # DER, as some web servers give `ca.crt`
        data = ssl.DER_cert_to_PEM_cert(data).encode()
    return "".join(block.decode("ascii") + "\n" for block in _PEM.findall(data) if _is_ca(block))


def _is_ca(pem: bytes) -> bool:
    probe = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        probe.load_verify_locations(cadata=pem.decode("ascii"))
    except (UnicodeDecodeError, ssl.SSLError, ValueError):
        return False
    return probe.cert_store_stats()["x509_ca"] == 1


def pinned_ca(access: Access, origin: str, tell: Callable[[str], None], patience: Patience) -> Path:
    """Give the file with a manager's CA, fetching it if it is not there yet.

    Args:
        access: How the manager is reached; the file is `ca.crt` in its folder.
        origin: `https://host:port` that answers.
        tell: Told when a CA was fetched, with its SHA-256.
        patience: How one waits.

    Raises:
        Unreachable: No address gives a CA that signed what the manager shows.
        Usage: The folder cannot be written.
    """
    file = access.folder / "ca.crt"
    if file.exists():
        return file
    pem = _fetch(access, origin, patience)
    if _keep(access.folder, file, pem):
        tell(f"manager {access.name}: its CA is now kept in {file}, SHA-256 {fingerprint(pem)}")
    return file


def _fetch(access: Access, origin: str, patience: Patience) -> str:
    """Ask the known addresses until one gives a CA that vouches for the manager's certificate."""
    limits = Limits(connect=access.connect_timeout, read=30.0)
    believing = Http(origin, Trust(context(None, insecure=True, old=access.old_tls)), access.name, limits)
    other = False
    try:
        for url in _addresses(origin):
            pem = _fetch_ca(Attended(believing, patience), url)
            if pem and _vouches(pem, origin, access):
                return pem
            other = other or bool(pem)
    finally:
        believing.close()
    if other:
        raise Unreachable(
            f"manager {access.name} has a certificate that was not signed by its own CA",
            "Name the file of the CA that did in the site table's rhevmca"
            + (", or write rhevmca=system there: this machine trusts it" if _vouches("", origin, access) else ""),
        )
    raise Unreachable(
        f"manager {access.name} gives its CA certificate at none of the known addresses",
        "Get it from its administrator, and name the file in the site table's rhevmca",
    )


def _fetch_ca(sender: Attended, url: str) -> str:
    """The CA that one address gives, or nothing.

    Raises:
        Unreachable: The manager itself takes connections and answers none, so that no other address is worth asking.
    """
    try:
        response = sender.send(HttpRequest("GET", url, headers={"Accept": "*/*"}))
    except (Aborted, TimedOut):
        raise
    except Unreachable as problem:
        if url.startswith("/") and not problem.may_retry:
            raise
        return ""
    except RhevError:
        return ""
    return ca_in(response.body) if response.status == 200 else ""


def _vouches(pem: str, origin: str, access: Access) -> bool:
    """Whether one of these CAs (the system's if empty) signed the manager's certificate. Its name is checked later."""
    judge = _bare(access.old_tls)
    judge.check_hostname = False
    if pem:
        judge.load_verify_locations(cadata=pem)
    else:
        judge.load_default_certs()
    where = urlsplit(origin)
    try:
        with socket.create_connection((where.hostname or "", where.port or 443), access.connect_timeout) as plain:
            with judge.wrap_socket(plain, server_hostname=where.hostname):
                return True
    except OSError as problem:
        # The first call reports a certificate that is out of date.
        return isinstance(problem, ssl.SSLCertVerificationError) and problem.verify_code in (9, 10)


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
