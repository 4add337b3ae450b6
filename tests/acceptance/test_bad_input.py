"""Input that cannot be used: one line says why, the exit code is 2, and nothing is written."""

import gzip
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Run = Callable[..., subprocess.CompletedProcess[str]]
T0 = 1_767_600_000
ROWS = 60
ALERT = T0 + 40


def table() -> list[list[str]]:
    """A small incident: db's cpu steps at row 40, web's latency with it."""
    head = ["time", "web_cpu", "web_latency", "db_cpu", "db_memory"]
    rows = [
        [T0 + i, 20 + i % 3, 5 + 4 * (i >= 40) + i % 2, 10 + 80 * (i >= 40) + i % 4, 500 + i % 5]
        for i in range(ROWS)
    ]
    return [head, *([str(cell) for cell in row] for row in rows)]


def text(rows: list[list[str]]) -> bytes:
    return "".join(",".join(row) + "\n" for row in rows).encode()


def changed(row: int, column: int, cell: str) -> bytes:
    """The table with one cell replaced; row 0 is the header."""
    rows = table()
    rows[row][column] = cell
    return text(rows)


def facts(**changes: object) -> dict[str, object]:
    """A whole case.json, then ``changes``; a key changed to ``...`` is left out."""
    given = {
        "dataset": "made-up",
        "case_id": "case-1",
        "inject_time": ALERT,
        "inject_time_kind": "exact",
        "root_cause_service": "db",
        "root_cause_metric": "db_cpu",
        "root_cause_columns": ["db_cpu"],
        "fault_type": "cpu",
        "modalities": ["metrics"],
    } | changes
    return {key: value for key, value in given.items() if value is not ...}


@pytest.fixture
def case(bare: Path) -> Path:
    """A case that is fine, in a data folder of its own."""
    folder = bare / "data" / "made-up" / "case-1"
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_bytes(text(table()))
    (folder / "case.json").write_text(json.dumps(facts()))
    return folder


