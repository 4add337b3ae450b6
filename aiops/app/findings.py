"""What an investigation knows before it is put into words: ranking, movements, evidence."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from aiops.analyze.wording import TimeWords, number, quantity, signal
from aiops.app.movement import Movement, movements
from aiops.app.surroundings import is_of_a_service, silent
from aiops.model import CaseData, Entity, Evidence, Ranking, ServiceGraph, Suspect
from aiops.model.alert import Alert


class Citations:
    """The evidence of one report: looked up by what it is about, added to where there is none."""

    def __init__(self, evidence: Iterable[Evidence]) -> None:
        self._items = list(evidence)

    @property
    def items(self) -> tuple[Evidence, ...]:
        """All of it, in order of its ids."""
        return tuple(self._items)

    def of(self, movement: Movement) -> str:
        """The id of the evidence for ``movement``, written down now if nobody has."""
        for item in self._items:
            if item.kind == "metric" and item.ref == movement.series.column:
                return item.id
        taken = {item.id for item in self._items}
        number_ = next(n for n in range(1, len(taken) + 2) if f"E{n}" not in taken)
        self._items.append(
            Evidence(
                id=f"E{number_}",
                kind="metric",
                claim=f"{subject_of(movement)} {moved(movement)}, {size_of(movement)}.",
                source=movement.source,
                window=movement.window,
                ref=movement.series.column,
            )
        )
        return f"E{number_}"


def subject_of(movement: Movement) -> str:
    """The series in words: "cpu of db"."""
    series = movement.series
    return signal(series.metric, series.entity.name)


def size_of(movement: Movement) -> str:
    """The shift beside the series' own noise: "12.6 times its usual variation"."""
    return f"{times_of(movement)} its usual variation"


def times_of(movement: Movement) -> str:
    """The same, short: "12.6 times"."""
    return f"{number(movement.size) if movement.size < 100 else 'over 100'} times"


def moved(movement: Movement) -> str:
    """The shift in words and units: "rose from 1.26 to 95.1"."""
    before = quantity(movement.before, movement.unit)
    after = quantity(movement.after, movement.unit)
    if before == after:
        return f"stayed at about {before}"
    return f"{movement.verb} from {before} to {after}"


@dataclass(frozen=True)
class Findings:
    """One case, one ranking of it, and what moved.

    Attributes:
        top: how many candidates the report lists.
        alerts: of the incident, where it has any besides the trigger.
    """

    case: CaseData
    ranking: Ranking
    method: str
    top: int
    citations: Citations = field(default_factory=lambda: Citations(()))
    alerts: tuple[Alert, ...] = ()

    @cached_property
    def times(self) -> TimeWords:
        return TimeWords(self.case.window.start, self.case.window.relative)

    @property
    def pivot(self) -> datetime | None:
        """The moment before and after which series are compared."""
        return self.ranking.onset or self.case.trigger.at

    @cached_property
    def movements(self) -> tuple[Movement, ...]:
        """Every series, largest shift first."""
        return movements(self.case, self.pivot)

    @cached_property
    def strongest(self) -> dict[str, Movement]:
        """The notable movement of each service that has one, largest first."""
        first: dict[str, Movement] = {}
        for each in self.movements:
            if each.notable:
                first.setdefault(each.series.entity.service_name, each)
        return first

    @cached_property
    def candidates(self) -> tuple[Suspect, ...]:
        """The services on the list, most likely first."""
        return self.ranking.entities()[: self.top]

    @property
    def accused(self) -> Suspect | None:
        """The root cause; None unless the verdict names one."""
        if self.ranking.verdict != "root_cause" or not self.candidates:
            return None
        return self.candidates[0]

    @cached_property
    def calibrated(self) -> bool:
        """Whether the method gives probabilities at all."""
        return any(suspect.confidence > 0 for suspect in self.ranking.suspects)

    def movement_of(self, suspect: Suspect) -> Movement | None:
        """The movement of the suspect's own signal, else the strongest of its service."""
        own = [
            each
            for each in self.movements
            if each.series.entity.service_name == suspect.entity.service_name
        ]
        if suspect.indicator is not None:
            for each in own:
                if suspect.indicator.name in (each.series.column, each.series.metric):
                    return each
            if suspect.indicator.kind != "metric":
                return None
        return own[0] if own else None

    @cached_property
    def start(self) -> datetime | None:
        """When the accused signal began to move; the ranking's onset where that is not seen."""
        movement = self.movement_of(self.accused) if self.accused is not None else None
        return (movement.began if movement is not None else None) or self.pivot

    @cached_property
    def others(self) -> tuple[Movement, ...]:
        """The strongest movement of each service that is not accused, in order of time."""
        own = self.accused.entity.service_name if self.accused is not None else None
        found = [each for service, each in self.strongest.items() if service != own]
        return tuple(
            sorted(found, key=lambda each: (each.began or self.case.window.end, -each.size))
        )

    def earlier(self, movement: Movement) -> bool:
        """Whether it began before the accused signal, by more than sampling can explain."""
        if movement.began is None or self.start is None:
            return False
        # The ranking's onset is a change point over many series; either moment may be the later.
        reference = min(self.start, self.pivot or self.start)
        return movement.began < reference - 2 * self.interval

    def services(self) -> frozenset[str]:
        """Every service that has a series."""
        table = self.case.window.metrics
        return frozenset(
            series.entity.service_name for series in (table.series if table is not None else ())
        )

    @cached_property
    def unheard(self) -> tuple[str, ...]:
        """Services that alerted although nothing was recorded of them: unseen causes, perhaps."""
        entities = (self.case.trigger.entity, *(alert.entity for alert in self.alerts))
        named = {each.service_name for each in entities if each and is_of_a_service(each)}
        return silent(self.case.window, sorted(named))

    @property
    def interval(self) -> timedelta:
        """The sampling interval of the metrics; order within it means nothing."""
        table = self.case.window.metrics
        if table is None or len(table.times) < 2:
            return timedelta(0)
        return timedelta(seconds=float(table.times[-1] - table.times[0]) / (len(table.times) - 1))


def path_between(graph: ServiceGraph | None, caller: Entity, callee: Entity) -> tuple[str, ...]:
    """The services on the shortest chain of calls from ``caller`` to ``callee``, both included.

    () where there is none or no graph.
    """
    if graph is None:
        return ()
    calls: dict[str, list[str]] = {}
    for call in graph.calls:
        calls.setdefault(call.source.service_name, []).append(call.target.service_name)
    start, goal = caller.service_name, callee.service_name
    paths: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    while paths:
        longer = []
        for path in paths:
            for step in calls.get(path[-1], ()):
                if step == goal:
                    return (*path, step)
                if step not in seen:
                    seen.add(step)
                    longer.append((*path, step))
        paths = longer
    return ()
