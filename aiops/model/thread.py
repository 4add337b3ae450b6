"""Conversations: what people ask about incidents, what they were answered, and by what."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from aiops.model.access import Role

Intent = Literal[
    "broken",  # what is, or whether one thing is
    "why",
    "since",
    "changes",
    "affected",
    "neighbours",  # who calls a service, and whom it calls
    "logs",
    "metrics",
    "traces",
    "yesterday",  # now beside a day ago
    "before",  # has this happened before
    "advice",
    "handling",  # acknowledge, assign, resolve: done elsewhere
    "act",
    "approve",  # claims an approval, which chat never gives
    "stop",
    "help",
    "unknown",
]
LONGEST_TEXT: Final = 100_000
"""Characters of one question; a pasted log of that length is an attachment, not a question."""
Ending = Literal[
    "answered",
    "asks",  # back: a name that nothing has, or one of several was meant
    "refused",  # the author may not
    "stopped",
    "failed",
]


@dataclass(frozen=True, slots=True)
class Topic:
    """What a conversation is about so far; what the next question leaves out is taken from it.

    Attributes:
        service: as telemetry names it.
    """

    incident: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class Cited:
    """Something that an answer rests on.

    Attributes:
        id: as it stands in the text: "E4" of a report, "T1" for a tool's answer, or the id of an
            incident, approval or past incident.
        of: where to look it up: an investigation's id, or the call and its arguments.
    """

    id: str
    of: str
    claim: str


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asked.

    Attributes:
        author: the actor, as in timelines.
        role: that they had when they asked.
    """

    author: str
    role: Role
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered.

    Attributes:
        topic: what it is about, for the next question.
        choices: names that may have been meant.
        approval: that waits for a person because of this question.
        by: "rules", or the language model that phrased it.
        basis: what a model phrased; "" where none did.
        note: what a model had to do with it else; "" for nothing.
    """

    at: datetime
    text: str
    intent: Intent
    ending: Ending = "answered"
    topic: Topic = Topic()
    cites: tuple[Cited, ...] = ()
    choices: tuple[str, ...] = ()
    approval: str | None = None
    by: str = "rules"
    basis: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question of a thread, and its answer once there is one.

    Attributes:
        number: 1, 2, ... within its thread.
    """

    thread: str
    number: int
    question: Question
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation.

    Attributes:
        id: "thr-...".
        incident: that it was opened about; None: whatever is asked.
        last_at: when something was last asked; retention counts from it.
        asked: how many questions there are.
    """

    id: str
    opened_by: str
    opened_at: datetime
    last_at: datetime
    incident: str | None = None
    asked: int = 0
