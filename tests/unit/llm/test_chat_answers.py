"""What a model answers when all is well: words, tool calls, values, tokens, usage."""

import json

import pytest
from chatting import HELLO, KEY, PODS, VERDICT, ask, model_at
from scripted_model import Asked, Reply, calls, completion, fails, gives, says, scripted

from aiops.llm.openai_compatible import Price
from aiops.model.chat import AskedCall, Limits, Message, Structured, Text, ToolCalls, Usage


def test_words_come_with_what_they_cost() -> None:
    with scripted(says("the cart")) as server:
        answer = ask(model_at(server, price=Price(2.0, 10.0)))
    assert answer.content == Text("the cart")
    assert answer.usage == Usage(1, 100, 10, 0.0003)


def test_the_key_is_sent_as_a_bearer_and_without_one_nothing_is() -> None:
    with scripted(says("yes")) as server:
        ask(model_at(server))
        ask(model_at(server, key=None))
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert "authorization" not in server.asked[1].headers


def test_what_other_clients_take_from_the_environment_is_not_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "somebody")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with scripted(says("yes")) as server:
        ask(model_at(server))
    assert "openai-organization" not in server.asked[0].headers


@pytest.mark.parametrize("streamed", [False, True])
def test_tool_calls_come_back_under_our_names_with_canonical_arguments(streamed: bool) -> None:
    wanted = calls(("kubernetes.pods", '{ "limit": 3, "namespace": "shop"}'))
    with scripted(wanted) as server:
        heard: list[str] = []
        answer = ask(model_at(server), tools=[PODS], on_token=heard.append if streamed else None)
    call = AskedCall("call_0", "kubernetes.pods", '{"limit":3,"namespace":"shop"}')
    assert answer.content == ToolCalls((call,))
    assert server.asked[0].body["tools"][0]["function"]["name"] == "kubernetes_pods"


def test_earlier_calls_and_their_results_are_told_again() -> None:
    call = AskedCall("c1", "kubernetes.pods", '{"namespace":"shop"}')
    turns = (
        *HELLO,
        Message("assistant", "", calls=(call,)),
        Message("tool", "3 pods", call="c1"),
    )
    with scripted(says("fine")) as server:
        ask(model_at(server), messages=turns, tools=[PODS])
    asked, told = server.asked[0].body["messages"][-2:]
    assert asked["tool_calls"][0]["function"]["name"] == "kubernetes_pods"
    assert told == {"role": "tool", "content": "3 pods", "tool_call_id": "c1"}


def test_tokens_are_handed_on_while_they_come() -> None:
    heard: list[str] = []
    with scripted(says("the cart is slow")) as server:
        answer = ask(model_at(server), on_token=heard.append)
    assert heard == ["the ", "cart ", "is ", "slow"]
    assert answer.content == Text("the cart is slow")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (100, 10)


@pytest.mark.parametrize("lead", [b"", b"\n\n  "])
def test_an_endpoint_that_knows_no_streams_is_heard_all_at_once(lead: bytes) -> None:
    whole = lead + json.dumps(says("the cart is slow").completion).encode()
    heard: list[str] = []
    with scripted(Reply(raw=whole)) as server:
        answer = ask(model_at(server), on_token=heard.append)
    assert heard == ["the cart is slow"]
    assert answer.content == Text("the cart is slow")


@pytest.mark.parametrize(
    "text",
    [
        '{"cause": "cart", "sure": 0.9}',
        '```json\n{"sure": 0.9, "cause": "cart"}\n```',
        'Here it is: {"cause": "cart", "sure": 0.9}. Use it {well}.',
        '<think>{"cause": "db", "sure": 1} no...</think>\n{"cause": "cart", "sure": 0.9}',
    ],
)
def test_a_value_is_found_however_it_is_wrapped(text: str) -> None:
    with scripted(says(text)) as server:
        answer = ask(model_at(server), schema=VERDICT)
    assert answer.content == Structured('{"cause":"cart","sure":0.9}')


def test_a_schema_is_enforced_where_the_endpoint_can() -> None:
    with scripted(gives({"cause": "cart", "sure": 1})) as server:
        ask(model_at(server), schema=VERDICT)
    form = server.asked[0].body["response_format"]
    assert form["json_schema"] == {"name": "answer", "schema": json.loads(VERDICT), "strict": True}


def test_an_endpoint_that_takes_no_schema_is_asked_for_json_then_in_words_and_only_once() -> None:
    def picky(asked: Asked) -> Reply:
        form = asked.body.get("response_format")
        if form is not None:
            return fails(400, {"message": f"response_format {form['type']!r} is not supported"})
        return gives({"cause": "cart", "sure": 1})

    with scripted(picky) as server:
        model = model_at(server)
        assert isinstance(ask(model, schema=VERDICT).content, Structured)
        assert len(server.asked) == 3
        assert json.dumps(json.loads(VERDICT)["required"][0]) in server.asked[2].said
        ask(model, schema=VERDICT)
        assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        ("max_tokens", "Unsupported parameter: use 'max_completion_tokens' instead."),
        ("temperature", "Unsupported value: 'temperature' does not support 0."),
        ("stream_options", "Unrecognized request argument supplied: stream_options"),
        ("stream", "Streaming is not supported by this model."),
    ],
)
def test_a_parameter_that_an_endpoint_does_not_take_is_left_out(refused: str, words: str) -> None:
    def picky(asked: Asked) -> Reply:
        return fails(400, {"message": words}) if refused in asked.body else says("fine")

    with scripted(picky) as server:
        heard: list[str] = []
        ask(model_at(server), on_token=heard.append)
    assert len(server.asked) == 2
    assert heard == ["fine"]


def test_an_answer_has_the_limits_it_was_given() -> None:
    with scripted(says("x")) as server:
        ask(model_at(server), limits=Limits(77, 60, 0.5, 4))
    body = server.asked[0].body
    assert (body["max_tokens"], body["temperature"], body["seed"]) == (77, 0.5, 4)


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None}, {"prompt_tokens": "many"}])
def test_tokens_that_nobody_counted_are_estimated_and_said_to_be(usage: object) -> None:
    with scripted(says("eight ch", usage=usage)) as server:
        answer = ask(model_at(server))
    assert answer.usage == Usage(1, 7, 3, estimated=True)


def test_text_in_parts_is_one_text() -> None:
    parts = [{"type": "text", "text": "the "}, {"type": "text", "text": "cart"}]
    with scripted(completion({"content": parts})) as server:
        assert ask(model_at(server)).content == Text("the cart")


def test_half_a_character_can_be_sent_and_received() -> None:
    with scripted(says("bad \ud800 one")) as server:
        answer = ask(model_at(server), messages=[Message("user", "log: \ud83d")])
    assert answer.content == Text("bad ? one")
    assert server.asked[0].said == "log: ?"
