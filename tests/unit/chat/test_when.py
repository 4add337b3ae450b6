"""Times in questions, as people write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.app.chat.when import when_of
from aiops.app.chat.wording import sentence

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)


def asked(text: str) -> tuple[str, str] | None:
    found = when_of(sentence(text), NOW)
    return found and (f"{found.window.start:%d %H:%M}", f"{found.window.end:%d %H:%M}")


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("logs of basket around 3am", ("20 02:45", "20 03:15")),
        ("logs of basket at 11:50?", ("20 11:35", "20 12:05")),
        ("logs at 3pm", ("19 14:45", "19 15:15")),
        ("logs at 12am", ("19 23:45", "20 00:15")),
        ("logs at midnight", ("19 23:45", "20 00:15")),
        ("logs at noon UTC", ("20 11:45", "20 12:15")),
        ("what happened yesterday at 14:00", ("19 13:45", "19 14:15")),
        ("what happened at 14:00 yesterday", ("19 13:45", "19 14:15")),
        ("logs between 11:40 and 11:50", ("20 11:40", "20 11:50")),
        ("logs from 12:10 to 12:40", ("20 12:10", "20 12:20")),
        ("logs between 23:50 and 00:10", ("19 23:50", "20 00:10")),
        ("logs from 9am until 10am on 2026-11-18", ("18 09:00", "18 10:00")),
        ("errors in the last 5 minutes", ("20 12:15", "20 12:20")),
        ("logs of the last hour", ("20 11:20", "20 12:20")),
        ("errors for the past 2h", ("20 10:20", "20 12:20")),
        ("what broke 2 hours ago", ("20 10:05", "20 10:35")),
        ("what broke an hour ago", ("20 11:05", "20 11:35")),
        ("logs since 11:00", ("20 11:00", "20 12:20")),
        ("logs after 11:00", ("20 11:00", "20 11:30")),
        ("logs before 11:00", ("20 10:30", "20 11:00")),
        ("what happened last night?", ("19 18:00", "20 06:00")),
        ("what happened this morning?", ("20 06:00", "20 12:00")),
        ("what happened yesterday?", ("19 00:00", "20 00:00")),
        ("what happened on 2026-11-18", ("18 00:00", "19 00:00")),
        ("logs at 00:05 on 0001-01-01", ("01 00:00", "02 00:00")),
    ],
)
def test_a_time_is_read_as_the_latest_that_is_over(text: str, window: tuple[str, str]) -> None:
    assert asked(text) == window


@pytest.mark.parametrize(
    "text",
    [
        "since when?",
        "why is it slow",
        "compare it with yesterday",
        "is it slower than yesterday",
        "what changed since yesterday?",
        "has this happened before 2 people saw it",
        "what happened at 25:00",
        "what happened on 2026-13-45",
        "what happens on 2030-01-01",
        "scale it to 5",
        "logs at 3",
    ],
)
def test_what_is_no_time_that_is_over_is_none(text: str) -> None:
    assert asked(text) is None


def test_the_words_that_say_it_are_known_by_their_places() -> None:
    words = sentence("logs of basket around 3am please")
    found = when_of(words, NOW)
    assert found is not None
    assert [words.said[place] for place in sorted(found.places)] == ["around", "3am"]


@given(st.text(alphabet="0123456789:.-apmh lastgobetwndfruiy", max_size=60))
def test_a_window_never_reaches_into_the_future(text: str) -> None:
    found = when_of(sentence(text), NOW)
    if found is not None:
        assert found.window.start < found.window.end <= NOW
