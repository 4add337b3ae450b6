"""The policy "llm" through whole investigations: what models are asked, and what becomes of it."""

from typing import Any

import pytest
from advised import EVENTS, NAME, OBJECT, Torn, investigated, of_numbers, verdict, wants
from scripted_model import Asked, Reply

GOOD = verdict(1, ("api restarted three times", ["E1"]))
OTHER = verdict(2, ("web lost its pods before", ["E2"]))


def first(report: Any) -> str:
    return str(report.root_causes[0].entity.name)


def test_a_model_asks_tools_of_its_choice_and_its_words_stand_in_the_report() -> None:
    report, _, world = investigated(wants("web"), GOOD)
    assert (report.verdict, first(report)) == ("root_cause", "api")
    assert report.agreement.statistics.startswith("scripted: root_cause, api first")
    assert report.agreement.model == (
        f"{NAME}: api first, as the statistics. api restarted three times [E1]."
    )
    assert (report.usage.policy, report.usage.llm_calls) == ("llm", 2)
    assert (report.usage.input_tokens, report.usage.output_tokens) == (200, 20)
    assert world.bench.get.reads == 1
    (found,) = [item for item in report.evidence if OBJECT in item.ref]
    assert found.claim == "Asked about web: a Deployment"
    assert report.failed_steps == ()
    kinds = [moment.kind for moment in world.moments if moment.node == "plan"]
    assert kinds == ["plan", "answer", "plan", "answer"]


def test_what_a_tool_said_goes_to_the_model_as_data_under_the_id_it_is_cited_by() -> None:
    report, asked, _ = investigated(wants("web"), GOOD)
    told = asked[-1].body["messages"]
    result = next(one["content"] for one in told if one["role"] == "tool")
    (cited,) = [item.id for item in report.evidence if OBJECT in item.ref]
    asked_for = '{"cluster":"prod","kind":"Deployment","name":"web","namespace":"shop"}'
    answer = ["<data>", '{"kind":"Deployment"}', "</data>"]
    assert result.splitlines() == [f"{OBJECT} {asked_for} [{cited}]:", *answer]
    incident = told[1]["content"]
    assert "1. service api: probability 0.40" in incident
    assert EVENTS in incident  # what the expert system has asked before


def test_every_call_of_a_model_is_one_row_of_the_audit_log() -> None:
    _, _, world = investigated(wants("web"), wants("api"), GOOD)
    rows = [row for _, row in world.bench.audit.entries() if OBJECT in str(row)]
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("lead", "said", "stands_first"),
    [
        (0.02, OTHER, "web"),  # the statistics hardly decide: the model's word counts
        (0.3, OTHER, "api"),  # they do: it does not
        (0.02, verdict(2, ("api is fine", ["E1"])), "api"),  # it rests on nothing about web
        (0.02, verdict(2), "api"),
        (0.02, verdict(0), "api"),
    ],
)
def test_the_order_is_the_statistics_unless_they_hardly_decide(
    lead: float, said: Any, stands_first: str
) -> None:
    report, _, _ = investigated(said, analyzer=Torn(lead))
    assert first(report) == stands_first
    assert report.verdict == "root_cause"
    assert report.agreement.statistics.startswith("scripted: root_cause, api first")
    assert str(report.agreement.model).startswith(NAME)


@pytest.mark.parametrize(("again", "first"), [(2, "web"), (1, "api"), (0, "api")])
def test_a_word_that_would_change_the_order_must_hold_of_the_numbers_alone(
    again: int, first: str
) -> None:
    def script(asked: Asked) -> Reply:
        number = again if of_numbers(asked) else 2
        return verdict(number, ("it lost its pods", ["E2"])) if number else verdict(0)

    report, asked, _ = investigated(script)
    assert [of_numbers(each) for each in asked] == [False, True]
    assert report.root_causes[0].entity.name == first
    assert report.usage.llm_calls == 2
    held = "followed" if first == "web" else "without words of others, it does not say so"
    assert held in str(report.agreement.model)


def test_a_word_that_cannot_be_asked_again_changes_nothing() -> None:
    report, _, _ = investigated(verdict(2, ("it lost its pods", ["E2"])), Reply(status=500))
    assert report.root_causes[0].entity.name == "api"
    assert any("model" in step.step for step in report.failed_steps)
