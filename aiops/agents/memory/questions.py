"""What may be answered from memory: the past. How things are now is looked up, never remembered."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from aiops.agents.memory.likeness import Recollection, seen_before
from aiops.model.memory import PastIncident, Signature

_PAST = re.compile(
    r"\b(?:before|last (?:time|week|month|year|night)|previous(?:ly)?|in the past|ever|history"
    r"|earlier|past incidents?|happened|used to|did|was|were|had)"
    r"\b",
    re.IGNORECASE,
)
_PRESENT = re.compile(
    r"\b(?:now|current(?:ly)?|still|at the moment|right away|today|is|are)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class AskLive:
    """The refusal: this is about how things are now; ask the tools.

    Attributes:
        question: as it was asked.
        reason: for whoever asked.
    """

    question: str
    reason: str = "memory does not know how things are now; a tool has to look"


@dataclass(frozen=True, slots=True)
class Recalled:
    """An answer from memory, with when each of it was true."""

    question: str
    recollections: tuple[Recollection, ...]


def about_now(question: str) -> bool:
    """Whether the answer depends on how things are now; in doubt it does.

    Only a question in the past tense, without a word of the present, is about the past.
    """
    return _PAST.search(question) is None or _PRESENT.search(question) is not None


def recall(question: str, signature: Signature, past: Iterable[PastIncident]) -> Recalled | AskLive:
    """What memory answers to a question asked in view of an incident with this signature."""
    if about_now(question):
        return AskLive(question)
    return Recalled(question, seen_before(signature, past))
