"""Recorded answers as tools: exactly what was recorded, or a failure that says so."""

import asyncio
from typing import Any

import pytest

from aiops.errors import ToolFailed
from aiops.model import RecordedOutput
from aiops.model.tool import Caller
from aiops.ports.tools import ToolContext
from aiops_datasets.recorded_tools import namespace_of, specs, tools
from aiops_evals.agent.expert import coverage

_CONTEXT = ToolContext("c", "k", Caller("kubernetes", "probe", "run"), lambda _: None)
_PODS = 'GetResources:{"resource_type":"pods","name":"","namespace":"corner"}'
_WIDE = 'GetResources:{"resource_type":"pods","name":"","namespace":"corner","output_wide":true}'


def _answer(outputs: dict[str, str], tool: str, **given: Any) -> str:
    recorded = tools([RecordedOutput(call, text) for call, text in outputs.items()])
    one = next(each for each in recorded if each.spec.name == f"recorded.{tool}")
    return asyncio.run(one.read(given, _CONTEXT)).summary


def test_an_answer_comes_back_to_the_letter_whatever_is_left_out_or_off() -> None:
    outputs = {_PODS: "NAME\nweb \n", _WIDE: "NAME NODE"}
    asked = {"resource_type": "pods", "namespace": "corner"}
    assert _answer(outputs, "GetResources", **asked) == "NAME\nweb \n"
    assert _answer(outputs, "GetResources", **asked, output_wide=False) == "NAME\nweb \n"
    assert _answer(outputs, "GetResources", **asked, output_wide=True) == "NAME NODE"


def test_what_nobody_asked_while_recording_fails_and_says_what_it_was() -> None:
    with pytest.raises(ToolFailed, match=r"not recorded: GetAppYAML .*till") as failed:
        _answer({_PODS: "NAME"}, "GetAppYAML", app_name="till")
    assert failed.value.kind == "not_found"


def test_calls_that_are_no_calls_are_no_answers() -> None:
    outputs = {"collection_timestamp": "2026", "GetAlerts:{": "broken", "Other:{}": "x"}
    with pytest.raises(ToolFailed, match="not recorded"):
        _answer(outputs, "GetAlerts")


def test_every_tool_only_reads_and_says_what_its_arguments_mean() -> None:
    assert {spec.effect for spec in specs()} == {"read"}
    assert all(spec.name.startswith("recorded.") for spec in specs())


def test_the_namespace_is_the_one_that_was_asked_for_most() -> None:
    other = 'GetResources:{"resource_type":"pods","name":"","namespace":"other"}'
    outputs = [RecordedOutput(call, "") for call in (_PODS, _WIDE, other)]
    assert namespace_of(outputs) == "corner"
    assert namespace_of([]) is None


def test_coverage_counts_the_best_covered_path_and_takes_a_pod_for_its_app() -> None:
    calls = [
        'recorded.GetResources {"namespace":"corner","resource_type":"pods"}',
        'recorded.DescribeResource {"name":"till-6c5-x2x","namespace":"n","resource_type":"pods"}',
    ]
    first = [("GetResources", "pod"), ("DescribeResource", "pod", "till"), ("GetAlerts",)]
    second = [("GetResources", "pod"), ("GetErrorLogs", "till")]
    assert coverage(calls, [first, second]) == pytest.approx(2 / 3)
    assert coverage(calls, []) is None
    assert coverage(calls, [[("DescribeResource", "pod", "tillers")]]) == 0
