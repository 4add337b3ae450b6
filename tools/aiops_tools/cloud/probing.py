"""Questions to a cloud, as tools."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from aiops.errors import ToolFailed
from aiops.model.tool import Unread
from aiops_tools.cloud.places import InPlace, must_be
from aiops_tools.cloud.port import Cloud
from aiops_tools.questions import Answer, Asking, Question, asking

Seen = TypeVar("Seen", bound=Cloud)
Asked = TypeVar("Asked", bound=InPlace)
Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class View(Generic[Seen]):
    """What a question sees: a place to read, and the time."""

    cloud: Seen
    now: Callable[[], datetime]


def probing(
    toolset: str, question: Question[View[Seen], Asked], view: View[Seen]
) -> Asking[View[Seen], Asked]:
    """``question`` about the place that ``view`` sees, as a tool of the toolset."""

    def answer(seen: View[Seen], asked: Asked) -> Answer:
        must_be(seen.cloud.place, asked)
        return question.answer(seen, asked)

    return asking(toolset, replace(question, answer=answer), view, "probe")


def part_of(what: str, read: Callable[[], Part]) -> tuple[Part | None, tuple[Unread, ...]]:
    """What ``read`` gives; None where it fails, with what was not read and why."""
    try:
        return read(), ()
    except ToolFailed as failure:
        return None, (Unread(what, str(failure)),)


def more_than_read(left_out: bool) -> str:
    """Said under a table that is cut; "" where it is not."""
    return "There is more than was read; ask for less at once." if left_out else ""
