"""From a metric file's column names to entities and metrics, by how the names are built.

Nothing here knows a system: a name is read by the shape of the whole set of names.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from aiops.model import Entity, Series
from aiops.model.entity import EntityKind
from aiops_datasets import series_names

Split = tuple[str, str]

_STATISTIC = re.compile(r"_(Average|Sum|Minimum|Maximum|SampleCount|p\d+(\.\d+)?|tm\d+)$")
_NODE = re.compile(
    r"(node|worker|master|host|vm)[-.]?\d+|master|control-plane|minikube"
    r"|ip-\d+-\d+-\d+-\d+.*|(gke|aks|eks)-.+|\d+\.\d+\.\d+\.\d+"
)
# An entity that is one too many costs more than a metric that is one too many: it is accused.
_ENTITY_COST = 2


def statistic_last(columns: Sequence[str]) -> bool:
    """Whether the names end in a CloudWatch statistic: ``<component>_<metric>_<statistic>``."""
    return bool(columns) and all(_STATISTIC.search(column) for column in columns)


def is_node(name: str) -> bool:
    """Whether ``name`` is built like a machine's: ``worker-02``, ``ip-10-0-1-7``, an address."""
    return _NODE.fullmatch(name) is not None


def split(columns: Sequence[str], known: Collection[str] = ()) -> dict[str, Split]:
    """(entity, metric) of every column that names an entity; the others are left out.

    In this order: ``<component>_<metric>_<statistic>`` where all names end in a statistic; a
    service among labels in braces; the longest of the ``known`` entities before a "_"; else one
    rule for all the rest, whichever explains them with fewer names: the text before the first "_",
    or metric names that as many entities as possible share (entities with "_" in them); another
    mark than "_" where all names have it and it explains them better; and the metric first where
    what stands first reads as one. ``<caller>-><callee>_X`` belongs to
    the callee, as metric ``edge:<caller>:X``; ``<node>-X`` belongs to its node.
    """
    if statistic_last(columns):
        found = {}
        for column in columns:
            entity, metric, statistic = (
                column.rsplit("_", 2) if column.count("_") > 1 else ("",) * 3
            )
            if entity:
                found[column] = (entity, f"{metric}_{statistic}")
        return found
    found = series_names.labelled(columns)
    found |= _after_known([column for column in columns if column not in found], known)
    rest = [column for column in columns if column not in found]
    return _of_edges(_of_nodes(found | _by_shape(rest)))


def series(
    columns: Sequence[str],
    *,
    known: Collection[str] = (),
    nodes: Collection[str] = (),
    kind: EntityKind | None = None,
    namespace: str | None = None,
) -> tuple[tuple[Series, ...], tuple[str, ...]]:
    """What each column measures, and the columns that name no entity.

    Args:
        known: names of entities known from elsewhere: a call graph, logs, traces.
        nodes: names of machines known from elsewhere.
        kind: of the entities; by default "component" for names that end in a statistic, else
            "node" for names built like a machine's and "service" for the others.
        namespace: of everything that is not a node.
    """
    splits = split(columns, known)
    usual: EntityKind = kind or ("component" if statistic_last(columns) else "service")
    entities = {
        name: entity(name, kind=usual, nodes=nodes, namespace=namespace)
        for name in {owner for owner, _ in splits.values()}
    }
    named = tuple(
        Series(entities[splits[column][0]], splits[column][1], column)
        for column in columns
        if column in splits
    )
    return named, tuple(column for column in columns if column not in splits)


def entity(
    name: str,
    *,
    kind: EntityKind = "service",
    nodes: Collection[str] = (),
    namespace: str | None = None,
) -> Entity:
    """The entity called ``name``; a machine where ``nodes`` or the name's shape says so."""
    if name in nodes or (kind == "service" and is_node(name)):
        return Entity("node", name)
    return Entity(kind, name, namespace=namespace)


def _by_shape(columns: Sequence[str]) -> dict[str, Split]:
    found = series_names.marked(columns, _at_bars, _cost)
    if not series_names.metric_first(found):
        return found
    turned = {column: series_names.turned(column) for column in columns}
    split = _at_bars(list(turned.values()))
    return {
        column: (series_names.turned(split[name][0]), series_names.turned(split[name][1]))
        for column, name in turned.items()
        if name in split
    }


def _at_bars(columns: Sequence[str]) -> dict[str, Split]:
    return min([_at_first_bar(columns), _at_shared_metric(columns)], key=_cost)


def _after_known(columns: Sequence[str], known: Collection[str]) -> dict[str, Split]:
    names = set(known)
    found = {}
    for column in columns:
        bars = [bar.start() for bar in re.finditer("_", column)]
        for bar in reversed(bars):  # the longest first
            if column[:bar] in names and column[bar + 1 :]:
                found[column] = (column[:bar], column[bar + 1 :])
                break
    return found


def _at_first_bar(columns: Sequence[str]) -> dict[str, Split]:
    found = {}
    for column in columns:
        name, _, metric = column.partition("_")
        if name and metric:
            found[column] = (name, metric)
    return found


def _at_shared_metric(columns: Sequence[str]) -> dict[str, Split]:
    """Split each name where its tail is shared by most columns; the shorter entity on a tie."""
    cuts = {column: _cuts(column) for column in columns}
    shared = Counter(metric for candidates in cuts.values() for _, metric in candidates)
    found = {
        column: max(candidates, key=lambda cut: (shared[cut[1]], -len(cut[0])))
        for column, candidates in cuts.items()
        if candidates
    }
    # One metric alone makes no entity of its own next to a shorter one that has several.
    metrics = _metrics_by_entity(found)
    for column, (name, _) in list(found.items()):
        if len(metrics[name]) == 1:
            shorter = [cut for cut in cuts[column] if len(metrics.get(cut[0], ())) > 1]
            if shorter:
                found[column] = shorter[-1]
    return found


def _cuts(column: str) -> list[Split]:
    bars = [bar.start() for bar in re.finditer("_", column)]
    return [(column[:b], column[b + 1 :]) for b in bars if column[:b] and column[b + 1 :]]


def _metrics_by_entity(found: dict[str, Split]) -> dict[str, set[str]]:
    metrics: dict[str, set[str]] = defaultdict(set)
    for name, metric in found.values():
        metrics[name].add(metric)
    return metrics


def _cost(found: dict[str, Split]) -> int:
    names = {name for name, _ in found.values()}
    metrics = {metric for _, metric in found.values()}
    return _ENTITY_COST * len(names) + len(metrics)


def _of_nodes(found: dict[str, Split]) -> dict[str, Split]:
    """``worker-01-tcp_X`` beside ``worker-01_Y`` is metric ``tcp_X`` of the node."""
    nodes = sorted({name for name, _ in found.values() if is_node(name)}, key=len, reverse=True)
    moved = {}
    for column, (name, metric) in found.items():
        if name not in nodes:
            for node in nodes:
                if name.startswith(f"{node}-"):
                    moved[column] = (node, f"{name[len(node) + 1 :]}_{metric}")
                    break
    return found | moved


def _of_edges(found: dict[str, Split]) -> dict[str, Split]:
    moved = {}
    for column, (name, metric) in found.items():
        caller, arrow, callee = name.partition("->")
        if arrow and caller and callee:
            moved[column] = (callee, f"edge:{caller}:{metric}")
    return found | moved
