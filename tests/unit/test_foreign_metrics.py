"""Metric files that other tools wrote are read as what they say, or refused with the reason."""

import contextlib
import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiops.errors import InvalidData
from aiops.ports.cases import CaseHints
from aiops_datasets import columns, foreign_text, foreign_times
from aiops_datasets.foreign import read_any
from aiops_datasets.records import read_logs
from aiops_datasets.uniform import UniformLayout

START = 1_768_934_400  # 2026-01-20, a day that no month has the number of
NAMES = ("web_cpu", "web_latency", "db_cpu", "db_latency")


def plain(time: Callable[[int], str] = str, separator: str = ",", names: str = "") -> str:
    """Five rows of the same numbers, whoever wrote them."""
    head = names or separator.join(("time", *NAMES))
    rows = [
        separator.join((time(START + 60 * i), f"{i}.5", f"{i}", f"{2 * i}.25", "7"))
        for i in range(5)
    ]
    return "\n".join((head, *rows)) + "\n"


def at(form: str) -> Callable[[int], str]:
    return lambda unix: datetime.fromtimestamp(unix, UTC).strftime(form)


def write(folder: Path, content: str | bytes, name: str = "metrics.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def values(path: Path) -> list[list[float]]:
    found = read_any(path)
    assert np.array_equal(found.table.times, START + 60.0 * np.arange(5))
    return [list(row) for row in found.table.values]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(plain(separator=";"), id="semicolons"),
        pytest.param(plain(separator="\t"), id="tabs"),
        pytest.param(plain(separator="|"), id="bars"),
        pytest.param(plain(separator=";").replace(".", ","), id="decimal commas"),
        pytest.param("sep=;\n" + plain(separator=";"), id="a spreadsheet's first line"),
        pytest.param("# exported\n\n" + plain(), id="a comment first"),
        pytest.param(plain().replace("\n", "\r\n").encode("utf-16"), id="UTF-16"),
        pytest.param(plain(at("%Y/%m/%d %H:%M:%S")), id="year first"),
        pytest.param(plain(at("%d/%m/%Y %H:%M:%S")), id="day first"),
        pytest.param(plain(at("%d.%m.%Y %H:%M")), id="day first with points"),
        pytest.param(plain(at("%m/%d/%Y %I:%M:%S %p")), id="month first, twelve hours"),
        pytest.param(plain(at("%Y-%m-%d %H:%M:%S UTC")), id="UTC behind"),
        pytest.param(plain(at("%Y-%m-%d %H:%M:%S +0000 UTC")), id="as Go prints it"),
        pytest.param(plain(at("%Y-%m-%dT%H:%M:%S.000000001Z")), id="nanoseconds"),
        pytest.param(plain(at("%Y-%m-%d %H:%M:%S,000"), ";"), id="a comma in the time"),
        pytest.param(plain(at("%d/%b/%Y:%H:%M:%S +0000")), id="as web servers log"),
        pytest.param(plain(at('"%a, %d %b %Y %H:%M:%S +0000"')), id="as mail does"),
        pytest.param(plain().replace("time", "@timestamp"), id="another name of time"),
        pytest.param(plain().replace("time", "Timestamp (UTC)"), id="a decorated name of time"),
        pytest.param(plain().replace("time", "Zeit", 1), id="time in another language"),
        pytest.param(plain().replace("2.25", '"2.25 %"').replace("6.25", "6.25%"), id="percent"),
        pytest.param(plain(separator=";") + "1768935100;9.5\n", id="a row cut off at the end"),
    ],
)
def test_one_table_is_the_same_whoever_exported_it(tmp_path: Path, content: str | bytes) -> None:
    assert values(write(tmp_path, content)) == [[i + 0.5, i, 2 * i + 0.25, 7] for i in range(5)]


def test_newest_first_is_turned_round_and_said(tmp_path: Path) -> None:
    head, *rows = plain().splitlines()
    path = write(tmp_path, "\n".join((head, *reversed(rows))))
    assert values(path)[0] == [0.5, 0, 0.25, 7]
    assert any("newest row comes first" in note for note in read_any(path).table.notes)


