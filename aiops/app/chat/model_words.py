"""What a language model may do in a conversation: sort a question, and phrase an answer.

The answer is found first, without it. Of its sorting only kinds that look are taken, never one that
acts; of its phrasing nothing stands that the answer does not say. Where it fails, the answer stands
as it was, and says so.
"""

import asyncio
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Final, cast

from aiops.agents.prompt import Prompt
from aiops.app.chat.saying import refs_in
from aiops.model.canonical import canonical, parsed
from aiops.model.chat import Answer, ChatQuestion, Limits, Message, Structured
from aiops.model.thread import Intent, Reply
from aiops.ports.chat_model import ChatLadder, Climbed, ModelFailed, OnToken

SORTED: Final[tuple[Intent, ...]] = (
    "broken",
    "why",
    "since",
    "changes",
    "affected",
    "neighbours",
    "logs",
    "metrics",
    "traces",
    "yesterday",
    "before",
    "advice",
    "handling",
    "unknown",
)
"""What a model may take a question for: kinds that only look."""
PHRASED: Final[frozenset[Intent]] = frozenset(
    ("broken", "why", "since", "changes", "affected", "before", "advice")
)
"""What is told in words; tables of tools are shown as they are."""
MOST_NAMES: Final = 200
LONGEST: Final = 4000
"""Characters of an answer that is phrased, and of a question that is shown to a model."""
PATIENCE_S: Final = 20.0
"""Somebody waits; the answer is there without the model."""
_NUMBER: Final = re.compile(r"\d+(?:[.,:]\d+)*")
_ID: Final = re.compile(r"\b(?:inc|apr|inv|thr)-[\w-]+")
_ALL_WELL: Final = re.compile(
    r"\b(?:no|without) (?:problems?|issues?|errors?|incidents?)\b"
    r"|\ball (?:is )?(?:well|good|clear)\b|\bnothing (?:is )?(?:wrong|broken)\b"
    r"|\b(?:is|are|looks?) (?:fine|ok|okay|healthy|normal|well)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Meant:
    """What a model takes a question for.

    Attributes:
        service: one of the known names.
        by: the model.
    """

    intent: Intent
    service: str | None
    by: str


@dataclass(frozen=True, slots=True)
class Words:
    """The models of the settings, as a conversation asks them.

    Attributes:
        ladder: makes one with an account of its own, for one question.
        on_token: takes what they phrase while they say it, before anybody knows whether it stands;
            None: nobody reads along.
    """

    ladder: Callable[[], ChatLadder]
    limits: Limits = field(default_factory=Limits)
    on_token: OnToken | None = None

    def meant(self, question: str, names: Sequence[str]) -> Meant | str:
        """What a question that no rule understands may mean; or why no model says.

        Args:
            names: of services that are known.
        """
        known = sorted(names)[:MOST_NAMES]
        schema = canonical(
            {
                "type": "object",
                "properties": {
                    "kind": {"enum": list(SORTED)},
                    "service": {"enum": [*known, None]},
                },
                "required": ["kind", "service"],
                "additionalProperties": False,
            }
        )
        told = f"<question>\n{question[:LONGEST]}\n</question>\nKnown services: {', '.join(known)}"
        try:
            climbed = self._climbed("understand", told, schema, lambda _: True)
        except ModelFailed as failure:
            return str(failure)
        value = _value(climbed.answer)
        intent = cast("Intent", value["kind"])
        return Meant(intent, cast("str | None", value["service"]), climbed.answer.model)

    def phrased(self, question: str, reply: Reply, names: Collection[str]) -> Reply:
        """The reply in a model's words, where they say nothing else; else as it was, and why."""
        if len(reply.text) > LONGEST or reply.intent not in PHRASED:
            return reply
        schema = canonical(
            {
                "type": "object",
                "properties": {"text": {"type": "string"}},
                "required": ["text"],
                "additionalProperties": False,
            }
        )
        told = f"<question>\n{question[:LONGEST]}\n</question>\n<answer>\n{reply.text}\n</answer>"

        def holds(answer: Answer) -> bool:
            return beyond(str(_value(answer)["text"]), reply, names) is None

        try:
            climbed = self._climbed("phrase", told, schema, holds, self.on_token)
        except ModelFailed as failure:
            return replace(reply, note=f"Told without a model: {failure}")
        text, model = str(_value(climbed.answer)["text"]).strip(), climbed.answer.model
        wrong = beyond(text, reply, names)
        if wrong is not None:
            return replace(reply, note=f"The words of {model} do not stand: {wrong}")
        return replace(reply, text=text, basis=reply.text, by=model)

    def _climbed(
        self,
        prompt: str,
        told: str,
        schema: str,
        holds: Callable[[Answer], bool],
        on_token: OnToken | None = None,
    ) -> Climbed:
        messages = (Message("system", _prompt(prompt).filled()), Message("user", told))
        limits = replace(self.limits, seconds=min(self.limits.seconds, PATIENCE_S))
        asked = ChatQuestion(messages, schema=schema, limits=limits)
        climbing = self.ladder().climb(
            asked, margin=lambda answer: float(holds(answer)), enough=1.0, on_token=on_token
        )
        return asyncio.run(climbing)


def beyond(text: str, reply: Reply, names: Collection[str]) -> str | None:
    """The first thing that ``text`` says and ``reply`` does not; None where there is none.

    Args:
        names: of services that are known: the words in which another one would be accused.
    """
    told = reply.text
    if not text.strip():
        return "they are empty"
    if len(text) > 2 * len(told) + 200:
        return "they are far longer than the answer"
    cited = {one.id for one in reply.cites}
    for ref in (*refs_in(text), *_ID.findall(text)):
        if ref not in cited and ref not in told:
            return f"they cite {ref}, which the answer does not"
    if cited and refs_in(told) and not refs_in(text):
        return "they leave out the evidence"
    numbers = _NUMBER.findall(told)
    for number in _NUMBER.findall(text):
        if not any(one == number or one.startswith(f"{number}:") for one in numbers):
            return f"they say {number}, which the answer does not"
    words, said = _words(text), _words(told)
    for name in names:
        if name.casefold() in words and name.casefold() not in said:
            return f"they name {name}, which the answer does not"
    well = _ALL_WELL.search(text)
    if well is not None and well[0].casefold() not in told.casefold():
        return f'they say "{well[0]}", which the answer does not'
    return None


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[\w.:/@-]*\w", text.casefold()))


def _value(answer: Answer) -> Mapping[str, object]:
    """The value of a structured answer, which is valid by the schema that was asked for."""
    if not isinstance(answer.content, Structured):
        raise TypeError("a model that was asked for a value answered with something else")
    return parsed(answer.content.value)


@cache
def _prompt(name: str) -> Prompt:
    file = files("aiops.app.chat").joinpath("prompts", f"{name}.md")
    return Prompt(file.name, file.read_text(encoding="utf-8"))
