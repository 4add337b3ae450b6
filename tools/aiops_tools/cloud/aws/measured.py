"""CloudWatch: series and alarms, as the port has them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiops.errors import ToolFailed
from aiops.model.tool import Unread
from aiops_tools.cloud.aws.connection import Api, Connection
from aiops_tools.cloud.aws.fields import moment, text
from aiops_tools.cloud.port import Alarm, AlarmState, Found, MetricQuery, Samples

MOST_SERIES: Final = 20
_STATISTICS: Final[Mapping[str, str]] = {
    "average": "Average",
    "sum": "Sum",
    "minimum": "Minimum",
    "maximum": "Maximum",
    "count": "SampleCount",
}
_STATES: Final[Mapping[str, AlarmState]] = {"ALARM": "firing", "OK": "ok"}


def samples(account: Connection, query: MetricQuery) -> Found[Samples]:
    """Series of "NAMESPACE/NAME": the name is what stands after the last slash.

    CloudWatch holds a series apart for each set of dimensions and adds none up, so that those
    which have the dimensions asked for are listed first.
    """
    namespace, _, name = query.metric.rpartition("/")
    if not namespace or not name:
        raise ToolFailed(
            "invalid", f"metric {query.metric!r}: write NAMESPACE/NAME, AWS/EC2/CPUUtilization"
        )
    listed = account.rows(
        "cloudwatch",
        "list_metrics",
        "Metrics",
        f"series of {query.metric}",
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in query.labels],
    )
    chosen = listed.rows[:MOST_SERIES]
    more = listed.left_out or len(listed.rows) > len(chosen)
    if not chosen:
        return Found((), listed.unread)
    found = _values(account, query, chosen)
    return Found(found.rows, (*listed.unread, *found.unread), more)


def _values(account: Connection, query: MetricQuery, metrics: Sequence[Api]) -> Found[Samples]:
    stat = _STATISTICS.get(query.statistic, query.statistic)
    asked = [
        {
            "Id": f"m{number}",
            "MetricStat": {"Metric": dict(one), "Period": query.step_s, "Stat": stat},
        }
        for number, one in enumerate(metrics)
    ]
    answer = account.rows(
        "cloudwatch",
        "get_metric_data",
        "MetricDataResults",
        f"values of {query.metric}",
        MetricDataQueries=asked,
        StartTime=query.window.start,
        EndTime=query.window.end,
        ScanBy="TimestampAscending",
    )
    points: dict[str, dict[Any, float]] = {}
    unread = list(answer.unread)
    for one in answer.rows:  # a series may come in several pages
        times = [moment(each) for each in one.get("Timestamps") or ()]
        points.setdefault(one["Id"], {}).update(zip(times, one.get("Values") or (), strict=False))
        if one.get("StatusCode") in ("InternalError", "Forbidden"):
            said = "; ".join(text(each, "Value") for each in one.get("Messages") or ())
            unread.append(
                Unread(
                    f"{query.metric} {_labels(metrics[int(one['Id'][1:])])}",
                    said or text(one, "StatusCode"),
                )
            )
    series = [_series(metrics[int(name[1:])], values) for name, values in points.items() if values]
    return Found(tuple(series), tuple(unread))


def _series(metric: Api, values: Mapping[Any, float]) -> Samples:
    times = sorted(values)
    return Samples(_labels(metric), "", tuple(times), tuple(float(values[at]) for at in times))


def _labels(metric: Api) -> tuple[tuple[str, str], ...]:
    return tuple((one["Name"], one["Value"]) for one in metric.get("Dimensions") or ())


def alarms(account: Connection) -> Found[Alarm]:
    """Of metrics, and composite ones."""
    rows: list[Alarm] = []
    unread: list[Unread] = []
    left_out = False
    for key, kind in (("MetricAlarms", "MetricAlarm"), ("CompositeAlarms", "CompositeAlarm")):
        found = account.rows("cloudwatch", "describe_alarms", key, "alarms", AlarmTypes=[kind])
        rows += map(_alarm, found.rows)
        unread += found.unread
        left_out |= found.left_out
    return Found(tuple(rows), tuple(unread), left_out)


def _alarm(one: Api) -> Alarm:
    metric = "/".join(filter(None, (text(one, "Namespace"), text(one, "MetricName"))))
    labels = ", ".join(f"{key}={value}" for key, value in _labels(one))
    return Alarm(
        name=one["AlarmName"],
        state=_STATES.get(one.get("StateValue", ""), "unknown"),
        since=moment(one.get("StateTransitionedTimestamp") or one.get("StateUpdatedTimestamp")),
        reason=text(one, "StateReason"),
        about=" ".join(filter(None, (metric or text(one, "AlarmRule"), labels))),
        enabled=bool(one.get("ActionsEnabled", True)),
    )
