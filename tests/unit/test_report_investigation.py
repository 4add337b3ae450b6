"""The path from a case to a report, on planted worlds whose cause is known."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aiops import plugins
from aiops.analyze.explain import explain
from aiops.app.evidence import resolve
from aiops.app.investigate import investigate
from aiops.errors import AnalysisFailed
from aiops.model import CaseData, Evidence, Ranking, Report, Suspect, Window
from aiops.model.entity import Indicator
from aiops_datasets.synthetic import plant, specified


def case_of(spec: str) -> CaseData:
    return plant(specified(spec)).data


class Fixed:
    """An analyzer that answers what it is told to."""

    name = "fixed"

    def __init__(self, ranking: Ranking) -> None:
        self.ranking = ranking

    def rank(self, case: CaseData, *, seed: int = 0) -> Ranking:
        return self.ranking


class Failing:
    name = "failing"

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    def rank(self, case: CaseData, *, seed: int = 0) -> Ranking:
        raise self.failure


def accusing(case: CaseData, column: str, **more: object) -> Ranking:
    table = case.window.metrics
    assert table is not None
    (series,) = (each for each in table.series if each.column == column)
    suspect = Suspect(series.entity, Indicator("metric", series.metric), score=9.0, confidence=0.9)
    return replace(
        Ranking("root_cause", (suspect,), onset=case.trigger.at),
        **more,  # type: ignore[arg-type]
    )


def referenced(report: Report) -> set[str]:
    groups = (report.root_causes, report.propagation, report.alerts_explained, report.ruled_out)
    return {each for item in itertools.chain(*groups) for each in item.evidence}


@pytest.fixture(scope="module")
def delayed() -> tuple[CaseData, Report]:
    case = case_of("synthetic:7:network_delay")
    return case, investigate(case, plugins.analyzer("aiops"), explain=explain)


@pytest.mark.parametrize("spec", ["synthetic:7:network_delay", "synthetic:3", "synthetic:11:cpu"])
@pytest.mark.parametrize("method", ["aiops", "nsigma"])
def test_every_evidence_id_exists_and_resolves_to_samples_of_its_window(
    spec: str, method: str
) -> None:
    case = case_of(spec)
    report = investigate(case, plugins.analyzer(method), explain=explain)
    ids = [item.id for item in report.evidence]
    assert ids
    assert len(set(ids)) == len(ids)
    assert referenced(report) <= set(ids)
    for item in report.evidence:
        found = resolve(case, item)
        assert len(found.times) > 0  # type: ignore[union-attr]
        assert item.window.start.timestamp() <= found.times[0]  # type: ignore[union-attr]
        assert found.times[-1] <= item.window.end.timestamp()  # type: ignore[union-attr]


def test_the_summary_says_what_moved_from_what_to_what_when_and_what_would_refute_it(
    delayed: tuple[CaseData, Report],
) -> None:
    _, report = delayed
    cause = report.root_causes[0].entity.name
    assert report.summary.startswith(f"{cause} is the most likely root cause")
    assert "rose from 11 ms to 257 ms" in report.summary
    assert "the alert" in report.summary
    assert "Confidence is" in report.summary
    assert "It would be refuted if" in report.summary


def test_services_that_only_wait_for_the_culprit_are_ruled_out_with_the_reason(
    delayed: tuple[CaseData, Report],
) -> None:
    case, report = delayed
    cause = report.root_causes[0].entity.name
    graph = case.window.graph
    assert graph is not None
    callers = {call.source.name for call in graph.calls if call.target.name == cause}
    reasons = {each.entity.name: each.reason for each in report.ruled_out}
    assert callers
    for caller in callers:
        assert f"it calls {cause}" in reasons[caller]
    assert cause not in reasons


def test_what_was_not_recorded_is_told(delayed: tuple[CaseData, Report]) -> None:
    _, report = delayed
    assert set(report.subject.missing) == {"logs", "traces", "cluster_state", "changes"}
    assert any(line.startswith("No logs were recorded") for line in report.unknowns)
    assert not any(line.startswith("No metrics were recorded") for line in report.unknowns)


def test_notes_of_the_loader_and_of_the_method_reach_the_report_once() -> None:
    case = replace(case_of("synthetic:7:cpu"), notes=("Times are milliseconds.", "Twice."))
    ranking = Ranking("inconclusive", (), notes=("Twice.", "Two columns dropped."))
    report = investigate(case, Fixed(ranking))
    assert report.notes == ("Times are milliseconds.", "Twice.", "Two columns dropped.")


def test_a_method_that_fails_is_named_and_the_report_is_still_made() -> None:
    case = case_of("synthetic:7:cpu")
    report = investigate(case, Failing(AnalysisFailed("too few rows")), explain=explain)
    assert report.verdict == "inconclusive"
    assert report.root_causes == ()
    assert [(each.step, each.reason) for each in report.failed_steps] == [("rank", "too few rows")]
    assert "too few rows" in report.summary


def test_an_unexpected_numerical_failure_is_named_as_a_defect() -> None:
    report = investigate(case_of("synthetic:7:cpu"), Failing(ZeroDivisionError("division by zero")))
    assert report.failed_steps[0].reason == "unexpected ZeroDivisionError: division by zero"


def test_a_failed_explanation_costs_the_propagation_but_not_the_cause() -> None:
    case = case_of("synthetic:7:cpu")

    def broken(case: CaseData, ranking: Ranking, *, seed: int = 0) -> Ranking:
        raise AnalysisFailed("no rank")

    report = investigate(case, plugins.analyzer("aiops"), explain=broken)
    assert report.verdict == "root_cause"
    assert [each.step for each in report.failed_steps] == ["explain"]


def test_evidence_that_points_at_nothing_is_dropped_and_the_failure_is_told() -> None:
    case = case_of("synthetic:7:cpu")
    window = Window(case.window.start, case.window.end)
    invented = Evidence("E1", "metric", "It was the moon.", "metrics", window, "moon_phase")
    plain = accusing(case, "granite_cpu")
    (suspect,) = plain.suspects
    ranking = replace(plain, suspects=(replace(suspect, evidence=("E1",)),), evidence=(invented,))
    report = investigate(case, Fixed(ranking))
    assert "moon" not in "".join(item.claim for item in report.evidence)
    assert [each.step for each in report.failed_steps] == ["evidence"]
    assert "moon_phase" in report.failed_steps[0].reason


def test_a_method_that_only_scores_gets_evidence_with_the_values_it_moved_between() -> None:
    case = case_of("synthetic:7:cpu")
    report = investigate(case, Fixed(accusing(case, "granite_cpu")))
    (cause,) = report.root_causes
    assert cause.evidence == ("E1",)
    assert report.evidence[0].claim.startswith("cpu of granite rose from 15.4 % to 87.7 %")


def test_a_service_that_moved_before_the_accused_is_held_against_the_verdict() -> None:
    case = case_of("synthetic:7:network_delay")
    late = accusing(case, "umber_latency_p50")
    began = case.window.start + timedelta(seconds=311)
    report = investigate(case, Fixed(replace(late, onset=began)))
    assert "Against it stands that latency_p50 of granite" in report.summary


def test_a_method_without_probabilities_is_not_given_any() -> None:
    case = case_of("synthetic:7:cpu")
    ranking = accusing(case, "granite_cpu")
    bare = replace(ranking, suspects=(replace(ranking.suspects[0], confidence=0.0),))
    report = investigate(case, Fixed(bare))
    assert report.root_causes[0].confidence is None
    assert "gives no probability" in report.summary


def test_a_healthy_window_accuses_nobody() -> None:
    case = case_of("synthetic:7:healthy")
    report = investigate(case, Fixed(Ranking("healthy", accusing_none(case))), explain=explain)
    assert report.verdict == "healthy"
    assert report.summary.startswith("No fault found")
    assert report.alerts_explained == ()
    assert report.impact.affected is None


def accusing_none(case: CaseData) -> tuple[Suspect, ...]:
    table = case.window.metrics
    assert table is not None
    return tuple(
        Suspect(each.entity, Indicator("metric", each.metric), score=0.1) for each in table.series
    )


def test_at_most_the_asked_number_of_services_is_listed() -> None:
    case = case_of("synthetic:7:cpu")
    report = investigate(case, plugins.analyzer("aiops"), top=2)
    assert [cause.rank for cause in report.root_causes] == [1, 2]


def test_the_same_case_seed_and_clock_give_the_same_report() -> None:
    case = case_of("synthetic:7:network_delay")

    def once() -> Report:
        ticks = itertools.count()
        return investigate(
            case, plugins.analyzer("aiops"), explain=explain, seed=5, clock=lambda: next(ticks)
        )

    first, second = once(), once()
    assert first == second
    assert first.timings.total_s > 0


def test_a_case_without_any_time_of_alert_or_onset_still_gives_a_report() -> None:
    case = case_of("synthetic:7:cpu")
    quiet = replace(case, trigger=replace(case.trigger, at=None))
    report = investigate(quiet, Fixed(Ranking("inconclusive", accusing_none(case))))
    assert report.onset is None
    assert any("time of the alert is not known" in line for line in report.unknowns)
    assert datetime(2000, 1, 1, tzinfo=UTC) < report.subject.window.start
