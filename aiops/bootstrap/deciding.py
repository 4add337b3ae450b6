"""The desk and the brake of a service, for every edge that people decide at."""

from datetime import timedelta

from aiops.app.approvals.deciding import Desk, Terms
from aiops.app.approvals.stopping import Brake
from aiops.bootstrap.service import Service
from aiops.ports.approvals import Rehearsal


def desk_of(service: Service, rehearsal: Rehearsal | None = None) -> Desk:
    """Where approvals of ``service`` are decided."""
    lasts = timedelta(seconds=service.settings.gateway.approval_s)
    return Desk(
        approvals=service.approvals,
        audit=service.audit,
        clock=service.clock,
        ids=service.ids,
        rehearsal=rehearsal,
        terms=Terms(answer=lasts, usable=lasts),
        queue=service.queue,
    )


def brake_of(service: Service) -> Brake:
    """Where writes of ``service`` are stopped."""
    return Brake(service.switch, service.audit, service.events, service.clock)
