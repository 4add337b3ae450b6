"""The case behind a report, as far as its telemetry is still kept: what charts are drawn from."""

from dataclasses import replace
from datetime import datetime, timedelta

from aiops.analyze.clocks import on_one_clock
from aiops.app.surroundings import around, is_of_a_service
from aiops.model import CaseData, TelemetryWindow
from aiops.model.report import Report
from aiops.ports.telemetry import TelemetryStore

HOPS = 2
"""Calls from the alerting service: the neighbourhood that investigations look at by default."""


def case_behind(report: Report, telemetry: TelemetryStore) -> CaseData:
    """The case that ``report`` is about, with what the store still has of its telemetry.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    start, end = report.subject.window.start, _after(report)
    graph = telemetry.graph(end)
    trigger = report.subject.trigger
    services = None
    if trigger.entity is not None and is_of_a_service(trigger.entity):
        causes = {cause.entity.service_name for cause in report.root_causes}
        services = around(graph, sorted({trigger.entity.service_name, *causes}), HOPS)
    metrics = on_one_clock(telemetry.metrics(services, start, end))
    window = TelemetryWindow(start, end, graph=graph if graph.calls else None)
    if len(metrics.series):
        window = replace(window, metrics=metrics)
    return CaseData(report.subject.case, window, trigger)


def _after(report: Report) -> datetime:
    window = report.subject.window
    return max(window.end, window.start + timedelta(seconds=1))
