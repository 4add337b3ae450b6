"""Endpoints that fail in every way seen so far, over real HTTP: each failure has its name."""

import asyncio
import json
import socket
import traceback
from pathlib import Path
from typing import Any

import pytest
from chatting import HELLO, KEY, PATIENT, PODS, VERDICT, Slept, ask, model_at, self_signed
from scripted_model import Reply, calls, completion, fails, gives, says, scripted

from aiops.model.chat import ChatQuestion, Limits, Text, ToolCalls
from aiops.ports.chat_model import (
    AnswerCut,
    BadAnswer,
    ContextTooLong,
    ModelFailed,
    ModelRefused,
    ModelUnavailable,
)

PAGE = b"<!doctype html><html><title>Sign in</title></html>"
QUESTION = ChatQuestion(HELLO, limits=PATIENT)


def failure(*replies: Reply, streamed: bool = False, **question: Any) -> ModelFailed:
    """What asking fails with; the model is asked once for each reply."""
    with scripted(*replies) as server, pytest.raises(ModelFailed) as failed:
        ask(model_at(server), on_token=(lambda _: None) if streamed else None, **question)
    assert len(server.asked) == len(replies)
    assert KEY not in "".join(traceback.format_exception(failed.value))
    return failed.value


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(raw=PAGE), "an HTML page"),
        (Reply(raw=b""), ""),
        (Reply(raw=b"OK, bye"), ""),
        (Reply(raw='{"choices": "caf\xe9"}'.encode("latin-1")), "JSON that breaks off or is wrong"),
        (Reply(raw=b'{"choices": [{"mess'), "JSON that breaks off or is wrong"),
        (Reply(raw=b'data: {"choices": [{"de\n\n'), ""),
        (Reply(raw=b'data: {"choices": [{"delta": {"content": "caf\xe9"}}]}\n\n'), ""),
        (completion({}, choices=None), ""),
        (completion({}, choices=[]), ""),
        (completion({}, choices=[None]), ""),
        (says(""), "answers nothing"),
        (completion({"content": None}), "answers nothing"),
        (says("<think>hm, hm</think>  "), "answers nothing"),
    ],
)
def test_a_body_without_an_answer_is_a_bad_answer(reply: Reply, said: str, streamed: bool) -> None:
    failed = failure(reply, streamed=streamed)
    assert isinstance(failed, BadAnswer)
    assert said in failed.reason


def test_an_answer_that_was_cut_at_its_limit_says_so() -> None:
    failed = failure(says("the cause is", "length"), limits=Limits(output_tokens=12))
    assert isinstance(failed, AnswerCut)
    assert "12 tokens" in failed.reason
    assert failed.usage.output_tokens == 10


@pytest.mark.parametrize("streamed", [False, True])
def test_tool_calls_that_were_cut_are_never_made(streamed: bool) -> None:
    whole = calls(("kubernetes.pods", {"namespace": "shop"})).completion
    assert whole is not None
    message = whole["choices"][0]["message"]
    failed = failure(completion(message, "length"), tools=[PODS], streamed=streamed)
    assert isinstance(failed, AnswerCut)


def test_a_stream_that_ends_before_the_answer_does_is_cut() -> None:
    cut = Reply(says("the cart is slow").completion, cut=3)
    failed = failure(cut, cut, cut, streamed=True)
    assert isinstance(failed, AnswerCut)
    assert failed.said == "the cart"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_refusal_has_its_own_name(streamed: bool) -> None:
    no = completion({"content": None, "refusal": "I cannot help with that."})
    failed = failure(no, streamed=streamed)
    assert isinstance(failed, ModelRefused)
    assert "I cannot help with that." in failed.reason


def test_a_filter_of_the_provider_is_a_refusal() -> None:
    assert isinstance(failure(says("", "content_filter")), ModelRefused)
    azure = {"code": "content_filter", "message": "The response was filtered"}
    assert isinstance(failure(fails(400, azure)), ModelRefused)


@pytest.mark.parametrize(
    ("status", "error", "advice"),
    [
        (401, {"message": f"Incorrect API key provided: {KEY}"}, "model.api_key"),
        (403, f"key {KEY} may not", "model.api_key"),
        (404, {"message": "The model `scripted-small` does not exist"}, "does not know this model"),
        (404, {"message": 'model "scripted-small" not found, try pulling it'}, "does not know"),
        (400, {"message": "Invalid model name passed", "code": "400"}, "does not know this model"),
        (404, PAGE, "model.base_url"),
        (405, b"", "model.base_url"),
        (402, "pay first", "billing"),
        (429, {"code": "insufficient_quota", "message": "You exceeded"}, "billing"),
        (302, b"", "model.base_url"),
    ],
)
def test_what_only_a_person_can_mend_is_said_once_and_with_the_setting(
    status: int, error: Any, advice: str
) -> None:
    failed = failure(fails(status, error))
    assert isinstance(failed, ModelUnavailable)
    assert failed.lasting
    assert advice in failed.reason
    assert KEY not in str(failed)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
