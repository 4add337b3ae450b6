"""The journeys: a folder of anybody's metrics in, a ranked cause with its evidence out."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aiops import plugins
from aiops_datasets.case import Case
from aiops_datasets.synthetic import FAULTS, plant, specified, world

Run = Callable[..., subprocess.CompletedProcess[str]]
Export = Callable[..., Path]
# neural_granger needs the [neural] extra; without it the command says so, as tested elsewhere.
METHODS = tuple(n for n in plugins.names("aiops.analyzers") if n != "neural_granger")
# The report's keys in the design's order, with the additions of aiops.model.report.
KEYS = [
    "schema", "subject", "verdict", "summary", "onset", "impact", "root_causes", "propagation",
    "evidence", "changes", "alerts_explained", "ruled_out", "unknowns", "notes", "failed_steps",
    "playbook_runs", "actions", "verification", "agreement", "timings", "usage",
]  # fmt: skip


@pytest.fixture(scope="module")
def planted() -> Case:
    """A world with a fault that shows at its culprit and, larger, at its callers."""
    return world(7, fault="network_delay")


@pytest.fixture
def folder(planted: Case, bare: Path, export: Export) -> Path:
    """The world's files, without a case.json."""
    return export(planted.data, bare / "incident")


@pytest.fixture
def hints(planted: Case) -> list[object]:
    """What the folder does not say, as a person would type it."""
    trigger = planted.data.trigger
    assert trigger.at is not None
    assert trigger.entity is not None
    return [
        "--inject-time",
        trigger.at.timestamp(),
        "--graph",
        "incident/calls.csv",
        "--trigger",
        f"{trigger.entity.name}:{trigger.metric}",
    ]


def report_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert (done.returncode, done.stderr) == (0, "")
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def told(report: dict[str, Any]) -> dict[str, Any]:
    """The report without what may differ between two runs: how long it took, what it is called."""
    return {key: report[key] for key in report if key not in ("timings", "subject")}


def describe(folder: Path, case: Case, **changes: object) -> None:
    """Writes the case.json that the data sets' layout would have."""
    at = case.data.trigger.at
    (culprit,) = case.answers.entities
    facts = {
        "dataset": "made-up",
        "inject_time": at.timestamp() if at else None,
        "root_cause_service": culprit.name,
        "root_cause_metric": case.answers.columns[0],
        "root_cause_columns": list(case.answers.columns),
        "fault_type": case.answers.fault_label,
    }
    (folder / "case.json").write_text(json.dumps(facts | changes))


def test_a_folder_of_ones_own_is_solved_with_what_the_command_line_says(
    aiops: Run, folder: Path, hints: list[object], planted: Case
) -> None:
    report = report_of(aiops("rca", folder, *hints, "--json"))
    assert list(report) == KEYS
    assert report["schema"] == "aiops.report/1"
    assert report["verdict"] == "root_cause"
    first = report["root_causes"][0]
    (culprit,) = planted.answers.entities
    assert first["entity"]["name"] == culprit.name
    assert f"{culprit.name}_{first['indicator']['name']}" in planted.answers.columns
    assert first["evidence"]
    assert {each["source"] for each in report["evidence"]} == {"metrics.csv"}
    assert report["propagation"] == []


# A surge of traffic is no fault of the service where it lands, and none is accused of it.
@pytest.mark.parametrize("fault", [each for each in FAULTS if each not in ("healthy", "traffic")])
def test_every_kind_of_planted_fault_is_near_the_top_from_its_files(
    aiops: Run, bare: Path, export: Export, fault: str
) -> None:
    case = plant(specified(f"synthetic:11:{fault}"))
    folder = export(case.data, bare / "incident")
    describe(folder, case)
    report = report_of(aiops("rca", folder, "--graph", folder / "calls.csv", "--json"))
    names = [cause["entity"]["name"] for cause in report["root_causes"]]
    assert case.answers.entities[0].name in names[:3]


def test_case_json_and_the_command_line_say_the_same(
    aiops: Run, folder: Path, hints: list[object], planted: Case
) -> None:
    bare_report = report_of(aiops("rca", folder, *hints, "--json"))
    describe(folder, planted)
    described = report_of(aiops("rca", folder, *hints[2:], "--json"))
    assert told(described) == told(bare_report)


def test_lies_among_the_answers_change_nothing(
    aiops: Run, folder: Path, hints: list[object], planted: Case
) -> None:
    describe(folder, planted)
    truth = report_of(aiops("investigate", folder, *hints[2:], "--json"))
    describe(
        folder,
        planted,
        root_cause_service="innocent",
        root_cause_metric="innocent_cpu",
        root_cause_columns=["innocent_cpu"],
        fault_type="memory",
        case_id="innocent_cpu_1",
    )
    lied = report_of(aiops("investigate", folder, *hints[2:], "--json"))
    assert told(lied) == told(truth)
    assert lied["subject"] == truth["subject"]
    assert "innocent" not in json.dumps(lied)


