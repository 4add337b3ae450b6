"""From a report to at most three writes, best first; the gateway and people decide about them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aiops.agents.memory.routines import proposed
from aiops.agents.memory.signature import signature_of
from aiops.agents.proposing.patient import KINDS, Patient, waits
from aiops.agents.proposing.remedies import BROKEN, FITTING
from aiops.agents.proposing.remedy import Remedy
from aiops.analyze.state.scene import App, Scene, scene
from aiops.model.canonical import canonical
from aiops.model.case import CaseData
from aiops.model.entity import Entity
from aiops.model.report import Report, RootCause
from aiops.model.run import Proposal
from aiops.ports.memory import Memory

MOST: Final = 3
"""Proposals of one run: a person at night weighs no more."""
SUSPECTS: Final = 2
"""Whose visible damage is mended: the accused and who comes next."""
PLAN: Final = "plan.carry_out"


@dataclass(frozen=True, slots=True)
class Place:
    """A toolset that changes a cluster.

    Attributes:
        cluster: as its tools are told.
    """

    toolset: str
    cluster: str


@dataclass(frozen=True, slots=True)
class RuleProposer:
    """A Proposer by the rules of ``remedies``.

    Attributes:
        places: clusters that can be changed.
        writes: names of all tools that change something.
        memory: verified routines come first; None where nothing is remembered.
    """

    places: Sequence[Place]
    writes: frozenset[str]
    memory: Memory | None = None

    def __call__(self, case: CaseData, report: Report) -> Sequence[Proposal]:
        """See Proposer. Without a root cause nobody is accused, and nothing is proposed."""
        if report.verdict != "root_cause":
            return ()
        found = dict.fromkeys(self._found(scene(case), report))
        return tuple(sorted(found, key=self._unproven(report))[:MOST])

    def _found(self, seen: Scene, report: Report) -> Iterator[Proposal]:
        patients = list(_patients(seen, report))
        mended = [self._worded(one, remedy) for one in patients for remedy in _broken(one)]
        yield from (each for found in mended for each in found)
        accused = report.root_causes[0].entity
        if patients and patients[0].cause.entity == accused and not any(_broken(patients[0])):
            for rule in FITTING:
                for remedy in rule(patients[0]):
                    yield from self._worded(patients[0], remedy)

    def _worded(self, patient: Patient, remedy: Remedy) -> Iterator[Proposal]:
        """The remedy as a call; nothing where no toolset can make it."""
        place = self._place(patient.cause.entity)
        tools = [f"{place.toolset}.{move.verb}" for move in remedy.moves] if place else []
        if place is None or not self.writes.issuperset(tools):
            return
        given = [{"cluster": place.cluster, **move.arguments} for move in remedy.moves]
        cites = f" [{', '.join(patient.evidence)}]" if patient.evidence else " (inferred)"
        reason = f"{remedy.reason}{cites}"
        if len(tools) == 1:
            yield Proposal(tools[0], canonical(given[0]), reason, patient.evidence)
        elif PLAN in self.writes:
            steps = [{"tool": t, "arguments": a} for t, a in zip(tools, given, strict=True)]
            yield Proposal(PLAN, canonical({"steps": steps}), reason, patient.evidence)

    def _place(self, entity: Entity) -> Place | None:
        """Where it is changed; None where that would be a guess between clusters."""
        named = [one for one in self.places if entity.cluster in (None, one.cluster)]
        return named[0] if len(named) == 1 else None

    def _unproven(self, report: Report) -> "_Order":
        routine = None if self.memory is None else proposed(self.memory, signature_of(report))
        return _Order(frozenset(routine.steps) if routine is not None else frozenset())


@dataclass(frozen=True, slots=True)
class _Order:
    """Sorts what helped before first, and leaves the rest as it is."""

    helped: frozenset[str]

    def __call__(self, proposal: Proposal) -> bool:
        return proposal.tool not in self.helped


def _broken(patient: Patient) -> tuple[Remedy, ...]:
    return tuple(remedy for rule in BROKEN for remedy in rule(patient))


def _patients(seen: Scene, report: Report) -> Iterator[Patient]:
    """The first suspects that have a workload, each service once."""
    firsts = list[RootCause]()
    for cause in report.root_causes:
        if not any(cause.entity.same_service(one.entity) for one in firsts):
            firsts.append(cause)
    onset = report.onset or report.subject.trigger.at or report.subject.window.end
    ago = (report.subject.window.end - onset).total_seconds()
    for cause in firsts[:SUSPECTS]:
        app = _app_of(seen, cause.entity)
        if app is None or app.workload is None or app.workload.type not in KINDS:
            continue
        changes = tuple(one for one in report.changes if one.entity.same_service(cause.entity))
        yield Patient(cause, app, app.workload, seen, ago, changes)


def _app_of(seen: Scene, entity: Entity) -> App | None:
    """Its app; None where two namespaces have one of its name and it names neither.

    Of a node it is the first whose pods wait for one.
    """
    if entity.kind == "node":
        return next((app for app in seen.apps if any(waits(pod) for pod in app.pods)), None)
    named = [
        app
        for app in seen.apps
        if entity.service_name in (app.name, app.workload.name if app.workload else "")
        and entity.namespace in (None, app.entity.namespace)
    ]
    return named[0] if len(named) == 1 else None
