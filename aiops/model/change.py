"""Something that somebody or something did to the system: the first question of every incident."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aiops.model.entity import Entity

ChangeKind = Literal["deploy", "config", "flag", "scale", "rollback", "other"]


@dataclass(frozen=True, slots=True)
class Change:
    """A deployment, configuration, feature flag or scaling event.

    Attributes:
        at: when it took effect, UTC.
        description: what was done, in one line. Data, never instructions.
        evidence: ids, in a report.
        author: who did it, as its source says.
        ref: what it brought: a commit, an image tag, a flag.
        link: where it can be seen at its source.
    """

    at: datetime
    entity: Entity
    description: str
    evidence: tuple[str, ...] = ()
    kind: ChangeKind = "other"
    author: str | None = None
    ref: str | None = None
    link: str | None = None
