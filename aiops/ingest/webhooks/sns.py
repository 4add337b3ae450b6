"""Amazon SNS: its envelope, what its signature covers, and the addresses that may be visited.

Amazon SNS developer guide, "Parsing Amazon SNS message formats" and "Verifying the signatures of
Amazon SNS messages".
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from aiops.errors import BadPayload
from aiops.ingest.webhooks.fields import Fields, read

MessageType = Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]

_HOST = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?")
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = (
    "Message",
    "MessageId",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A subscription that waits for its address to be visited, once the request is authentic.

    Attributes:
        url: on a host of SNS, https.
        topic: the ARN of the topic.
    """

    url: str
    topic: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message of SNS.

    Attributes:
        signed: the text that ``signature`` (base64) covers.
        version: "1" for SHA1 with RSA, "2" for SHA256 with RSA.
        certificate_url: as sent; not checked.
    """

    type: MessageType
    id: str
    topic: str
    message: str
    at: datetime | None
    signed: str
    signature: str
    version: str
    certificate_url: str
    subscribe_url: str


def envelope(body: bytes) -> Envelope:
    """The envelope that a body is.

    Raises:
        BadPayload: it is none.
    """
    return open_envelope(read(body))


def open_envelope(fields: Fields) -> Envelope:
    """The envelope that an object is; raises BadPayload where it is none."""
    signs: tuple[str, ...] = _CONFIRMATION
    kind = fields.required("Type")
    known: MessageType
    if kind == "Notification":
        known, signs = "Notification", _NOTIFICATION
    elif kind == "SubscriptionConfirmation":
        known = "SubscriptionConfirmation"
    elif kind == "UnsubscribeConfirmation":
        known = "UnsubscribeConfirmation"
    else:
        raise fields.refuse("Type", f"{kind[:40]!r}, no type of message that SNS sends")
    return Envelope(
        type=known,
        id=fields.text("MessageId"),
        topic=fields.required("TopicArn"),
        message=_whole(fields, "Message"),
        at=fields.time("Timestamp"),
        # A subject that is absent is left out, name and all.
        signed="".join(f"{key}\n{_whole(fields, key)}\n" for key in signs if key in fields),
        signature=fields.text("Signature"),
        version=fields.text("SignatureVersion"),
        certificate_url=fields.text("SigningCertURL"),
        subscribe_url=fields.text("SubscribeURL"),
    )


def confirmation(body: bytes) -> Confirmation | None:
    """The subscription that an authentic request asks to confirm; None for whatever else it is.

    Raises:
        BadPayload: it is not JSON, or would have us visit another host.
    """
    outer = read(body)
    # What has no envelope ("raw message delivery") may have any value of any type there.
    if outer.raw("Type") != "SubscriptionConfirmation":
        return None
    message = open_envelope(outer)
    if not is_address_of_sns(message.subscribe_url):
        raise BadPayload("not an https address of SNS; it is not visited", "/SubscribeURL")
    return Confirmation(message.subscribe_url, message.topic)


def is_address_of_sns(url: str) -> bool:
    """Whether a URL is https on ``sns.<region>.amazonaws.com`` or ``.com.cn``, and nothing else."""
    if not url.isascii() or not url.isprintable() or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme == "https"
        and parts.username is None
        and port in (None, 443)
        and _HOST.fullmatch(parts.hostname or "") is not None
    )


def _whole(fields: Fields, key: str) -> str:
    value = fields.raw(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise fields.refuse(key, "not text")
    return value
