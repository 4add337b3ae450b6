"""The public half of a file that also holds answers."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aiops.errors import InvalidData
from aiops_datasets import public, sealed

CASE = {
    "dataset": "shop",
    "case_id": "cart_cpu_1",
    "inject_time": 100,
    "inject_time_kind": "exact",
    "root_cause_service": "cart-secret",
    "root_cause_metric": "cart-secret_cpu",
    "fault_type": "cpu-secret",
    "description": "secret in words",
    "golden_paths": {"path1": ["secret"]},
    "original_path": "secret/1",
    "query": "checkout is slow",
}
ROW = {
    "dataset": "alerts",
    "case_id": "a_1",
    "inject_time": None,
    "root_cause_service": "secret",
    "root_cause_instance": "secret-1",
    "fault_type": "secret",
    "nodes": ["cart-0"],
    "edges": [[0, 0]],
    "metric_alerts": [["cart-0", "cpu", "up"]],
    "trace_alerts": [],
    "log_alerts": [],
}


def written(folder: Path, record: Any, name: str = "case.json") -> Path:
    path = folder / name
    path.write_text(record if isinstance(record, str) else json.dumps(record), encoding="utf-8")
    return path


@pytest.mark.parametrize("read", [public.apart, public.within])
def test_only_public_keys_come_out(tmp_path: Path, read: public.PublicReader) -> None:
    found = read("case", written(tmp_path, CASE))
    assert found == {
        "dataset": "shop",
        "inject_time": 100,
        "inject_time_kind": "exact",
        "query": "checkout is slow",
    }


def test_the_child_process_prints_no_answer(tmp_path: Path) -> None:
    path = written(tmp_path, CASE)
    command = [sys.executable, "-I", "-S", sealed.__file__, "case", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "secret" not in done.stdout + done.stderr


@pytest.mark.parametrize("read", [public.apart, public.within])
def test_a_row_is_found_by_name_and_loses_its_answers(
    tmp_path: Path, read: public.PublicReader
) -> None:
    path = tmp_path / "cases.jsonl.gz"
    rows = [json.dumps(ROW | {"case_id": name}) for name in ("a_1", "a_10", "b")]
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    assert read("names", path) == ["a_1", "a_10", "b"]
    assert "secret" not in json.dumps(read("row", path, "a_10"))
    assert read("row", path, "b")["nodes"] == ["cart-0"]
    with pytest.raises(InvalidData, match="holds no case 'c'"):
        read("row", path, "c")


def test_a_case_file_without_answers_is_enough(tmp_path: Path) -> None:
    path = written(tmp_path, {"dataset": "lab", "inject_time": 5.5})
    assert public.within("case", path) == {"dataset": "lab", "inject_time": 5.5}


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"inject_time": "noon"}, "inject_time"),
        ({"inject_time": True}, "inject_time"),
        ({"dataset": None}, "dataset"),
        ({"target": {"node": "x"}}, "metric"),
        ({"fault_type": 7}, "fault_type"),
        ({"root_cause_columns": "cart_cpu"}, "root_cause_columns"),
    ],
)
@pytest.mark.parametrize("read", [public.apart, public.within])
def test_a_key_of_the_wrong_type_is_refused_by_name(
    tmp_path: Path, change: dict[str, Any], key: str, read: public.PublicReader
) -> None:
    path = written(tmp_path, CASE | change)
    with pytest.raises(InvalidData, match=f"case.json: key '{key}'"):
        read("case", path)


@pytest.mark.parametrize("key", ["dataset", "inject_time"])
def test_a_missing_key_is_refused_by_name(tmp_path: Path, key: str) -> None:
    path = written(tmp_path, {k: v for k, v in CASE.items() if k != key})
    with pytest.raises(InvalidData, match=f"key '{key}' is missing"):
        public.apart("case", path)


def test_a_refused_answer_is_not_quoted(tmp_path: Path) -> None:
    path = written(tmp_path, CASE | {"root_cause_service": ["cart-secret"]})
    with pytest.raises(InvalidData) as caught:
        public.apart("case", path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"), [("{", "is not JSON"), ("[]", "not a JSON object"), ("", "is not JSON")]
)
def test_a_file_that_is_no_object_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(InvalidData, match=reason):
        public.apart("case", written(tmp_path, text))


def test_a_truncated_list_of_cases_is_refused_and_named(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(ROW).encode() * 50)[:-20])
    with pytest.raises(InvalidData, match=r"cases.jsonl.gz: is a truncated or broken gzip"):
        public.apart("names", path)
