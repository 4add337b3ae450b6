"""Policies by their names; a third party adds its own as an entry point in ``aiops.policies``."""

from typing import TYPE_CHECKING, Final, cast

from aiops import plugins
from aiops.agents.policies.deterministic import Deterministic
from aiops.agents.policies.policy import Policy
from aiops.errors import InvalidInput, UnknownName

if TYPE_CHECKING:  # what only models need is loaded where there is one
    from aiops.agents.policies.counsel import Counsel

GROUP: Final = "aiops.policies"
LLM: Final = "llm"


def named(name: str, counsel: "Counsel | None" = None, *, always: bool = False) -> Policy:
    """The policy called ``name``, for one run.

    Args:
        counsel: the language models, where some are configured.
        always: whether they are asked also where the statistics are sure.

    Raises:
        UnknownName: there is none; the message says which there are.
        InvalidInput: it needs a language model, and there is none.
    """
    if name == Deterministic.name:
        return Deterministic()
    if name == LLM:
        from aiops.agents.policies.llm import LanguageModels

        if counsel is None:
            raise InvalidInput(
                f"policy {name!r} asks a language model and none is set: set 'model.base_url' and "
                f"'model.small.name' (docs/models.md), or use policy {Deterministic.name!r}"
            )
        return LanguageModels(counsel, always)
    if name not in plugins.names(GROUP):
        choices = (Deterministic.name, LLM, *plugins.names(GROUP))
        raise UnknownName("policy", name, choices)
    return cast("Policy", plugins.load(GROUP, name)())
