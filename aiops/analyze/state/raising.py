"""How a rule turns what it found into a hypothesis: in objects, with evidence.

The size of a sign is the number of objects that do not work because of it. How telling it is
depends on who says so.
"""

import math
from collections.abc import Iterable

from aiops.model import Entity, Evidence, FaultType, Hypothesis, Indicator

FLOOR = 0.05
"""Objects: one object in twenty is the least loss that counts; one lost object is twenty floors
(3 nats), as plain a sign as a metric that moved by twenty of its usual variations."""
NAMED = 1.0
"""Telling: a component of the cluster states this very reason, and it still holds."""
CONTRADICTION = 0.9
"""Telling: two objects contradict each other, so that it cannot work."""
FITS = 0.65
"""Telling: what is seen fits, and few other reasons would look the same."""
SYMPTOM = 0.4
"""Telling: something does not work, for a reason that is not seen."""
HINT = 0.15
"""Telling: unusual, but seen in clusters that work."""


def raised(
    entity: Entity,
    fault: FaultType,
    kind: str,
    telling: float,
    support: Iterable[Evidence | None],
    *,
    affected: float = 1.0,
    refuted_by: str = "",
    indicator: str = "",
    explains: Iterable[Entity] = (),
) -> Hypothesis:
    """A hypothesis whose strength is log(1 + affected / FLOOR) nats times ``telling``."""
    return Hypothesis(
        entity=entity,
        fault=fault,
        kind=kind,
        size=float(affected),
        unit="objects",
        floor=FLOOR,
        strength=math.log1p(max(affected, 0.0) / FLOOR) * telling,
        indicator=Indicator("config", indicator) if indicator else None,
        support=tuple(evidence for evidence in support if evidence is not None and evidence.ref),
        refuted_by=refuted_by,
        explains=tuple(dict.fromkeys(explains)),
    )
