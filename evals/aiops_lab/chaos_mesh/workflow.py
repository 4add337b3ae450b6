"""Workflows: experiments one after the other, side by side, and with pauses, as a timetable."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops_lab.chaos_mesh.fields import Fields

SERIAL, PARALLEL, SUSPEND = "Serial", "Parallel", "Suspend"
_EXPERIMENTS = {
    "PodChaos": "podChaos",
    "NetworkChaos": "networkChaos",
    "StressChaos": "stressChaos",
    "HTTPChaos": "httpChaos",
    "IOChaos": "ioChaos",
    "TimeChaos": "timeChaos",
    "DNSChaos": "dnsChaos",
}
_STORED = ("Task", "Schedule", "StatusCheck")
TYPES = (SERIAL, PARALLEL, SUSPEND, *_EXPERIMENTS, *_STORED)


@dataclass(frozen=True, slots=True)
class Template:
    """One node of a workflow.

    Attributes:
        kind: "Serial", "Parallel", "Suspend", or the experiment's.
        deadline_s: how long it lasts at most; infinite where it says nothing.
        spec: of the experiment.
    """

    name: str
    kind: str
    deadline_s: float = inf
    children: tuple[str, ...] = ()
    spec: Mapping[str, Any] = field(default_factory=dict)

    @property
    def field(self) -> str:
        """Where its experiment stands in the template."""
        return _EXPERIMENTS[self.kind]


@dataclass(frozen=True, slots=True)
class Workflow:
    """Templates by name, and the one that is begun with."""

    entry: str
    templates: Mapping[str, Template]

    def not_enacted(self) -> tuple[str, ...]:
        """Kinds of its templates that nothing in the lab carries out."""
        return tuple(sorted({t.kind for t in self.templates.values() if t.kind in _STORED}))


@dataclass(frozen=True, slots=True)
class Step:
    """An experiment from and until so many seconds after the workflow's begin."""

    template: Template
    begins_s: float
    ends_s: float


def timetable(workflow: Workflow) -> tuple[tuple[Step, ...], float]:
    """When each experiment runs, and when it is all over (infinite: never by itself).

    An experiment and a pause last until their deadline; a Serial ends with its last child, a
    Parallel with its longest, and neither lasts beyond its own deadline.
    """
    steps: list[Step] = []

    def run(name: str, begin: float, latest: float) -> float:
        template = workflow.templates[name]
        end = min(begin + template.deadline_s, latest)
        if template.kind in _EXPERIMENTS:
            steps.append(Step(template, begin, end))
        elif template.kind == SERIAL:
            now = begin
            for child in template.children:
                if now >= end:
                    break
                now = run(child, now, end)
            return now
        elif template.kind == PARALLEL:
            return max((run(child, begin, end) for child in template.children), default=begin)
        elif template.kind in _STORED:
            return begin
        return end

    over = run(workflow.entry, 0.0, inf)
    return tuple(steps), over


def read_workflow(fields: Fields) -> Workflow:
    """A Workflow's spec; experiments' own fields are read where they are used."""
    fields.require("templates")
    templates: dict[str, Template] = {}
    for one in fields.each("templates"):
        template = _template(one)
        if template.name in templates:
            one.refuse("name", "is the name of another template too")
        templates[template.name] = template
    entry = fields.text("entry")
    fields.require("entry")
    if entry and entry not in templates:
        fields.refuse("entry", "is the name of no template")
    workflow = Workflow(entry, templates)
    for one in fields.each("templates"):
        for child in one.texts("children"):
            if child not in templates:
                one.refuse("children", f"{child} is the name of no template")
    if loop := _loop(workflow):
        fields.refuse("templates", f"{loop} is among its own children")
    return workflow


def _template(fields: Fields) -> Template:
    fields.require("name")
    kind = fields.one_of("templateType", TYPES)
    deadline_s = fields.seconds("deadline", inf)
    spec: Mapping[str, Any] = {}
    if kind in _EXPERIMENTS:
        fields.require(_EXPERIMENTS[kind])
        spec = fields.inner(_EXPERIMENTS[kind]).whole()
    if kind == SUSPEND:
        fields.require("deadline")
    if kind in (SERIAL, PARALLEL):
        fields.require("children")
    if deadline_s is None or deadline_s <= 0:
        fields.refuse("deadline", "must be longer than 0")
        deadline_s = inf
    return Template(fields.text("name"), kind, deadline_s, fields.texts("children"), spec)


def _loop(workflow: Workflow) -> str:
    """The name of a template that would run within itself; empty: there is none."""
    done: set[str] = set()

    def looped(name: str, above: tuple[str, ...]) -> str:
        if name in above:
            return name
        if name in done or name not in workflow.templates:
            return ""
        found = (looped(c, (*above, name)) for c in workflow.templates[name].children)
        first = next((one for one in found if one), "")
        done.add(name)
        return first

    return next((one for name in workflow.templates if (one := looped(name, ()))), "")
