"""The graph walked in this thread, for runs that end where they begin: nothing to take up again.

The nodes are those of ``graph``. What LangGraph adds to them is checkpoints, interrupts and
branches at once, and half a second of imports that nobody at a command line need wait for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiops.agents.crew import Belt, Crew, RunBudget
from aiops.agents.memory.recalling import Recall
from aiops.agents.policies.deterministic import Deterministic
from aiops.agents.policies.policy import Policy
from aiops.agents.shape import FIRST, NODES, Node
from aiops.agents.shelf import MemoryShelf
from aiops.agents.state import Branch, RunState, updated
from aiops.agents.trajectory.steps import Record
from aiops.errors import NotKept, WrongState
from aiops.model.report import Report
from aiops.ports.clock import Clock
from aiops.ports.inquiry import Inquiry, Watch


@dataclass(frozen=True, slots=True)
class InlineRuns:
    """A Runner whose runs last as long as the call: nothing is done, and nothing kept.

    Attributes:
        belt: None: nothing can be asked, the window is all there is.
    """

    clock: Clock
    policy: Policy = field(default_factory=Deterministic)
    budget: RunBudget = field(default_factory=RunBudget)
    watch: Watch = field(default=lambda _: None)
    belt: Belt | None = None
    record: Record | None = None
    recall: Recall | None = None
    nodes: Mapping[str, Node] = field(default_factory=lambda: NODES)

    def __call__(self, run: str, inquiry: Inquiry, incident: str | None = None) -> Report:
        """See Runner."""
        return walk(
            Crew(
                run=run,
                inquiry=inquiry,
                shelf=MemoryShelf(),
                policy=self.policy,
                clock=self.clock,
                incident=incident,
                budget=self.budget,
                belt=self.belt,
                watch=self.watch,
                record=self.record,
                recall=self.recall,
            ),
            self.nodes,
        )

    def go_on(self, run: str, inquiry: Inquiry, incident: str | None = None) -> Report | None:
        """See Runner: no run outlives its call."""
        del inquiry, incident
        raise NotKept("run that waits", run)

    def forget(self, run: str) -> None:
        """See Runner: there is nothing to forget."""


def walk(crew: Crew, nodes: Mapping[str, Node] = NODES) -> Report:
    """The report of one run.

    Raises:
        WrongState: it waits for an approval, which only a kept run can.
    """
    state: RunState = {}
    ahead: list[str | Branch] = [FIRST]
    while ahead:
        update, after = state, list[str | Branch]()
        for each in ahead:
            name, given = (each.node, each.state) if isinstance(each, Branch) else (each, state)
            step = nodes[name](given, crew)
            if step.waits:
                raise WrongState(
                    f"run {crew.run}", f"waits for {', '.join(step.waits)}; run it in the service"
                )
            update = updated(update, step.update)
            # Branches that go on to one node enter it once, together.
            after.extend(to for to in step.to if isinstance(to, Branch) or to not in after)
        state, ahead = update, after
    return crew.shelf.take(Report, state["report"])
