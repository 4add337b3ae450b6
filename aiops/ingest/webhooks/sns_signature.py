"""Signatures of SNS: RSA over the canonical text, with a certificate that only SNS can publish.

Amazon SNS developer guide, "Verifying the signatures of Amazon SNS messages". The certificate is
trusted for where it comes from: an https address of SNS. Needs the package ``cryptography``.
"""

import binascii
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime

from aiops.errors import NotAuthentic, SourceUnavailable
from aiops.ingest.webhooks.sns import Envelope, is_address_of_sns


def check_signature(message: Envelope, now: datetime, fetch: Callable[[str], bytes] | None) -> None:
    """Return if SNS signed the message.

    Raises:
        NotAuthentic: it did not.
        SourceUnavailable: that cannot be told: the certificate or the library is out of reach.
    """
    if message.version not in ("1", "2"):
        raise NotAuthentic("SignatureVersion is neither 1 nor 2")
    if not is_address_of_sns(message.certificate_url):
        raise NotAuthentic("SigningCertURL is not an https address of SNS")
    try:
        signature = b64decode(message.signature, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotAuthentic("Signature is not base64") from error
    if fetch is None:
        raise SourceUnavailable("SNS", "nothing is set up to fetch its certificate")
    _verify(message, signature, fetch(message.certificate_url), now)


def _verify(message: Envelope, signature: bytes, certificate: bytes, now: datetime) -> None:
    try:
        from cryptography import x509  # type: ignore[import-not-found, unused-ignore]
        from cryptography.exceptions import (  # type: ignore[import-not-found, unused-ignore]
            InvalidSignature,
            UnsupportedAlgorithm,
        )
        from cryptography.hazmat.primitives import (  # type: ignore[import-not-found, unused-ignore]
            hashes,
        )
        from cryptography.hazmat.primitives.asymmetric import (  # type: ignore[import-not-found, unused-ignore]
            padding,
            rsa,
        )
    except ImportError as error:
        reason = "its signatures cannot be checked here: install the package cryptography"
        raise SourceUnavailable("SNS", reason) from error
    try:
        signer = x509.load_pem_x509_certificate(certificate)
        key = signer.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise NotAuthentic("what stands at SigningCertURL is no certificate") from error
    if not signer.not_valid_before_utc <= now <= signer.not_valid_after_utc:
        raise NotAuthentic("the certificate at SigningCertURL is not valid now")
    if not isinstance(key, rsa.RSAPublicKey):
        raise NotAuthentic("the certificate at SigningCertURL holds no RSA key")
    # Version 1 is SHA1 by SNS's definition; topics can be set to 2.
    digest = hashes.SHA1() if message.version == "1" else hashes.SHA256()  # noqa: S303
    try:
        key.verify(signature, message.signed.encode(), padding.PKCS1v15(), digest)
    except InvalidSignature as error:
        raise NotAuthentic("SNS did not sign this message") from error
