"""The policy of the settings, with its language models."""

from collections.abc import Sequence

from aiops.agents.crew import RunBudget
from aiops.agents.policies.counsel import TURNS, Counsel
from aiops.agents.policies.llm import NAME
from aiops.agents.policies.named import named
from aiops.agents.policies.policy import Policy
from aiops.bootstrap.models import ladders_of, limits_of
from aiops.llm.tape import Tape
from aiops.model.tool import ToolSpec
from aiops.settings import Settings
from aiops.toolbelt.routing import Router


def policy_of(
    settings: Settings, *, record: Tape | None = None, replay: Tape | None = None
) -> Policy:
    """The policy of one run; a new one each, as its models remember what failed.

    Args:
        record: keeps what models answer.
        replay: answers instead of them.

    Raises:
        UnknownName: there is no such policy.
        InvalidInput: it needs a language model, and there is none, or it cannot be used.
    """
    model = settings.model
    if settings.policy != NAME:
        return named(settings.policy)
    ladders = ladders_of(model, record=record, replay=replay)
    counsel = (
        Counsel(ladders, limits_of(model), model.context_tokens, fitting=_fitting)
        if ladders is not None
        else None
    )
    return named(settings.policy, counsel, always=model.ask == "always")


def _fitting(specs: Sequence[ToolSpec], question: str) -> Sequence[str]:
    return Router(specs).ranked(question)


def budget_of(settings: Settings) -> RunBudget:
    """What a run may spend on tools: models ask for one thing after another, which takes rounds."""
    usual = RunBudget()
    return RunBudget(turns=usual.turns + TURNS) if settings.policy == NAME else usual
