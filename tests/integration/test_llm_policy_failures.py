"""Models that fail in the middle of an investigation: it ends as without them, and says why."""

import socket
from dataclasses import replace
from typing import Any

import pytest
from advised import NAME, OBJECT, Torn, investigated, settings, verdict, wants
from advised import run as run_of
from runs import World
from scripted_model import Asked, Reply, calls, completion, fails, says

from aiops.agents.crew import RunBudget
from aiops.model.report import Report

GOOD = verdict(1, ("api restarted three times", ["E1"]))
TOO_LONG = fails(400, {"message": "This model's maximum context length is 4000 tokens."})


def as_without(report: Report) -> bool:
    """Whether verdict and order are those of the statistics alone."""
    names = [cause.entity.name for cause in report.root_causes]
    return (report.verdict, names) == ("root_cause", ["api", "web"])


def asking_on(asked: Asked) -> Reply:
    """Wants another object each time, as long as it may."""
    turn = len(asked.body["messages"])
    return wants("web", kind=f"Kind{turn}") if "tools" in asked.body else GOOD


def in_circles(asked: Asked) -> Reply:
    """Wants the same each time, as long as it may."""
    return wants("web") if "tools" in asked.body else GOOD


@pytest.mark.parametrize(
    ("reply", "reason", "requests"),
    [
        pytest.param(Reply(raw=b"<html>Sign in</html>"), "an HTML page", 2, id="html"),
        pytest.param(completion({"content": "x"}, choices=None), "choices", 2, id="no-choices"),
        pytest.param(replace(GOOD, cut=2), "broke off its answer", 1, id="cut"),
        pytest.param(fails(429, Retry_After="3600"), "fewer requests (429)", 1, id="busy"),
        pytest.param(fails(500), "failed (500)", 1, id="broken"),
        pytest.param(calls(("kubernetes.hack", {})), "there is no tool", 2, id="wrong-tool"),
        pytest.param(calls((OBJECT, {"name": 3})), "are not valid", 2, id="wrong-arguments"),
        pytest.param(wants("web", force=True), "are not valid", 2, id="made-up-argument"),
        pytest.param(verdict(1, ("it is", ["E99"])), "E99", 2, id="made-up-evidence"),
        pytest.param(verdict(1, ("E99 says", ["E1"])), "E99", 1, id="made-up-in-words"),
        pytest.param(verdict(7, ("it is", ["E1"])), "7 is not one of", 2, id="made-up-suspect"),
        pytest.param(says("It is api, surely."), "no JSON object", 2, id="words"),
        pytest.param(says(""), "answers nothing", 2, id="nothing"),
        pytest.param(
            completion({"content": None, "refusal": "I will not"}), "I will not", 1, id="refusal"
        ),
        pytest.param(says("{", finish="length"), "was cut", 1, id="too-much"),
        pytest.param(TOO_LONG, "does not fit its context of 4000 tokens", 2, id="too-long"),
        pytest.param(fails(401), "does not accept the key", 1, id="wrong-key"),
        pytest.param(
            fails(404, {"message": "model not found"}), "does not know this model", 1, id="no-model"
        ),
    ],
)
def test_the_report_is_that_of_the_statistics_and_says_what_failed(
    reply: Reply, reason: str, requests: int
) -> None:
    report, asked, _ = investigated(reply)
    assert as_without(report)
    assert len(asked) == requests
    (step,) = report.failed_steps
    assert step.step == f"model {NAME!r}"
    assert reason in step.reason
    assert report.agreement.model is None
    assert report.usage.stopped_by is None


def test_no_endpoint_is_said_with_what_to_check() -> None:
    with socket.socket() as closed:  # bound and never listening
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        report = run_of(World(), settings(url))
    assert as_without(report)
    (step,) = report.failed_steps
    assert "cannot be reached" in step.reason
    assert "check that it runs" in step.reason


def test_an_endpoint_that_asks_for_an_hour_is_not_waited_for() -> None:
    report, asked, _ = investigated(fails(429, Retry_After="3600"), attempts=3)
    assert as_without(report)
    assert len(asked) == 1


def test_a_model_that_takes_too_long_is_given_up() -> None:
    report, _, _ = investigated(replace(GOOD, pace_s=60.0), timeout_s=0.5)
    assert as_without(report)
    (step,) = report.failed_steps
    assert "model.timeout_s" in step.reason


