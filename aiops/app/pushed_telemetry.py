"""Telemetry that is pushed to us: kept as it comes, and the service graph with it."""

from collections.abc import Sequence
from datetime import timedelta

from aiops.analyze.service_graph import SeenCall, graph_of, joined
from aiops.model import TelemetryWindow
from aiops.ports.clock import Clock
from aiops.ports.telemetry import TelemetryStore


def keep(
    telemetry: TelemetryStore,
    clock: Clock,
    windows: Sequence[TelemetryWindow],
    calls: Sequence[SeenCall] = (),
) -> None:
    """Keep what was pushed; the same again changes nothing.

    Args:
        calls: seen besides the spans of ``windows``. The graph is kept anew where it grows.

    Raises:
        AlreadyKept: a column of metrics is another's.
        StoreUnavailable: not all of it is kept; the sender has to come again.
    """
    for window in windows:
        telemetry.append(window)
    if not calls:
        return
    now = clock.now()
    known, seen = telemetry.graph(now), graph_of(calls)
    pairs = {(call.source, call.target) for call in known.calls}
    if any((call.source, call.target) not in pairs for call in seen.calls):
        grown = joined((known, seen))
        telemetry.append(TelemetryWindow(now, now + timedelta(seconds=1), graph=grown))
