"""Faults of a service's own processes: CPU, memory, exits, health, consumers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.model.faults import FaultType
from aiops_lab.faults.effects import Phase, Strained
from aiops_lab.faults.fault import Aim, Fault, Level, strain, throughout
from aiops_lab.topology.model import Behaviour

if TYPE_CHECKING:
    from aiops_lab.faults.ports import Ground

MOST_CORES = 0.5


def _hog(aim: Aim) -> Behaviour:
    """All pods together burn what is asked for: the machine has to bear no more."""
    return Behaviour(hog_cores=aim.level("cores") / max(len(aim.sight.pods(aim.target)), 1))


CPU = Fault(
    name="cpu",
    type=FaultType.CPU,
    says="something in the process burns CPU beside the work",
    metric="container_cpu_usage_cores",
    phases=strain(_hog),
    parameters=(
        Level(
            "cores", "cores", 0.1, 0.5, 0.01, MOST_CORES, "burnt by all its pods; their limits hold"
        ),
    ),
)

MEMORY_LEAK = Fault(
    name="memory-leak",
    type=FaultType.OOM,
    says="memory is never given back: OOMKilled at the limit, then CrashLoopBackOff",
    metric="container_memory_rss_bytes",
    phases=strain(lambda aim: Behaviour(leak_bytes_s=int(aim.level("rate") * (1 << 20)))),
    parameters=(Level("rate", "MiB/s", 3, 13, 0.05, 256, "leaked"),),
)


def _crowded(aim: Aim) -> tuple[Phase, ...]:
    squeezed = Behaviour(cpu_share=aim.level("left"))
    others = (name for name in aim.topology.services if name != aim.target)
    return throughout(
        Strained(aim.target, _hog(aim)), *(Strained(name, squeezed) for name in others)
    )


# The lab keeps CPU limits itself and stands for a node with little CPU: where one workload takes
# it, the processes of the others really stand still for the rest of each period.
NOISY_NEIGHBOUR = Fault(
    name="noisy-neighbour",
    type=FaultType.CPU,
    says="it burns CPU, and what shares its node gets less of its own limit",
    metric="container_cpu_usage_cores",
    phases=_crowded,
    parameters=(
        Level("cores", "cores", 0.2, 0.5, 0.01, MOST_CORES, "burnt by all its pods"),
        Level("left", "share", 0.3, 0.08, 0.02, 1, "of its CPU limit for each of the others"),
    ),
)


def _crashing(aim: Aim) -> tuple[Phase, ...]:
    ends = Behaviour(exit_after_s=aim.level("after"))
    return throughout(Strained(aim.target, ends, pods=int(aim.level("replicas"))))


CRASH = Fault(
    name="crash",
    type=FaultType.CRASH,
    says="a replica exits with an error, again and again",
    metric="kube_pod_container_status_restarts_total",
    phases=_crashing,
    parameters=(
        Level("after", "s", 20, 1, 0.1, 600, "from a start to the exit"),
        Level("replicas", "pods", 1, 1, 1, 100, "that crash, at most"),
    ),
)

# Not ready, and restarted where there is a liveness probe.
PROBE = Fault(
    name="probe",
    type=FaultType.PROBE,
    says="the health endpoint answers 503 while the service works",
    metric="kube_pod_status_ready",
    phases=strain(lambda _: Behaviour(unhealthy=True)),
)


def _consuming(ground: Ground) -> tuple[str, ...]:
    """Services that consume a queue."""
    services = ground.topology.services.items()
    return tuple(name for name, one in services if one.consumers)


QUEUE_BACKLOG = Fault(
    name="queue-backlog",
    type=FaultType.QUEUE_BACKLOG,
    says="a consumer takes long for every message, and its queue grows",
    metric="queue_depth",
    phases=strain(lambda aim: Behaviour(message_delay_s=aim.level("pause"))),
    parameters=(Level("pause", "s", 5, 60, 0.1, 3600, "longer for each message"),),
    targets=_consuming,
)
