"""CloudWatch alarms through SNS, with or without its envelope ("raw message delivery").

Amazon CloudWatch user guide, "Notifying users on alarm changes" and "Alarm events and EventBridge".
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from aiops.errors import BadPayload
from aiops.ingest.webhooks.compose import compose
from aiops.ingest.webhooks.fields import Fields, as_text, read
from aiops.ingest.webhooks.sns import open_envelope
from aiops.model.alert import Alert, AlertStatus
from aiops.ports.webhook import Push

# A source that fell silent fires: whoever has that sent to us wants to know.
_STATUSES: dict[str, AlertStatus] = {
    "ALARM": "firing",
    "INSUFFICIENT_DATA": "firing",
    "OK": "resolved",
}


def parse(push: Push) -> tuple[Alert, ...]:
    """See AlertParser. Confirmations of subscriptions carry none: see ``sns.confirmation``."""
    outer = read(push.body)
    if "AlarmName" in outer or "detail-type" in outer:
        return (_alarm(push, outer),)
    message = open_envelope(outer)
    if message.type != "Notification":
        return ()
    try:
        alarm = read(message.message.encode(), "/Message")
    except BadPayload as error:
        reason = f"no CloudWatch alarm: {error}; give other messages another topic"
        raise outer.refuse("Message", reason) from error
    return (_alarm(push, alarm),)


@dataclass(frozen=True, slots=True)
class _Alarm:
    """What both of its forms tell.

    Attributes:
        labels: "account" and "region" among them, as empty as they came.
        arn: "" where it is not told.
    """

    name: str
    state: str
    labels: Mapping[str, str]
    changed: datetime | None
    arn: str
    description: str
    reason: str


def _alarm(push: Push, alarm: Fields) -> Alert:
    return _event(push, alarm) if "detail-type" in alarm else _alert(push, alarm)


def _event(push: Push, event: Fields) -> Alert:
    """An alarm as EventBridge tells of it ("CloudWatch Alarm State Change")."""
    detail = event.inside("detail")
    name, state = detail.required("alarmName"), detail.inside("state")
    value = _known_state(state, "value")
    changed = state.time("timestamp") or event.time("time")
    configuration = detail.inside("configuration")
    description = configuration.text("description")
    account, region = event.text("account"), event.text("region")
    arns = event.raw("resources")
    arn = as_text(arns[0]) if isinstance(arns, list) and arns else ""
    metrics = [one.inside("metricStat").inside("metric") for one in configuration.each("metrics")]
    labels = _alike(pair for metric in metrics for pair in metric.labels("dimensions").items())
    labels |= {"alertname": name, "account": account, "region": region}
    told = _Alarm(name, value, labels, changed, arn, description, state.text("reason"))
    return _composed(push, event, told)


def _known_state(where: Fields, key: str) -> str:
    state = where.required(key)
    if state not in _STATUSES:
        raise where.refuse(key, f"{state[:40]!r}, not {', '.join(_STATUSES)}")
    return state


def _alert(push: Push, alarm: Fields) -> Alert:
    name = alarm.required("AlarmName")
    state = _known_state(alarm, "NewStateValue")
    arn = alarm.text("AlarmArn")
    account = alarm.text("AWSAccountId")
    region = arn.split(":")[3] if arn.count(":") >= 5 else alarm.text("Region")
    trigger = alarm.inside("Trigger")
    labels = _dimensions(trigger) | {
        "alertname": name,
        "account": account,
        "region": region,
        "metric": trigger.text("MetricName"),
        # Not "namespace", which means one of Kubernetes everywhere else.
        "metric_namespace": trigger.text("Namespace"),
    }
    changed, description = alarm.time("StateChangeTime"), alarm.text("AlarmDescription")
    reason = alarm.text("NewStateReason")
    told = _Alarm(name, state, labels, changed, arn, description, reason)
    return _composed(push, alarm, told)


def _composed(push: Push, origin: Fields, alarm: _Alarm) -> Alert:
    status, labels = _STATUSES[alarm.state], alarm.labels
    return compose(
        push,
        origin,
        fingerprint=alarm.arn or f"{labels['account']}/{labels['region']}/{alarm.name}",
        status=status,
        name=alarm.name,
        labels={key: text for key, text in labels.items() if text},
        annotations={
            "description": alarm.description,
            "state": alarm.state,
            "reason": alarm.reason,
        },
        starts=alarm.changed,
        ends=alarm.changed if status == "resolved" else None,
        summary=alarm.description or alarm.name,
    )


def _dimensions(trigger: Fields) -> dict[str, str]:
    """Of the metric; of metric math those of its metrics, but where these differ."""
    measured = [one.inside("MetricStat").inside("Metric") for one in trigger.each("Metrics")]
    return _alike(
        (
            dimension.text("name") or dimension.text("Name"),
            dimension.text("value") or dimension.text("Value"),
        )
        for metric in (trigger, *measured)
        for dimension in metric.each("Dimensions")
    )


def _alike(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names that have the same value wherever they stand."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, value in pairs:
        if name:
            found[name].add(value)
    return {name: values.pop() for name, values in found.items() if len(values) == 1}
