"""The policy of the settings, with its language models."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiops.agents.crew import RunBudget
from aiops.agents.policies.named import LLM, named
from aiops.agents.policies.policy import Policy
from aiops.llm.tape import Tape
from aiops.model.tool import ToolSpec
from aiops.ports.chat_model import OnToken
from aiops.settings import Settings

if TYPE_CHECKING:  # what only models need is loaded where there is one
    from aiops.agents.policies.counsel import Counsel


def policy_of(
    settings: Settings,
    *,
    record: Tape | None = None,
    replay: Tape | None = None,
    on_token: OnToken | None = None,
) -> Policy:
    """The policy of one run; a new one each, as its models remember what failed.

    Args:
        record: keeps what models answer.
        replay: answers instead of them.
        on_token: takes what they say while they say it; None: nobody reads along.

    Raises:
        UnknownName: there is no such policy.
        InvalidInput: it needs a language model, and there is none, or it cannot be used.
    """
    if settings.policy != LLM:
        return named(settings.policy)
    always = settings.model.ask == "always"
    return named(LLM, _counsel(settings, record, replay, on_token), always=always)


def budget_of(settings: Settings) -> RunBudget:
    """What a run may spend on tools: models ask for one thing after another, which takes rounds."""
    usual = RunBudget()
    if settings.policy != LLM:
        return usual
    from aiops.agents.policies.counsel import TURNS

    return RunBudget(turns=usual.turns + TURNS)


def _counsel(
    settings: Settings, record: Tape | None, replay: Tape | None, on_token: OnToken | None
) -> "Counsel | None":
    from aiops.agents.policies.counsel import Counsel
    from aiops.bootstrap.models import ladders_of, limits_of
    from aiops.toolbelt.marks import suspicious

    model = settings.model
    ladders = ladders_of(model, record=record, replay=replay)
    if ladders is None:
        return None
    return Counsel(
        ladders,
        limits_of(model),
        model.context_tokens,
        fitting=_fitting,
        reads_like_orders=suspicious,
        on_token=on_token,
    )


def _fitting(specs: Sequence[ToolSpec], question: str) -> Sequence[str]:
    from aiops.toolbelt.routing import Router

    return Router(specs).ranked(question)
