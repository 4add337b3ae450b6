"""aiops investigate: whom it asks, what it tells on the way, and what it refuses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from aiops.cli.investigate import register
from aiops.errors import InvalidInput, NotKept, UnknownName

CASE = "synthetic:7:network_delay"


def run(*arguments: str) -> Result:
    commands = typer.Typer()
    register(commands)
    commands.callback()(lambda: None)
    return CliRunner().invoke(commands, ["investigate", *arguments], catch_exceptions=False)


def test_each_step_is_told_on_standard_error_where_asked_for() -> None:
    quiet, told = run(CASE), run(CASE, "--steps")
    assert quiet.stderr == ""
    assert told.stdout.splitlines()[0] == quiet.stdout.splitlines()[0]
    assert told.stderr.startswith("intake: begun")
    assert "plan: plan: parallel: metrics reads the window" in told.stderr


def test_the_trajectory_is_a_line_of_json_for_each_step(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    assert run(CASE, "--trajectory", str(file)).exit_code == 0
    steps = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    told = [step["content"]["node"] for step in steps if step["step"] == "moment"]
    assert [steps[0]["step"], steps[-1]["step"]] == ["header", "report"]
    assert [told[0], told[-1]] == ["intake", "report"]
    assert {len(step["sha256"]) for step in steps} == {64}


@pytest.mark.parametrize("case", [CASE, "synthetic:11:cpu"])
def test_a_replay_prints_the_same_bytes(case: str, tmp_path: Path) -> None:
    file = str(tmp_path / "run.jsonl")
    first = run(case, "--json", "--seed", "3", "--top", "4", "--trajectory", file)
    assert run(case, "--json", "--replay", file).stdout == first.stdout


def test_the_run_is_written_as_a_conversation_where_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "chat.jsonl"
    assert run(CASE, "--trajectory-chat", str(file)).exit_code == 0
    (line,) = file.read_text(encoding="utf-8").splitlines()
    roles = [message["role"] for message in json.loads(line)["messages"]]
    assert roles == ["system", "user", "assistant"]


def test_a_replay_of_another_case_is_refused(tmp_path: Path) -> None:
    file = str(tmp_path / "run.jsonl")
    run(CASE, "--trajectory", file)
    with pytest.raises(InvalidInput, match="not the case of the trajectory"):
        run("synthetic:8:network_delay", "--replay", file)


@pytest.mark.parametrize("more", [("--seed", "1"), ("--policy", "deterministic"), ("--top", "9")])
def test_a_replay_takes_its_settings_from_the_file_only(
    more: tuple[str, str], tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match="leave out"):
        run(CASE, "--replay", str(tmp_path / "run.jsonl"), *more)


def test_a_trajectory_that_cannot_be_written_is_refused_before_anything_is_done(
    tmp_path: Path,
) -> None:
    with pytest.raises(InvalidInput, match="give another FILE"):
        run(CASE, "--trajectory", str(tmp_path / "none" / "run.jsonl"))


@pytest.mark.parametrize("arguments", [(), (CASE, "--incident", "inc-1")])
def test_it_takes_a_case_or_an_incident(arguments: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match="CASE, or --incident ID"):
        run(*arguments)


def test_an_unknown_policy_is_refused_with_the_choices() -> None:
    with pytest.raises(UnknownName, match="deterministic"):
        run(CASE, "--policy", "oracle")


def test_an_incident_that_is_not_kept_is_refused(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOPS_DATABASE_URL", sqlite_url)
    with pytest.raises(NotKept, match="inc-1"):
        run("--incident", "inc-1")


def test_a_recorded_case_needs_no_langgraph() -> None:
    program = (
        "import sys\nfrom aiops.cli import main\n"
        f"sys.argv = ['aiops', 'investigate', {CASE!r}, '--json']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "assert not [name for name in sys.modules if name.startswith('langgraph')]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
