"""What the gateway leans on, and the rules it goes by."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiops.model.alert import Severity
from aiops.model.approval import Mode
from aiops.ports.approvals import ApprovalStore, CallLedger, KillSwitch
from aiops.ports.clock import Clock
from aiops.ports.ids import Ids
from aiops.ports.objectives import Objectives
from aiops.ports.repositories import AuditLog
from aiops.toolbelt.budget import Budget
from aiops.toolbelt.finish import Finish
from aiops.toolbelt.freezes import Freeze
from aiops.toolbelt.policy import Policy
from aiops.toolbelt.protection import Protection
from aiops.toolbelt.radius import RadiusLimits


@dataclass(frozen=True, slots=True)
class Doors:
    """The stores and the last stage.

    Attributes:
        severity: of an incident, by its id; None where there is no such incident.
        objectives: judge what was changed; None where nobody does.
        pause: waits so many seconds.
    """

    approvals: ApprovalStore
    ledger: CallLedger
    switch: KillSwitch
    audit: AuditLog
    clock: Clock
    ids: Ids
    finish: Finish
    severity: Callable[[str], Severity | None]
    objectives: Objectives | None = None
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True, slots=True)
class Rules:
    """What is allowed.

    Attributes:
        mode: "shadow" only notes what a write would have done.
        approval_s: how long an approval is asked for, and can be used.
        steps: the most writes in one plan.
        watch_s: how long objectives are watched after a change that reached its end; 0: not.
        mend_s: how long what is done for an incident may take to show that it helps; 0: it need
            not.
    """

    mode: Mode
    policy: Policy
    protection: Protection
    radius: RadiusLimits
    freezes: tuple[Freeze, ...]
    budget: Budget
    approval_s: float
    steps: int = 10
    watch_s: float = 0.0
    mend_s: float = 0.0
