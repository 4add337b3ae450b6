"""A channel that only keeps what it was given: for tests and rehearsals."""

from aiops.model import Report


class Outbox:
    """A Notifier; see ``ports.events``. ``reports`` holds what was delivered, in order."""

    name = "outbox"

    def __init__(self) -> None:
        self.reports: list[Report] = []

    def notify(self, report: Report) -> None:
        """Keep it."""
        self.reports.append(report)
