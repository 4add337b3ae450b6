"""The policy that needs nothing but the data: it asks what the window does not answer.

Each modality that was recorded is read by its specialist from the window. Tools are asked only
where the window lacks a modality or the cluster's objects have to be looked at, only about the
first suspects, and again only when the answers changed who is suspected. Through a cluster's
objects it follows the fault (``following``).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from aiops.agents.policies import following
from aiops.agents.policies.policy import Known, Plan, Question, Task
from aiops.agents.policies.topology import topology_of
from aiops.model.canonical import canonical, parsed
from aiops.model.case import TelemetryWindow
from aiops.model.entity import Entity
from aiops.model.run import SPECIALISTS, Shortlist, Specialist
from aiops.model.tool import ToolSpec

SURE: Final = 0.9
"""Calibrated confidence in the first suspect from which nothing more is asked."""
SUSPECTS: Final = 2
"""Whom questions are about: further down the list answers seldom change the first."""
QUESTIONS: Final = 4
"""Of one specialist about one suspect in one round."""

_READ: Mapping[Specialist, Callable[[TelemetryWindow], bool]] = {
    "metrics": lambda window: window.metrics is not None,
    "logs": lambda window: window.logs is not None,
    "traces": lambda window: window.spans is not None,
    "kubernetes": lambda window: bool(window.cluster_state),
    "cloud": lambda _: False,
    "changes": lambda window: window.changes is not None,
    "past_incidents": lambda _: False,
}
"""Whether the window already answers for a modality."""
_WORDS: Mapping[Specialist, tuple[str, ...]] = {
    "metrics": ("telemetry.compare", "telemetry.metrics"),
    "logs": ("telemetry.log",),
    "traces": ("telemetry.trace",),
    "kubernetes": ("kubernetes.",),
    "cloud": ("aws.", "gcp.", "cloud."),
    "changes": ("changes.",),
    "past_incidents": ("incidents.similar",),
}
"""How the names of a specialist's tools begin."""


class Deterministic:
    """The expert system's Policy."""

    name = "deterministic"

    def settled(self, known: Known) -> bool:
        """Healthy, or one suspect that the analyzers are sure of.

        Of a cluster that is only seen by asking, they are sure when nothing behind it is open.
        """
        if _asks_for_all(known):
            return following.decided(known) and not following.questions(known)
        ranking = known.shortlist.ranking
        first = next(iter(ranking.entities()), None)
        sure = first is not None and first.confidence >= SURE
        return ranking.verdict == "healthy" or (ranking.verdict == "root_cause" and sure)

    def plan(self, known: Known) -> Plan:
        """All who have something to read in the first round; later only who has to ask."""
        tasks, settled = [], self.settled(known)
        for specialist in SPECIALISTS:
            read = _READ[specialist](known.case.window)
            read = read or (specialist == "past_incidents" and known.remembers)
            questions = () if read or settled else tuple(_questions(specialist, known))
            if questions or (read and known.turn == 0):
                tasks.append(Task(specialist, questions))
        topology = topology_of(known, asks_for_all=_asks_for_all(known))
        return Plan(tuple(tasks), topology=topology)

    def goes_on(self, before: Shortlist, known: Known) -> bool:
        """Where the answers changed the verdict or who is first, or lead to another question."""
        leads = following.can_follow(known) and bool(following.questions(known))
        return (leads or _moved(before, known.shortlist)) and not self.settled(known)


def _asks_for_all(known: Known) -> bool:
    """Whether nothing was recorded but what tools answer."""
    window = known.case.window
    return following.can_follow(known) and not any(read(window) for read in _READ.values())


def _moved(before: Shortlist, after: Shortlist) -> bool:
    firsts = [next(iter(each.ranking.entities()), None) for each in (before, after)]
    names = [first.entity if first is not None else None for first in firsts]
    return before.ranking.verdict != after.ranking.verdict or names[0] != names[1]


def specialist_for(tool: str) -> Specialist:
    """Whose tool it is; what nobody owns is asked by who looks at objects."""
    whose = (each for each in SPECIALISTS if tool.startswith(_WORDS[each]))
    return next(whose, "kubernetes")


def _questions(specialist: Specialist, known: Known) -> Iterator[Question]:
    """What has not been asked before."""
    if specialist == "kubernetes" and following.can_follow(known):
        yield from following.questions(known)
        return
    answered = {fact.call for fact in known.facts}
    for suspect in known.shortlist.ranking.entities()[:SUSPECTS]:
        asked = 0
        for spec in known.tools:
            if spec.effect != "read" or not spec.name.startswith(_WORDS[specialist]):
                continue
            arguments = filled(spec, suspect.entity, known.incident)
            if arguments is None or asked == QUESTIONS:
                continue
            question = Question(spec.name, arguments, suspect.entity.service_name)
            asked += 1
            if question.call not in answered:
                answered.add(question.call)
                yield question


def filled(spec: ToolSpec, entity: Entity, incident: str | None) -> str | None:
    """The tool's arguments as ``entity`` answers them, canonical JSON; None where it cannot.

    A required argument is filled by its semantic format, else by its name; of the optional ones
    only those that say what the question is about. A cluster is no cloud: what does not look as
    the tool wants it is no answer.
    """
    schema: Mapping[str, Any] = parsed(spec.arguments)
    required, given = frozenset(schema.get("required", ())), dict[str, object]()
    answers = _answers(entity, incident)
    for name, rule in schema.get("properties", {}).items():
        value = answers.get(rule.get("format", name), answers.get(name))
        if isinstance(value, str) and not _looks_as(rule.get("pattern", ""), value):
            value = None
        if name in required and value is None:
            return None
        if value is not None:
            given[name] = value
    return canonical(given) if required <= given.keys() else None


def _looks_as(pattern: str, value: str) -> bool:
    """Whether ``value`` fits; also where the pattern is none of Python's: the gateway judges it."""
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return True


def _answers(entity: Entity, incident: str | None) -> Mapping[str, object]:
    found: dict[str, object | None] = {
        "cluster": entity.cluster,
        "namespace": entity.namespace,
        "workload": entity.service_name,
        "service": entity.service_name,
        "services": [entity.service_name],
        "pod": entity.name if entity.kind == "instance" else None,
        "node": entity.name if entity.kind == "node" else None,
        "incident": incident,
    }
    return {name: value for name, value in found.items() if value is not None}
