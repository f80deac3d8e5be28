"""Certificates of endpoints: are the files that were named usable, and one to develop with."""

from __future__ import annotations

import ipaddress
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import atomic_write


def load_certificate(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the TLS context of a certificate (PEM, with its chain) and its private key (PEM, without a passphrase).

    Raises
    ------
    InvalidArgumentError
        If a file cannot be read, they do not belong together, or the certificate has expired.
    """
    from cryptography import x509

    for path in (certificate, key):
        if not path.is_file() or not os.access(path, os.R_OK):
            raise InvalidArgumentError(f"The file {str(path)!r} cannot be read: give a PEM file.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # An empty passphrase, as OpenSSL would else ask for one on the terminal.
        context.load_cert_chain(certificate, key, password="")
        ends = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except (ssl.SSLError, ValueError, OSError) as error:
        raise InvalidArgumentError(
            f"{str(certificate)!r} and {str(key)!r} are no certificate and its private key in PEM, without a "
            f"passphrase: {error}."
        ) from error
    if ends <= datetime.now(UTC):
        raise InvalidArgumentError(f"The certificate {str(certificate)!r} expired on {ends:%Y-%m-%d}: renew it.")
    return context


def make_development_certificate(folder: Path, days: int = 90) -> tuple[Path, Path]:
    """Write a self-signed certificate for localhost, 127.0.0.1 and ::1, and return its path and that of its key.

    It is for development: clients trust it only if they are told to (`verify="certificate.pem"`).
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Atelier development")])
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "certificate.pem", folder / "certificate.key"
    form = serialization.PrivateFormat.PKCS8
    pem = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    with atomic_write(key) as file:
        os.chmod(file.fileno(), 0o600)
        file.write(pem)
    with atomic_write(certificate) as file:
        file.write(built.public_bytes(serialization.Encoding.PEM))
    return certificate, key
