"""Every question that can be asked of every cloud."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from aiops.ports.tools import Reading
from aiops_tools.cloud import compute, measuring, recent
from aiops_tools.cloud.port import Cloud
from aiops_tools.cloud.probing import View, probing
from aiops_tools.questions import Question

SHARED: Final[tuple[Question[View[Cloud], Any], ...]] = (
    *compute.QUESTIONS,
    *measuring.QUESTIONS,
    *recent.QUESTIONS,
)


def shared(toolset: str, cloud: Cloud, now: Callable[[], datetime]) -> Sequence[Reading]:
    """They all, as tools of the toolset called ``toolset``."""
    return [probing(toolset, one, View(cloud, now)) for one in SHARED]
