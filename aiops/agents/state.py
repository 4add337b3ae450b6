"""What a run carries from node to node: ids and counts; what they stand for lies on its shelf."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import add
from typing import Annotated, TypedDict, cast, get_type_hints


class RunState(TypedDict, total=False):
    """State of one run. Plain values only: it is written after every step.

    Attributes:
        run: its id.
        at: the moment the incident is looked at, ISO 8601, UTC.
        shortlist: id of the latest Shortlist.
        turn: rounds of asking so far, counted here and not by the engine.
        judged: how many of ``facts`` the shortlist has taken in.
        facts: ids of Facts in the order in which they came in.
        calls: tool calls made.
        specialist, asked: of one specialist's task; ``asked`` holds ids of questions.
        topology: of the round.
        trails: ids of Trails.
        recalled: ids of Recollections.
        said: ids of what models said, in order.
        stopped_by: the budget that ended the asking.
        ranked: id of the Shortlist of the statistics, where a model's word changed its order.
        deeds: ids of Deeds: proposals, and how they stand.
        report: id of the Report.
    """

    run: str
    at: str
    shortlist: str
    turn: int
    judged: int
    facts: Annotated[list[str], add]
    calls: Annotated[int, add]
    specialist: str
    asked: list[str]
    topology: str
    trails: Annotated[list[str], add]
    recalled: list[str]
    said: Annotated[list[str], add]
    stopped_by: str
    ranked: str
    deeds: list[str]
    report: str


_GATHERED = frozenset(
    name
    for name, hint in get_type_hints(RunState, include_extras=True).items()
    if getattr(hint, "__metadata__", None)
)
_EMPTY: Mapping[str, object] = {"facts": [], "calls": 0, "said": [], "trails": []}


def updated(state: RunState, update: RunState) -> RunState:
    """``state`` after ``update``: what several may add to is added, all else replaced."""
    new: dict[str, object] = {**state}
    for name, value in update.items():
        new[name] = add(new.get(name, _EMPTY[name]), value) if name in _GATHERED else value
    return cast("RunState", new)


@dataclass(frozen=True, slots=True)
class Branch:
    """A node to go to with a state of its own: one of several at once."""

    node: str
    state: RunState


@dataclass(frozen=True, slots=True)
class Step:
    """What a node answers.

    Attributes:
        update: to the state.
        to: where next: one node, or branches at once; () ends the run.
        waits: ids of approvals; the node is entered again when somebody has answered.
    """

    update: RunState
    to: tuple[str | Branch, ...] = ()
    waits: tuple[str, ...] = ()
