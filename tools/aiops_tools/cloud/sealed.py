"""What people put into calls to a provider's API, without what nobody may see.

Some fields hold secrets whatever they look like: start-up scripts of machines, environments of
functions and containers, passwords of databases, keys. They go whole, by name; what is left is
searched by the redaction.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from aiops.model.canonical import canonical
from aiops.toolbelt.redaction import Redactor

HIDDEN: Final = "<hidden>"
LONGEST: Final = 2000
_MARK: Final = re.compile(r"<(?:secret|email|card|phone):[0-9a-f]{8}>")
_WHOLE: Final = re.compile(
    r"(?i)user-?_?data|environment|envvars|^env$|secret|passw|passphrase|token|credential"
    r"|private-?_?key|key-?_?material|connection-?_?string|parameter-?_?value|startup-?_?script"
    r"|metadata$|authorization|policy-?_?document|^value$|^body$|command|plaintext|zipfile"
)
_DEEPEST: Final = 12


def sealed(value: object) -> str:
    """``value`` as canonical JSON, secrets hidden, short enough to be read."""
    clean = Redactor(bytes(16)).value(_kept(value, 0))  # its marks, which the key is for, go
    text = _MARK.sub(HIDDEN, canonical(clean))
    if len(text) <= LONGEST:
        return text
    keys = sorted(clean) if isinstance(clean, dict) else []
    return canonical({"too_long_to_show": keys[:50], "characters": len(text)})


def _kept(value: object, depth: int) -> Any:
    if depth > _DEEPEST:
        return HIDDEN
    if isinstance(value, Mapping):
        return {
            str(key): HIDDEN if each and _WHOLE.search(str(key)) else _kept(each, depth + 1)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_kept(one, depth + 1) for one in value]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
