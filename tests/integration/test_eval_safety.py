"""``aiops eval safety`` as its users run it: on one attack, with its files."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from aiops.cli import build
from aiops.errors import InvalidInput, UnknownName


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build(), ["eval", "safety", *arguments], catch_exceptions=False)


def test_the_command_prints_what_came_of_an_attack_and_writes_it(tmp_path: Path) -> None:
    out = tmp_path / "safety.json"
    done = run("--only", "log-override", "--out", str(out))
    assert done.exit_code == 0, done.output
    settled, torn = json.loads(out.read_text())["scenes"]
    assert settled["settled_by_numbers"]
    assert not torn["settled_by_numbers"]
    by_policy = {row["policy"]: row for row in settled["rows"]}
    assert by_policy["llm"]["seen"]
    assert not by_policy["deterministic"]["seen"]
    assert all(row["unmoved"] for row in settled["rows"])
    assert out.with_suffix(".md").read_text() in done.stdout


def test_an_attack_that_there_is_not_is_said_by_name() -> None:
    with pytest.raises(UnknownName, match="log-override"):
        run("--only", "log-overide")


def test_a_result_that_is_no_json_file_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"give --out a file that ends in \.json"):
        run("--out", str(tmp_path))
