"""Credentials and certificates that end."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING

from aiops.model.entity import Indicator
from aiops.model.faults import FaultType
from aiops_lab.faults.deploys import restarted
from aiops_lab.faults.effects import Edited, Phase
from aiops_lab.faults.fault import Aim, Fault, Level

if TYPE_CHECKING:
    from aiops_lab.faults.ports import Ground

AGO = Level("ago", "h", 1, 1, 0.01, 10_000, "since it ended")


def _ended(aim: Aim, secret: str, key: str) -> tuple[Phase, ...]:
    """The store reads its Secret at its start, so its pods are made anew."""
    end = (aim.at - timedelta(hours=aim.level("ago"))).isoformat(timespec="seconds")
    encoded = base64.b64encode(end.encode()).decode()
    change = Edited("secrets", f"{aim.target}-{secret}", ("data", key), encoded)
    return (Phase(0.0, (change, restarted(aim, aim.target))),)


class ExpiredCredential(Fault):
    """The credential that a store's callers show has ended; the store refuses it."""

    name = "expired-credential"
    type = FaultType.CREDENTIAL
    says = "the credential for the store has ended: access denied to everyone"
    indicator = Indicator("metric", "client_errors_total")
    parameters = (AGO,)
    needs = "kubernetes"

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Stores that ask for a credential."""
        services = ground.topology.services.items()
        return tuple(name for name, one in services if one.storage.password)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        return _ended(aim, "credentials", "expires")


class ExpiredCertificate(Fault):
    """The store's certificate has ended; its callers will not connect."""

    name = "expired-certificate"
    type = FaultType.CERTIFICATE
    says = "the store's certificate has ended: callers refuse to connect"
    indicator = Indicator("metric", "client_errors_total")
    parameters = (AGO,)
    needs = "kubernetes"

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Stores with a certificate."""
        services = ground.topology.services.items()
        return tuple(name for name, one in services if one.storage.certificate_days is not None)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        return _ended(aim, "certificate", "not_after")