def test_rows_in_disorder_are_refused_as_in_our_own_layout(tmp_path: Path) -> None:
    head, first, *rows = plain(separator=";").splitlines()
    with pytest.raises(InvalidData, match="row 5: time is earlier") as caught:
        read_any(write(tmp_path, "\n".join((head, *rows, first))))
    assert caught.value.column == "time"


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1,234.5", 1234.5),
        ("12 %", 12),
        ("300.5 MiB", 300.5 * 2**20),
        ("950 ms", 0.95),
        ("250m", 0.25),
        ("1.5 M", 1.5e6),
        ("true", 1),
        ("1e3", 1000),
    ],
)
def test_a_cell_with_its_unit_is_a_number_in_the_base_unit(cell: str, number: float) -> None:
    assert foreign_text.number(cell) == pytest.approx(number)


@pytest.mark.parametrize("cell", ["oops", "12 bananas", "1.2.3", "2026-01-20"])
def test_other_words_are_no_numbers(cell: str) -> None:
    assert not foreign_text.is_number(cell)


def test_day_and_month_are_told_by_the_shorter_span() -> None:
    cells = [f"{month:02}/02/2026 10:00:00" for month in (1, 2, 3)]  # the first three of February
    times, _, said = foreign_times.read_times(cells, "time")
    assert np.diff(times).tolist() == [86400.0, 86400.0]
    assert "day first" in said


def long_rows(head: str, row: Callable[[int, str, str, float], str]) -> str:
    cells = [
        row(START + 60 * i, *name.split("_"), value)
        for i in range(5)
        for name, value in zip(NAMES, (i + 0.5, float(i), 2 * i + 0.25, 7.0), strict=True)
    ]
    return "\n".join((head, *cells)) + "\n"


@pytest.mark.parametrize(
    "content",
    [
        long_rows("time,service,metric,value", lambda t, s, m, v: f"{t},{s},{m},{v}"),
        long_rows("timestamp,metric_name,app,value", lambda t, s, m, v: f"{t},{m},{s},{v}"),
        long_rows("time,series,value", lambda t, s, m, v: f"{t},{s}_{m},{v}"),
        long_rows("time,metric,value", lambda t, s, m, v: f'{t},"{m}{{service=""{s}""}}",{v}'),
    ],
)
def test_a_row_a_sample_is_read_as_a_column_a_series(tmp_path: Path, content: str) -> None:
    path = write(tmp_path, content)
    assert values(path) == [[i + 0.5, i, 2 * i + 0.25, 7] for i in range(5)]
    found = read_any(path)
    named, _ = columns.series(found.table.columns, known=found.services)
    assert {(one.entity.name, one.metric) for one in named} == {
        (service, metric) for service in ("web", "db") for metric in ("cpu", "latency")
    }


def test_a_row_a_service_keeps_names_with_bars_whole(tmp_path: Path) -> None:
    rows = [f"{START + i},{name},{i},{2 * i}" for i in range(3) for name in ("my_cart", "my_db")]
    found = read_any(write(tmp_path, "\n".join(("time,service,cpu_usage,latency", *rows))))
    named, _ = columns.series(found.table.columns, known=found.services)
    assert {one.entity.name for one in named} == {"my_cart", "my_db"}
    assert found.table.values.shape == (3, 4)


def test_series_scraped_at_moments_of_their_own_share_rows(tmp_path: Path) -> None:
    rows = [f"{START + 15 * i + k},s{k},cpu,{i}" for i in range(20) for k in range(10)]
    found = read_any(write(tmp_path, "\n".join(("time,service,metric,value", *rows))))
    assert found.table.values.shape == (20, 10)
    assert not np.isnan(found.table.values).any()


def test_a_column_of_text_beside_named_series_is_left_out_and_said(tmp_path: Path) -> None:
    rows = "".join(f"{START + i},{i},{i},h1\n" for i in range(3))
    found = read_any(write(tmp_path, "time,web_cpu,db_cpu,host\n" + rows))
    assert found.table.columns == ("web_cpu", "db_cpu")
    assert "columns of text left out: host" in found.table.notes


