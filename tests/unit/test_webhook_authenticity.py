"""Only who knows the secret gets in; refusals say why and never hold a secret."""

import hashlib
import hmac
import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.errors import BadPayload, NotAuthentic
from aiops.ingest.webhooks.authentic import Credentials, authentic
from aiops.ingest.webhooks.sns import Confirmation, confirmation, envelope, is_address_of_sns

NOW = datetime(2026, 5, 20, 15, tzinfo=UTC)
SECRET = "s3cr3t-of-the-hook"
BODY = b'{"alerts": []}'
GOLDEN = Path(__file__).parents[1] / "golden" / "webhooks" / "cloudwatch"


def digest(body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def basic(text: str) -> dict[str, str]:
    return {"authorization": f"Basic {b64encode(text.encode()).decode()}"}


def seconds(ago: float) -> str:
    return str(int((NOW - timedelta(seconds=ago)).timestamp()))


def stamped(ago: float) -> dict[str, str]:
    signed = digest(seconds(ago).encode() + b":" + BODY)
    return {
        "x-grafana-alerting-timestamp": seconds(ago),
        "x-grafana-alerting-signature": signed,
    }


@pytest.mark.parametrize(
    ("auth", "headers"),
    [("hmac", {"x-signature": digest()}), ("bearer", {"authorization": f"Bearer {SECRET}"})],
)
def test_a_former_secret_holds_until_it_is_taken_away(auth, headers):
    renewed = Credentials("generic", auth, "the new one", SECRET)
    authentic(renewed, headers, BODY, NOW)
    with pytest.raises(NotAuthentic):
        authentic(replace(renewed, former=None), headers, BODY, NOW)


@pytest.mark.parametrize(
    ("kind", "auth", "headers"),
    [
        ("github", "hmac", {"x-hub-signature-256": f"sha256={digest()}"}),
        ("pagerduty", "hmac", {"x-pagerduty-signature": f"v1={digest()}"}),
        ("pagerduty", "hmac", {"x-pagerduty-signature": f"v1={'0' * 64}, v1={digest()}"}),
        ("sentry", "hmac", {"sentry-hook-signature": digest()}),
        ("grafana", "hmac", {"x-grafana-alerting-signature": digest()}),
        ("grafana", "hmac", stamped(ago=299)),
        ("grafana", "hmac", stamped(ago=-299)),
        ("generic", "hmac", {"x-signature": digest()}),
        ("generic", "hmac", {"x-signature": f"sha256={digest()}"}),
        ("generic", "hmac", {"x-signature": f"SHA256={digest().upper()}"}),
        ("alertmanager", "bearer", {"authorization": f"Bearer {SECRET}"}),
        ("gitlab", "bearer", {"x-gitlab-token": SECRET}),
        ("opsgenie", "basic", basic(SECRET)),
        ("generic", "none", {}),
    ],
)
def test_who_knows_the_secret_gets_in(kind, auth, headers):
    authentic(Credentials(kind, auth, SECRET), headers, BODY, NOW)


@pytest.mark.parametrize(
    ("kind", "auth", "headers", "said"),
    [
        ("github", "hmac", {}, "no signature; it is expected in the header x-hub-signature-256"),
        ("github", "hmac", {"x-hub-signature-256": f"sha256={'0' * 64}"}, "does not match"),
        ("github", "hmac", {"x-hub-signature-256": f"sha256={digest(BODY + b' ')}"}, "not match"),
        (
            "github",
            "hmac",
            {"x-hub-signature-256": f"sha256={digest(secret='other')}"},
            "not match",
        ),
        ("pagerduty", "hmac", {"x-pagerduty-signature": f"v0={digest()}"}, "does not match"),
        ("sentry", "hmac", {"sentry-hook-signature": ""}, "no signature"),
        ("generic", "hmac", {"x-signature": "é, ü"}, "does not match"),
        ("grafana", "hmac", stamped(ago=301), "signed more than 0:05:00 ago"),
        ("grafana", "hmac", stamped(ago=-301), "signed more than 0:05:00 ago or hence"),
        (
            "grafana",
            "hmac",
            {"x-grafana-alerting-signature": stamped(ago=600)["x-grafana-alerting-signature"]},
            "does not match",
        ),
        (
            "grafana",
            "hmac",
            stamped(ago=600) | {"x-grafana-alerting-timestamp": seconds(0)},
            "does not match",
        ),
        ("alertmanager", "bearer", {}, "no token"),
        ("alertmanager", "bearer", {"authorization": "Bearer nearly"}, "token is not the one"),
        ("alertmanager", "bearer", {"authorization": SECRET}, "no token"),
        ("alertmanager", "bearer", {"authorization": "Bearer "}, "no token"),
        ("opsgenie", "basic", {}, "no user and password"),
        ("opsgenie", "basic", basic("user:other"), "user or password is not the one"),
        ("opsgenie", "basic", {"authorization": "Basic %%%"}, "not in base64"),
    ],
)
def test_who_does_not_is_refused_with_a_reason_that_holds_no_secret(kind, auth, headers, said):
    with pytest.raises(NotAuthentic, match=said) as caught:
        authentic(Credentials(kind, auth, SECRET), headers, BODY, NOW)
    assert SECRET not in str(caught.value)
    assert digest() not in str(caught.value)


@pytest.mark.parametrize("auth", ["hmac", "bearer", "basic", "sns"])
@pytest.mark.parametrize("secret", [None, ""])
def test_a_webhook_without_its_secret_lets_nobody_in(auth, secret):
    empty = {"authorization": "Bearer ", "x-signature": digest(secret="")}
    with pytest.raises(NotAuthentic, match="has no secret"):
        authentic(Credentials("generic", auth, secret), empty, BODY, NOW)


def test_credentials_do_not_print_their_secret():
    assert SECRET not in repr(Credentials("generic", "hmac", SECRET))


@given(
    header=st.sampled_from(
        ["authorization", "x-signature", "x-signature-timestamp", "x-gitlab-token"]
    ),
    value=st.text(max_size=40),
    auth=st.sampled_from(["hmac", "bearer", "basic", "sns"]),
    body=st.binary(max_size=20),
)
def test_arbitrary_headers_are_refused_and_nothing_else_happens(header, value, auth, body):
    with pytest.raises(NotAuthentic):
        authentic(Credentials("generic", auth, SECRET), {header: value}, body, NOW)


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.eu-west-1.amazonaws.com/cert.pem",
        "https://sns.cn-north-1.amazonaws.com.cn/?Action=ConfirmSubscription&Token=1",
        "https://sns.us-gov-west-1.amazonaws.com:443/x",
    ],
)
def test_an_address_of_sns_may_be_visited(url):
    assert is_address_of_sns(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://sns.eu-west-1.amazonaws.com/cert.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/cert.pem",
        "https://sns.evil.example/?x=.amazonaws.com",
        "https://evil.example/sns.eu-west-1.amazonaws.com",
        "https://sns.eu-west-1.amazonaws.com@evil.example/",
        "https://evil.example#@sns.eu-west-1.amazonaws.com/",
        "https://evil.example\\@sns.eu-west-1.amazonaws.com/",
        "https://s3.eu-west-1.amazonaws.com/bucket/cert.pem",
        "https://sns.eu.west.amazonaws.com/cert.pem",
        "https://sns.eu-west-1.amazonaws.com:8080/cert.pem",
        "https://sns.eu-west-1.amazonaws.com:x/cert.pem",
        "https://[sns.eu-west-1.amazonaws.com/cert.pem",
        "https://snsXeu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com\n.evil.example/",
    ],
)
def test_no_other_address_is_ever_visited(url):
    assert not is_address_of_sns(url)


