"""Faults in how services answer and call each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.model.faults import FaultType
from aiops_lab.faults.demand import demand, loaded
from aiops_lab.faults.effects import Phase, Strained, Surged
from aiops_lab.faults.fault import (
    Aim,
    Fault,
    Level,
    called,
    callers,
    calling,
    serving,
    strain,
    throughout,
)
from aiops_lab.topology.model import Behaviour

if TYPE_CHECKING:
    from aiops_lab.faults.ports import Ground

SLOWEST_S = 120.0

ERRORS = Fault(
    name="errors",
    type=FaultType.ERROR,
    says="a share of requests is answered 500",
    metric="request_errors_ops",
    phases=strain(lambda aim: Behaviour(error_rate=aim.level("share"))),
    parameters=(Level("share", "share", 0.2, 0.8, 0.001, 1, "of requests"),),
    targets=serving,
)

# It does not work more: a slow dependency to who calls it.
SLOW_DEPENDENCY = Fault(
    name="slow-dependency",
    type=FaultType.LATENCY,
    says="it answers late, and who depends on it is slow with it",
    metric="request_duration_p99_seconds",
    phases=strain(lambda aim: Behaviour(delay_s=aim.level("delay") / 1e3)),
    parameters=(Level("delay", "ms", 100, 900, 1, SLOWEST_S * 1e3, "before every answer"),),
    targets=serving,
)

POOL_EXHAUSTION = Fault(
    name="pool-exhaustion",
    type=FaultType.CONNECTION_POOL,
    says="connections leak until its calls find none free",
    metric="connection_pool_in_use_ratio",
    phases=strain(lambda aim: Behaviour(pool_leak=aim.level("share"))),
    parameters=(Level("share", "share", 0.4, 1.0, 0.001, 1, "of calls that keep theirs"),),
    targets=calling,
)


def _called_and_serving(ground: Ground) -> tuple[str, ...]:
    return tuple(name for name in called(ground) if name in serving(ground))


def _hanging(aim: Aim) -> Behaviour:
    topology = aim.topology
    patience = max(topology.services[name].timeout_s for name in callers(topology, aim.target))
    return Behaviour(delay_s=min(patience * aim.level("longer"), SLOWEST_S))


CASCADE = Fault(
    name="cascade",
    type=FaultType.DEPENDENCY,
    says="it hangs longer than its callers wait; they fill up, retry, and fail in turn",
    metric="requests_in_flight",
    phases=strain(_hanging),
    parameters=(Level("longer", "times", 1.2, 2.0, 1, 20, "its most patient caller's time-out"),),
    targets=_called_and_serving,
)

TRAFFIC = Fault(
    name="traffic",
    type=FaultType.TRAFFIC,
    says="users send many times their requests",
    metric="request_ops",
    phases=lambda aim: throughout(Surged(aim.level("factor"))),
    parameters=(Level("factor", "times", 3, 13, 1, 100, "the rate there was"),),
    targets=lambda ground: (ground.topology.entry,),
)


def _called_and_loaded(ground: Ground) -> tuple[str, ...]:
    busy = frozenset(loaded(ground))
    return tuple(name for name in called(ground) if name in busy)


def _storming(aim: Aim) -> tuple[Phase, ...]:
    """Overload that retries keep alive after its trigger is gone (a metastable failure).

    After Bronson and others, "Metastable Failures in Distributed Systems" (HotOS 2021): the system
    is vulnerable, for each request costs so much that the service is half busy, and its callers
    retry each half second. A trigger (the service hangs for a while) turns every request into many.
    Those are more than it can serve, so that all are late, so that all are retried: this goes on
    when the trigger is over, until the callers' retries are what they were.
    """
    service = aim.topology.services[aim.target]
    sources = [aim.topology.services[name] for name in callers(aim.topology, aim.target)]
    asked = demand(aim.topology, aim.target)
    rate = max(aim.sight.users_rate(), 1.0) * asked.calls
    # So many attempts a second fit into the callers' pools while each waits for its time-out;
    # what is served must be fewer, or the storm would end, but more than normal load.
    stormy = sum(one.pool / one.timeout_s for one in sources)
    served = max(min(rate / aim.level("busy"), 0.6 * stormy), rate / 0.9)
    affordable_ms = service.resources.cpu_limit / served * 1e3
    heavy = Behaviour(work_factor=max(affordable_ms * asked.calls / asked.work_ms, 1.0))
    hasty = Behaviour(extra_retries=int(aim.level("retries")))
    lasting = (
        Strained(aim.target, heavy),
        *(Strained(one.name, hasty) for one in sources),
    )
    patience = max(one.timeout_s for one in sources)
    trigger = Strained(aim.target, Behaviour(delay_s=min(1.5 * patience, SLOWEST_S)))
    return (Phase(0.0, (*lasting, trigger)), Phase(aim.level("trigger"), lasting))


RETRY_STORM = Fault(
    name="retry-storm",
    type=FaultType.RETRY_STORM,
    says="callers retry and never back off; after a short hang their retries alone overload it",
    metric="retries_ops",
    phases=_storming,
    parameters=(
        Level("retries", "more", 12, 28, 1, 100, "of every call by its callers"),
        Level("busy", "share", 0.4, 0.7, 0.05, 0.9, "of its CPU limit that normal load takes"),
        Level("trigger", "s", 8, 16, 1, 120, "that it hangs at first"),
    ),
    targets=_called_and_loaded,
)
