"""The doors for what is pushed to us: payloads of alerts, and of changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aiops.model.alert import Alert
from aiops.model.change import Change


@dataclass(frozen=True, slots=True)
class Push:
    """One request to a webhook, already authentic.

    Attributes:
        source: the webhook's name, as configured.
        headers: names in lower case.
        received_at: UTC; stands in for times that the payload lacks.
    """

    source: str
    body: bytes
    headers: Mapping[str, str]
    received_at: datetime


class AlertParser(Protocol):
    """Reads one vendor's payload. Registered in ``aiops.alert_webhooks`` under its kind. Pure."""

    def __call__(self, push: Push) -> tuple[Alert, ...]:
        """The alerts of the payload; () for one that carries none, such as a test message.

        Raises:
            BadPayload: it cannot be understood; nothing of it was used.
        """
        ...


class ChangeParser(Protocol):
    """Reads one vendor's payload. Registered in ``aiops.change_webhooks`` under its kind. Pure."""

    def __call__(self, push: Push) -> tuple[Change, ...]:
        """The changes of the payload; () for an event that changes nothing.

        Raises:
            BadPayload: it cannot be understood; nothing of it was used.
        """
        ...