@pytest.mark.parametrize(
    "spelled",
    [
        ("web.http_requests", "web.cpu_usage", "db.http_requests", "db.cpu_usage"),
        ("web/http_requests", "web/cpu_usage", "db/http_requests", "db/cpu_usage"),
        ("web http_requests", "web cpu_usage", "db http_requests", "db cpu_usage"),
        tuple(
            f'{metric}{{service="{service}", instance="10.0.0.1:80"}}'
            for service in ("web", "db")
            for metric in ("http_requests", "cpu_usage")
        ),
        tuple(
            f'{{__name__="{metric}", job="{service}"}}'
            for service in ("web", "db")
            for metric in ("http_requests", "cpu_usage")
        ),
        ("http_requests_web", "cpu_usage_web", "http_requests_db", "cpu_usage_db"),
    ],
)
def test_service_and_metric_are_told_however_they_are_joined(spelled: tuple[str, ...]) -> None:
    assert list(columns.split(spelled).values()) == [
        ("web", "http_requests"),
        ("web", "cpu_usage"),
        ("db", "http_requests"),
        ("db", "cpu_usage"),
    ]


def test_labels_that_tell_series_apart_stay_in_the_metric() -> None:
    spelled = (
        'hits{service="web",code="200",env="live"}',
        'hits{service="web",code="500",env="live"}',
    )
    assert list(columns.split(spelled).values()) == [("web", "hits_200"), ("web", "hits_500")]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes, packed: bool) -> None:
    path = tmp_path / ("m.csv.gz" if packed else "m.csv")
    path.write_bytes(gzip.compress(b"date;a.x\n" + content) if packed else b"date;a.x\n" + content)
    with contextlib.suppress(InvalidData):  # any other exception fails
        assert (np.diff(read_any(path).table.times) > 0).all()


@pytest.mark.parametrize("name", ["export.csv", "simple_metrics.csv", "metrics.tsv"])
def test_the_only_table_of_a_folder_is_its_metrics(tmp_path: Path, name: str) -> None:
    write(tmp_path, plain(), name)
    (tmp_path / "readme.md").write_text("exported")
    assert UniformLayout().recognises(tmp_path)
    write(tmp_path, plain(), "another.csv")
    assert not UniformLayout().recognises(tmp_path)


def test_a_file_that_nothing_reads_is_named(tmp_path: Path) -> None:
    write(tmp_path, plain())
    for name in ("web.log", "graph.csv", "README.md"):
        (tmp_path / name).write_text("source,target\nweb,db\n")
    layout = UniformLayout()
    (tmp_path / "calls.csv").write_text("source,target\nweb,db\n")
    hints = CaseHints(graph=tmp_path / "calls.csv")
    notes = layout.load(next(layout.locate(tmp_path)), hints).notes
    assert [note for note in notes if "not read" in note] == [
        "not read, for their names or forms are not known: web.log"
    ]


@pytest.mark.parametrize(
    "form",
    ["%d/%m/%Y %H:%M:%S", "%d/%b/%Y:%H:%M:%S +0000", "%Y-%m-%d %H:%M:%S,000", "%Y/%m/%d %H:%M:%S"],
)
def test_log_lines_may_have_dates_of_any_form(tmp_path: Path, form: str) -> None:
    rows = "".join(f'"{at(form)(START + i)}",web,line {i}\n' for i in range(3))
    logs, _ = read_logs(write(tmp_path, "time,service,message\n" + rows, "logs.csv"))
    assert logs.times.tolist() == [START, START + 1, START + 2]


def test_one_damaged_date_costs_its_line_the_time_only(tmp_path: Path) -> None:
    rows = f"{START},web,a\nsoon,web,b\n{START + 2},web,c\n"
    logs, _ = read_logs(write(tmp_path, "time,service,message\n" + rows, "logs.csv"))
    assert np.isnan(logs.times).tolist() == [False, True, False]


@pytest.mark.parametrize("cell", ["1e308", "-1e308", "inf", "1e400"])
def test_what_no_measurement_reaches_is_missing_and_said_once(tmp_path: Path, cell: str) -> None:
    rows = "".join(f"{START + i};{cell if i == 3 else i};{cell}\n" for i in range(20))
    table = read_any(write(tmp_path, "when;web_cpu;web_load\n" + rows)).table
    assert table.columns == ("web_cpu",)
    assert np.flatnonzero(np.isnan(table.values[:, 0])).tolist() == [3]
    assert len([note for note in table.notes if "infinite values" in note]) == 1
