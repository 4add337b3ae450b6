"""What moved from one window to another."""

from datetime import datetime

from aiops.analyze.metric_kinds import MetricKind, reading_of
from aiops.app.movement import movements
from aiops.errors import ToolFailed
from aiops.model import CaseData, MetricTable, Reference, TelemetryWindow, Window
from aiops.model.tool import Unread
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Result
from aiops_tools.tables import paragraphs, rounded, table
from aiops_tools.telemetry.columns import Kinds, Limit, chosen, series_of
from aiops_tools.telemetry.gathering import Readers, gather
from aiops_tools.telemetry.known import without_rows
from aiops_tools.telemetry.told import OneOrMore, Told, heading
from aiops_tools.windows import InWindow, Moment, Stretch, between, stretch


class Compared(InWindow):
    """Two windows of some services; the first one is by default as long, right before."""

    services: OneOrMore
    start: Moment = "-15m"
    baseline_start: Moment | None = None
    baseline_end: Moment | None = None
    kinds: Kinds = ()
    limit: Limit = 30


class Moved(Result):
    """How far one series moved; ``shift`` in its own usual variations, 3 and more is notable."""

    service: str
    entity: str
    metric: str
    kind: MetricKind
    unit: str | None
    before: float | None
    after: float | None
    shift: float | None
    notable: bool
    began: datetime | None
    ref: str


class Comparison(Told):
    """Series, the largest shift first; ``notable`` counts those beyond usual variation."""

    baseline: Stretch
    notable: int
    series: list[Moved]


def compare(readers: Readers, asked: Compared) -> Answer:
    """What moved from one window to another: medians, in robust variations of the first."""
    now = readers.now()
    window = asked.window(now)
    baseline = _baseline(asked, window, now)
    gathered = gather(readers, "metrics", asked.services, window)
    before = gather(readers, "metrics", asked.services, baseline)
    unread = without_rows(readers, asked.services, gathered, "metrics", window)
    later, earlier = (chosen(series_of(each), asked.kinds, None) for each in (gathered, before))
    case = CaseData(
        "comparison",
        TelemetryWindow(
            window.start, window.end, metrics=later, reference=Reference(metrics=earlier)
        ),
    )
    found = movements(case, window.start)
    rows = [
        Moved(
            service=each.series.entity.service_name,
            entity=each.series.entity.name,
            metric=each.series.metric,
            kind=reading_of(each.series).kind,
            unit=each.unit,
            before=rounded(each.before),
            after=rounded(each.after),
            shift=rounded(each.size),
            notable=each.notable,
            began=each.began,
            ref=each.series.column,
        )
        for each in found[: asked.limit]
    ]
    result = Comparison(
        window=stretch(window),
        sources=list(gathered.sources),
        total=len(found),
        left_out=len(found) - len(rows),
        baseline=stretch(baseline),
        notable=sum(each.notable for each in found),
        series=rows,
    )
    summary = paragraphs(
        heading("series compared", gathered, window, len(found), len(rows)),
        f"{result.notable} of them moved by 3 usual variations or more",
        table(
            ("entity", "metric", "unit", "before", "after", "shift"),
            ((r.entity, r.metric, r.unit, r.before, r.after, r.shift) for r in rows),
        ),
    )
    left = (*before.unread, *gathered.unread, *unread, *_one_sided(earlier, later))
    return Answer(result, summary, tuple(dict.fromkeys(left)))


def _baseline(asked: Compared, window: Window, now: datetime) -> Window:
    given = (asked.baseline_start, asked.baseline_end)
    if given == (None, None):
        return Window(window.start - (window.end - window.start), window.start)
    if asked.baseline_start is None or asked.baseline_end is None:
        raise ToolFailed("invalid", "give both 'baseline_start' and 'baseline_end', or neither")
    found = between(asked.baseline_start, asked.baseline_end, now)
    if found.end > window.start:
        raise ToolFailed("invalid", "the baseline must end before the window begins")
    return found


def _one_sided(earlier: MetricTable, later: MetricTable) -> tuple[Unread, ...]:
    """Series that cannot be compared, since only one of the windows has them."""
    before = {series.column for series in earlier.series}
    after = {series.column for series in later.series}
    told = (
        (before - after, "gone: only the baseline has samples of them"),
        (after - before, "new: the baseline has no sample of them"),
    )
    return tuple(
        Unread(f"{len(names)} series ({', '.join(sorted(names)[:5])})", reason)
        for names, reason in told
        if names
    )


COMPARE = Question(
    "compare",
    "Which metrics of some services moved from one window to another, and by how many of their "
    "usual variations.",
    Compared,
    Comparison,
    compare,
    ("What is different since the deployment?", "Compare the last 15 minutes with before"),
)
