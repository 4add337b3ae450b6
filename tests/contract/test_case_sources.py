"""Every layout behind the entry point, and the public data sets where they are there."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from aiops import plugins
from aiops.model import CaseData, FaultType
from aiops.ports.cases import CaseSource
from aiops_datasets import catalog, healthy

REPOSITORY = Path(__file__).parents[2]
ROOT = Path(os.environ.get("AIOPS_DATASETS", REPOSITORY.parent / "shared" / "datasets"))
SOURCES = [pytest.param(source, id=source.name) for source in plugins.case_sources()]
real = pytest.mark.skipif(
    not ROOT.is_dir(), reason="no public data sets here; set AIOPS_DATASETS to their folder"
)
# (what each set must have, modality by modality)
MODALITIES = {
    "causalrca-sockshop": {"metrics"},
    "cloudopsbench": {"logs", "cluster_state", "tool_outputs"},
    "dycause-sockshop-mesh": {"metrics"},
    "nezha-onlineboutique": {"metrics", "graph", "reference"},
    "nezha-trainticket": {"metrics", "logs", "spans", "reference"},
    "petshop": {"metrics", "graph"},
    "rcd-sockshop": {"metrics"},
    "tvdiag-gaia": {"alerts", "graph"},
    "tvdiag-hotel": {"alerts", "graph"},
    "tvdiag-sockshop": {"alerts", "graph"},
    "udevops-sockshop": {"metrics", "load"},
    "udevops-trainticket": {"metrics", "load"},
}


def check(data: CaseData) -> None:
    """What every case promises, whatever its layout."""
    assert data.id
    assert data.window.start <= data.window.end
    if data.trigger.at is not None:
        assert data.trigger.at.tzinfo is not None
        assert data.window.start <= data.trigger.at <= data.window.end
    table = data.window.metrics
    if table is not None:
        assert table.values.shape == (len(table.times), len(table.series))
        assert (np.diff(table.times) > 0).all()
        assert len({series.column for series in table.series}) == len(table.series)
        assert not np.isnan(table.values).all(axis=0).any()


@pytest.mark.parametrize("source", SOURCES)
def test_a_layout_claims_nothing_that_is_not_its_own(source: CaseSource, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no case")
    for path in (tmp_path, tmp_path / "notes.txt", tmp_path / "missing"):
        assert not source.recognises(path)
        assert list(source.locate(path)) == []


@real
@pytest.mark.parametrize("dataset", MODALITIES)
def test_a_few_cases_of_each_set_load_with_every_modality(dataset: str) -> None:
    places = list(catalog.locations(ROOT, dataset))
    assert len({place.id for place in places}) == len(places) > 0
    for place in places[:: max(1, len(places) // 3)]:
        case = catalog.load_case(place)
        check(case.data)
        window = case.data.window
        for modality in MODALITIES[dataset]:
            held = getattr(window, modality)
            assert held is not None
            assert held != ()
        assert case.answers.fault_type is not FaultType.UNKNOWN
        assert case.answers.fault_label
        if window.metrics is not None:
            owners = {series.entity for series in window.metrics.series}
            assert owners & set(case.answers.entities)


@real
def test_the_stitched_clock_and_the_alert_are_those_of_the_source() -> None:
    data = next(
        catalog.load_case(place).data
        for place in catalog.locations(ROOT, "rcd-sockshop")
        if place.name == "carts_cpu_1"
    )
    assert data.trigger.at == datetime.fromtimestamp(1652565892, UTC)
    assert data.window.metrics is not None
    assert data.window.metrics.values.shape == (574, 38)


@real
def test_there_are_at_least_sixty_healthy_windows_with_an_alert_inside() -> None:
    found = list(healthy.windows(ROOT))
    assert len({data.id for data in found}) == len(found) >= 60
    for data in found:
        check(data)
        assert data.trigger.at is not None
        assert data.window.start < data.trigger.at < data.window.end


SPY = """
import json, sys
from pathlib import Path
opened = []
sys.addaudithook(lambda event, args: event == "open" and opened.append(str(args[0])))
from aiops.app import cases
from aiops.ports.cases import CaseHints
for case in sys.argv[2:]:
    cases.load(case, Path(sys.argv[1]), CaseHints())
print(json.dumps(opened))
"""
ANSWER_FILES = {"case.json", "answers.json", "index.csv", "cases.jsonl.gz", "target.json"}


def opened_while_loading(root: Path, *names: str) -> set[str]:
    command = [sys.executable, "-c", SPY, str(root), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {Path(path).name for path in json.loads(done.stdout)}


def test_no_file_that_holds_answers_is_opened_by_the_process_that_ranks(tmp_path: Path) -> None:
    case = tmp_path / "shop" / "cart_cpu_1"
    case.mkdir(parents=True)
    (case / "metrics.csv").write_text("time,cart_cpu\n1700000000,1\n1700000001,2\n")
    facts = {"dataset": "shop", "inject_time": 1700000001, "root_cause_service": "cart"}
    (case / "case.json").write_text(json.dumps(facts))
    (case / "answers.json").write_text(json.dumps(facts))
    opened = opened_while_loading(tmp_path, str(case), "shop:cart_cpu_1")
    assert "metrics.csv" in opened
    assert not opened & ANSWER_FILES


@real
def test_no_answers_of_the_public_sets_are_opened() -> None:
    names = [
        f"{dataset}:{next(catalog.locations(ROOT, dataset)).id}" for dataset in sorted(MODALITIES)
    ]
    assert not opened_while_loading(ROOT, *names) & ANSWER_FILES
