"""The explanation: who moved when, what precedes what, and that every claim can be looked up."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from aiops.analyze.explain import UNEXPLAINED, explain
from aiops.analyze.granger_pagerank import GrangerPageRank
from aiops.model import (
    Call,
    CaseData,
    Entity,
    Evidence,
    Indicator,
    MetricTable,
    Ranking,
    Series,
    ServiceGraph,
    Suspect,
    TelemetryWindow,
    Trigger,
    Window,
)

START = 1_700_000_000.0
ROWS, FAULT = 600, 300
DB, API, WEB = (Entity("service", name) for name in ("db", "api", "web"))


def utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, UTC)


def chain(interval: float = 1.0) -> MetricTable:
    """db's cpu steps and rattles; api's latency follows it by 2 rows, web's that of api by 3."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 4))
    x[FAULT:, 0] += 20 + 4 * rng.normal(size=ROWS - FAULT)
    x[2:, 1] += 0.9 * x[:-2, 0]
    x[3:, 2] += 0.9 * x[:-3, 1]
    series = (
        Series(DB, "cpu", "db_cpu"),
        Series(API, "latency", "api_latency"),
        Series(WEB, "latency", "web_latency"),
        Series(WEB, "cpu", "web_cpu"),
    )
    return MetricTable(START + interval * np.arange(ROWS), x, series, "metrics.csv")


def case(metrics: MetricTable | None, *, calls: bool = False) -> CaseData:
    graph = ServiceGraph((DB, API, WEB), (Call(WEB, API), Call(API, DB), Call(DB, DB)))
    return CaseData(
        "c",
        TelemetryWindow(utc(0), utc(ROWS), metrics=metrics, graph=graph if calls else None),
        Trigger(utc(FAULT), WEB, "latency"),
    )


def ranking(*names: tuple[Entity, str]) -> Ranking:
    suspects = tuple(
        Suspect(entity, Indicator("metric", metric), 1.0 / (i + 1), evidence=("E7",))
        for i, (entity, metric) in enumerate(names)
    )
    seen = Evidence("E7", "metric", "It moved.", "metrics.csv", Window(utc(0), utc(1)), "db_cpu")
    return Ranking("root_cause", suspects, onset=utc(FAULT), evidence=(seen,), notes=("kept",))


RANKED = ranking((DB, "cpu"), (API, "latency"))


def test_the_edges_are_those_planted_with_their_lags_and_no_shortcut():
    told = explain(case(chain()), RANKED)
    edges = {(p.source.name, p.target.name): p for p in told.propagation}
    assert set(edges) == {("db", "api"), ("api", "web")}
    assert edges["db", "api"].lag_s == 2
    assert edges["api", "web"].lag_s == 3
    assert all(p.relation == "granger" and p.p_value < 1e-6 for p in told.propagation)


def test_lags_are_in_seconds_whatever_the_sampling_interval():
    told = explain(case(chain(interval=5.0)), replace(RANKED, onset=utc(5 * FAULT)))
    assert [p.lag_s for p in told.propagation] == [10, 15]


def test_the_series_of_the_alert_joins_the_suspects():
    assert any(p.target == WEB for p in explain(case(chain()), RANKED).propagation)
    without = replace(case(chain()), trigger=Trigger(utc(FAULT)))
    assert not any(p.target == WEB for p in explain(without, RANKED).propagation)


def test_only_the_suspects_asked_for_are_looked_at():
    quiet = replace(case(chain()), trigger=Trigger(utc(FAULT)))
    told = explain(quiet, RANKED, suspects=1)
    assert told.propagation == ()
    assert {e.ref for e in told.evidence} == {"db_cpu"}


def test_calls_flow_from_what_moved_first_and_cite_both_columns():
    told = explain(case(chain(), calls=True), RANKED)
    calls = [p for p in told.propagation if p.relation == "calls"]
    assert [(p.source.name, p.target.name, p.lag_s) for p in calls] == [
        ("db", "api", 2),
        ("api", "web", 3),
    ]
    refs = {e.id: e.ref for e in told.evidence}
    assert {refs[id_] for id_ in calls[0].evidence} == {"db_cpu", "api_latency"}


def test_every_new_claim_has_the_next_id_and_resolves_to_a_column_and_a_window_of_it():
    metrics = chain()
    told = explain(case(metrics, calls=True), RANKED)
    assert told.evidence[0] == RANKED.evidence[0]
    new = told.evidence[1:]
    assert [e.id for e in new] == [f"E{8 + i}" for i in range(len(new))]
    columns = {series.column: series for series in metrics.series}
    for item in new:
        assert item.ref in columns
        series = columns[item.ref]
        assert f"{series.metric} of {series.entity.name}" in item.claim
        assert item.source == "metrics.csv"
        assert utc(0) <= item.window.start < item.window.end <= utc(ROWS)
    ids = {e.id for e in told.evidence}
    assert all(set(p.evidence) <= ids for p in told.propagation)
    assert all(set(s.evidence) <= ids for s in told.suspects)


