"""Root causes and objectives through tools."""

from dataclasses import replace
from pathlib import Path

import pytest
from small_world import NOON, ask, told, with_incident, world

from aiops.errors import ToolFailed
from aiops.model.canonical import parsed
from aiops_tools.analysis.toolset import Analysis

SLOS = """
slos:
  - name: store-latency
    service: store
    sli: {kind: latency, metric: latency_p95, at_most: 0.3}
    objective: 99
    window: 28d
"""


def test_an_incident_is_investigated_with_evidence_and_nothing_is_kept():
    service = world()
    with_incident(service)
    before = service.telemetry.graph(NOON), service.incidents.timeline("inc-001")
    result = ask(Analysis.connect("analysis", {}, service), "investigate", incident="inc-001")
    findings = parsed(result.content)["findings"]
    assert findings["verdict"] == "root_cause"
    assert findings["root_causes"][0]["service"] == "store"
    assert findings["root_causes"][0]["evidence"]
    assert "from kept" in result.summary
    assert (service.telemetry.graph(NOON), service.incidents.timeline("inc-001")) == before
    assert service.incidents.get("inc-001").report is None
    assert service.investigations.newest() == ()


def test_a_window_is_investigated_without_any_alert():
    toolset = Analysis.connect("analysis", {}, world())
    found = told(toolset, "explain_window", services=["web"], start="-40m", noticed_at="-8m")
    assert found["findings"]["root_causes"][0]["service"] == "store"
    assert found["findings"]["start"] == "2026-11-20T11:20:00Z"


def test_a_quiet_window_accuses_nobody():
    toolset = Analysis.connect("analysis", {}, world())
    found = told(toolset, "explain_window", start="-50m", end="-15m", noticed_at="-25m")
    assert found["findings"]["verdict"] != "root_cause"


def test_a_service_that_nobody_knows_is_refused():
    with pytest.raises(ToolFailed, match="did you mean 'store'"):
        ask(Analysis.connect("analysis", {}, world()), "explain_window", services=["stores"])


def test_an_alert_outside_its_window_is_refused():
    toolset = Analysis.connect("analysis", {}, world())
    with pytest.raises(ToolFailed, match="within the window") as refused:
        ask(toolset, "explain_window", start="-30m", noticed_at="-45m")
    assert refused.value.kind == "invalid"


def test_an_incident_that_is_not_there_is_not_found():
    with pytest.raises(ToolFailed) as failed:
        ask(Analysis.connect("analysis", {}, world()), "investigate", incident="inc-999")
    assert failed.value.kind == "not_found"


def test_objectives_stand_as_their_source_says(tmp_path: Path):
    (tmp_path / "slos.yaml").write_text(SLOS)
    service = world(slos=tmp_path / "slos.yaml")

    class Kept:
        name = "prom"
        metrics = service.telemetry.metrics

        def check(self) -> str:
            return "fine"

        def close(self) -> None:
            pass

    toolset = Analysis.connect("analysis", {}, replace(service, sources=(("prom", Kept()),)))
    (row,) = told(toolset, "slo_state")["objectives"]
    assert (row["name"], row["source"], row["unknown"]) == ("store-latency", "prom", None)
    assert max(burn["rate"] for burn in row["burns"] if burn["rate"] is not None) > 1
    assert row["budget_left"] < 1


def test_no_objectives_are_told_as_missing():
    result = ask(Analysis.connect("analysis", {}, world()), "slo_state", service="store")
    assert parsed(result.content)["objectives"] == []
    assert result.unread[0].reason == "no file of them is set ('slos')"


def test_objectives_without_metrics_say_what_to_do(tmp_path: Path):
    (tmp_path / "slos.yaml").write_text(SLOS)
    result = ask(Analysis.connect("analysis", {}, world(slos=tmp_path / "slos.yaml")), "slo_state")
    assert "no source of metrics is set" in result.unread[0].reason
