"""What every memory promises; a new adapter joins by one more param."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from aiops.errors import AlreadyKept, NotKept
from aiops.model import Entity, FaultType, Indicator
from aiops.model.memory import Attempt, Cue, PastIncident, Routine, Signature
from aiops.ports.memory import Memory
from aiops.store.memories import MemoryMemories
from aiops.store.sql.memories import SqlMemories

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CUE = Cue(FaultType.CPU, ("log", "metric"))


@pytest.fixture(params=("memory", "sqlite", "postgresql"))
def memory(request: pytest.FixtureRequest, engine_on: Callable[[str], Engine]) -> Memory:
    """An empty one."""
    if request.param == "memory":
        return MemoryMemories()
    return SqlMemories(engine_on(request.param))


def past(name: str, minutes: int = 0) -> PastIncident:
    signature = Signature(
        ((FaultType.CPU, 0.7), (FaultType.LATENCY, 0.3)), ("cpu",), ("metric",), ("rose",), "source"
    )
    return PastIncident(
        name,
        "inc-1",
        NOON + timedelta(minutes=minutes),
        signature,
        Entity("service", "cart"),
        Indicator("metric", "cpu \0 \ud800"),
        FaultType.CPU,
        (Attempt("deployments.scale", "3 to 5 replicas", True),),
    )


def routine(*steps: str, minutes: int = 0) -> Routine:
    return Routine(CUE, steps, ("run-1",), NOON + timedelta(minutes=minutes))


def test_a_past_incident_is_got_back_whole_and_keeping_it_again_changes_nothing(
    memory: Memory,
) -> None:
    memory.remember(past("run-1"))
    memory.remember(past("run-1"))
    assert memory.get("run-1") == past("run-1")
    assert memory.newest() == (past("run-1"),)


def test_another_under_its_id_is_refused_and_what_was_never_kept_is_not_found(
    memory: Memory,
) -> None:
    memory.remember(past("run-1"))
    with pytest.raises(AlreadyKept, match="run-1"):
        memory.remember(past("run-1", 5))
    with pytest.raises(NotKept, match="run-2"):
        memory.get("run-2")


def test_the_newest_come_first_and_no_more_than_asked(memory: Memory) -> None:
    for name, minutes in (("b", 5), ("c", 1), ("a", 9), ("d", 9)):
        memory.remember(past(name, minutes))
    assert [each.id for each in memory.newest()] == ["d", "a", "b", "c"]
    assert [each.id for each in memory.newest(limit=2)] == ["d", "a"]


def test_a_persons_verdict_is_kept_and_an_outdated_one_changes_nothing(memory: Memory) -> None:
    was = past("run-1")
    memory.remember(was)
    assert memory.revise(was, replace(was, verdict="confirmed"))
    assert not memory.revise(was, replace(was, verdict="refuted"))
    assert memory.get("run-1") == replace(was, verdict="confirmed", revision=1)
    assert not memory.revise(past("run-2"), past("run-2"))
    with pytest.raises(ValueError, match="run-2"):
        memory.revise(was, past("run-2"))


def test_a_routine_is_learnt_by_its_cue_and_changed_by_who_read_it(memory: Memory) -> None:
    assert memory.routine(CUE) is None
    assert memory.learn(None, routine("pods.restart"))
    assert not memory.learn(None, routine("nodes.drain"))
    kept = memory.routine(CUE)
    assert kept == routine("pods.restart")
    assert memory.learn(kept, replace(kept, failures=1))
    assert not memory.learn(kept, replace(kept, failures=2))
    assert memory.routine(CUE) == replace(kept, failures=1, revision=1)
    assert memory.routine(Cue(FaultType.CPU, ("metric",))) is None


def test_a_routine_for_one_cue_cannot_stand_for_another(memory: Memory) -> None:
    other = replace(routine("pods.restart"), cue=Cue(FaultType.DNS, ()))
    with pytest.raises(ValueError, match="dns"):
        memory.learn(routine("pods.restart"), other)


def test_of_many_that_change_one_at_once_exactly_one_does(memory: Memory) -> None:
    memory.remember(past("run-1"))
    with ThreadPoolExecutor(4) as pool:
        told = [replace(past("run-1"), verdict="confirmed")] * 8
        assert sum(pool.map(lambda to: memory.revise(past("run-1"), to), told)) == 1
        assert sum(pool.map(lambda _: memory.learn(None, routine("a")), range(8))) == 1


def test_what_is_older_than_asked_is_forgotten_and_the_rest_stays(memory: Memory) -> None:
    memory.remember(past("old", -10))
    memory.remember(past("new"))
    memory.learn(None, routine("pods.restart", minutes=-10))
    assert memory.forget(NOON) == 2
    assert [each.id for each in memory.newest()] == ["new"]
    assert memory.routine(CUE) is None
    assert memory.forget(NOON) == 0
