"""Any endpoint that speaks chat completions: OpenAI, vLLM, Ollama, llama.cpp, gateways to others.

The official client carries the requests; repeating, waiting and reading are our own, since its
defaults wait 600 s a read and up to 120 s on Retry-After, and believe what they are sent.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from aiops.llm.apart import Apart
from aiops.llm.connection import Connection, Endpoint
from aiops.llm.dialect import Dialect
from aiops.llm.failures import failure_of, words_of, worth_repeating
from aiops.llm.names import WireNames
from aiops.llm.reading import answer_of
from aiops.llm.replies import Reply, ReportedError, Stream, Unreadable, begun, events, reply_of
from aiops.llm.waiting import pause_before, retry_after
from aiops.model.chat import Answer, ChatQuestion, Usage
from aiops.ports.chat_model import BadAnswer, ModelFailed, ModelUnavailable, OnToken

_SHOWN: Final = 200
_PER_TOKEN: Final = 4
"""Characters, where nobody counts tokens: the rule of thumb of English text."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    input_usd: float = 0.0
    output_usd: float = 0.0

    def of(self, input_tokens: int, output_tokens: int) -> float:
        """US dollars."""
        return (input_tokens * self.input_usd + output_tokens * self.output_usd) / 1e6


class _Refused(Exception):
    """A request that was not answered.

    Args:
        said: the endpoint's words, without our key.
        adaptable: whether it may be answered when it asks for less.
        transient: whether it may be answered in a moment.
        pause: seconds, where the endpoint said how long that moment is.
        cut: what came before it broke off, where something did.
    """

    def __init__(
        self,
        failure: ModelFailed,
        *,
        said: str = "",
        adaptable: bool = False,
        transient: bool = False,
        pause: float | None = None,
        cut: Reply | None = None,
    ) -> None:
        self.failure, self.said, self.pause, self.cut = failure, said, pause, cut
        self.adaptable, self.transient = adaptable, transient


