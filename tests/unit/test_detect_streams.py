"""Thresholds from tails, seasons, incidents, and the one pass over all of them."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.analyze.detect.incidents import MERGE_WITHIN, IncidentLog
from aiops.analyze.detect.onepass import Localised, OnePass, aligned
from aiops.analyze.detect.pot import RESET_AFTER, Pot
from aiops.analyze.detect.seasonal import SeasonalBaseline
from aiops.errors import AnalysisFailed
from aiops.model import Entity, FaultType, MetricTable, Series

RNG = np.random.default_rng


def test_a_threshold_is_passed_about_as_often_as_the_risk_says() -> None:
    samples = RNG(0).exponential(size=(21_000, 4))
    pot = Pot(samples[:1000], risk=1e-3, drift=False)
    alarms = np.array([pot.step(sample) for sample in samples[1000:]])
    assert 0.0003 < alarms.mean() < 0.003


def test_a_jump_is_anomalous_and_the_samples_before_it_are_not() -> None:
    samples = RNG(1).normal(size=(400, 1))
    samples[300:320] += 30
    pot = Pot(samples[:200])
    alarms = np.array([pot.step(sample)[0] for sample in samples[200:]])
    assert alarms[100:120].all()
    assert not alarms[:100].any()
    assert not alarms[120:].any()


def test_a_slow_drift_does_not_blind_a_threshold_that_follows_it() -> None:
    samples = RNG(2).normal(size=(4000, 1)) + np.linspace(0, 40, 4000)[:, None]
    following, fixed = (Pot(samples[:500], drift=drift) for drift in (True, False))
    alarms = np.array([[p.step(s)[0] for p in (following, fixed)] for s in samples[500:]])
    assert alarms[:, 0].mean() < 0.02
    jump = samples[-1] + 15
    assert following.step(jump)[0]
    assert not fixed.step(jump)[0]


def test_a_new_level_that_stays_becomes_the_level() -> None:
    samples = RNG(3).normal(size=(900, 1))
    samples[300:] += 25
    pot = Pot(samples[:200])
    alarms = np.array([pot.step(sample)[0] for sample in samples[200:]])
    assert alarms[100 : 100 + RESET_AFTER].all()
    assert alarms[100 + RESET_AFTER :].mean() < 0.02
    assert pot.resets[0] == 1


def test_each_stream_has_a_threshold_of_its_own_and_order_does_not_matter() -> None:
    samples = RNG(4).normal(size=(300, 3)) * [1, 10, 100]
    together, mirrored = Pot(samples), Pot(samples[:, ::-1])
    assert (np.diff(together.thresholds) > 0).all()
    np.testing.assert_array_equal(together.thresholds, mirrored.thresholds[::-1])


def test_missing_samples_are_never_anomalous_and_teach_nothing() -> None:
    samples = RNG(5).normal(size=(200, 2))
    pot = Pot(samples)
    before = pot.thresholds.copy()
    assert not pot.step(np.array([np.nan, np.nan])).any()
    np.testing.assert_array_equal(pot.thresholds, before)


def test_one_sample_cannot_calibrate() -> None:
    with pytest.raises(ValueError, match="1 samples cannot calibrate"):
        Pot(np.zeros((1, 3)))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.floats(min_value=-1e12, max_value=1e12) | st.just(float("nan")),
        min_size=2,
        max_size=40,
    )
)
def test_any_calibration_gives_a_finite_threshold(values: list[float]) -> None:
    pot = Pot(np.array(values)[:, None])
    for value in values:
        pot.step(np.array([value]))
    assert np.isfinite(pot.thresholds).all()


def test_a_daily_rhythm_is_usual_and_a_spike_on_it_is_not() -> None:
    times = np.arange(0.0, 5 * 86_400, 300.0)
    values = 100 * np.sin(2 * np.pi * times / 86_400)[:, None]
    season = SeasonalBaseline(86_400, 300, 1)
    for time, value in zip(times, values, strict=True):
        season.learn(float(time), value)
    later = 6 * 86_400 + 6 * 3600.0
    assert abs(season.residual(later, np.array([100.0]))[0]) < 1
    assert season.residual(later, np.array([160.0]))[0] > 50


def test_a_season_without_length_is_refused() -> None:
    with pytest.raises(ValueError, match="no phases"):
        SeasonalBaseline(0, 60, 1)


def test_anomalies_within_ten_minutes_are_one_incident_and_later_ones_another() -> None:
    log = IncidentLog()
    bursts = [*range(5), *range(300, 305), *range(2000, 2005)]
    for second in range(2100):
        log.step(float(second), second in bursts)
    spans = [(incident.start, incident.end) for incident in log.all()]
    assert spans == [(0.0, 304.0), (2000.0, 2004.0)]
    assert spans[1][0] - spans[0][1] > MERGE_WITHIN


def test_two_stray_anomalies_are_no_incident() -> None:
    log = IncidentLog()
    confirmed = [log.step(float(second), second in (3, 4, 50)) for second in range(60)]
    assert not any(confirmed)
    assert log.all() == ()


def table(rows: int, services: int = 6, *, interval: float = 1.0, seed: int = 0) -> MetricTable:
    """Steady noise: cpu, memory and latency of each service."""
    rng = RNG(seed)
    names = [(f"s{i}", metric) for i in range(services) for metric in ("cpu", "mem", "latency")]
    values = rng.normal(
        [10 if metric == "cpu" else 100 for _, metric in names], 1.0, (rows, 3 * services)
    )
    series = tuple(
        Series(Entity("service", name), metric, f"{name}_{metric}") for name, metric in names
    )
    return MetricTable(np.arange(rows) * interval, values, series)


def passed(whole: MetricTable, healthy: int) -> tuple[OnePass, tuple[Localised, ...]]:
    detector = OnePass(whole.between(-np.inf, float(whole.times[healthy])))
    for time, row in zip(whole.times[healthy:].tolist(), whole.values[healthy:], strict=True):
        detector.step(time, row)
    return detector, detector.finish()


def hogged() -> MetricTable:
    whole = table(400)
    column = [one.column for one in whole.series].index("s3_cpu")
    whole.values[250:, column] += 60
    return whole


def test_one_pass_finds_when_who_and_what() -> None:
    _, found = passed(hogged(), 150)
    (incident,) = found
    assert 250 <= incident.incident.detected <= 255
    assert incident.suspects[0][0] == "s3"
    assert incident.fault_types[0][0] == FaultType.CPU


def test_a_healthy_stream_raises_no_incident() -> None:
    for seed in range(5):
        assert passed(table(1200, seed=seed), 200)[1] == ()


def test_the_order_of_the_columns_does_not_matter() -> None:
    whole = hogged()
    mixed = whole.take(RNG(9).permutation(len(whole.series)))
    one, other = passed(whole, 150)[1], passed(mixed, 150)[1]
    assert one[0].incident == other[0].incident
    assert one[0].suspects == other[0].suspects
    np.testing.assert_array_equal(one[0].profile, other[0].profile)


def test_gaps_and_columns_without_samples_do_no_harm() -> None:
    whole = hogged()
    whole.values[RNG(7).random(whole.values.shape) < 0.15] = np.nan
    whole.values[:, 0] = np.nan
    assert passed(whole, 150)[1][0].suspects[0][0] == "s3"


def test_the_profiles_of_two_kinds_of_fault_differ() -> None:
    leaking = table(400)
    column = [one.column for one in leaking.series].index("s3_mem")
    leaking.values[250:, column] += 60
    hog, leak = passed(hogged(), 150)[1][0], passed(leaking, 150)[1][0]
    assert np.argmax(hog.profile) != np.argmax(leak.profile)


def test_a_seasonal_stream_is_watched_by_its_season() -> None:
    whole = table(4000, interval=60.0)
    whole.values[:] += 50 * np.sin(2 * np.pi * whole.times / 36_000)[:, None]
    column = [one.column for one in whole.series].index("s3_cpu")
    whole.values[3000:3030, column] += 40
    detector = OnePass(whole.between(-np.inf, 1800 * 60.0), season=36_000)
    for time, row in zip(whole.times[1800:].tolist(), whole.values[1800:], strict=True):
        detector.step(time, row)
    (incident,) = detector.finish()
    assert incident.suspects[0][0] == "s3"
    assert 3000 * 60 <= incident.incident.start <= 3003 * 60


def test_two_incidents_in_one_stream_are_localised_apart() -> None:
    whole = table(2600)
    names = [one.column for one in whole.series]
    whole.values[400:440, names.index("s1_cpu")] += 60
    whole.values[1500:1540, names.index("s4_mem")] += 60
    _, found = passed(whole, 300)
    assert [one.suspects[0][0] for one in found] == ["s1", "s4"]


def test_a_level_that_stayed_after_an_incident_is_usual_for_the_next_one() -> None:
    whole = table(2600)
    names = [one.column for one in whole.series]
    whole.values[400:, names.index("s1_cpu")] += 60
    whole.values[1800:, names.index("s4_mem")] += 60
    _, found = passed(whole, 300)
    assert [one.suspects[0][0] for one in found] == ["s1", "s4"]
    delays = [one.incident.detected - at for one, at in zip(found, (400, 1800), strict=True)]
    assert all(0 <= delay < 10 for delay in delays)


def test_too_few_healthy_rows_are_refused_with_what_is_needed() -> None:
    with pytest.raises(AnalysisFailed, match="3 healthy rows; at least 8 are needed"):
        OnePass(table(3))


def test_a_table_without_samples_is_refused() -> None:
    empty = table(20)
    empty.values[:] = np.nan
    with pytest.raises(AnalysisFailed, match="no column holds a sample"):
        OnePass(empty)


def test_a_reference_with_other_columns_is_aligned_by_name() -> None:
    whole = table(20)
    kept = whole.take(np.array([4, 0]))
    found = aligned(kept, whole.series)
    np.testing.assert_array_equal(found.values[:, 4], whole.values[:, 4])
    assert np.isnan(found.values[:, 1]).all()


def test_ten_thousand_series_are_watched_in_bounded_memory() -> None:
    rows, columns = 300, 10_000
    values = RNG(0).normal(size=(rows, columns))
    series = tuple(
        Series(Entity("service", f"s{i % 500}"), f"m{i // 500}", f"c{i}") for i in range(columns)
    )
    detector = OnePass(MetricTable(np.arange(rows, dtype=np.float64), values, series))
    row = values[0]
    tracemalloc.start()
    for second in range(300, 610):
        detector.step(float(second), row)
    first = tracemalloc.get_traced_memory()[0]
    for second in range(610, 700):
        detector.step(float(second), row)
    grown = tracemalloc.get_traced_memory()[0] - first
    tracemalloc.stop()
    assert grown < columns * 8 * 4  # a few rows, whatever the number of samples
