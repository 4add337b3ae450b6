"""What every inbox and incident repository promises; a new adapter joins by one more param."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from aiops.errors import ChangedMeanwhile, NotKept
from aiops.events.in_process import InProcessEvents
from aiops.model.alert import (
    Alert,
    AlertKey,
    AlertState,
    Delivery,
    Matcher,
    RefusedDelivery,
    Silence,
)
from aiops.model.entity import Entity
from aiops.model.incident import HumanVerdict, Incident, IncidentQuery, TimelineEntry
from aiops.ports.events import EventBus
from aiops.ports.incidents import AlertInbox, IncidentRepo, IncidentWork
from aiops.store.clock import ManualClock
from aiops.store.inbox import MemoryInbox
from aiops.store.incidents import MemoryIncidents
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.inbox import SqlInbox
from aiops.store.sql.incidents import SqlIncidents

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
Stores = tuple[AlertInbox, IncidentRepo, EventBus]


class Undone(Exception):
    """Raised inside a transaction, to undo it."""


@contextmanager
def undone(repo: IncidentRepo) -> Iterator[IncidentWork]:
    """A transaction that is undone at its end."""
    with suppress(Undone), repo.work() as work:
        yield work
        raise Undone


def memory() -> Stores:
    inbox, bus = MemoryInbox(), InProcessEvents(ManualClock(NOON))
    return inbox, MemoryIncidents(inbox, bus), bus


def sql(engine: Engine) -> Stores:
    bus = SqlEvents(engine, ManualClock(NOON))
    return SqlInbox(engine), SqlIncidents(engine, ManualClock(NOON), bus), bus


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest, engine_on: Callable[[str], Engine]) -> Stores:
    """An empty inbox, an empty repository that takes from it, and the bus that it tells."""
    return memory() if request.param == "memory" else sql(engine_on(request.param))


@pytest.fixture
def inbox(stores: Stores) -> AlertInbox:
    return stores[0]


@pytest.fixture
def repo(stores: Stores) -> IncidentRepo:
    return stores[1]


@pytest.fixture
def bus(stores: Stores) -> EventBus:
    return stores[2]


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def alert(fingerprint: str = "a", **changes: object) -> Alert:
    whole = Alert(
        source="prom",
        fingerprint=fingerprint,
        status="firing",
        name="TooSlow",
        labels=(("service", "cart"), ("ünïcode", "a'b\"c")),
        annotations=(("summary", "cart is slow"),),
        starts_at=NOON,
        severity="SEV2",
        entity=Entity("service", "cart", "shop", "eu-1"),
        summary="cart is slow",
        runbook_url="https://runbooks/slow",
        link="https://prom/graph",
        extra='{"groupKey": "{}"}',
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def delivery(number: int, *alerts: Alert) -> Delivery:
    return Delivery(f"dlv-{number}", "prom", at(number), alerts or (alert(),))


def incident(number: int, group: str = "service=cart", **changes: object) -> Incident:
    whole = Incident(
        id=f"inc-{number:03}",
        title="Cart is slow",
        group=group,
        severity="SEV2",
        status="triggered",
        opened_at=at(number),
        last_alert_at=at(number),
        services=("cart",),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def silence(name: str, starts: float, ends: float) -> Silence:
    matchers = (Matcher("service", "cart|queue", regex=True), Matcher("env", "", negative=True))
    return Silence(name, matchers, at(starts), at(ends), "ana", "planned", maintenance=True)


def kept(repo: IncidentRepo, *incidents: Incident) -> tuple[Incident, ...]:
    with repo.work() as work:
        return tuple(work.put_incident(each) for each in incidents)


def kept_states(repo: IncidentRepo, *states: AlertState) -> None:
    with repo.work() as work:
        for each in states:
            work.put_state(each)


def note(of: str, seconds: float, text: str) -> TimelineEntry:
    return TimelineEntry(of, at(seconds), "comment", "ana", text, ref="x")


# ---- inbox


def test_deliveries_are_taken_whole_and_in_the_order_they_came(
    inbox: AlertInbox, repo: IncidentRepo
) -> None:
    sent = [
        delivery(1),
        delivery(2, alert("b"), alert("c", status="resolved", ends_at=at(5), entity=None)),
        delivery(3),
    ]
    inbox.put(sent[:2])
    inbox.put(sent[2:])
    assert inbox.waiting() == 3
    with repo.work() as work:
        assert work.take(2) == tuple(sent[:2])
        assert work.take(2) == (sent[2],)
        assert work.take(2) == ()
    assert inbox.waiting() == 0


def test_the_oldest_that_waits_is_the_one_that_came_first_until_it_is_taken_for_good(
    inbox: AlertInbox, repo: IncidentRepo
) -> None:
    assert inbox.oldest_waiting() is None
    inbox.put([delivery(2), delivery(1)])  # in the order they came, whatever the clock said
    inbox.put([delivery(3)])
    assert inbox.oldest_waiting() == at(2)
    with undone(repo) as work:
        work.take(1)
    assert inbox.oldest_waiting() == at(2)
    with repo.work() as work:
        work.take(1)
    assert inbox.oldest_waiting() == at(1)
    with repo.work() as work:
        work.take(9)
    assert inbox.oldest_waiting() is None


def test_a_delivery_without_alerts_is_kept_too(inbox: AlertInbox, repo: IncidentRepo) -> None:
    empty = Delivery("dlv-1", "prom", NOON, ())
    inbox.put([empty])
    with repo.work() as work:
        assert work.take(1) == (empty,)


def test_a_repetition_of_a_delivery_is_kept_once_also_after_it_was_taken(
    inbox: AlertInbox, repo: IncidentRepo
) -> None:
    inbox.put([delivery(1), delivery(1)])
    inbox.put([delivery(1)])
    assert inbox.waiting() == 1
    with repo.work() as work:
        work.take(10)
    inbox.put([delivery(1)])
    assert inbox.waiting() == 0


def test_what_an_undone_transaction_took_waits_again_at_its_place(
    inbox: AlertInbox, repo: IncidentRepo
) -> None:
    inbox.put([delivery(1), delivery(2), delivery(3)])
    with undone(repo) as work:
        work.take(2)
    inbox.put([delivery(4)])
    assert inbox.waiting() == 4
    with repo.work() as work:
        assert [each.id for each in work.take(9)] == ["dlv-1", "dlv-2", "dlv-3", "dlv-4"]


def test_deliveries_from_many_threads_are_all_kept_while_others_take(
    inbox: AlertInbox, repo: IncidentRepo
) -> None:
    taken: list[str] = []

    def take() -> None:
        with repo.work() as work:
            taken.extend(each.id for each in work.take(30))

    with ThreadPoolExecutor(8) as pool:
        putting = [pool.submit(inbox.put, [delivery(number)]) for number in range(100)]
        taking = [pool.submit(take) for _ in range(5)]
        for each in [*putting, *taking]:
            each.result()
    with repo.work() as work:
        taken.extend(each.id for each in work.take(1000))
    assert sorted(taken) == sorted(f"dlv-{number}" for number in range(100))


def test_refused_bodies_are_listed_newest_first(inbox: AlertInbox) -> None:
    refused = [
        RefusedDelivery(f"ref-{i}", "prom", at(i), "line 1, column 2: not JSON", "0" * 64)
        for i in range(4)
    ]
    for each in refused:
        inbox.refuse(each)
    assert inbox.refused() == tuple(reversed(refused))
    assert inbox.refused(limit=2) == (refused[3], refused[2])


# ---- alerts


def test_the_state_of_an_alert_is_got_back_whole_and_unknown_ones_are_absent(
    repo: IncidentRepo,
) -> None:
    kept(repo, incident(1))
    state = AlertState(alert(), "inc-001", at(0), at(9), 7, (at(3), at(4)), None)
    resolved = alert("b", status="resolved", ends_at=at(5), runbook_url=None, extra="{}")
    quiet = AlertState(resolved, None, at(1), at(2), silence="sil-1")
    kept_states(repo, state, quiet)
    with repo.work() as work:
        found = work.states([state.alert.key, quiet.alert.key, AlertKey("prom", "nothing")])
    assert found == {state.alert.key: state, quiet.alert.key: quiet}


def test_alerts_of_two_sources_with_one_fingerprint_are_two(repo: IncidentRepo) -> None:
    first = AlertState(alert(), None, at(0), at(0))
    second = AlertState(alert(source="other"), None, at(0), at(0))
    kept_states(repo, first, second)
    with repo.work() as work:
        assert work.states([first.alert.key]) == {first.alert.key: first}
    assert len(repo.alerts()) == 2


def test_alerts_of_an_incident_come_by_first_delivery_and_follow_when_they_move(
    repo: IncidentRepo,
) -> None:
    kept(repo, incident(1), incident(2, "other"))
    states = [AlertState(alert(name), "inc-001", at(9 - i), at(9)) for i, name in enumerate("abc")]
    kept_states(repo, *states)
    with repo.work() as work:
        assert work.states_of("inc-001") == tuple(reversed(states))
        work.put_state(replace(states[0], incident="inc-002"))
        assert work.states_of("inc-001") == (states[2], states[1])
        assert [each.alert.fingerprint for each in work.states_of("inc-002")] == ["a"]
        assert work.states_of("inc-999") == ()


def test_alerts_are_listed_last_heard_of_first_and_no_more_than_asked(repo: IncidentRepo) -> None:
    kept(repo, incident(1))
    kept_states(
        repo,
        AlertState(alert("a"), "inc-001", at(0), at(5)),
        AlertState(alert("b"), None, at(0), at(7)),
        AlertState(alert("c"), "inc-001", at(0), at(9)),
    )
    assert [each.alert.fingerprint for each in repo.alerts()] == ["c", "b", "a"]
    assert [each.alert.fingerprint for each in repo.alerts(limit=1)] == ["c"]
    assert [each.alert.fingerprint for each in repo.alerts("inc-001")] == ["c", "a"]
    with pytest.raises(NotKept, match="no incident 'inc-9'"):
        repo.alerts("inc-9")


def test_firing_alerts_whose_silence_has_ended_are_found_oldest_first(repo: IncidentRepo) -> None:
    def quiet(name: str, first: float, by: str | None, status: str = "firing") -> AlertState:
        return AlertState(alert(name, status=status), None, at(first), at(9), silence=by)

    kept_states(
        repo,
        quiet("a", 2, "sil-1"),
        quiet("b", 1, "sil-1"),
        quiet("c", 0, "sil-2"),
        quiet("d", 0, None),
        quiet("e", 0, "sil-1", "resolved"),
    )
    with repo.work() as work:
        ended = work.unsilenced(["sil-2"], 10)
        assert [each.alert.fingerprint for each in ended] == ["b", "a"]
        assert [each.alert.fingerprint for each in work.unsilenced([], 2)] == ["c", "b"]
        work.put_state(replace(ended[0], silence=None))
        assert [each.alert.fingerprint for each in work.unsilenced(["sil-2"], 10)] == ["a"]


# ---- incidents


def test_an_incident_is_got_back_whole_with_its_next_revision(repo: IncidentRepo) -> None:
    whole = incident(
        1,
        cluster="eu-1",
        namespace="shop",
        services=("cart", "queue"),
        firing=2,
        alerts=3,
        flapping=True,
        severity_pinned=True,
        status="resolved",
        acknowledged_at=at(2),
        resolved_at=at(3),
        assignee="ana",
        merged_into="inc-002",
        runbook_url="https://runbooks/slow",
        investigate_at=at(4),
        investigations=1,
        investigated_at=at(5),
        report="inv-1",
        verdict=HumanVerdict(False, "the cache", "ana", at(6)),
    )
    (first,) = kept(repo, whole)
    assert first == replace(whole, revision=1)
    assert repo.get("inc-001") == first
    (second,) = kept(repo, replace(first, title="Cart is very slow", verdict=None))
    assert second.revision == 2
    assert repo.get("inc-001") == second
    with repo.work() as work:
        assert work.incidents(["inc-001", "inc-999"]) == {"inc-001": second}


def test_a_change_made_from_an_older_revision_is_refused_and_changes_nothing(
    repo: IncidentRepo,
) -> None:
    (first,) = kept(repo, incident(1))
    (second,) = kept(repo, replace(first, title="newer"))
    with pytest.raises(ChangedMeanwhile, match="incident 'inc-001'"):
        kept(repo, replace(first, title="older"))
    with pytest.raises(ChangedMeanwhile):
        kept(repo, incident(1))
    with pytest.raises(ChangedMeanwhile):
        kept(repo, incident(2, revision=1))
    assert repo.get("inc-001") == second


def test_an_incident_that_is_not_kept_is_refused_by_its_name(repo: IncidentRepo) -> None:
    with pytest.raises(NotKept, match="no incident 'inc-9'"):
        repo.get("inc-9")
    with pytest.raises(NotKept, match="no incident 'inc-9'"):
        repo.timeline("inc-9")


def test_the_newest_incident_of_a_group_is_found_open_or_not_merged_ones_apart(
    repo: IncidentRepo,
) -> None:
    kept(
        repo,
        incident(1, "a"),
        incident(2, "a", status="resolved"),
        incident(3, "a", status="resolved", merged_into="inc-004"),
        incident(4, "b"),
        incident(5, "c"),
    )
    with repo.work() as work:
        found = work.latest_of(["a", "b", "nothing"])
        assert {group: each.id for group, each in found.items()} == {"a": "inc-002", "b": "inc-004"}
        work.put_incident(incident(6, "a"))
        assert work.latest_of(["a"])["a"].id == "inc-006"


def test_open_incidents_about_a_service_are_found_by_their_last_alert(repo: IncidentRepo) -> None:
    kept(
        repo,
        incident(1, "a", services=("cart", "queue"), last_alert_at=at(100)),
        incident(2, "b", services=("queue",), last_alert_at=at(99)),
        incident(3, "c", services=("cart",), status="resolved", last_alert_at=at(100)),
        incident(4, "d", services=("user",), last_alert_at=at(100)),
        incident(5, "e", services=("cart",), status="acknowledged", last_alert_at=at(200)),
        incident(6, "f", services=(), last_alert_at=at(200)),
    )
    with repo.work() as work:
        assert [each.id for each in work.nearby(["cart", "queue"], at(100))] == [
            "inc-005",
            "inc-001",
        ]
        (moved,) = work.nearby(["user"], at(0))
        work.put_incident(replace(moved, services=("cart",)))
        assert work.nearby(["user"], at(0)) == ()
        assert [each.id for each in work.nearby(["cart"], at(0))] == [
            "inc-005",
            "inc-004",
            "inc-001",
        ]
        assert work.nearby([], at(0)) == ()


def test_due_incidents_come_oldest_first_and_only_until_they_are_cleared(
    repo: IncidentRepo,
) -> None:
    kept(
        repo,
        incident(1, "a", investigate_at=at(30)),
        incident(2, "b", investigate_at=at(10)),
        incident(3, "c", investigate_at=at(20), status="resolved"),
        incident(4, "d"),
    )
    with repo.work() as work:
        assert [each.id for each in work.due(at(20), 10)] == ["inc-002", "inc-003"]
        assert [each.id for each in work.due(at(99), 1)] == ["inc-002"]
        work.put_incident(replace(work.due(at(99), 1)[0], investigate_at=None))
        assert [each.id for each in work.due(at(99), 10)] == ["inc-003", "inc-001"]


def test_flapping_incidents_that_have_been_quiet_are_found(repo: IncidentRepo) -> None:
    kept(
        repo,
        incident(1, "a", flapping=True, last_alert_at=at(20)),
        incident(2, "b", flapping=True, last_alert_at=at(10)),
        incident(3, "c", flapping=True, last_alert_at=at(30)),
        incident(4, "d", last_alert_at=at(10)),
        incident(5, "e", flapping=True, status="resolved", last_alert_at=at(10)),
    )
    with repo.work() as work:
        assert [each.id for each in work.flapping(at(30), 10)] == ["inc-002", "inc-001"]
        assert [each.id for each in work.flapping(at(30), 1)] == ["inc-002"]


def test_incidents_are_listed_newest_first_page_by_page(repo: IncidentRepo) -> None:
    kept(repo, *(incident(number, f"g{number}") for number in (3, 1, 5, 2, 4)))
    first = repo.find(IncidentQuery(limit=2))
    assert [each.id for each in first] == ["inc-005", "inc-004"]
    second = repo.find(IncidentQuery(limit=2, before=first[-1].id))
    assert [each.id for each in second] == ["inc-003", "inc-002"]
    assert [each.id for each in repo.find(IncidentQuery(before="inc-002"))] == ["inc-001"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (IncidentQuery(statuses=("triggered", "acknowledged")), [3, 1]),
        (IncidentQuery(severities=("SEV1",)), [2]),
        (IncidentQuery(service="queue"), [3, 2]),
        (IncidentQuery(text="QUEUE % full"), [3]),
        (IncidentQuery(text="_"), []),
        (IncidentQuery(statuses=("resolved",), service="cart"), []),
        (IncidentQuery(statuses=("resolved",), service="queue"), [2]),
    ],
)
def test_incidents_are_found_by_status_severity_service_and_title(
    repo: IncidentRepo, query: IncidentQuery, expected: list[int]
) -> None:
    kept(
        repo,
        incident(1, "a"),
        incident(2, "b", status="resolved", severity="SEV1", services=("queue",)),
        incident(3, "c", status="acknowledged", title="Queue % full", services=("queue", "user")),
    )
    assert [int(each.id[4:]) for each in repo.find(query)] == expected


def test_incidents_are_counted_by_status(repo: IncidentRepo) -> None:
    assert repo.counts() == {"triggered": 0, "acknowledged": 0, "resolved": 0}
    kept(repo, incident(1, "a"), incident(2, "b"), incident(3, "c", status="resolved"))
    assert repo.counts() == {"triggered": 2, "acknowledged": 0, "resolved": 1}


# ---- timeline, silences, events


def test_the_timeline_keeps_the_order_of_noting_and_equal_entries(repo: IncidentRepo) -> None:
    kept(repo, incident(1), incident(2, "other"))
    entries = [note("inc-001", 5, "late"), note("inc-001", 1, "early"), note("inc-001", 1, "early")]
    with repo.work() as work:
        for each in entries:
            work.note(each)
        work.note(note("inc-002", 2, "other"))
    assert repo.timeline("inc-001") == tuple(entries)
    assert repo.timeline("inc-002") == (note("inc-002", 2, "other"),)


def test_silences_in_force_begin_at_their_start_and_are_over_at_their_end(
    repo: IncidentRepo,
) -> None:
    first, second = silence("sil-1", 0, 10), silence("sil-2", 5, 20)
    with repo.work() as work:
        work.put_silence(first)
        work.put_silence(second)
        found = {second_: {each.id for each in work.silences(at(second_))} for second_ in (0, 5)}
        assert found == {0: {"sil-1"}, 5: {"sil-1", "sil-2"}}
        assert work.silences(at(10)) == (second,)
        work.put_silence(replace(second, ends_at=at(10)))
        assert work.silences(at(10)) == ()
    assert repo.silences() == (replace(second, ends_at=at(10)), first)


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


# ---- transactions


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
