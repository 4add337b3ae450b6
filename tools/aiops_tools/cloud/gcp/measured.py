"""Cloud Monitoring: series, alert policies and their alerts, as the port has them."""

import re
from collections.abc import Mapping
from typing import Any, Final

from aiops.errors import ToolFailed
from aiops_tools.cloud.gcp.connection import Api, Connection
from aiops_tools.cloud.gcp.machines import moment
from aiops_tools.cloud.port import Alarm, Found, MetricQuery, Samples
from aiops_tools.cloud.probing import part_of

MOST_SERIES: Final = 20
_METRIC: Final = re.compile(r"[A-Za-z0-9._/-]+")
_LABEL: Final = re.compile(r"(metric|resource)\.labels?\.[A-Za-z0-9_]+")
_ALIGNERS: Final[Mapping[str, str]] = {
    "average": "ALIGN_MEAN",
    "sum": "ALIGN_SUM",
    "minimum": "ALIGN_MIN",
    "maximum": "ALIGN_MAX",
    "count": "ALIGN_COUNT",
    "p50": "ALIGN_PERCENTILE_50",
    "p95": "ALIGN_PERCENTILE_95",
    "p99": "ALIGN_PERCENTILE_99",
}


def samples(project: Connection, query: MetricQuery) -> Found[Samples]:
    """Series by metric type; labels by their whole key, "resource.labels.instance_id"."""
    if query.statistic not in _ALIGNERS:
        known = ", ".join(_ALIGNERS)
        raise ToolFailed("invalid", f"{query.statistic} is not computed there; choose of: {known}")
    found = project.pages(
        "monitoring",
        f"series of {query.metric}",
        lambda api, token: (
            api.projects()
            .timeSeries()
            .list(
                name=f"projects/{project.project}",
                filter=_filter(query),
                interval_startTime=query.window.start.isoformat(),
                interval_endTime=query.window.end.isoformat(),
                aggregation_alignmentPeriod=f"{query.step_s}s",
                aggregation_perSeriesAligner=_ALIGNERS[query.statistic],
                pageToken=token,
            )
        ),
    )
    series: dict[tuple[tuple[str, str], ...], list[Api]] = {}
    unit = ""
    for page in found.rows:
        unit = str(page.get("unit") or unit)
        for one in page.get("timeSeries") or ():
            series.setdefault(_labels(one), []).extend(one.get("points") or ())
    rows = [_series(labels, points, unit) for labels, points in sorted(series.items())]
    left_out = found.left_out or len(rows) > MOST_SERIES
    return Found(tuple(rows[:MOST_SERIES]), found.unread, left_out)


def _filter(query: MetricQuery) -> str:
    if not _METRIC.fullmatch(query.metric):
        raise ToolFailed("invalid", f"metric {query.metric!r} is no metric type")
    parts = [f'metric.type = "{query.metric}"']
    for key, value in query.labels:
        if not _LABEL.fullmatch(key):
            raise ToolFailed(
                "invalid", f"label {key!r}: write metric.labels.NAME or resource.labels.NAME"
            )
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        parts.append(f'{key} = "{quoted}"')
    return " AND ".join(parts)


def _labels(one: Api) -> tuple[tuple[str, str], ...]:
    found = {
        f"{part}.labels.{key}": str(value)
        for part in ("metric", "resource")
        for key, value in ((one.get(part) or {}).get("labels") or {}).items()
    }
    return tuple(sorted(found.items()))


def _series(labels: tuple[tuple[str, str], ...], points: list[Api], unit: str) -> Samples:
    values = {
        at: value
        for one in points
        if (at := moment((one.get("interval") or {}).get("endTime"))) is not None
        and (value := _number(one.get("value") or {})) is not None
    }
    times = tuple(sorted(values))
    return Samples(labels, unit, times, tuple(values[at] for at in times))


def _number(value: Mapping[str, Any]) -> float | None:
    if "doubleValue" in value:
        return float(value["doubleValue"])
    if "int64Value" in value:
        return float(value["int64Value"])
    if "boolValue" in value:
        return float(bool(value["boolValue"]))
    mean = (value.get("distributionValue") or {}).get("mean")
    return None if mean is None else float(mean)


def alarms(project: Connection) -> Found[Alarm]:
    """Alert policies; one fires while an alert of it is open."""
    name = f"projects/{project.project}"
    found = project.pages(
        "monitoring",
        "alert policies",
        lambda api, token: api.projects().alertPolicies().list(name=name, pageToken=token),
    )
    alerts, blind = part_of("open alerts", lambda: _open(project, name))
    policies = [one for page in found.rows for one in page.get("alertPolicies") or ()]
    rows = tuple(_alarm(one, alerts) for one in policies)
    return Found(rows, (*found.unread, *blind), found.left_out)


def _open(project: Connection, name: str) -> Mapping[str, Api]:
    """Open alerts by the name of their policy."""
    found = project.pages(
        "monitoring",
        "open alerts",
        lambda api, token: (
            api.projects().alerts().list(parent=name, filter='state="OPEN"', pageToken=token)
        ),
    )
    alerts = [one for page in found.rows for one in page.get("alerts") or ()]
    return {str((one.get("policy") or {}).get("name")): one for one in alerts}


def _alarm(policy: Api, alerts: Mapping[str, Api] | None) -> Alarm:
    alert = (alerts or {}).get(str(policy.get("name")))
    conditions = [str(one.get("displayName", "")) for one in policy.get("conditions") or ()]
    state = "firing" if alert else ("unknown" if alerts is None else "ok")
    return Alarm(
        name=str(policy.get("displayName") or policy.get("name")),
        state=state,  # type: ignore[arg-type]
        since=moment((alert or {}).get("openTime")),
        reason=_told(alert) if alert else "",
        about="; ".join(conditions),
        enabled=bool(policy.get("enabled", True)),
    )


def _told(alert: Api) -> str:
    metric = (alert.get("metric") or {}).get("type", "")
    resource = (alert.get("resource") or {}).get("labels") or {}
    where = ", ".join(f"{key}={value}" for key, value in sorted(resource.items()))
    return " ".join(filter(None, ("open:", str(metric), where)))
