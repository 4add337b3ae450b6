"""Telemetry that is pushed to us: kept as it comes, and the service graph with it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from aiops.analyze.service_graph import SeenCall, graph_of, joined, unfaded
from aiops.model import Call, TelemetryWindow
from aiops.ports.clock import Clock
from aiops.ports.telemetry import TelemetryStore

REFRESH_S: Final = 3600.0
"""How much later a known call must be seen for the graph to be kept anew."""


def keep(
    telemetry: TelemetryStore,
    clock: Clock,
    windows: Sequence[TelemetryWindow],
    calls: Sequence[SeenCall] = (),
) -> None:
    """Keep what was pushed; the same again changes nothing.

    Args:
        calls: seen besides the spans of ``windows``. The graph is kept anew where it
            grows, or would fade.

    Raises:
        AlreadyKept: a column of metrics is another's.
        StoreUnavailable: not all of it is kept; the sender has to come again.
    """
    for window in windows:
        telemetry.append(window)
    if not calls:
        return
    now = clock.now()
    known, seen = unfaded(telemetry.graph(now), now.timestamp()), graph_of(calls)
    calls_of = {(call.source, call.target): call for call in known.calls}
    if any(_news(calls_of.get((call.source, call.target)), call) for call in seen.calls):
        grown = joined((known, seen))
        telemetry.append(TelemetryWindow(now, now + timedelta(seconds=1), graph=grown))


def _news(known: Call | None, seen: Call) -> bool:
    return known is None or (seen.last_seen or 0.0) > (known.last_seen or 0.0) + REFRESH_S
