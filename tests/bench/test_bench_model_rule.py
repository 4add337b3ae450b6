"""How much a model's word can change: the worst and the best model that the rule lets through.

No model is asked. Where one would be (the analyzers are not sure), two are imagined: one that
always accuses an innocent, and one that knows the answer; both cite real evidence. Between their
AC@1 lies that of every model there is, as far as no tools are asked.
"""

from collections.abc import Callable, Iterator

import pytest

from aiops import plugins, settings
from aiops.agents.judging import judged
from aiops.agents.policies.deterministic import SURE
from aiops.agents.policies.verdict import offered
from aiops.app.investigate import CaseInquiry
from aiops.model import Ranking, Suspect
from aiops.model.run import Collected
from aiops.model.said import Claim, Opinion
from aiops_datasets.catalog import datasets, load_case, locations

SETS = {
    "rcd-sockshop": 1,
    "causalrca-sockshop": 1,
    "petshop": 1,
    "nezha-onlineboutique": 1,
    "dycause-sockshop-mesh": 1,
    "tvdiag-hotel": 1,
    "tvdiag-sockshop": 1,
    "tvdiag-gaia": 2,
}
"""Every n-th case of each."""
MOST_LOST = 0.05
"""Of AC@1, by the worst model on any set: the price of hearing models at all."""
Told = tuple[Ranking, frozenset[str]]


def cases(name: str, step: int) -> Iterator[Told]:
    """Rankings with the names of the services that were at fault."""
    analyzer = plugins.analyzer("aiops")
    for location in list(locations(settings.load().datasets, name))[::step]:
        case = load_case(location)
        inquiry = CaseInquiry(lambda _, data=case.data: Collected(data), analyzer)
        guilty = frozenset(entity.service_name for entity in case.answers.entities)
        yield inquiry.shortlist(case.data).ranking, guilty


def unsure(ranking: Ranking) -> bool:
    """Whether a model is asked."""
    order = ranking.entities()
    return bool(order) and (
        ranking.verdict == "inconclusive"
        or (ranking.verdict == "root_cause" and order[0].confidence < SURE)
    )


def right(ranking: Ranking, guilty: frozenset[str]) -> bool:
    order = ranking.entities()
    return bool(order) and order[0].entity.service_name in guilty


def heard(ranking: Ranking, accuses: Callable[[Suspect], bool]) -> Ranking:
    """The ranking after a model that accuses the first such suspect whom the rule lets it."""
    for suspect in offered(ranking) if unsure(ranking) else ():
        word = Opinion("imagined", suspect.entity, (Claim("it is", suspect.evidence),))
        if accuses(suspect) and (after := judged(ranking, word)) != ranking:
            return after
    return ranking


@pytest.mark.timeout(900)
def test_the_worst_model_costs_little() -> None:
    root = settings.load().datasets
    there = [name for name in SETS if root.is_dir() and name in datasets(root)]
    if not there:
        pytest.skip("no recorded cases on this machine: set the folder of data sets")
    print("\ndata set, cases, asked, AC@1 without, with the worst and the best model")  # noqa: T201
    lost = []
    for name in there:
        told = list(cases(name, SETS[name]))
        asked, alone, worst, best = 0, 0, 0, 0
        for ranking, guilty in told:
            asked += unsure(ranking)
            before = right(ranking, guilty)
            innocent = heard(ranking, lambda one, g=guilty: one.entity.service_name not in g)
            knows = heard(ranking, lambda one, g=guilty: one.entity.service_name in g)
            alone += before
            worst += before and right(innocent, guilty)
            best += before or right(knows, guilty)
        n = len(told)
        shares = "  ".join(f"{count / n:.3f}" for count in (alone, worst, best))
        print(f"{name:24}{n:5}{asked / n:7.0%}  {shares}")  # noqa: T201
        lost.append((alone - worst) / n)
    assert max(lost) <= MOST_LOST
