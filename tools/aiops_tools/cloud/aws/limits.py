"""Service quotas, and what is used of them where CloudWatch measures it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from aiops_tools.cloud.aws.connection import Api, Connection
from aiops_tools.cloud.aws.fields import chunks, text
from aiops_tools.cloud.port import Found, Quota
from aiops_tools.cloud.probing import part_of

_MEASURED: Final = timedelta(hours=1)
_AT_ONCE: Final = 500
"""Queries that one GetMetricData takes."""


def quotas(account: Connection, service: str, now: datetime) -> Found[Quota]:
    """The most that was used in the last hour, of quotas with a usage metric."""
    found = account.rows(
        "service-quotas",
        "list_service_quotas",
        "Quotas",
        f"quotas of {service}",
        ServiceCode=service,
    )
    metered = [one for one in found.rows if one.get("UsageMetric")]
    used, unread = part_of(
        f"what is used of the quotas of {service}", lambda: _used(account, metered, now)
    )
    rows = (
        Quota(
            code=one["QuotaCode"],
            name=text(one, "QuotaName"),
            limit=float(one.get("Value", 0.0)),
            used=(used or {}).get(one["QuotaCode"]),
            unit=text(one, "Unit").replace("None", ""),
        )
        for one in found.rows
    )
    return Found(tuple(rows), (*found.unread, *unread), found.left_out)


def _used(account: Connection, metered: Sequence[Api], now: datetime) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for some in chunks(metered, _AT_ONCE):
        asked = [_asked(number, one["UsageMetric"]) for number, one in enumerate(some)]
        answer = account.rows(
            "cloudwatch",
            "get_metric_data",
            "MetricDataResults",
            "use of quotas",
            MetricDataQueries=asked,
            StartTime=now - _MEASURED,
            EndTime=now,
        )
        for one in answer.rows:
            if one.get("Values"):
                found[some[int(one["Id"][1:])]["QuotaCode"]] = float(max(one["Values"]))
    return found


def _asked(number: int, metric: Api) -> dict[str, Any]:
    dimensions = metric.get("MetricDimensions") or {}
    return {
        "Id": f"q{number}",
        "MetricStat": {
            "Metric": {
                "Namespace": metric["MetricNamespace"],
                "MetricName": metric["MetricName"],
                "Dimensions": [{"Name": k, "Value": v} for k, v in sorted(dimensions.items())],
            },
            "Period": 300,
            "Stat": metric.get("MetricStatisticRecommendation") or "Maximum",
        },
    }
