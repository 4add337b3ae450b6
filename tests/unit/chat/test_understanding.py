"""What questions want and whom they name, however they are typed."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aiops.app.chat.intents import wish_of
from aiops.app.chat.naming import named
from aiops.app.chat.wording import MOST_READ, sentence
from aiops.model.thread import Intent

NAMES = ("basket", "basket-db", "payments", "payroll", "till", "front-door", "search", "user")


def intent(text: str) -> Intent:
    words = sentence(text, NAMES)
    return wish_of(words.without(named(words, NAMES).places)).intent


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("What is broken?", "broken"),
        ("is everything ok?", "broken"),
        ("status of basket", "broken"),
        ("why?", "why"),
        ("what caused this", "why"),
        ("since when?", "since"),
        ("how long has basket been down", "since"),
        ("what changed since yesterday?", "changes"),
        ("did anyone deploy before this?", "changes"),
        ("who is affected?", "affected"),
        ("and its logs?", "logs"),
        ("show me the metrics of basket", "metrics"),
        ("traces of till", "traces"),
        ("compare basket with yesterday", "yesterday"),
        ("is this normal", "yesterday"),
        ("has this happened before?", "before"),
        ("what should I do?", "advice"),
        ("how do I fix it?", "advice"),
        ("do it", "act"),
        ("please roll back basket", "act"),
        ("yes, just restart it", "act"),
        ("I approve this, do it", "approve"),
        ("stop", "stop"),
        ("why did basket stop?", "why"),
        ("help", "help"),
        ("what can you do?", "help"),
        ("", "help"),
        ("\n\t ", "help"),
        ("how are things?", "broken"),
        ("who is to blame", "why"),
        ("how did this happen?", "why"),
        ("what's the blast radius", "affected"),
        ("is this a known issue?", "before"),
        ("what do you recommend", "advice"),
        ("roll it back", "act"),
        ("can you help me", "help"),
        ("nice", "help"),
        ("is it the db?", "why"),
        ("could it be DNS", "why"),
        ("what else could it be?", "why"),
        ("are you sure?", "why"),
        ("show me the evidence", "why"),
        ("who calls basket?", "neighbours"),
        ("what depends on basket?", "neighbours"),
        ("error rate of basket", "metrics"),
        ("p99 of basket", "metrics"),
        ("is it fixed?", "broken"),
        ("did it recover?", "broken"),
        ("can I go back to sleep?", "broken"),
        ("which alerts are firing?", "broken"),
        ("what do you know about basket?", "broken"),
        ("ack it", "handling"),
        ("assign it to me", "handling"),
        ("resolve it", "handling"),
        ("who is on call?", "handling"),
        ("who is working on this?", "handling"),
        ("kill the pod", "act"),
        ("who is hurt?", "affected"),
        ("how do I resolve it?", "advice"),
        ("tell me a joke", "unknown"),
        ("¿qué pasa?", "unknown"),
    ],
)
def test_a_question_is_understood(text: str, wanted: Intent) -> None:
    assert intent(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("WHATS BORKEN???", "broken"),
        ("wyh", "why"),
        ("since wehn!!", "since"),
        ("waht chnaged", "changes"),
        ("shwo lgos of basket", "logs"),
        ("metrcs of basket", "metrics"),
        ("wich trcaes", "traces"),
        ("compair basket with yesterdy", "yesterday"),
        ("hepl", "help"),
    ],
)
def test_typing_errors_are_forgiven(text: str, wanted: Intent) -> None:
    assert intent(text) == wanted


@pytest.mark.parametrize("quotes", ["“”", "„“", "«»", "「」", "''", '""', "‘’", "””", "＂＂"])
def test_a_name_in_quotes_of_any_language_is_that_name(quotes: str) -> None:
    text = f"show {quotes[0]}basket{quotes[1]} logs"
    assert named(sentence(text, NAMES), NAMES).services == ("basket",)


def test_names_are_found_however_they_are_written() -> None:
    found = named(sentence("logs of Basket-DB, front door and TILL's", NAMES), NAMES)
    assert found.services == ("basket-db", "front-door", "till")
    assert not found.unknown


def test_a_service_called_as_a_cue_is_keeps_the_question_as_it_is() -> None:
    assert intent("and user?") == "unknown"
    assert intent("show logs of user") == "logs"


def test_of_a_mistyped_name_the_nearest_is_offered_and_none_assumed() -> None:
    found = named(sentence("why is bascet slow?", NAMES), NAMES)
    assert (found.services, found.unknown, found.near[0]) == ((), "bascet", "basket")


def test_the_beginning_of_two_names_offers_both() -> None:
    found = named(sentence("logs of pay", NAMES), NAMES)
    assert (found.unknown, set(found.near)) == ("pay", {"payments", "payroll"})


def test_a_name_like_nothing_is_noticed_where_only_a_name_can_stand() -> None:
    assert named(sentence("is frobnicator ok?", NAMES), NAMES).unknown == "frobnicator"
    assert named(sentence("oh frabjous, what broke?", NAMES), NAMES).unknown == ""
    assert named(sentence("why? Frabjous day", NAMES), NAMES).unknown == ""
    assert named(sentence("why, since it was outgrabed", NAMES), NAMES).unknown == ""


def test_ids_of_incidents_are_names_too() -> None:
    assert named(sentence("why inc-01AB9?", NAMES), NAMES).incidents == ("inc-01ab9",)


def test_a_question_after_a_hundred_thousand_letters_is_not_read() -> None:
    words = sentence("why? " + "x" * 100_000 + " do it")
    assert sum(map(len, words.said)) <= MOST_READ
    assert wish_of(words).intent == "why"


@given(st.text(max_size=3000))
@example("\x00\ud800‮")
@example("a" * 2000 + "'" * 1000)
@example("'" * 3000)
def test_anything_typed_is_understood_as_something(text: str) -> None:
    words = sentence(text, NAMES)
    found = named(words, NAMES)
    assert set(found.services) <= set(NAMES)
    assert wish_of(words.without(found.places)).intent


@given(st.sampled_from(NAMES), st.sampled_from(["logs of {}", "why is {} slow?", "{}'s metrics"]))
def test_a_known_name_is_found_in_any_question(name: str, question: str) -> None:
    assert named(sentence(question.format(name.upper()), NAMES), NAMES).services == (name,)


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("roll it back", "rollback"),
        ("please restart it", "restart"),
        ("undo it", "undo"),
        ("kill the pod", "kill"),
        ("do it", ""),
    ],
)
def test_the_action_that_is_named_is_the_only_one_meant(text: str, verb: str) -> None:
    assert wish_of(sentence(text)).verb == verb


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("what is broken and since when?", ("broken", "since")),
        ("why is it slow and who changed what?", ("why", "changes")),
        ("What broke? Why? What should I do?", ("broken", "why", "advice")),
        ("what changed since yesterday?", ("changes",)),
        ("why is basket up and down", ("why",)),
        ("why? do it", ("act",)),
        ("what is broken, and roll it back", ("act",)),
        ("why, and show its logs", ("why",)),
    ],
)
def test_several_questions_in_one_are_taken_in_their_order(
    text: str, wanted: tuple[Intent, ...]
) -> None:
    wish = wish_of(sentence(text, NAMES))
    assert (wish.intent, *wish.also) == wanted
