"""What tools answered, as part of the case and as evidence that a report cites."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from aiops.analyze.state.alert_list import signals
from aiops.analyze.state.calls import understand
from aiops.model.canonical import parsed
from aiops.model.case import CaseData, RecordedOutput, Trigger
from aiops.model.entity import Entity
from aiops.model.ranking import Evidence, EvidenceKind, Ranking, Window
from aiops.model.run import Fact, Specialist
from aiops.model.telemetry import AlertSignal

SOURCE = "tools"
MODALITIES: Mapping[Specialist, tuple[EvidenceKind, ...]] = {
    "metrics": ("metric",),
    "logs": ("log",),
    "traces": ("trace",),
    "kubernetes": ("state", "event"),
    "cloud": (),
    "changes": ("change",),
    "past_incidents": ("incident",),
}
"""The kinds of evidence that each specialist tells of."""
CLAIM = 200
"""Characters of an answer that stand in the report; the whole is kept in the run."""


def with_facts(case: CaseData, facts: Sequence[Fact]) -> CaseData:
    """The case as if the answers had been recorded with it; itself where there are none."""
    outputs = tuple(
        RecordedOutput(fact.call, _words(fact.text)) for fact in facts if fact.status == "done"
    )
    if not outputs:
        return case
    alerts = (sign for output in outputs for sign in _alerts(output, case.trigger))
    window = replace(
        case.window,
        tool_outputs=(*case.window.tool_outputs, *outputs),
        alerts=(*case.window.alerts, *alerts),
    )
    return replace(case, window=window)


def _words(text: str) -> str:
    """What a tool answered that answers in words: they are the one thing its result holds."""
    if not text.startswith('{"text":'):
        return text
    result = parsed(text)
    alone = isinstance(result, dict) and len(result) == 1 and isinstance(result["text"], str)
    return str(result["text"]) if alone else text


def _alerts(output: RecordedOutput, trigger: Trigger) -> tuple[AlertSignal, ...]:
    """The signs in a list of alerts; () for any other answer, and for a list in words."""
    if understand(output.call).verb != "alerts":
        return ()
    namespace = trigger.entity.namespace if trigger.entity is not None else None
    try:
        return signals(parsed(output.text), partial(Entity, "service", namespace=namespace))[0]
    except ValueError:
        return ()


def cited(ranking: Ranking, facts: Sequence[Fact]) -> Ranking:
    """The ranking with each answer as evidence of the suspect it was asked about.

    The order of suspects is the analyzers' and stays.
    """
    done = [fact for fact in facts if fact.status == "done"]
    taken = {item.id for item in ranking.evidence}
    free = (f"E{n}" for n in range(1, len(taken) + len(done) + 1) if f"E{n}" not in taken)
    items = [
        Evidence(
            id=ref,
            kind="tool",
            claim=f"Asked about {fact.about or fact.call}: {_short(fact.summary)}",
            source=SOURCE,
            window=Window(fact.at, fact.at),
            ref=fact.call,
        )
        for ref, fact in zip(free, done, strict=False)
    ]
    about: dict[str, list[str]] = {}
    for item, fact in zip(items, done, strict=True):
        about.setdefault(fact.about, []).append(item.id)
    suspects = tuple(
        replace(one, evidence=(*one.evidence, *about.pop(one.entity.service_name, ())))
        for one in ranking.suspects
    )
    return replace(ranking, suspects=suspects, evidence=(*ranking.evidence, *items))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= CLAIM else f"{line[: CLAIM - 1]}…"