def files(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(params=["rca", "investigate"])
def refused(request: pytest.FixtureRequest, aiops: Run, bare: Path) -> Callable[..., str]:
    """Runs the command on what it must refuse; returns the one line it says."""

    def run(*arguments: object) -> str:
        before = files(bare)
        done = aiops(request.param, *arguments)
        assert done.returncode == 2, done.stderr
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        (line,) = done.stderr.splitlines()
        assert line.startswith("aiops: ")
        assert files(bare) == before
        return line

    return run


METRICS = {
    "an empty file": (b"", ["is empty"]),
    "a header alone": (text(table()[:1]), ["0 rows"]),
    "one row": (text(table()[:2]), ["1 row", "two are the least"]),
    "a row cut off": (text(table())[:-9], ["row 60", "cut off"]),
    "no time column": (text([["when", "a_b"], ["1", "2"], ["2", "3"]]), ["no time column"]),
    "a time that descends": (changed(31, 0, str(T0 + 5)), ["'time'", "row 31", "earlier"]),
    "a time that is doubled": (changed(31, 0, str(T0 + 29)), ["'time'", "row 31", "the same"]),
    "a row without a time": (changed(31, 0, ""), ["'time'", "row 31", "no time"]),
    "a text for a time": (changed(31, 0, "noon"), ["'time'", "'noon'"]),
    "a text for a first time": (changed(1, 0, "noon"), ["'time'", "row 1", "'noon'"]),
    "a time beyond the calendar": (changed(60, 0, "9e18"), ["'time'", "calendar"]),
    "a text among numbers": (changed(31, 3, "high"), ["'db_cpu'", "'high' is not a number"]),
    "a number with a comma": (changed(31, 3, '"1,5"'), ["'db_cpu'", "row 31", "not a number"]),
    "a column that stands twice": (changed(0, 2, "web_cpu"), ["'web_cpu'", "twice"]),
    "no services": (text([["time", "cpu"], ["1", "2"], ["2", "3"]]), ["names no services"]),
    "nothing but times": (text([row[:1] for row in table()]), ["no metric columns"]),
    "nothing but gaps": (text([["time", "a_b"], ["1", ""], ["2", "NaN"]]), ["no numbers"]),
    "a ragged row": (text([*table(), ["1", "2"]]), ["2 of 5 fields"]),
    "a cell in another encoding": (changed(9, 1, "é").replace(b"\xc3", b""), ["UTF-8", "web_cpu"]),
    "a picture": (bytes(range(256)) * 40, []),
}


@pytest.mark.parametrize("what", METRICS)
def test_metrics_that_cannot_be_used_are_refused_by_name(
    refused: Callable[..., str], case: Path, what: str
) -> None:
    content, words = METRICS[what]
    (case / "metrics.csv").write_bytes(content)
    line = refused(case, "--html", "report.html", "--json")
    assert "metrics.csv" in line
    for word in words:
        assert word in line


@pytest.mark.parametrize("kept", [0, 5, 40, -1])
def test_a_truncated_gzip_is_refused_and_named(
    refused: Callable[..., str], case: Path, kept: int
) -> None:
    (case / "metrics.csv").unlink()
    (case / "metrics.csv.gz").write_bytes(gzip.compress(text(table()))[:kept])
    line = refused(case, "--html", "report.html")
    assert "metrics.csv.gz" in line


CASE_JSON = {
    "no alert time": (facts(inject_time=...), ["'inject_time'", "missing"]),
    "no data set": (facts(dataset=...), ["'dataset'", "missing"]),
    "a text for the alert time": (facts(inject_time="noon"), ["'inject_time'", "'noon'"]),
    "a truth for the alert time": (facts(inject_time=True), ["'inject_time'", "number"]),
    "a list for the alert time": (facts(inject_time=[ALERT]), ["'inject_time'", "number"]),
    "a number for the data set": (facts(dataset=7), ["'dataset'", "string"]),
    "a text for the modalities": (facts(modalities="metrics"), ["'modalities'", "array"]),
    "a number for the answer": (facts(root_cause_service=7), ["'root_cause_service'"]),
    "no fault type but null": (facts(fault_type=None), ["'fault_type'", "string"]),
    "a target without its metric": (facts(target={"node": "web"}), ["'metric'", "missing"]),
    "an alert before the window": (facts(inject_time=T0 - 1), ["outside the window"]),
    "an alert after the window": (facts(inject_time=T0 + 999), ["outside the window"]),
    "an alert before time": (facts(inject_time=-5), ["outside the window"]),
    "an alert at no number": (facts(inject_time=float("nan")), ["is no time"]),
    "an alert at infinity": (facts(inject_time=float("inf")), ["is no time"]),
    "an alert past every float": (facts(inject_time=10**400), ["'inject_time'", "number"]),
    "a list": ([1, 2], ["not a JSON object"]),
    "null": (None, ["not a JSON object"]),
}


@pytest.mark.parametrize("what", CASE_JSON)
def test_a_case_json_that_cannot_be_used_is_refused_by_key(
    refused: Callable[..., str], case: Path, what: str
) -> None:
    content, words = CASE_JSON[what]
    (case / "case.json").write_text(json.dumps(content))
    line = refused(case, "--html", "report.html")
    for word in ["case.json", *words]:
        assert word in line


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"{]}", b"nonsense", b"[" * 100_000])
def test_a_case_json_that_is_no_json_is_refused(
    refused: Callable[..., str], case: Path, content: bytes
) -> None:
    (case / "case.json").write_bytes(content)
    assert "case.json" in refused(case)


def test_a_refusal_does_not_give_the_answer_away(refused: Callable[..., str], case: Path) -> None:
    (case / "case.json").write_text(json.dumps(facts(root_cause_service=["culprit"])))
    assert "culprit" not in refused(case)


@pytest.mark.parametrize("name", ["../elsewhere", "made-up:../../bare", "/etc:passwd", "..:case-1"])
def test_a_name_that_climbs_out_of_the_data_folder_is_refused(
    refused: Callable[..., str], case: Path, name: str
) -> None:
    line = refused(name, "--data", case.parents[1])
    assert "climbs out" in line or "no such folder" in line


def test_a_link_and_a_key_that_lead_out_of_the_folder_are_refused(
    refused: Callable[..., str], case: Path, bare: Path
) -> None:
    (bare / "elsewhere.csv").write_bytes(text(table()))
    (case / "case.json").write_text(json.dumps(facts(scenario="../../../elsewhere")))
    assert "leads out of its folder" in refused(case)
    (case / "metrics.csv").unlink()
    (case / "metrics.csv").symlink_to(bare / "elsewhere.csv")
    line = refused(case)
    assert "metrics.csv" in line
    assert "leads out of its folder" in line


def test_what_is_no_case_is_refused_with_what_to_do(
    refused: Callable[..., str], case: Path, bare: Path
) -> None:
    (bare / "nothing").mkdir()
    assert "the folder is empty; put a metrics.csv into it" in refused("nothing")
    (bare / "nothing" / "readme.txt").write_text("x")
    assert "no case in a layout we know" in refused(bare / "nothing")
    assert "is no table" in refused(bare / "nothing" / "readme.txt")
    assert "no such folder" in refused("./nowhere")
    assert "no case 'c0123456789ab'" in refused("c0123456789ab", "--data", "data")
    assert "no case 'case-2'" in refused("made-up:case-2", "--data", "data")
    assert "there are: made-up" in refused("unmade:case-1", "--data", "data")
    assert "no data folder nowhere" in refused("made-up:case-1", "--data", "nowhere")
    assert "holds 1 cases" in refused("data/made-up")
    assert "choose from" in refused("synthetic:7:gremlins")


