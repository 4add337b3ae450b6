"""Faults of a service's own processes: CPU, memory, exits, health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.model.entity import Indicator
from aiops.model.faults import FaultType
from aiops_lab.faults.effects import Phase, Strained
from aiops_lab.faults.fault import Aim, Fault, Level
from aiops_lab.topology.model import Behaviour

if TYPE_CHECKING:
    from aiops_lab.faults.ports import Ground

MOST_CORES = 0.5


class Cpu(Fault):
    """Burns CPU in the process, within the container's limit."""

    name = "cpu"
    type = FaultType.CPU
    says = "something in the process burns CPU beside the work"
    indicator = Indicator("metric", "process_cpu_seconds_total")
    parameters = (
        Level("cores", "cores", 0.1, 0.5, 0.01, MOST_CORES, "burnt; the container's limit holds"),
    )

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        hog = Behaviour(hog_cores=aim.level("cores"))
        return (Phase(0.0, (Strained(aim.target, hog),)),)


class MemoryLeak(Fault):
    """Takes memory until the limit kills the process, and again after each restart."""

    name = "memory-leak"
    type = FaultType.OOM
    says = "memory is never given back: OOMKilled at the limit, then CrashLoopBackOff"
    indicator = Indicator("metric", "process_resident_memory_bytes")
    parameters = (Level("rate", "MiB/s", 1, 7, 0.05, 256, "leaked"),)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        leak = Behaviour(leak_bytes_s=int(aim.level("rate") * (1 << 20)))
        return (Phase(0.0, (Strained(aim.target, leak),)),)


class NoisyNeighbour(Fault):
    """One service burns CPU, and the others on the node are left a share of their limits."""

    name = "noisy-neighbour"
    type = FaultType.CPU
    says = "it burns CPU, and what shares its node gets less of its own limit"
    indicator = Indicator("metric", "container_cpu_cfs_throttled_seconds_total")
    parameters = (
        Level("cores", "cores", 0.2, 0.5, 0.01, MOST_CORES, "burnt"),
        Level("left", "share", 0.3, 0.08, 0.02, 1, "of its CPU limit for each of the others"),
    )

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        squeezed = Behaviour(cpu_share=aim.level("left"))
        others = (name for name in aim.topology.services if name != aim.target)
        noise = Strained(aim.target, Behaviour(hog_cores=aim.level("cores")))
        return (Phase(0.0, (noise, *(Strained(name, squeezed) for name in others))),)


class Crash(Fault):
    """The process exits with an error, soon after every start."""

    name = "crash"
    type = FaultType.CRASH
    says = "a replica exits with an error, again and again"
    indicator = Indicator("metric", "kube_pod_container_status_restarts_total")
    parameters = (
        Level("after", "s", 20, 1, 0.1, 600, "from a start to the exit"),
        Level("replicas", "pods", 1, 1, 1, 100, "that crash, at most"),
    )

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        ends = Behaviour(exit_after_s=aim.level("after"))
        return (Phase(0.0, (Strained(aim.target, ends, pods=int(aim.level("replicas"))),)),)


class Probe(Fault):
    """The health endpoint says no: not ready, and restarted where there is a liveness probe."""

    name = "probe"
    type = FaultType.PROBE
    says = "the health endpoint answers 503 while the service works"
    indicator = Indicator("metric", "kube_pod_container_status_ready")

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        return (Phase(0.0, (Strained(aim.target, Behaviour(unhealthy=True)),)),)


class QueueBacklog(Fault):
    """The consumer of a queue is slow with every message."""

    name = "queue-backlog"
    type = FaultType.QUEUE_BACKLOG
    says = "a consumer takes long for every message, and its queue grows"
    indicator = Indicator("metric", "queue_depth")
    parameters = (Level("pause", "s", 5, 60, 0.1, 3600, "longer for each message"),)

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Services that consume a queue."""
        services = ground.topology.services.items()
        return tuple(name for name, one in services if one.consumers)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        slow = Behaviour(message_delay_s=aim.level("pause"))
        return (Phase(0.0, (Strained(aim.target, slow),)),)
