"""Every kind of fault: to add one, write its Fault and name it here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.errors import UnknownName
from aiops_lab.faults.calls import (
    CASCADE,
    ERRORS,
    POOL_EXHAUSTION,
    RETRY_STORM,
    SLOW_DEPENDENCY,
    TRAFFIC,
)
from aiops_lab.faults.capacity import HPA_LIMIT, NODE_PRESSURE, QUOTA
from aiops_lab.faults.compute import (
    CPU,
    CRASH,
    MEMORY_LEAK,
    NOISY_NEIGHBOUR,
    PROBE,
    QUEUE_BACKLOG,
)
from aiops_lab.faults.credentials import EXPIRED_CERTIFICATE, EXPIRED_CREDENTIAL
from aiops_lab.faults.deploys import BAD_CONFIG, BAD_DEPLOY, BAD_IMAGE, WRONG_PORT, WRONG_SELECTOR
from aiops_lab.faults.network import (
    DNS,
    NETWORK_DELAY,
    NETWORK_LOSS,
    NETWORK_PARTITION,
    NETWORK_RESET,
    NETWORK_STALL,
)
from aiops_lab.faults.storage import DISK_FILL, SLOW_DATABASE

if TYPE_CHECKING:
    from aiops_lab.faults.fault import Fault

KINDS: tuple[Fault, ...] = (
    CPU,
    MEMORY_LEAK,
    NOISY_NEIGHBOUR,
    CRASH,
    PROBE,
    DISK_FILL,
    SLOW_DATABASE,
    NETWORK_DELAY,
    NETWORK_LOSS,
    NETWORK_STALL,
    NETWORK_RESET,
    NETWORK_PARTITION,
    DNS,
    ERRORS,
    SLOW_DEPENDENCY,
    POOL_EXHAUSTION,
    RETRY_STORM,
    CASCADE,
    TRAFFIC,
    QUEUE_BACKLOG,
    BAD_DEPLOY,
    BAD_IMAGE,
    BAD_CONFIG,
    WRONG_PORT,
    WRONG_SELECTOR,
    EXPIRED_CREDENTIAL,
    EXPIRED_CERTIFICATE,
    HPA_LIMIT,
    QUOTA,
    NODE_PRESSURE,
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