def test_the_process_that_ranks_never_opens_case_json(folder: Path, planted: Case) -> None:
    describe(folder, planted)
    watch = (
        "import sys\n"
        "opened = []\n"
        "def hook(event, details):\n"
        "    if event == 'open': opened.append(str(details[0]))\n"
        "sys.addaudithook(hook)\n"
        "from aiops.cli import main\n"
        f"sys.argv = ['aiops', 'investigate', {str(folder)!r}, '--json']\n"
        "try: main()\n"
        "finally: print('\\n'.join(opened), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", watch], capture_output=True, text=True, check=True, timeout=120
    )
    opened = done.stderr.splitlines()
    assert any(path.endswith("incident/metrics.csv") for path in opened)  # the hook does see
    assert [path for path in opened if "case.json" in path] == []
    assert json.loads(done.stdout)["root_causes"]


def test_the_order_of_the_columns_changes_nothing(
    aiops: Run, folder: Path, hints: list[object]
) -> None:
    before = report_of(aiops("investigate", folder, *hints, "--json"))
    rows = [line.split(",") for line in (folder / "metrics.csv").read_text().splitlines()]
    order = list(range(len(rows[0])))
    random.Random(3).shuffle(order)  # noqa: S311  a test's own shuffle
    lines = [",".join(row[i] for i in order) for row in rows]
    (folder / "metrics.csv").write_text("\n".join(lines) + "\n")
    assert lines[0].split(",")[0] != "time"
    assert told(report_of(aiops("investigate", folder, *hints, "--json"))) == told(before)


@pytest.mark.parametrize("method", METHODS)
def test_every_analyzer_answers_by_name_and_repeats_itself(
    aiops: Run, folder: Path, hints: list[object], planted: Case, method: str
) -> None:
    line = ["rca", folder, *hints, "--method", method, "--json"]
    report = report_of(aiops(*line))
    assert list(report) == KEYS
    assert report["agreement"]["statistics"].startswith(f"{method}: ")
    assert report["failed_steps"] == []
    services = {series.entity.name for series in planted.data.window.metrics.series}  # type: ignore[union-attr]
    named = [cause["entity"]["name"] for cause in report["root_causes"]]
    assert set(named) <= services
    assert len(named) == len(set(named)) == 5
    assert told(report_of(aiops(*line))) == told(report)


def test_a_seed_decides_what_is_random(aiops: Run, folder: Path) -> None:
    def order(seed: int) -> list[str]:
        line = ["rca", folder, "--method", "random", "--seed", seed, "--top", 8, "--json"]
        return [cause["entity"]["name"] for cause in report_of(aiops(*line))["root_causes"]]

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(4)}) > 1


def test_a_part_of_the_ranker_can_be_left_out_by_name(aiops: Run, folder: Path) -> None:
    report = report_of(aiops("rca", folder, "--method", "aiops/no-calls", "--json"))
    assert report["agreement"]["statistics"].startswith("aiops/no-calls: ")


def test_top_says_how_many_are_listed(aiops: Run, folder: Path) -> None:
    for top in (1, 3, 8):
        report = report_of(aiops("rca", folder, "--top", top, "--json"))
        assert [cause["rank"] for cause in report["root_causes"]] == list(range(1, top + 1))


def test_rcaevals_own_layout_is_read_and_its_name_is_not(
    aiops: Run, folder: Path, planted: Case
) -> None:
    run = folder.parent / "RE1" / "innocent_cpu" / "1"
    run.mkdir(parents=True)
    shutil.copy(folder / "metrics.csv", run / "data.csv")
    at = planted.data.trigger.at
    assert at is not None
    (run / "inject_time.txt").write_text(f"{at.timestamp():.0f}\n")
    calls = ["--graph", folder / "calls.csv"]
    report = report_of(aiops("rca", run, *calls, "--json"))
    assert report["root_causes"][0]["entity"]["name"] == planted.answers.entities[0].name
    assert "innocent" not in json.dumps(report)
    again = report_of(aiops("rca", "RE1:innocent_cpu/1", "--data", ".", *calls, "--json"))
    assert told(again) == told(report)
    by_id = report_of(aiops("rca", report["subject"]["case"], "--data", ".", *calls, "--json"))
    assert told(by_id) == told(report)


