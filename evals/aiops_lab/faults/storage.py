"""Faults of databases and caches."""

from __future__ import annotations

from aiops.model.faults import FaultType
from aiops_lab.faults.fault import Fault, Level, keeping, strain
from aiops_lab.topology.model import Behaviour

DISK_FILL = Fault(
    name="disk-fill",
    type=FaultType.DISK,
    says="the volume fills up to its size, and writes fail: no space left on device",
    metric="volume_used_ratio",
    phases=strain(lambda aim: Behaviour(fill_bytes_s=int(aim.level("rate") * (1 << 20)))),
    parameters=(Level("rate", "MiB/s", 2, 14, 0.01, 256, "written, until the volume is full"),),
    targets=keeping,
)

# A query takes longer in the store itself; as its slots are taken, a line forms.
SLOW_DATABASE = Fault(
    name="slow-database",
    type=FaultType.LATENCY,
    says="every query takes many times its time",
    metric="request_duration_p99_seconds",
    phases=strain(lambda aim: Behaviour(query_factor=aim.level("factor"))),
    parameters=(Level("factor", "times", 100, 1100, 1, 100_000, "a query's own time"),),
    targets=keeping,
)