def test_a_data_folder_in_the_environment_that_is_not_there_is_said(
    refused: Callable[..., str], case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOPS_DATASETS", "nowhere")
    for name in ("made-up:case-1", "case-1"):
        assert "no data folder nowhere" in refused(name)


OPTIONS = {
    "--method oracle": ["method", "'oracle'", "aiops", "baro"],
    "--method aiops/no-such-part": ["'such-part'"],
    "--method baro/no-calls": ["'baro/no-calls'"],
    "--top 0": ["'top'", "greater than or equal to 1"],
    "--top -1": ["'top'", "greater"],
    "--top 1000": ["'top'", "less"],
    "--top many": ["--top", "integer"],
    "--seed -1": ["'seed'", "greater than or equal to 0"],
    "--seed 1.5": ["--seed", "integer"],
    "--inject-time noon": ["--inject-time", "'noon' is neither a count", "nor a date such as"],
    "--inject-time nan": ["is no time"],
    "--inject-time inf": ["is no time"],
    "--inject-time 1e300": ["is no time"],
    f"--inject-time {T0 - 1}": ["metrics.csv", "outside the window", str(T0)],
    "--trigger ghost": ["trigger service 'ghost'", "db, web"],
    "--trigger ghost:cpu": ["'ghost:cpu'", "db, web"],
    "--trigger :": ["':'", "db, web"],
    "--graph nowhere.csv": ["nowhere.csv", "no such graph file"],
    "--graph .": ["no such graph file"],
    "--html nowhere/report.html": ["nowhere/report.html", "No such file"],
    "--html .": ["cannot write"],
    "--html /dev/null/report.html": ["cannot write /dev/null/report.html"],
    "--json --markdown": ["choose one"],
    "--jsno": ["No such option"],
    "extra": ["unexpected extra argument"],
    "--method": ["--method", "requires an argument"],
}


@pytest.mark.parametrize("options", OPTIONS)
def test_an_option_that_makes_no_sense_is_refused(
    refused: Callable[..., str], case: Path, options: str
) -> None:
    line = refused(case, *options.split())
    for word in OPTIONS[options]:
        assert word in line


def test_a_forgotten_case_is_wrong_use(refused: Callable[..., str]) -> None:
    said = refused()
    assert "Missing argument" in said or "say what to investigate" in said


GRAPHS = {
    "empty": (b"", "is empty"),
    "prose": (b"web calls db\n", "neither source,target rows nor"),
    "a row without a target": (b"source,target\nweb,\n", "row 1"),
    "a weight that is no number": (b"source,target,weight\nweb,db,much\n", "'much'"),
    "a matrix that is not square": (b",web,db\nweb,0,1\n", "square"),
    "another encoding": (b"source,target\nw\xe9b,db\n", "UTF-8"),
    "bytes": (bytes(range(256)), ""),
}


@pytest.mark.parametrize("what", GRAPHS)
def test_a_graph_that_cannot_be_used_is_refused_by_name(
    refused: Callable[..., str], case: Path, bare: Path, what: str
) -> None:
    content, words = GRAPHS[what]
    (bare / "calls.csv").write_bytes(content)
    line = refused(case, "--graph", "calls.csv", "--html", "report.html")
    assert "calls.csv" in line
    assert words in line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("top = 0", ["'top'", "aiops.toml"]),
        ('top = "many"', ["'top'", "aiops.toml"]),
        ("colour = 'red'", ["'colour'", "choose from"]),
        ("top = ", ["aiops.toml"]),
        ("method = 'oracle'", ["'oracle'"]),
    ],
)
def test_a_settings_file_that_makes_no_sense_is_refused_by_key(
    refused: Callable[..., str], case: Path, bare: Path, content: str, words: list[str]
) -> None:
    (bare / "aiops.toml").write_text(content)
    line = refused(case)
    for word in words:
        assert word in line


def test_a_settings_file_in_another_encoding_is_refused(
    refused: Callable[..., str], case: Path, bare: Path
) -> None:
    (bare / "aiops.toml").write_bytes(b"method = '\xe9'")
    assert "aiops.toml" in refused(case)


