"""Faults in how services answer and call each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.model.entity import Indicator
from aiops.model.faults import FaultType
from aiops_lab.faults.demand import demand
from aiops_lab.faults.effects import Phase, Strained, Surged
from aiops_lab.faults.fault import (
    Aim,
    Fault,
    Level,
    called,
    callers,
    calling,
    serving,
)
from aiops_lab.topology.model import Behaviour

if TYPE_CHECKING:
    from aiops_lab.faults.ports import Ground

SLOWEST_S = 120.0


class Errors(Fault):
    """A share of requests fails inside the service."""

    name = "errors"
    type = FaultType.ERROR
    says = "a share of requests is answered 500"
    indicator = Indicator("metric", "request_duration_seconds_count")
    parameters = (Level("share", "share", 0.2, 0.8, 0.001, 1, "of requests"),)

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Services that answer requests."""
        return serving(ground.topology)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        return (Phase(0.0, (Strained(aim.target, Behaviour(error_rate=aim.level("share"))),)),)


class Slow(Fault):
    """The service answers late, without working more: a slow dependency to who calls it."""

    name = "slow-dependency"
    type = FaultType.LATENCY
    says = "it answers late, and who depends on it is slow with it"
    indicator = Indicator("metric", "request_duration_seconds")
    parameters = (Level("delay", "ms", 100, 900, 1, SLOWEST_S * 1e3, "before every answer"),)

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Services that answer requests."""
        return serving(ground.topology)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        late = Behaviour(delay_s=aim.level("delay") / 1e3)
        return (Phase(0.0, (Strained(aim.target, late),)),)


class PoolExhaustion(Fault):
    """Connections are taken from the pools of the service's clients and never given back."""

    name = "pool-exhaustion"
    type = FaultType.CONNECTION_POOL
    says = "connections leak until its calls find none free"
    indicator = Indicator("metric", "client_pool_in_use")
    parameters = (Level("share", "share", 0.4, 1.0, 0.001, 1, "of calls that keep theirs"),)

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Services that call others."""
        return calling(ground.topology)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        return (Phase(0.0, (Strained(aim.target, Behaviour(pool_leak=aim.level("share"))),)),)


class Cascade(Fault):
    """Answers come later than any caller waits: callers fill up with waiting, and theirs too."""

    name = "cascade"
    type = FaultType.DEPENDENCY
    says = "it hangs longer than its callers wait; they fill up, retry, and fail in turn"
    indicator = Indicator("metric", "requests_in_flight")
    parameters = (Level("longer", "times", 1.2, 2.0, 1, 20, "its most patient caller's time-out"),)

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Services that others call."""
        return tuple(n for n in called(ground.topology) if n in serving(ground.topology))

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        topology = aim.topology
        patience = max(topology.services[n].timeout_s for n in callers(topology, aim.target))
        hang = Behaviour(delay_s=min(patience * aim.level("longer"), SLOWEST_S))
        return (Phase(0.0, (Strained(aim.target, hang),)),)


class Traffic(Fault):
    """Users send many times their requests."""

    name = "traffic"
    type = FaultType.TRAFFIC
    says = "users send many times their requests"
    indicator = Indicator("metric", "request_duration_seconds_count")
    parameters = (Level("factor", "times", 3, 13, 1, 100, "the rate there was"),)

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Where users come in."""
        return (ground.topology.entry,)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        return (Phase(0.0, (Surged(aim.level("factor")),)),)


class RetryStorm(Fault):
    """Overload that retries keep alive after its trigger is gone (a metastable failure).

    After Bronson and others, "Metastable Failures in Distributed Systems" (HotOS 2021): the system
    is vulnerable, for each request costs so much that the service is half busy, and its callers
    retry each half second. A trigger (the service hangs for a while) turns every request into many.
    Those are more than it can serve, so that all are late, so that all are retried: this goes on
    when the trigger is over, until the callers' retries are what they were.
    """

    name = "retry-storm"
    type = FaultType.RETRY_STORM
    says = "callers retry and never back off; after a short hang their retries alone overload it"
    indicator = Indicator("metric", "client_retries_total")
    parameters = (
        Level("retries", "more", 12, 28, 1, 100, "of every call by its callers"),
        Level("busy", "share", 0.4, 0.7, 0.05, 0.9, "of its CPU limit that normal load takes"),
        Level("trigger", "s", 8, 16, 1, 120, "that it hangs at first"),
    )

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Services that others call and that work for every request."""
        topology = ground.topology
        return tuple(name for name in called(topology) if demand(topology, name).work_ms > 0)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
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
