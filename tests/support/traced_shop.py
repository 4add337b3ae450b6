"""A shop whose requests were recorded: front calls cart calls db, which begins to fail."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from aiops.model import CaseData, Entity, Evidence, Ranking, SpanTable, Suspect, Window
from aiops.model.case import TelemetryWindow, Trigger

BEGAN = datetime(2026, 11, 20, 12, tzinfo=UTC)
ONSET = BEGAN + timedelta(seconds=100)


def spans(rows: Sequence[tuple[str, str, str, str, float, float]], bad: Sequence[str]) -> SpanTable:
    """Rows of (trace, span, parent, service, start, seconds); spans named in ``bad`` failed."""
    services = tuple(sorted({row[3] for row in rows}))
    texts = [np.array([row[i] for row in rows], dtype=object) for i in range(3)]
    return SpanTable(
        trace_ids=texts[0],
        span_ids=texts[1],
        parent_ids=texts[2],
        services=services,
        service_of=np.array([services.index(row[3]) for row in rows], dtype=np.int32),
        operations=("do",),
        operation_of=np.zeros(len(rows), dtype=np.int32),
        starts=np.array([BEGAN.timestamp() + row[4] for row in rows]),
        durations=np.array([row[5] for row in rows]),
        statuses=np.array(["ERROR" if row[1] in bad else "OK" for row in rows], dtype=object),
    )


def case_of(table: SpanTable | None) -> CaseData:
    window = TelemetryWindow(BEGAN, BEGAN + timedelta(seconds=200), spans=table)
    return CaseData("case-1", window, Trigger(ONSET))


def ranked(*names: str) -> Ranking:
    """Suspects, each as strong as the place it has from the end, each with a metric."""
    window = Window(BEGAN, ONSET)
    items = [
        Evidence(f"E{i}", "metric", f"{name} moved", "metrics", window, name)
        for i, name in enumerate(names, 1)
    ]
    suspects = [
        Suspect(Entity("service", name), None, 2.0 * (len(names) - i), 0.5, evidence=(item.id,))
        for i, (name, item) in enumerate(zip(names, items, strict=True))
    ]
    return Ranking("root_cause", tuple(suspects), ONSET, tuple(items))


def shop() -> CaseData:
    """Requests front -> cart -> db; after the onset db fails and takes the others with it."""
    rows, bad = [], []
    for i in range(60):
        late, took = i >= 40, 0.9 if i >= 40 else 0.1
        for name, parent in (("front", ""), ("cart", "front"), ("db", "cart")):
            above = f"{parent}{i}" if parent else ""
            rows.append((f"t{i}", f"{name}{i}", above, name, i * 2.5 + 0.01, took))
            bad += [f"{name}{i}"] * late
    return case_of(spans(rows, bad))
