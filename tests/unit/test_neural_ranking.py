"""From edges to suspects: blame ends at causes, and ties end in an order, never in a crash."""

import numpy as np
import pytest

from aiops.analyze.neural.ranking import (
    CALL_PRIOR,
    blame_scores,
    call_blames,
    call_prior,
    causal_blames,
    order_of,
    steps_from_alert,
)
from aiops.analyze.neural.significance import Edges
from aiops.analyze.pagerank import Blame
from aiops.model import Call, Entity, Series, ServiceGraph


def edges(*pairs: tuple[int, int], nodes: int = 4) -> Edges:
    present = np.zeros((nodes, nodes), dtype=bool)
    for cause, effect in pairs:
        present[cause, effect] = True
    blank = np.full((nodes, nodes), np.nan)
    return Edges(blank, blank, blank, blank, present)


def service(name: str) -> Entity:
    return Entity("service", name)


def series(*columns: str) -> list[Series]:
    return [Series(service(c.split("_")[0]), c.split("_")[1], c) for c in columns]


def graph(*calls: tuple[str, str]) -> ServiceGraph:
    nodes = tuple(service(n) for n in sorted({n for call in calls for n in call}))
    return ServiceGraph(nodes, tuple(Call(service(a), service(b)) for a, b in calls))


def test_blame_ends_at_the_cause_of_a_chain_and_not_at_its_last_effect():
    """RUN's PageRank follows cause -> effect, which would put the last effect first."""
    shift = np.full(4, 5.0)
    chain = causal_blames(edges((0, 1), (1, 2), (2, 3)), np.arange(4), shift)
    assert np.argsort(-blame_scores(chain, shift, [])).tolist() == [0, 1, 2, 3]


def test_edges_among_chosen_columns_blame_the_columns_of_the_whole_table():
    (blame,) = causal_blames(
        edges((0, 1), nodes=2), np.array([4, 7]), np.array([0.0] * 4 + [6, 0, 0, 9])
    )
    assert blame == Blame(effect=7, cause=4, weight=6.0)


def test_a_cause_that_did_not_move_is_not_blamed():
    shift = np.array([0.0, 8.0, 4.0, 0.0])
    blames = causal_blames(edges((0, 1), (2, 1)), np.arange(4), shift)
    score = blame_scores(blames, shift, [])
    assert score[0] == 0
    assert score[2] > blame_scores([], shift, [])[2]


def test_the_alerted_series_starts_walks_but_gains_nothing_by_it():
    shift = np.array([3.0, 3.0, 0.0, 3.0])
    score = blame_scores([Blame(2, 0, 3.0)], shift, alerted=[2])
    assert score.argmax() == 0
    assert score[2] == pytest.approx(0, abs=1e-9)


def test_ties_fall_to_the_nearer_to_the_alert_and_unreachable_ones_come_last():
    """RUN's tie-break calls a function it never imports; and an unreachable node has no path."""
    blames = [Blame(0, 1), Blame(1, 2)]
    distance = steps_from_alert(4, blames, alerted=[0])
    assert distance.tolist() == [0, 1, 2, 4]
    order = order_of(np.zeros(4), np.zeros(4), distance, np.array([3.0, 2, 1, 0]))
    assert order.tolist() == [0, 1, 2, 3]


def test_without_an_alert_or_without_edges_everything_is_equally_far():
    assert steps_from_alert(3, [Blame(0, 1)], alerted=[]).tolist() == [3, 3, 3]
    assert steps_from_alert(2, [], alerted=[1]).tolist() == [2, 0]
    assert steps_from_alert(0, [], alerted=[]).size == 0


def test_rounding_decides_nothing_and_a_larger_shift_does():
    far = np.zeros(3, dtype=np.intp)
    order = order_of(
        np.array([0.1, 0.1 + 1e-13, 0.1]), np.array([1.0, 1.0, 2.0]), far, np.array([0.0, 1, 2])
    )
    assert order.tolist() == [2, 0, 1]


def test_calls_make_edges_within_and_between_their_services_likelier_in_both_directions():
    prior = call_prior(series("a_cpu", "a_lat", "b_cpu", "c_cpu"), graph(("a", "b")))
    assert prior is not None
    assert prior[0, 1] == prior[0, 2] == prior[2, 0] == CALL_PRIOR
    assert prior[0, 3] == prior[3, 2] == 1.0
    assert call_prior(series("a_cpu"), None) is None


def test_callers_blame_the_most_shifted_series_of_their_callee():
    columns = series("a_lat", "b_cpu", "b_lat", "c_cpu")
    shift = np.array([2.0, 9.0, 4.0, 1.0])
    blames = call_blames(
        graph(("a", "b"), ("b", "b"), ("b", "gone"), ("gone", "c")), columns, shift
    )
    assert blames == [Blame(0, 1, 9.0)]
    assert call_blames(None, columns, shift) == []