def test_a_subscription_asks_for_its_confirmation():
    body = (GOLDEN / "subscription-confirmation.json").read_bytes()
    asked = confirmation(body)
    assert asked == Confirmation(
        url="https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37",
        topic="arn:aws:sns:eu-west-1:123456789012:alarms",
    )


@pytest.mark.parametrize("case", ["firing", "unsubscribe-confirmation", "no-data-without-envelope"])
def test_other_messages_ask_for_none(case):
    assert confirmation((GOLDEN / f"{case}.json").read_bytes()) is None


def test_a_confirmation_on_another_host_is_refused():
    message = json.loads((GOLDEN / "subscription-confirmation.json").read_text())
    message["SubscribeURL"] = "https://evil.example/"
    with pytest.raises(BadPayload, match=r"^/SubscribeURL: not an https address of SNS"):
        confirmation(json.dumps(message).encode())


def test_the_signed_text_names_each_member_and_leaves_out_an_absent_subject():
    message = json.loads((GOLDEN / "firing.json").read_text()) | {"Message": "m", "Subject": "s"}
    with_subject = envelope(json.dumps(message).encode()).signed
    assert with_subject == (
        "Message\nm\nMessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\nSubject\ns\n"
        "Timestamp\n2026-05-20T14:48:41.040Z\n"
        "TopicArn\narn:aws:sns:eu-west-1:123456789012:alarms\nType\nNotification\n"
    )
    del message["Subject"]
    without = envelope(json.dumps(message).encode()).signed
    assert without == with_subject.replace("Subject\ns\n", "")
