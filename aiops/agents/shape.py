"""The shape of the graph: which nodes there are. Where each goes next, it says itself."""

from collections.abc import Callable, Mapping
from typing import Final

from aiops.agents.crew import Crew
from aiops.agents.nodes import acting, asking, beginning, ending
from aiops.agents.state import RunState, Step

Node = Callable[[RunState, Crew], Step]
NODES: Final[Mapping[str, Node]] = {
    "intake": beginning.intake,
    "shortlist": beginning.shortlist,
    "plan": beginning.plan,
    "specialist": asking.specialist,
    "reconcile": asking.reconcile,
    "guide": ending.guide,
    "verify": ending.verify,
    "propose": acting.propose,
    "approve": acting.approve,
    "execute": acting.execute,
    "check": acting.check,
    "report": ending.report,
    "remember": ending.remember,
}
FIRST: Final = "intake"
EXITS: Final[Mapping[str, tuple[str, ...]]] = {
    "intake": ("shortlist",),
    "shortlist": ("plan",),
    "plan": ("specialist", "guide", "plan"),
    "specialist": ("reconcile",),
    "reconcile": ("plan", "guide"),
    "guide": ("verify",),
    "verify": ("propose",),
    "propose": ("approve", "report"),
    "approve": ("execute", "report"),
    "execute": ("check",),
    "check": ("report",),
    "report": ("remember",),
    "remember": (),
}
"""Where each may go; a test holds the nodes to it, and pictures are drawn from it."""
