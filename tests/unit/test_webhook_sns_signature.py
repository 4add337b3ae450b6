"""What SNS signed gets in, with its own certificate only; needs the package ``cryptography``."""

import json
import sys
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aiops.errors import NotAuthentic, SourceUnavailable
from aiops.ingest.webhooks.authentic import Credentials, authentic
from aiops.ingest.webhooks.sns import envelope

GOLDEN = Path(__file__).parents[1] / "golden" / "webhooks" / "cloudwatch"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
NOW = datetime(2026, 5, 20, 15, tzinfo=UTC)
Sign = Callable[[dict[str, Any]], bytes]


@pytest.fixture(scope="module")
def key():
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def certificate(key) -> bytes:
    return certify(key, NOW - timedelta(days=1), NOW + timedelta(days=1))


def certify(key, since: datetime, until: datetime) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(since)
        .not_valid_after(until)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def signed(key) -> Sign:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

    def sign(message: dict[str, Any]) -> bytes:
        text = envelope(json.dumps(message).encode()).signed.encode()
        digest = hashes.SHA1() if message["SignatureVersion"] == "1" else hashes.SHA256()  # noqa: S303
        signature = b64encode(key.sign(text, PKCS1v15(), digest)).decode()
        return json.dumps(message | {"Signature": signature}).encode()

    return sign


def message(case: str = "firing", **other: Any) -> dict[str, Any]:
    return json.loads((GOLDEN / f"{case}.json").read_text()) | other


def check(body: bytes, certificate: bytes, *, topic: str = TOPIC, now: datetime = NOW) -> None:
    credentials = Credentials("cloudwatch", "sns", topic)
    authentic(credentials, {}, body, now, fetch=lambda _url: certificate)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("case", ["firing", "subscription-confirmation"])
def test_what_sns_signed_gets_in(signed, certificate, case, version):
    check(signed(message(case, SignatureVersion=version)), certificate)


@pytest.mark.parametrize("version", ["1", "2"])
def test_what_was_changed_after_signing_is_refused(signed, certificate, version):
    body = json.loads(signed(message(SignatureVersion=version)))
    body["Message"] += " "
    with pytest.raises(NotAuthentic, match="SNS did not sign"):
        check(json.dumps(body).encode(), certificate)


def test_a_signature_of_the_other_version_is_refused(signed, certificate):
    body = json.loads(signed(message(SignatureVersion="1"))) | {"SignatureVersion": "2"}
    with pytest.raises(NotAuthentic, match="SNS did not sign"):
        check(json.dumps(body).encode(), certificate)


def test_another_topic_is_refused_though_sns_signed_it(signed, certificate):
    with pytest.raises(NotAuthentic, match="another topic"):
        check(signed(message()), certificate, topic=TOPIC + "-of-ours")


def test_a_replay_is_refused(signed, certificate):
    with pytest.raises(NotAuthentic, match="signed more than 1:00:00 ago"):
        check(signed(message()), certificate, now=NOW + timedelta(hours=1))


def test_an_expired_certificate_is_refused(signed, key):
    old = certify(key, NOW - timedelta(days=9), NOW - timedelta(days=8))
    with pytest.raises(NotAuthentic, match="not valid now"):
        check(signed(message()), old)


@pytest.mark.parametrize("other", [b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_something_else_than_a_certificate_is_refused(signed, other):
    with pytest.raises(NotAuthentic, match="no certificate"):
        check(signed(message()), other)


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        ("SigningCertURL", "https://evil.example/cert.pem", "SigningCertURL is not"),
        ("SignatureVersion", "3", "neither 1 nor 2"),
        ("Signature", "%%%", "not base64"),
    ],
)
def test_nothing_is_fetched_for_a_message_that_cannot_be_right(member, value, said):
    def fetch(url: str) -> bytes:
        raise AssertionError(url)

    body = json.dumps(message() | {member: value}).encode()
    with pytest.raises(NotAuthentic, match=said):
        authentic(Credentials("cloudwatch", "sns", TOPIC), {}, body, NOW, fetch=fetch)


def test_without_the_library_the_sender_is_told_to_come_again_and_we_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(SourceUnavailable, match="install the package cryptography"):
        check(json.dumps(message()).encode(), b"")


def test_without_a_way_to_fetch_the_certificate_nothing_gets_in():
    with pytest.raises(SourceUnavailable, match="nothing is set up to fetch"):
        authentic(Credentials("cloudwatch", "sns", TOPIC), {}, json.dumps(message()).encode(), NOW)
