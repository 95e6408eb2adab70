"""A self-signed certificate for a trial of HTTPS, made anew before it ends."""

from __future__ import annotations

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from scripts.stack.nginx_values import Certificate
from scripts.stack.places import ROOT
from scripts.stack.settings import StackSettings

_VALID_DAYS = 365
_RENEW_DAYS = 30


def certificate_of(settings: StackSettings) -> Certificate | None:
    """The site's certificate: the one given, a self-signed one, or None without a domain."""
    if not settings.domain:
        return None
    if settings.tls_certificate:
        return Certificate(ROOT / settings.tls_certificate, ROOT / settings.tls_key)
    folder = settings.run / "tls"
    made = Certificate(folder / f"{settings.domain}.crt", folder / f"{settings.domain}.key")
    if not _is_good(made):
        _make(made, settings.domain)
    return made


def days_left(chain: Path) -> int:
    """Whole days until the first certificate of a chain ends."""
    certificate = x509.load_pem_x509_certificate(chain.read_bytes())
    return (certificate.not_valid_after_utc - datetime.now(UTC)).days


def _is_good(certificate: Certificate) -> bool:
    if not certificate.chain.exists() or not certificate.key.exists():
        return False
    return days_left(certificate.chain) > _RENEW_DAYS


def _make(place: Certificate, domain: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    place.chain.parent.mkdir(parents=True, exist_ok=True)
    _write_private(
        place.key,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    signed = _builder(key, domain).sign(key, hashes.SHA256())
    place.chain.write_bytes(signed.public_bytes(serialization.Encoding.PEM))


def _builder(key: ec.EllipticCurvePrivateKey, domain: str) -> x509.CertificateBuilder:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain[:64])])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=_VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName([_alternative_name(domain)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )


def _alternative_name(domain: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(domain))
    except ValueError:
        return x509.DNSName(domain)


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
