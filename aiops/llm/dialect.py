"""How one endpoint wants to be asked: what it takes of the chat completions API.

OpenAI, vLLM, llama.cpp, Ollama and the gateways before them share a core and differ at the edges.
We ask for everything, and leave out for good what an endpoint says it does not take.
"""

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from aiops.llm import structured
from aiops.llm.names import WireNames
from aiops.model.chat import ChatQuestion, Message, OfferedTool

Form = Literal["json_schema", "json_object", "words"]
"""How a value is asked for: by its schema, as any JSON, or only in the words of the prompt."""

_ABOUT_FORM: Final = (
    "response_format",
    "json_schema",
    "json_object",
    "structured output",
    "grammar",
    "guided",
)
_STREAM: Final = re.compile(r"\bstream(?:s|ed|ing)?\b")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What an endpoint takes.

    Attributes:
        form: the strictest way of asking for a value.
        length: the parameter that limits the answer.
        sampling: whether it takes a temperature and a seed.
        streams: whether it gives an answer piece by piece.
        stream_usage: whether it counts tokens in a stream when asked to.
    """

    form: Form = "json_schema"
    length: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    sampling: bool = True
    streams: bool = True
    stream_usage: bool = True

    def request(
        self, model: str, question: ChatQuestion, names: WireNames, *, stream: bool = False
    ) -> dict[str, Any]:
        """The body of the request, as JSON.

        Args:
            stream: whether the answer is wanted piece by piece.
        """
        body: dict[str, Any] = {
            "model": model,
            "messages": self._messages(question, names),
            self.length: question.limits.output_tokens,
        }
        if self.sampling:
            body |= {"temperature": question.limits.temperature, "seed": question.limits.seed}
        if question.tools:
            body["tools"] = [_tool(tool, names) for tool in question.tools]
        if question.schema is not None and self.form != "words":
            body["response_format"] = self._response_format(question.schema)
        if stream and self.streams:
            body["stream"] = True
            if self.stream_usage:
                body["stream_options"] = {"include_usage": True}
        return body

    def without(self, refusal: str, question: ChatQuestion) -> "Dialect | None":
        """The dialect to go on with after ``question`` was refused; None where none would help.

        Args:
            refusal: the endpoint's words.
        """
        words = refusal.lower()
        if self.length == "max_tokens" and "max_completion_tokens" in words:
            return replace(self, length="max_completion_tokens")
        if self.stream_usage and "stream_options" in words:
            return replace(self, stream_usage=False)
        if self.streams and _STREAM.search(words):
            return replace(self, streams=False)
        if self.sampling and ("temperature" in words or "seed" in words):
            return replace(self, sampling=False)
        if (
            question.schema
            and self.form != "words"
            and any(about in words for about in _ABOUT_FORM)
        ):
            return replace(self, form="json_object" if self.form == "json_schema" else "words")
        return None

    def _messages(self, question: ChatQuestion, names: WireNames) -> list[dict[str, Any]]:
        said = [_message(one, names) for one in question.messages]
        if question.schema is None or self.form == "json_schema":
            return said
        wanted = structured.wanted(question.schema)
        if said and said[-1]["role"] == "user":  # many templates want turns to alternate
            return [*said[:-1], {**said[-1], "content": f"{said[-1]['content']}\n\n{wanted}"}]
        return [*said, {"role": "user", "content": wanted}]

    def _response_format(self, schema: str) -> dict[str, Any]:
        if self.form == "json_object":
            return {"type": "json_object"}
        shape = json.loads(schema)
        named = {"name": "answer", "schema": shape, "strict": structured.is_strict(shape)}
        return {"type": "json_schema", "json_schema": named}


def _tool(tool: OfferedTool, names: WireNames) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": names.of(tool.name),
            "description": tool.description,
            "parameters": json.loads(tool.arguments),
        },
    }


def _message(message: Message, names: WireNames) -> dict[str, Any]:
    sendable = message.text.encode("utf-8", "replace").decode()  # half a character cannot be sent
    said: dict[str, Any] = {"role": message.role, "content": sendable}
    if message.calls:
        said["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": names.of(call.tool), "arguments": call.arguments},
            }
            for call in message.calls
        ]
    if message.call is not None:
        said["tool_call_id"] = message.call
    return said
