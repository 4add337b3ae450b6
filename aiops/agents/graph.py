"""The graph on LangGraph: every step is written down, and whoever finds a run goes on with it.

A process may die at any node. Steps that ended are not done again; the one that was cut off is, so
what a node keeps has its checksum for an id, and what it does to the world has a key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, Send, interrupt

from aiops.agents.crew import Belt, Crew, RunBudget
from aiops.agents.memory.recalling import Recall
from aiops.agents.nodes.ending import report as written
from aiops.agents.policies.deterministic import Deterministic
from aiops.agents.policies.policy import Policy
from aiops.agents.proposing.tried import settled
from aiops.agents.shape import EXITS, FIRST, NODES, Node
from aiops.agents.state import Branch, RunState, updated
from aiops.agents.trajectory.steps import Record
from aiops.errors import NotAllowed, NotKept
from aiops.model.access import Role
from aiops.model.report import Report
from aiops.ports.clock import Clock
from aiops.ports.inquiry import Guide, Inquiry, Proposer, Remember, Shelf, Watch

RESUMES: Final[tuple[Role, ...]] = ("responder", "admin")
STEPS: Final = 200
"""LangGraph's own limit, which no run reaches: rounds are counted in the state."""
Graph = CompiledStateGraph[RunState, Crew, RunState, RunState]


def compiled(saver: BaseCheckpointSaver[Any], nodes: Mapping[str, Node] = NODES) -> Graph:
    """The graph, with its runs kept by ``saver``."""
    graph: StateGraph[RunState, Crew, RunState, RunState] = StateGraph(
        RunState, context_schema=Crew
    )
    for name, node in nodes.items():
        graph.add_node(name, _entered(node), destinations=EXITS[name])
    graph.add_edge(START, FIRST)
    return graph.compile(checkpointer=saver)


class _Entered(Protocol):
    """A node as LangGraph calls it."""

    def __call__(self, state: RunState, *, runtime: Runtime[Crew]) -> Command[str]: ...


def _entered(node: Node) -> _Entered:
    def run(state: RunState, *, runtime: Runtime[Crew]) -> Command[str]:
        step = node(state, runtime.context)
        while step.waits:
            # Whoever resumes says only that there is something to look at: what was decided, and
            # by whom, is read from the approvals.
            interrupt({"approvals": list(step.waits)})
            step = node(state, runtime.context)
        goto = [Send(to.node, to.state) if isinstance(to, Branch) else to for to in step.to]
        return Command(update=step.update, goto=goto)

    return run


@dataclass(frozen=True, slots=True)
class KeptRuns:
    """A Runner whose runs outlive the process; see ``ports.inquiry``.

    Attributes:
        saver: keeps the state of runs.
        shelf: keeps what their ids stand for.
        belt: None: nothing can be asked or done.
    """

    saver: BaseCheckpointSaver[Any]
    shelf: Shelf
    clock: Clock
    policy: Policy = field(default_factory=Deterministic)
    budget: RunBudget = field(default_factory=RunBudget)
    belt: Belt | None = None
    proposer: Proposer | None = None
    guide: Guide | None = None
    remember: Remember | None = None
    watch: Watch = field(default=lambda _: None)
    record: Record | None = None
    recall: Recall | None = None
    nodes: Mapping[str, Node] = field(default_factory=lambda: NODES)

    def __call__(self, run: str, inquiry: Inquiry, incident: str | None = None) -> Report:
        """Begin the run, or go on with it. While it waits: the report so far."""
        graph, place = compiled(self.saver, self.nodes), _place(run)
        known = graph.get_state(place)
        crew = self._crew(run, inquiry, incident)
        if not known.interrupts and (known.next or not known.values):
            begin: RunState | None = None if known.values else {"run": run}
            graph.invoke(begin, place, context=crew, durability="sync")
        return self._report(graph, place, crew)

    def waits(self, run: str) -> tuple[str, ...]:
        """The approvals that the run waits for; () where it does not wait, or nobody knows it."""
        found = compiled(self.saver, self.nodes).get_state(_place(run)).interrupts
        return tuple(each for one in found for each in one.value["approvals"])

    def resume(self, run: str, inquiry: Inquiry, role: Role, incident: str | None = None) -> Report:
        """Let a run that waits look at its approvals again.

        Raises:
            NotAllowed: ``role`` may not let anything be carried out.
            NotKept: no run of this id waits.
        """
        if role not in RESUMES:
            raise NotAllowed(f"a {role} cannot resume run {run!r}: ask a responder or an admin")
        graph, place = compiled(self.saver, self.nodes), _place(run)
        # On an unknown run LangGraph would silently begin a new one.
        waiting = graph.get_state(place).interrupts
        if not waiting:
            raise NotKept("run that waits", run)
        crew = self._crew(run, inquiry, incident)
        again: Command[str] = Command(resume={each.id: True for each in waiting})
        graph.invoke(again, place, context=crew, durability="sync")
        return self._report(graph, place, crew)

    def go_on(self, run: str, inquiry: Inquiry, incident: str | None = None) -> Report | None:
        """See Runner. Whoever decided was allowed to: the approvals say so."""
        waits = self.waits(run)
        approvals = self.belt.approvals if self.belt is not None else None
        if approvals is not None and not all(settled(approvals, each) for each in waits):
            return None
        if waits:
            return self.resume(run, inquiry, "responder", incident)
        if not compiled(self.saver, self.nodes).get_state(_place(run)).values:
            raise NotKept("run that waits", run)
        return self(run, inquiry, incident)

    def forget(self, run: str) -> None:
        """See Runner. A run that waits for people is kept."""
        if not self.waits(run):
            self.saver.delete_thread(run)

    def _crew(self, run: str, inquiry: Inquiry, incident: str | None) -> Crew:
        return Crew(
            run=run,
            inquiry=inquiry,
            shelf=self.shelf,
            policy=self.policy,
            clock=self.clock,
            incident=incident,
            budget=self.budget,
            belt=self.belt,
            proposer=self.proposer,
            guide=self.guide,
            remember=self.remember,
            watch=self.watch,
            record=self.record,
            recall=self.recall,
        )

    def _report(self, graph: Graph, place: Any, crew: Crew) -> Report:
        state = cast("RunState", graph.get_state(place).values)
        if "report" not in state:  # it waits: this is what is known by now, and is not kept
            state = updated(state, written(state, crew).update)
        return self.shelf.take(Report, state["report"])


def _place(run: str) -> Any:
    """Which run: LangGraph's config."""
    return {"configurable": {"thread_id": run}, "recursion_limit": STEPS}
