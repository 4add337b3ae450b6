"""What is said to a language model, and what it answers."""

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class AskedCall:
    """A tool call that a model asks for; a wish, nothing is decided about it yet.

    Attributes:
        id: unique within its answer.
        tool: name of one of the tools that were offered.
        arguments: canonical JSON of an object, valid by the tool's schema.
    """

    id: str
    tool: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    Attributes:
        text: what is said; may be empty beside ``calls``.
        calls: of an assistant's turn; each needs a message of role "tool" after it.
        call: of a "tool" turn, the id of the call whose result it brings.
    """

    role: Role
    text: str
    calls: tuple[AskedCall, ...] = ()
    call: str | None = None


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool that a model may ask for.

    Attributes:
        name: as ``ToolSpec.name``; endpoints that take no dots are told another.
        arguments: JSON schema (2020-12) of an object, canonical JSON.
    """

    name: str
    description: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What one answer may take.

    Attributes:
        output_tokens: that it may be long.
        seconds: of wall time for the whole answer, pauses and repeated requests included.
        temperature: 0 for the likeliest words; left out where an endpoint does not take it.
        seed: likewise.
    """

    output_tokens: int = 2048
    seconds: float = 60.0
    temperature: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ChatQuestion:
    """All that a model's next turn is asked by.

    Attributes:
        messages: the conversation so far, oldest first.
        tools: that it may ask for.
        schema: JSON schema of the value wanted, canonical JSON; None for free text. With tools as
            well, the answer is either calls or the value.
        limits: what it may take.
    """

    messages: tuple[Message, ...]
    tools: tuple[OfferedTool, ...] = ()
    schema: str | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Usage:
    """What answers cost.

    Attributes:
        requests: that an endpoint answered, well or badly.
        usd: by the configured prices; 0 where none are.
        estimated: whether an endpoint reported nothing, and tokens are a quarter of the
            characters.
    """

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    estimated: bool = False

    @property
    def tokens(self) -> int:
        """Both ways."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.requests + other.requests,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.usd + other.usd,
            self.estimated or other.estimated,
        )


@dataclass(frozen=True, slots=True)
class Text:
    """Words; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """Wishes for tools; at least one. ``text`` is what was said beside them."""

    calls: tuple[AskedCall, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Structured:
    """A value by the schema that was asked for, canonical JSON."""

    value: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered; data, never an instruction.

    Attributes:
        model: that gave it, as configured.
    """

    content: Text | ToolCalls | Structured
    usage: Usage
    model: str
