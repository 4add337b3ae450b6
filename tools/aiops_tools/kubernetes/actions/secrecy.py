"""What looks like a secret: never set by an action, never shown in a diff."""

import re
from collections.abc import Mapping
from typing import Any

from aiops_tools.kubernetes.sealed import Api

HIDDEN = "<hidden: looks like a secret>"
_NAME = re.compile(
    r"(?i)passw(or)?d|passphrase|secret|token(?!s)|api[-_.]?key|access[-_.]?key|private[-_.]?key"
    r"|credential|(?<![a-z])(pwd|pass|auth|dsn)(?![a-z])|connection[-_.]?string"
)
_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[\w-]{8,}\.[\w-]{8,}\.|\bA(?:KIA|SIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_\w{20,}|\bglpat-[\w-]{20}|\bxox[abprs]-[\w-]{10,}|\bsk-[\w-]{16,}"
    r"|\bAIza[\w-]{35}|[a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/@]+@"
)
_ASSIGNED = re.compile(
    r"(?im)^(?P<head>.*?(?:passw(?:or)?d|passphrase|secret|token(?!s)|api[-_.]?key"
    r"|private[-_.]?key|credential)[\w.\"'-]*\s*[:=]\s*)(?P<value>\S.*)$"
)
_RANDOM = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=[^0-9]*[0-9])[A-Za-z0-9+/_=-]{28,}")


def looks_secret(name: str, value: str) -> bool:
    """Whether ``value``, kept under ``name``, is better not seen by anybody."""
    if not value:
        return False
    by_name = _NAME.search(name) is not None
    return by_name or _VALUE.search(value) is not None or _RANDOM.fullmatch(value) is not None


def holds_secret(name: str, value: str) -> bool:
    """As ``looks_secret``, for a text that may be a whole file."""
    return looks_secret(name, value) or _ASSIGNED.search(value) is not None


def masked(asked: Api) -> Api:
    """A copy of what an object asks for, in which nothing that looks like a secret is left."""
    return {key: _masked(key, value) for key, value in asked.items()}


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        if isinstance(value.get("name"), str) and isinstance(value.get("value"), str):
            hidden = _text(value["name"], value["value"])
            return {**value, "value": hidden}
        return {key: _masked(key, each) for key, each in value.items()}
    if isinstance(value, list):
        return [_masked("", each) for each in value]
    return _text(name, value) if isinstance(value, str) and not _named(name) else value


def _named(field: str) -> bool:
    """Fields of the API whose names speak of secrets and that hold only a name."""
    return field in ("secretName", "serviceAccountName", "automountServiceAccountToken")


def _text(name: str, value: str) -> str:
    if looks_secret(name, value):
        return HIDDEN
    return _ASSIGNED.sub(lambda found: found["head"] + HIDDEN, value)
