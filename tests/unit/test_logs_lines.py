"""From recorded log tables to lines: blobs, stack traces, times, containers."""

import numpy as np

from aiops.analyze.logs.lines import lines_of, recent
from aiops.model import LogTable


def table(
    messages: list[object],
    times: list[float] | None = None,
    services: list[str] | None = None,
    spans: list[str] | None = None,
) -> LogTable:
    names = services or ["shop"] * len(messages)
    distinct = tuple(dict.fromkeys(names))
    return LogTable(
        times=np.array(times if times is not None else [np.nan] * len(messages)),
        services=distinct,
        service_of=np.array([distinct.index(n) for n in names], dtype=np.int32),
        messages=np.array(messages, dtype=object),
        span_ids=None if spans is None else np.array(spans, dtype=object),
    )


def test_a_java_stack_trace_is_one_line() -> None:
    lines = lines_of(
        table(
            [
                "12:00:01 ERROR checkout failed",
                "java.lang.IllegalStateException: no cart",
                "\tat shop.Cart.load(Cart.java:31)",
                "Caused by: java.net.ConnectException: Connection refused",
                "\t... 12 more",
                "12:00:02 INFO next request",
            ]
        )
    )
    assert len(lines) == 2
    assert lines.folded == 4
    assert "Connection refused" in lines.texts[0]


def test_a_python_traceback_is_one_line() -> None:
    lines = lines_of(
        table(
            ["ERROR:root:boom", "Traceback (most recent call last):", '  File "a.py", line 3', "x"]
        )
    )
    assert [text.split("\n")[0] for text in lines.texts] == ["ERROR:root:boom", "x"]


def test_frames_of_two_services_that_write_at_once_do_not_mix() -> None:
    lines = lines_of(
        table(
            ["A failed", "B failed", "\tat a.A.run(A.java:1)", "\tat b.B.run(B.java:2)"],
            services=["a", "b", "a", "b"],
        )
    )
    assert "A.java" in lines.texts[0]
    assert "B.java" not in lines.texts[0]
    assert "B.java" in lines.texts[1]


def test_a_whole_log_in_one_record_is_split_and_dated_by_its_own_stamps() -> None:
    blob = "2026-01-10T17:00:00+00:00 INFO up\n2026-01-10T17:00:05.123456789Z WARN slow\n"
    lines = lines_of(table([blob]))
    assert lines.split == 1
    assert np.round(np.diff(lines.times), 3).tolist() == [5.123]


def test_a_snapshot_speaks_of_its_last_minutes_only() -> None:
    old, new = "2026-01-08T00:00:00Z ERROR old", "2026-01-10T00:00:00Z ERROR new"
    assert recent(lines_of(table([old, new]))).texts.tolist() == [new]


def test_a_line_without_a_time_takes_that_of_its_span() -> None:
    lines = lines_of(table(["a", "b", "c"], [10.0, np.nan, np.nan], spans=["s", "s", "t"]))
    assert lines.times[1] == 10.0
    assert np.isnan(lines.times[2])
    assert lines.undated == 1


def test_a_sidecar_counts_as_its_service_and_a_stranger_with_a_dot_does_not() -> None:
    lines = lines_of(table(["x", "y", "z"], services=["cart", "cart.proxy", "www.example"]))
    names = [lines.services[i] for i in lines.service_of]
    assert names == ["cart", "cart", "www.example"]


def test_what_kubectl_answers_instead_of_a_log_is_no_line() -> None:
    lines = lines_of(table(['Error from server (BadRequest): container "x" is waiting', "real"]))
    assert lines.texts.tolist() == ["real"]
    assert lines.unreadable == 1
