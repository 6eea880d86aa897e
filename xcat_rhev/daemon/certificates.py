"""The certificate authority of the embedded xcatd, in the files that a Perl xCAT uses.

The CA has an RSA key of 2048 bits, as xCAT's own scripts make it: what it signed is verified in a fiftieth of a
millisecond, by both sides of each connection. What it signs has keys on the curve P-256, with which a handshake costs
each side a fifth less than with RSA; whatever speaks TLS 1.2 knows that curve (OpenSSL 1.0.1, Red Hat's since 6.5).

The files of both certificate and key hold the CA's certificate as well. It is sent in any case, and without it OpenSSL
looks for it and checks it again for each connection, an eighth of a handshake.
"""

from __future__ import annotations

import datetime
import ipaddress
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Union

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..errors import Usage
from ..files import write_whole
from .home import Home

log = logging.getLogger(__name__)

#: xCAT's certificates begin in 1970, so that they are valid on a node whose clock has no battery.
BEGIN = datetime.datetime(1970, 1, 1)
LIFE = datetime.timedelta(days=7300)
PrivateKey = Union[rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey]
#: A daemon is also the client of other daemons.
USES = {
    "server": (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
    "client": (ExtendedKeyUsageOID.CLIENT_AUTH,),
}


@dataclass(frozen=True)
class Authority:
    """A CA's certificate and key."""

    certificate: x509.Certificate
    key: PrivateKey


def make_all(home: Home, name: str, addresses: Iterable[str]) -> None:
    """Make what is missing of the CA, the daemon's certificate and the client certificate of `root`.

    Files that are there stay as they are: a service node gets `cert/` from its management node and has no CA key.

    Args:
        home: Where.
        name: The short host name: the daemon's CN, which the stock policy row trusts.
        addresses: Further names and IP addresses under which clients reach the daemon; looked at if one is made.

    Raises:
        OSError: A file cannot be written.
        Usage: The CA's files cannot be read, or its key is of a kind that cannot sign here.
    """
    if (home.cert / "server-cred.pem").exists() and (home.cert / "ca.pem").exists():
        if not (home.client / "client-cred.pem").exists() and _ca_key(home).exists():
            issue_client(home, "root", home.client)
        return
    authority = authority_of(home)
    names = [name, *addresses, "localhost", "127.0.0.1", "::1"]
    _issue(authority, name, home.cert, "server", names)
    _issue(authority, "root", home.client, "client")


def issue_client(home: Home, user: str, folder: Path) -> None:
    """Make a client certificate, as xCAT's `setup-local-client.sh` does.

    Args:
        home: The home of the CA that signs it.
        user: The CN, which is the name that the policy table sees.
        folder: Where to put `ca.pem`, `client-cert.pem`, `client-key.pem` and `client-cred.pem`.

    Raises:
        OSError: A file cannot be written.
        Usage: The CA is not here, or its files cannot be read.
    """
    authority = authority_of(home)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _issue(authority, user, folder, "client")


def own(home: Home) -> bytes:
    """The certificate that the daemon shows, in DER."""
    shown = x509.load_pem_x509_certificate((home.cert / "server-cred.pem").read_bytes())
    return shown.public_bytes(serialization.Encoding.DER)


def publish(home: Home, installdir: Path) -> None:
    """Put the CA's certificate beside the node map, where the web server's CGI may read it and so knows its xcatd.

    Args:
        home: The home of the CA.
        installdir: The install folder; one that cannot be written costs the CGI its check on this machine.
    """
    folder, authority = installdir / "xcatrhevh", (home.cert / "ca.pem").read_bytes()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "ca.pem").exists() or (folder / "ca.pem").read_bytes() != authority:
            write_whole(folder / "ca.pem", authority)
    except OSError as problem:
        log.warning("%s cannot be written, so that the CGI does not know xcatd's CA: %s", folder, problem.strerror)


def _ca_key(home: Home) -> Path:
    return home.ca / "private" / "ca-key.pem"


def authority_of(home: Home) -> Authority:
    """Read the CA, or make it.

    Raises:
        Usage: It is not here, or its files cannot be read.
        OSError: A file cannot be written.
    """
    certificate_file, key_file = home.ca / "ca-cert.pem", _ca_key(home)
    if certificate_file.exists():
        return _read_authority(certificate_file, key_file)
    if (home.cert / "ca.pem").exists():
        raise Usage(f"{key_file} is not here", "Issue certificates where the CA is, on the management node")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = _subject("xCAT CA")
    builder = (
        _builder(subject, subject, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(ca=True), critical=True)
    )
    certificate = builder.sign(key, hashes.SHA256())
    write_whole(key_file, _pem_of_key(key), 0o600)
    write_whole(certificate_file, _pem(certificate), 0o644)
    return Authority(certificate, key)


def _read_authority(certificate_file: Path, key_file: Path) -> Authority:
    try:
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: a passphrase is needed
        raise Usage(
            f"{certificate_file} and {key_file} cannot be read as a certificate and its key", "Put the right files back"
        ) from None
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise Usage(f"{key_file}: a CA's key is of the kind RSA or EC", "Make a new CA with such a key")
    return Authority(certificate, key)


def _issue(authority: Authority, common_name: str, folder: Path, kind: str, names: Iterable[str] = ()) -> None:
    """Sign a new certificate and write the four files of xCAT: cert, key, both and the CA in one, and the CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    builder = (
        _builder(_subject(common_name), issuer.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(USES[kind]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    alternatives = list(dict.fromkeys(_alternative(name) for name in names))
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    certificate = _pem(builder.sign(authority.key, hashes.SHA256()))
    secret = _pem_of_key(key)
    write_whole(folder / "ca.pem", _pem(issuer))
    write_whole(folder / f"{kind}-cert.pem", certificate)
    write_whole(folder / f"{kind}-key.pem", secret, 0o600)
    write_whole(folder / f"{kind}-cred.pem", certificate + _pem(issuer) + secret, 0o600)


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: PrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_of_key(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
