"""Alertmanager's webhook, version 4 (Prometheus documentation, "webhook_config")."""

from collections.abc import Callable, Mapping

from aiops.ingest.webhooks.compose import compose
from aiops.ingest.webhooks.fields import Fields, read
from aiops.model.alert import Alert, AlertStatus
from aiops.ports.webhook import Push


def parse(push: Push) -> tuple[Alert, ...]:
    """See AlertParser. A group is called firing while one of its alerts is, so each is asked."""
    return read_group(push, read(push.body), links=("generatorURL",))


def alertname(labels: Mapping[str, str]) -> str:
    """What an alert is called; "" where no label says so."""
    return labels.get("alertname", "")


def read_group(
    push: Push,
    group: Fields,
    links: tuple[str, ...],
    named: Callable[[Mapping[str, str]], str] = alertname,
) -> tuple[Alert, ...]:
    """The alerts of a group.

    Args:
        links: members of an alert that show it at its source, the best first.
        named: what labels say an alert is called.

    Raises:
        BadPayload: there is no list of alerts, or one cannot be read.
    """
    if "alerts" not in group:
        raise group.refuse("alerts", "missing; is this the payload of another kind of webhook?")
    alerts = group.each("alerts")
    group.skip("groupLabels", "commonLabels", "commonAnnotations")  # each alert has them again
    envelope = group.rest()
    cut = envelope.get("truncatedAlerts")
    left_out = cut if isinstance(cut, int) else 0
    for one in alerts if left_out > 0 else ():
        one.notes.append(f"its sender left {left_out} more alerts out of the group")
    return tuple(_alert(push, one, envelope, links, named) for one in alerts)


def _alert(
    push: Push,
    one: Fields,
    envelope: dict[str, object],
    links: tuple[str, ...],
    named: Callable[[Mapping[str, str]], str],
) -> Alert:
    labels = one.labels("labels")
    return compose(
        push,
        one,
        fingerprint=one.text("fingerprint"),
        status=_status(one),
        name=named(labels),
        labels=labels,
        annotations=one.labels("annotations"),
        starts=one.time("startsAt"),
        ends=one.time("endsAt"),
        link=_first(one, links),
        envelope=envelope,
    )


def _status(one: Fields) -> AlertStatus:
    said = one.required("status")
    if said == "resolved":
        return "resolved"
    if said == "firing":
        return "firing"
    raise one.refuse("status", f"{said[:40]!r}, not firing or resolved")


def _first(one: Fields, links: tuple[str, ...]) -> str:
    # Only the address that is used counts as read: the others are kept.
    used = next((key for key in links if one.has(key)), None)
    return "" if used is None else one.text(used)
