"""Reading the protobuf that newer kubectls send for what they create with typed clients.

An envelope of four magic bytes and `runtime.Unknown`, then the object; `wire.yaml` has the field
numbers. What is answered is always JSON, which every client that sends protobuf accepts.
"""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from aiops_lab.kubernetes import problems
from aiops_lab.kubernetes.cluster import timestamp
from aiops_lab.kubernetes.kinds import built_in_kinds
from aiops_lab.kubernetes.schema.types import ANY, Shape, types

PROTOBUF = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
# What is sent to subresources, and so is no kind of its own.
_OTHERS = {
    ("policy/v1", "Eviction"): "V1Eviction",
    ("policy/v1beta1", "Eviction"): "V1Eviction",
    ("autoscaling/v1", "Scale"): "V1Scale",
    ("authentication.k8s.io/v1", "TokenRequest"): "AuthenticationV1TokenRequest",
}


@cache
def _numbers() -> dict[str, dict[int, str]]:
    import yaml

    text = Path(__file__).with_name("wire.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[int, str]] = yaml.safe_load(text)
    return found


def read_protobuf(raw: bytes) -> dict[str, Any]:
    """An enveloped object as JSON has it.

    Raises:
        Refused: 415 for a kind or field whose encoding is not known here, 400 for bytes that are
            no message.
    """
    if not raw.startswith(_MAGIC):
        raise problems.bad_request("the body is no Kubernetes protobuf: its first bytes are wrong")
    try:
        envelope = dict(_fields(raw[len(_MAGIC) :]))
        named = {n: _bytes(v).decode() for n, v in _fields(_bytes(envelope.get(1, b"")))}
        api_version, kind = named.get(1, ""), named.get(2, "")
        type_name = _type_of(api_version, kind)
        if type_name not in _numbers():
            raise _unread(f"{kind} of {api_version}")
        content = _bytes(envelope.get(2, b""))
        body = _message(content, type_name, kind)
    except (IndexError, UnicodeDecodeError, TypeError) as bad:
        raise problems.bad_request(f"the body is no Kubernetes protobuf: {bad}") from bad
    return {"apiVersion": api_version, "kind": kind, **body}


def _type_of(api_version: str, kind: str) -> str:
    # Options of a delete come in the group of what is deleted.
    if kind == "DeleteOptions":
        return "V1DeleteOptions"
    found = (
        k.type_name for k in built_in_kinds() if (k.api_version, k.kind) == (api_version, kind)
    )
    return next(found, _OTHERS.get((api_version, kind), ""))


def _unread(what: str) -> problems.Refused:
    message = f"the lab does not read {what} as protobuf; send it as application/json or by apply"
    return problems.Refused(415, "UnsupportedMediaType", message)


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: number and content."""
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        if tag & 7 == 0:
            value, at = _varint(raw, at)
            yield tag >> 3, value
            continue
        if tag & 7 != 2:
            raise IndexError(f"wire type {tag & 7} is not used")
        size, at = _varint(raw, at)
        if at + size > len(raw):
            raise IndexError("a field ends after the message")
        yield tag >> 3, raw[at : at + size]
        at += size


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise TypeError("a number where a message belongs")
    return value


def _message(raw: bytes, type_name: str, path: str) -> dict[str, Any]:
    numbers = _numbers().get(type_name, {})
    result: dict[str, Any] = {}
    for number, value in _fields(raw):
        name = numbers.get(number)
        if name is None:
            if not _is_zero(value):
                raise _unread(f"field {number} of {path}")
            continue
        shape = types()[type_name].fields[name].shape
        if name == "status":
            continue
        where = f"{path}.{name}"
        if shape.form == "list":
            result.setdefault(name, []).append(_read(value, shape.of or ANY, where))
        elif shape.form == "map":
            entry = dict(_fields(_bytes(value)))
            key = _bytes(entry.get(1, b"")).decode()
            content = _read(entry.get(2, b""), shape.of or ANY, where)
            result.setdefault(name, {})[key] = content
        else:
            content = _read(value, shape, where)
            # Go writes the zero value of what JSON leaves out.
            if content not in ("", None, {}):
                result[name] = content
    return result


def _is_zero(value: int | bytes) -> bool:
    """Nothing, or a message of nothing."""
    if isinstance(value, int):
        return value == 0
    try:
        return all(_is_zero(inner) for _, inner in _fields(value))
    except IndexError:
        return False


def _read(value: int | bytes, shape: Shape, path: str) -> Any:
    match shape.form:
        case "integer":
            number = int(value) if isinstance(value, int) else 0
            return number - 2**64 if number >= 2**63 else number
        case "boolean":
            return bool(value)
        case "quantity":
            return _bytes(dict(_fields(_bytes(value))).get(1, b"")).decode() or None
        case "int_or_string":
            parts = dict(_fields(_bytes(value)))
            if parts.get(1):
                return _bytes(parts.get(3, b"")).decode()
            return _read(parts.get(2, 0), _INT, path)
        case "time":
            seconds = dict(_fields(_bytes(value))).get(1)
            moment = datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None
            return timestamp(moment) if moment else None
        case "bytes":
            return base64.b64encode(_bytes(value)).decode()
        case "object":
            return _message(_bytes(value), shape.type_name, path)
        case _:
            return _bytes(value).decode()


_INT = Shape("integer")
