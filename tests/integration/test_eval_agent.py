"""``aiops eval agent``: whole investigations, judged on recorded incidents."""

import json
import os
import sys
from pathlib import Path
from statistics import median

import pytest

from aiops.cli import main
from aiops.errors import InvalidInput, UnknownName
from aiops_evals.agent import suite, tables
from aiops_evals.agent.by_tools import alert_alone
from aiops_evals.agent.judging import run
from aiops_evals.agent.outcomes import Asked, Investigated
from aiops_evals.outcomes import Facts

REPOSITORY = Path(__file__).parents[2]
OURS = REPOSITORY / "datasets"
DATASETS = Path(os.environ.get("AIOPS_DATASETS", REPOSITORY.parent / "shared" / "datasets"))
BY_TOOLS = "cloudopsbench"
needs_recorded_tools = pytest.mark.skipif(
    not (DATASETS / BY_TOOLS).is_dir(),
    reason=f"{BY_TOOLS} is not below {DATASETS}; set AIOPS_DATASETS",
)


@needs_recorded_tools
def test_causes_are_named_from_the_alert_alone_with_few_calls() -> None:
    plan = suite.make_plan([DATASETS], datasets=[BY_TOOLS], limit=8, seed=1)
    judged = [run(task) for task in suite.tasks(plan)]
    runs = [one for case in judged for one in case.runs]
    assert not [one.failed for one in runs if one.failed]
    by_tools = [one for one in runs if one.method == "deterministic"]
    assert sum(one.hit("object+fault") for one in by_tools) >= 7
    asked = [one.asked for one in runs if one.asked is not None]
    assert len(asked) == 8
    assert median(len(one.calls) for one in asked) <= 10
    assert all(len(set(one.calls)) == len(one.calls) for one in asked)


@needs_recorded_tools
def test_an_investigation_by_tools_begins_with_the_alert_and_nothing_else() -> None:
    from aiops_datasets.catalog import load_case, locations

    case = load_case(next(iter(locations(DATASETS, BY_TOOLS))))
    bare = alert_alone(case.data)
    window = bare.window
    assert (window.cluster_state, window.tool_outputs, window.alerts) == ((),) * 3
    assert (window.metrics, window.logs, window.spans, window.graph) == (None,) * 4
    assert bare.trigger.entity is not None
    assert bare.trigger.entity.kind == "namespace"
    assert bare.trigger.statement == case.data.trigger.statement


def test_the_command_compares_whole_investigations_with_the_analyzers_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "agent.json"
    asked = ["--datasets", "lab-campaign", "--limit", "3", "--jobs", "1", "--misses"]
    command = ["aiops", "eval", "agent", "--data", str(OURS), *asked, "--out", str(out)]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (None, 0)
    evaluation = json.loads(out.read_text())
    (line,) = evaluation["header"]["beside_analyzers"]
    assert line["investigation"] >= line["analyzers"]
    assert evaluation["header"]["seed"] == 0
    assert len(evaluation["header"]["datasets"]["lab-campaign"]) == 64
    assert "analyzers alone" in capsys.readouterr().out


def test_a_policy_that_needs_a_model_is_refused_where_none_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match="asks a language model and none is set"):
        suite.make_plan([OURS], datasets=["lab-campaign"], methods=["llm"])


def test_names_that_do_not_exist_are_refused_before_anything_runs() -> None:
    with pytest.raises(UnknownName, match="lab-campaing"):
        suite.make_plan([OURS], datasets=["lab-campaing"])
    with pytest.raises(UnknownName, match="clever"):
        suite.make_plan([OURS], datasets=["lab-campaign"], methods=["clever"])
    with pytest.raises(InvalidInput, match="is no folder"):
        suite.make_plan([OURS / "nowhere"])


def test_a_table_tells_calls_misses_and_what_was_left_out() -> None:
    plan = suite.Plan(((BY_TOOLS, OURS), ("lab-campaign", OURS)), ("deterministic",))
    facts = Facts(BY_TOOLS, "c1", "oom", ("object", "object+fault"), system="shop", name="case-1")
    right = Investigated(
        facts,
        "deterministic",
        {"object": 1, "object+fault": 2},
        "root_cause",
        ("web (oom)",),
        12.0,
        asked=Asked(('recorded.GetAlerts {"a":1}',), missed=1, tokens=7, coverage=0.5),
    )
    judged = [
        suite.Judged(BY_TOOLS, (right,)),
        suite.Judged("lab-campaign", skipped="healthy: there is nothing to name"),
    ]
    told = tables.report(suite.result(plan, judged, misses=True))
    assert "1 of 1" in told
    assert "0.50" in told
    assert "case-1" in told
    assert "healthy: there is nothing to name" in told
