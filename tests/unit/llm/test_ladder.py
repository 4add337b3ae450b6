"""Second chances, accounts and ladders, each over a model that says what the test tells it."""

import asyncio
import contextlib
from typing import Any

import pytest
from chatting import HELLO, PODS, VERDICT, ask, model_at
from hypothesis import given
from hypothesis import strategies as st
from scripted_model import calls, fails, gives, says, scripted

from aiops.llm.breaker import REST_S, Breaker
from aiops.llm.ladder import Ladder
from aiops.llm.metered import Meter, Metered, ModelBudget
from aiops.llm.openai_compatible import Price
from aiops.llm.repaired import Repaired
from aiops.model.chat import Answer, ChatQuestion, Structured, Text, ToolCalls, Usage
from aiops.ports.chat_model import (
    AnswerCut,
    BadAnswer,
    BudgetSpent,
    Climbed,
    ModelFailed,
    ModelUnavailable,
    OnToken,
)

GOOD = {"cause": "cart", "sure": 0.9}
PLENTY = ModelBudget(100, 1_000_000, 100.0)


class Told:
    """A model that answers with its words, or fails with its failure; costs one token each."""

    def __init__(self, name: str, *outcomes: str | ModelFailed) -> None:
        self.name, self.outcomes, self.asked = name, list(outcomes), 0

    async def complete(self, question: ChatQuestion, on_token: OnToken | None = None) -> Answer:
        del question
        outcome = self.outcomes[min(self.asked, len(self.outcomes) - 1)]
        self.asked += 1
        if isinstance(outcome, ModelFailed):
            raise outcome
        if on_token is not None:
            for letter in outcome:
                on_token(letter)
        return Answer(Text(outcome), Usage(1, 1, 0, 0.25), self.name)


def climb(*models: Any, enough: float = 0.5, on_token: OnToken | None = None) -> Climbed:
    """A climb where the margin is the number that a model says."""

    def margin(answer: Answer) -> float:
        assert isinstance(answer.content, Text)
        return float(answer.content.text)

    climbing = Ladder(models).climb(
        ChatQuestion(HELLO), margin=margin, enough=enough, on_token=on_token
    )
    return asyncio.run(climbing)


def test_what_each_model_says_is_heard_from_a_line_of_its_own() -> None:
    heard: list[str] = []
    away = Told("away", ModelUnavailable("away", "is away"))
    climb(away, Told("small", "0.1"), away, Told("large", "0.9"), on_token=heard.append)
    assert "".join(heard) == "0.1\n0.9"


def test_one_model_can_be_asked_alone() -> None:
    small, large = Told("small", "0.1"), Told("large", "0.9")
    only = Ladder([small, large]).only("small")
    assert only.names == ("small",)
    assert Ladder([small, large]).only("gone").names == ("small", "large")


def test_a_bad_value_is_asked_for_once_more_with_what_was_wrong() -> None:
    with scripted(gives({"cause": "cart"}), gives(GOOD)) as server:
        answer = ask(Repaired(model_at(server, price=Price(1, 1))), schema=VERDICT)
    assert answer.content == Structured('{"cause":"cart","sure":0.9}')
    assert answer.usage == Usage(2, 200, 20, pytest.approx(0.00022))
    bad, objection = server.asked[1].body["messages"][-2:]
    assert bad == {"role": "assistant", "content": '{"cause": "cart"}'}
    assert "'sure' is a required property" in objection["content"]
    assert VERDICT in objection["content"]


def test_a_wrong_tool_is_asked_for_once_more_with_the_right_name() -> None:
    right = calls(("kubernetes.pods", {"namespace": "shop"}))
    with scripted(calls(("kubernetes.podz", {"namespace": "shop"})), right) as server:
        content = ask(Repaired(model_at(server)), tools=[PODS]).content
    assert isinstance(content, ToolCalls)
    assert "did you mean 'kubernetes_pods'" in server.asked[1].said


def test_a_second_bad_answer_is_the_last_and_both_are_paid_for() -> None:
    with scripted(says("no idea")) as server, pytest.raises(BadAnswer) as failed:
        ask(Repaired(model_at(server)), schema=VERDICT)
    assert len(server.asked) == 2
    assert failed.value.usage == Usage(2, 200, 20)


def test_what_asking_again_cannot_mend_is_not_asked_again() -> None:
    for failure in (AnswerCut("m", "too long"), ModelUnavailable("m", "down")):
        model = Told("m", failure)
        with pytest.raises(type(failure)):
            ask(Repaired(model))
        assert model.asked == 1


def test_a_run_ends_at_its_budget_without_asking_once_more() -> None:
    meter = Meter(ModelBudget(requests=100, tokens=1000, usd=0.5))
    model = Told("m", "yes")
    for _ in range(2):
        ask(Metered(model, meter))
    with pytest.raises(BudgetSpent, match=r"0\.5000 of 0\.5000 US dollars"):
        ask(Metered(model, meter))
    assert model.asked == 2
    assert meter.spent == Usage(2, 2, 0, 0.5)


