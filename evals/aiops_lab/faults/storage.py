"""Faults of databases and caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.model.entity import Indicator
from aiops.model.faults import FaultType
from aiops_lab.faults.effects import Phase, Strained
from aiops_lab.faults.fault import Aim, Fault, Level, keeping
from aiops_lab.topology.model import Behaviour

if TYPE_CHECKING:
    from aiops_lab.faults.ports import Ground


class DiskFill(Fault):
    """Fills the store's volume, up to its bounded size; writes are refused then."""

    name = "disk-fill"
    type = FaultType.DISK
    says = "the volume fills up to its size, and writes fail: no space left on device"
    indicator = Indicator("metric", "volume_used_bytes")
    parameters = (Level("rate", "MiB/s", 2, 14, 0.01, 256, "written, until the volume is full"),)

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Stores of rows."""
        return keeping(ground.topology)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        fill = Behaviour(fill_bytes_s=int(aim.level("rate") * (1 << 20)))
        return (Phase(0.0, (Strained(aim.target, fill),)),)


class SlowDatabase(Fault):
    """Every query takes longer in the store itself; as slots are taken, a line forms."""

    name = "slow-database"
    type = FaultType.LATENCY
    says = "every query takes many times its time"
    indicator = Indicator("metric", "request_duration_seconds")
    parameters = (Level("factor", "times", 100, 1100, 1, 100_000, "a query's own time"),)

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Stores of rows."""
        return keeping(ground.topology)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        slow = Behaviour(query_factor=aim.level("factor"))
        return (Phase(0.0, (Strained(aim.target, slow),)),)
