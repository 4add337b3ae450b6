"""Words of severity, priority and urgency on one scale."""

import re

from aiops.model.alert import Severity

_WORDS: dict[Severity, str] = {
    "SEV1": "critical crit page fatal emergency emerg disaster blocker alert urgent",
    "SEV2": "error err high major severe",
    "SEV3": "warning warn moderate medium average normal ticket minor",
    "SEV4": "info information informational low lowest notice debug none",
}
_BY_WORD = {word: severity for severity, words in _WORDS.items() for word in words.split()}
# "P1", "sev-2", "SEV3", "S4", "priority 1"
_NUMBERED = re.compile(r"(?:p|s|sev|severity|prio|priority)[ _-]?([0-5])")
_BY_NUMBER: tuple[Severity, ...] = ("SEV1", "SEV1", "SEV2", "SEV3", "SEV4", "SEV4")


def severity_of(*words: str, default: Severity = "SEV3") -> Severity:
    """What the first word that says something says; ``default`` where none does.

    A bare number is not read: 1 is the worst to some senders and the mildest to others.
    """
    for word in words:
        said = word.strip().lower()
        if said in _BY_WORD:
            return _BY_WORD[said]
        numbered = _NUMBERED.fullmatch(said)
        if numbered:
            return _BY_NUMBER[int(numbered[1])]
    return default
