"""What every keeper of conversations promises; a new adapter joins by one more param."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from aiops.errors import AlreadyKept, NotKept
from aiops.model.thread import Cited, Question, Reply, Thread, Topic
from aiops.ports.threads import ThreadRepo
from aiops.store.sql.threads import SqlThreads
from aiops.store.threads import MemoryThreads

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ODD = "“why?” \0 \ud800 \u202e 🙂"


@pytest.fixture(params=("memory", "sqlite", "postgresql"))
def threads(request: pytest.FixtureRequest, engine_on: Callable[[str], Engine]) -> ThreadRepo:
    """A repository without threads."""
    return MemoryThreads() if request.param == "memory" else SqlThreads(engine_on(request.param))


def thread(number: int = 1, incident: str | None = None) -> Thread:
    return Thread(f"thr-{number}", "ana", NOON, NOON, incident)


def question(minutes: int = 0, text: str = "why?") -> Question:
    return Question("ana", "viewer", NOON + timedelta(minutes=minutes), text)


def reply(text: str = "because [E1]") -> Reply:
    return Reply(
        NOON,
        text,
        "why",
        topic=Topic("inc-1", "cart"),
        cites=(Cited("E1", "inv-1", "cpu rose"),),
        choices=("cart",),
    )


def test_a_thread_is_got_back_whole_and_opening_it_again_changes_nothing(
    threads: ThreadRepo,
) -> None:
    threads.open(thread())
    threads.ask("thr-1", question(5))
    threads.open(thread())
    assert threads.get("thr-1") == replace(thread(), asked=1, last_at=NOON + timedelta(minutes=5))


def test_another_under_its_id_is_refused_and_what_never_was_is_not_found(
    threads: ThreadRepo,
) -> None:
    threads.open(thread())
    with pytest.raises(AlreadyKept):
        threads.open(replace(thread(), opened_by="bo"))
    for asked in (threads.get, threads.exchanges):
        with pytest.raises(NotKept):
            asked("thr-2")
    with pytest.raises(NotKept):
        threads.ask("thr-2", question())


def test_questions_are_numbered_in_their_order_and_keep_every_character(
    threads: ThreadRepo,
) -> None:
    threads.open(thread())
    assert [threads.ask("thr-1", question(n, ODD)).number for n in range(3)] == [1, 2, 3]
    assert [each.question.text for each in threads.exchanges("thr-1")] == [ODD] * 3


def test_a_question_is_answered_once(threads: ThreadRepo) -> None:
    threads.open(thread())
    asked = threads.ask("thr-1", question())
    assert threads.answer(asked, reply())
    assert not threads.answer(asked, reply("something else"))
    assert threads.exchanges("thr-1") == (replace(asked, reply=reply()),)


def test_what_is_gone_is_not_answered(threads: ThreadRepo) -> None:
    threads.open(thread())
    asked = threads.ask("thr-1", question())
    assert threads.forget(NOON + timedelta(hours=1)) == 1
    assert not threads.answer(asked, reply())


def test_the_last_questions_come_first_and_older_ones_on_demand(threads: ThreadRepo) -> None:
    threads.open(thread())
    for number in range(5):
        threads.ask("thr-1", question(number))

    def numbers(before: int | None = None) -> list[int]:
        return [each.number for each in threads.exchanges("thr-1", before=before, limit=2)]

    assert [numbers(), numbers(4), numbers(2), numbers(1)] == [[4, 5], [2, 3], [1], []]


def test_one_question_is_got_by_its_number(threads: ThreadRepo) -> None:
    threads.open(thread())
    asked = threads.ask("thr-1", question())
    assert threads.exchange("thr-1", 1) == asked
    for name, number in (("thr-1", 2), ("thr-1", 0), ("thr-2", 1)):
        with pytest.raises(NotKept):
            threads.exchange(name, number)


def test_threads_are_listed_newest_first_and_by_incident(threads: ThreadRepo) -> None:
    for number in range(1, 5):
        threads.open(thread(number, "inc-1" if number % 2 else None))
    assert [each.id for each in threads.newest(limit=3)] == ["thr-4", "thr-3", "thr-2"]
    assert [each.id for each in threads.newest(incident="inc-1")] == ["thr-3", "thr-1"]
    assert [each.id for each in threads.newest(before="thr-2")] == ["thr-1"]


def test_of_many_questions_at_once_each_gets_its_own_number(threads: ThreadRepo) -> None:
    threads.open(thread())
    with ThreadPoolExecutor(4) as pool:
        asked = list(pool.map(lambda n: threads.ask("thr-1", question(n)).number, range(12)))
    assert sorted(asked) == list(range(1, 13))
    assert threads.get("thr-1").asked == 12


def test_of_two_answers_at_once_one_stands(threads: ThreadRepo) -> None:
    threads.open(thread())
    asked = threads.ask("thr-1", question())
    with ThreadPoolExecutor(4) as pool:
        given = list(pool.map(lambda n: threads.answer(asked, reply(str(n))), range(4)))
    assert given.count(True) == 1
    kept = threads.exchanges("thr-1")[0].reply
    assert kept is not None
    assert kept.text == str(given.index(True))


def test_what_nobody_asked_in_for_long_is_forgotten_with_all_that_was_said(
    threads: ThreadRepo,
) -> None:
    for number in (1, 2):
        threads.open(thread(number))
    threads.ask("thr-2", question(60))
    assert threads.forget(NOON + timedelta(minutes=30)) == 1
    assert [each.id for each in threads.newest()] == ["thr-2"]
    with pytest.raises(NotKept):
        threads.exchanges("thr-1")
    assert len(threads.exchanges("thr-2")) == 1
