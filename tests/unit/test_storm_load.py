"""What a storm sends, and what it should become."""

from collections import Counter

from aiops_evals.storm.load import Load, alert, fingerprint

LOAD = Load(rate=100, seconds=10, sources=40)


def labels(number: int) -> dict[str, str]:
    found = alert(LOAD, number, "2026-11-20T12:00:00Z")["labels"]
    assert isinstance(found, dict)
    return found


def test_four_of_five_requests_repeat_an_alert_that_was_sent_before() -> None:
    seen: set[int] = set()
    kinds: Counter[bool] = Counter()
    for number in LOAD.alerts():
        kinds[number in seen] += 1
        seen.add(number)
    assert kinds == {True: 800, False: 200}


def test_alerts_of_one_service_in_one_cluster_belong_together_and_no_others() -> None:
    numbers = range(200)
    expected = {
        frozenset(
            fingerprint(n) for n in numbers if (labels(n)["cluster"], labels(n)["service"]) == place
        )
        for place in {(labels(n)["cluster"], labels(n)["service"]) for n in numbers}
    }
    assert LOAD.groups(numbers) == expected
    assert len(expected) == LOAD.sources


def test_services_of_one_name_run_in_several_clusters() -> None:
    names = Counter(labels(n)["service"] for n in range(LOAD.sources))
    assert set(names.values()) == {4}


def test_a_storm_is_the_same_every_time() -> None:
    assert LOAD.alerts() == LOAD.alerts()
