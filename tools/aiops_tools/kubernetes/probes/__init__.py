"""Questions about a cluster; one file an idea, each ends in its ``QUESTIONS``."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from aiops.ports.tools import Reading
from aiops_tools.kubernetes.probes import (
    access,
    capacity,
    events,
    logs,
    objects,
    reachability,
    recent,
    rollouts,
    services,
    settings,
    usage,
)
from aiops_tools.kubernetes.probes.probe import Question, probe
from aiops_tools.kubernetes.reader import Reader

QUESTIONS: tuple[Question[Any], ...] = (
    *objects.QUESTIONS,
    *events.QUESTIONS,
    *logs.QUESTIONS,
    *rollouts.QUESTIONS,
    *recent.QUESTIONS,
    *usage.QUESTIONS,
    *services.QUESTIONS,
    *settings.QUESTIONS,
    *reachability.QUESTIONS,
    *access.QUESTIONS,
    *capacity.QUESTIONS,
)


def probes(toolset: str, reader: Reader, now: Callable[[], datetime]) -> Sequence[Reading]:
    """Every probe over what ``reader`` reads."""
    return [probe(toolset, question, reader, now) for question in QUESTIONS]