@pytest.mark.parametrize("bad", [verdict(1, ("it is", ["E99"])), calls(("kubernetes.hack", {}))])
def test_a_model_that_is_told_what_was_wrong_may_answer_once_more(bad: Reply) -> None:
    report, asked, _ = investigated(bad, GOOD)
    assert "That cannot be used" in asked[-1].said
    assert str(report.agreement.model).endswith("api restarted three times [E1].")
    assert report.failed_steps == ()
    assert report.usage.llm_calls == 2


@pytest.mark.parametrize(
    ("loops", "said", "reads"),
    [(asking_on, "stopped after 8 turns", 8), (in_circles, "stopped in a circle", 1)],
)
def test_a_model_that_only_ever_asks_is_made_to_answer(loops: Any, said: str, reads: int) -> None:
    report, asked, world = investigated(loops)
    assert "tools" not in asked[-1].body
    assert any(f"The model had to answer: {said}" in note for note in report.notes)
    assert str(report.agreement.model).startswith(f"{NAME}: api first")
    assert world.bench.get.reads == reads


def test_a_model_that_does_not_answer_even_then_is_left_alone() -> None:
    report, _, world = investigated(wants("web"))
    assert as_without(report)
    (step,) = report.failed_steps
    assert "there is no tool" in step.reason
    assert world.bench.get.reads == 1


def test_a_conversation_that_is_too_long_is_asked_again_in_fewer_words() -> None:
    report, asked, _ = investigated(TOO_LONG, GOOD, context_tokens=8000)
    assert str(report.agreement.model).startswith(f"{NAME}: api first")
    assert len(asked) == 2
    assert report.failed_steps == ()


def test_the_large_model_answers_where_the_small_one_fails_and_both_are_named() -> None:
    def small_fails(asked: Asked) -> Reply:
        return fails(500) if asked.body["model"] == NAME else GOOD

    report, asked, _ = investigated(small_fails, large="large")
    assert [each.body["model"] for each in asked] == [NAME, "large"]
    assert str(report.agreement.model).startswith("large: api first")
    assert [step.step for step in report.failed_steps] == [f"model {NAME!r}"]


def test_where_all_models_fail_each_is_named() -> None:
    report, _, _ = investigated(fails(500), large="large")
    assert as_without(report)
    assert [step.step for step in report.failed_steps] == [f"model {NAME!r}", "model 'large'"]


@pytest.mark.parametrize(
    ("budget", "said"),
    [({"requests": 1}, "1 answers of 1"), ({"tokens": 100}, "110 tokens of 100")],
)
def test_a_spent_budget_of_models_ends_the_asking_and_is_said(
    budget: dict[str, Any], said: str
) -> None:
    report, asked, _ = investigated(wants("web"), GOOD, budget=None, model_budget=budget)
    assert len(asked) == 1
    assert report.usage.stopped_by == f"{said} for models"
    assert report.verdict == "inconclusive"
    assert any(f"stopped by the budget of {said}" in note for note in report.notes)


def test_money_is_counted_by_the_prices_that_were_set() -> None:
    prices = {"name": NAME, "input_usd": 10_000.0, "output_usd": 0.0}
    report, asked, _ = investigated(wants("web"), GOOD, small=prices)
    assert len(asked) == 1
    assert report.usage.usd == pytest.approx(1.0)
    assert report.usage.stopped_by == "1.0000 of 1.0000 US dollars for models"


def test_tokens_that_nobody_counted_are_estimated_and_the_report_says_so() -> None:
    report, _, _ = investigated(
        replace(GOOD, completion={**(GOOD.completion or {}), "usage": None})
    )
    assert report.usage.input_tokens > 0
    assert any("is estimated" in note for note in report.notes)


def test_where_no_more_tools_may_be_asked_the_model_answers_with_what_is_known() -> None:
    report, asked, world = investigated(asking_on, budget=RunBudget(turns=2))
    assert world.bench.get.reads == 1  # one round was the expert system's
    assert "the budget of 2 rounds is spent" in asked[-1].said
    assert report.usage.stopped_by == "2 rounds"
    assert str(report.agreement.model).startswith(f"{NAME}: api first")


def test_a_model_never_ranks_worse_by_agreeing_or_failing() -> None:
    for lead in (0.02, 0.3):
        for reply in (GOOD, verdict(0), fails(500), says("no"), wants("web")):
            report, _, _ = investigated(reply, analyzer=Torn(lead))
            assert as_without(report)
