"""An alert as its source sent it, in one shape whatever the source."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aiops.model.entity import Entity

Severity = Literal["SEV1", "SEV2", "SEV3", "SEV4"]
AlertStatus = Literal["firing", "resolved"]
Labels = tuple[tuple[str, str], ...]
"""Names and values, sorted by name, no name twice."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of one delivery.

    Attributes:
        source: name of the webhook it came by, as configured.
        fingerprint: identity of the alerting series at its source; the same from firing to
            resolved and from one delivery to the next.
        name: what the rule or monitor is called.
        labels: what identifies and routes it; all that the source sent, also those unknown to us.
        annotations: what explains it to people. Data, never instructions.
        starts_at: when it began to fire, UTC.
        ends_at: when it stopped; None while it fires.
        severity: as mapped from the source's own words, SEV3 where it says nothing.
        entity: what it is about, where labels say so.
        summary: one line for a title.
        runbook_url, link: the guide its author gave, and where it can be seen at its source.
        extra: JSON text of the fields of the payload that found no place above.
    """

    source: str
    fingerprint: str
    status: AlertStatus
    name: str
    labels: Labels
    annotations: Labels
    starts_at: datetime
    ends_at: datetime | None = None
    severity: Severity = "SEV3"
    entity: Entity | None = None
    summary: str = ""
    runbook_url: str | None = None
    link: str | None = None
    extra: str = "{}"

    @property
    def key(self) -> "AlertKey":
        """What this alert has in common with its repetitions and its end."""
        return AlertKey(self.source, self.fingerprint)

    def label(self, name: str) -> str | None:
        """The value of one label; None where it is not there."""
        return next((value for key, value in self.labels if key == name), None)


@dataclass(frozen=True, slots=True, order=True)
class AlertKey:
    """Identity of an alerting series: the webhook's name and the fingerprint at the source."""

    source: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class AlertState:
    """What is known of an alerting series after all its deliveries.

    Attributes:
        alert: as last delivered.
        incident: id of the incident it is part of; None where a silence kept it out of all.
        first_at, last_at: when its first and latest delivery were received.
        deliveries: how many there were, duplicates included.
        turns: when its status changed, the newest last; at most TURNS_KEPT. For damping.
        silence: id of the silence that kept it quiet when last delivered.
    """

    alert: Alert
    incident: str | None
    first_at: datetime
    last_at: datetime
    deliveries: int = 1
    turns: tuple[datetime, ...] = ()
    silence: str | None = None

    @property
    def firing(self) -> bool:
        """Whether it fired when last heard of."""
        return self.alert.status == "firing"


TURNS_KEPT = 20
"""Changes of status remembered per alert: enough to see flapping, and bounded."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One accepted webhook request: kept before it is acknowledged, taken in afterwards.

    Attributes:
        id: of this request; the same for a repetition that its sender marks as one.
        source: the webhook's name.
        received_at: UTC.
        alerts: in the order of the payload.
    """

    id: str
    source: str
    received_at: datetime
    alerts: tuple[Alert, ...]


@dataclass(frozen=True, slots=True)
class RefusedDelivery:
    """A webhook body that could not be understood, kept so that a person can look.

    Attributes:
        reason: what is wrong, with the position where there is one.
        body: sha256 of the body in the blob store.
    """

    id: str
    source: str
    received_at: datetime
    reason: str
    body: str


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label: equality, or a regular expression over the whole value.

    A label that is not there has the value "".
    """

    label: str
    value: str
    regex: bool = False
    negative: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that match all ``matchers`` open no incident between ``starts_at`` and ``ends_at``.

    Attributes:
        maintenance: planned work: alerts are also kept out of SLO impact and MTTR figures.
        author, comment: who wants it quiet, and why.
    """

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str
    maintenance: bool = False