@pytest.mark.parametrize(
    ("budget", "said"),
    [(ModelBudget(1, 99, 9), "1 answers of 1"), (ModelBudget(9, 1, 9), "1 tokens of 1")],
)
def test_answers_and_tokens_have_an_end_too(budget: ModelBudget, said: str) -> None:
    meter = Meter(budget)
    ask(Metered(Told("m", "yes"), meter))
    with pytest.raises(BudgetSpent, match=said):
        meter.check("m")


def test_bad_answers_are_paid_for() -> None:
    meter = Meter(PLENTY)
    with scripted(says("no idea")) as server, pytest.raises(BadAnswer):
        ask(Repaired(Metered(model_at(server), meter)), schema=VERDICT)
    assert meter.spent == Usage(2, 200, 20)


def test_a_model_that_is_twice_not_there_is_left_alone_for_a_minute() -> None:
    now = [0.0]
    down = ModelUnavailable("m", "nobody listens")
    model = Told("m", down, down, "back")
    breaker = Breaker(model, lambda: now[0])
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="nobody listens"):
            ask(breaker)
    with pytest.raises(ModelUnavailable, match=r"not asked again.*nobody listens"):
        ask(breaker)
    assert model.asked == 2
    now[0] = REST_S
    assert ask(breaker).content == Text("back")


def test_a_model_that_nobody_but_a_person_can_mend_is_asked_once() -> None:
    now = [0.0]
    model = Told("m", ModelUnavailable("m", "wrong key", lasting=True))
    breaker = Breaker(model, lambda: now[0])
    for at in range(3):
        now[0] = at * 1000.0
        with pytest.raises(ModelUnavailable, match="wrong key"):
            ask(breaker)
    assert model.asked == 1


def test_failures_with_answers_between_them_do_not_add_up() -> None:
    down = ModelUnavailable("m", "down")
    model = Told("m", down, "yes", down, BadAnswer("m", "no use"), down, "yes")
    breaker = Breaker(model, lambda: 0.0)
    for _ in range(5):
        with contextlib.suppress(ModelFailed):
            ask(breaker)
    assert ask(breaker).content == Text("yes")


def test_the_large_model_is_not_asked_where_the_small_one_settled_it() -> None:
    large = Told("large", "1")
    climbed = climb(Told("small", "0.8"), large)
    assert (climbed.answer.model, climbed.margin, large.asked) == ("small", 0.8, 0)


def test_the_large_model_is_asked_where_the_margin_stays_low() -> None:
    climbed = climb(Told("small", "0.2"), Told("large", "0.9"))
    assert (climbed.answer.model, climbed.usage.requests) == ("large", 2)


def test_the_cheaper_answer_stands_where_the_dearer_one_is_no_clearer() -> None:
    assert climb(Told("small", "0.2"), Told("large", "0.2")).answer.model == "small"


def test_a_model_that_fails_is_climbed_over_and_named() -> None:
    down = ModelUnavailable("small", "down", Usage(1, 5, 0))
    climbed = climb(Told("small", down), Told("large", "0.9"))
    assert climbed.answer.model == "large"
    assert climbed.failures == (down,)
    assert climbed.usage == Usage(2, 6, 0, 0.25)


def test_the_small_answer_stands_where_the_large_model_fails() -> None:
    climbed = climb(Told("small", "0.2"), Told("large", ModelUnavailable("large", "down")))
    assert (climbed.answer.model, len(climbed.failures)) == ("small", 1)


def test_where_nobody_answers_the_last_failure_says_so_with_what_all_cost() -> None:
    down = [ModelUnavailable(name, "down", Usage(1, 5, 0)) for name in ("small", "large")]
    with pytest.raises(ModelUnavailable, match="large") as failed:
        climb(Told("small", down[0]), Told("large", down[1]))
    assert failed.value.usage == Usage(2, 10, 0)


def test_a_spent_budget_ends_the_climb() -> None:
    large = Told("large", "1")
    with pytest.raises(BudgetSpent):
        climb(Told("small", BudgetSpent("small", "nothing left")), large)
    assert large.asked == 0


def test_a_ladder_climbs_over_an_endpoint_that_is_down() -> None:
    with scripted(fails(503), says("0.7")) as server:
        climbed = climb(model_at(server, name="small", attempts=1), model_at(server, name="large"))
    assert climbed.answer.model == "large"
    assert [asked.body["model"] for asked in server.asked] == ["small", "large"]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), st.floats(0, 1))
def test_a_climb_ends_at_the_first_answer_that_is_enough_else_at_the_best(
    margins: list[float], enough: float
) -> None:
    models = [Told(str(at), str(margin)) for at, margin in enumerate(margins)]
    climbed = climb(*models, enough=enough)
    first = next((at for at, margin in enumerate(margins) if margin >= enough), None)
    best = margins.index(max(margins)) if first is None else first
    assert climbed.answer.model == str(best)
    assert sum(model.asked for model in models) == (len(margins) if first is None else first + 1)
