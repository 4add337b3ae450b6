"""Triage and people on a database do what they do in memory."""

import random
from contextlib import suppress
from dataclasses import replace

import pytest

from aiops.app.incidents import lifecycle, silences, transfers
from aiops.app.incidents.acts import Person
from aiops.app.incidents.dispatch import due_jobs
from aiops.errors import InvalidInput, WrongState
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.inbox import SqlInbox
from aiops.store.sql.incidents import SqlIncidents

SERVICES = ("front", "basket", "store", "lone")
ACTS = (
    lifecycle.acknowledge,
    lifecycle.unacknowledge,
    lifecycle.resolve,
    lifecycle.reopen,
    lifecycle.request_investigation,
)


class Queue:
    """Takes everything."""

    def put(self, job) -> bool:
        return True


class Incidental:
    """Ids that sort by their number."""

    def __init__(self) -> None:
        self.last = 0

    def new(self, kind: str) -> str:
        self.last += 1
        return f"{kind}-{self.last:06}"


def live(world, seed: int, steps: int = 150) -> None:
    """A life of alerts, silences and people, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - the same for the same seed
    world.ids = Incidental()
    world.rules = replace(world.rules, flapping_turns=3)
    world.calls(("front", "basket"), ("basket", "store"))
    ana = Person(world.repo, world.clock, "ana")
    for _ in range(steps):
        service, name = chance.choice(SERVICES), chance.choice(("TooSlow", "Errors"))
        there = world.incidents()
        some = chance.choice(there).id if there else None
        match chance.randrange(10):
            case 0 | 1 | 2:
                world.fire(service, name, severity=chance.choice(("SEV1", "SEV2", "SEV3")))
            case 3 | 4:
                world.end(service, name)
            case 5:
                world.wait(chance.choice((1, 60, 400, 2000)))
                world.take()
            case 6 if chance.random() < 0.3:
                world.silence(service, chance.choice((30, 900)))
            case 7 if some:
                tried(chance.choice(ACTS), ana, some)
            case 8 if some:
                into = chance.choice(there).id
                tried(transfers.merge, ana, some, into, world.rules)
            case 9 if some:
                keys = sorted(state.alert.key for state in world.repo.alerts(some))[:1]
                tried(transfers.split, ana, world.ids, some, keys, world.rules)
            case _:
                due_jobs(world.repo, Queue(), world.clock)
        for silence in world.repo.silences()[:1]:
            if chance.random() < 0.02:
                tried(silences.expire, ana, silence.id)


def tried(act, *arguments) -> None:
    with suppress(WrongState, InvalidInput):
        act(*arguments)


def seen(world) -> tuple[object, ...]:
    incidents = world.incidents()
    return (
        incidents,
        [world.timeline(each.id) for each in incidents],
        sorted(world.repo.alerts(limit=1000), key=lambda state: state.alert.key),
        world.repo.silences(),
        world.events(),
    )


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("seed", range(3))
def test_a_database_and_memory_tell_the_same_story(world, engine_on, database, seed):
    other = type(world)()
    engine = engine_on(database)
    other.bus = SqlEvents(engine, other.clock)
    other.inbox, other.repo = SqlInbox(engine), SqlIncidents(engine, other.clock, other.bus)
    live(world, seed)
    live(other, seed)
    assert len(world.incidents()) > 3
    for ours, theirs in zip(seen(world), seen(other), strict=True):
        assert ours == theirs
