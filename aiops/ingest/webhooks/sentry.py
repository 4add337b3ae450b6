"""Sentry's integration platform (Sentry documentation, "Webhooks": issue alerts, metric alerts,
issues, errors). What a request is about stands in its ``Sentry-Hook-Resource`` header.
"""

import re

from aiops.ingest.webhooks.compose import compose
from aiops.ingest.webhooks.fields import Fields, as_text, read
from aiops.model.alert import Alert, AlertStatus
from aiops.ports.webhook import Push

_ISSUE_STATUSES: dict[str, AlertStatus] = {
    "created": "firing",
    "unresolved": "firing",
    "resolved": "resolved",
    "archived": "resolved",
    "ignored": "resolved",
}
_METRIC_STATUSES: dict[str, AlertStatus] = {
    "critical": "firing",
    "warning": "firing",
    "resolved": "resolved",
}
_PROJECT = re.compile(r"/projects/[^/]+/([^/]+)/")


def parse(push: Push) -> tuple[Alert, ...]:
    """See AlertParser. An issue and the events in it are one alert, so that its end is seen."""
    payload = read(push.body)
    said = payload.inside("data")
    resource = push.headers.get("sentry-hook-resource", "")
    if resource in ("metric_alert", "") and "metric_alert" in said:
        return _metric(push, payload, said)
    if resource in ("event_alert", "") and "event" in said:
        return (_event(push, payload, said, said.inside("event")),)
    if resource in ("error", "") and "error" in said:
        return (_event(push, payload, said, said.inside("error")),)
    if resource in ("issue", "") and "issue" in said:
        return _issue(push, payload, said.inside("issue"))
    if resource in ("metric_alert", "event_alert", "error", "issue", ""):
        raise payload.refuse("data", f"holds no {resource or 'alert, error or issue'}")
    return ()  # an installation, a comment


def _event(push: Push, payload: Fields, said: Fields, event: Fields) -> Alert:
    level = event.text("level")
    title = event.text("title") or event.text("message")
    address = event.text("url")
    project = _PROJECT.search(address)
    slug = event.text("project_slug") or (project[1] if project else "")
    number = event.text("issue_id")
    labels = _tags(event) | {
        "project": slug or event.text("project"),
        "level": level,
        "culprit": event.text("culprit"),
    }
    return compose(
        push,
        payload,
        fingerprint=f"issue {number}" if number else "",
        status="firing",
        name=said.text("triggered_rule") or title,
        labels={name: value for name, value in labels.items() if value},
        starts=event.time("datetime") or event.time("timestamp"),
        severity=(level,),
        service=slug,
        summary=title,
        link=event.text("web_url"),
    )


def _issue(push: Push, payload: Fields, issue: Fields) -> tuple[Alert, ...]:
    status = _ISSUE_STATUSES.get(payload.text("action"))
    if status is None:  # assigned, for one
        return ()
    level, title = issue.text("level"), issue.text("title")
    slug = issue.inside("project").text("slug")
    labels = {"project": slug, "level": level, "culprit": issue.text("culprit")}
    return (
        compose(
            push,
            payload,
            fingerprint=f"issue {issue.required('id')}",
            status=status,
            name=title,
            labels={name: value for name, value in labels.items() if value},
            starts=issue.time("firstSeen"),
            severity=(level,),
            service=slug,
            summary=title,
            link=issue.text("web_url") or issue.text("permalink"),
        ),
    )


def _metric(push: Push, payload: Fields, said: Fields) -> tuple[Alert, ...]:
    action = payload.required("action")
    if action not in _METRIC_STATUSES:
        raise payload.refuse("action", f"{action[:40]!r}, not {', '.join(_METRIC_STATUSES)}")
    alert = said.inside("metric_alert")
    rule = alert.inside("alert_rule")
    status = _METRIC_STATUSES[action]
    projects = alert.raw("projects")
    slugs = [as_text(one) for one in projects] if isinstance(projects, list) else []
    labels = {
        "project": ",".join(slugs),
        "environment": rule.text("environment"),
        "aggregate": rule.text("aggregate"),
    }
    name = rule.text("name") or alert.text("title")
    number = rule.text("id")
    return (
        compose(
            push,
            payload,
            fingerprint=f"rule {number}" if number else f"metric alert {alert.required('id')}",
            status=status,
            name=name,
            labels={"alertname": name} | {key: value for key, value in labels.items() if value},
            annotations={"description": said.text("description_text")},
            starts=alert.time("date_started") or alert.time("date_detected"),
            ends=alert.time("date_closed") if status == "resolved" else None,
            severity=(action,),
            service=slugs[0] if len(slugs) == 1 else "",
            summary=said.text("description_title"),
            link=said.text("web_url"),
        ),
    )


def _tags(event: Fields) -> dict[str, str]:
    """Pairs of name and value; in some versions objects with "key" and "value"."""
    tags = event.raw("tags")
    pairs = (
        (tag.get("key"), tag.get("value")) if isinstance(tag, dict) else tag
        for tag in (tags if isinstance(tags, list) else [])
    )
    return {
        as_text(pair[0]): as_text(pair[1])
        for pair in pairs
        if isinstance(pair, list | tuple) and len(pair) == 2
    }