class OpenAICompatible:
    """One model of one endpoint, as a ``ChatModel``.

    Raises:
        InvalidInput: the certificates cannot be read.
    """

    def __init__(
        self,
        name: str,
        endpoint: Endpoint,
        price: Price | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self._name, self._endpoint, self._price = name, endpoint, price or Price()
        self._sleep, self._chance = sleep, chance or random.Random()  # noqa: S311
        self._dialect = Dialect()
        self._connection = Connection(endpoint)

    def __repr__(self) -> str:
        return f"OpenAICompatible({self._name!r}, {self._endpoint.url!r})"

    @property
    def name(self) -> str:
        return self._name

    async def complete(self, question: ChatQuestion, on_token: OnToken | None = None) -> Answer:
        """As ``ChatModel.complete``; tokens that were not reported are estimated."""
        names = WireNames(tool.name for tool in question.tools)
        seconds = question.limits.seconds
        await asyncio.to_thread(import_module, "openai")  # a second, the first time
        try:
            async with asyncio.timeout(seconds):
                reply = await self._reply(question, names, on_token)
        except TimeoutError as error:
            slow = f"gave no whole answer in {seconds:g} s; look at its load, or raise"
            raise ModelUnavailable(self._name, f"{slow} 'model.timeout_s'") from error
        usage = self._usage(reply, question)
        return answer_of(self._name, reply, question, names, usage)

    async def _reply(
        self, question: ChatQuestion, names: WireNames, on_token: OnToken | None
    ) -> Reply:
        attempt, heard = 0, Apart(on_token or _nobody)
        while True:
            dialect = self._dialect
            body = dialect.request(self._name, question, names, stream=on_token is not None)
            try:
                return await self._once(body, heard.answer())
            except _Refused as refused:
                simpler = dialect.without(refused.said, question)
                if refused.adaptable and simpler is not None:
                    self._dialect = simpler
                    continue
                attempt += 1
                pause = pause_before(attempt, refused.pause, self._chance)
                if (
                    not refused.transient
                    or attempt >= self._endpoint.attempts
                    or pause > self._endpoint.longest_pause_s
                ):
                    if refused.cut is not None:
                        return refused.cut
                    raise refused.failure from None  # its cause holds our request, with the key
            await self._sleep(pause)

    async def _once(self, body: dict[str, Any], on_token: OnToken) -> Reply:
        """One request. Raises _Refused, or ModelFailed where no other request would help."""
        import httpx2
        from openai import APIConnectionError, APIStatusError

        stream = Stream()
        try:
            async with self._connection.asking(body) as coming:
                letter, chunks = await begun(coming)
                if "stream" not in body or letter == b"{":  # some know no streams, and say all
                    reply = reply_of(b"".join([chunk async for chunk in chunks]))
                    on_token(reply.text)
                    return reply
                async for event in events(chunks):
                    if piece := stream.add(event):
                        on_token(piece)
                reply = stream.reply()
                if not reply.whole:
                    raise self._broken("before its end", reply)
                return reply
        except APIStatusError as error:
            answer = error.response
            raise self._refusal(
                answer.status_code, answer.content, retry_after(answer.headers)
            ) from None
        except ReportedError as error:
            raise self._refusal(error.status, error.body, None) from None
        except APIConnectionError as error:
            failure = self._unreachable(_root(error))
            raise _Refused(failure, transient=not failure.lasting) from None
        except httpx2.HTTPError as error:  # it had begun to answer
            cut = stream.reply() if stream.seen else None
            raise self._broken(_root(error), cut) from None
        except Unreadable as error:
            wrong = f"{self._endpoint.url} answered {error}; check that this is its API"
            raise BadAnswer(self._name, wrong, Usage(1)) from None

    def _broken(self, reason: str, cut: Reply | None) -> "_Refused":
        broke_off = f"{self._endpoint.url} broke off its answer: {reason}; see its log"
        return _Refused(ModelUnavailable(self._name, broke_off), transient=True, cut=cut)

    def _refusal(self, status: int, body: bytes, pause: float | None) -> "_Refused":
        key = self._endpoint.key
        if key:  # endpoints like to repeat what they were sent
            body = body.replace(key.encode(), b"***")
        failure = failure_of(self._name, self._endpoint.url, status, body)
        plain = isinstance(failure, ModelUnavailable) and not failure.lasting
        return _Refused(
            failure,
            said=words_of(body),
            adaptable=plain and status in (400, 422),
            transient=worth_repeating(status, failure),
            pause=pause,
        )

    def _usage(self, reply: Reply, question: ChatQuestion) -> Usage:
        asked_for, said = reply.input_tokens, reply.output_tokens
        estimated = asked_for is None or said is None
        if asked_for is None:
            told = [one.text for one in question.messages]
            told += [tool.arguments + tool.description for tool in question.tools]
            asked_for = sum(map(len, told)) // _PER_TOKEN + 1
        if said is None:
            words = len(reply.text) + sum(len(call.arguments) for call in reply.calls)
            said = words // _PER_TOKEN + 1
        return Usage(1, asked_for, said, self._price.of(asked_for, said), estimated)

    def _unreachable(self, reason: str) -> ModelUnavailable:
        untrusted = "CERTIFICATE" in reason
        advice = (
            "set 'model.ca_file' to the certificate it is signed with"
            if untrusted
            else "check that it runs and that this machine may connect to it"
        )
        said = f"{self._endpoint.url} cannot be reached: {reason}; {advice}"
        return ModelUnavailable(self._name, said, lasting=untrusted)


def _nobody(piece: str) -> None:
    """Takes tokens that nobody asked for."""
    del piece


def _root(error: BaseException) -> str:
    """The words of what went wrong first, below all that wraps it."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return " ".join(str(error).split())[:_SHOWN] or type(error).__name__
