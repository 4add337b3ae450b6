"""The body of an OTLP/HTTP request as its message, and the answer to it.

Source: OpenTelemetry Protocol Specification, "OTLP/HTTP Request", "JSON Protobuf Encoding" and
"OTLP/HTTP Response".
"""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar

from google.protobuf import json_format  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]

from aiops.errors import BadPayload
from aiops.ingest.compression import unpacked
from aiops.ingest.webhooks.payload import decode

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
Encoding = Literal["protobuf", "json"]
CONTENT_TYPES: Final[dict[Encoding, str]] = {"protobuf": PROTOBUF, "json": JSON}
_IDS = frozenset(["traceId", "trace_id", "spanId", "span_id", "parentSpanId", "parent_span_id"])
_INVALID_ARGUMENT = 3  # google.rpc.Code
_Sent = TypeVar("_Sent", bound=Message)


def encoding(content_type: str) -> Encoding:
    """How a request is written; its answer is written the same way.

    Raises:
        BadPayload: neither of the two that OTLP/HTTP knows.
    """
    said = content_type.partition(";")[0].strip().lower()
    if said in (PROTOBUF, "application/protobuf"):
        return "protobuf"
    if said == JSON:
        return "json"
    raise BadPayload(f"content type {said[:80]!r}: send {PROTOBUF} or {JSON}")


def message(
    kind: Callable[[], _Sent],
    body: bytes,
    content_type: str,
    content_encoding: str,
    most_bytes: int,
) -> _Sent:
    """The request in a body.

    Args:
        most_bytes: of the body once it is unpacked.

    Raises:
        BadPayload: written in a way we do not read, broken, or too large.
    """
    written = encoding(content_type)
    plain = unpacked(body, content_encoding, most_bytes)
    sent = kind()
    if written == "json":
        _fill(sent, plain)
        return sent
    try:
        sent.ParseFromString(plain)
    except DecodeError as error:
        raise BadPayload("not the protobuf message that this address takes") from error
    return sent


def answer(written: Encoding, reply: Message) -> bytes:
    """An answer in the encoding of its request."""
    if written == "protobuf":
        return bytes(reply.SerializeToString())
    return json.dumps(json_format.MessageToDict(reply)).encode()


def refusal(written: Encoding, reason: str) -> bytes:
    """The body that goes with a 400: a google.rpc.Status."""
    from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

    return answer(written, Status(code=_INVALID_ARGUMENT, message=reason))


def _fill(sent: Message, plain: bytes) -> None:
    value = decode(plain)
    if not isinstance(value, dict):
        raise BadPayload("an object is expected", "/")
    try:
        json_format.ParseDict(_with_plain_ids(value, ""), sent, ignore_unknown_fields=True)
    except json_format.ParseError as error:
        raise BadPayload(" ".join(str(error).split())[:300]) from error


def _with_plain_ids(value: Any, at: str) -> Any:
    """OTLP writes ids in hex where protobuf's own JSON has base64."""
    if isinstance(value, list):
        return [_with_plain_ids(one, f"{at}/{n}") for n, one in enumerate(value)]
    if not isinstance(value, dict):
        return value
    return {
        name: _base64(one, f"{at}/{name}") if name in _IDS else _with_plain_ids(one, f"{at}/{name}")
        for name, one in value.items()
    }


def _base64(value: object, at: str) -> str:
    if value is None:
        return ""
    try:
        plain = binascii.unhexlify(value if isinstance(value, str) else "?")
    except ValueError as error:
        raise BadPayload("an id is expected in hex", at) from error
    return base64.b64encode(plain).decode()
