"""Names of series as other tools spell them: labels in braces, other marks between the parts.

Grafana and Prometheus name a series ``metric{service="cart"}``; others write ``cart.cpu``,
``cart/cpu`` or the metric first, ``cpu_cart``.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from aiops.analyze.metric_kinds import MetricKind, read
from aiops.ingest.service_labels import NODE_LABELS, SERVICE_LABELS, place

Split = tuple[str, str]
Splitter = Callable[[Sequence[str]], dict[str, Split]]

MARKS = ("/", ":", ".", " ")
"""What may stand between service and metric where it is no "_"; a "-" is part of most names."""
MOST = 0.5
"""Share of the names that must read as metrics where services were looked for."""
_LABELLED = re.compile(r"(?P<name>[^{]*)\{(?P<labels>.*)\}")
_LABEL = re.compile(r'\s*([\w.]+)\s*=~?\s*"?((?:[^",\\]|\\.|(?<=[^"]),(?=[^"]*"))*)"?\s*(?:,|$)')


def labelled(columns: Sequence[str]) -> dict[str, Split]:
    """(entity, metric) of each column that carries its labels in braces, one naming a service.

    Labels that tell the series of one service apart become part of the metric's name.
    """
    parsed: dict[str, tuple[str, str, dict[str, str]]] = {}
    for column in columns:
        match = _LABELLED.fullmatch(column.strip())
        if match is None:
            continue
        labels = dict(_LABEL.findall(match["labels"]))
        found = place(labels, (*SERVICE_LABELS, *NODE_LABELS), None)
        if found is None:
            continue
        name = match["name"].strip() or labels.pop("__name__", "value")
        others = {k: v for k, v in labels.items() if k not in (found[0], *NODE_LABELS)}
        parsed[column] = (found[1], name, others)
    telling = _telling([(name, others) for _, name, others in parsed.values()])
    return {
        column: (owner, "_".join([name, *(v for k, v in others.items() if k in telling)]))
        for column, (owner, name, others) in parsed.items()
    }


def marked(
    columns: Sequence[str], split: Splitter, cost: Callable[[dict[str, Split]], int]
) -> dict[str, Split]:
    """What ``split`` makes of the columns with whichever mark, in all of them, it explains best."""
    best = split(columns)
    left_out = sum(column not in best for column in columns)
    marks = MARKS if any("_" in column for column in columns) else (*MARKS, "-")
    for mark in marks:
        if not all(mark in column for column in columns):
            continue
        # The names' own "_" must not be taken for the mark.
        spelled = {c: c.replace("_", "\0").replace(mark, "_") for c in columns}
        found = split(list(spelled.values()))
        reading = {
            c: (_back(found[s][0], mark), _back(found[s][1], mark))
            for c, s in spelled.items()
            if s in found
        }
        missed = len(columns) - len(reading)
        if (missed, cost(reading)) < (left_out, cost(best)):
            best, left_out = reading, missed
    return best


def metric_first(found: Mapping[str, Split]) -> bool:
    """Whether what was taken for the services reads as metrics, and the metrics do not."""
    owners, metrics = ({part[i] for part in found.values()} for i in (0, 1))
    return _metric_like(owners) > MOST > _metric_like(metrics)


def turned(name: str) -> str:
    """``name`` with its parts in the other order."""
    return "_".join(reversed(name.split("_")))


def _metric_like(names: Collection[str]) -> float:
    known = sum(read(name).kind is not MetricKind.OTHER for name in names)
    return known / len(names) if names else 0.0


def _telling(series: Sequence[tuple[str, Mapping[str, str]]]) -> set[str]:
    """The labels in which series of one metric differ."""
    values: dict[tuple[str, str], set[str]] = {}
    for name, labels in series:
        for label, value in labels.items():
            values.setdefault((name, label), set()).add(value)
    return {label for (_, label), seen in values.items() if len(seen) > 1}


def _back(name: str, mark: str) -> str:
    return name.replace("_", mark).replace("\0", "_")
