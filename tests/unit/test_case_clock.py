"""The unit of a time column is told from its values."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_datasets import clock

SCALES = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
DATES = st.datetimes(
    min_value=datetime(1974, 1, 1),  # noqa: DTZ001  hypothesis wants naive bounds
    max_value=datetime(2260, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(when=DATES, unit=st.sampled_from(sorted(SCALES)))
def test_every_wall_clock_unit_is_recognised(when: datetime, unit: str) -> None:
    count = when.timestamp() * SCALES[unit]
    found = clock.detect(count)
    assert (found.unit, found.relative) == (unit, False)
    assert count * found.scale == pytest.approx(when.timestamp(), abs=1e-3)


@given(st.floats(min_value=-1e7, max_value=9.9e7))
def test_small_counts_are_relative_seconds(count: float) -> None:
    assert clock.detect(count).relative


@given(when=DATES, column=st.sampled_from(sorted(SCALES)), alert=st.sampled_from(sorted(SCALES)))
def test_an_alert_time_in_another_unit_than_the_column_means_the_same_moment(
    when: datetime, column: str, alert: str
) -> None:
    unix = when.timestamp()
    rhythm = clock.detect(unix * SCALES[column])
    assert clock.seconds(unix * SCALES[alert], rhythm) == pytest.approx(unix, abs=1e-3)


def test_an_alert_time_on_a_relative_clock_is_taken_as_it_is() -> None:
    assert clock.seconds(150.0, clock.detect(0.0)) == 150.0


@given(DATES)
def test_iso_dates_are_read_back(when: datetime) -> None:
    assert clock.parse_iso(when.isoformat()) == when.timestamp()


def test_an_iso_date_without_a_zone_is_utc() -> None:
    assert clock.parse_iso("2024-05-01 10:00:00") == clock.parse_iso("2024-05-01T12:00:00+02:00")


def test_the_sentence_for_a_report_names_column_and_unit() -> None:
    assert clock.detect(1.7e12).sentence("ts") == "time column 'ts' counts milliseconds since 1970"
