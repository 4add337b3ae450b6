"""Every parser of alerts, by the kind of webhook that it reads."""

from aiops.ingest.webhooks import (
    alertmanager,
    cloudwatch,
    datadog,
    generic,
    grafana,
    opsgenie,
    pagerduty,
    sentry,
)
from aiops.ports.webhook import AlertParser

ALERT_PARSERS: dict[str, AlertParser] = {
    "alertmanager": alertmanager.parse,
    "cloudwatch": cloudwatch.parse,
    "datadog": datadog.parse,
    "generic": generic.parse,
    "grafana": grafana.parse,
    "opsgenie": opsgenie.parse,
    "pagerduty": pagerduty.parse,
    "sentry": sentry.parse,
}
