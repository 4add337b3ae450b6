"""The doors for telling others: events to whoever watches, reports to whoever was called."""

from collections.abc import Iterator
from typing import Protocol

from aiops.model import Report
from aiops.model.event import Event


class EventBus(Protocol):
    """Numbers events and hands every subscriber all of them, in order."""

    def publish(self, kind: str, about: str) -> Event:
        """Tell that ``kind`` happened to ``about``; returns the event with its number and time."""
        ...

    def newest(self) -> int:
        """The number of the last event that was published; 0 before the first."""
        ...

    def subscribe(self, after: int = 0, *, idle_s: float | None = None) -> Iterator[Event]:
        """The events numbered above ``after``, those kept first, then each as it comes.

        Ends when nothing came for ``idle_s`` seconds; 0 reads what is there, None never ends. A
        subscriber that lost its connection goes on with the last number it saw.

        Raises:
            EventsForgotten: some of the events above ``after`` are no longer kept.
        """
        ...


class Notifier(Protocol):
    """Brings a report to people: a channel, a mailbox, a terminal."""

    name: str

    def notify(self, report: Report) -> None:
        """Deliver ``report``. The same report twice may reach people twice.

        Raises:
            NotDelivered: it did not reach them.
        """
        ...
