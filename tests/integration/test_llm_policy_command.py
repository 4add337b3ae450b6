"""``--policy llm`` at the command line: its words, its replay, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from advised import NAME, verdict
from scripted_model import ScriptedModel, fails, scripted
from typer.testing import CliRunner, Result

from aiops.bootstrap.durable import durable
from aiops.bootstrap.working import handlers
from aiops.cli.investigate import register
from aiops.errors import InvalidInput
from aiops.settings import Settings

CASE = "synthetic:11:cpu"
Endpoint = Callable[[ScriptedModel], None]


def run(*arguments: str) -> Result:
    commands = typer.Typer()
    register(commands)
    commands.callback()(lambda: None)
    return CliRunner().invoke(commands, ["investigate", *arguments], catch_exceptions=False)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """Lets the settings name a model, which is asked even where the statistics are sure."""

    def named(model: ScriptedModel) -> None:
        monkeypatch.setenv("AIOPS_MODEL__BASE_URL", model.url)
        monkeypatch.setenv("AIOPS_MODEL__SMALL__NAME", NAME)
        monkeypatch.setenv("AIOPS_MODEL__ASK", "always")
        monkeypatch.setenv("AIOPS_MODEL__ATTEMPTS", "1")

    return named


def test_the_reader_sees_what_the_model_says_and_what_it_cites(use: Endpoint) -> None:
    with scripted(verdict(1, ("its processor was busy first", ["E1"]))) as model:
        use(model)
        text = run(CASE, "--policy", "llm", "--steps")
        markdown = run(CASE, "--policy", "llm", "--markdown").stdout
    assert "plan: words: suspect: 1, because: claim: its processor was busy first" in text.stderr
    assert f"plan: answer: {NAME}:" in text.stderr
    assert "its processor was busy first [E1]" in text.stdout
    assert "1 model call" in text.stdout
    assert "its processor was busy first [E1]" in markdown


def test_a_replay_is_the_same_whether_anybody_read_along_or_not(
    use: Endpoint, tmp_path: Path
) -> None:
    alone, watched = str(tmp_path / "alone.jsonl"), str(tmp_path / "watched.jsonl")
    with scripted(verdict(1, ("its processor was busy first", ["E1"]))) as model:
        use(model)
        run(CASE, "--policy", "llm", "--trajectory", alone)
        first = run(CASE, "--policy", "llm", "--json", "--steps", "--trajectory", watched)
        assert ["stream" in asked.body for asked in model.asked] == [False, True]
    assert run(CASE, "--json", "--replay", watched).stdout == first.stdout
    assert steps_of(alone) == steps_of(watched)


def steps_of(file: str) -> list[tuple[str, str]]:
    """Of a trajectory: what each was, and of moments their kind."""
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    return [(one["step"], str(one["content"].get("kind"))) for one in found]


def test_where_the_statistics_are_sure_no_model_is_asked(
    use: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted(fails(500)) as model:
        use(model)
        monkeypatch.setenv("AIOPS_MODEL__ASK", "unsettled")
        report = json.loads(run(CASE, "--policy", "llm", "--json").stdout)
    assert model.asked == []
    assert report["usage"]["llm_calls"] == 0
    assert report["failed_steps"] == []
    assert report["agreement"]["model"] is None


def test_a_healthy_system_is_accused_by_no_model(use: Endpoint) -> None:
    with scripted(verdict(1, ("it is to blame", ["E1"]))) as model:
        use(model)
        report = json.loads(run("synthetic:5:healthy", "--policy", "llm", "--json").stdout)
    assert report["verdict"] == "healthy"


def test_a_replay_asks_no_model_and_prints_the_same_bytes(
    use: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(tmp_path / "run.jsonl")
    with scripted(verdict(1, ("its processor was busy first", ["E1"]))) as model:
        use(model)
        first = run(CASE, "--policy", "llm", "--json", "--trajectory", file)
        assert len(model.asked) == 1
    for name in ("BASE_URL", "SMALL__NAME"):
        monkeypatch.delenv(f"AIOPS_MODEL__{name}")  # another machine has other settings
    assert run(CASE, "--json", "--replay", file).stdout == first.stdout


def test_without_a_model_the_policy_is_refused_with_what_to_set(sqlite_url: str) -> None:
    with pytest.raises(InvalidInput, match=r"model\.base_url"):
        run(CASE, "--policy", "llm")
    with (
        durable(Settings(database_url=sqlite_url, policy="llm")) as service,
        pytest.raises(InvalidInput, match=r"model\.base_url"),
    ):
        handlers(service)
