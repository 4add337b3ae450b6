"""What every answer about telemetry says beside its rows."""

from typing import Annotated

from pydantic import Field

from aiops.model import Window
from aiops_tools.names import ServiceName
from aiops_tools.spec import Result
from aiops_tools.telemetry.gathering import Gathered
from aiops_tools.windows import Stretch, told

Services = Annotated[
    tuple[ServiceName, ...], Field(max_length=20, description="services, as telemetry names them")
]
OneOrMore = Annotated[Services, Field(min_length=1)]


class Told(Result):
    """Where an answer is from, and how much of it there is.

    Attributes:
        sources: who was asked and answered; "kept" is what is kept here.
        total: rows found; ``left_out`` of them are not in the answer.
    """

    window: Stretch
    sources: list[str]
    total: int
    left_out: int


def heading(what: str, gathered: Gathered, window: Window, total: int, shown: int) -> str:
    """ "12 log lines, 2026-11-20 12:00:00 to 12:30:00 UTC, from kept and loki; 2 left out"."""
    left_out = f"; {total - shown} left out" if total > shown else ""
    sources = " and ".join(gathered.sources) or "nobody"
    return f"{total} {what}, {told(window)}, from {sources}{left_out}"
