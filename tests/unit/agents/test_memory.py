"""What is remembered, what it may say, and what it may not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.agents.memory.likeness import TWIN, Recollection, likeness, seen_before
from aiops.agents.memory.questions import AskLive, Recalled, about_now, recall
from aiops.agents.memory.recalling import Recalling
from aiops.agents.memory.remembering import Remembering, past_incident
from aiops.agents.memory.routines import FAILURES, cue_of, learn_from, proposed
from aiops.agents.memory.signature import signature_of
from aiops.agents.memory.weighing import MOST_NATS, weighed
from aiops.model import Entity, FaultType, Indicator, Ranking, Suspect
from aiops.model.case import Trigger
from aiops.model.memory import PastIncident, Signature
from aiops.model.ranking import Evidence, Propagation, Window
from aiops.model.report import Agreement, Impact, Report, RootCause, Subject, Timings
from aiops.model.run import Deed, Proposal
from aiops.store.clock import ManualClock
from aiops.store.memories import MemoryMemories

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WINDOW = Window(NOON, NOON + timedelta(minutes=10))
CPU = Signature(((FaultType.CPU, 1.0),), ("cpu",), ("metric",), ("processor", "rose"), "source")


def service(name: str) -> Entity:
    return Entity("service", name)


def report(
    accused: str,
    victim: str,
    fault: FaultType,
    metric: str,
    claim: str,
    *,
    verdict: str = "root_cause",
) -> Report:
    evidence = Evidence("E1", "metric", f"{accused} {claim}", "metrics", WINDOW, metric)
    cause = RootCause(
        1,
        service(accused),
        Indicator("metric", metric),
        fault,
        ((fault, 0.9), (FaultType.UNKNOWN, 0.1)),
        3.0,
        0.9,
        ("E1",),
    )
    return Report(
        subject=Subject("c", WINDOW, False, Trigger(NOON), ("metrics",), ()),
        verdict=verdict,  # type: ignore[arg-type]
        summary="",
        onset=NOON,
        impact=Impact(),
        root_causes=(cause,),
        propagation=(Propagation(service(accused), service(victim), "calls"),),
        evidence=(evidence,),
        agreement=Agreement(""),
        timings=Timings(0.0),
    )


def past(name: str, signature: Signature = CPU, **more: object) -> PastIncident:
    known = PastIncident(name, "inc", NOON, signature, service("a"), fault=FaultType.CPU)
    return replace(known, **more)  # type: ignore[arg-type]


def suspect(name: str, fault: FaultType, score: float) -> Suspect:
    return Suspect(service(name), None, score, fault_types=((fault, 1.0),))


def ranked(*suspects: Suspect) -> Ranking:
    return Ranking("root_cause", suspects)


# ---- seen before


def test_the_same_fault_in_another_system_is_a_twin_and_another_fault_is_not() -> None:
    rose = "rose from 0.2 to 0.9 cores"
    here = signature_of(report("basket", "shop", FaultType.CPU, "basket_cpu_usage", rose))
    there = signature_of(report("seats", "portal", FaultType.CPU, "seats_cpu_usage", rose))
    other = signature_of(
        report("basket", "shop", FaultType.NETWORK_DELAY, "latency_p90", "answers take 900 ms more")
    )
    assert here == there
    assert likeness(here, other) < TWIN <= likeness(here, there)
    known = [past("twin", there), past("other", other)]
    assert [one.past.id for one in seen_before(here, known)] == ["twin"]


def test_a_name_alone_is_no_likeness() -> None:
    here = signature_of(report("basket", "shop", FaultType.CPU, "cpu", "rose"))
    there = signature_of(
        report("basket", "shop", FaultType.DNS, "dns_errors", "cannot be resolved")
    )
    assert seen_before(here, [past("same name", there)]) == ()


def test_what_a_person_refuted_is_not_recalled_and_what_one_confirmed_is_trusted_more() -> None:
    memory = MemoryMemories()
    for name in ("wrong", "right", "unread"):
        memory.remember(past(name))
    for name, verdict in (("wrong", "refuted"), ("right", "confirmed")):
        was = memory.get(name)
        assert memory.revise(was, replace(was, verdict=verdict))
    found = seen_before(CPU, memory.newest())
    assert [one.past.id for one in found] == ["right", "unread"]
    assert found[0].trust > found[1].trust


def test_only_what_accused_somebody_is_remembered() -> None:
    accused = report("basket", "shop", FaultType.CPU, "cpu", "rose")
    kept = past_incident("run-1", "inc-1", NOON, accused)
    assert kept is not None
    assert (kept.cause, kept.fault) == (service("basket"), FaultType.CPU)
    unsure = report("basket", "shop", FaultType.CPU, "cpu", "rose", verdict="inconclusive")
    assert past_incident("run-2", "inc-1", NOON, unsure) is None


def deed(tool: str, reached: bool | None) -> Deed:
    return Deed(Proposal(tool, "{}", "[E1]"), "done", "3 to 5 replicas", "low", reached=reached)


def test_a_finished_run_is_remembered_once_with_what_was_tried_and_what_it_taught() -> None:
    memory, clock = MemoryMemories(), ManualClock(NOON)
    found = report("basket", "shop", FaultType.CPU, "cpu", "rose")
    keep = Remembering(memory, clock, "inc-1")
    keep(found, [deed("deployments.scale", True), deed("pods.restart", None)], "run-1")
    clock.advance(60)
    keep(found, [deed("deployments.scale", True)], "run-1")
    (kept,) = memory.newest()
    assert (kept.at, [one.helped for one in kept.tried]) == (NOON, [True, None])
    routine = proposed(memory, kept.signature)
    assert routine is not None
    assert (routine.steps, routine.successes) == (("deployments.scale",), 1)


def test_a_fix_that_nobody_verified_teaches_nothing() -> None:
    memory = MemoryMemories()
    found = report("basket", "shop", FaultType.CPU, "cpu", "rose")
    Remembering(memory, ManualClock(NOON), "inc-1")(found, [deed("pods.restart", None)], "run-1")
    assert proposed(memory, memory.get("run-1").signature) is None


SIGNATURES = st.builds(
    Signature,
    st.lists(
        st.tuples(st.sampled_from(FaultType), st.floats(0, 1)), max_size=3, unique_by=lambda x: x[0]
    ).map(tuple),
    st.lists(st.sampled_from(["cpu", "memory", "latency"]), unique=True).map(tuple),
    st.lists(st.sampled_from(["metric", "log"]), unique=True).map(tuple),
    st.lists(st.text("abc", min_size=3, max_size=4), unique=True).map(tuple),
    st.sampled_from(["source", "middle", "end", "alone"]),
)


@given(SIGNATURES, SIGNATURES)
def test_likeness_is_a_share_and_the_same_from_both_sides(one: Signature, other: Signature) -> None:
    assert 0 <= likeness(one, other) <= 1.000001
    assert likeness(one, other) == pytest.approx(likeness(other, one))
    assert likeness(one, other) <= likeness(one, one) + 1e-9


# ---- poison


@given(st.integers(1, 200), st.floats(0.7, 1.0))
def test_any_number_of_poisoned_memories_is_outvoted_by_present_evidence(
    count: int, alike: float
) -> None:
    lies = [
        Recollection(past(f"lie-{n}", verdict="confirmed", fault=FaultType.DNS), alike, 1.0)
        for n in range(count)
    ]
    true, false = suspect("basket", FaultType.CPU, 1.6), suspect("dns", FaultType.DNS, 0.7)
    after = weighed(ranked(true, false), lies)
    assert after.suspects[0] == true
    assert after.suspects[1].score <= 0.7 + MOST_NATS


def test_what_nothing_shows_today_is_not_suspected_for_what_it_did_once() -> None:
    recalled = [Recollection(past("p", verdict="confirmed"), 1.0, 1.0)]
    quiet = ranked(suspect("basket", FaultType.CPU, 0.1))
    assert weighed(quiet, recalled).suspects == quiet.suspects
    assert weighed(ranked(), recalled).suspects == ()


def test_between_two_equal_signs_memory_decides_and_says_by_what() -> None:
    recalled = [Recollection(past("p", verdict="confirmed"), 0.9, 1.0)]
    signs = ranked(suspect("net", FaultType.NETWORK_LOSS, 1.5), suspect("b", FaultType.CPU, 1.5))
    after = weighed(signs, recalled)
    assert after.suspects[0].entity == service("b")
    assert after.suspects[0].evidence == ("E1",)
    assert (after.evidence[0].kind, after.evidence[0].ref) == ("incident", "p")
    assert after.evidence[0].claim.startswith("Seen before: incident ")
    assert after.evidence[0].claim in after.notes


def test_a_healthy_verdict_is_not_touched_by_memory() -> None:
    recalled = [Recollection(past("p", verdict="confirmed"), 0.9, 1.0)]
    healthy = replace(ranked(suspect("b", FaultType.CPU, 1.5)), verdict="healthy")
    assert weighed(healthy, recalled) == healthy


def test_what_a_person_said_since_decides_how_far_a_memory_is_trusted() -> None:
    memory = MemoryMemories()
    found = report("basket", "shop", FaultType.CPU, "cpu", "rose")
    for number, name in enumerate(("right", "wrong", "own")):
        clock = ManualClock(NOON + timedelta(minutes=number))
        Remembering(memory, clock, name)(found, [], f"run-{name}")
    said = {"right": "confirmed", "wrong": "refuted", "own": "confirmed"}
    recalled = Recalling(memory, "own", lambda incident: said[incident])(found)  # type: ignore[arg-type,return-value]
    assert [(one.past.incident, one.trust) for one in recalled] == [("right", 1.0)]


# ---- routines


def test_a_routine_is_learnt_from_a_verified_outcome_only() -> None:
    memory = MemoryMemories()
    for helped in (None, False):
        assert learn_from(memory, past("p"), ["pods.restart"], helped, NOON) is None
    assert proposed(memory, CPU) is None
    learn_from(memory, past("p"), ["pods.restart"], True, NOON)
    known = proposed(memory, CPU)
    assert known is not None
    assert (known.steps, known.learned_from) == (("pods.restart",), ("p",))


def test_a_routine_that_failed_twice_in_a_row_is_no_longer_proposed() -> None:
    memory = MemoryMemories()
    for helped in (True, False, True, False):
        learn_from(memory, past("p"), ["pods.restart"], helped, NOON)
        assert proposed(memory, CPU) is not None
    learn_from(memory, past("p"), ["pods.restart"], False, NOON)
    assert proposed(memory, CPU) is None


def test_what_helps_takes_the_place_of_what_was_demoted() -> None:
    memory = MemoryMemories()
    for helped in (True, False, False):
        learn_from(memory, past("p"), ["pods.restart"], helped, NOON)
    learn_from(memory, past("q"), ["deployments.rollback"], True, NOON)
    known = proposed(memory, CPU)
    assert known is not None
    assert known.steps == ("deployments.rollback",)


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from([True, False, None]))))
def test_a_routine_is_demoted_exactly_while_its_last_two_outcomes_were_failures(
    outcomes: list[tuple[str, bool | None]],
) -> None:
    memory = MemoryMemories()
    failed, steps = 0, None
    for step, helped in outcomes:
        learn_from(memory, past("p"), [step], helped, NOON)
        if steps in (None, step) or failed >= FAILURES:
            if helped:
                failed, steps = 0, step
            elif helped is False and step == steps:
                failed += 1
        routine = memory.routine(cue_of(CPU))
        assert (routine and routine.steps) == (steps and (steps,))
        assert (proposed(memory, CPU) is None) == (steps is None or failed >= FAILURES)


# ---- questions


@pytest.mark.parametrize(
    "question",
    [
        "Is the cart healthy?",
        "how many pods are running",
        "What is the error rate of checkout now?",
        "show the logs of payment",
        "Was it fixed, and is it still up?",
        "CPU of orders",
        "",
    ],
)
def test_how_things_are_now_is_never_answered_from_memory(question: str) -> None:
    assert about_now(question)
    assert isinstance(recall(question, CPU, [past("p", verdict="confirmed")]), AskLive)


@pytest.mark.parametrize(
    "question",
    ["Has this happened before?", "What was the cause last time?", "what did we do last week"],
)
def test_a_question_about_the_past_is_answered_with_what_was_alike(question: str) -> None:
    answer = recall(question, CPU, [past("p", verdict="confirmed")])
    assert isinstance(answer, Recalled)
    assert [one.past.id for one in answer.recollections] == ["p"]
