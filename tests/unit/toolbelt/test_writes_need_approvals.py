"""Whatever is called, decided, changed and waited for: no write without its own approval."""

import asyncio
from dataclasses import replace
from typing import Any

from belt import Bench, mode, scaled
from hypothesis import settings, target
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from aiops.model.approval import Approval
from aiops.model.canonical import canonical, parsed
from aiops.model.tool import Stop
from aiops.toolbelt.budget import Budget

NAMES = st.sampled_from(["web", "api", "idle"])
REPLICAS = st.integers(1, 5)
SELDOM = st.sampled_from([False, False, False, True])
RUNS = st.sampled_from(["run-1", "run-2"])


class Calls(RuleBasedStateMachine):
    """Any sequence of calls, verdicts, drifts, stops, changes of mode, and time passing."""

    approvals = Bundle("approvals")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.bench = Bench().ruled(budget=Budget(10_000, 10_000, 1e9))
        self.given: dict[str, Approval] = {}
        """Approvals as they were when a person said yes, and not yet used."""
        self.seen = 0
        self.rows = 0
        self.shadow = False

    def ask(self, **more: Any) -> Any:
        before = len(self.bench.cluster.writes)
        outcome = self.loop.run(self.bench.ask(**more))
        self.rows += 1
        self.check(more, len(self.bench.cluster.writes) - before)
        return outcome

    def check(self, more: dict[str, Any], writes: int) -> None:
        """Each change has an approval of exactly that action, given and used just now."""
        if not writes:
            return
        yes = self.given.pop(more["approval"])
        assert yes.action.arguments == canonical(more["arguments"])
        assert (yes.run, yes.mode) == (more["run"], "approve")
        assert yes.expires_at > self.bench.clock.now()
        assert self.bench.switch.state() is None
        assert not self.shadow
        kept = self.bench.approvals.get(yes.id)
        assert (kept.state, kept.revision) == ("used", yes.revision + 2)  # used, and its outcome
        name, replicas = self.bench.cluster.writes[self.seen]
        assert (name, replicas) == (more["arguments"]["name"], more["arguments"]["replicas"])
        assert writes == 1
        self.seen += writes

    @rule(target=approvals, name=NAMES, replicas=REPLICAS, run=RUNS, open_=SELDOM)
    def propose(self, name: str, replicas: int, run: str, open_: bool = False) -> str | None:
        outcome = self.ask(arguments=scaled(replicas, name), run=run)
        assert outcome.status in ("waits", "shadowed", "denied", "failed")
        if not open_:
            self.approve(outcome.approval)
        return outcome.approval

    @rule(approval=approvals)
    def somebody_approves(self, approval: str | None) -> None:
        self.approve(approval)

    def approve(self, approval: str | None) -> None:
        if approval is None or not self.bench.approvals.get(approval).open:
            return
        self.bench.approve(approval)
        self.given[approval] = self.bench.approvals.get(approval)

    @rule(approval=approvals, verdict=st.sampled_from(["rejected", "expired", "superseded"]))
    def take_away(self, approval: str | None, verdict: Any) -> None:
        if approval is None:
            return
        kept = self.bench.approvals.get(approval)
        if kept.state != "used":
            self.bench.approvals.swap(kept, replace(kept, state=verdict))
            self.given.pop(approval, None)

    @rule(approval=approvals, late=SELDOM, by_another=SELDOM)
    def use(self, approval: str | None, late: bool = False, by_another: bool = False) -> None:
        if approval is None:
            return
        self.bench.clock.advance(self.bench.rules.approval_s if late else 0)
        kept = self.bench.approvals.get(approval)
        run = "run-3" if by_another else kept.run
        self.ask(arguments=dict(_parsed(kept)), run=run, approval=approval)

    @rule(approval=approvals, name=NAMES, replicas=REPLICAS, run=RUNS)
    def use_for_something_else(
        self, approval: str | None, name: str, replicas: int, run: str
    ) -> None:
        if approval is not None:
            self.ask(arguments=scaled(replicas, name), run=run, approval=approval)

    @rule(approval=consumes(approvals))
    def carry_out_twice_at_once(self, approval: str | None) -> None:
        if approval is None:
            return
        kept = self.bench.approvals.get(approval)
        before = len(self.bench.cluster.writes)

        async def both() -> None:
            await asyncio.gather(
                self.bench.gateway.carry_out(approval), self.bench.gateway.carry_out(approval)
            )

        self.loop.run(both())
        self.rows += 2
        more = {"arguments": dict(_parsed(kept)), "run": kept.run, "approval": approval}
        self.check(more, len(self.bench.cluster.writes) - before)

    @rule(name=NAMES)
    def drift(self, name: str) -> None:
        self.bench.cluster.drift(name)

    @rule(approval=approvals, replicas=REPLICAS)
    def tamper(self, approval: str | None, replicas: int) -> None:
        """Somebody writes into the table of approvals; what was approved is another hash."""
        if approval is None:
            return
        kept = self.bench.approvals.get(approval)
        forged = replace(kept.action, arguments=canonical(scaled(replicas, "idle")))
        if kept.state == "approved" and forged != kept.action:
            self.bench.approvals.swap(kept, replace(kept, action=forged))
            self.given.pop(approval, None)

    @rule(seconds=st.sampled_from([1, 600, 1000]))
    def wait(self, seconds: float) -> None:
        self.bench.clock.advance(seconds)

    @rule(stopped=SELDOM)
    def stop_or_resume(self, stopped: bool) -> None:
        if stopped:
            self.bench.switch.engage(Stop("ann", "enough", self.bench.clock.now()))
        else:
            self.bench.switch.release()

    @rule(shadow=SELDOM)
    def restart(self, shadow: bool) -> None:
        self.shadow = shadow
        self.bench.restarted(
            replace(self.bench.rules, mode=mode("shadow").mode if shadow else "approve")
        )

    @invariant()
    def every_call_left_one_row(self) -> None:
        assert len(self.bench.rows()) == self.rows

    @invariant()
    def no_write_is_unaccounted_for(self) -> None:
        assert len(self.bench.cluster.writes) == self.seen

    def teardown(self) -> None:
        target(float(self.seen), label="writes")
        self.teardown_loop()

    def teardown_loop(self) -> None:
        self.loop.close()


def test_the_machine_does_write_where_an_approval_was_given() -> None:
    calls = Calls()
    approval = calls.propose("web", 4, "run-1")
    calls.approve(approval)
    calls.use(approval)
    calls.use(approval)
    assert calls.bench.cluster.writes == [("web", 4)]
    calls.teardown_loop()


def _parsed(approval: Approval) -> Any:
    return parsed(approval.action.arguments)


TestNoWriteWithoutItsApproval = Calls.TestCase
TestNoWriteWithoutItsApproval.settings = settings(
    max_examples=100, stateful_step_count=50, deadline=None
)
