"""Alerts on symptoms: errors, latency, saturation, and that a service is gone or starts again.

Three of the four golden signals of the SRE book ("Monitoring Distributed Systems"; traffic alone is
no trouble), by the same rule for every service; the cause is left to the diagnosis. No rule knows a
service but the entry, whose alerts are critical because people stand behind it.
"""

from __future__ import annotations

from typing import Any

RATE_S = 10
FAILED_SHARE = 0.05
SLOW_S = 0.25
THROTTLED_SHARE = 0.1
RESTARTS_S = 60
_COUNT = "request_duration_seconds_count"
_BUCKET = "request_duration_seconds_bucket"
_THROTTLED = "container_cpu_cfs_throttled_seconds_total"


def rules(entry: str) -> dict[str, Any]:
    """A rule file of Prometheus, for services whose series carry the label ``service``.

    Args:
        entry: the service that users call.
    """
    is_entry = f'eq $labels.service "{entry}"'
    severity = f"{{{{ if {is_entry} }}}}critical{{{{ else }}}}warning{{{{ end }}}}"

    def alert(name: str, expr: str, for_s: int, summary: str) -> dict[str, Any]:
        return {
            "alert": name,
            "expr": expr,
            "for": f"{for_s}s",
            "labels": {"severity": severity},
            "annotations": {"summary": f"{{{{ $labels.service }}}} {summary}"},
        }

    failed = f'sum by (namespace, service) (rate({_COUNT}{{status_code=~"5.."}}[{RATE_S}s]))'
    served = f"sum by (namespace, service) (rate({_COUNT}[{RATE_S}s]))"
    buckets = f"sum by (namespace, service, le) (rate({_BUCKET}[{RATE_S}s]))"
    throttled = f"rate({_THROTTLED}[{RATE_S}s])"
    restarts = f"changes(process_start_time_seconds[{RESTARTS_S}s])"
    return {
        "groups": [
            {
                "name": "symptoms",
                "rules": [
                    alert(
                        "RequestsFail",
                        f"{failed} / {served} > {FAILED_SHARE}",
                        3,
                        "fails {{ $value | humanizePercentage }} of its requests",
                    ),
                    alert(
                        "RequestsSlow",
                        f"histogram_quantile(0.95, {buckets}) > {SLOW_S}",
                        3,
                        "takes {{ $value | humanizeDuration }} for the slowest 5 % of its requests",
                    ),
                    alert(
                        "ContainerThrottled",
                        f"max by (namespace, service) ({throttled}) > {THROTTLED_SHARE}",
                        5,
                        "is held back by its CPU limit {{ $value | humanizePercentage }} "
                        "of the time",
                    ),
                    alert(
                        "TargetDown",
                        "min by (namespace, service) (up) == 0",
                        5,
                        "has a replica that does not answer",
                    ),
                    alert(
                        "ContainerRestarted",
                        f"max by (namespace, service) ({restarts}) > 0",
                        0,
                        "has a container that started again",
                    ),
                ],
            }
        ]
    }
