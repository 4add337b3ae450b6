"""What every incident repository promises of timelines, events and transactions."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from kept_incidents import alert, at, delivery, incident, kept, kept_states, note, silence, undone

from aiops.errors import ChangedMeanwhile
from aiops.model.alert import AlertState
from aiops.model.incident import IncidentQuery
from aiops.ports.events import EventBus
from aiops.ports.incidents import AlertInbox, IncidentRepo


def test_the_timeline_keeps_the_order_of_noting_and_equal_entries(repo: IncidentRepo) -> None:
    kept(repo, incident(1), incident(2, "other"))
    entries = [note("inc-001", 5, "late"), note("inc-001", 1, "early"), note("inc-001", 1, "early")]
    with repo.work() as work:
        for each in entries:
            work.note(each)
        work.note(note("inc-002", 2, "other"))
    assert repo.timeline("inc-001") == tuple(entries)
    assert repo.timeline("inc-002") == (note("inc-002", 2, "other"),)


def test_events_are_published_when_the_transaction_ends_and_never_when_it_is_undone(
    repo: IncidentRepo, bus: EventBus
) -> None:
    with repo.work() as work:
        work.put_incident(incident(1))
        work.tell("incident.opened", "inc-001")
        work.tell("incident.changed", "inc-001")
    with undone(repo) as work:
        work.tell("incident.opened", "inc-002")
    told = [(each.kind, each.about) for each in bus.subscribe(idle_s=0)]
    assert told == [("incident.opened", "inc-001"), ("incident.changed", "inc-001")]


def test_an_undone_transaction_leaves_everything_as_it_was(
    repo: IncidentRepo, inbox: AlertInbox
) -> None:
    (before,) = kept(repo, incident(1, investigate_at=at(5), flapping=True))
    state = AlertState(alert(), "inc-001", at(0), at(0))
    kept_states(repo, state)
    with repo.work() as work:
        work.put_silence(silence("sil-1", 0, 10))
        work.note(note("inc-001", 0, "kept"))
    inbox.put([delivery(1)])
    with undone(repo) as work:
        work.take(1)
        changed = work.put_incident(
            replace(before, status="resolved", investigate_at=None, group="g", services=("user",))
        )
        work.put_incident(replace(changed, title="again"))
        work.put_incident(incident(2, "new"))
        work.put_state(replace(state, incident="inc-002", deliveries=9))
        work.put_state(AlertState(alert("b"), "inc-001", at(0), at(0), silence="sil-1"))
        work.put_silence(silence("sil-1", 0, 99))
        work.put_silence(silence("sil-2", 0, 99))
        work.note(note("inc-001", 1, "undone"))
    assert repo.find(IncidentQuery()) == (before,)
    assert repo.alerts() == repo.alerts("inc-001") == (state,)
    assert repo.silences() == (silence("sil-1", 0, 10),)
    assert repo.timeline("inc-001") == (note("inc-001", 0, "kept"),)
    with repo.work() as work:
        assert work.latest_of([before.group, "g", "new"]) == {before.group: before}
        assert work.nearby(["cart", "user"], at(0)) == (before,)
        assert work.due(at(9), 9) == work.flapping(at(9), 9) == (before,)
        assert work.states_of("inc-001") == (state,)
        assert work.unsilenced([], 9) == ()
        assert len(work.take(9)) == 1


def test_a_refused_change_undoes_the_whole_transaction(repo: IncidentRepo) -> None:
    (first,) = kept(repo, incident(1))

    def change_an_older_one_last() -> None:
        with repo.work() as work:
            work.note(note("inc-001", 1, "undone"))
            work.put_incident(incident(2, "b"))
            work.put_incident(replace(first, revision=7))

    with pytest.raises(ChangedMeanwhile):
        change_an_older_one_last()
    assert repo.timeline("inc-001") == ()
    assert repo.find(IncidentQuery()) == (first,)


def test_transactions_take_turns_so_that_one_group_gets_one_incident(repo: IncidentRepo) -> None:
    def open_or_join(number: int) -> None:
        with repo.work() as work:
            found = work.latest_of(["g"]).get("g")
            if found is None:
                work.put_incident(incident(number, "g", alerts=1))
            else:
                work.put_incident(replace(found, alerts=found.alerts + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_or_join, range(1, 41)))
    (only,) = repo.find(IncidentQuery())
    assert only.alerts == only.revision == 40
