"""Weather, users and the lab's folder, without processes."""

import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_lab.folder import Folder, LabRunning, NoLab, NotOurs
from aiops_lab.load.record import Record, quantile
from aiops_lab.load.sessions import Sessions
from aiops_lab.net.weather import Ends, Link, Lookup, answer, between
from aiops_lab.topology.load import load


def test_weather_is_between_the_two_it_names() -> None:
    slow, cut = Link("a", "b", delay_s=1.0), Link(None, "c", partition=True)
    assert between((slow, cut), Ends("a", "b")) is slow
    assert between((slow, cut), Ends("x", "c")) is cut
    assert between((slow, cut), Ends(None, "c")) is cut
    assert between((slow, cut), Ends("b", "a")) is None


def test_weather_of_some_pods_leaves_the_services_other_pods_alone() -> None:
    slow = Link("a", "b", delay_s=1.0, caller_pods=("10.0.0.1",), callee_pods=("10.0.0.9",))
    assert between((slow,), Ends("a", "b", "10.0.0.1", "10.0.0.9")) is slow
    assert between((slow,), Ends("a", "b", "10.0.0.2", "10.0.0.9")) is None
    assert between((slow,), Ends("a", "b", "10.0.0.1", "10.0.0.8")) is None


def test_names_fail_for_some_pods_and_resolve_for_the_others() -> None:
    gone = (Lookup("a", None, "SERVFAIL", pods=("10.0.0.1",)),)
    assert answer(gone, "a", "db", "10.0.0.1") == "SERVFAIL"
    assert answer(gone, "a", "db", "10.0.0.2") is None


def test_a_name_fails_in_its_long_form_too() -> None:
    gone = (Lookup("a", "db", "NXDOMAIN"),)
    assert answer(gone, "a", "db.shop.svc.cluster.local") == "NXDOMAIN"
    assert answer(gone, "b", "db") is None
    assert answer(gone, "a", "cache") is None


def test_a_visit_keeps_its_order_and_one_request_at_a_time() -> None:
    shop = load()
    sessions = Sessions(shop, rate=1.0, rng=random.Random(1))  # noqa: S311 - the same each time
    orders = {visit.name: [f"{m} {p}" for m, p in visit.requests] for visit in shop.visits}
    seen: dict[str, list[str]] = {}
    under_way: list[str] = []
    for _ in range(300):
        request = sessions.next()
        assert request.session not in under_way
        under_way.append(request.session)
        seen.setdefault(request.session, []).append(request.route)
        if len(under_way) > 5:
            sessions.ended(under_way.pop(0))
    assert all(any(order[: len(s)] == s for order in orders.values()) for s in seen.values())
    assert {s[-1] for s in seen.values()} >= {"GET /orders"}  # the last of the longest


def test_what_users_saw_is_of_the_last_seconds() -> None:
    record = Record()
    record.add(0.0, "GET /", 9.0, failed=True)
    record.add(95.0, "GET /", 0.1, failed=False)
    record.add(96.0, "GET /cart", 0.3, failed=True)
    everything, *routes = record.seen(100.0)
    assert (everything.route, everything.requests, everything.errors) == ("all", 2, 1)
    assert (everything.p50_ms, everything.p99_ms) == (100.0, 300.0)
    assert [one.route for one in routes] == ["GET /", "GET /cart"]
    assert (record.requests, record.errors) == (3, 2)


@settings(deadline=None)
@given(values=st.lists(st.floats(0, 1e6), min_size=1), share=st.floats(0.01, 1.0))
def test_a_quantile_is_a_value_that_its_share_does_not_pass(
    values: list[float], share: float
) -> None:
    found = quantile(sorted(values), share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


def test_a_folder_is_held_by_one_lab(tmp_path: Path) -> None:
    first = Folder(tmp_path / "lab")
    first.acquire()
    assert Folder(tmp_path / "lab").holder() == os.getpid()
    with pytest.raises(LabRunning, match=f"process {os.getpid()}"):
        Folder(tmp_path / "lab").acquire()
    first.release()
    with pytest.raises(NoLab):
        Folder(tmp_path / "lab").holder()


def test_what_a_lab_left_is_cleared_and_what_others_left_is_kept(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "lab")
    folder.acquire()
    folder.write("state.json", {"ready": True})
    (tmp_path / "lab" / "pods" / "x").mkdir(parents=True)
    (tmp_path / "lab" / "recording").mkdir()
    folder.release()
    folder.acquire()
    assert sorted(path.name for path in (tmp_path / "lab").iterdir()) == ["lock", "recording"]
    folder.release()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(NotOurs):
        Folder(tmp_path / "other").acquire()
