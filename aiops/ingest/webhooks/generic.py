"""Any JSON, by a mapping file; without one, alerts that use our own names."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from aiops.errors import BadPayload
from aiops.ingest.webhooks.compose import compose
from aiops.ingest.webhooks.fields import Fields, as_text, members
from aiops.ingest.webhooks.mapping import FIELDS, Mapping, Rule
from aiops.ingest.webhooks.moments import moment
from aiops.ingest.webhooks.paths import path
from aiops.ingest.webhooks.payload import decode
from aiops.model.alert import Alert, AlertStatus
from aiops.ports.webhook import Push

_WORDS: dict[AlertStatus, str] = {
    "firing": "firing open opened active triggered problem alert alerting alarm down failed",
    "resolved": "resolved closed ok recovered recovery cleared inactive normal up",
}
_STATUSES = {word: status for status, words in _WORDS.items() for word in words.split()}
_OURS = Mapping(
    fields=tuple((name, Rule(f"fields.{name}", (path(name),))) for name in FIELDS),
    labels=(("*", Rule("labels.*", (path("labels.*"),))),),
    annotations=(("*", Rule("annotations.*", (path("annotations.*"),))),),
)
_OUR_LIST = Mapping(_OURS.fields, _OURS.labels, _OURS.annotations, path("alerts"))


@dataclass(frozen=True, slots=True)
class MappedParser:
    """An AlertParser made from a mapping."""

    mapping: Mapping

    def __call__(self, push: Push) -> tuple[Alert, ...]:
        """See AlertParser. Errors name the mapping's key and the place in the payload."""
        return tuple(alert for alert, _ in _mapped(push, decode(push.body), self.mapping))


@dataclass(frozen=True, slots=True)
class Missing:
    """A rule of a mapping that found nothing in one alert, and the places where it looked."""

    key: str
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a mapping makes of a payload.

    Attributes:
        alerts: as they would be taken in.
        missing: rules that found nothing and have no default, alert by alert.
    """

    alerts: tuple[Alert, ...]
    missing: tuple[Missing, ...]


def parse(push: Push) -> tuple[Alert, ...]:
    """See AlertParser. One alert, or a list of them, also as "alerts", with names of ``FIELDS``."""
    payload = decode(push.body)
    listed = isinstance(payload, dict) and payload.get("alerts") is not None
    mapping = _OUR_LIST if listed else _OURS
    return tuple(alert for alert, _ in _mapped(push, payload, mapping))


def try_mapping(mapping: Mapping, push: Push) -> Trial:
    """What would be made of a payload, and which rules found nothing.

    Raises:
        BadPayload: nothing can be made of it.
    """
    found = tuple(_mapped(push, decode(push.body), mapping))
    missing = tuple(one for _, absent in found for one in absent)
    return Trial(tuple(alert for alert, _ in found), missing)


@dataclass(slots=True)
class _Found:
    """One alert of a payload while rules are applied to it; collects those that find nothing."""

    root: object
    values: object
    at: str
    missing: list[Missing]

    def value(self, rule: Rule) -> object:
        """What a rule finds."""
        found = rule.find(self.root, self.values)
        if found is None:
            places = tuple(one.pointer(self.at) for one in rule.paths)
            self.missing.append(Missing(rule.key, places))
        return found

    def refuse(self, rule: Rule, reason: str) -> BadPayload:
        """The exception that names the rule and where it looked."""
        place = ", ".join(one.pointer(self.at) for one in rule.paths)
        return BadPayload(f"{reason} (mapping key {rule.key!r})", place or self.at or "/")

    def texts(self, rules: tuple[tuple[str, Rule], ...]) -> dict[str, str]:
        """Labels or annotations; those named one by one hold against those found by "*"."""
        texts: dict[str, str] = {}
        for name, rule in sorted(rules, key=lambda pair: pair[0] != "*"):
            value = self.value(rule)
            if name != "*":
                texts |= {name: as_text(value)} if value is not None else {}
            elif isinstance(value, dict):
                texts |= {key: as_text(one) for key, one in value.items()}
            elif value is not None:
                raise self.refuse(rule, "not an object, so it has no members to take")
        return texts


def _mapped(
    push: Push, root: object, mapping: Mapping
) -> Iterator[tuple[Alert, tuple[Missing, ...]]]:
    for at, values in _alerts(root, mapping):
        found = _Found(root, values, at, [])
        yield _alert(push, found, values, mapping), tuple(found.missing)


def _alerts(root: object, mapping: Mapping) -> Iterator[tuple[str, dict[str, object]]]:
    if mapping.alerts is None and not isinstance(root, list):
        yield "", members(root)
        return
    listed = root if mapping.alerts is None else mapping.alerts.find(root, root)
    at = "" if mapping.alerts is None else mapping.alerts.pointer()
    if not isinstance(listed, list):
        raise BadPayload("no list of alerts is there (mapping key 'alerts')", at)
    for n, one in enumerate(listed):
        place = f"{at.rstrip('/')}/{n}"
        if not isinstance(one, dict):
            raise BadPayload("not an object (mapping key 'alerts')", place)
        yield place, one


def _alert(push: Push, found: _Found, values: dict[str, object], mapping: Mapping) -> Alert:
    rules = dict(mapping.fields)
    said = {name: found.value(rule) for name, rule in rules.items()}
    texts = {name: as_text(value) for name, value in said.items()}
    if not (texts.get("name") or texts.get("summary")):
        raise found.refuse(rules.get("name") or rules["summary"], "missing or empty")
    labels = found.texts(mapping.labels)
    name = texts.get("name") or texts["summary"]
    rest = Fields(values, found.at)
    rest.skip(*_used(mapping))
    return compose(
        push,
        rest,
        fingerprint=texts.get("fingerprint", ""),
        status=_status(found, rules.get("status"), texts.get("status", "")),
        name=name,
        # Without a fingerprint labels tell alerts apart, and there may be none but this.
        labels={"alertname": name} | labels,
        annotations=found.texts(mapping.annotations),
        starts=_time(found, rules.get("starts_at"), said.get("starts_at")),
        ends=_time(found, rules.get("ends_at"), said.get("ends_at")),
        severity=(texts.get("severity", ""),),
        service=texts.get("service", ""),
        summary=texts.get("summary", ""),
        runbook=texts.get("runbook_url", ""),
        link=texts.get("link", ""),
    )


def _used(mapping: Mapping) -> set[str]:
    """Members of an alert that a rule reads whole; what it reads a part of is kept."""
    paths = [one for rule in mapping.rules for one in rule.paths if not one.rooted]
    return {str(one.steps[0]) for one in paths if len(one.steps) == 1}


def _status(found: _Found, rule: Rule | None, said: str) -> AlertStatus:
    if not said or rule is None:
        return "firing"
    status = _STATUSES.get(said.strip().lower())
    if status is None:
        reason = f"{said[:40]!r} is no status; translate it with values to firing or resolved"
        raise found.refuse(rule, reason)
    return status


def _time(found: _Found, rule: Rule | None, value: object) -> datetime | None:
    if rule is None or value is None:
        return None
    try:
        return moment(value)
    except ValueError as error:
        raise found.refuse(rule, str(error)) from error
