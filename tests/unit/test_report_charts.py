"""Charts: few points that keep every extreme, axes that can be read."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aiops.analyze.wording import TimeWords, duration, listed, number, percent, plain, quantity
from aiops.app.rendering.axes import Scale, time_ticks, value_range, value_ticks
from aiops.app.rendering.charts import LEFT, LETTER, MOST_POINTS, RIGHT, marks, thinned

FINITE = st.floats(-1e12, 1e12, allow_nan=False).map(lambda x: round(x, 6))


@given(st.lists(FINITE, min_size=1, max_size=3000))
def test_thinning_keeps_the_extremes_the_order_and_the_limit(samples: list[float]) -> None:
    values = np.array(samples)
    times = np.arange(len(values), dtype=float)
    few_times, few = thinned(times, values)
    assert len(few) <= max(MOST_POINTS, 1)
    assert few.max() == values.max()
    assert few.min() == values.min()
    assert (np.diff(few_times) > 0).all()
    assert (values[few_times.astype(int)] == few).all()


@given(FINITE, FINITE, st.sampled_from(["B", "s", "%", "", None]))
def test_value_ticks_lie_on_the_axis_and_are_few(a: float, b: float, unit: str | None) -> None:
    low, high = value_range(min(a, b), max(a, b))
    ticks = value_ticks(Scale(low, high, 200, 0), unit)
    assert 1 <= len(ticks) <= 8
    assert all(-0.2 <= tick.position <= 200.2 for tick in ticks)


def test_neighbouring_ticks_far_above_zero_are_told_apart() -> None:
    ticks = value_ticks(Scale(342.61e6, 342.69e6, 200, 0), "B")
    labels = [tick.label for tick in ticks]
    assert len(set(labels)) == len(labels)
    assert all(label.endswith(" MB") for label in labels)


@given(st.floats(0, 2e9), st.floats(1e-3, 1e8))
def test_time_ticks_lie_in_the_window_and_are_few(start: float, span: float) -> None:
    ticks = time_ticks(Scale(start, start + span, 0, 100), relative_to=None)
    assert len(ticks) <= 6
    assert all(-0.1 <= tick.position <= 100.1 for tick in ticks)


@given(st.lists(st.floats(0, 1000), min_size=2, max_size=2))
def test_labels_of_onset_and_alert_never_run_over_each_other_or_the_edge(at: list[float]) -> None:
    onset, alert = (datetime.fromtimestamp(each, UTC) for each in at)
    drawn = marks(Scale(0, 1000, LEFT, RIGHT), (("onset", onset), ("alert", alert)))
    spans = []
    for mark in drawn:
        width = LETTER * len(mark.label) * (1 if mark.anchor == "start" else -1)
        spans.append(sorted((mark.text_x, mark.text_x + width)))
    assert all(right <= RIGHT for _, right in spans)
    assert all(ours[1] <= theirs[0] for ours, theirs in pairwise(spans))


def test_relative_times_count_from_the_start_of_the_window() -> None:
    ticks = time_ticks(Scale(0, 300, 0, 300), relative_to=0.0)
    assert [tick.label for tick in ticks] == [
        "+0 s",
        "+60 s",
        "+120 s",
        "+180 s",
        "+240 s",
        "+300 s",
    ]


def test_numbers_are_scaled_only_where_the_unit_is_known() -> None:
    assert quantity(342642688, "B") == "343 MB"
    assert quantity(342642688, None) == "343 M"
    assert quantity(0.0123, "s") == "12.3 ms"
    assert quantity(0.0123, None) == "0.0123"
    assert quantity(95.123, "%") == "95.1 %"
    assert quantity(float("nan"), "s") == "no value"


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_number_can_be_printed(value: float) -> None:
    assert number(value)


def test_lengths_of_time_are_in_the_units_of_speech() -> None:
    lengths = (0.34, 12, 200, 3700, 7500, 86400 * 3)
    assert [duration(each) for each in lengths] == [
        "340 ms",
        "12 s",
        "3 min 20 s",
        "61 min 40 s",
        "2 h 5 min",
        "3 d",
    ]


def test_probabilities_never_claim_certainty() -> None:
    assert [percent(each) for each in (0.0, 0.004, 0.5, 1.0)] == [
        "under 1 %",
        "under 1 %",
        "50 %",
        "over 99 %",
    ]


def test_long_lists_are_counted() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(list("abcdef")) == "a, b, c, d and 2 more"


@given(st.text())
def test_plain_text_is_one_printable_line(text: str) -> None:
    assert plain(text) == "" or plain(text).isprintable()
    assert len(plain(text)) == len(text)


def test_a_moment_is_told_relative_to_the_alert() -> None:
    start = datetime(2026, 1, 5, 15, tzinfo=UTC)
    times = TimeWords(start, relative=False)
    alert = start + timedelta(seconds=60)
    assert times.offset(start, alert, "the alert") == "60 s before the alert"
    assert times.offset(alert, alert, "the alert") == "together with the alert"
    assert times.at(alert) == "15:01:00 UTC"
    assert times.at(start + timedelta(days=1)) == "2026-01-06 15:00:00 UTC"
    assert TimeWords(start, relative=True).at(alert) == "+60 s"
