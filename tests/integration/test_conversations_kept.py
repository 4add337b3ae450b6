"""Conversations on both databases: they outlive a process, go on in another, are forgotten."""

from datetime import timedelta

import pytest
from asked import NOON, Talk

from aiops.bootstrap.chat import chat_of
from aiops.bootstrap.durable import durable
from aiops.errors import NotKept
from aiops.settings import Settings
from aiops.store.clock import ManualClock

YEARS = timedelta(days=800)


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def chosen(request: pytest.FixtureRequest) -> Settings:
    return Settings(database_url=request.getfixturevalue(request.param))


def test_a_conversation_goes_on_in_another_process_also_one_that_was_cut_off(
    chosen: Settings,
) -> None:
    clock = ManualClock(NOON)
    with durable(chosen, clock=clock) as service:
        talk = Talk(service)
        first = talk.ask("what is broken?")
        cut_off = talk.take("since when?")  # and the process dies
    with durable(chosen, clock=clock) as service:
        kept = service.threads.exchanges(talk.thread)
        assert [one.reply for one in kept] == [first, None]
        assert chat_of(service).answer(cut_off).ending == "answered"
        assert chat_of(service).answer(cut_off) == service.threads.exchange(talk.thread, 2).reply


def test_what_nobody_asks_in_any_more_is_forgotten_with_its_time(chosen: Settings) -> None:
    clock = ManualClock(NOON)
    with durable(chosen, clock=clock) as service:
        old = Talk(service)
        old.ask("what is broken?")
        clock.advance(YEARS.total_seconds())
        new = Talk(service)
        new.ask("what is broken?")
        dict(service.chores)["retention"]()
        with pytest.raises(NotKept):
            service.threads.get(old.thread)
        assert len(service.threads.exchanges(new.thread)) == 1
