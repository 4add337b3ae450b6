"""Input that is unusual and accepted: the report says how it was read."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
T0 = 1_767_600_000
ROWS = 60


def table(time: Callable[[int], object] = lambda i: T0 + i) -> list[list[str]]:
    """A small incident: db's cpu steps at row 40, web's latency with it."""
    head = ["time", "web_cpu", "web_latency", "db_cpu", "db_memory"]
    rows = [
        [time(i), 20 + i % 3, 5 + 4 * (i >= 40) + i % 2, 10 + 80 * (i >= 40) + i % 4, 500 + i % 5]
        for i in range(ROWS)
    ]
    return [head, *([str(cell) for cell in row] for row in rows)]


def text(rows: list[list[str]]) -> bytes:
    return "".join(",".join(row) + "\n" for row in rows).encode()


def facts(inject_time: float | None) -> str:
    """A case.json; what it answers is none of the reader's business."""
    return json.dumps({"dataset": "made-up", "inject_time": inject_time, "fault_type": "cpu"})


@pytest.fixture
def case(bare: Path) -> Path:
    """A case as it should be."""
    folder = bare / "data" / "made-up" / "case-1"
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_bytes(text(table()))
    (folder / "case.json").write_text(facts(T0 + 40))
    return folder


@pytest.fixture(params=["rca", "investigate"])
def accepted(request: pytest.FixtureRequest, aiops: Run) -> Callable[..., dict[str, Any]]:
    """Runs the command on what it must accept; returns its report."""

    def run(*arguments: object) -> dict[str, Any]:
        done = aiops(request.param, *arguments, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    return run


def notes(report: dict[str, Any]) -> str:
    return "\n".join(report["notes"])


def culprit(report: dict[str, Any]) -> tuple[str, str]:
    first = report["root_causes"][0]
    return first["entity"]["name"], first["indicator"]["name"]


@pytest.mark.parametrize(
    ("scale", "unit"),
    [(1, "seconds"), (10**3, "milliseconds"), (10**6, "microseconds"), (10**9, "nanoseconds")],
)
def test_the_unit_of_time_is_detected_and_said(
    accepted: Callable[..., dict[str, Any]], case: Path, scale: int, unit: str
) -> None:
    (case / "metrics.csv").write_bytes(text(table(lambda i: (T0 + i) * scale)))
    report = accepted(case)  # case.json counts seconds all the same
    assert f"column 'time' counts {unit} since 1970" in notes(report)
    assert culprit(report) == ("db", "cpu")
    assert report["subject"]["trigger"]["at"] == "2026-01-05T08:00:40Z"


def test_dates_are_accepted_and_said(accepted: Callable[..., dict[str, Any]], case: Path) -> None:
    dated = table(lambda i: f"2026-01-05T08:00:{i:02d}Z")
    (case / "metrics.csv").write_bytes(text(dated))
    report = accepted(case)
    assert "ISO 8601" in notes(report)
    assert report["subject"]["window"] == ["2026-01-05T08:00:00Z", "2026-01-05T08:00:59Z"]


def test_relative_time_is_accepted_and_said(
    accepted: Callable[..., dict[str, Any]], case: Path
) -> None:
    (case / "metrics.csv").write_bytes(text(table(lambda i: i)))
    (case / "case.json").write_text(facts(40))
    report = accepted(case)
    assert "time is relative" in notes(report)
    assert report["subject"]["relative"] is True
    assert report["subject"]["window_s"] == [0.0, 59.0]
    assert culprit(report) == ("db", "cpu")


@pytest.mark.parametrize("at", [0, None])
def test_an_alert_at_zero_or_nowhere_is_accepted_and_said(
    accepted: Callable[..., dict[str, Any]], case: Path, at: int | None
) -> None:
    (case / "case.json").write_text(facts(at))
    report = accepted(case)
    assert "alert time is" in notes(report)
    assert report["subject"]["trigger"]["at"] is None
    assert any("time of the alert is not known" in unknown for unknown in report["unknowns"])
    assert culprit(report) == ("db", "cpu")


def test_an_absent_window_is_derived_from_the_data(
    accepted: Callable[..., dict[str, Any]], case: Path
) -> None:
    (case / "case.json").unlink()
    report = accepted(case)
    assert report["subject"]["window"] == ["2026-01-05T08:00:00Z", "2026-01-05T08:00:59Z"]
    assert "window" in notes(report)
    assert culprit(report) == ("db", "cpu")


def test_columns_that_say_nothing_are_dropped_and_listed(
    accepted: Callable[..., dict[str, Any]], case: Path
) -> None:
    rows = table()
    extra = [["db_disk", "web_flat"], *(["", "7"] for _ in range(ROWS))]
    (case / "metrics.csv").write_bytes(
        text([[*row, *more] for row, more in zip(rows, extra, strict=True)])
    )
    report = accepted(case)
    assert "db_disk" in notes(report)
    assert "web_flat" in notes(report)
    assert culprit(report) == ("db", "cpu")


def test_infinite_values_are_read_as_missing_and_said(
    accepted: Callable[..., dict[str, Any]], case: Path
) -> None:
    rows = table()
    rows[5][1], rows[50][4], rows[20][2] = "inf", "-Infinity", "1.7976931348623157e308"
    (case / "metrics.csv").write_bytes(text(rows))
    report = accepted(case)
    assert "infinite" in notes(report)
    assert culprit(report) == ("db", "cpu")


def test_two_rows_are_enough_for_a_report(
    accepted: Callable[..., dict[str, Any]], case: Path
) -> None:
    (case / "metrics.csv").write_bytes(text([table()[0], table()[1], table()[60]]))
    report = accepted(case)
    assert report["root_causes"]
    assert any("before the anomaly" in note for note in report["notes"])


def test_a_window_in_which_nothing_ever_changes_fails_and_accuses_nobody(
    aiops: Run, case: Path
) -> None:
    rows = [["time", "web_cpu", "db_cpu"], *([str(T0 + i), "1", "2"] for i in range(ROWS))]
    (case / "metrics.csv").write_bytes(text(rows))
    done = aiops("investigate", case, "--json")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    report = json.loads(done.stdout)
    assert report["verdict"] == "inconclusive"
    assert report["root_causes"] == []
    assert report["failed_steps"][0]["step"] == "rank"
