"""CloudWatch alarms through SNS, with or without its envelope ("raw message delivery").

Amazon CloudWatch user guide, "Notifying users on alarm changes".
"""

from collections import defaultdict

from aiops.errors import BadPayload
from aiops.ingest.webhooks.compose import compose
from aiops.ingest.webhooks.fields import Fields, read
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
    if "AlarmName" in outer:
        return (_alert(push, outer),)
    message = open_envelope(outer)
    if message.type != "Notification":
        return ()
    try:
        alarm = read(message.message.encode(), "/Message")
    except BadPayload as error:
        reason = f"no CloudWatch alarm: {error}; give other messages another topic"
        raise outer.refuse("Message", reason) from error
    return (_alert(push, alarm),)


def _alert(push: Push, alarm: Fields) -> Alert:
    name = alarm.required("AlarmName")
    state = alarm.required("NewStateValue")
    if state not in _STATUSES:
        raise alarm.refuse("NewStateValue", f"{state[:40]!r}, not {', '.join(_STATUSES)}")
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
    status = _STATUSES[state]
    changed = alarm.time("StateChangeTime")
    description = alarm.text("AlarmDescription")
    return compose(
        push,
        alarm,
        fingerprint=arn or f"{account}/{region}/{name}",
        status=status,
        name=name,
        labels={key: value for key, value in labels.items() if value},
        annotations={
            "description": description,
            "state": state,
            "reason": alarm.text("NewStateReason"),
        },
        starts=changed,
        ends=changed if status == "resolved" else None,
        summary=description or name,
    )


def _dimensions(trigger: Fields) -> dict[str, str]:
    """Of the metric; of metric math those of its metrics, but where these differ."""
    measured = [one.inside("MetricStat").inside("Metric") for one in trigger.each("Metrics")]
    found: defaultdict[str, set[str]] = defaultdict(set)
    for metric in (trigger, *measured):
        for dimension in metric.each("Dimensions"):
            name = dimension.text("name") or dimension.text("Name")
            if name:
                found[name].add(dimension.text("value") or dimension.text("Value"))
    return {name: values.pop() for name, values in found.items() if len(values) == 1}
