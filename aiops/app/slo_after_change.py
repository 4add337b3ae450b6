"""Whether the team's objectives hold after an action: asked by the gateway once it was verified."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aiops.analyze.clocks import on_one_clock
from aiops.analyze.slo import events_of, title
from aiops.analyze.slo_comparison import SHORTEST_S, Comparison, compared
from aiops.analyze.wording import listed, number
from aiops.app.slos import with_planned_work
from aiops.errors import SourceUnavailable, StoreUnavailable
from aiops.model import MetricTable, ServiceGraph
from aiops.model.slo import Slo
from aiops.model.tool import Target
from aiops.ports.incidents import IncidentRepo
from aiops.ports.objectives import Held
from aiops.ports.telemetry import MetricSource

MARGIN: Final = timedelta(minutes=2)
"""Read beyond the windows: an increase is known from the sample before it."""


@dataclass(frozen=True, slots=True)
class AfterChange:
    """An Objectives over the same file and sources as the burn-rate alerts.

    A change concerns the objectives of the services it changes, and of those that call these
    directly: who calls a service feels first what was done to it. Whether it mended what burnt
    before is asked of whoever calls them through others, too: users are at the end of that.

    Attributes:
        sources: of metrics, by name; the first that has an objective's metrics judges it.
        graph: who calls whom at a time; raises SourceUnavailable or StoreUnavailable.
    """

    slos: Sequence[Slo]
    sources: Sequence[tuple[str, MetricSource]]
    incidents: IncidentRepo
    graph: Callable[[datetime], ServiceGraph]
    now: Callable[[], datetime]

    def covering(self, targets: Sequence[Target]) -> tuple[str, ...]:
        """See Objectives."""
        return tuple(slo.name for slo in self._concerned(targets)[1])

    def held(
        self, targets: Sequence[Target], changed: datetime, since: datetime, until: datetime
    ) -> Held:
        """See Objectives."""
        near, slos = self._concerned(targets)
        if not slos:
            return Held(None, f"no objective covers {listed([str(each) for each in targets])}")
        try:
            slos = with_planned_work(slos, self.incidents.silences())
        except StoreUnavailable as error:
            return Held(None, f"whether objectives hold cannot be told: {error}")
        start = changed - max(until - since, timedelta(seconds=SHORTEST_S)) - MARGIN
        tables, failed = self._read(sorted({slo.service for slo in slos}), start, until)
        found = [(slo, _judged(slo, tables, changed, since, until)) for slo in slos]
        held = _verdict([each for each in found if each[0].name in near], failed)
        mended, said = _mended(found)
        early = mended is None and any(one.early for _, one in found)
        return Held(held.held, f"{held.seen}; {said}" if said else held.seen, mended, early)

    def _concerned(self, targets: Sequence[Target]) -> tuple[frozenset[str], tuple[Slo, ...]]:
        """Names of those near the targets, and these with all that are reached through others.

        Workloads are services by their names; what a source calls otherwise is not known.
        """
        if not self.slos:
            return frozenset(), ()
        names = {target.name for target in targets}
        try:
            calls = self.graph(self.now()).calls
        except (SourceUnavailable, StoreUnavailable):
            calls = ()  # the services themselves are known without it
        edges = {(call.source.service_name, call.target.service_name) for call in calls}
        close = names | {caller for caller, callee in edges if callee in names}
        reached = close
        while more := {caller for caller, callee in edges if callee in reached} - reached:
            reached = reached | more
        slos = tuple(slo for slo in self.slos if slo.service in reached)
        return frozenset(slo.name for slo in slos if slo.service in close), slos

    def _read(
        self, services: Sequence[str], start: datetime, end: datetime
    ) -> tuple[list[MetricTable], list[str]]:
        tables, failed = [], []
        for _, source in self.sources:
            try:
                tables.append(on_one_clock(source.metrics(services, start, end)))
            except (SourceUnavailable, StoreUnavailable) as failure:
                failed.append(str(failure))
        return tables, failed


def _judged(
    slo: Slo, tables: Iterable[MetricTable], changed: datetime, since: datetime, until: datetime
) -> Comparison:
    """By the first source that measured it on both sides of the change."""
    times = changed.timestamp(), since.timestamp(), until.timestamp()
    found = Comparison(None, None, faster=False)
    for table in tables:
        events = events_of(slo, table)
        if events is None:
            continue
        found = compared(slo, events, *times)
        if found.before is not None and found.after is not None:
            break
    return found


def _mended(found: Sequence[tuple[Slo, Comparison]]) -> tuple[bool | None, str]:
    """Whether any that burnt too fast got better, and a sentence; None and "" where none did."""
    burnt = [(slo, one) for slo, one in found if one.mended is not None]
    if not burnt:
        return None, ""
    better = any(one.mended for _, one in burnt)
    rates = [
        f"{title(slo)} burns {number(one.after or 0.0)} times too fast, {number(one.before or 0.0)}"
        " before"
        for slo, one in burnt
    ]
    return better, f"{'it helped' if better else 'it did not help'}: {listed(rates)}"


def _verdict(found: Sequence[tuple[Slo, Comparison]], failed: Sequence[str]) -> Held:
    known = [
        (slo, one, one.before, one.after)
        for slo, one in found
        if one.before is not None and one.after is not None
    ]
    worse = [
        f"{title(slo)} burns its error budget {number(after)} times too fast, "
        f"{number(before)} times before"
        for slo, one, before, after in known
        if one.faster
    ]
    if worse:
        return Held(False, "; ".join(worse))
    if not found:
        return Held(None, "no objective is near the change")
    if not known:
        names = listed([title(slo) for slo, _ in found])
        why = "; ".join(failed) or "it was not measured before and after the change"
        return Held(None, f"whether {names} holds cannot be told: {why}")
    names = listed([title(slo) for slo, *_ in known])
    unknown = [title(slo) for slo, one in found if None in (one.before, one.after)]
    rest = f"; of {listed(unknown)} nothing is known" if unknown else ""
    return Held(True, f"{names} burns no faster than before{rest}")
