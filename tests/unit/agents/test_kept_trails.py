"""Where requests were followed to, and what came to mind, outlives the process that found it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from belt import NOON
from runs import Died, World, dying, timeless
from traced_shop import ranked, shop

from aiops.agents.checkpoints import checkpoints
from aiops.agents.graph import KeptRuns
from aiops.agents.memory.likeness import Recollection
from aiops.agents.shape import NODES, Node
from aiops.app.investigate import CaseInquiry
from aiops.model import CaseData, FaultType, Ranking
from aiops.model.memory import Attempt, PastIncident, Signature
from aiops.model.report import Report
from aiops.model.run import Collected

PAST = PastIncident(
    "run-then",
    "inc-then",
    NOON,
    Signature(((FaultType.CPU, 0.8), (FaultType.OOM, 0.2)), ("cpu",), ("metric",), ("hot",)),
    cause=None,
    fault=FaultType.CPU,
    tried=(Attempt("kubernetes.scale", "scaled", True),),
)


class Told:
    """An analyzer that suspects db, then cart, then front; the first of them not surely."""

    name = "scripted"

    def rank(self, case: CaseData, *, seed: int = 0) -> Ranking:
        ranking = ranked("db", "cart", "front")
        seen = (replace(one, kind="trace", source="traces") for one in ranking.evidence)
        first, *others = ranking.suspects
        unlikely = (replace(one, confidence=0.01) for one in others)
        return replace(ranking, suspects=(first, *unlikely), evidence=tuple(seen))


def about_the_shop() -> CaseInquiry:
    return CaseInquiry(lambda _: Collected(shop()), Told())


def remembers(report: Report) -> Sequence[Recollection]:
    return (Recollection(PAST, 0.9, 0.4),)


def process(world: World, saver: object, nodes: Mapping[str, Node] = NODES) -> KeptRuns:
    made: KeptRuns = world.process(saver, nodes, recall=remembers)  # type: ignore[arg-type]
    return replace(made, proposer=None)


def test_both_are_in_the_report_of_a_kept_run() -> None:
    with checkpoints("sqlite:///") as saver:
        report = process(World(), saver)("run-1", about_the_shop())
    claims = {item.id: item.claim for item in report.evidence}
    (way,) = [ref for ref, claim in claims.items() if "go front -> cart -> db" in claim]
    (seen,) = [ref for ref, claim in claims.items() if "Seen before: incident inc-then" in claim]
    assert way in report.root_causes[0].evidence
    assert "kubernetes.scale, which helped" in claims[seen]
    why_not = {one.entity.name: one for one in report.ruled_out}
    assert way in why_not["cart"].evidence
    assert "its failing requests go on to db" in why_not["cart"].reason


@pytest.mark.parametrize("node", ["specialist", "reconcile", "verify", "report"])
@pytest.mark.parametrize("after", [False, True])
def test_a_process_that_dies_loses_neither(node: str, after: bool) -> None:
    with checkpoints("sqlite:///") as saver:
        expected = process(World(), saver)("run-0", about_the_shop())
        world = World()
        with pytest.raises(Died):
            process(world, saver, dying(node, after=after))("run-1", about_the_shop())
        assert timeless(process(world, saver)("run-1", about_the_shop())) == timeless(expected)