def test_a_busy_endpoint_is_asked_again_until_it_answers(status: int) -> None:
    slept = Slept()
    with scripted(fails(status), fails(status, PAGE), says("here")) as server:
        assert ask(model_at(server, slept=slept)).content == Text("here")
    assert len(slept) == 2
    assert max(slept) <= 1.0


def test_no_more_often_than_is_set() -> None:
    failed = failure(fails(503), fails(503), fails(503, "all slots are busy"))
    assert isinstance(failed, ModelUnavailable)
    assert not failed.lasting
    assert "all slots are busy" in failed.reason


def test_a_short_retry_after_is_obeyed() -> None:
    slept = Slept()
    with scripted(fails(429, retry_after="7"), says("here")) as server:
        ask(model_at(server, slept=slept))
    assert slept == [7.0]


@pytest.mark.parametrize("told", ["3600", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_a_long_retry_after_is_a_failure_at_once(told: str) -> None:
    failed = failure(fails(429, retry_after=told))
    assert isinstance(failed, ModelUnavailable)


@pytest.mark.parametrize("told", ["soon", "nan", "-5", "inf"])
def test_a_retry_after_that_says_nothing_is_no_reason_to_wait_long(told: str) -> None:
    slept = Slept()
    with scripted(fails(429, retry_after=told), says("here")) as server:
        ask(model_at(server, slept=slept))
    assert 0 <= slept[0] <= 1.0


@pytest.mark.parametrize(
    ("status", "body", "limit"),
    [
        (
            400,
            {
                "message": "This model's maximum context length is 8192 tokens. However, your "
                "messages resulted in 9001 tokens.",
                "code": "context_length_exceeded",
            },
            8192,
        ),
        (
            400,
            {
                "message": "'max_tokens' is too large: 4000. This model's maximum context length "
                "is 4096 tokens and your request has 900 input tokens",
                "type": "BadRequestError",
                "code": 400,
            },
            4096,
        ),
        (400, "The decoder prompt (length 50) is longer than the maximum model length of 40", 40),
        (
            400,
            {
                "code": 400,
                "message": "the request exceeds the available context size (2048 tokens)",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 3000,
                "n_ctx": 2048,
            },
            2048,
        ),
        (400, "the input length exceeds the context length", None),
        (500, "prompt too long; exceeded max context length by 12 tokens", None),
        (400, {"message": "prompt is too long: 201 tokens > 200 maximum"}, 200),
        (413, b"", None),
        (429, {"message": "Request too large for it on tokens per min", "type": "tokens"}, None),
    ],
)
def test_a_conversation_that_does_not_fit_is_told_apart(
    status: int, body: Any, limit: int | None
) -> None:
    failed = failure(fails(status, body))
    assert isinstance(failed, ContextTooLong)
    assert failed.limit == limit


def test_an_error_that_comes_as_a_success_is_an_error() -> None:
    late = {"error": {"code": 400, "message": "maximum context length is 10 tokens"}}
    assert isinstance(failure(Reply(raw=json.dumps(late).encode())), ContextTooLong)
    event = b"data: " + json.dumps(late).encode() + b"\n\n"
    assert isinstance(failure(Reply(raw=event), streamed=True), ContextTooLong)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("kubernetes.pod", {"namespace": "a"}, "did you mean 'kubernetes_pods'"),
        ("kubernetes.pods", '{"namespace": ', "no JSON"),
        ("kubernetes.pods", "[]", "not of type 'object'"),
        ("kubernetes.pods", {}, "'namespace' is a required property"),
        ("kubernetes.pods", {"namespace": 4}, "4 is not of type 'string'"),
        ("kubernetes.pods", {"namespace": "a", "force": True}, "'force' was unexpected"),
        ("kubernetes.pods", '{"namespace": "a", "limit": NaN}', "no JSON"),
    ],
)
def test_a_call_that_cannot_be_made_says_what_is_wrong_with_it(
    name: str, arguments: Any, said: str
) -> None:
    failed = failure(calls((name, arguments)), tools=[PODS])
    assert isinstance(failed, BadAnswer)
    assert said in failed.reason


def test_a_call_where_no_tool_was_offered_is_a_bad_answer() -> None:
    assert isinstance(failure(calls(("kubernetes.pods", {"namespace": "a"}))), BadAnswer)


