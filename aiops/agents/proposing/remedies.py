"""The rules in their order: what mends a workload, by what is seen of it.

First aid as the SRE book orders it: take the latest change back, else give what is short, else
start anew (Site Reliability Engineering, 2016, chapter 12, "Effective Troubleshooting", "Triage").
"""

from typing import Final

from aiops.agents.proposing.remedy import Rule
from aiops.agents.proposing.rules_addresses import (
    ports_back,
    selector_back,
    settings_back,
    variables_back,
)
from aiops.agents.proposing.rules_capacity import (
    higher_bounds,
    more_cpu,
    more_memory,
    more_replicas,
    restart,
    uncordon,
)
from aiops.agents.proposing.rules_rollouts import replicas_back, resume, scale_back, undo

BROKEN: Final[tuple[Rule, ...]] = (
    undo,
    scale_back,
    selector_back,
    ports_back,
    settings_back,
    variables_back,
    resume,
    uncordon,
    replicas_back,
)
"""Mend what is seen to be wrong, best first."""
FITTING: Final[tuple[Rule, ...]] = (more_memory, higher_bounds, more_cpu, more_replicas, restart)
"""Fit the kind of fault; for where nothing is seen to be wrong. Best first."""
