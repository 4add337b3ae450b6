"""The JSON of a report is schema "aiops.report/1", key by key."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from aiops import plugins
from aiops.analyze.explain import explain
from aiops.app.investigate import investigate
from aiops.app.rendering import as_json
from aiops.model import Report
from aiops_datasets.synthetic import plant, specified

TOP = [
    "schema",
    "subject",
    "verdict",
    "summary",
    "onset",
    "impact",
    "root_causes",
    "propagation",
    "evidence",
    "changes",
    "alerts_explained",
    "ruled_out",
    "unknowns",
    "notes",
    "failed_steps",
    "playbook_runs",
    "actions",
    "verification",
    "agreement",
    "timings",
    "usage",
]
NESTED = {
    "impact": ["slo", "affected", "budget_burnt"],
    "agreement": ["statistics", "model"],
    "usage": ["policy", "llm_calls", "input_tokens", "output_tokens", "usd", "stopped_by"],
}
ROWS = {
    "root_causes": [
        "rank",
        "entity",
        "indicator",
        "fault_type",
        "fault_type_candidates",
        "score",
        "confidence",
        "evidence",
    ],
    "propagation": ["source", "target", "relation", "lag_s", "p_value", "evidence"],
    "evidence": ["id", "kind", "claim", "source", "window", "ref"],
}


@pytest.fixture(scope="module")
def report() -> Report:
    case = plant(specified("synthetic:7:network_delay")).data
    return investigate(case, plugins.analyzer("aiops"), explain=explain)


@pytest.fixture(scope="module")
def document(report: Report) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(as_json.dumps(report))
    return loaded


def test_the_keys_are_the_designs_in_its_order(document: dict[str, Any]) -> None:
    assert document["schema"] == "aiops.report/1"
    assert list(document) == TOP
    for key, expected in NESTED.items():
        assert list(document[key]) == expected
    for key, expected in ROWS.items():
        assert document[key], key
        for row in document[key]:
            assert list(row) == expected
    entity = document["root_causes"][0]["entity"]
    assert list(entity) == ["kind", "name", "namespace", "cluster", "service"]
    assert list(document["root_causes"][0]["indicator"]) == ["kind", "name"]


def test_values_have_the_types_of_the_schema(document: dict[str, Any]) -> None:
    first = document["root_causes"][0]
    assert first["rank"] == 1
    assert isinstance(first["fault_type"], str)
    assert all(isinstance(name, str) and 0 <= p <= 1 for name, p in first["fault_type_candidates"])
    assert document["verdict"] in {"root_cause", "healthy", "inconclusive"}
    assert isinstance(document["timings"]["total_s"], float)
    for item in document["evidence"]:
        start, end = item["window"]
        assert start <= end


def test_times_are_iso_8601_with_z(document: dict[str, Any]) -> None:
    for text in (document["onset"], *document["evidence"][0]["window"]):
        assert text.endswith("Z")
        assert datetime.fromisoformat(text).tzinfo == UTC


def test_a_number_that_is_none_is_null_not_nan(report: Report) -> None:
    edge = replace(report.propagation[0], p_value=math.nan, lag_s=math.inf)
    document = json.loads(as_json.dumps(replace(report, propagation=(edge,))))
    assert document["propagation"][0]["p_value"] is None
    assert document["propagation"][0]["lag_s"] is None


def test_relative_times_are_also_given_in_seconds_from_the_start(report: Report) -> None:
    relative = replace(report, subject=replace(report.subject, relative=True))
    document = json.loads(as_json.dumps(relative))
    assert document["onset_s"] == pytest.approx(300, abs=10)
    assert document["subject"]["window_s"][0] == 0.0
    assert document["evidence"][0]["window_s"][1] > 0
    assert "onset_s" not in json.loads(as_json.dumps(report))


def test_equal_reports_are_equal_to_the_byte(report: Report) -> None:
    assert as_json.dumps(report) == as_json.dumps(replace(report))
