"""The desk and the brake of a service, for every edge that people decide at."""

from aiops.app.approvals.deciding import Desk
from aiops.app.approvals.stopping import Brake
from aiops.bootstrap.service import Service
from aiops.ports.approvals import Rehearsal


def desk_of(service: Service, rehearsal: Rehearsal | None = None) -> Desk:
    """Where approvals of ``service`` are decided."""
    return Desk(service.approvals, service.audit, service.clock, service.ids, rehearsal)


def brake_of(service: Service) -> Brake:
    """Where writes of ``service`` are stopped."""
    return Brake(service.switch, service.audit, service.events, service.clock)
