"""What every incident repository promises of incidents and how they are found."""

from dataclasses import replace

import pytest
from kept_incidents import at, incident, kept

from aiops.errors import ChangedMeanwhile, NotKept
from aiops.model.incident import HumanVerdict, IncidentQuery
from aiops.ports.incidents import IncidentRepo


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
