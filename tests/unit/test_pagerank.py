"""PageRank over blame, and the ranker that stands on it."""

from datetime import UTC, datetime

import numpy as np
import pytest

from aiops.analyze.before_after import divide, onset_rows
from aiops.analyze.granger_pagerank import GrangerPageRank
from aiops.analyze.pagerank import Blame, pagerank
from aiops.errors import AnalysisFailed
from aiops.model import (
    Call,
    CaseData,
    Entity,
    MetricTable,
    Reference,
    Series,
    ServiceGraph,
    TelemetryWindow,
    Trigger,
)

START = 1_700_000_000.0


def utc(row: float) -> datetime:
    return datetime.fromtimestamp(START + row, UTC)


def entity(name: str) -> Entity:
    return Entity("service", name)


def table(columns: dict[str, np.ndarray]) -> MetricTable:
    """Columns named ``service_metric``, one row a second."""
    series = tuple(
        Series(entity(name.partition("_")[0]), name.partition("_")[2], name) for name in columns
    )
    values = np.column_stack(list(columns.values()))
    return MetricTable(START + np.arange(float(len(values))), values, series)


def case(metrics: MetricTable | None, *, at: int | None = 200, **window: object) -> CaseData:
    return CaseData(
        id="c",
        window=TelemetryWindow(utc(0), utc(400), metrics=metrics, **window),
        trigger=Trigger(at=utc(at) if at is not None else None),
    )


def step(seed: int, *, row: int = 200, size: float = 20.0, rows: int = 400) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=rows)
    x[row:] += size
    return x


def cascade() -> MetricTable:
    """b's cpu steps at row 200; a, which waits for b, follows 3 rows later; c stays quiet."""
    return table(
        {
            "a_latency": step(1, row=203, size=12),
            "b_cpu": step(2, size=30),
            "b_latency": step(3, row=202, size=12),
            "c_cpu": step(4, size=0),
            "c_latency": step(5, size=0),
        }
    )


def test_blame_ends_at_the_cause_at_the_end_of_the_chain():
    rank = pagerank(4, [Blame(0, 1), Blame(1, 2)], np.ones(4))
    assert rank.argmax() == 2
    assert rank[2] > rank[1] > rank[0]
    assert rank.sum() == pytest.approx(1)


def test_the_walk_restarts_at_what_is_anomalous():
    blames = [Blame(0, 1), Blame(2, 3)]
    assert pagerank(4, blames, np.array([0, 0, 5.0, 0])).argmax() in (2, 3)
    assert pagerank(4, blames, np.array([0, 0, 5.0, 0]))[:2].sum() == pytest.approx(0)


@pytest.mark.parametrize("restart", [[0.0, 0, 0], [np.nan] * 3])
def test_no_anomaly_anywhere_restarts_anywhere(restart):
    assert pagerank(3, [], np.array(restart)) == pytest.approx([1 / 3] * 3)


def test_cycles_self_blame_and_isolated_nodes_are_fine():
    blames = [Blame(0, 1), Blame(1, 0), Blame(0, 0, 1e9), Blame(2, 2)]
    rank = pagerank(4, blames, np.ones(4))
    assert rank[0] == pytest.approx(rank[1])
    assert rank[2] == pytest.approx(rank[3])


def test_parallel_blames_add_up_and_worthless_ones_are_ignored():
    twice = pagerank(3, [Blame(0, 1), Blame(0, 1), Blame(0, 2, 2.0)], np.ones(3))
    assert twice[1] == pytest.approx(twice[2])
    ignored = pagerank(3, [Blame(0, 1, np.nan), Blame(0, 2, -1), Blame(1, 2, 0)], np.ones(3))
    assert ignored == pytest.approx([1 / 3] * 3)


def test_no_nodes_give_no_shares_and_a_wrong_restart_is_a_programming_error():
    assert pagerank(0, [], np.empty(0)).shape == (0,)
    with pytest.raises(ValueError, match="3 nodes need as many"):
        pagerank(3, [], np.ones(2))


def test_the_ranker_names_the_cause_of_a_cascade_with_evidence():
    ranking = GrangerPageRank().rank(case(cascade()))
    first = ranking.suspects[0]
    assert (first.entity.name, first.indicator.name) == ("b", "cpu")
    assert len(ranking.suspects) == 5
    assert ranking.verdict == "root_cause"
    assert ranking.onset == utc(200)
    cited = {e.id: e for e in ranking.evidence}
    assert cited[first.evidence[0]].ref == "b_cpu"


