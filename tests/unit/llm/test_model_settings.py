"""Language models from the settings: what can be set, what is refused, what is wired."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from chatting import HELLO, KEY
from scripted_model import says, scripted

from aiops.bootstrap.models import ladders_of, limits_of
from aiops.errors import InvalidInput
from aiops.llm.tape import MemoryTape
from aiops.model.chat import ChatQuestion, Usage
from aiops.ports.chat_model import BudgetSpent, Climbed
from aiops.settings import ModelSettings, load

SMALL = {"name": "small", "input_usd": 1.0, "output_usd": 2.0}
QUESTION = ChatQuestion(HELLO)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def climbed(ladder: Any, margin: float = 1.0) -> Climbed:
    climb: Climbed = asyncio.run(ladder.climb(QUESTION, margin=lambda _: margin, enough=0.5))
    return climb


def ladder_of(settings: ModelSettings, spent: Usage | None = None, **tapes: Any) -> Any:
    """The ladder of a run that has spent that much."""
    ladders = ladders_of(settings, **tapes)
    assert ladders is not None
    return ladders(spent or Usage())


def test_without_a_model_there_is_no_ladder() -> None:
    assert ladders_of(load().model) is None


def test_the_configured_models_are_a_ladder_with_prices_and_a_budget() -> None:
    with scripted(says("one")) as server:
        settings = load(
            model={
                "base_url": server.url,
                "api_key": KEY,
                "small": SMALL,
                "large": {"name": "large"},
                "budget": {"requests": 2},
            }
        ).model
        ladder = ladder_of(settings)
        assert ladder.names == ("small", "large")
        assert climbed(ladder, 0.0).usage == Usage(2, 200, 20, pytest.approx(0.00012))
        with pytest.raises(BudgetSpent, match="this run has spent 2 answers of 2"):
            climbed(ladder)
    assert [asked.body["model"] for asked in server.asked] == ["small", "large"]
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_what_a_run_spent_before_it_was_interrupted_counts() -> None:
    chosen = {"base_url": "http://127.0.0.1:9/v1", "small": SMALL, "budget": {"requests": 2}}
    with pytest.raises(BudgetSpent, match="2 answers of 2"):
        climbed(ladder_of(load(model=chosen).model, Usage(requests=2)))


def test_a_recorded_run_is_replayed_without_the_endpoint() -> None:
    tape = MemoryTape()
    with scripted(says("one")) as server:
        settings = load(model={"base_url": server.url, "small": SMALL}).model
        first = climbed(ladder_of(settings, record=tape))
    assert climbed(ladder_of(settings, replay=tape)) == first
    assert climbed(ladder_of(load().model, replay=tape)) == first  # whatever is configured now


def test_one_answer_has_the_limits_that_are_set() -> None:
    limits = limits_of(load(model={"timeout_s": 5, "output_tokens": 99}).model)
    assert (limits.seconds, limits.output_tokens) == (5, 99)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"base_url": "http://h/v1"}, "'name' in 'small'"),
        ({"small": SMALL}, "give 'base_url'"),
        ({"base_url": "h:8000", "small": SMALL}, "model.base_url"),
        ({"api_key": f"{KEY} {KEY}"}, "no spaces"),
        ({"api_key": "schl\u00fcssel"}, "ASCII"),
        ({"modell": "x"}, "unknown setting 'model.modell'"),
        ({"small": {"name": ""}}, "model.small.name"),
        ({"timeout_s": 0}, "model.timeout_s"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_name(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        load(model=given)
    assert said in str(refused.value)
    assert KEY not in str(refused.value)


def test_a_key_read_from_a_file_may_end_its_line() -> None:
    key = load(model={"api_key": f"{KEY}\n"}).model.api_key
    assert key is not None
    assert key.get_secret_value() == KEY
    assert KEY not in repr(load(model={"api_key": KEY}))


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.pem"
    settings = load(
        model={"base_url": "https://127.0.0.1:9/v1", "small": SMALL, "ca_file": missing}
    ).model
    with pytest.raises(InvalidInput, match=r"model\.ca_file.*none\.pem"):
        ladder_of(settings)


def test_the_environment_can_set_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOPS_MODEL__BASE_URL", "http://127.0.0.1:11434/v1")
    monkeypatch.setenv("AIOPS_MODEL__SMALL__NAME", "some-model:7b")
    found = load().model.small
    assert found is not None
    assert found.name == "some-model:7b"


def test_the_settings_of_the_page_about_models_are_settings() -> None:
    page = Path(__file__).parents[3] / "docs" / "models.md"
    (told,) = re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
    Path("aiops.toml").write_text(told)
    found = load().model
    assert found.small is not None
    assert (found.small.output_usd, found.budget.tokens) == (0.6, 400_000)
    defaults = ModelSettings()
    for option, default in re.findall(r"^\| `(\w+)` \| (\d+) \|", page.read_text(), re.MULTILINE):
        assert getattr(defaults, option) == float(default)
