"""After a change its objectives are watched; what burns faster is taken back, and said."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
from belt import NOON, Bench, scaled

from aiops.errors import StoreUnavailable
from aiops.model.tool import Outcome, Target
from aiops.ports.objectives import Held
from aiops.toolbelt.cut import Cut
from aiops.toolbelt.watching import Watch

pytestmark = pytest.mark.anyio
WATCH_S = 30.0


@dataclass
class Told:
    """An Objectives that says what a test wants."""

    verdict: Held | StoreUnavailable
    names: tuple[str, ...] = ("web-errors",)
    asked: list[tuple[datetime, datetime, datetime]] = field(default_factory=list)

    def covering(self, targets: Sequence[Target]) -> tuple[str, ...]:
        return self.names

    def held(
        self, targets: Sequence[Target], changed: datetime, since: datetime, until: datetime
    ) -> Held:
        self.asked.append((changed, since, until))
        if isinstance(self.verdict, Held):
            return self.verdict
        raise self.verdict


def watching(objectives: Told, seconds: float = WATCH_S) -> Bench:
    """A bench whose waiting moves its clock."""
    bench = Bench()

    async def pause(waited: float) -> None:
        bench.clock.advance(waited)

    bench.doors = replace(bench.doors, objectives=objectives, pause=pause)
    return bench.ruled(watch_s=seconds)


async def carried_out(bench: Bench, arguments: object = None, **more: str) -> Outcome:
    arguments = scaled(4) if arguments is None else arguments
    approval = await bench.approved(arguments, **more)
    return await bench.ask(arguments=arguments, approval=approval, **more)


async def test_an_objective_that_holds_is_said_with_what_the_tool_saw() -> None:
    objectives = Told(Held(True, "web-errors burns no faster than before"))
    bench = watching(objectives)
    outcome = await carried_out(bench)
    assert outcome.status == "done"
    assert outcome.verified is not None
    assert outcome.verified.reached
    assert outcome.verified.seen == "4 of 4 are ready; web-errors burns no faster than before"
    ((changed, since, until),) = objectives.asked
    assert changed == since == NOON
    assert (until - since).total_seconds() == WATCH_S
    assert "burns no faster" in (bench.approvals.get(outcome.approval or "").outcome or "")


async def test_what_makes_an_objective_burn_faster_is_taken_back() -> None:
    bench = watching(Told(Held(False, "web-errors burns 80 times too fast, 0 times before")))
    outcome = await carried_out(bench)
    assert (outcome.status, outcome.reason) == ("rolled_back", "objective")
    assert "80 times too fast" in outcome.summary
    assert "taken back: 3 of 3 are ready" in outcome.summary
    assert bench.cluster.writes == [("web", 4), ("web", 3)]
    assert [(tool, outcome) for tool, _, outcome in bench.rows()[1:]] == [
        ("kubernetes.scale", "done"),
        ("kubernetes.scale", "rolled_back: objective"),
    ]


async def test_what_cannot_be_taken_back_is_said_to_burn_still() -> None:
    bench = watching(Told(Held(False, "web-errors burns 80 times too fast")))
    bench.scale = replace(bench.scale, undoes=False)
    bench.restarted()
    outcome = await carried_out(bench)
    assert (outcome.status, bench.cluster.writes) == ("failed", [("web", 4)])
    assert "cannot be taken back" in outcome.summary


async def test_of_a_plan_all_steps_are_taken_back_the_last_first() -> None:
    bench = watching(Told(Held(False, "web-errors burns 80 times too fast")))
    steps = [
        {"tool": "kubernetes.scale", "arguments": scaled(4)},
        {"tool": "kubernetes.scale", "arguments": scaled(3, "api")},
    ]
    outcome = await carried_out(bench, {"steps": steps}, tool="plan.carry_out")
    assert outcome.status == "rolled_back"
    assert bench.cluster.writes == [("web", 4), ("api", 3), ("api", 2), ("web", 3)]


@pytest.mark.parametrize(
    ("objectives", "said"),
    [
        (Told(Held(None, "web-errors was not measured")), "web-errors was not measured"),
        (Told(Held(True, ""), names=()), "no objective covers prod/shop/Deployment/web"),
        (Told(StoreUnavailable("the database is gone")), "the database is gone"),
    ],
    ids=["unmeasured", "uncovered", "unreadable"],
)
async def test_where_nothing_is_known_that_is_said_and_nothing_taken_back(
    objectives: Told, said: str
) -> None:
    bench = watching(objectives)
    outcome = await carried_out(bench)
    assert (outcome.status, bench.cluster.writes) == ("done", [("web", 4)])
    assert outcome.verified is not None
    assert said in outcome.verified.seen


async def test_nobody_waits_where_no_objective_covers_it() -> None:
    bench = watching(Told(Held(True, ""), names=()))
    await carried_out(bench)
    assert bench.clock.now() == NOON


async def test_a_watch_of_no_time_is_none() -> None:
    objectives = Told(Held(False, "it burns"))
    outcome = await carried_out(watching(objectives, seconds=0))
    assert outcome.status == "done"
    assert objectives.asked == []


async def test_an_unverified_change_is_taken_back_without_a_watch() -> None:
    objectives = Told(Held(True, ""))
    bench = watching(objectives)
    bench.cluster.stuck.add("web")
    assert (await carried_out(bench)).reason == "unverified"
    assert objectives.asked == []


async def test_a_call_that_is_cut_off_while_it_is_watched_stays_done() -> None:
    cut = Cut()

    async def pause(seconds: float) -> None:
        cut.now()
        await asyncio.Event().wait()

    bench, target = Bench(), Target("prod", "Deployment", "web", "shop")
    watch = Watch(Told(Held(False, "it burns")), bench.clock, WATCH_S, pause)
    held = await watch.over([target], NOON, cut)
    assert held.held is None
    assert "cancelled" in held.seen


@dataclass
class Mending(Told):
    """Objectives that get better when a test says so."""

    after_s: float = 0.0

    def held(
        self, targets: Sequence[Target], changed: datetime, since: datetime, until: datetime
    ) -> Held:
        super().held(targets, changed, since, until)
        mended = (until - changed).total_seconds() >= self.after_s
        return Held(True, "it helped" if mended else "it did not help", mended)


async def test_an_action_for_an_incident_that_does_not_help_is_taken_back() -> None:
    objectives = Mending(Held(True, ""), after_s=9999)
    bench = watching(objectives).ruled(watch_s=WATCH_S, mend_s=120.0)
    outcome = await carried_out(bench, incident="inc-1")
    assert outcome.status == "rolled_back"
    assert "it did not help" in outcome.summary
    assert bench.cluster.writes == [("web", 4), ("web", 3)]
    assert len(objectives.asked) == 4, "it is given its time"


async def test_an_action_that_helps_late_stays() -> None:
    objectives = Mending(Held(True, ""), after_s=70)
    bench = watching(objectives).ruled(watch_s=WATCH_S, mend_s=120.0)
    outcome = await carried_out(bench, incident="inc-1")
    assert (outcome.status, len(objectives.asked)) == ("done", 3)
    begins = [(since - changed).total_seconds() for changed, since, _ in objectives.asked]
    assert begins == [0, 15, 30], "the earlier part tells of before"


async def test_what_is_done_for_no_incident_need_not_help() -> None:
    bench = watching(Mending(Held(True, ""), after_s=9999)).ruled(watch_s=WATCH_S, mend_s=120.0)
    assert (await carried_out(bench)).status == "done"


@dataclass
class Silent(Told):
    """Objectives that tell too little at first, and then something or nothing."""

    tells_s: float = 0.0
    mended: bool = True

    def held(
        self, targets: Sequence[Target], changed: datetime, since: datetime, until: datetime
    ) -> Held:
        super().held(targets, changed, since, until)
        if (until - changed).total_seconds() < self.tells_s:
            return Held(True, "burns no faster than before", early=True)
        return Held(True, "it helped" if self.mended else "it did not help", self.mended)


@pytest.mark.parametrize(
    ("tells_s", "mended", "status"),
    [(70, True, "done"), (70, False, "rolled_back"), (9999, False, "done")],
    ids=["helps", "does-not-help", "never-told"],
)
async def test_where_it_is_too_soon_to_tell_it_is_looked_at_again(
    tells_s: float, mended: bool, status: str
) -> None:
    objectives = Silent(Held(True, ""), tells_s=tells_s, mended=mended)
    bench = watching(objectives).ruled(watch_s=WATCH_S, mend_s=120.0)
    outcome = await carried_out(bench, incident="inc-1")
    assert outcome.status == status
    assert len(objectives.asked) > 1
