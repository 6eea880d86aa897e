"""The list of certificates that are no longer believed: they are valid for twenty years, and keys get lost."""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from ..errors import Usage
from ..files import write_whole
from .certificates import LIFE, authority_of
from .home import Home


def revocation_list(home: Home) -> Path:
    """Where the list is; a service node gets it from its management node, with the other files of that folder."""
    return home.cert / "crl.pem"


def revoke(home: Home, file: Path) -> int:
    """Put a certificate on the list, which the daemon reads when it starts.

    Args:
        home: The home of the CA that signed it.
        file: The certificate, in PEM.

    Returns:
        Its serial number.

    Raises:
        Usage: The file holds no certificate, or one of another CA; or the CA is not here.
        OSError: The list cannot be written.
    """
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        raise Usage(
            f"--revoke {file}: not a certificate", "Name a file such as HOME/joe/.xcat/client-cert.pem"
        ) from None
    authority = authority_of(home)
    if certificate.issuer != authority.certificate.subject:
        raise Usage(f"--revoke {file}: the certificate is from another CA")
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)
    entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(now).build()
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority.certificate.subject)
    builder = builder.last_update(now).next_update(now + LIFE)
    path = revocation_list(home)
    for known in (*(x509.load_pem_x509_crl(path.read_bytes()) if path.exists() else ()), entry):
        builder = builder.add_revoked_certificate(known)
    signed = builder.sign(authority.key, hashes.SHA256())
    write_whole(path, signed.public_bytes(serialization.Encoding.PEM))
    return certificate.serial_number
