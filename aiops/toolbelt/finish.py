"""What is done to text before anybody sees it: redacted, kept by reference, marked."""

from dataclasses import dataclass
from typing import Protocol

from aiops.model.tool import ToolCall, ToolResult


@dataclass(frozen=True, slots=True)
class Finished:
    """A result that a model, a log and a report may see; as ``Outcome`` has it."""

    summary: str
    content: str | None
    blob: str | None = None
    suspicious: bool = False


class Finish(Protocol):
    """The last stage of every call."""

    def redact(self, text: str, run: str) -> str:
        """``text`` without secrets and personal data; equal texts of a run stay equal."""
        ...

    def lasting(self, text: str) -> str:
        """As ``redact``, and the same in every process and run: for what is hashed and kept."""
        ...

    def holds_secret(self, text: str) -> bool:
        """Whether there is a secret in ``text``; personal data is none."""
        ...

    def result(self, call: ToolCall, result: ToolResult) -> Finished:
        """``result`` redacted, cut to size, and marked where it reads like instructions."""
        ...
