"""Each fault's own signal moves in a running lab when it begins, and returns at its revert."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from small_lab import RATE, Seen, broken_lab, eventually

from aiops_lab.faults.catalogue import KINDS
from aiops_lab.faults.orders import Order


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    with broken_lab(tmp_path_factory.mktemp("kiosk")) as up:
        yield up


@dataclass(frozen=True, slots=True)
class Case:
    """A fault and what is seen of it while it lasts."""

    aim: str
    shows: Callable[[Seen], bool]
    settings: tuple[str, ...] = ()
    # Looking leaves a connection, and those that stand outlive what stops new ones.
    looked_at_before: bool = True


def fails(
    status: int, says: str = "", path: str = "/things/1", method: str = "GET"
) -> Callable[[Seen], bool]:
    """Users get this status, and the reason with it."""

    def shows(seen: Seen) -> bool:
        got, body = seen.get(path, method)
        return got == status and says in body

    return shows


def slower_than(seconds: float) -> Callable[[Seen], bool]:
    return lambda seen: seen.seconds() > seconds


def pods_gone(seen: Seen) -> bool:
    return not seen.ready("shelf")


def node_is_pressed(seen: Seen) -> bool:
    plane = seen.lab.orchestrator.plane  # type: ignore[attr-defined]
    (node,) = plane.cluster.every("nodes")
    held = {one["type"] for one in node["status"]["conditions"] if one["status"] == "True"}
    return "MemoryPressure" in held and not seen.ready("scale")


def autoscaler_is_there(seen: Seen) -> bool:
    plane = seen.lab.orchestrator.plane  # type: ignore[attr-defined]
    (one,) = plane.cluster.every("horizontalpodautoscalers.autoscaling") or (None,)
    return one is not None and seen.rate("shelf", "process_cpu_seconds_total") > 0.1


CASES = (
    Case("shelf/cpu", lambda s: s.rate("shelf", "process_cpu_seconds_total") > 0.12),
    Case(
        "shelf/memory-leak",
        lambda s: (
            (one := s.container("shelf")) is not None
            and one.last_reason == "OOMKilled"
            and not one.ready
        ),
        ("rate=100",),
    ),
    Case(
        "packer/noisy-neighbour",
        lambda s: s.rate("door", "container_cpu_cfs_throttled_seconds_total") > 0.2,
        ("left=0.02", "cores=0.2"),
    ),
    Case(
        "scale/crash",
        lambda s: (one := s.container("scale")) is not None and one.reason == "CrashLoopBackOff",
        ("after=0.3",),
    ),
    Case("scale/probe", lambda s: not s.ready("scale")),
    Case("shelf-db/disk-fill", fails(500, method="POST"), ("rate=10",)),
    Case("shelf-db/slow-database", slower_than(0.25), ("factor=600",)),
    Case("shelf/network-delay", slower_than(0.3), ("delay=300", "to=shelf-db")),
    Case("shelf/network-loss", slower_than(0.3), ("loss=0.9", "resets=0", "from=door")),
    Case("shelf/network-stall", fails(504, "no answer in 1 s"), ("from=door",)),
    Case("shelf/network-reset", fails(503, "reset"), ("share=1", "from=door")),
    Case("shelf/network-partition", fails(504), ()),
    Case(
        "door/dns",
        fails(503, "no such host", "/weight"),
        ("to=scale",),
        looked_at_before=False,
    ),
    Case("shelf/errors", fails(500), ("share=1",)),
    Case("shelf/slow-dependency", slower_than(0.25), ("delay=300",)),
    Case("shelf/pool-exhaustion", fails(500, "shelf answered 503"), ("share=1",)),
    Case("shelf/cascade", fails(504), ("longer=1.5",)),
    Case(
        "door/traffic",
        lambda s: s.rate("door", "request_duration_seconds_count") > 2 * RATE,
        ("factor=4",),
    ),
    Case("packer/queue-backlog", lambda s: s.metric("belt", "queue_depth") > 3, ("pause=2",)),
    Case("shelf/bad-deploy", fails(500), ("version=1-errors",)),
    Case("shelf/bad-image", pods_gone),
    Case("shelf/bad-config", fails(500, "shelf answered 503")),
    Case("scale/wrong-port", fails(503, path="/weight"), ("off=7",), looked_at_before=False),
    Case("shelf/wrong-selector", fails(503, "refused")),
    Case("shelf-db/expired-credential", fails(500, "shelf answered 503")),
    Case("shelf-db/expired-certificate", fails(500, "shelf answered 503")),
    Case("shelf/hpa-limit", autoscaler_is_there, ("busy=0.9",)),
    Case("shelf/quota", pods_gone),
    Case("lab-node/node-pressure", node_is_pressed, ("evicts=scale",)),
)


def calm(seen: Seen) -> bool:
    return all(map(seen.ready, seen.lab.topology.services)) and seen.get()[0] == 200


@pytest.mark.parametrize("case", CASES, ids=[case.aim for case in CASES])
def test_a_faults_signal_moves_and_returns(seen: Seen, case: Case) -> None:
    eventually(lambda: calm(seen))
    if case.looked_at_before:
        eventually(lambda: not case.shows(seen))
    truth = seen.faults.inject(Order(case.aim, settings=case.settings))
    try:
        eventually(lambda: case.shows(seen))
    finally:
        seen.faults.revert(truth.id)
    eventually(lambda: calm(seen) and not case.shows(seen))


def test_a_retry_storm_goes_on_without_its_trigger_until_the_retries_end(seen: Seen) -> None:
    eventually(lambda: calm(seen))
    order = Order("shelf/retry-storm", settings=("trigger=2", "retries=12"))
    truth = seen.faults.inject(order)
    time.sleep(2 + 2)  # the trigger, and the last requests that it held up
    try:
        eventually(lambda: seen.rate("door", "client_retries_total", 3.0) > RATE)
        assert seen.get()[0] != 200
    finally:
        seen.faults.revert(truth.id)
    eventually(lambda: calm(seen))
    eventually(lambda: seen.rate("door", "client_retries_total") == 0)


def test_evicted_pods_are_told_of_and_swept_away_when_the_pressure_ends(seen: Seen) -> None:
    eventually(lambda: calm(seen))
    plane = seen.lab.orchestrator.plane  # type: ignore[attr-defined]

    def evicted() -> list[str]:
        pods = plane.cluster.every("pods")
        return [one["metadata"]["name"] for one in pods if one["status"].get("reason") == "Evicted"]

    truth = seen.faults.inject(Order("lab-node/node-pressure", settings=("evicts=scale",)))
    try:
        eventually(evicted)
        reasons = {(one["type"], one["reason"]) for one in plane.cluster.every("events")}
        assert ("Warning", "Evicted") in reasons
    finally:
        seen.faults.revert(truth.id)
    eventually(lambda: calm(seen) and not evicted())


def test_every_kind_of_fault_is_seen() -> None:
    assert {"retry-storm"} | {case.aim.partition("/")[2] for case in CASES} == {
        kind.name for kind in KINDS
    }


def test_two_faults_at_once_both_show_and_each_returns_alone(seen: Seen) -> None:
    eventually(lambda: calm(seen))
    slow = seen.faults.inject(Order("shelf/slow-dependency", settings=("delay=300",)))
    cut = seen.faults.inject(Order("scale/errors", settings=("share=1",)))
    eventually(lambda: seen.seconds() > 0.25 and seen.get("/weight")[0] == 500)
    seen.faults.revert(slow.id)
    eventually(lambda: seen.seconds() < 0.2)
    eventually(lambda: seen.get("/weight")[0] == 500)
    seen.faults.revert(cut.id)
    eventually(lambda: seen.get("/weight")[0] == 200)
