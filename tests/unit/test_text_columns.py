"""Text files of any condition become columns of bounded size, and what was lost is counted."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiops.errors import InvalidData
from aiops_datasets.records import read_logs, read_spans
from aiops_datasets.text_columns import TextFile, Wanted

T0 = 1_767_600_000


def logs(folder: Path, body: bytes, name: str = "logs.csv") -> Path:
    path = folder / name
    content = b"time,service,message\n" + body
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def spans(folder: Path, rows: list[str]) -> Path:
    path = folder / "traces.csv"
    head = "trace_id,span_id,parent_id,service,operation,start_ns,duration_us"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def test_lines_in_two_encodings_are_both_read(tmp_path: Path) -> None:
    path = logs(tmp_path, f"{T0},a,".encode() + b"caf\xe9\n" + f"{T0},a,café\n".encode())
    table, notes = read_logs(path)
    assert table.messages.tolist() == ["caf\ufffd", "café"]
    assert notes == ()


def test_a_service_in_another_encoding_keeps_what_can_be_read_of_its_name(tmp_path: Path) -> None:
    table, _ = read_logs(logs(tmp_path, f"{T0},".encode() + b"s\xe9,x\n"))
    assert table.services == ("s\ufffd",)


def test_a_line_of_a_megabyte_is_cut_and_counted(tmp_path: Path) -> None:
    body = f"{T0},a,{'x' * 1_000_000}\n{T0},a,short\n".encode()
    table, notes = read_logs(logs(tmp_path, body))
    assert [len(message) for message in table.messages] == [65_536, 5]
    (note,) = notes
    assert "1 cells are longer than 64 k characters" in note


def test_bytes_that_are_no_text_are_kept_as_marks(tmp_path: Path) -> None:
    table, _ = read_logs(logs(tmp_path, f"{T0},a,".encode() + b"\x00\x01\xff\xfe\n"))
    assert table.messages[0] == "\x00\x01\ufffd\ufffd"


def test_rows_of_another_width_are_left_out_and_counted(tmp_path: Path) -> None:
    body = f"{T0},a,x\n{T0},a\n{T0},a,x,y\n{T0},b,z\n".encode()
    table, notes = read_logs(logs(tmp_path, body))
    assert table.messages.tolist() == ["x", "z"]
    (note,) = notes
    assert "2 rows with too few or too many fields left out" in note


def test_a_file_of_no_whole_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="no row with the 3 fields"):
        read_logs(logs(tmp_path, b"x\ny\n"))


def test_a_row_without_end_is_refused_by_its_length(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="longer than 2 MB"):
        read_logs(logs(tmp_path, b'1,a,"' + b"x,y\n" * (2 << 20)))


def test_a_truncated_gzip_is_refused(tmp_path: Path) -> None:
    path = logs(tmp_path, f"{T0},a,x\n".encode() * 1000, "logs.csv.gz")
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(InvalidData, match="truncated or broken gzip"):
        read_logs(path)


@pytest.mark.parametrize("damaged", ["noon", "12:61", "yesterday"])
def test_a_line_whose_time_cannot_be_read_keeps_its_text(tmp_path: Path, damaged: str) -> None:
    table, notes = read_logs(logs(tmp_path, f"{T0},a,x\n{damaged},a,y\n".encode()))
    assert table.messages.tolist() == ["x", "y"]
    assert np.isnan(table.times).tolist() == [False, True]
    (note,) = notes
    assert f"1 cells of column 'time' cannot be read, such as '{damaged}'" in note


def test_a_column_of_times_without_any_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="column 'time': 'noon' cannot be read, nor any other"):
        read_logs(logs(tmp_path, b"noon,a,x\nnight,a,y\n"))


def test_dates_and_counts_may_stand_in_one_column(tmp_path: Path) -> None:
    body = f"2026-01-05T08:00:00Z,a,x\n{T0 + 1},a,y\n".encode()
    table, _ = read_logs(logs(tmp_path, body))
    assert table.times.tolist() == [T0, T0 + 1]


def test_columns_beside_those_wanted_may_hold_anything(tmp_path: Path) -> None:
    path = tmp_path / "logs.csv"
    path.write_text(f"level,level,time,service,message\n1,x,{T0},a,m\nhigh,,{T0},a,n\n")
    table, _ = read_logs(path)
    assert table.messages.tolist() == ["m", "n"]


def test_a_header_alone_is_an_empty_table(tmp_path: Path) -> None:
    table, notes = read_logs(logs(tmp_path, b""))
    assert len(table.messages) == 0
    assert notes == ()


WANTED = Wanted(("message",), ("service",), (("time", float),))


def test_above_the_budget_rows_are_left_out_evenly_and_counted(tmp_path: Path) -> None:
    body = "".join(f"{i},a,line {i:08d} of many\n" for i in range(300_000)).encode()
    path = logs(tmp_path, body)
    found = TextFile(path).read(WANTED, budget_bytes=8_000_000)
    assert 30_000 <= found.rows <= 110_000
    steps = np.diff(found.numbers["time"])
    assert steps.max() <= 2 * np.median(steps)
    assert found.numbers["time"][0] == 0
    (note,) = found.notes
    assert f"has 300000 rows; {found.rows} of them fit in memory" in note


def test_above_the_budget_a_trace_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    rows = [f"t{i // 10},s{i},,a,op,{T0 + i},5" for i in range(100_000)]
    found = TextFile(spans(tmp_path, rows)).read(
        Wanted(("trace_id", "span_id"), ("service",), (), together="trace_id"),
        budget_bytes=6_000_000,
    )
    sizes = np.unique(found.texts["trace_id"].astype(str), return_counts=True)[1]
    assert 0 < found.rows < 100_000
    assert set(sizes.tolist()) == {10}
    assert found.texts["trace_id"][0] == "t0"


def test_one_trace_larger_than_the_budget_is_read_as_far_as_it_fits(tmp_path: Path) -> None:
    rows = [f"t,s{i:07d},,a,operation,{T0 + i},5" for i in range(300_000)]
    found = TextFile(spans(tmp_path, rows)).read(
        Wanted(("trace_id", "span_id"), ("service",), (), together="trace_id"),
        budget_bytes=20_000_000,
    )
    assert 0 < found.rows < 300_000
    assert found.texts["span_id"][0] == "s0000000"
    assert "300000 rows" in found.notes[0]


def test_a_span_without_a_readable_duration_is_counted(tmp_path: Path) -> None:
    rows = [f"t,s1,root,a,op,{T0},5", f"t,s2,s1,a,op,{T0},long", f"t,s3,s1,a,op,{T0},-7"]
    table, notes = read_spans(spans(tmp_path, rows))
    assert np.isnan(table.durations).tolist() == [False, True, False]
    assert table.durations[2] < 0
    (note,) = notes
    assert "'long'" in note


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.just(f"{T0},a,fine".encode()),
            st.just(b'1,"a,x'),
            st.just(b"9" * 400 + b",a,x"),
        ),
        max_size=12,
    )
)
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path: Path, rows: list[bytes]) -> None:
    try:
        table, notes = read_logs(logs(tmp_path, b"\n".join(rows) + b"\n"))
    except InvalidData:
        return
    assert len(table.times) == len(table.messages) == len(table.service_of)
    assert all(isinstance(message, str) for message in table.messages)
    assert all(notes)
