"""What following requests down their calls speaks for and against."""

from dataclasses import dataclass

from aiops.model.ranking import Evidence


@dataclass(frozen=True, slots=True)
class Lean:
    """What a trail says of one service.

    Attributes:
        nats: of the signs that the trail weighed; negative where it speaks against the service
            being the cause.
        reason: one clause that goes on after "but", where it speaks against it; "" else.
    """

    service: str
    nats: float
    reason: str


@dataclass(frozen=True, slots=True)
class Trail:
    """One walk down failing requests.

    Attributes:
        evidence: for all that it leans to; ids "" until they are numbered.
        leans: for one service first, then those against.
        actions: what the walker did, in order: "trace front GET /", "metrics front", "print ...".
        forced: whether a limit ended it before all was read.
    """

    evidence: tuple[Evidence, ...]
    leans: tuple[Lean, ...]
    actions: tuple[str, ...]
    forced: bool = False
