"""At which level an answer is compared: service, metric, object (notes: measures, "Accuracy")."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Literal

from aiops.analyze.state.label_match import match
from aiops.model import Entity, MetricTable, Ranking, Suspect
from aiops_datasets.case import Answers

Level = Literal["service", "metric", "inner", "object", "object+fault"]
LEVELS: tuple[Level, ...] = ("service", "metric", "inner", "object", "object+fault")

# A node or a namespace is nobody's service: such an answer exists at object level only.
_NOT_A_SERVICE = frozenset({"node", "namespace"})


def levels_of(answers: Answers, *, objects: bool = False) -> tuple[Level, ...]:
    """The levels at which ``answers`` say something.

    What is at fault only as an object, such as a node, is judged as one in any set.

    Args:
        objects: the set labels objects (an app, a node, a namespace) and is judged on them.
    """
    levels: list[Level] = []
    if any(entity.kind not in _NOT_A_SERVICE for entity in answers.entities):
        levels.append("service")
    if answers.metric_answer and answers.columns:
        levels.append("metric")
    if objects:
        levels += ["object", "object+fault"]
    elif answers.inner is not None:
        levels.append("inner")
    elif answers.entities and "service" not in levels:
        levels.append("object")
    return tuple(levels)


def rank_at(
    level: Level,
    ranking: Ranking,
    answers: Answers,
    metrics: MetricTable | None,
    labels: Sequence[str] = (),
) -> int | None:
    """The rank of the best-placed answer among the distinct names of ``level``, from 1.

    Suspects that name nothing at this level (no metric, say) take no place; one that repeats an
    earlier name takes none either. Names are compared exactly. None where no answer was named.

    Args:
        metrics: the table the columns of ``answers`` belong to; needed at metric level.
        labels: the set's own fault labels; a suspect's kind is matched to them in words.
    """
    if level == "service":
        truth: set[Hashable] = {
            entity.service_name for entity in answers.entities if entity.kind not in _NOT_A_SERVICE
        }
        named: Iterable[Hashable] = (s.entity.service_name for s in ranking.suspects)
    elif level == "object":
        truth = {_object(entity, answers) for entity in answers.entities}
        named = (_object(suspect.entity, answers) for suspect in ranking.suspects)
    elif level == "object+fault":
        truth = {(_object(entity, answers), answers.fault_label) for entity in answers.entities}
        named = (
            (_object(suspect.entity, answers), label)
            for suspect in ranking.suspects
            if (label := _label(suspect, labels)) is not None
        )
    elif level == "inner":
        truth = {(entity.service_name, answers.inner) for entity in answers.entities}
        named = (
            (suspect.entity.service_name, suspect.indicator.name)
            for suspect in ranking.suspects
            if suspect.indicator is not None
        )
    else:
        metric_of = _metric_names(metrics)
        truth = {
            (series.entity.service_name, series.metric)
            for series in (metrics.series if metrics is not None else ())
            if series.column in answers.columns
        }
        named = (
            (s.entity.service_name, metric_of.get(s.indicator.name, s.indicator.name))
            for s in ranking.suspects
            if _names_a_metric(s) and s.indicator is not None
        )
    return _first(truth, named)


def _first(truth: set[Hashable], named: Iterable[Hashable]) -> int | None:
    for rank, name in enumerate(dict.fromkeys(named), start=1):
        if name in truth:
            return rank
    return None


def _label(suspect: Suspect, labels: Sequence[str]) -> str | None:
    """The one of the set's labels that the suspect's kind of fault is likest to, in words."""
    if suspect.kind is None:
        return None
    found = match(suspect.kind, labels)
    return found[0][0] if found else None


def _names_a_metric(suspect: Suspect) -> bool:
    return suspect.indicator is not None and suspect.indicator.kind == "metric"


def _metric_names(metrics: MetricTable | None) -> dict[str, str]:
    """Column -> metric: a method may name its indicator either way."""
    return {s.column: s.metric for s in metrics.series} if metrics is not None else {}


def _object(entity: Entity, answers: Answers) -> Hashable:
    """Kind and name, and the namespace where the answers name one."""
    namespaced = any(answer.namespace is not None for answer in answers.entities)
    return (entity.kind, entity.name, entity.namespace if namespaced else None)
