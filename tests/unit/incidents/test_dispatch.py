"""Due investigations become jobs, each once."""

import pytest

from aiops.app.incidents.dispatch import due_jobs
from aiops.errors import StoreUnavailable


class Queue:
    """Takes a key once; refuses to take more than it has room for."""

    def __init__(self, room: int = 1000) -> None:
        self.keys: list[str] = []
        self.room = room
        self.meanwhile = lambda: None

    def put(self, job) -> bool:
        if len(self.keys) >= self.room:
            raise StoreUnavailable("the queue is down")
        self.meanwhile()
        if job.key in self.keys:
            return False
        self.keys.append(job.key)
        return True


def test_an_investigation_is_queued_once_its_incident_is_due(world):
    queue = Queue()
    world.fire()
    assert due_jobs(world.repo, queue, world.clock) == ()
    world.wait(world.rules.settle_s)
    (job,) = due_jobs(world.repo, queue, world.clock)
    assert (job.key, job.kind, job.about) == ("investigate:inc-1:1", "investigate", "inc-1")
    incident = world.only()
    assert (incident.investigate_at, incident.investigations) == (None, 1)
    assert incident.investigated_at == world.clock.now()
    assert world.kinds()[-1] == "investigation_queued"
    assert ("investigation.queued", "inc-1") in world.events()
    assert due_jobs(world.repo, queue, world.clock) == ()


def test_a_round_that_died_after_the_put_is_finished_by_the_next_without_a_second_job(world):
    queue = Queue(room=1)
    world.fire("cart")
    world.fire("lone")
    world.wait(world.rules.settle_s)
    with pytest.raises(StoreUnavailable):
        due_jobs(world.repo, queue, world.clock)
    assert [each.investigations for each in world.incidents()] == [0, 0]
    queue.room = 10
    due_jobs(world.repo, queue, world.clock)
    assert queue.keys == ["investigate:inc-1:1", "investigate:inc-2:1"]
    assert [each.investigations for each in world.incidents()] == [1, 1]


def test_two_processes_at_once_queue_one_investigation(world):
    queue, other = Queue(), Queue()
    other.keys = queue.keys
    world.fire()
    world.wait(world.rules.settle_s)

    def second_process() -> None:
        queue.meanwhile = lambda: None
        due_jobs(world.repo, other, world.clock)

    queue.meanwhile = second_process
    due_jobs(world.repo, queue, world.clock)
    assert queue.keys == ["investigate:inc-1:1"]
    assert world.only().investigations == 1
    assert world.kinds().count("investigation_queued") == 1


def test_evidence_that_comes_in_while_the_job_is_put_is_investigated_too(world):
    queue = Queue()
    world.fire()
    world.wait(world.rules.settle_s)
    queue.meanwhile = lambda: world.fire(name="Errors")
    due_jobs(world.repo, queue, world.clock)
    queue.meanwhile = lambda: None
    due_jobs(world.repo, queue, world.clock)
    assert queue.keys == ["investigate:inc-1:1", "investigate:inc-1:2"]
    assert world.only().investigate_at is None
