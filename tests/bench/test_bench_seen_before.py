"""How well an incident's twin is found: the same kind of fault at another service or system.

Each recorded case is investigated without its answers and looked up among the others. The service
that was at fault may not help: cases of the same service in the same system are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from aiops import plugins, settings
from aiops.agents.memory.likeness import TWIN, likeness
from aiops.agents.memory.signature import signature_of
from aiops.app.investigate import investigate
from aiops.model import FaultType
from aiops.model.memory import Signature
from aiops_datasets.catalog import datasets, load_case, locations

SETS = {
    "rcd-sockshop": 2,
    "causalrca-sockshop": 1,
    "nezha-trainticket": 3,
    "nezha-onlineboutique": 3,
    "cloudopsbench": 3,
}
"""Every n-th case of each."""


@dataclass(frozen=True, slots=True)
class Known:
    """A case with its answer."""

    system: str
    service: str
    fault: FaultType
    signature: Signature

    def counts_for(self, other: "Known", *, abroad: bool) -> bool:
        return self.system != other.system or (not abroad and self.service != other.service)


def cases() -> Iterator[Known]:
    root = settings.load().datasets
    analyzer = plugins.analyzer("aiops")
    there = datasets(root) if root.is_dir() else ()
    for name in there:
        for location in list(locations(root, name))[:: SETS.get(name, 10**9)]:
            if name in SETS:
                case = load_case(location)
                answers = case.answers
                service = answers.entities[0].service_name if answers.entities else ""
                signature = signature_of(investigate(case.data, analyzer))
                yield Known(case.system, service, answers.fault_type, signature)


def figures(known: list[Known], *, abroad: bool) -> tuple[float, float, int]:
    """Of the most alike: the share that is right, the share of cases with a twin whose twin it
    is, and how many cases recall anything."""
    recalled = right = have = 0
    for one in known:
        others = [each for each in known if each is not one and one.counts_for(each, abroad=abroad)]
        have += any(each.fault == one.fault for each in others)
        scored = [(likeness(one.signature, each.signature), each) for each in others]
        alike, best = max(scored, key=lambda pair: pair[0], default=(0.0, one))
        if alike >= TWIN:
            recalled += 1
            right += best.fault == one.fault
    return right / max(recalled, 1), right / max(have, 1), recalled


def pairs(known: list[Known]) -> tuple[float, float]:
    """Precision and recall of "the same kind of fault" over all pairs of cases."""
    alike = same = both = 0
    for at, one in enumerate(known):
        for other in known[at + 1 :]:
            if one.counts_for(other, abroad=False):
                is_alike = likeness(one.signature, other.signature) >= TWIN
                is_same = one.fault == other.fault
                alike, same = alike + is_alike, same + is_same
                both += is_alike and is_same
    return both / max(alike, 1), both / max(same, 1)


@pytest.mark.timeout(900)
def test_the_most_alike_incident_had_the_same_kind_of_fault() -> None:
    known = list(cases())
    if not known:
        pytest.skip("no recorded cases on this machine: set the folder of data sets")
    precision, recall, recalled = figures(known, abroad=False)
    far_precision, far_recall, far = figures(known, abroad=True)
    of_pairs = pairs(known)
    print(  # noqa: T201
        f"\n{len(known)} cases, likeness >= {TWIN}: the most alike at another service or system "
        f"has the same kind of fault: precision {precision:.2f}, recall {recall:.2f} ({recalled} "
        f"recall one); of another system: {far_precision:.2f}, {far_recall:.2f} ({far}); all "
        f"pairs: {of_pairs[0]:.2f}, {of_pairs[1]:.2f}"
    )
    assert precision >= 0.85
    assert recall >= 0.8
