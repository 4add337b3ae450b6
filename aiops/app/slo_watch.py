"""Burn-rate alerts of the team's objectives, raised like any other alert: through the inbox."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiops.analyze.clocks import on_one_clock
from aiops.analyze.slo import SOURCE, burn_alerts
from aiops.app.slos import with_planned_work
from aiops.errors import SourceUnavailable
from aiops.model.alert import Alert, AlertKey, Delivery
from aiops.model.slo import Slo
from aiops.ports.clock import Clock
from aiops.ports.incidents import AlertInbox, IncidentRepo
from aiops.ports.telemetry import MetricSource

LOOK_BACK = timedelta(hours=6)
"""How far back each round reads: the long window of the rules that page. The slower rules see no
more than this and count what they do not see as good, so they are late rather than wrong."""
EVERY = timedelta(minutes=1)
"""How often to look: a fifth of the shortest window of the rules."""


@dataclass(frozen=True, slots=True)
class SloWatch:
    """Looks at every objective once.

    Attributes:
        sources: of metrics, by name; an objective is judged by each that has its metrics.
    """

    slos: Sequence[Slo]
    sources: Sequence[tuple[str, MetricSource]]
    inbox: AlertInbox
    incidents: IncidentRepo
    clock: Clock

    def __call__(self) -> tuple[tuple[str, str], ...]:
        """Put the alerts of this minute into the inbox; the same ones twice change nothing.

        Returns:
            Sources that could not be read, with the reason.

        Raises:
            StoreUnavailable: nothing was put.
        """
        now = self.clock.now()
        slos = with_planned_work(self.slos, self.incidents.silences())
        with self.incidents.work() as work:
            known = work.states([AlertKey(SOURCE, slo.name) for slo in slos])
        firing = [key for key, state in known.items() if state.firing]
        services = sorted({slo.service for slo in slos})
        alerts: list[Alert] = []
        failed: list[tuple[str, str]] = []
        for name, source in self.sources:
            try:
                metrics = source.metrics(services, now - LOOK_BACK, now)
            except SourceUnavailable as failure:
                failed.append((name, str(failure)))
            else:
                alerts.extend(burn_alerts(slos, on_one_clock(metrics), now, firing))
        if alerts:
            self.inbox.put([Delivery(_id(alerts, now), SOURCE, now, tuple(alerts))])
        return tuple(failed)


def _id(alerts: Sequence[Alert], now: datetime) -> str:
    """The same for whoever sees the same in the same minute.

    Not for the minute alone: a clock that is set back has it twice, and what it sees then counts.
    """
    seen = sorted((each.fingerprint, each.status, each.severity) for each in alerts)
    digest = hashlib.sha256(repr(seen).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{SOURCE}-{int(now.timestamp() // EVERY.total_seconds())}-{digest}"
