"""The default ranker on small made tables: what it accuses, what it says, what it survives."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops import plugins
from aiops.analyze.metric_scores import (
    FLEETING_CONFIDENCE,
    GUESSED_CONFIDENCE,
    MOST_ROWS,
    PARTS,
)
from aiops.analyze.ranker import ShiftRanker
from aiops.errors import AnalysisFailed, UnknownName
from aiops.model import (
    Call,
    CaseData,
    Entity,
    MetricTable,
    Ranking,
    Series,
    ServiceGraph,
    TelemetryWindow,
    Trigger,
)

START = 1_700_000_000.0


def utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def service(name: str) -> Entity:
    return Entity("service", name)


def table(columns: dict[str, np.ndarray], *, start: float = START) -> MetricTable:
    """Columns named ``service_metric``, one row a second."""
    series = tuple(
        Series(service(name.partition("_")[0]), name.partition("_")[2], name) for name in columns
    )
    values = np.column_stack(list(columns.values()))
    return MetricTable(start + np.arange(float(len(values))), values, series)


def case(metrics: MetricTable | None, *, at: float | None = 100, **trigger: object) -> CaseData:
    times = [0.0] if metrics is None or not metrics.times.size else metrics.times
    start, end = times[0], times[-1]
    return CaseData(
        "c",
        TelemetryWindow(utc(start), utc(end), metrics=metrics),
        Trigger(at=None if at is None else utc(start + at), **trigger),
    )


def calm(seed: int, *, rows: int = 200, level: float = 10.0) -> np.ndarray:
    return level + np.random.default_rng(seed).normal(size=rows)


def step(seed: int, *, rows: int = 200, at: int = 100, size: float = 30.0) -> np.ndarray:
    column = calm(seed, rows=rows)
    column[at:] += size
    return column


def order(ranking: Ranking) -> list[str]:
    return [f"{one.entity.name}_{one.indicator.name}" for one in ranking.suspects]


def rank(metrics: MetricTable, **trigger: object) -> Ranking:
    return ShiftRanker().rank(case(metrics, **trigger))


def quiet_world(**extra: np.ndarray) -> dict[str, np.ndarray]:
    names = [f"{name}_{metric}" for name in "abcd" for metric in ("cpu", "memory", "latency")]
    return {**{name: calm(i) for i, name in enumerate(names)}, **extra}


@pytest.mark.parametrize("culprit", ["a_cpu", "c_memory", "d_latency", "e_quux"])
def test_a_clean_step_of_one_column_is_the_root_cause(culprit):
    ranking = rank(table(quiet_world(**{culprit: step(99)})))
    assert order(ranking)[0] == culprit
    assert ranking.onset == utc(START + 100)
    assert ranking.suspects[0].confidence == max(s.confidence for s in ranking.suspects)
    cited = {one.id: one for one in ranking.evidence}
    assert cited[ranking.suspects[0].evidence[0]].ref == culprit


@settings(max_examples=40, deadline=None)
@given(
    culprit=st.integers(0, 11),
    at=st.integers(60, 140),
    alert=st.none() | st.integers(60, 140),
    size=st.floats(20, 1e6),
    seed=st.integers(0, 1000),
)
def test_the_column_with_the_only_step_is_first_wherever_and_however_large(
    culprit, at, alert, size, seed
):
    columns = {
        f"s{i}_quux{i}": np.random.default_rng([seed, i]).normal(50, 1, 200) for i in range(12)
    }
    columns[f"s{culprit}_quux{culprit}"][at:] += size
    assert order(rank(table(columns), at=alert))[0] == f"s{culprit}_quux{culprit}"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 5), st.floats(1e-6, 1e6))
def test_the_unit_of_a_column_does_not_matter_where_it_is_unknown(seed, column, factor):
    rng = np.random.default_rng(seed)
    values = rng.normal(50, 1, (200, 6))
    values[100:] += rng.uniform(0, 40, 6)
    plain = {f"s{i}_quux{i}": values[:, i] for i in range(6)}
    name = f"s{column}_quux{column}"
    scaled = {**plain, name: plain[name] * factor}
    assert order(rank(table(scaled))) == order(rank(table(plain)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(-1_600_000_000, 1_600_000_000))
def test_the_time_of_day_does_not_matter(seed, seconds):
    columns = quiet_world(a_cpu=step(seed), b_latency=step(seed + 1, size=8))
    here, there = rank(table(columns)), rank(table(columns, start=START + seconds))
    assert there.suspects == here.suspects
    assert there.verdict == here.verdict
    assert (there.onset - here.onset).total_seconds() == seconds


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(-1e9, 1e9))
def test_a_constant_column_changes_nothing_but_a_note(seed, level):
    columns = quiet_world(a_cpu=step(seed))
    plain, more = rank(table(columns)), rank(table({"z_cpu": np.full(200, level), **columns}))
    assert more.suspects == plain.suspects
    assert more.evidence == plain.evidence
    assert [note for note in more.notes if note not in plain.notes] == [
        "Columns that never change or hold nothing, left out: z_cpu."
    ]


def test_equal_columns_are_ordered_by_the_seed_and_not_by_the_alphabet_or_position():
    same = step(1)
    tied = table({f"{name}_cpu": same for name in "abcdef"})
    firsts = {order(ShiftRanker().rank(case(tied), seed=seed))[0] for seed in range(30)}
    assert len(firsts) >= 4
    backwards = tied.take(np.arange(6)[::-1])
    assert order(rank(tied)) == order(rank(backwards))


def test_quiet_telemetry_is_healthy_and_has_no_onset():
    ranking = rank(table(quiet_world()))
    assert ranking.verdict == "healthy"
    assert ranking.onset is None
    assert len(ranking.suspects) == 12


def test_a_resource_goes_before_the_symptom_that_moved_as_far():
    columns = quiet_world(x_latency_p99=step(1), y_cpu_total=step(1))
    assert order(rank(table(columns)))[:2] == ["y_cpu_total", "x_latency_p99"]


def test_memory_goes_before_the_cpu_it_explains():
    columns = quiet_world(a_cpu=step(1, size=60), a_memory=step(2, size=30))
    assert order(rank(table(columns)))[0] == "a_memory"


def test_calls_send_the_blame_from_a_slow_caller_to_its_slow_callee():
    columns = {
        f"{name}_latency": step(i, size=size)
        for i, (name, size) in enumerate(zip("abc", [90, 60, 40], strict=True))
    }
    alone = rank(table(columns))
    names = [service(name) for name in "abc"]
    graph = ServiceGraph(tuple(names), (Call(names[0], names[1]), Call(names[1], names[2])))
    one = case(table(columns))
    called = ShiftRanker().rank(replace(one, window=replace(one.window, graph=graph)))
    assert order(alone)[0] == "a_latency"
    assert order(called)[0] == "c_latency"


def test_what_moved_with_the_alerted_metric_goes_before_what_moved_more_but_later():
    columns = {
        **{f"{n}_cpu": calm(i) for i, n in enumerate("xyz")},
        "a_latency": step(1),
        "b_latency": step(2, size=25),
        "c_latency": step(3, at=185, size=400),
        "d_latency": calm(4),
    }
    alerted = rank(table(columns), entity=service("a"), metric="latency")
    assert order(alerted)[:2] == ["a_latency", "b_latency"]


def test_an_alerted_metric_that_did_not_move_does_not_hide_the_cause():
    columns = quiet_world(b_memory=step(1, size=200))
    ranking = rank(table(columns), entity=service("a"), metric="latency")
    assert order(ranking)[0] == "b_memory"
    assert ranking.verdict == "root_cause"


@pytest.mark.parametrize("whole", [1.0, 100.0])
def test_a_falling_success_rate_is_a_symptom_in_either_scale(whole):
    rate = np.clip(0.999 + 0.0005 * np.random.default_rng(0).normal(size=200), 0, 1)
    broken = rate.copy()
    broken[100:] -= 0.4
    columns = {f"{name}_success_rate": rate * whole for name in "abc"}
    columns |= {"d_success_rate": broken * whole, "e_cpu": calm(3)}
    ranking = rank(table(columns))
    assert order(ranking)[0] == "d_success_rate"
    assert ranking.suspects[0].fault_types[0][0] == "error"


@pytest.mark.parametrize("rows", [2, 3, 5, 12])
def test_few_rows_are_ranked_with_capped_confidence_and_said(rows):
    columns = {f"{name}_cpu": np.full(rows, 10.0) for name in "abc"}
    columns["a_cpu"][rows // 2 :] = 90
    columns["b_cpu"][-1] = 11
    ranking = rank(table(columns), at=rows // 2)
    assert ranking.suspects[0].entity.name == "a"
    assert 0 < ranking.suspects[0].confidence <= GUESSED_CONFIDENCE
    assert any("what metrics say is capped at 50%" in note for note in ranking.notes)


def test_few_rows_after_the_onset_cap_the_confidence_too():
    columns = quiet_world(a_cpu=step(1, at=195, size=1e6))
    ranking = rank(table(columns), at=195)
    assert ranking.suspects[0].confidence == FLEETING_CONFIDENCE
    assert any("passing spike" in note for note in ranking.notes)


@pytest.mark.parametrize("rows", [0, 1])
def test_under_two_rows_cannot_be_ranked_and_the_message_says_what_to_do(rows):
    with pytest.raises(AnalysisFailed, match=rf"metrics: {rows} rows .* widen the window"):
        rank(table({"a_cpu": np.ones(rows)}))


def test_telemetry_that_never_changes_cannot_be_ranked():
    flat = {"a_cpu": np.ones(50), "b_cpu": np.full(50, np.nan)}
    with pytest.raises(AnalysisFailed, match="none of its 2 columns ever changes; widen"):
        rank(table(flat))


@pytest.mark.parametrize("metrics", [None, MetricTable(np.arange(3.0), np.empty((3, 0)), ())])
def test_a_case_without_metrics_cannot_be_ranked(metrics):
    with pytest.raises(AnalysisFailed, match="no metrics were recorded"):
        ShiftRanker().rank(case(metrics))


def test_one_column_alone_is_ranked():
    ranking = rank(table({"a_cpu": step(1)}))
    assert order(ranking) == ["a_cpu"]
    assert ranking.verdict == "root_cause"


@pytest.mark.parametrize("half", [slice(0, 100), slice(100, 200)])
def test_a_column_without_samples_on_one_side_is_named_and_neither_accused_nor_cited(half):
    gone = calm(50)
    gone[half] = np.nan
    gone[~np.isnan(gone)][0] = 1e6
    ranking = rank(table(quiet_world(a_cpu=step(1), z_cpu=gone)))
    last = next(one for one in ranking.suspects if one.entity.name == "z")
    assert (last.score, last.evidence) == (0.0, ())
    assert "Columns without samples before or during the anomaly: z_cpu." in ranking.notes
    assert all(one.ref != "z_cpu" for one in ranking.evidence)


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan, np.finfo(float).max])
def test_a_cell_that_is_no_measurement_changes_nothing(odd):
    columns = quiet_world(a_cpu=step(1))
    marred = {name: column.copy() for name, column in columns.items()}
    marred["a_cpu"][[3, 150]] = odd
    marred["b_cpu"][199] = odd
    ranking = rank(table(marred))
    assert order(ranking)[0] == "a_cpu"
    assert ranking.suspects[0].score == pytest.approx(
        rank(table(columns)).suspects[0].score, rel=0.1
    )


@pytest.mark.parametrize("size", [1e-300, 1e-30, 1e30, 1e90])
def test_tiny_and_huge_numbers_are_ranked_like_any_other(size):
    columns = {name: column * size for name, column in quiet_world(a_cpu=step(1)).items()}
    ranking = rank(table(columns))
    assert order(ranking)[0] == "a_cpu"
    assert np.isfinite([one.score for one in ranking.suspects]).all()


def test_namesakes_in_two_clusters_do_not_vouch_for_each_other():
    def entity(cluster: str) -> Entity:
        return Entity("service", "a", "prod", cluster)

    plain = table({"x_cpu": step(1), "x_latency": step(2), "y_cpu": step(1), "y_memory": calm(3)})
    east, west = entity("east"), entity("west")
    series = tuple(
        replace(one, entity=owner, column=f"{owner.cluster}/{one.metric}")
        for one, owner in zip(plain.series, [east, east, west, west], strict=True)
    )
    ranking = rank(replace(plain, series=series))
    score = {(one.entity.cluster, one.indicator.name): one.score for one in ranking.suspects}
    assert score["east", "cpu"] > score["west", "cpu"]
    first_of_each = [one for one in ranking.suspects if one.confidence > 0]
    assert {one.entity.cluster for one in first_of_each} == {"east", "west"}


@pytest.mark.parametrize("at", [None, -1e6, 1e6])
def test_long_windows_are_averaged_down_and_still_dated_to_the_second_or_so(at):
    rows = 3 * MOST_ROWS
    columns = {f"{name}_cpu": calm(i, rows=rows) for i, name in enumerate("bcd")}
    columns["a_cpu"] = step(9, rows=rows, at=5000)
    columns["a_cpu"][17] = np.nan
    ranking = rank(table(columns), at=at)
    assert ranking.notes == ("7,200 rows were averaged down to 2,400 before ranking.",)
    assert order(ranking)[0] == "a_cpu"
    assert abs((ranking.onset - utc(START + 5000)).total_seconds()) <= 3


def test_a_short_fault_at_the_end_of_a_long_window_keeps_its_rows():
    rows = 4 * MOST_ROWS
    columns = {f"{name}_cpu": calm(i, rows=rows) for i, name in enumerate("bcd")}
    columns["a_cpu"] = step(9, rows=rows, at=rows - 70)
    ranking = rank(table(columns), at=rows - 70)
    assert order(ranking)[0] == "a_cpu"
    assert not any("averaged down" in note for note in ranking.notes)


@pytest.mark.parametrize("part", PARTS)
def test_any_part_can_be_left_out_by_name_and_the_ranker_says_so(part):
    without = plugins.analyzer(f"aiops/no-{part}")
    assert without.name == f"aiops/no-{part}"
    ranking = without.rank(case(table(quiet_world(a_cpu=step(1)))))
    assert order(ranking)[0] == "a_cpu"


def test_a_part_left_out_makes_no_difference_to_the_ranker_it_came_from():
    whole = ShiftRanker()
    whole.without("reanchor")
    late = case(
        table(quiet_world(a_cpu=step(1, at=60), a_memory=step(2, at=60), b_cpu=step(3, at=140))),
        at=140,
    )
    assert whole.name == "metrics"
    assert whole.rank(late) == ShiftRanker().rank(late)
    assert whole.without("reanchor").rank(late) != whole.rank(late)


@pytest.mark.parametrize("name", ["aiops/no-such", "aiops/no-", "aiops/no-calls/no-kinds", "no"])
def test_an_unknown_part_or_method_is_refused_by_name(name):
    if name == "aiops/no-":
        assert plugins.analyzer(name).name == "aiops"  # nothing is left out
        return
    with pytest.raises(UnknownName, match="choose from"):
        plugins.analyzer(name)
