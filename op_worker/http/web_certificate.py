"""A self-signed certificate for ``localhost``, so that a daemon without configuration still speaks TLS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cluster_worker.runtime.state_folder import write_secret

_LIFETIME = timedelta(days=3650)


def self_signed_files(folder: Path, now_s: Callable[[], float]) -> tuple[Path, Path]:
    """Return certificate and key in ``folder``; they are made when one of them is missing."""
    cert, key = folder / "web_cert.pem", folder / "web_key.pem"
    if not (cert.exists() and key.exists()):
        cert_pem, key_pem = _make(datetime.fromtimestamp(now_s(), UTC))
        write_secret(key, key_pem)
        cert.write_text(cert_pem)
    return cert, key


def _make(now: datetime) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return cert_pem, key_pem
