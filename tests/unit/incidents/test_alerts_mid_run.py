"""An alert that comes while investigations go on: merged, queued, or ahead of what waits."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from aiops.app.incident_reports import HEAD_START, KIND
from aiops.app.incidents.dispatch import due_jobs
from aiops.jobs.leased import LeasedJobs
from aiops.model.job import Job
from aiops.store.jobs import MemoryJobs


@pytest.fixture
def store(world: Any) -> MemoryJobs:
    return MemoryJobs(world.clock)


@pytest.fixture
def dispatched(world: Any, store: MemoryJobs) -> Callable[[], tuple[Job, ...]]:
    """Queues what is due once its alerts have settled."""
    queue = LeasedJobs(store, world.clock, world.ids)

    def dispatch() -> tuple[Job, ...]:
        world.wait(world.rules.settle_s)
        return due_jobs(world.repo, queue, world.clock)

    return dispatch


def taken(store: MemoryJobs, limit: int = 1) -> list[str]:
    """What a worker does next, by incident."""
    return [job.about for job in store.take((KIND,), "worker", limit)]


def test_of_the_same_incident_it_is_merged_and_looked_at_again_after_the_cooldown(
    world: Any, store: MemoryJobs, dispatched: Callable[[], tuple[Job, ...]]
) -> None:
    world.fire()
    dispatched()
    assert taken(store) == ["inc-1"]
    begun = world.clock.now()
    world.fire(name="Errors")
    assert len(world.incidents()) == 1
    assert world.only().investigate_at == begun + timedelta(seconds=world.rules.cooldown_s)
    assert dispatched() == ()


def test_what_makes_its_incident_worse_waits_for_no_cooldown(
    world: Any, store: MemoryJobs, dispatched: Callable[[], tuple[Job, ...]]
) -> None:
    world.fire(severity="SEV3")
    dispatched()
    assert taken(store) == ["inc-1"]
    world.fire(name="Down", severity="SEV1")
    assert [job.key for job in dispatched()] == ["investigate:inc-1:2"]
    assert taken(store) == ["inc-1"]


def test_the_same_alert_gone_worse_waits_for_no_cooldown_either(
    world: Any, dispatched: Callable[[], tuple[Job, ...]]
) -> None:
    world.fire(severity="SEV3")
    dispatched()
    world.fire(severity="SEV1")
    assert len(dispatched()) == 1


def test_of_another_incident_as_bad_it_is_queued_behind(
    world: Any, store: MemoryJobs, dispatched: Callable[[], tuple[Job, ...]]
) -> None:
    for service in ("cart", "lone", "mail"):
        world.fire(service)
        dispatched()
    assert [taken(store)[0] for _ in range(3)] == ["inc-1", "inc-2", "inc-3"]


def test_a_worse_incident_overtakes_what_waits_and_leaves_what_runs(
    world: Any, store: MemoryJobs, dispatched: Callable[[], tuple[Job, ...]]
) -> None:
    for service in ("cart", "lone"):
        world.fire(service, severity="SEV3")
        dispatched()
    assert taken(store) == ["inc-1"]
    world.fire("mail", severity="SEV1")
    dispatched()
    assert taken(store, 2) == ["inc-3", "inc-2"]
    assert {held.job.about for held in store.held()} == {"inc-1", "inc-2", "inc-3"}


def test_what_waits_for_long_is_not_overtaken_for_ever(
    world: Any, store: MemoryJobs, dispatched: Callable[[], tuple[Job, ...]]
) -> None:
    world.fire("cart", severity="SEV4")
    dispatched()
    world.wait(HEAD_START["SEV1"].total_seconds())
    world.fire("lone", severity="SEV1")
    dispatched()
    assert taken(store, 2) == ["inc-1", "inc-2"]