def test_rcds_own_layout_is_read_with_its_two_runs(aiops: Run, folder: Path, planted: Case) -> None:
    head, *rows = (folder / "metrics.csv").read_text().splitlines()
    at = planted.data.trigger.at
    assert at is not None
    run = folder.parent / "pair" / "innocent-cpu" / "1"
    run.mkdir(parents=True)
    sides: dict[str, list[str]] = {"normal": [], "anomalous": []}
    for row in rows:
        late = float(row.split(",")[0]) >= at.timestamp()
        sides["anomalous" if late else "normal"].append(row)
    for name, lines in sides.items():
        (run / f"{name}.csv").write_text("\n".join([head, *lines]) + "\n")
    report = report_of(aiops("rca", run, "--graph", folder / "calls.csv", "--json"))
    assert report["root_causes"][0]["entity"]["name"] == planted.answers.entities[0].name
    assert report["subject"]["trigger"]["at"] == at.isoformat().replace("+00:00", "Z")


def test_a_healthy_window_accuses_nobody(aiops: Run, bare: Path, export: Export) -> None:
    calm = world(7, fault="healthy")
    report = report_of(aiops("investigate", export(calm.data, bare / "calm"), "--json"))
    assert report["verdict"] == "healthy"
    assert report["summary"].startswith("No fault found")


FETCHING = ("src", "href", "srcset", "data", "action", "poster")


class _Page(HTMLParser):
    """Ids and links of a page, and whatever it would fetch."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.fetched: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            elif name == "href" and value and value.startswith("#"):
                self.links.add(value[1:])
            elif name in FETCHING and value and not value.startswith("data:"):
                self.fetched.append(f"{tag} {name}={value}")


def test_the_page_of_an_investigation_is_complete_and_needs_nothing(aiops: Run, bare: Path) -> None:
    done = aiops("investigate", "synthetic:7", "--html", "report.html", "--json")
    assert (done.returncode, done.stderr) == (0, "wrote report.html\n")
    assert [path.name for path in bare.iterdir()] == ["report.html"]
    report = json.loads(done.stdout)
    text = (bare / "report.html").read_text(encoding="utf-8")
    page = _Page(text)
    assert page.fetched == []
    assert "@import" not in text
    assert re.findall(r"url\((?!data:|#)", text) == []
    assert text.rstrip().endswith("</html>")
    assert {item["id"] for item in report["evidence"]} <= page.ids
    assert page.links <= page.ids
    assert text.count("<svg") >= 3
    for cause in report["root_causes"]:
        assert cause["entity"]["name"] in text


def test_every_claim_of_an_investigation_cites_evidence_that_is_there(aiops: Run) -> None:
    report = report_of(aiops("investigate", "synthetic:7", "--json"))
    known = {item["id"] for item in report["evidence"]}
    cited = set(re.findall(r"\bE\d+\b", report["summary"]))
    for section in ("root_causes", "propagation", "alerts_explained", "ruled_out"):
        for row in report[section]:
            cited |= set(row["evidence"])
    assert cited
    assert cited <= known


def test_help_loads_nothing_heavy(bare: Path) -> None:
    heavy = ("numpy", "scipy", "statsmodels", "networkx", "pyarrow", "jinja2", "pydantic", "httpx")
    program = (
        "import sys\n"
        "from aiops.cli import main\n"
        "sys.argv = ['aiops', '--help']\n"
        "try: main()\n"
        f"finally: print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr.strip() == "[]"
    for command in ("rca", "investigate", "demo", "datasets", "eval"):
        assert command in done.stdout


def test_a_reader_that_leaves_early_gets_no_traceback(bare: Path) -> None:
    program = Path(sys.executable).with_name("aiops")
    with subprocess.Popen(
        [str(program), "rca", "synthetic:7", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": os.defpath},
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        said = running.stderr.read().decode()
    assert said == ""


def test_numbers_survive_the_way_through_the_files(
    planted: Case, folder: Path, hints: list[object], aiops: Run
) -> None:
    """What the report says about the culprit is what was planted, to the digits it prints."""
    table = planted.data.window.metrics
    assert table is not None
    report = report_of(aiops("rca", folder, *hints, "--json"))
    first = report["evidence"][0]
    values = table.values[:, [one.column for one in table.series].index(first["ref"])]
    onset = np.searchsorted(table.times, planted.data.trigger.at.timestamp())  # type: ignore[union-attr]
    level = float(np.median(values[:onset]))
    numbers = [float(each) for each in re.findall(r"\d+(?:\.\d+)?", first["claim"])]
    assert any(np.isclose(level * unit, n, rtol=0.02) for n in numbers for unit in (1, 100, 1e3))
