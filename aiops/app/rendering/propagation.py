"""Layout of the propagation graph: services from left to right in the order in which they moved."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiops.analyze.wording import TimeWords, duration, number, plain
from aiops.app.movement import Movement, movements
from aiops.model import CaseData, Propagation
from aiops.model.report import Report

BOX_WIDTH, BOX_HEIGHT = 158.0, 46.0
_COLUMN, _ROW, _MARGIN, _TOP = 270.0, 74.0, 14.0, 34.0
_AROUND = 120.0  # right of the last column, for what goes around its side, with its words
_MOST_COLUMNS, _MOST_NODES = 5, 14
_LONGEST_NAME = 20


@dataclass(frozen=True, slots=True)
class Node:
    """A service at its place. ``role`` is "cause", "alert" or "affected"."""

    name: str
    label: str
    signal: str
    role: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Arrow:
    """An edge as a curve, with a label above (lag) and below it; ``title`` is all in words."""

    path: str
    above: str
    below: str
    title: str
    x: float
    y: float
    relation: str


@dataclass(frozen=True, slots=True)
class Column:
    """A moment, above the services that moved then."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole picture, in SVG user units."""

    width: float
    height: float
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    columns: tuple[Column, ...]


def layout(report: Report, case: CaseData) -> Layout | None:
    """The propagation graph over time; None where the report has no edge between services."""
    edges = [edge for edge in report.propagation if _ends(edge)[0] != _ends(edge)[1]]
    names = list(dict.fromkeys(name for edge in edges for name in _ends(edge)))[:_MOST_NODES]
    edges = [edge for edge in edges if set(_ends(edge)) <= set(names)]
    if not edges:
        return None
    strongest: dict[str, Movement] = {}
    for each in movements(case, report.onset or report.subject.trigger.at):
        if each.notable:
            strongest.setdefault(each.series.entity.service_name, each)
    columns = _columns(names, _onsets(edges, strongest))
    tallest = max(len(members) for _, members in columns)
    places = {
        name: (
            _MARGIN + index * _COLUMN,
            _TOP + (tallest - len(members)) * _ROW / 2 + row * _ROW,
        )
        for index, (_, members) in enumerate(columns)
        for row, name in enumerate(members)
    }
    times = TimeWords(report.subject.window.start, report.subject.relative)
    return Layout(
        width=2 * _MARGIN + (len(columns) - 1) * _COLUMN + BOX_WIDTH + _AROUND,
        height=_TOP + tallest * _ROW,
        nodes=tuple(
            _node(name, place, report, strongest.get(name)) for name, place in places.items()
        ),
        arrows=tuple(_arrow(group, places) for group in _by_ends(edges)),
        columns=tuple(
            Column(
                _MARGIN + index * _COLUMN,
                times.at(moment) if moment is not None else "onset not seen",
            )
            for index, (moment, _) in enumerate(columns)
        ),
    )


def edge_words(edge: Propagation) -> str:
    """ "lag 5 s, p = 0.001", or the relation where an edge has neither."""
    words = [f"lag {duration(edge.lag_s)}"] if edge.lag_s is not None else []
    if edge.p_value is not None:
        words.append("p < 0.0001" if edge.p_value < 1e-4 else f"p = {number(edge.p_value)}")
    return ", ".join(words) or edge.relation


def _by_ends(edges: list[Propagation]) -> list[list[Propagation]]:
    """Edges between the same two services, which share one arrow; the best measured comes first."""
    groups: dict[tuple[str, str], list[Propagation]] = {}
    for edge in edges:
        groups.setdefault(_ends(edge), []).append(edge)
    return [sorted(group, key=lambda edge: edge.p_value is None) for group in groups.values()]


def _ends(edge: Propagation) -> tuple[str, str]:
    return edge.source.service_name, edge.target.service_name


def _onsets(edges: list[Propagation], strongest: Mapping[str, Movement]) -> dict[str, datetime]:
    """When each service moved; where that is not seen, its cause's onset plus the edge's lag."""
    onsets = {name: each.began for name, each in strongest.items() if each.began is not None}
    for edge in edges:
        source, target = _ends(edge)
        if target not in onsets and source in onsets and edge.lag_s is not None:
            onsets[target] = onsets[source] + timedelta(seconds=edge.lag_s)
    return onsets


def _columns(
    names: list[str], onsets: Mapping[str, datetime]
) -> list[tuple[datetime | None, list[str]]]:
    """Services grouped by onset, few enough groups to fit; those without an onset come last."""
    timed = sorted((name for name in names if name in onsets), key=lambda name: onsets[name])
    tolerance = timedelta(milliseconds=500)
    while True:
        groups: list[tuple[datetime | None, list[str]]] = []
        for name in timed:
            first = groups[-1][0] if groups else None
            if first is not None and onsets[name] - first <= tolerance:
                groups[-1][1].append(name)
            else:
                groups.append((onsets[name], [name]))
        if len(groups) <= _MOST_COLUMNS:
            break
        tolerance *= 2
    silent = [name for name in names if name not in onsets]
    return [*groups, (None, silent)] if silent else groups


def _node(name: str, place: tuple[float, float], report: Report, movement: Movement | None) -> Node:
    accused = report.root_causes[0].entity.service_name if report.root_causes else None
    alerting = report.subject.trigger.entity
    role = "affected"
    if alerting is not None and alerting.service_name == name:
        role = "alert"
    if report.verdict == "root_cause" and name == accused:
        role = "cause"
    signal = "no shift seen"
    if movement is not None:
        arrow = "↑" if movement.after >= movement.before else "↓"
        signal = f"{_short(plain(movement.series.metric))} {arrow}"
    return Node(plain(name), _short(plain(name)), signal, role, *place)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def _arrow(edges: list[Propagation], places: Mapping[str, tuple[float, float]]) -> Arrow:
    source, target = _ends(edges[0])
    (x1, y1), (x2, y2) = places[source], places[target]
    middle = BOX_HEIGHT / 2
    if x1 < x2:
        start, end, bulge = (x1 + BOX_WIDTH, y1 + middle), (x2 - 7, y2 + middle), (x2 - x1) * 0.3
        bends = ((start[0] + bulge, start[1]), (end[0] - bulge, end[1]))
    elif x1 > x2:
        start, end, bulge = (x1, y1 + middle), (x2 + BOX_WIDTH + 7, y2 + middle), (x1 - x2) * 0.3
        bends = ((start[0] - bulge, start[1]), (end[0] + bulge, end[1]))
    else:  # moved at the same time: around the right-hand side
        start, end = (x1 + BOX_WIDTH, y1 + middle), (x2 + BOX_WIDTH + 7, y2 + middle)
        bends = ((start[0] + 46, start[1]), (end[0] + 46, end[1]))
    (a, b), (c, d) = bends
    aside = 40 if x1 == x2 else 0  # beside the curve, not across it
    above, _, below = edge_words(edges[0]).partition(", ")
    words = "; ".join(f"{edge.relation}, {edge_words(edge)}" for edge in edges)
    return Arrow(
        path=f"M{start[0]:g} {start[1]:g} C{a:g} {b:g} {c:g} {d:g} {end[0]:g} {end[1]:g}",
        above=above,
        below=below,
        title=f"{plain(source)} → {plain(target)}: {words}",
        # The curve's own midpoint.
        x=round((start[0] + 3 * a + 3 * c + end[0]) / 8 + aside, 1),
        y=round((start[1] + 3 * b + 3 * d + end[1]) / 8, 1),
        relation=edges[0].relation,
    )
