"""A metric file is read in full or refused in one line that says where and why."""

import contextlib
import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiops.errors import InvalidData
from aiops_datasets.reading import AveragingBuffer, read_table

ON_DISK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
CELL = st.one_of(st.none(), st.floats(-1e99, 1e99))


def write(folder: Path, content: str | bytes, name: str = "metrics.csv") -> Path:
    path = folder / name
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def refusal(path: Path) -> InvalidData:
    with pytest.raises(InvalidData) as caught:
        read_table(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return caught.value


@ON_DISK
@given(
    rows=st.lists(st.tuples(CELL, CELL), min_size=2, max_size=30),
    start=st.integers(0, 4_000_000_000),
    packed=st.booleans(),
)
def test_numbers_come_back_as_they_were_written(
    tmp_path: Path, rows: list[tuple[float | None, float | None]], start: int, packed: bool
) -> None:
    def text(value: float | None) -> str:
        return "" if value is None else repr(value)

    lines = [f"{start + i},{text(a)},{text(b)},1" for i, (a, b) in enumerate(rows)]
    body = "time,a_x,b_x,c_x\n" + "\n".join(lines) + "\n"
    table = read_table(write(tmp_path, body, "m.csv.gz" if packed else "m.csv"))
    wanted = np.array([[math.nan if v is None else v for v in row] for row in rows])
    kept = [i for i, name in enumerate(["a_x", "b_x"]) if name in table.columns]
    assert np.array_equal(table.times, np.arange(start, start + len(rows)))
    assert np.array_equal(table.values[:, :-1], wanted[:, kept], equal_nan=True)
    assert np.isnan(wanted[:, [i for i in (0, 1) if i not in kept]]).all()


@ON_DISK
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(b"time,a_x\n" + content)
    with contextlib.suppress(InvalidData):  # any other exception fails
        table = read_table(path)
        assert len(table.times) >= 2
        assert (np.diff(table.times) > 0).all()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is empty"),
        ("time,a_x\n", "has 0 rows"),
        ("time,a_x\n1,2\n", "has 1 row;"),
        ("when,a_x\n1,2\n2,3\n", "no time column"),
        ("time\n1\n2\n", "no metric columns"),
        ("time,a_x\n1,\n2,\n", "holds no numbers"),
        (b"time,caf\xe9_x\n1,2\n2,3\n", "not UTF-8"),
        (b"time,a_x\n1,2\n2,\xff\xfe\n", "not UTF-8"),
    ],
)
def test_an_unusable_file_is_refused_with_the_reason(
    tmp_path: Path, content: str | bytes, reason: str
) -> None:
    assert reason in str(refusal(write(tmp_path, content)))


@pytest.mark.parametrize(
    ("content", "column", "row", "reason"),
    [
        ("time,a_x,b_x\n1,2,3\n2,2,oops\n", "b_x", 2, "'oops' is not a number"),
        ("time,a_x\n1,2\n3,2\n2,2\n", "time", 3, "earlier"),
        ("time,a_x\n1,2\n1,2\n", "time", 2, "the same"),
        ("time,a_x\n1,2\n,2\n", "time", 2, "has no time"),
        ("time,a_x\nsoon,2\n2,2\n", "time", 1, "'soon' is no time"),
        ("time,a_x\n2024-01-01,2\nsoon,2\n", "time", 2, "'soon' is no time"),
        ("time,a_x,b_x\n1,2,3\n2,2\n", None, 2, "has 2 of 3 fields"),
        ("time,a_x,a_x\n1,2,3\n2,2,3\n", "a_x", None, "twice in the header"),
        ("time,a_x\n1e25,2\n2e25,2\n", "time", None, "beyond the calendar"),
    ],
)
def test_a_bad_cell_is_named_by_column_and_row(
    tmp_path: Path, content: str, column: str | None, row: int | None, reason: str
) -> None:
    error = refusal(write(tmp_path, content))
    assert (error.column, error.row) == (column, row)
    assert reason in str(error)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.999])
