"""The service level objectives of a service, and what they are judged by."""

from aiops.app.slo_after_change import AfterChange
from aiops.app.slos import load_slos
from aiops.bootstrap.service import Service
from aiops.model.slo import Slo
from aiops.ports.telemetry import MetricSource
from aiops.settings import Settings


def slos_of(settings: Settings) -> tuple[Slo, ...]:
    """The objectives of the file that is set, if any; raises InvalidData."""
    return () if settings.slos is None else load_slos(settings.slos)


def of_metrics(service: Service) -> list[tuple[str, MetricSource]]:
    """The configured sources that have metrics, by name."""
    return [(name, each) for name, each in service.sources if isinstance(each, MetricSource)]


def after_change(service: Service) -> AfterChange:
    """What judges an action once it was carried out; raises InvalidData."""
    return AfterChange(
        slos_of(service.settings),
        # Last what was pushed to us, which no source can be asked for.
        [*of_metrics(service), ("what is kept", service.telemetry)],
        service.incidents,
        service.telemetry.graph,
        service.clock.now,
    )
