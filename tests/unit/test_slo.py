"""Objectives: their file, burn rates, alerts, and what a report says of users."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops import plugins
from aiops.analyze.slo import (
    DAY,
    HOUR,
    RULES,
    Events,
    budget_burnt,
    burn_alerts,
    burn_rate,
    events_of,
    impact_of,
)
from aiops.app import slos
from aiops.app.investigate import investigate
from aiops.app.slos import load_slos, with_planned_work
from aiops.errors import InvalidData
from aiops.model import CaseData, Entity, MetricTable, Series, TelemetryWindow, Trigger
from aiops.model.alert import AlertKey, Matcher, Silence
from aiops.model.slo import EventRatio, Limit, Slo

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
ZERO = START.timestamp()
ERRORS = Slo(
    "cart-errors", "cart", "availability", EventRatio("requests", "errors", False), 0.999, 30 * DAY
)
SLOW = Slo("cart-slow", "cart", "latency", Limit("p95", 0.3), 0.99, 30 * DAY)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def table(step: float, **columns: list[float]) -> MetricTable:
    """Rows ``step`` seconds apart; column names end in __instance where there are several."""
    names = [name.partition("__")[0] for name in columns]
    values = np.array(list(columns.values()), dtype=float).T
    series = tuple(
        Series(Entity("service", "cart"), name, column)
        for name, column in zip(names, columns, strict=True)
    )
    return MetricTable(ZERO + step * np.arange(len(values)), values, series)


def steady(hours: float, error_share: float, last_s: float | None = None) -> MetricTable:
    """100 requests a second; so many fail, all the time or in the last seconds only."""
    rows = int(hours * 60) + 1
    errors = np.full(rows, 100 * error_share)
    if last_s is not None:
        errors[: rows - int(last_s / 60)] = 0
    return table(60, requests=[100.0] * rows, errors=errors.tolist())


# ---- burn rates


@pytest.mark.parametrize(("objective", "share", "expected"), [(0.999, 0.001, 1), (0.99, 0.5, 50)])
def test_a_burn_rate_is_how_many_times_more_fails_than_may(objective, share, expected):
    slo = Slo("s", "cart", "availability", EventRatio("requests", "errors", False), objective, DAY)
    events = events_of(slo, steady(2, share))
    assert burn_rate(events, slo, ZERO + 2 * HOUR, HOUR) == pytest.approx(expected)


def test_a_burn_rate_of_one_uses_up_the_budget_of_the_period():
    events = events_of(ERRORS, steady(24, 0.001))
    assert budget_burnt(events, ERRORS, ZERO, ZERO + DAY) == pytest.approx(1 / 30)


def test_where_nothing_happened_there_is_no_burn_rate():
    events = events_of(ERRORS, table(60, requests=[0, 0, 0], errors=[0, 0, 0]))
    assert burn_rate(events, ERRORS, ZERO + 120, HOUR) is None
    assert budget_burnt(events, ERRORS, ZERO, ZERO + 120) is None


def test_minutes_of_telemetry_do_not_speak_for_days():
    events = events_of(ERRORS, steady(1, 0.01))
    assert burn_rate(events, ERRORS, ZERO + HOUR, HOUR) == pytest.approx(10)
    assert burn_rate(events, ERRORS, ZERO + HOUR, 10 * HOUR) == pytest.approx(1)


def test_good_events_count_as_well_as_bad_ones():
    good = Slo("s", "cart", "availability", EventRatio("requests", "fine", True), 0.999, DAY)
    events = events_of(good, table(1, requests=[10, 10, 10], fine=[10, 9, 5]))
    assert events.bad.tolist() == [0, 1, 5]


def test_counters_are_read_as_their_increase_over_restarts_and_gaps():
    ratio = EventRatio("requests_total", "errors_total", counts_good=False)
    slo = Slo("s", "cart", "availability", ratio, 0.9, DAY)
    events = events_of(
        slo,
        table(
            1,
            requests_total__a=[100, 110, np.nan, 130, 5],
            requests_total__b=[0, 1, 2, 3, 4],
            errors_total=[7, 7, 8, 8, 2],
        ),
    )
    assert events.total.tolist() == [0, 11, 1, 21, 6]
    assert events.bad.tolist() == [0, 0, 1, 0, 2]


def test_no_series_of_failures_means_that_nothing_failed_and_no_series_of_requests_nothing():
    assert events_of(ERRORS, table(1, requests=[5, 5])).bad.tolist() == [0, 0]
    assert events_of(ERRORS, table(1, errors=[5, 5])) is None
    assert events_of(SLOW, table(1, requests=[5, 5])) is None


def test_time_above_a_limit_is_bad_and_time_without_samples_is_neither():
    events = events_of(SLOW, table(10, p95=[0.1, 0.4, np.nan, np.nan, np.nan, 0.4, 0.3]))
    assert events.bad.tolist() == [0, 10, 0, 0, 0, 20, 0]
    assert events.total.tolist() == [10, 10, 0, 0, 0, 20, 10]


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=50), st.data())
def test_whatever_the_metrics_bad_events_are_between_none_and_all(requests, data):
    errors = data.draw(st.lists(st.floats(0, 1e6), min_size=len(requests), max_size=len(requests)))
    events = events_of(ERRORS, table(1, requests=requests, errors=errors))
    assert (events.bad >= 0).all()
    assert (events.bad <= events.total).all()
    rate = burn_rate(events, ERRORS, ZERO + len(requests), 1e4)
    assert rate is None or 0 <= rate <= 1 / (1 - ERRORS.objective) * (1 + 1e-9)


# ---- alerts


def test_the_rules_are_those_of_the_workbook_for_thirty_days():
    assert [rule.threshold(30 * DAY) for rule in RULES] == pytest.approx([14.4, 6, 3, 1])
    assert [(rule.long_s / HOUR, rule.short_s / HOUR) for rule in RULES] == [
        (1, pytest.approx(1 / 12)),
        (6, 0.5),
        (24, 2),
        (72, 6),
    ]


@pytest.mark.parametrize(
    ("rate", "severity"),
    [(15, "SEV1"), (14, "SEV2"), (6.5, "SEV2"), (3.5, "SEV3"), (1.5, "SEV4"), (0.9, None)],
)
def test_the_faster_the_budget_burns_the_more_urgent_is_the_alert(rate, severity):
    found = burn_alerts([ERRORS], steady(72, 0.001 * rate), at(72 * HOUR))
    assert [each.severity for each in found] == ([severity] if severity else [])


def test_an_alert_says_which_objective_of_which_service_burns():
    (alert,) = burn_alerts([ERRORS], steady(72, 0.015), at(72 * HOUR))
    assert (alert.key, alert.status) == (AlertKey("slo", "cart-errors"), "firing")
    assert alert.entity == Entity("service", "cart")
    assert alert.summary == (
        "cart-errors (99.9 % over 30 d): the error budget burns 15 times too fast over 60 min"
    )


def test_what_burnt_and_stopped_no_longer_alerts():
    metrics = steady(2, 0.5, last_s=20 * 60)
    over = table(
        60,
        requests=[*metrics.values[:, 0], *[100.0] * 10],
        errors=[*metrics.values[:, 1], *[0.0] * 10],
    )
    assert burn_alerts([ERRORS], metrics, at(2 * HOUR))[0].severity == "SEV1"
    found = burn_alerts([ERRORS], over, at(2 * HOUR + 600))
    assert [each.severity for each in found] == ["SEV2"], "of the last five minutes all are good"


def test_an_alert_that_fired_is_ended_once_and_stays_where_metrics_are_gone():
    key = AlertKey("slo", "cart-errors")
    (ended,) = burn_alerts([ERRORS], steady(2, 0.0), at(2 * HOUR), [key])
    assert (ended.key, ended.status, ended.ends_at) == (key, "resolved", at(2 * HOUR))
    assert burn_alerts([ERRORS], steady(2, 0.0), at(2 * HOUR)) == ()
    assert burn_alerts([ERRORS], table(1, other=[1, 1]), at(1), [key]) == ()


# ---- impact


def test_the_impact_is_that_of_the_objective_that_lost_most():
    metrics = table(
        60,
        requests=[100.0] * 61,
        errors=[0.0] * 31 + [10.0] * 30,
        p95=[0.1] * 60 + [0.5],
    )
    impact = impact_of(metrics, [SLOW, ERRORS], None, at(1800), at(3600))
    assert impact.slo == "cart-errors (99.9 % over 30 d)"
    assert impact.affected == (
        "10 % of requests to cart failed (18,000 of 180,000): 6.94 % of the error budget"
    )
    assert impact.budget_burnt == pytest.approx(100 * 0.5 * HOUR / (30 * DAY))
    slow = impact_of(metrics, [SLOW], {"cart"}, at(0), at(3600))
    assert slow.affected == (
        "p95 of cart above 0.3 for 60 s of 60 min: 0.231 % of the error budget"
    )


def test_nothing_lost_or_nothing_known_is_no_impact():
    metrics = steady(1, 0.0)
    assert impact_of(metrics, [ERRORS], None, at(0), at(3600)) is None
    assert impact_of(steady(1, 0.5), [ERRORS], {"queue"}, at(0), at(3600)) is None
    assert impact_of(steady(1, 0.5), [], None, at(0), at(3600)) is None


def test_planned_work_burns_no_budget_of_the_services_it_keeps_quiet():
    def work(service: str, maintenance: bool) -> Silence:
        matchers = (Matcher("service", service),)
        return Silence("s", matchers, at(1800), at(3600), "ana", "move", maintenance)

    metrics = steady(2, 0.5)
    (planned,) = with_planned_work([ERRORS], [work("cart", True)])
    assert impact_of(metrics, [planned], None, at(1800), at(3600)) is None
    whole = impact_of(metrics, [ERRORS], None, at(0), at(7200))
    rest = impact_of(metrics, [planned], None, at(0), at(7200))
    assert "of 720,000)" in whole.affected
    assert "of 534,000)" in rest.affected, "both ends of the work are left out"
    assert with_planned_work([ERRORS], [work("queue", True), work("cart", False)]) == (ERRORS,)


def test_a_budget_is_burnt_at_most_whole():
    short = Slo("s", "cart", "availability", ERRORS.sli, 0.999, HOUR)
    assert impact_of(steady(1, 0.5), [short], None, at(0), at(3600)).budget_burnt == 1.0


def test_a_report_says_what_users_felt():
    metrics = table(10, requests=[100.0] * 120, errors=[0.0] * 60 + [30.0] * 60)
    window = TelemetryWindow(at(0), at(1190), metrics=metrics)
    case = CaseData("c1", window, Trigger(at(600)))
    analyzer = plugins.analyzer("aiops")
    with_slo = investigate(case, analyzer, slos=[ERRORS]).impact
    assert with_slo.slo == "cart-errors (99.9 % over 30 d)"
    assert with_slo.affected.startswith("30 % of requests to cart failed")
    assert with_slo.affected.endswith("services moved: cart")
    assert with_slo.budget_burnt > 0.05
    assert investigate(case, analyzer).impact.budget_burnt is None


# ---- the file

GOOD = """
slos:
  - name: cart-errors
    service: cart
    sli: {kind: availability, total: requests, bad: errors}
    objective: 99.9
    window: 30d
  - name: cart-slow
    service: cart
    sli: {kind: latency, metric: p95, at_most: 0.3}
    objective: 99
    window: 30d
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "slos.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_objectives_are_read_from_a_file(tmp_path):
    assert load_slos(written(tmp_path, GOOD)) == (ERRORS, SLOW)


