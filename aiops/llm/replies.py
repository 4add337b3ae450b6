"""What an endpoint sends back, whole or as a stream, read without trusting any of it."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_SHOWN: Final = 200


class Unreadable(ValueError):
    """The body is no chat completion; the text says what it is instead."""


class ReportedError(Exception):
    """A body that came as a success and holds an error.

    Attributes:
        status: of HTTP, that the error names; 500 where it names none.
        body: the error as JSON.
    """

    def __init__(self, read: Mapping[str, Any], body: bytes) -> None:
        code = _mapping(read.get("error")).get("code")
        self.status = code if type(code) is int and 400 <= code < 600 else 500
        self.body = body
        super().__init__(body.decode(errors="replace"))


@dataclass(frozen=True, slots=True)
class WireCall:
    """A tool call as it was sent: nothing about it is checked."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A completion as it was sent.

    Attributes:
        finish: why it ended; None where nobody said.
        whole: whether it came to its end.
        input_tokens, output_tokens: None where they were not reported.
    """

    text: str = ""
    calls: tuple[WireCall, ...] = ()
    refusal: str = ""
    finish: str | None = None
    whole: bool = True
    input_tokens: int | None = None
    output_tokens: int | None = None


def reply_of(body: bytes) -> Reply:
    """The completion that ``body`` is.

    Raises:
        Unreadable: it is none.
        ReportedError: it is an error that came as a success.
    """
    read = _object(body)
    choice = _first_choice(read)
    if choice is None:
        raise Unreadable("a completion without choices")
    message = _mapping(choice.get("message"))
    calls = [_mapping(one) for one in _items(message.get("tool_calls"))]
    return Reply(
        text=_text(message.get("content")),
        calls=tuple(_call(one) for one in calls),
        refusal=_text(message.get("refusal")),
        finish=_text(choice.get("finish_reason")) or None,
        input_tokens=_count(read, "prompt_tokens"),
        output_tokens=_count(read, "completion_tokens"),
    )


@dataclass(slots=True)
class Stream:
    """A completion that comes in pieces (server-sent events)."""

    seen: int = 0
    done: bool = False
    _text: list[str] = field(default_factory=list)
    _refusal: list[str] = field(default_factory=list)
    _calls: dict[int, WireCall] = field(default_factory=dict)
    _finish: str | None = None
    _input: int | None = None
    _output: int | None = None

    def add(self, event: bytes) -> str:
        """Take one event; the text that it adds.

        Raises:
            Unreadable: it is no piece of a completion.
            ReportedError: it says that the endpoint failed.
        """
        if event.strip() == b"[DONE]":
            self.done = True
            return ""
        read = _object(event)
        self.seen += 1
        self._input = _count(read, "prompt_tokens") or self._input
        self._output = _count(read, "completion_tokens") or self._output
        choice = _first_choice(read)
        if choice is None:  # the last one brings nothing but the usage
            return ""
        self._finish = _text(choice.get("finish_reason")) or self._finish
        delta = _mapping(choice.get("delta"))
        self._refusal.append(_text(delta.get("refusal")))
        for position, one in enumerate(_items(delta.get("tool_calls"))):
            self._grow(_mapping(one), position)
        piece = _text(delta.get("content"))
        self._text.append(piece)
        return piece

    def reply(self) -> Reply:
        """What has come so far.

        Raises:
            Unreadable: nothing has.
        """
        if not self.seen:
            raise Unreadable("a stream without a single event")
        return Reply(
            text="".join(self._text),
            calls=tuple(self._calls[at] for at in sorted(self._calls)),
            refusal="".join(self._refusal),
            finish=self._finish,
            whole=self.done or self._finish is not None,
            input_tokens=self._input,
            output_tokens=self._output,
        )

    def _grow(self, piece: Mapping[str, Any], position: int) -> None:
        index = piece.get("index")
        at = index if isinstance(index, int) else position
        before = self._calls.get(at, WireCall("", "", ""))
        more = _call(piece)
        self._calls[at] = WireCall(
            before.id or more.id, before.name or more.name, before.arguments + more.arguments
        )


async def begun(chunks: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    """The first letter of what comes, b"" where nothing does, and all of it from the beginning."""
    first = b""
    async for chunk in chunks:
        first += chunk
        if first.strip():
            break

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    return first.strip()[:1], whole()


async def events(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The data of each server-sent event in ``chunks``, which break anywhere.

    Raises:
        Unreadable: what comes is no stream of events.
    """
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if data := _data(line):
                yield data
    if data := _data(rest):
        yield data


def _data(line: bytes) -> bytes:
    line = line.strip()
    if line[:5] == b"data:":
        return line[5:].strip()
    if line[:1] in b"<{" and line:  # a page or a plain error where a stream was asked for
        if line[:1] == b"{":
            _object(line)
        raise Unreadable(kind_of(line))
    return b""


def kind_of(body: bytes) -> str:
    """What a body is that is not what it should be, in words."""
    start = body.lstrip()[:_SHOWN]
    if not start:
        return "an empty body"
    if start[:1] == b"<":
        return "an HTML page"
    if start[:1] in b"{[":
        return f"JSON that breaks off or is wrong ({len(body)} bytes)"
    return f"no JSON: {' '.join(start.decode(errors='replace').split())[:60]!r}"


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(kind_of(body)) from error
    if not isinstance(read, dict):
        raise Unreadable("JSON that is no object")
    if read.get("error") and not read.get("choices"):
        raise ReportedError(read, body)
    return read


def _first_choice(read: Mapping[str, Any]) -> Mapping[str, Any] | None:
    choices = _items(read.get("choices"))
    return _mapping(choices[0]) if choices else None


def _call(one: Mapping[str, Any]) -> WireCall:
    function = _mapping(one.get("function"))
    arguments = function.get("arguments")
    if isinstance(arguments, dict):  # some send the object itself
        arguments = json.dumps(arguments)
    return WireCall(_text(one.get("id")), _text(function.get("name")), _text(arguments))


def _text(value: object) -> str:
    """Text, or the text of a list of parts; lone surrogates cannot be stored and become "?"."""
    if isinstance(value, list):
        return "".join(_text(_mapping(part).get("text")) for part in value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _count(read: Mapping[str, Any], key: str) -> int | None:
    count = _mapping(read.get("usage")).get(key)
    return count if type(count) is int and count >= 0 else None
