"""What looks like a secret: never set by an action, never shown in a diff.

Forms of secrets are the redaction's. Names are read more strictly here: a variable called
AUTH_TOKEN is refused whatever its value, for a change of it has better ways to be made. Marks do
not depend on the value, since what is approved must be the same diff whenever it is made.
"""

import re
from collections.abc import Mapping
from typing import Any

from aiops.toolbelt.redaction import Redactor
from aiops_tools.kubernetes.sealed import Api

HIDDEN = "<hidden: secret>"
_NAME = re.compile(
    r"(?i)passw(or)?d|passphrase|secret|token(?!s)|api[-_.]?key|access[-_.]?key|private[-_.]?key"
    r"|credential|(?<![a-z])(pwd|pass|auth|dsn)(?![a-z])|connection[-_.]?string"
)
_RANDOM = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=[^0-9]*[0-9])[A-Za-z0-9+/_=-]{28,}")
_MARK = re.compile(r"<(secret|email|card|phone):[0-9a-f]{8}>")
_NAMES_ONLY = frozenset({"secretName", "serviceAccountName"})
"""Fields of the API that speak of secrets and hold only a name."""


def looks_secret(name: str, value: str) -> bool:
    """Whether ``value``, kept under ``name``, is better not seen by anybody; it may be a file."""
    if not value:
        return False
    return _by_name(name, value) or HIDDEN in _plain(_redacted({name: value})[name])


def masked(asked: Api) -> Api:
    """A copy of what an object asks for, in which nothing that looks like a secret is left."""
    return {key: _masked(key, value) for key, value in _redacted(asked).items()}


def _redacted(value: Api) -> dict[str, Any]:
    clean = Redactor(bytes(16)).value(value)  # its marks, which the key is for, are taken away
    return clean if isinstance(clean, dict) else {}


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        if isinstance(value.get("name"), str) and isinstance(value.get("value"), str):
            return {**value, "value": _text(value["name"], value["value"])}
        return {key: _masked(key, each) for key, each in value.items()}
    if isinstance(value, list):
        return [_masked("", each) for each in value]
    return _text(name, value) if isinstance(value, str) else value


def _text(name: str, value: str) -> str:
    return HIDDEN if value and _by_name(name, value) else _plain(value)


def _by_name(name: str, value: str) -> bool:
    named = name not in _NAMES_ONLY and _NAME.search(name) is not None
    return named or _RANDOM.fullmatch(value) is not None


def _plain(value: str) -> str:
    return _MARK.sub(lambda found: f"<hidden: {found[1]}>", value)
