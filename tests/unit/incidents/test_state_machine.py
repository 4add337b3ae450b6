"""Whatever alerts, time and people do in whatever order, some things always hold."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from aiops.app.incidents import lifecycle, silences, transfers
from aiops.app.incidents.acts import Person
from aiops.app.incidents.dispatch import due_jobs
from aiops.app.incidents.triage import MOST_RELATED
from aiops.errors import InvalidInput, WrongState
from aiops.model.incident import IncidentQuery

SERVICES = st.sampled_from(["front", "cart", "store", "lone"])
NAMES = st.sampled_from(["TooSlow", "Errors"])
SEVERITIES = st.sampled_from(["SEV1", "SEV2", "SEV3", "SEV4"])
ACTS = st.sampled_from(
    [
        lifecycle.acknowledge,
        lifecycle.unacknowledge,
        lifecycle.resolve,
        lifecycle.reopen,
        lifecycle.request_investigation,
    ]
)


class Queue:
    """Takes a key once."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def put(self, job) -> bool:
        if job.key in self.keys:
            return False
        self.keys.append(job.key)
        return True


class Incidents(RuleBasedStateMachine):
    """Alerts of four services, three of which call each other; one person."""

    new_world = None  # set by the test: the class of the fixture

    @initialize()
    def begin(self) -> None:
        self.world = type(self).new_world()
        self.world.rules = replace(self.world.rules, flapping_turns=3)
        self.world.calls(("front", "cart"), ("cart", "store"))
        self.ana = Person(self.world.repo, self.world.clock, "ana")
        self.queue = Queue()
        self.seen: dict[str, list] = {}
        self.revisions: dict[str, int] = {}

    def some(self, number: int) -> str | None:
        there = self.world.incidents()
        return there[number % len(there)].id if there else None

    @rule(service=SERVICES, name=NAMES, severity=SEVERITIES)
    def fire(self, service, name, severity) -> None:
        self.world.fire(service, name, severity=severity)

    @rule(service=SERVICES, name=NAMES)
    def end(self, service, name) -> None:
        self.world.end(service, name)

    @rule(service=SERVICES, name=NAMES, ago=st.integers(1, 4000), firing=st.booleans())
    def replay(self, service, name, ago, firing) -> None:
        then = self.world.clock.now().timestamp() - ago
        start = self.world.at(then - self.world.at(0).timestamp())
        if firing:
            self.world.fire(service, name, starts_at=start)
        else:
            self.world.end(service, name, starts_at=start, ends_at=start)

    @rule(seconds=st.sampled_from([1, 60, 400, 1000, 2000]))
    def wait(self, seconds) -> None:
        self.world.wait(seconds)
        self.world.take()

    @rule(service=SERVICES, seconds=st.sampled_from([30, 900]))
    def silence(self, service, seconds) -> None:
        self.world.silence(service, seconds)

    @precondition(lambda self: self.world.repo.silences())
    @rule(number=st.integers(0, 9))
    def expire(self, number) -> None:
        kept = self.world.repo.silences()
        self.tried(lambda: silences.expire(self.ana, kept[number % len(kept)].id))

    @rule(act=ACTS, number=st.integers(0, 9))
    def act(self, act, number) -> None:
        if chosen := self.some(number):
            self.tried(lambda: act(self.ana, chosen))

    @rule(number=st.integers(0, 9), severity=SEVERITIES)
    def set_severity(self, number, severity) -> None:
        if chosen := self.some(number):
            self.tried(lambda: lifecycle.set_severity(self.ana, chosen, severity))

    @rule(first=st.integers(0, 9), second=st.integers(0, 9))
    def merge(self, first, second) -> None:
        if chosen := self.some(first):
            into = self.some(second)
            self.tried(lambda: transfers.merge(self.ana, chosen, into, self.world.rules))

    @rule(number=st.integers(0, 9), service=SERVICES)
    def split(self, number, service) -> None:
        if chosen := self.some(number):
            own = [
                state.alert.key
                for state in self.world.repo.alerts(chosen)
                if state.alert.entity.name == service
            ]
            ids, rules = self.world.ids, self.world.rules
            self.tried(lambda: transfers.split(self.ana, ids, chosen, own, rules))

    @rule()
    def dispatch(self) -> None:
        before = len(self.queue.keys)
        jobs = due_jobs(self.world.repo, self.queue, self.world.clock)
        assert len(self.queue.keys) == before + len(jobs), "no key twice"
        assert not due_jobs(self.world.repo, self.queue, self.world.clock)

    def tried(self, act) -> None:
        """An act that may be refused, and then changes nothing."""
        before = self.world.repo.find(self.query()), self.world.repo.silences()
        try:
            act()
        except (WrongState, InvalidInput):
            assert (self.world.repo.find(self.query()), self.world.repo.silences()) == before

    def query(self):
        return IncidentQuery(limit=10_000)

    @invariant()
    def firing_counts_the_alerts_that_are_heard(self) -> None:
        for incident in self.incidents():
            states = self.world.repo.alerts(incident.id)
            assert incident.firing == sum(s.firing and s.silence is None for s in states)

    @invariant()
    def every_firing_alert_is_in_an_incident_or_silenced(self) -> None:
        for state in self.states():
            assert not state.firing or state.incident is not None or state.silence is not None

    @invariant()
    def what_resolved_by_itself_has_no_alert_that_is_heard(self) -> None:
        for incident in self.incidents():
            if not incident.open and incident.merged_into is None:
                ended = [e for e in self.world.timeline(incident.id) if e.kind == "resolved"]
                assert ended[-1].actor == "ana" or incident.firing == 0
            assert incident.open == (incident.resolved_at is None)
            assert (incident.status == "acknowledged") <= (incident.acknowledged_at is not None)
            assert not incident.flapping or incident.open

    @invariant()
    def merged_incidents_keep_no_alert_and_lead_to_one_that_exists(self) -> None:
        there = {incident.id: incident for incident in self.incidents()}
        for incident in there.values():
            if incident.merged_into is not None:
                assert not self.world.repo.alerts(incident.id)
                assert incident.merged_into in there

    @invariant()
    def none_is_milder_than_what_fires(self) -> None:
        for incident in self.incidents():
            states = self.world.repo.alerts(incident.id)
            heard = [s.alert.severity for s in states if s.firing and s.silence is None]
            if incident.open and heard and not incident.severity_pinned:
                assert incident.severity <= min(heard)

    @invariant()
    def related_incidents_are_others_that_exist(self) -> None:
        there = {incident.id for incident in self.incidents()}
        for incident in self.incidents():
            assert {*incident.related} <= there - {incident.id}
            assert len(incident.related) <= MOST_RELATED

    @invariant()
    def a_group_has_one_open_incident(self) -> None:
        open_groups = [incident.group for incident in self.incidents() if incident.open]
        assert len(open_groups) == len(set(open_groups))

    @invariant()
    def timelines_only_grow_and_revisions_never_fall(self) -> None:
        for incident in self.incidents():
            timeline = self.world.timeline(incident.id)
            before = self.seen.get(incident.id, [])
            assert timeline[: len(before)] == before
            assert incident.revision >= self.revisions.get(incident.id, 1)
            if len(timeline) > len(before) and before and timeline[-1].actor == "ana":
                assert incident.revision > self.revisions[incident.id]
            self.seen[incident.id], self.revisions[incident.id] = timeline, incident.revision

    @invariant()
    def alerts_are_counted_where_they_are(self) -> None:
        for incident in self.incidents():
            assert incident.alerts >= len(self.world.repo.alerts(incident.id)) or (
                incident.merged_into is not None
            )

    def incidents(self):
        return self.world.incidents() if hasattr(self, "world") else []

    def states(self):
        return self.world.repo.alerts(limit=10_000) if hasattr(self, "world") else ()


@pytest.fixture
def machine(world):
    return type("OfThisWorld", (Incidents,), {"new_world": type(world)})


def test_incidents_keep_their_promises_whatever_happens(machine):
    run_state_machine_as_test(
        machine, settings=settings(max_examples=60, stateful_step_count=30, deadline=None)
    )