def test_a_truncated_gzip_is_refused_and_names_the_file(tmp_path: Path, kept: float) -> None:
    rows = "".join(f"{i},{i * i % 977}\n" for i in range(20_000))
    path = write(tmp_path, "time,a_x\n" + rows, "metrics.csv.gz")
    packed = path.read_bytes()
    path.write_bytes(packed[: int(len(packed) * kept)])
    assert "truncated or broken gzip" in str(refusal(path))


def test_a_file_that_only_claims_to_be_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv.gz"
    path.write_text("time,a_x\n1,2\n2,3\n")
    assert "broken gzip" in str(refusal(path))


@pytest.mark.parametrize(
    ("times", "note"),
    [
        (("0", "5"), "time is relative"),
        (("1700000000", "1700000005"), "counts seconds since 1970"),
        (("1700000000000", "1700000005000"), "counts milliseconds since 1970"),
        (("1700000000000000000", "1700000005000000000"), "counts nanoseconds since 1970"),
        (("2023-11-14T22:13:20Z", "2023-11-14T22:13:25Z"), "holds ISO 8601 dates"),
    ],
)
def test_the_unit_of_time_is_detected_and_said(
    tmp_path: Path, times: tuple[str, str], note: str
) -> None:
    table = read_table(write(tmp_path, f"Timestamp,a_x\n{times[0]},1\n{times[1]},2\n"))
    assert np.diff(table.times) == pytest.approx(5.0)
    assert note in table.notes[0]
    assert "Timestamp" in table.notes[0]


def test_columns_without_a_value_are_dropped_and_listed(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "time,a_x,b_x\n1,2,\n2,3,\n"))
    assert table.columns == ("a_x",)
    assert "1 columns without a single value dropped: b_x" in table.notes


def test_infinite_values_are_read_as_missing_and_said(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "time,a_x\n1,inf\n2,3\n"))
    assert np.isnan(table.values[0, 0])
    assert any("infinite" in note for note in table.notes)


def test_the_largest_float_stands_for_no_value_as_exporters_mean_it(tmp_path: Path) -> None:
    body = "time,a_x\n1,1\n2,1.7976931348623157e308\n3,-1e100\n4,9e99\n"
    table = read_table(write(tmp_path, body))
    assert np.isnan(table.values[1:3]).all()
    assert table.values[[0, 3], 0].tolist() == [1, 9e99]
    assert any("beyond 1e+100" in note for note in table.notes)


def test_a_constant_column_is_kept(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, "time,a_x\n1,7\n2,7\n")).columns == ("a_x",)


def test_a_file_above_the_budget_is_averaged_and_says_so(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i},{-i}\n" for i in range(1000))
    table = read_table(write(tmp_path, "time,a_x,b_x\n" + rows), budget_cells=200)
    assert table.values.size <= 200
    assert any("each 16 adjacent rows were averaged" in note for note in table.notes)
    assert np.array_equal(table.times, np.arange(0, 1000, 16))
    assert table.values[0].tolist() == [7.5, -7.5]


@given(
    n=st.integers(2, 300),
    budget=st.integers(1, 60),
    chunk=st.integers(1, 50),
    columns=st.integers(1, 4),
)
def test_averaging_keeps_the_budget_and_the_weighted_mean(
    n: int, budget: int, chunk: int, columns: int
) -> None:
    times, values = np.arange(float(n)), np.arange(float(n * columns)).reshape(n, columns)
    buffer = AveragingBuffer(columns, budget)
    for start in range(0, n, chunk):
        buffer.add(times[start : start + chunk], values[start : start + chunk])
    kept_times, kept = buffer.finish()
    assert len(kept) <= max(2, budget // columns)
    assert np.array_equal(kept_times, np.arange(0, n, buffer.stride))
    sizes = np.diff([*kept_times, n])
    assert (kept * sizes[:, None]).sum() == pytest.approx(values.sum())


def test_averaging_passes_over_missing_samples() -> None:
    buffer = AveragingBuffer(2, 4)
    values = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, 4.0], [5.0, np.nan]])
    buffer.add(np.arange(4.0), values)
    _, kept = buffer.finish()
    assert np.array_equal(kept, np.array([[1.0, np.nan], [4.0, 4.0]]), equal_nan=True)
