"""Spans as hypotheses, on small synthetic systems and on recorded ones."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from aiops.analyze.traces.reader import TraceReader
from aiops.app.evidence import resolve
from aiops.model import (
    Call,
    CaseData,
    Entity,
    Episode,
    FaultType,
    Hypothesis,
    Reading,
    Reference,
    ServiceGraph,
    SpanTable,
    TelemetryWindow,
)
from aiops.model.rows import Span, span_table
from aiops_datasets.case import Case
from aiops_datasets.catalog import load_case, locations

ROOT = Path(os.environ.get("AIOPS_DATASETS", "../shared/datasets"))
ONSET, END = 60.0, 120.0
CALLS = {"web": ("cart", "order"), "order": ("cart", "pay"), "cart": (), "pay": ()}


def when(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class System:
    """web calls cart and order, order calls cart and pay; one request each half second.

    Args:
        delayed: a service 500 ms away from everybody, from the onset on.
        starved: a service that works 300 ms longer, and whose calls take 80 ms longer.
        silent: calls (caller, callee) without any span; the caller waits all the same.
    """

    def __init__(
        self,
        *,
        delayed: str = "",
        starved: str = "",
        silent: tuple[tuple[str, str], ...] = (),
        onset: float = ONSET,
        seed: int = 0,
    ) -> None:
        self.delayed, self.starved, self.silent, self.onset = delayed, starved, silent, onset
        self.rng = np.random.default_rng(seed)

    def spans(self, start: float = 0.0, end: float = END, prefix: str = "t") -> SpanTable:
        spans: list[Span] = []
        for i, at in enumerate(np.arange(start, end, 0.5)):
            self._visit(spans, f"{prefix}{i}", "web", "", float(at), at >= self.onset)
        return span_table(spans)

    def _visit(
        self, spans: list[Span], trace: str, service: str, parent: str, start: float, bad: bool
    ) -> float:
        """Appends the spans of one visit; returns how long it took."""
        name, place = str(len(spans)), len(spans)
        spans.append(Span(trace, name, parent, service, f"{service} serves", start, 0.0))
        took = 0.005 * float(self.rng.lognormal(0, 0.2))
        took += 0.3 if bad and service == self.starved else 0.0
        for callee in CALLS[service]:
            way = 0.002 * float(self.rng.lognormal(0, 0.2))
            if bad and self.delayed in (service, callee):
                way += 0.5
            if bad and self.starved in (service, callee):
                way += 0.08
            client, at = len(spans), start + took
            silent = (service, callee) in self.silent
            into = [] if silent else spans
            if not silent:
                spans.append(Span(trace, str(client), name, service, f"ask {callee}", at, 0.0))
            inside = self._visit(into, trace, callee, str(client), at + way / 2, bad)
            if not silent:
                spans[client] = replace(spans[client], duration=inside + way)
            took += inside + way
        spans[place] = replace(spans[place], duration=took)
        return took


def case_of(
    spans: SpanTable, normal: SpanTable | None = None, graph: ServiceGraph | None = None
) -> CaseData:
    reference = None if normal is None else Reference(spans=normal)
    window = TelemetryWindow(when(0), when(END), spans=spans, reference=reference, graph=graph)
    return CaseData("c", window)


def read(case: CaseData, onset: float = ONSET) -> Reading:
    reading = TraceReader().read(case, Episode(when(onset), when(END)))
    for hypothesis in reading.hypotheses:
        for evidence in (*hypothesis.support, *hypothesis.against):
            assert evidence.id == ""
            assert resolve(case, evidence)
    return reading


def strongest(reading: Reading) -> Hypothesis:
    return max(reading.hypotheses, key=lambda one: one.strength)


@pytest.mark.parametrize("service", ["cart", "order", "pay"])
def test_a_delayed_service_is_accused_of_its_network(service: str) -> None:
    found = strongest(read(case_of(System(delayed=service).spans())))
    assert found.entity == Entity("service", service)
    assert found.fault is FaultType.NETWORK_DELAY
    assert found.unit == "ms"
    assert found.size == pytest.approx(500, rel=0.1)


@pytest.mark.parametrize("service", ["web", "cart", "order", "pay"])
def test_a_starved_service_is_accused_of_its_cpu(service: str) -> None:
    found = strongest(read(case_of(System(starved=service).spans())))
    assert found.entity == Entity("service", service)
    assert found.fault is FaultType.CPU
    assert found.indicator is not None
    assert found.indicator.name == f"{service} serves"


def test_the_callers_of_a_culprit_are_explained_by_it() -> None:
    found = strongest(read(case_of(System(delayed="pay").spans())))
    assert {one.name for one in found.explains} == {"web", "order"}


def test_the_evidence_names_the_numbers_and_one_request() -> None:
    found = strongest(read(case_of(System(starved="pay").spans())))
    claims = [evidence.claim for evidence in found.support]
    assert any("pay works at least 300 ms longer" in claim for claim in claims)
    assert any("followed down web -> order -> pay" in claim for claim in claims)


def test_a_healthy_system_raises_nothing() -> None:
    assert read(case_of(System().spans())).hypotheses == ()


def test_a_window_faulty_from_its_start_is_compared_with_the_known_normal() -> None:
    faulty = System(delayed="cart", onset=0).spans()
    assert read(case_of(faulty)).hypotheses == ()
    normal = System().spans(1e6, 1e6 + 60, prefix="n")
    assert strongest(read(case_of(faulty, normal))).entity.name == "cart"


@pytest.mark.parametrize("off", [-45.0, 45.0])
def test_an_onset_that_is_off_is_found_in_the_spans(off: float) -> None:
    reading = read(case_of(System(starved="order").spans()), ONSET + off)
    assert strongest(reading).entity.name == "order"
    assert any("clearest 45 s" in note for note in reading.notes)


def test_waiting_behind_an_unrecorded_call_is_laid_at_the_callee() -> None:
    spans = System(delayed="cart", silent=(("order", "cart"),)).spans()
    web, order, cart = (Entity("service", name) for name in ("web", "order", "cart"))
    graph = ServiceGraph((web, order, cart), (Call(order, cart), Call(web, cart)))
    blind, knowing = read(case_of(spans)), read(case_of(spans, graph=graph))
    assert strongest(knowing).entity == cart
    (waiting,) = (one for one in knowing.hypotheses if one.entity == order)
    (guessed,) = (one for one in blind.hypotheses if one.entity == order)
    assert waiting.strength < guessed.strength
    assert "cart" in waiting.against[0].claim


def on_instances(table: SpanTable, service: str, names: tuple[str, ...]) -> SpanTable:
    """The same spans, those of ``service`` in turn on one of the instances."""
    rows = np.flatnonzero(table.service_of == table.services.index(service))
    instance = np.zeros(len(table.starts), dtype=np.int32)
    instance[rows] = np.arange(len(rows)) % len(names)
    return replace(table, instances=names, instance_of=instance)


def test_one_bad_instance_of_several_is_named() -> None:
    table = on_instances(System().spans(), "pay", ("pay-a", "pay-b"))
    assert table.instance_of is not None
    pay = table.service_of == table.services.index("pay")
    bad = pay & (table.instance_of == 1) & (table.starts >= ONSET)
    found = strongest(read(case_of(replace(table, durations=np.where(bad, 0.4, table.durations)))))
    assert found.entity.service_name == "pay"
    clients = np.isin(table.span_ids, table.parent_ids[bad])
    slow = np.where(bad | clients, table.durations + 0.4, table.durations)
    named = strongest(read(case_of(replace(table, durations=slow))))
    assert named.entity == Entity("instance", "pay-b", service="pay")


def test_where_all_instances_are_slow_the_service_is_named() -> None:
    table = on_instances(System(delayed="pay").spans(), "pay", ("pay-a", "pay-b"))
    assert strongest(read(case_of(table))).entity == Entity("service", "pay")


def test_other_names_of_the_services_change_nothing() -> None:
    table = System(delayed="pay").spans()
    renamed = replace(table, services=tuple(f"x{9 - i}" for i in range(len(table.services))))
    one, other = strongest(read(case_of(table))), strongest(read(case_of(renamed)))
    assert other.entity.name == renamed.services[table.services.index("pay")]
    assert other.strength == one.strength


def test_the_order_of_the_spans_changes_nothing() -> None:
    table = System(delayed="pay").spans()
    order = np.random.default_rng(1).permutation(len(table.starts))
    shuffled = replace(
        table,
        trace_ids=table.trace_ids[order],
        span_ids=table.span_ids[order],
        parent_ids=table.parent_ids[order],
        service_of=table.service_of[order],
        operation_of=table.operation_of[order],
        starts=table.starts[order],
        durations=table.durations[order],
    )
    one, other = read(case_of(table)), read(case_of(shuffled))
    assert [h.entity for h in one.hypotheses] == [h.entity for h in other.hypotheses]
    assert [h.strength for h in one.hypotheses] == pytest.approx(
        [h.strength for h in other.hypotheses]
    )


def test_broken_spans_are_counted_in_the_notes() -> None:
    table = System().spans()
    durations = table.durations.copy()
    durations[:3] = [-1.0, float("nan"), float("inf")]
    notes = read(case_of(replace(table, durations=durations))).notes
    assert any("2 spans without a usable start or duration" in note for note in notes)
    assert any("1 spans have a negative duration" in note for note in notes)


def test_no_spans_are_missing() -> None:
    assert read(case_of(span_table([]))).missing


def test_spans_that_all_precede_the_episode_are_missing() -> None:
    reading = read(case_of(System().spans(0, 30)), onset=90)
    assert reading.missing
    assert "no span began in the episode" in reading.notes[-1]


def test_spans_without_any_past_say_so() -> None:
    reading = read(case_of(System().spans()), onset=-200)
    assert "no span before the episode" in reading.notes[-1]


@cache
def recorded(dataset: str) -> tuple[Case, ...]:
    if not (ROOT / dataset).is_dir():
        return ()
    return tuple(
        load_case(location)
        for location in locations(ROOT, dataset)
        if (location.path / "traces.csv.gz").exists()
    )


def of_kind(dataset: str, *faults: FaultType) -> Iterator[Case]:
    found = [case for case in recorded(dataset) if case.answers.fault_type in faults]
    if not found:
        pytest.skip(f"no {dataset} below {ROOT}; set AIOPS_DATASETS")
    yield from found


@pytest.mark.parametrize("dataset", ["nezha-trainticket", "nezha-onlineboutique"])
@pytest.mark.parametrize("fault", [FaultType.NETWORK_DELAY, FaultType.CPU])
@pytest.mark.parametrize("late", [-60, 0, 60])
def test_recorded_culprits_are_accused_first(dataset: str, fault: FaultType, late: int) -> None:
    hits, cases = 0, 0
    for case in of_kind(dataset, fault):
        alert = case.data.trigger.at
        assert alert is not None
        episode = Episode(alert + timedelta(seconds=late), case.data.window.end)
        reading = TraceReader().read(case.data, episode)
        culprit = case.answers.entities[0].service_name
        hits += strongest(reading).entity.service_name == culprit
        cases += 1
    assert hits >= cases - (late != 0)
