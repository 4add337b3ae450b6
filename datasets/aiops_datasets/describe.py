"""What a data set holds, in aggregates. Reads the answers and prints no single one."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aiops.errors import InvalidData
from aiops.model import CaseData, Entity, TelemetryWindow
from aiops_datasets import catalog
from aiops_datasets.case import Case

# Fewer rows than this on one side of the alert are too few to score without a fallback (measures).
BASELINE_ROWS = 10


@dataclass(frozen=True, slots=True)
class Description:
    """One data set in numbers.

    Attributes:
        dataset: its name.
        cases: how many could be read.
        unreadable: why the others could not, one line each.
        services: how many different services all cases name.
        columns: fewest and most metric columns of a case; None where no case has metrics.
        intervals_s: seconds between rows -> cases.
        modalities: modality -> cases that have it.
        fault_types: our fault type, or "healthy" -> the set's own label -> cases.
        alert_times: what the alert time is (exact, window_start, ...) -> cases.
        baselines: cases with at least BASELINE_ROWS rows of metrics before the alert.
        references: fault-free recordings apart from the cases.
    """

    dataset: str
    cases: int
    unreadable: tuple[str, ...]
    services: int
    columns: tuple[int, int] | None
    intervals_s: dict[float, int]
    modalities: dict[str, int]
    fault_types: dict[str, dict[str, int]]
    alert_times: dict[str, int]
    baselines: int
    references: int


def _silent(*_: object) -> None: ...


def describe(
    root: Path, dataset: str, *, on_case: Callable[[int, int], None] = _silent
) -> Description:
    """Load every case of one data set below ``root`` and count.

    Args:
        on_case: called after each case with how many are done and how many there are.

    Raises:
        UnknownName: ``root`` holds no such data set.
    """
    places = tuple(catalog.locations(root, dataset))
    tally = _Tally()
    for done, place in enumerate(places, start=1):
        try:
            tally.add(catalog.load_case(place))
        except InvalidData as error:
            tally.unreadable.append(str(error))
        on_case(done, len(places))
    return tally.description(dataset, _references(root / dataset))


class _Tally:
    def __init__(self) -> None:
        self.unreadable: list[str] = []
        self.cases = self.baselines = 0
        self.services: set[str] = set()
        self.columns: list[int] = []
        self.intervals: Counter[float] = Counter()
        self.modalities: Counter[str] = Counter()
        self.alert_times: Counter[str] = Counter()
        self.faults: Counter[tuple[str, str]] = Counter()

    def add(self, case: Case) -> None:
        window, answers = case.data.window, case.answers
        self.cases += 1
        self.services |= {entity.service_name for entity in _entities(window)}
        self.modalities.update(modalities(window))
        self.alert_times[answers.inject_time_kind] += 1
        fault_type = answers.fault_label if answers.healthy else answers.fault_type.value
        self.faults[fault_type, answers.fault_label] += 1
        if window.metrics is not None:
            times = window.metrics.times
            self.columns.append(len(window.metrics.series))
            if len(times) > 1:
                self.intervals[round(float(np.median(np.diff(times))), 3)] += 1
            self.baselines += _rows_before_alert(case.data) >= BASELINE_ROWS

    def description(self, dataset: str, references: int) -> Description:
        faults: dict[str, dict[str, int]] = {}
        for (fault_type, label), count in sorted(self.faults.items()):
            faults.setdefault(fault_type, {})[label] = count
        return Description(
            dataset=dataset,
            cases=self.cases,
            unreadable=tuple(self.unreadable),
            services=len(self.services),
            columns=(min(self.columns), max(self.columns)) if self.columns else None,
            intervals_s=dict(sorted(self.intervals.items())),
            modalities=dict(sorted(self.modalities.items())),
            fault_types=faults,
            alert_times=dict(sorted(self.alert_times.items())),
            baselines=self.baselines,
            references=references,
        )


def modalities(window: TelemetryWindow) -> tuple[str, ...]:
    """The names of the modalities a window has, as the cards call them."""
    there = {
        "metrics": window.metrics,
        "logs": window.logs,
        "traces": window.spans,
        "load": window.load,
        "alerts": window.alerts or None,
        "cluster state": window.cluster_state or None,
        "tool outputs": window.tool_outputs or None,
        "changes": window.changes or None,
        "call graph": window.graph,
        "healthy reference": window.reference,
    }
    return tuple(name for name, content in there.items() if content is not None)


def _entities(window: TelemetryWindow) -> Iterator[Entity]:
    """The services, and what belongs to one; nodes and load generators are none."""
    seen = [series.entity for series in window.metrics.series] if window.metrics else []
    seen += [alert.entity for alert in window.alerts]
    seen += window.graph.nodes if window.graph else ()
    for table in (window.logs, window.spans):
        seen += [Entity("service", name) for name in table.services] if table else ()
    return (entity for entity in seen if entity.kind in ("service", "instance", "component"))


def _rows_before_alert(data: CaseData) -> int:
    if data.window.metrics is None or data.trigger.at is None:
        return 0
    return int(np.searchsorted(data.window.metrics.times, data.trigger.at.timestamp()))


def _references(folder: Path) -> int:
    """Fault-free recordings: ``_normal/<day or scenario>.<modality>.csv.gz``."""
    return len({path.name.partition(".")[0] for path in folder.glob("_normal/*.csv*")})
