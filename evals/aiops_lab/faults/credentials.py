"""Credentials and certificates that end."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING

from aiops.model.faults import FaultType
from aiops_lab.faults.deploys import restarted
from aiops_lab.faults.effects import Edited
from aiops_lab.faults.fault import Aim, Fault, Level, throughout

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops_lab.faults.effects import Phase
    from aiops_lab.faults.ports import Ground

AGO = Level("ago", "h", 1, 1, 0.01, 10_000, "since it ended")


def _ended(secret: str, key: str) -> Callable[[Aim], tuple[Phase, ...]]:
    """The store reads its Secret at its start, so its pods are made anew."""

    def phases(aim: Aim) -> tuple[Phase, ...]:
        end = (aim.at - timedelta(hours=aim.level("ago"))).isoformat(timespec="seconds")
        encoded = base64.b64encode(end.encode()).decode()
        change = Edited("secrets", f"{aim.target}-{secret}", ("data", key), encoded)
        return throughout(change, restarted(aim, aim.target))

    return phases


def _guarded(ground: Ground) -> tuple[str, ...]:
    """Stores that ask for a credential."""
    services = ground.topology.services.items()
    return tuple(name for name, one in services if one.storage.password)


def _certified(ground: Ground) -> tuple[str, ...]:
    """Stores with a certificate."""
    services = ground.topology.services.items()
    return tuple(name for name, one in services if one.storage.certificate_days is not None)


EXPIRED_CREDENTIAL = Fault(
    name="expired-credential",
    type=FaultType.CREDENTIAL,
    says="the credential for the store has ended: access denied to everyone",
    metric="request_errors_ops",
    phases=_ended("credentials", "expires"),
    parameters=(AGO,),
    targets=_guarded,
    needs="kubernetes",
)
EXPIRED_CERTIFICATE = Fault(
    name="expired-certificate",
    type=FaultType.CERTIFICATE,
    says="the store's certificate has ended: callers refuse to connect",
    metric="request_errors_ops",
    phases=_ended("certificate", "not_after"),
    parameters=(AGO,),
    targets=_certified,
    needs="kubernetes",
)
