"""Actions on a cluster: one file an idea; each edits or removes exactly one object."""

from typing import Any

from aiops.ports.tools import Writing
from aiops_tools.kubernetes.actions.bounds import SET_HPA_BOUNDS
from aiops_tools.kubernetes.actions.change import Change
from aiops_tools.kubernetes.actions.configuration import SET_CONFIG
from aiops_tools.kubernetes.actions.editing import editing
from aiops_tools.kubernetes.actions.environment import SET_ENV
from aiops_tools.kubernetes.actions.images import SET_IMAGE
from aiops_tools.kubernetes.actions.nodes import CORDON, UNCORDON
from aiops_tools.kubernetes.actions.pausing import PAUSE, RESUME
from aiops_tools.kubernetes.actions.removing import removals
from aiops_tools.kubernetes.actions.requirements import SET_RESOURCES
from aiops_tools.kubernetes.actions.restarting import RESTART
from aiops_tools.kubernetes.actions.scaling import SCALE
from aiops_tools.kubernetes.actions.selecting import SET_SELECTOR
from aiops_tools.kubernetes.actions.targeting import SET_TARGET_PORT
from aiops_tools.kubernetes.actions.undoing import ROLLOUT_UNDO
from aiops_tools.kubernetes.writer import Writer

CHANGES: tuple[Change[Any], ...] = (
    SCALE,
    RESTART,
    ROLLOUT_UNDO,
    PAUSE,
    RESUME,
    SET_IMAGE,
    SET_RESOURCES,
    SET_ENV,
    SET_CONFIG,
    SET_HPA_BOUNDS,
    SET_SELECTOR,
    SET_TARGET_PORT,
    CORDON,
    UNCORDON,
)
ROLLOUT_S = 180.0
"""How long an action that waits for pods may take."""


def actions(toolset: str, writer: Writer, rollout_s: float = ROLLOUT_S) -> tuple[Writing, ...]:
    """Every action over what ``writer`` changes, as tools of the toolset called ``toolset``."""
    edits = (editing(toolset, change, writer, rollout_s) for change in CHANGES)
    return (*edits, *removals(toolset, writer, rollout_s))
