"""Whole investigations with a scripted model: a cluster of fakes, statistics that cannot decide."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runs import API, EVENTS, WEB, World, inquiry
from scripted_model import NAME, Asked, Reply, Script, calls, gives, scripted

from aiops.agents.checkpoints import checkpoints
from aiops.agents.policies.counsel import NUMBERS_ALONE
from aiops.bootstrap.policies import budget_of, policy_of
from aiops.model import CaseData, Ranking, Suspect
from aiops.model.report import Report
from aiops.settings import ModelSettings, Settings

ABOUT = {"cluster": "prod", "namespace": "shop"}
OBJECT = "kubernetes.get"


class Torn:
    """An analyzer that hardly tells api from web, whatever it is told.

    Attributes:
        lead: by which api stands first.
    """

    name = "scripted"

    def __init__(self, lead: float = 0.02) -> None:
        self.lead = lead

    def rank(self, case: CaseData, *, seed: int = 0) -> Ranking:
        suspects = (Suspect(API, None, 2.0, 0.4), Suspect(WEB, None, 1.0, 0.4 - self.lead))
        return Ranking("root_cause", suspects)


def settings(url: str | None, large: str | None = None, **model: Any) -> Settings:
    """Of the policy "llm" with a model at ``url``, which is asked once."""
    chosen: dict[str, Any] = {"small": {"name": NAME}, "attempts": 1, **model}
    if large is not None:
        chosen["large"] = {"name": large}
    return Settings(policy="llm", model=ModelSettings(base_url=url, **chosen))


def investigated(
    *script: Reply | Script,
    analyzer: Any = None,
    world: World | None = None,
    budget: Any = None,
    model_budget: Any = None,
    **chosen: Any,
) -> tuple[Report, list[Asked], World]:
    """The report of one run, what the model was asked for it, and the world it ran in."""
    whole = world or World()
    if model_budget is not None:
        chosen["budget"] = model_budget
    with scripted(*script) as model:
        report = run(whole, settings(model.url, **chosen), analyzer, budget)
    return report, model.asked, whole


def run(world: World, chosen: Settings, analyzer: Any = None, budget: Any = None) -> Report:
    """The report of run "run-1" by the graph; nothing is proposed."""
    with checkpoints("sqlite:///") as saver:
        process = world.process(saver, policy=policy_of(chosen), budget=budget or budget_of(chosen))
        return replace(process, proposer=None)("run-1", inquiry(analyzer or Torn()))


def verdict(suspect: int, *claims: tuple[str, list[str]]) -> Reply:
    """A model's last word; of two suspects, api is 1 and web is 2."""
    return gives(
        {
            "suspect": suspect,
            "because": [{"claim": text, "evidence": ids} for text, ids in claims],
        }
    )


def wants(name: str = "web", **more: Any) -> Reply:
    """A model that wants to see an object."""
    return calls((OBJECT, {**ABOUT, "name": name, "kind": "Deployment", **more}))


def of_numbers(asked: Asked) -> bool:
    """Whether it is the question that holds nobody's words."""
    return NUMBERS_ALONE in asked.body["messages"][-1]["content"]


def bodies(asked: list[Asked]) -> list[Mapping[str, Any]]:
    """What was sent, in order."""
    return [each.body for each in asked]


__all__ = [
    "EVENTS",
    "NAME",
    "bodies",
    "investigated",
    "of_numbers",
    "run",
    "settings",
    "verdict",
    "wants",
]