def test_calls_without_end_are_a_bad_answer() -> None:
    many = calls(*[("kubernetes.pods", {"namespace": f"n{at}"}) for at in range(200)])
    assert isinstance(failure(many, tools=[PODS]), BadAnswer)


def test_a_call_sent_twice_is_made_once_and_every_other_has_its_own_id() -> None:
    wanted = [("kubernetes.pods", {"namespace": name}) for name in ("a", "a", "b", "c", "d")]
    with scripted(calls(*wanted, ids=("x", "x", "x", "", ""))) as server:
        content = ask(model_at(server), tools=[PODS]).content
    assert isinstance(content, ToolCalls)
    assert [call.arguments for call in content.calls] == [
        f'{{"namespace":"{name}"}}' for name in "abcd"
    ]
    assert len({call.id for call in content.calls}) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I think it is the cart.", "no JSON object"),
        ('{"cause": "cart"}', "'sure' is a required property"),
        ('{"cause": "cart", "sure": 1, "why": ""}', "'why' was unexpected"),
        ('{"cause": "a", "sure": 1} or {"cause": "b", "sure": 1}', "2 different"),
        ('{"cause": "a", "sure": 1e999}', "JSON"),
        ('{"a":' * 50_000, "no JSON object"),
    ],
)
def test_a_value_that_does_not_keep_to_its_schema_says_where(text: str, said: str) -> None:
    failed = failure(says(text), schema=VERDICT)
    assert isinstance(failed, BadAnswer)
    assert said in failed.reason


@pytest.mark.parametrize("streamed", [False, True])
def test_a_slow_trickle_ends_with_the_time_it_was_given(streamed: bool) -> None:
    slow = Reply(says("word " * 4000).completion, pace_s=0.05)
    on_token = (lambda _: None) if streamed else None
    with scripted(slow) as server, pytest.raises(ModelUnavailable, match="no whole answer in"):
        ask(model_at(server), limits=Limits(seconds=0.5), on_token=on_token)


def test_a_connection_that_is_reset_is_tried_again() -> None:
    with scripted(Reply(reset=True), says("here")) as server:
        assert ask(model_at(server)).content == Text("here")


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_that_breaks_off_is_asked_for_again(streamed: bool) -> None:
    broken, heard = Reply(says("the cart is slow").completion, cut=3), list[str]()
    on_token = heard.append if streamed else None
    with scripted(broken, says("it is slow")) as server:
        assert ask(model_at(server), on_token=on_token).content == Text("it is slow")
    assert "".join(heard) == ("the cart \nit is slow" if streamed else "")


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_without_end_is_not_read_to_its_end(streamed: bool) -> None:
    event = b'data: {"choices": [{"delta": {"content": "' + b"a" * 200_000 + b'"}}]}\n\n'
    endless = Reply(raw=event * 50, piece=len(event))
    failed = failure(endless, streamed=streamed)
    assert isinstance(failed, BadAnswer)
    assert "more than 8000000 bytes" in failed.reason


def test_nobody_at_the_address_is_said_with_the_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and never listening
        with scripted() as server:
            address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
            with pytest.raises(ModelUnavailable, match="cannot be reached") as failed:
                ask(model_at(server, url=address))
    assert address in str(failed.value)


def test_a_certificate_that_nobody_trusts_is_refused_until_it_is_set(tmp_path: Path) -> None:
    files = self_signed(tmp_path)
    with scripted(says("here"), tls=files) as server:
        with pytest.raises(ModelUnavailable, match="certificate") as failed:
            ask(model_at(server))
        assert "model.ca_file" in str(failed.value)
        assert failed.value.lasting
        assert ask(model_at(server, ca_file=files[0])).content == Text("here")


def test_a_cancelled_question_gives_its_connection_up_and_the_next_one_works() -> None:
    async def twice(model: Any) -> Any:
        asking = asyncio.create_task(model.complete(QUESTION))
        while not server.asked:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return await model.complete(QUESTION)

    with scripted(Reply(says("slow " * 2000).completion, pace_s=0.02), gives({})) as server:
        assert asyncio.run(twice(model_at(server))).content == Text("{}")


def test_two_questions_at_once_do_not_wait_for_each_other() -> None:
    async def both(model: Any) -> list[Any]:
        return await asyncio.gather(*(model.complete(QUESTION) for _ in range(8)))

    with scripted(says("here")) as server:
        answers = asyncio.run(both(model_at(server)))
    assert [answer.content for answer in answers] == [Text("here")] * 8


def test_the_key_is_in_no_representation() -> None:
    with scripted() as server:
        model = model_at(server)
    assert KEY not in repr(model) + repr(vars(model))