def test_the_example_of_the_documentation_can_be_read(tmp_path):
    example = dedent(slos.__doc__.partition("::\n")[2].partition("\nMetrics are")[0])
    assert [slo.period_s / DAY for slo in load_slos(written(tmp_path, example))] == [30, 28]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("objective: 99.9", "objective: 0.9995", r"slos\[0\]\.objective: .* 99.95, not 0.9995"),
        ("objective: 99.9", "objective: 100", r"slos\[0\]\.objective: .* less than 100"),
        ("objective: 99.9", "objective: high", r"slos\[0\]\.objective: .* valid number"),
        ("objective: 99.9", "objektive: 99.9", r"slos\[0\]\.objective: Field required"),
        ("at_most: 0.3}", "at_most: .nan}", r"slos\[1\]\.sli\.at_most: .* finite number"),
        (", bad: errors}", "}", r"slos\[0\]\.sli: give either 'total' and one of"),
        ("bad: errors}", "bad: errors, good: fine}", r"slos\[0\]\.sli: give either"),
        ("bad: errors}", "bad: errors, metric: p95}", r"slos\[0\]\.sli: give either"),
        ("metric: p95, at_most: 0.3", "metric: p95", r"slos\[1\]\.sli: give either"),
        ("kind: latency", "kind: joy", r"slos\[1\]\.sli\.kind: .* 'availability' or 'latency'"),
        ("window: 30d", "window: 0d", r"slos\[0\]\.window: "),
        ("window: 30d", "window: month", r"slos\[0\]\.window: "),
        ("name: cart-slow", "name: cart-errors", "two objectives are called 'cart-errors'"),
        ("name: cart-slow", "name: ''", r"slos\[1\]\.name: .* at least 1 character"),
        ("name: cart-slow", "name: [", "is no YAML: .* line "),
        ("slos:", "objectives:", "slos: Field required"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_by_its_key(tmp_path, old, new, reason):
    with pytest.raises(InvalidData, match=reason):
        load_slos(written(tmp_path, GOOD.replace(old, new, 1)))


@pytest.mark.parametrize("content", [b"", b"[]", b"slos: 5", b"\xff\xfe", b"a: b: c", b"x" * 10])
def test_what_is_no_file_of_objectives_is_said_in_one_line(tmp_path, content):
    path = tmp_path / "slos.yaml"
    path.write_bytes(content)
    with pytest.raises(InvalidData) as failure:
        load_slos(path)
    assert "\n" not in str(failure.value)
    assert str(failure.value).startswith(str(path))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidData, match=r"nowhere\.yaml: cannot be read: No such file"):
        load_slos(tmp_path / "nowhere.yaml")


def test_events_before_the_first_row_are_none():
    events = Events(np.array([ZERO]), np.array([1.0]), np.array([2.0]))
    assert events.between(ZERO - 10, ZERO - 5) == (0.0, 0.0)
    assert events.between(ZERO - 5, ZERO) == (1.0, 2.0)
