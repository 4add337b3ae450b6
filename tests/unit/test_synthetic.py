"""Planted worlds: reproducible, true to what was asked for, and without a hint in the id."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.errors import InvalidInput, UnknownName
from aiops.model import FaultType
from aiops.ports.cases import CaseHints, CaseLocation
from aiops_datasets.case import Case
from aiops_datasets.synthetic import (
    FAULTS,
    SyntheticWorlds,
    World,
    plant,
    specified,
    var_process,
    world,
)

FAULTY = [fault for fault in FAULTS if fault != "healthy"]


def values(case: Case) -> np.ndarray:
    assert case.data.window.metrics is not None
    return case.data.window.metrics.values


def located(text: str) -> CaseLocation:
    (location,) = SyntheticWorlds().locate(Path(text))
    return location


def test_the_same_seed_gives_the_same_world_to_the_bit() -> None:
    first, second = world(5, fault="cpu"), world(5, fault="cpu")
    assert np.array_equal(values(first), values(second))
    assert first.answers == second.answers
    assert first.data.id == second.data.id


def test_another_seed_gives_another_world() -> None:
    assert not np.array_equal(values(world(5)), values(world(6)))


@pytest.mark.parametrize("fault", FAULTY)
def test_a_world_is_its_healthy_control_until_the_onset_and_not_after(fault: str) -> None:
    ill, control = plant(specified(f"synthetic:3:{fault}")), world(3, fault="healthy")
    assert np.array_equal(values(ill)[:300], values(control)[:300])
    assert not np.array_equal(values(ill)[300:], values(control)[300:])


@pytest.mark.parametrize("fault", FAULTY)
def test_the_answer_names_the_culprit_and_the_columns_that_carry_the_fault(fault: str) -> None:
    case, control = plant(specified(f"synthetic:11:{fault}")), world(11, fault="healthy")
    table = case.data.window.metrics
    assert table is not None
    assert case.answers.fault_type is FaultType(fault)
    assert case.answers.metric_answer
    (culprit,) = case.answers.entities
    assert case.answers.columns
    for column in case.answers.columns:
        (index,) = [i for i, series in enumerate(table.series) if series.column == column]
        assert table.series[index].entity == culprit
        before = values(control)[:, index]
        assert np.median(values(case)[330:, index]) > 1.5 * np.median(before[330:]) or (
            np.median(values(case)[330:, index]) > np.median(before[330:]) + 100 * 2**20
        )


def test_a_fault_reaches_only_those_that_call_the_culprit() -> None:
    for seed in range(10):
        case, control = world(seed, fault="latency"), world(seed, fault="healthy")
        graph, table = case.data.window.graph, case.data.window.metrics
        assert graph is not None
        assert table is not None
        reached = set(case.answers.entities)
        for _ in graph.nodes:
            reached |= {call.source for call in graph.calls if call.target in reached}
        moved = {
            series.entity
            for i, series in enumerate(table.series)
            if not np.array_equal(values(case)[:, i], values(control)[:, i])
        }
        assert moved == reached


def test_a_callers_latency_follows_its_callees_after_the_lag() -> None:
    followed = 0
    for seed in range(10):
        case, control = world(seed, fault="network_delay"), world(seed, fault="healthy")
        table = case.data.window.metrics
        assert table is not None
        (culprit,) = case.answers.entities
        moved = values(case) != values(control)
        first = {
            series.entity: int(np.argmax(moved[:, i]))
            for i, series in enumerate(table.series)
            if series.metric == "latency_p50" and moved[:, i].any()
        }
        assert first.pop(culprit) == 300
        assert all(301 <= row <= 300 + 4 * len(first) for row in first.values())
        followed += len(first)
    assert followed > 10


def test_a_healthy_control_has_an_alert_and_no_answer() -> None:
    case = world(2, fault="healthy")
    assert case.data.trigger.at is not None
    assert case.answers.entities == ()
    assert case.answers.columns == ()
    assert not case.answers.metric_answer


def test_a_shared_node_moves_the_cpu_of_its_services_together() -> None:
    def largest_correlation(case: Case) -> float:
        table = case.data.window.metrics
        assert table is not None
        cpu = [i for i, series in enumerate(table.series) if series.metric == "cpu"]
        steps = values(case)[:, cpu]
        correlation = np.corrcoef(steps.T) - np.eye(len(cpu))
        return float(correlation.max())

    together = np.mean([largest_correlation(world(s, fault="healthy")) for s in range(8)])
    apart = np.mean([largest_correlation(world(s, fault="healthy", latent=())) for s in range(8)])
    assert together > apart + 0.1


def test_the_load_wave_moves_all_traffic_and_can_be_left_out() -> None:
    def swing(case: Case) -> float:
        rate = values(case)[:, 2]
        return float(rate.std() / rate.mean())

    with_wave = [swing(world(seed, fault="healthy")) for seed in range(5)]
    without = [swing(world(seed, fault="healthy", latent=())) for seed in range(5)]
    assert np.mean(with_wave) > np.mean(without) * 1.5


def test_a_counter_only_grows_and_is_still_the_answer() -> None:
    case = plant(World(9, fault="traffic", counters=True))
    table = case.data.window.metrics
    assert table is not None
    (column,) = case.answers.columns
    assert column.endswith("_requests_total")
    (index,) = [i for i, series in enumerate(table.series) if series.column == column]
    assert table.series[index].type == "counter"
    assert (np.diff(table.values[:, index]) >= 0).all()


def test_a_late_alert_comes_after_the_onset_and_says_so() -> None:
    prompt, late = plant(World(1)), plant(World(1, alert_delay_s=45))
    assert prompt.data.trigger.at is not None
    assert late.data.trigger.at == prompt.data.trigger.at + timedelta(seconds=45)
    assert (prompt.answers.inject_time_kind, late.answers.inject_time_kind) == (
        "exact",
        "alert_onset",
    )


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    services=st.integers(4, 20),
    minutes=st.floats(2, 8),
    interval_s=st.sampled_from([1.0, 2.0, 0.5]),
    fault=st.sampled_from(FAULTS),
)
def test_every_world_is_physically_possible(
    seed: int, services: int, minutes: float, interval_s: float, fault: str
) -> None:
    spec = World(seed, services, minutes, interval_s, specified(f"synthetic:0:{fault}").fault)
    case = plant(spec)
    window = case.data.window
    assert window.metrics is not None
    assert window.graph is not None
    assert window.metrics.values.shape == (spec.rows, 7 * services)
    assert np.isfinite(window.metrics.values).all()
    assert (window.metrics.values >= 0).all()
    assert len({series.column for series in window.metrics.series}) == 7 * services
    assert {call.target for call in window.graph.calls} == set(window.graph.nodes[1:])
    for i, series in enumerate(window.metrics.series):
        if series.metric == "error_ratio":
            assert window.metrics.values[:, i].max() <= 1
    assert case.data.trigger.at is not None
    assert window.start <= case.data.trigger.at <= window.end


def test_the_id_of_a_world_says_nothing_of_its_fault() -> None:
    for fault in FAULTS:
        identity = located(f"synthetic:7:{fault}").id
        assert fault not in identity
    assert len({located(f"synthetic:7:{fault}").id for fault in FAULTS}) == len(FAULTS)


def test_the_location_and_the_loaded_case_share_one_id() -> None:
    location = located("synthetic:7:disk")
    assert SyntheticWorlds().load(location, CaseHints()).id == location.id


@pytest.mark.parametrize("text", ["synthetic", "synthetic:", "synthetic:x", "other:1", "1"])
def test_what_is_not_the_name_of_a_world_is_left_to_other_layouts(text: str) -> None:
    assert not SyntheticWorlds().recognises(Path(text))
    assert list(SyntheticWorlds().locate(Path(text))) == []
    with pytest.raises(InvalidInput, match="synthetic:<seed>"):
        specified(text)


def test_an_unknown_fault_is_refused_and_names_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="unknown fault 'gremlin'; choose from: cpu, memory"):
        located("synthetic:7:gremlin")


def test_hints_are_refused_because_a_world_says_everything_itself() -> None:
    with pytest.raises(InvalidInput, match="leave out --inject-time"):
        SyntheticWorlds().load(located("synthetic:7"), CaseHints(inject_time=1.0))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"seed": -1}, "seed is 0 or more"),
        ({"seed": 1, "services": 3}, "4 to 20 services"),
        ({"seed": 1, "services": 21}, "4 to 20 services"),
        ({"seed": 1, "minutes": 0.5}, "under 60 rows"),
        ({"seed": 1, "interval_s": 0.0}, "under 60 rows"),
        ({"seed": 1, "onset": 0.95}, "share of the window"),
    ],
)
def test_a_world_that_cannot_be_is_refused(arguments: dict[str, float], complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        World(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("nonlinear", [False, True])
def test_a_var_process_is_stationary_and_has_the_edges_it_was_asked_for(nonlinear: bool) -> None:
    for seed in range(10):
        sample = var_process(seed, nonlinear=nonlinear)
        assert sample.values.shape == (1000, 8)
        assert len(sample.edges) == round(0.2 * 56)
        assert all(edge.source != edge.target and 1 <= edge.lag <= 3 for edge in sample.edges)
        halves = sample.values[:500].std(axis=0) / sample.values[500:].std(axis=0)
        assert ((halves > 0.6) & (halves < 1.7)).all()


def test_least_squares_finds_the_planted_coefficients_again() -> None:
    values, edges = var_process(0, length=20_000)
    past = np.hstack([values[2:-1], values[1:-2], values[:-3]])  # lags 1, 2, 3
    found = np.linalg.lstsq(past, values[3:], rcond=None)[0].reshape(3, 8, 8)
    strong = {
        (source, target, lag + 1)
        for lag, source, target in np.argwhere(np.abs(found) > 0.15)
        if source != target
    }
    assert strong == {tuple(edge) for edge in edges}
    sizes = [abs(found[edge.lag - 1, edge.source, edge.target]) for edge in edges]
    assert min(sizes) > 0.15
    assert max(sizes) < 0.55


def test_a_var_process_too_dense_to_be_stationary_is_refused() -> None:
    with pytest.raises(InvalidInput, match="ask for a lower one"):
        var_process(0, nodes=16, density=1.0)