@pytest.mark.parametrize("seed", [0, 1])
def test_the_ranking_is_bitwise_the_same_for_any_order_of_columns(seed):
    metrics = cascade()
    plain = GrangerPageRank().rank(case(metrics), seed=seed)
    order = np.random.default_rng(0).permutation(5)
    assert GrangerPageRank().rank(case(metrics.take(order)), seed=seed) == plain


def test_ties_are_drawn_by_the_seed_and_not_by_the_alphabet():
    same = step(1)
    metrics = table({f"{name}_cpu": same for name in "abcdef"})
    firsts = {
        GrangerPageRank().rank(case(metrics), seed=seed).suspects[0].entity.name
        for seed in range(30)
    }
    assert len(firsts) >= 4


def test_calls_carry_blame_from_the_alerted_caller_to_its_callee():
    quiet = {f"{name}_latency": step(i, size=4) for i, name in enumerate(["a", "b", "c", "d"])}
    metrics = table(quiet)
    a, b, c, d = (entity(name) for name in "abcd")
    graph = ServiceGraph((a, b, c, d), (Call(a, b), Call(b, c), Call(c, c)))
    alerted = CaseData(
        "c",
        TelemetryWindow(utc(0), utc(400), metrics=metrics, graph=graph),
        Trigger(utc(200), a, "latency"),
    )
    without = case(metrics)

    def place(ranking, name):
        return [s.entity.name for s in ranking.suspects].index(name)

    called, plain = GrangerPageRank().rank(alerted), GrangerPageRank().rank(without)
    assert place(called, "b") < place(called, "d")
    score = {s.entity.name: s.score for s in called.suspects}
    before = {s.entity.name: s.score for s in plain.suspects}
    assert score["b"] / score["d"] > 1.5 * before["b"] / before["d"]


def test_quiet_telemetry_accuses_nobody():
    ranking = GrangerPageRank().rank(
        case(table({f"{n}_cpu": step(i, size=0) for i, n in enumerate("abc")}))
    )
    assert ranking.verdict == "inconclusive"
    assert ranking.onset is None


def test_columns_without_a_signal_are_left_out_and_said():
    flat = np.full(400, 7.0)
    ranking = GrangerPageRank().rank(
        case(table({"a_cpu": step(1), "b_cpu": flat, "c_cpu": flat * np.nan}))
    )
    assert [s.entity.name for s in ranking.suspects] == ["a"]
    assert any("b_cpu, c_cpu" in note for note in ranking.notes)


@pytest.mark.parametrize("metrics", [None, table({"a_cpu": np.ones(50)})])
def test_a_case_without_any_signal_fails_and_says_so(metrics):
    with pytest.raises(
        AnalysisFailed, match=r"granger_pagerank: .* try another|no column .* varies"
    ):
        GrangerPageRank().rank(case(metrics))


@pytest.mark.parametrize(("rows", "at"), [(2, 1), (3, 1), (6, 3), (12, 4)])
def test_few_rows_are_ranked_by_shift_alone_and_the_fallback_is_stated(rows, at):
    columns = {"a_cpu": step(1, row=at, rows=rows), "b_cpu": step(2, row=at, size=0, rows=rows)}
    ranking = GrangerPageRank().rank(case(table(columns), at=at))
    assert ranking.suspects[0].entity.name == "a"
    assert any("spread is a guess" in note for note in ranking.notes)


def test_without_an_alert_time_the_window_divides_where_its_columns_step():
    division = divide(case(cascade(), at=None), cascade())
    assert abs(division.row - 200) <= 3
    assert "divided at" in division.notes[0]


def test_a_fault_free_reference_stands_in_for_a_missing_baseline():
    metrics = cascade()
    late = metrics.between(START + 200, START + 400)
    reference = Reference(metrics=metrics.between(START, START + 200))
    ranking = GrangerPageRank().rank(case(late, at=201, reference=reference))
    assert ranking.suspects[0].entity.name == "b"
    assert any("fault-free rows" in note for note in ranking.notes)


def test_an_onset_is_where_a_column_leaves_for_good_and_a_spike_is_none():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(100, 4))
    z[40:, 0] += 8
    z[40:60, 1] += np.linspace(0, 8, 20)
    z[60:, 1] += 8
    z[50, 2] = 30
    rows = onset_rows(z)
    assert rows[0] == 40
    assert 42 <= rows[1] <= 52
    assert rows[2:].tolist() == [-1, -1]
    assert onset_rows(np.full((20, 1), np.nan)).tolist() == [-1]