@pytest.mark.parametrize(
    ("name", "value"), [("TOP", "x"), ("TOP", "0"), ("SEED", "-1"), ("METHOD", "oracle")]
)
def test_a_variable_that_makes_no_sense_is_refused_by_name(
    refused: Callable[..., str],
    case: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
) -> None:
    monkeypatch.setenv(f"AIOPS_{name}", value)
    assert (value if name == "METHOD" else f"AIOPS_{name}") in refused(case)


def test_a_report_that_was_there_stays_as_it_was(
    refused: Callable[..., str], case: Path, bare: Path
) -> None:
    (bare / "report.html").write_text("the old report")
    (case / "metrics.csv").write_bytes(changed(31, 3, "high"))
    refused(case, "--html", "report.html")
    refused(case, "--method", "oracle", "--html", "report.html")
    assert (bare / "report.html").read_text() == "the old report"


def test_the_executable_refuses_as_the_function_does(executable: Run, case: Path) -> None:
    (case / "metrics.csv").write_bytes(changed(31, 3, "high"))
    done = executable("investigate", case, "--html", "report.html")
    assert (done.returncode, done.stdout) == (2, "")
    expected = f"aiops: {case}/metrics.csv, column 'db_cpu', row 31: 'high' is not a number\n"
    assert done.stderr == expected
    assert not Path("report.html").exists()


# What a layout of its own brings in: the alert time, two runs, logs and traces, alerts, snapshots.
BESIDE = {
    "inject_time.txt": b"noon",
    "logs.csv": b"time,service\n1,web\n",
    "traces.csv": b"trace_id,service\n1,web\n",
    "alerts.json": b"{",
    "k8s_states.json": b"[]",
    "tool_cache.json.gz": b"\x1f\x8b",
    "locust_anomalous.csv": b"time,rate\n",
    "graph.csv": b"web calls db\n",
}


@pytest.mark.parametrize("name", BESIDE)
def test_a_broken_file_beside_the_metrics_is_refused_by_name(
    refused: Callable[..., str], case: Path, name: str
) -> None:
    if name == "inject_time.txt":
        (case / "case.json").unlink()
    (case / name).write_bytes(BESIDE[name])
    assert name in refused(case)


@pytest.mark.parametrize("name", ["logs.csv", "traces.csv"])
def test_records_in_another_encoding_are_refused_by_name(
    refused: Callable[..., str], case: Path, name: str
) -> None:
    (case / name).write_bytes(b"time,s\xe9rvice,message\n1,web,hello\n")
    line = refused(case)
    assert name in line
    assert "UTF-8" in line


@pytest.mark.parametrize("scenario", ["a\0b", "\ud800"])
def test_a_key_that_can_be_no_files_name_is_refused(
    refused: Callable[..., str], case: Path, scenario: str
) -> None:
    (case / "case.json").write_text(json.dumps(facts(scenario=scenario)))
    assert "can be no file's name" in refused(case)


@pytest.mark.skipif(os.name != "posix", reason="pipes of this kind are POSIX's")
def test_a_metrics_file_that_is_a_pipe_is_not_waited_for(
    refused: Callable[..., str], case: Path
) -> None:
    (case / "metrics.csv").unlink()
    os.mkfifo(case / "metrics.csv")
    refused(case)


CELL = st.sampled_from(
    ["", "nan", "inf", "-0", "1e-320", "1e99", "1e308", "1e400", "0x10", "1_000", "x", '"', "5;"]
)
EDIT = st.tuples(st.integers(0, ROWS), st.integers(0, 4), CELL)
CUT = st.tuples(st.integers(0, 2000), st.integers(0, 40), st.binary(max_size=3))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(EDIT, max_size=3),
    st.lists(CUT, max_size=2),
    st.sampled_from(["aiops", "nsigma", "baro", "correlation", "granger_pagerank"]),
)
def test_whatever_happens_to_a_file_it_is_used_or_refused_in_one_line(
    aiops: Run,
    case: Path,
    bare: Path,
    edits: list[tuple[int, int, str]],
    cuts: list[tuple[int, int, bytes]],
    method: str,
) -> None:
    page = bare / "report.html"
    page.unlink(missing_ok=True)
    rows = table()
    for row, column, cell in edits:
        rows[row][column] = cell
    content = text(rows)
    for start, length, instead in cuts:
        content = content[:start] + instead + content[start + length :]
    (case / "metrics.csv").write_bytes(content)
    done = aiops("investigate", case, "--method", method, "--html", page)
    assert "defect" not in done.stderr
    assert "unexpected" not in done.stdout
    if done.returncode == 2:
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1
        assert not page.exists()
    else:
        assert done.returncode in (0, 1)
        assert page.read_text(encoding="utf-8").rstrip().endswith("</html>")
