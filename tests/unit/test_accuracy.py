"""Ranks, levels and the counts made of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.model import Entity, FaultType, Indicator, MetricTable, Ranking, Series, Suspect
from aiops_datasets.case import Answers
from aiops_evals.accuracy import accuracy
from aiops_evals.levels import levels_of, rank_at


def service(name: str) -> Entity:
    return Entity("service", name)


def suspect(entity: Entity, metric: str | None = None) -> Suspect:
    return Suspect(entity, None if metric is None else Indicator("metric", metric), 1.0)


def ranking(*suspects: Suspect) -> Ranking:
    return Ranking("root_cause", suspects)


def answers(*entities: Entity, columns: tuple[str, ...] = (), metric: bool = False) -> Answers:
    return Answers(entities, columns, metric, None, FaultType.CPU, "cpu", "exact")


TABLE = MetricTable(
    np.arange(2.0),
    np.zeros((2, 3)),
    (
        Series(service("a"), "cpu", "a_cpu"),
        Series(service("a"), "mem", "a_mem"),
        Series(service("a-db"), "cpu", "a-db_cpu"),
    ),
)


def test_accuracy_counts_answers_among_the_first_k() -> None:
    counted = accuracy([1, 2, 4, None])
    assert counted.hits == (1, 2, 2, 3, 3)
    assert counted.at(3) == 0.5
    assert counted.avg5 == pytest.approx((0.25 + 0.5 + 0.5 + 0.75 + 0.75) / 5)
    assert counted.mrr == pytest.approx((1 + 1 / 2 + 1 / 4) / 4)


def test_an_answer_that_was_not_named_counts_as_wrong_and_not_as_absent() -> None:
    assert accuracy([None, None]).n == 2
    assert accuracy([None, None]).mrr == 0


def test_accuracy_over_no_cases_is_refused() -> None:
    with pytest.raises(ValueError, match="no cases"):
        accuracy([])


def test_a_rank_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="from 1"):
        accuracy([0])


@given(st.lists(st.none() | st.integers(1, 50), min_size=1))
def test_accuracy_never_falls_as_k_grows_and_stays_a_share(ranks: list[int | None]) -> None:
    counted = accuracy(ranks)
    assert list(counted.hits) == sorted(counted.hits)
    assert 0 <= counted.at(1) <= counted.avg5 <= counted.at(5) <= 1
    assert counted.at(1) <= counted.mrr <= 1


def test_names_are_strict_a_database_is_not_its_service() -> None:
    answer = ranking(suspect(service("a-db"), "cpu"), suspect(service("a"), "cpu"))
    assert rank_at("service", answer, answers(service("a")), TABLE) == 2


def test_a_service_named_by_several_metrics_takes_one_place() -> None:
    answer = ranking(
        suspect(service("b"), "cpu"), suspect(service("b"), "mem"), suspect(service("a"), "cpu")
    )
    assert rank_at("service", answer, answers(service("a")), TABLE) == 2


def test_an_instance_answers_for_its_service() -> None:
    pod = Entity("instance", "a-7f9c", service="a")
    assert rank_at("service", ranking(suspect(pod)), answers(service("a")), TABLE) == 1


def test_any_one_of_several_answers_counts() -> None:
    answer = ranking(suspect(service("c")), suspect(service("b")))
    assert rank_at("service", answer, answers(service("a"), service("b")), TABLE) == 2


def test_a_cause_that_was_never_named_has_no_rank() -> None:
    assert rank_at("service", ranking(suspect(service("b"))), answers(service("a")), TABLE) is None


@pytest.mark.parametrize("name", ["cpu", "a_cpu"])
def test_the_metric_may_be_named_alone_or_by_its_column(name: str) -> None:
    truth = answers(service("a"), columns=("a_cpu",), metric=True)
    answer = ranking(suspect(service("a"), "mem"), suspect(service("a"), name))
    assert rank_at("metric", answer, truth, TABLE) == 2


def test_the_right_metric_of_the_wrong_service_is_wrong() -> None:
    truth = answers(service("a"), columns=("a_cpu",), metric=True)
    answer = ranking(suspect(service("a-db"), "cpu"), suspect(service("a-db"), "a_cpu"))
    assert rank_at("metric", answer, truth, TABLE) is None


def test_a_suspect_without_a_metric_takes_no_place_at_metric_level() -> None:
    truth = answers(service("a"), columns=("a_cpu",), metric=True)
    answer = ranking(suspect(service("a-db")), suspect(service("a"), "cpu"))
    assert rank_at("metric", answer, truth, TABLE) == 1


def test_an_object_is_its_kind_and_its_name() -> None:
    node = Entity("node", "worker-02")
    answer = ranking(suspect(service("worker-02")), suspect(node))
    assert rank_at("object", answer, answers(node), TABLE) == 2


def test_a_namespace_counts_where_the_answer_names_one() -> None:
    truth = answers(Entity("workload", "a", namespace="shop"))
    elsewhere = suspect(Entity("workload", "a", namespace="test"))
    here = suspect(Entity("workload", "a", namespace="shop"))
    assert rank_at("object", ranking(elsewhere, here), truth, TABLE) == 2


def test_a_set_is_judged_only_at_the_levels_its_answers_have() -> None:
    assert levels_of(answers(service("a"), columns=("a_cpu", "a_mem"))) == ("service",)
    assert levels_of(answers(service("a"), columns=("a_cpu",), metric=True)) == (
        "service",
        "metric",
    )
    assert levels_of(answers(Entity("node", "worker-02")), objects=True) == (
        "object",
        "object+fault",
    )
