"""What every inbox promises of deliveries."""

from concurrent.futures import ThreadPoolExecutor

from kept_incidents import NOON, alert, at, delivery, undone

from aiops.model.alert import Delivery, RefusedDelivery
from aiops.ports.incidents import AlertInbox, IncidentRepo


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
