"""A certificate for loopback, and the kubeconfig files of the lab's users."""

import base64
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from aiops.errors import AiopsError
from aiops_lab.kubernetes.access import MASTERS, User

ADMIN = User("lab-admin", (MASTERS, "system:authenticated"))
READER = User("lab-reader", ("lab:readers", "system:authenticated"))
EXECUTOR = User("lab-executor", ("lab:readers", "lab:executors", "system:authenticated"))
_PRIVATE = 0o600


class NoCertificates(AiopsError):
    """The library that makes certificates is missing."""

    def __init__(self) -> None:
        super().__init__(
            "the lab's API needs a certificate for loopback (kubectl sends no token without TLS): "
            "install the package cryptography"
        )


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate for loopback and its key, as files."""

    certificate: Path
    key: Path


def make_certificate(folder: Path, now: datetime) -> Certificate:
    """Write `tls.crt` and `tls.key`, good for a year on loopback.

    Raises:
        NoCertificates: the package cryptography is not installed.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
    except ImportError as missing:
        raise NoCertificates from missing
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "aiops-lab")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    found = Certificate(folder / "tls.crt", folder / "tls.key")
    found.certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    _write_private(
        found.key,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    return found


def _write_private(path: Path, content: bytes) -> None:
    path.touch(_PRIVATE)
    path.chmod(_PRIVATE)
    path.write_bytes(content)


def write_kubeconfig(path: Path, url: str, authority: bytes, user: User, token: str) -> None:
    """A kubeconfig of one user, readable by its owner only."""
    import yaml

    cluster = {
        "server": url,
        "certificate-authority-data": base64.b64encode(authority).decode(),
    }
    context = {"cluster": "lab", "user": user.name, "namespace": "default"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": user.name, "user": {"token": token}}],
        "contexts": [{"name": "lab", "context": context}],
        "current-context": "lab",
    }
    _write_private(path, yaml.safe_dump(config, sort_keys=False).encode())
