"""A run is written down, run again from its file, and refused where it would not be the same."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

from aiops.agents.trajectory.steps import Header
from aiops.store.trajectory import line_of, step_of

CASE = "synthetic:11:cpu"
Run = Callable[..., CompletedProcess[str]]


def test_a_run_from_its_trajectory_prints_the_same_bytes(aiops: Run, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    first = aiops("investigate", CASE, "--json", "--trajectory", file)
    again = aiops("investigate", CASE, "--json", "--replay", file)
    assert (first.returncode, again.returncode) == (0, 0)
    assert again.stdout == first.stdout
    assert '"verdict": "root_cause"' in first.stdout


def test_a_trajectory_that_somebody_changed_is_refused_by_its_line(
    aiops: Run, tmp_path: Path
) -> None:
    file = tmp_path / "run.jsonl"
    aiops("investigate", CASE, "--trajectory", file)
    file.write_text(file.read_text().replace("root_cause", "healthy", 1))
    refused = aiops("investigate", CASE, "--replay", file)
    assert refused.returncode == 2
    assert "of the trajectory was changed" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_replay_that_comes_to_another_report_fails_and_says_in_what(
    aiops: Run, tmp_path: Path
) -> None:
    file = tmp_path / "run.jsonl"
    aiops("investigate", CASE, "--trajectory", file)
    first, *rest = file.read_text().splitlines()
    header = step_of(first, 1)
    assert isinstance(header, Header)
    other = line_of(replace(header, made=replace(header.made, top=1)))
    file.write_text("\n".join([other, *rest, ""]))
    failed = aiops("investigate", CASE, "--replay", file)
    assert failed.returncode == 1
    assert "another report than the recorded one" in failed.stderr
    assert failed.stdout == ""
