"""What serves requests: targets of load balancers, functions, databases, as questions."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from aiops.model import Window
from aiops_tools.cloud.aws.cloud import AwsCloud
from aiops_tools.cloud.aws.connection import Api
from aiops_tools.cloud.aws.fields import moment, text
from aiops_tools.cloud.places import InPlace
from aiops_tools.cloud.port import MetricQuery, Statistic
from aiops_tools.cloud.probing import View, part_of
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Result
from aiops_tools.tables import paragraphs, rounded, table
from aiops_tools.windows import InWindow, Stretch, stretch, told

_Named = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9:_.-]{0,254}$")]
_MOST_GROUPS: Final = 60
_MOST_FUNCTIONS: Final = 20
_MOST_EVENTS: Final = 100


class TargetsAsked(InPlace):
    """Which target groups."""

    target_groups: list[_Named] = Field(default=[], max_length=20)


class SickTarget(Result):
    """A target that gets no requests, and why."""

    target: str
    port: int | None
    state: str
    reason: str


class TargetGroup(Result):
    """A target group: how many targets there are in each state."""

    name: str
    healthy: int
    targets: int
    sick: list[SickTarget]


class Targets(Result):
    """Target groups, those without healthy targets first."""

    target_groups: list[TargetGroup]
    left_out: bool


def _targets(view: View[AwsCloud], asked: TargetsAsked) -> Answer:
    account = view.cloud.account
    given: dict[str, object] = {"Names": asked.target_groups} if asked.target_groups else {}
    listed = account.rows(
        "elbv2", "describe_target_groups", "TargetGroups", "target groups", **given
    )
    groups: list[TargetGroup] = []
    unread = list(listed.unread)
    for one in listed.rows[:_MOST_GROUPS]:
        name = text(one, "TargetGroupName")
        found, missing = part_of(
            f"targets of {name}",
            partial(
                account.ask,
                "elbv2",
                "describe_target_health",
                f"targets of {name}",
                TargetGroupArn=one["TargetGroupArn"],
            ),
        )
        unread += missing
        if found is not None:
            groups.append(_target_group(one, found.get("TargetHealthDescriptions") or ()))
    groups.sort(key=lambda one: (one.healthy > 0, -len(one.sick), one.name))
    summary = table(
        ("target group", "healthy", "targets", "sick"),
        (
            (o.name, o.healthy, o.targets, "; ".join(f"{s.target} {s.reason}" for s in o.sick))
            for o in groups
        ),
    )
    left_out = listed.left_out or len(listed.rows) > _MOST_GROUPS
    result = Targets(target_groups=groups, left_out=left_out)
    return Answer(result, summary or "No target group.", tuple(unread))


def _target_group(group: Api, found: Iterable[Api]) -> TargetGroup:
    rows = [(one.get("Target") or {}, one.get("TargetHealth") or {}) for one in found]
    sick = [
        SickTarget(
            target=text(target, "Id"),
            port=target.get("Port"),
            state=text(health, "State"),
            reason=text(health, "Description") or text(health, "Reason") or text(health, "State"),
        )
        for target, health in rows
        if health.get("State") != "healthy"
    ]
    return TargetGroup(
        name=text(group, "TargetGroupName"),
        healthy=len(rows) - len(sick),
        targets=len(rows),
        sick=sick[:50],
    )


class FunctionsAsked(InPlace, InWindow):
    """Which functions."""

    functions: list[_Named] = Field(default=[], max_length=_MOST_FUNCTIONS)


class Function(Result):
    """What a function did in the window; null where nothing was measured."""

    name: str
    calls: float | None
    errors: float | None
    throttled: float | None
    slowest_ms: float | None


class Functions(Result):
    """Functions, those with most errors first."""

    window: Stretch
    functions: list[Function]
    left_out: bool


_MEASURES: Final[tuple[tuple[str, Statistic], ...]] = (
    ("Invocations", "sum"),
    ("Errors", "sum"),
    ("Throttles", "sum"),
    ("Duration", "maximum"),
)


def _functions(view: View[AwsCloud], asked: FunctionsAsked) -> Answer:
    window = asked.window(view.now())
    chosen: list[tuple[tuple[str, str], ...]] = [
        (("FunctionName", name),) for name in asked.functions
    ] or [()]
    read = [
        (metric, statistic, view.cloud.samples(_query(metric, labels, statistic, window)))
        for metric, statistic in _MEASURES
        for labels in chosen
    ]
    by_name: dict[str, dict[str, float]] = {}
    for metric, statistic, found in read:
        for one in found.rows:
            if len(one.labels) == 1 and one.labels[0][0] == "FunctionName":
                gathered = max(one.values) if statistic == "maximum" else sum(one.values)
                by_name.setdefault(one.labels[0][1], {})[metric] = gathered
    functions = [_function(name, values) for name, values in by_name.items()]
    functions.sort(key=lambda one: (-(one.errors or 0), -(one.throttled or 0), one.name))
    summary = paragraphs(
        f"Functions, {told(window)}:",
        table(
            ("function", "calls", "errors", "throttled", "slowest ms"),
            ((o.name, o.calls, o.errors, o.throttled, o.slowest_ms) for o in functions),
        )
        or "Nothing was measured.",
    )
    left_out = any(found.left_out for *_, found in read)
    unread = tuple(missing for *_, found in read for missing in found.unread)
    result = Functions(window=stretch(window), functions=functions, left_out=left_out)
    return Answer(result, summary, unread)


def _query(
    metric: str, labels: tuple[tuple[str, str], ...], statistic: Statistic, window: Window
) -> MetricQuery:
    """One value for the window, as CloudWatch takes steps: whole minutes."""
    seconds = int((window.end - window.start).total_seconds())
    step = max(60, -(-seconds // 60) * 60)
    return MetricQuery(f"AWS/Lambda/{metric}", labels, statistic, step, window)


def _function(name: str, values: dict[str, float]) -> Function:
    told_of = {key: rounded(value) for key, value in values.items()}
    return Function(
        name=name,
        calls=told_of.get("Invocations"),
        errors=told_of.get("Errors"),
        throttled=told_of.get("Throttles"),
        slowest_ms=told_of.get("Duration"),
    )


class DatabaseEventsAsked(InPlace, InWindow):
    """Which events."""

    database: _Named | None = Field(default=None, description="one DB instance, by identifier")


class DatabaseEvent(Result):
    """What RDS said of one of its objects."""

    at: datetime
    kind: str
    name: str
    message: str
    categories: list[str]


class DatabaseEvents(Result):
    """Events, the newest first."""

    window: Stretch
    events: list[DatabaseEvent]
    left_out: bool


def _database_events(view: View[AwsCloud], asked: DatabaseEventsAsked) -> Answer:
    window = asked.window(view.now())
    given: dict[str, object] = {"StartTime": window.start, "EndTime": window.end}
    if asked.database is not None:
        given |= {"SourceIdentifier": asked.database, "SourceType": "db-instance"}
    found = view.cloud.account.rows("rds", "describe_events", "Events", "database events", **given)
    events = [
        DatabaseEvent(
            at=at,
            kind=text(one, "SourceType"),
            name=text(one, "SourceIdentifier"),
            message=text(one, "Message"),
            categories=[str(each) for each in one.get("EventCategories") or ()],
        )
        for one in found.rows
        if (at := moment(one.get("Date"))) is not None
    ]
    events.sort(key=lambda one: one.at, reverse=True)
    some = events[:_MOST_EVENTS]
    summary = table(
        ("at", "database", "message"),
        ((f"{o.at:%H:%M:%S}", f"{o.kind} {o.name}", o.message) for o in some),
    )
    left_out = found.left_out or len(events) > len(some)
    result = DatabaseEvents(window=stretch(window), events=some, left_out=left_out)
    return Answer(result, summary or f"No database event, {told(window)}.", found.unread)


QUESTIONS: Final[tuple[Question[View[AwsCloud], Any], ...]] = (
    Question(
        "target_health",
        "Targets of load balancers that are not healthy, and why, by target group.",
        TargetsAsked,
        Targets,
        _targets,
        ("why does the load balancer answer 503", "which targets fail their health check"),
        timeout_s=90,
    ),
    Question(
        "function_errors",
        "Lambda functions with calls, errors, throttled calls and the slowest one in a window.",
        FunctionsAsked,
        Functions,
        _functions,
        ("which lambda fails most", "are functions being throttled"),
        timeout_s=90,
    ),
    Question(
        "database_events",
        "What RDS says happened to databases: failovers, restarts, full storage, maintenance.",
        DatabaseEventsAsked,
        DatabaseEvents,
        _database_events,
        ("did the database fail over", "was there maintenance of the RDS instance"),
        timeout_s=60,
    ),
)
