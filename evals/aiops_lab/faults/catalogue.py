"""Every kind of fault: to add one, write its class and name it here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.errors import UnknownName
from aiops_lab.faults.calls import (
    Cascade,
    Errors,
    PoolExhaustion,
    RetryStorm,
    Slow,
    Traffic,
)
from aiops_lab.faults.capacity import HpaLimit, NodePressure, Quota
from aiops_lab.faults.compute import (
    Cpu,
    Crash,
    MemoryLeak,
    NoisyNeighbour,
    Probe,
    QueueBacklog,
)
from aiops_lab.faults.credentials import ExpiredCertificate, ExpiredCredential
from aiops_lab.faults.deploys import BadConfig, BadDeploy, BadImage, WrongPort, WrongSelector
from aiops_lab.faults.network import (
    Dns,
    NetworkDelay,
    NetworkLoss,
    NetworkPartition,
    NetworkReset,
    NetworkStall,
)
from aiops_lab.faults.storage import DiskFill, SlowDatabase

if TYPE_CHECKING:
    from aiops_lab.faults.fault import Fault

KINDS: tuple[Fault, ...] = (
    Cpu(),
    MemoryLeak(),
    NoisyNeighbour(),
    Crash(),
    Probe(),
    DiskFill(),
    SlowDatabase(),
    NetworkDelay(),
    NetworkLoss(),
    NetworkStall(),
    NetworkReset(),
    NetworkPartition(),
    Dns(),
    Errors(),
    Slow(),
    PoolExhaustion(),
    RetryStorm(),
    Cascade(),
    Traffic(),
    QueueBacklog(),
    BadDeploy(),
    BadImage(),
    BadConfig(),
    WrongPort(),
    WrongSelector(),
    ExpiredCredential(),
    ExpiredCertificate(),
    HpaLimit(),
    Quota(),
    NodePressure(),
)


def find_kind(name: str) -> Fault:
    """The kind of that name.

    Raises:
        UnknownName: there is none.
    """
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise UnknownName("fault", name, tuple(kind.name for kind in KINDS))
