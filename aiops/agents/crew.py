"""What the nodes of one run work with; everything is handed in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from aiops.agents.memory.likeness import Recollection
from aiops.agents.memory.recalling import Recall
from aiops.agents.policies.policy import Policy
from aiops.agents.state import RunState
from aiops.agents.trajectory.steps import Answered, Recalled, Record
from aiops.model.report import Report
from aiops.model.run import Collected, Deed, Fact, Moment, MomentKind, Shortlist
from aiops.model.said import Said
from aiops.model.tool import ToolCall, ToolSpec
from aiops.model.trail import Trail
from aiops.ports.approvals import ApprovalStore
from aiops.ports.chat_model import OnToken
from aiops.ports.clock import Clock
from aiops.ports.inquiry import Ask, Guide, Inquiry, Proposer, Remember, Shelf, Watch


@dataclass(frozen=True, slots=True)
class RunBudget:
    """What one run may spend on asking; at its end the report says so.

    Attributes:
        turns: rounds of asking. Following a fault through a recorded cluster takes four in the
            median and 18 at most; a round needs a reason, so that few are used.
        calls: of tools.
        seconds: of wall time since the run began.
    """

    turns: int = 20
    calls: int = 40
    seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Belt:
    """The tools of a run.

    Attributes:
        specs: of all of them, in the order of their names.
        approvals: where writes wait; None: nothing is proposed.
    """

    ask: Ask
    specs: tuple[ToolSpec, ...]
    approvals: ApprovalStore | None = None


@dataclass(frozen=True, slots=True)
class Crew:
    """One run's doors.

    Attributes:
        incident: id of the incident, where it is about one.
        belt: None: nothing can be asked, the window is all there is.
        proposer, guide, recall, remember: None where there is none; the node then passes on.
        watch: takes each moment as it happens; the same one again where a step is done again.
        record: takes what the run began with and each answer of a tool; None: nobody keeps them.
    """

    run: str
    inquiry: Inquiry
    shelf: Shelf
    policy: Policy
    clock: Clock
    incident: str | None = None
    budget: RunBudget = field(default_factory=RunBudget)
    belt: Belt | None = None
    proposer: Proposer | None = None
    guide: Guide | None = None
    recall: Recall | None = None
    remember: Remember | None = None
    watch: Watch = field(default=lambda _: None)
    record: Record | None = None
    _data: "_Once" = field(default_factory=lambda: _Once())

    def collected(self, state: RunState) -> Collected:
        """The incident's telemetry; read again by a process that takes up the run."""
        return self._data.of(lambda: self.inquiry.collect(self.started(state)))

    def started(self, state: RunState) -> datetime:
        """When the run began, whoever began it."""
        return datetime.fromisoformat(state["at"])

    def shortlist(self, state: RunState) -> Shortlist:
        """The latest."""
        return self.shelf.take(Shortlist, state["shortlist"])

    def facts(self, state: RunState) -> tuple[Fact, ...]:
        """All that tools answered, each once."""
        return tuple(self.shelf.take(Fact, ref) for ref in dict.fromkeys(state.get("facts", ())))

    def trails(self, state: RunState) -> tuple[Trail, ...]:
        """Where failing requests were followed to, each once."""
        return tuple(self.shelf.take(Trail, ref) for ref in dict.fromkeys(state.get("trails", ())))

    def recalled(self, state: RunState) -> tuple[Recollection, ...]:
        """The past incidents that came to mind."""
        return tuple(self.shelf.take(Recollection, ref) for ref in state.get("recalled", ()))

    def said(self, state: RunState) -> tuple[Said, ...]:
        """By models, in order."""
        return tuple(self.shelf.take(Said, ref) for ref in state.get("said", ()))

    def deeds(self, state: RunState) -> tuple[Deed, ...]:
        """The proposals, as they stand."""
        return tuple(self.shelf.take(Deed, ref) for ref in state.get("deeds", ()))

    def ask(self, belt: Belt, call: ToolCall) -> Answered:
        """What the gateway says to ``call``, and when; taken down where somebody keeps it."""
        answered = Answered(call, belt.ask(call), self.clock.now())
        if self.record is not None:
            self.record(answered)
        return answered

    def recollect(self, report: Report) -> tuple[Recollection, ...]:
        """The past incidents that come to mind with ``report``; taken down likewise."""
        found = Recalled(tuple(self.recall(report)) if self.recall is not None else ())
        if self.record is not None:
            self.record(found)
        return found.recollections

    def kept(self, values: Sequence[object]) -> list[str]:
        """Their ids."""
        return [self.shelf.keep(value) for value in values]

    def tell(self, node: str, kind: MomentKind, text: str, digest: str | None = None) -> None:
        """Whoever watches learns of it."""
        self.watch(Moment(self.run, self.clock.now(), node, kind, text, digest))


def words_told(run: str, clock: Clock, watch: Watch) -> OnToken:
    """Tells ``watch`` what models answer, piece by piece, while a round of ``run`` is planned."""
    return lambda piece: watch(Moment(run, clock.now(), "plan", "words", piece))


class _Once:
    """One value, made by the first of several threads that need it."""

    def __init__(self) -> None:
        self._lock, self._made = Lock(), list[Collected]()

    def of(self, make: Callable[[], Collected]) -> Collected:
        with self._lock:
            if not self._made:
                self._made.append(make())
            return self._made[0]
