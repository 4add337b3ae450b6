"""A run as a conversation with tools, to fine-tune models on: the chat format of OpenAI's API.

One JSON object a run: ``messages`` (system, user, then each call as an assistant's turn and its
answer as the tool's, last the summary of the report) and ``tools``.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from aiops.agents.policies.conversation import prompt
from aiops.agents.trajectory.steps import Answered, Trajectory
from aiops.errors import InvalidInput
from aiops.model.canonical import canonical
from aiops.model.run import Moment, MomentKind

_SEEN: Final[frozenset[MomentKind]] = frozenset({"begun", "finding"})
_ODD: Final = re.compile(r"[^a-zA-Z0-9_-]")


def chat_of(trajectory: Trajectory) -> str:
    """The run as one line of canonical JSON.

    Raises:
        InvalidInput: it was cut off before its report, so nothing can be learnt from it.
    """
    if trajectory.report is None:
        raise InvalidInput(f"run {trajectory.header.begun.run} has no report to learn from")
    tools = [
        {
            "type": "function",
            "function": {
                "name": _name(spec.name),
                "description": spec.description,
                "parameters": json.loads(spec.arguments),
            },
        }
        for spec in trajectory.header.begun.tools
    ]
    return canonical({"messages": list(_messages(trajectory)), "tools": tools})


def _messages(trajectory: Trajectory) -> Iterator[dict[str, Any]]:
    yield {"role": "system", "content": prompt("investigator").filled()}
    seen, thought, asked = list[str](), list[str](), False
    for step in trajectory.steps:
        if isinstance(step, Moment) and step.kind in _SEEN and not asked:
            seen.append(step.text)
        elif isinstance(step, Moment) and step.kind == "plan":
            thought.append(step.text)
        elif isinstance(step, Answered):
            if not asked:
                asked = True
                yield {"role": "user", "content": "\n".join(seen)}
            yield from _turn(step, "; ".join(thought))
            thought.clear()
    if not asked:
        yield {"role": "user", "content": "\n".join(seen)}
    report = json.loads(trajectory.report or "{}")
    yield {"role": "assistant", "content": report["summary"]}


def _turn(answered: Answered, thought: str) -> Iterator[dict[str, Any]]:
    call, outcome = answered.call, answered.outcome
    function = {"name": _name(call.tool), "arguments": call.arguments}
    yield {
        "role": "assistant",
        "content": thought or None,
        "tool_calls": [{"id": call.id, "type": "function", "function": function}],
    }
    yield {
        "role": "tool",
        "tool_call_id": call.id,
        "content": outcome.content or f"{outcome.status}: {outcome.summary}",
    }


def _name(tool: str) -> str:
    """As endpoints take it."""
    return _ODD.sub("_", tool)[:64]
