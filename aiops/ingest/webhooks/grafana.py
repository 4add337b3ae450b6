"""Grafana's webhook: unified alerting (version 8 on), and what legacy alerting sent before.

Grafana documentation, "Configure webhook notifications"; legacy: "Alert notifications", 7.5.
"""

from collections.abc import Mapping

from aiops.ingest.webhooks.alertmanager import alertname, read_group
from aiops.ingest.webhooks.compose import compose
from aiops.ingest.webhooks.fields import Fields, read
from aiops.model.alert import Alert, AlertStatus
from aiops.ports.webhook import Push

_NOT_MEASURED = {"DatasourceNoData": "no data", "DatasourceError": "cannot be evaluated"}
"""Names Grafana gives in place of a rule's own, which then is the label "rulename"."""
_LINKS = ("panelURL", "dashboardURL", "generatorURL")
_LEGACY: dict[str, AlertStatus] = {"alerting": "firing", "no_data": "firing", "ok": "resolved"}
_WAITING = frozenset({"pending", "paused", "unknown"})


def parse(push: Push) -> tuple[Alert, ...]:
    """See AlertParser. Values and addresses for silencing stay in ``extra``."""
    payload = read(push.body)
    if "ruleName" in payload or "evalMatches" in payload:
        return _legacy(push, payload)
    return read_group(push, payload, links=_LINKS, named=_named)


def _named(labels: Mapping[str, str]) -> str:
    called, rule = alertname(labels), labels.get("rulename", "")
    return f"{rule}: {_NOT_MEASURED[called]}" if rule and called in _NOT_MEASURED else called


def _legacy(push: Push, rule: Fields) -> tuple[Alert, ...]:
    state = rule.required("state")
    if state in _WAITING:
        return ()
    if state not in _LEGACY:
        raise rule.refuse("state", f"{state[:40]!r}, not {', '.join(_LEGACY)}")
    name = rule.text("ruleName") or rule.required("title")
    labels = {"alertname": name, **rule.labels("tags")}
    number = rule.text("ruleId")
    return (
        compose(
            push,
            rule,
            fingerprint=f"rule {rule.text('orgId') or 1}/{number}" if number else "",
            status=_LEGACY[state],
            name=name,
            labels=labels,
            starts=push.received_at,  # the payload has no time
            summary=rule.text("message") or rule.text("title"),
            link=rule.text("ruleUrl"),
        ),
    )
