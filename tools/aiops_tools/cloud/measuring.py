"""What a provider measures, and the alarms it rings, as questions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from aiops.model import Window
from aiops_tools.cloud.places import InPlace
from aiops_tools.cloud.port import Alarm, Cloud, MetricQuery, Samples, Statistic
from aiops_tools.cloud.probing import View, more_than_read
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Arguments, Result
from aiops_tools.tables import paragraphs, rounded, table
from aiops_tools.windows import InWindow, Stretch, stretch, told

MOST_POINTS: Final = 120
MOST_ALARMS: Final = 100
_SHORTEST_S: Final = 60
_Text = Annotated[str, StringConstraints(pattern=r"^[ -~]{1,255}$")]


class Label(Arguments):
    """What a series must have."""

    key: _Text
    value: _Text


class MetricsAsked(InPlace, InWindow):
    """Which series, and how they are summed up."""

    metric: _Text = Field(description='as the provider names it: "AWS/EC2/CPUUtilization"')
    labels: list[Label] = Field(default=[], max_length=10, description="dimensions or labels")
    statistic: Statistic = "average"


class Point(Result):
    """One value, of the time from ``at`` on."""

    at: datetime
    value: float


class Line(Result):
    """One series; numbers of four digits."""

    labels: dict[str, str]
    unit: str
    least: float | None
    mean: float | None
    most: float | None
    last: float | None
    points: list[Point]


class MetricsFound(Result):
    """Series of one metric; each value sums up ``step_s`` seconds."""

    metric: str
    statistic: str
    step_s: int
    window: Stretch
    series: list[Line]
    left_out: bool


def _metrics(view: View[Cloud], asked: MetricsAsked) -> Answer:
    window = asked.window(view.now())
    step = _step(window)
    labels = tuple((one.key, one.value) for one in asked.labels)
    found = view.cloud.samples(MetricQuery(asked.metric, labels, asked.statistic, step, window))
    lines = [_line(one) for one in found.rows]
    result = MetricsFound(
        metric=asked.metric,
        statistic=asked.statistic,
        step_s=step,
        window=stretch(window),
        series=lines,
        left_out=found.left_out,
    )
    summary = paragraphs(
        f"{asked.metric}, {asked.statistic} of {step} s, {told(window)}:",
        table(
            ("series", "least", "mean", "most", "last", "unit"),
            (
                (_named(one.labels), one.least, one.mean, one.most, one.last, one.unit)
                for one in lines
            ),
        )
        or "Nothing was measured.",
        more_than_read(found.left_out),
    )
    return Answer(result, summary, found.unread)


def _step(window: Window) -> int:
    seconds = (window.end - window.start).total_seconds()
    return max(_SHORTEST_S, -(-int(seconds) // (MOST_POINTS * 60)) * 60)


def _line(one: Samples) -> Line:
    return Line(
        labels=dict(one.labels),
        unit=one.unit,
        least=_one(min, one.values),
        mean=rounded(sum(one.values) / len(one.values)) if one.values else None,
        most=_one(max, one.values),
        last=rounded(one.values[-1]) if one.values else None,
        points=[
            Point(at=at, value=value)
            for at, each in zip(one.times, one.values, strict=True)
            if (value := rounded(each)) is not None
        ],
    )


def _one(choose: Any, values: Sequence[float]) -> float | None:
    return rounded(choose(values)) if values else None


def _named(labels: dict[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))


class AlarmsAsked(InPlace):
    """Which alarms."""

    state: Literal["firing", "all"] = "firing"


class AlarmFound(Result):
    """An alarm; ``since`` is when it came into its state."""

    name: str
    state: Literal["firing", "ok", "unknown"]
    since: datetime | None
    reason: str
    about: str
    enabled: bool


class AlarmsFound(Result):
    """Alarms, the firing ones first, then the latest; ``read`` counts all."""

    read: int
    firing: int
    alarms: list[AlarmFound]
    left_out: bool


def _alarms(view: View[Cloud], asked: AlarmsAsked) -> Answer:
    found = view.cloud.alarms()
    firing = sum(one.state == "firing" for one in found.rows)
    rows = [one for one in found.rows if asked.state == "all" or one.state == "firing"]
    rows.sort(key=lambda one: (one.state != "firing", -_stamp(one), one.name))
    some = rows[:MOST_ALARMS]
    left_out = found.left_out or len(rows) > len(some)
    result = AlarmsFound(
        read=len(found.rows), firing=firing, alarms=list(map(_alarm, some)), left_out=left_out
    )
    summary = paragraphs(
        f"{firing} of {len(found.rows)} alarms are firing.",
        table(
            ("alarm", "state", "since", "about", "reason"),
            ((one.name, one.state, one.since, one.about, one.reason) for one in some),
        ),
        more_than_read(left_out),
    )
    return Answer(result, summary, found.unread)


def _stamp(one: Alarm) -> float:
    return one.since.timestamp() if one.since else 0.0


def _alarm(one: Alarm) -> AlarmFound:
    return AlarmFound(
        name=one.name,
        state=one.state,
        since=one.since,
        reason=one.reason,
        about=one.about,
        enabled=one.enabled,
    )


QUESTIONS: Final[tuple[Question[View[Cloud], Any], ...]] = (
    Question(
        "metrics",
        "Series of one of the provider's metrics over a window, with least, mean, most and last.",
        MetricsAsked,
        MetricsFound,
        _metrics,
        ("CPU of this machine in the last hour", "how many requests did the balancer fail"),
        timeout_s=60,
    ),
    Question(
        "alarms",
        "The provider's own alarms with state, reason and since when.",
        AlarmsAsked,
        AlarmsFound,
        _alarms,
        ("which cloud alarms are ringing", "since when is this alarm on"),
        timeout_s=60,
    ),
)