def test_onsets_are_told_in_order_with_the_delay_after_the_first():
    told = explain(case(chain()), RANKED)
    onsets = [e for e in told.evidence if "left its baseline" in e.claim]
    assert [e.ref for e in onsets] == ["db_cpu", "api_latency", "web_latency"]
    assert "first among the suspects" in onsets[0].claim
    assert "2 s after the first suspect" in onsets[1].claim
    assert "Order of onset: db (+0 s), api (+2 s), web (+5 s)." in told.notes


def test_of_an_onset_without_samples_no_height_is_told():
    table = chain()
    table.values[FAULT : FAULT + 60, 3] = np.nan
    table.values[FAULT + 60 :, 3] += 100
    told = explain(case(table), ranking((DB, "cpu"), (WEB, "cpu")))
    (claim,) = [one.claim for one in told.evidence if one.claim.startswith("cpu of web left")]
    assert claim.endswith("after the first suspect.")


def test_the_order_scores_and_verdict_of_suspects_are_never_touched():
    given = ranking((WEB, "cpu"), (API, "latency"), (DB, "cpu"))
    told = explain(case(chain()), given, deep=True)
    assert [replace(s, evidence=()) for s in told.suspects] == [
        replace(s, evidence=()) for s in given.suspects
    ]
    assert (told.verdict, told.onset) == (given.verdict, given.onset)
    assert told.notes[0] == "kept"
    assert all(s.evidence[0] == "E7" for s in told.suspects)


def test_what_did_not_move_takes_part_in_no_edge():
    told = explain(case(chain()), ranking((DB, "cpu"), (WEB, "cpu")), suspects=2)
    moved = {e.ref for e in told.evidence if "left its baseline" in e.claim}
    assert moved == {"db_cpu", "web_latency"}
    assert {(p.source, p.target) for p in told.propagation} == {(DB, WEB)}


def test_the_same_input_gives_the_same_explanation():
    assert explain(case(chain(), calls=True), RANKED) == explain(case(chain(), calls=True), RANKED)


@pytest.mark.parametrize(
    ("metrics", "given"),
    [
        (None, RANKED),
        (chain(), Ranking("inconclusive", ())),
        (chain(), ranking((Entity("node", "n1"), "load"))),
    ],
)
def test_nothing_to_look_at_is_said_and_changes_nothing_else(metrics, given):
    quiet = replace(case(metrics), trigger=Trigger(utc(FAULT)))
    told = explain(quiet, given)
    assert told == replace(
        given,
        notes=(*given.notes, UNEXPLAINED),
    )


def test_too_few_rows_for_granger_are_said_and_onsets_still_told():
    metrics = chain()
    short = metrics.between(START + FAULT - 2, START + FAULT + 3)
    told = explain(case(short), RANKED)
    assert any("No Granger edges: granger: 4 rows cannot carry" in note for note in told.notes)
    assert told.propagation == ()


def test_one_row_cannot_be_explained_and_says_why():
    told = explain(case(chain().between(START, START + 1)), RANKED)
    assert told.notes[-1] == (
        "Not explained: metrics.csv: 1 rows have no before and after; widen the window."
    )


def test_a_constant_suspect_is_named_as_untestable():
    metrics = chain()
    metrics.values[:, 0] = 5.0
    notes = explain(case(metrics), RANKED).notes
    assert "No Granger edges of cpu of db: constant." in notes


def test_asked_deeply_it_says_the_kind_of_series_and_how_a_shock_travels():
    plain = explain(case(chain()), RANKED)
    deep = explain(case(chain()), RANKED, deep=True)
    assert deep.propagation == plain.propagation
    more = [e.claim for e in deep.evidence[len(plain.evidence) :]]
    assert any(claim.startswith("db_cpu is stationary once differenced") for claim in more)
    assert any("shock to db_cpu moves api_latency by +" in c and "after 2 s" in c for c in more)


def test_a_ranking_of_our_own_ranker_can_be_explained():
    told = explain(case(chain()), GrangerPageRank().rank(case(chain())))
    assert {(p.source.name, p.target.name) for p in told.propagation} >= {("db", "api")}
    assert len({e.id for e in told.evidence}) == len(told.evidence)
