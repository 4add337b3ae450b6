"""A long conversation in few words: what was asked stays, what was found stays by its ids.

Between the question and the last turns, each tool that was called is told once with the ids of the
evidence that it brought, so that nothing found can be lost and nothing is called again unawares.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Final

from aiops.analyze.telling.shapes import tokens
from aiops.model.chat import Message

HEADING: Final = "Earlier in this run, by tool, with the evidence it brought:"
_NO_TOOL: Final = "(said)"
_EVIDENCE = re.compile(r"\bE[0-9]+\b")


def evidence_ids(text: str) -> tuple[str, ...]:
    """The evidence ids a text names ("E1", "E12"), each once, in order."""
    return tuple(dict.fromkeys(_EVIDENCE.findall(text)))


def compacted(messages: Sequence[Message], limit_tokens: int) -> tuple[Message, ...]:
    """The conversation in about ``limit_tokens``: itself where it fits.

    What comes before the first answer is kept, and as many of the last turns as fit; a call is
    never parted from its results, and the newest turn always stays. The names of all tools called
    and all evidence ids in between are pinned: they stay even where they alone exceed the limit.
    """
    if sum(map(_cost, messages)) <= limit_tokens:
        return tuple(messages)
    begun = list(takewhile(lambda one: one.role in ("system", "user"), messages))
    begun, folded = _unfolded(begun)
    turns = list(_turns(messages[len(begun) + len(folded) :]))
    for dropped in range(len(turns)):
        kept = [message for turn in turns[dropped:] for message in turn]
        gone = [message for turn in turns[:dropped] for message in turn]
        pinned = _pins([*folded, *gone])
        whole = (*begun, *([pinned] if pinned else []), *kept)
        if sum(map(_cost, whole)) <= limit_tokens:
            return whole
    return whole if turns else tuple(messages)


def _unfolded(begun: list[Message]) -> tuple[list[Message], list[Message]]:
    """What was said first, and what an earlier compaction made of the turns after it."""
    at = next((n for n, one in enumerate(begun) if one.text.startswith(HEADING)), len(begun))
    return begun[:at], begun[at:]


def _turns(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """An answer with the results of its calls, or one word of a person, is one turn."""
    turn: list[Message] = []
    for message in messages:
        if turn and message.role != "tool":
            yield turn
            turn = []
        turn.append(message)
    if turn:
        yield turn


def _pins(messages: Iterable[Message]) -> Message | None:
    found: dict[str, dict[str, None]] = {}
    tool_of: dict[str, str] = {}
    for message in messages:
        if message.text.startswith(HEADING):
            for line in message.text.splitlines()[1:]:
                name, _, rest = line.partition(": ")
                found.setdefault(name, {}).update(dict.fromkeys(evidence_ids(rest)))
            continue
        for call in message.calls:
            tool_of[call.id] = call.tool
            found.setdefault(call.tool, {})
        if ids := evidence_ids(message.text):
            name = tool_of.get(message.call or "", _NO_TOOL)
            found.setdefault(name, {}).update(dict.fromkeys(ids))
    if not found:
        return None
    lines = [f"{name}: {', '.join(each) or 'nothing'}" for name, each in sorted(found.items())]
    return Message("user", "\n".join([HEADING, *lines]))


def _cost(message: Message) -> int:
    return tokens(message.text) + sum(tokens(one.tool + one.arguments) for one in message.calls)
