"""Deployments, settings and flags that were reported to us: what changed just before the trouble.

A change is no proof. Alone it is a weak suspicion; beside the symptoms of the same service, which
other readers raise, it tells what kind of fault they are of.
"""

import math
import re
from typing import Final

from aiops.analyze.state.changes import LAG_S, LEAD_S
from aiops.analyze.state.raising import FITS, SYMPTOM, raised
from aiops.model import CaseData, Entity, Episode, Evidence, FaultType, Hypothesis, Reading, Window
from aiops.model.change import Change, ChangeKind

SOURCE: Final = "changes"
_BECOMES: Final = " -> "
"""Between what a setting was and what it is, in the description of a change."""
_FAULTS: Final[dict[ChangeKind, FaultType]] = {
    "deploy": FaultType.BAD_DEPLOY,
    "rollback": FaultType.BAD_DEPLOY,
    "config": FaultType.BAD_CONFIG,
    "flag": FaultType.BAD_CONFIG,
    "scale": FaultType.SCHEDULING,
    "other": FaultType.BAD_DEPLOY,
}


class ChangeEventReader:
    """Reads the change events of the window (``TelemetryWindow.changes``)."""

    name = "events"
    modality = "changes"

    def read(self, case: CaseData, episode: Episode, *, seed: int = 0) -> Reading:
        """One hypothesis a change from LEAD_S before the onset to LAG_S after it."""
        del seed
        if case.window.changes is None:
            return Reading(missing=True)
        near = [
            (one, before_s)
            for one in case.window.changes
            if -LAG_S <= (before_s := (episode.onset - one.at).total_seconds()) <= LEAD_S
        ]
        return Reading(tuple(_suspicion(case, one, before_s) for one, before_s in near))


def _suspicion(case: CaseData, change: Change, before_s: float) -> Hypothesis:
    nearness = math.exp(-max(0.0, before_s) / LEAD_S)
    lost = _no_longer_named(case, change)
    return raised(
        change.entity,
        _FAULTS[change.kind],
        "address_changed_before_the_onset" if lost else f"{change.kind}_before_the_onset",
        FITS if lost else SYMPTOM * (FITS + (1 - FITS) * nearness),
        [
            Evidence(
                "", "change", _claim(change, before_s), SOURCE, _around(case, change), ref(change)
            )
        ],
        refuted_by="undoing the change without effect, or trouble that began before it",
        explains=lost,
    )


def _no_longer_named(case: CaseData, change: Change) -> tuple[Entity, ...]:
    """Whom the changed service calls by a name that the change took out of its settings."""
    graph = case.window.graph
    if graph is None or _BECOMES not in change.description:
        return ()
    before, after = change.description.rsplit(_BECOMES, 1)
    return tuple(
        call.target
        for call in graph.calls
        if call.source.same_service(change.entity)
        and _names(before, call.target)
        and not _names(after, call.target)
    )


def _names(setting: str, entity: Entity) -> bool:
    """As a whole name: a longer one with it inside is another's."""
    return re.search(rf"(?<![\w-]){re.escape(entity.name)}(?![\w-])", setting) is not None


def ref(change: Change) -> str:
    """What a piece of evidence names this change by."""
    return f"{change.at.isoformat()} {change.entity.name}"


def _claim(change: Change, before_s: float) -> str:
    by = f" by {change.author}" if change.author else ""
    if before_s >= 0:
        when = f"{before_s:.0f} s before the onset"
    else:
        when = f"{-before_s:.0f} s after the onset as found"
    return f"{change.entity.name}: {change.description}{by}, {when}."


def _around(case: CaseData, change: Change) -> Window:
    return Window(min(change.at, case.window.end), case.window.end)
