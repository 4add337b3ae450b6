"""Which tools a model is shown: those that read, as many as there is room for.

Tools are part of every question. Where they would crowd out the case, those are shown that fit it
best; with fewer to choose from, models also choose better (Paramanayakam et al., "Less is More:
Optimizing function calling for LLM execution on edge devices", 2024).
"""

from collections.abc import Callable, Sequence
from typing import Final

from aiops.agents.policies.policy import Known
from aiops.analyze.telling.shapes import tokens
from aiops.model.chat import OfferedTool
from aiops.model.ranking import Ranking
from aiops.model.tool import ToolSpec

Fitting = Callable[[Sequence[ToolSpec], str], Sequence[str]]
"""The names of tools, those first that answer a question best."""
SHARE: Final = 0.5
"""Of a question, at most, for tools: the case itself needs the other half."""
_CAPABILITIES: Final = ("observer", "probe")
"""Of the tools that specialists may call."""
_SUSPECTS: Final = 2
"""Whose evidence says what the case is about."""


def as_listed(specs: Sequence[ToolSpec], question: str) -> Sequence[str]:
    """Without anything to tell what fits."""
    del question
    return [spec.name for spec in specs]


def offered(known: Known, context_tokens: int, fitting: Fitting) -> tuple[OfferedTool, ...]:
    """The tools for the next question, in the order of their names in ``known``."""
    reads = [one for one in known.tools if one.effect == "read" and one.capability in _CAPABILITIES]
    room = int(context_tokens * SHARE)
    if sum(map(_cost, reads)) > room:
        by_name = {spec.name: spec for spec in reads}
        kept: set[str] = set()
        for name in fitting(reads, _about(known.shortlist.ranking)):
            room -= _cost(by_name[name])
            if room < 0:
                break
            kept.add(name)
        reads = [spec for spec in reads if spec.name in kept]
    return tuple(OfferedTool(spec.name, spec.description, spec.arguments) for spec in reads)


def cost(tools: Sequence[OfferedTool]) -> int:
    """Tokens that they take of a question."""
    return sum(tokens(tool.name + tool.description + tool.arguments) for tool in tools)


def _cost(spec: ToolSpec) -> int:
    return tokens(spec.name + spec.description + spec.arguments)


def _about(ranking: Ranking) -> str:
    """What the first suspects are accused of, in words."""
    first = ranking.entities()[:_SUSPECTS]
    cited = {ref for suspect in first for ref in suspect.evidence}
    claims = [item.claim for item in ranking.evidence if item.id in cited]
    kinds = [kind.value for suspect in first for kind, _ in suspect.fault_types[:1]]
    return " ".join([*kinds, *claims])
