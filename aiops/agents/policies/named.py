"""Policies by their names; a third party adds its own as an entry point in ``aiops.policies``."""

from typing import Final, cast

from aiops import plugins
from aiops.agents.policies.deterministic import Deterministic
from aiops.agents.policies.policy import Policy
from aiops.errors import UnknownName

GROUP: Final = "aiops.policies"


def named(name: str) -> Policy:
    """The policy called ``name``.

    Raises:
        UnknownName: there is none; the message says which there are.
    """
    if name == Deterministic.name:
        return Deterministic()
    if name not in plugins.names(GROUP):
        raise UnknownName("policy", name, (Deterministic.name, *plugins.names(GROUP)))
    return cast("Policy", plugins.load(GROUP, name)())
