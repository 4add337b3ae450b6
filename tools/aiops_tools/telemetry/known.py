"""Services that are known: a name that nobody knows is never answered as if it were quiet."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from difflib import get_close_matches
from typing import Final

from aiops.analyze.wording import listed
from aiops.app.surroundings import is_of_a_service
from aiops.errors import SourceUnavailable, ToolFailed
from aiops.model import TelemetryWindow, Window
from aiops.model.incident import IncidentQuery
from aiops.model.tool import Unread
from aiops.ports.telemetry import ServiceNames, ServiceSource
from aiops_tools.telemetry.gathering import MODALITIES, Gathered, Readers, gather, graph_at

RECENT_INCIDENTS: Final = 200
SAMPLED: Final = timedelta(minutes=5)
"""The end of a window that is read for names from sources that list none."""


def services_in(window: TelemetryWindow) -> frozenset[str]:
    """The services that have a row in it."""
    found: set[str] = set()
    if window.metrics is not None:
        found.update(series.entity.service_name for series in window.metrics.series)
    for table in (window.logs, window.spans):
        if table is not None:
            found.update(table.services[code] for code in set(table.service_of.tolist()))
    return frozenset(found)


def without_rows(
    readers: Readers, services: Sequence[str], gathered: Gathered, what: str, window: Window
) -> tuple[Unread, ...]:
    """Those of ``services`` of which nothing was found, each with the reason.

    Raises:
        ToolFailed: "not_found": nobody knows the service, and these are like it; "unreachable":
            nobody who answered knows it, and not everybody did.
    """
    return tuple(
        Unread(f"{what} of {service}", "the service is known, but there is none in this window")
        for service in known(readers, services, services_in(gathered.found), window)
    )


def known(
    readers: Readers,
    services: Sequence[str],
    seen: Collection[str],
    window: Window,
) -> tuple[str, ...]:
    """Those of ``services`` that are not ``seen`` but known; raises ToolFailed as above."""
    unseen = [service for service in services if service not in seen]
    if not unseen:
        return ()
    names, _ = names_known(readers, window, unseen)
    strange = [service for service in unseen if service not in names]
    if strange:
        # A source that lists no names may still have telemetry of it, of another sort.
        others = [gather(readers, what, strange, window) for what in MODALITIES]
        heard = frozenset().union(*(services_in(one.found) for one in others))
        for service in strange:
            if service not in heard:
                unread = [missing for one in others for missing in one.unread]
                raise _unknown(service, names | heard, unread)
    return tuple(unseen)


def names_known(
    readers: Readers, window: Window, wanted: Sequence[str] = ()
) -> tuple[frozenset[str], tuple[Unread, ...]]:
    """Every service that anything here names (calls, incidents, telemetry), and who could not.

    Args:
        wanted: sources are asked whether they know these.
    """
    graph, missing = graph_at(readers, window.end)
    unread = list(missing)
    names = {node.service_name for node in graph.nodes if is_of_a_service(node)}
    for incident in readers.incidents.find(IncidentQuery(limit=RECENT_INCIDENTS)):
        names.update(incident.services)
    names |= _heard(replace(readers, sources=()), window, unread)
    for name, source in readers.sources:
        try:
            if isinstance(source, ServiceNames):
                names.update(source.services(window.start, window.end))
            if isinstance(source, ServiceSource) and not names.issuperset(wanted):
                around = {*names, *wanted}
                names.update(source.beside(around, None, None, window.start, window.end))
        except SourceUnavailable as failure:
            unread.append(Unread(f"names known to {name}", str(failure)))
    nameless = [(name, one) for name, one in readers.sources if not isinstance(one, ServiceNames)]
    if nameless:
        latest = Window(max(window.start, window.end - SAMPLED), window.end)
        names |= _heard(replace(readers, sources=nameless), latest, unread)
    return frozenset(names), tuple(unread)


def _heard(readers: Readers, window: Window, unread: list[Unread]) -> set[str]:
    """The services that have any telemetry in the window; machines have some, too, and are none."""
    found: set[str] = set()
    for what in MODALITIES:
        gathered = gather(readers, what, None, window)
        unread += gathered.unread
        found |= services_in(gathered.found) - _machines(gathered.found)
    return found


def _machines(window: TelemetryWindow) -> frozenset[str]:
    series = () if window.metrics is None else window.metrics.series
    entities = [one.entity for one in series]
    others = {one.service_name for one in entities if not is_of_a_service(one)}
    return frozenset(others - {one.service_name for one in entities if is_of_a_service(one)})


def alike(name: str, names: Collection[str], most: int = 3) -> tuple[str, ...]:
    """Those of ``names`` that may have been meant: near in letters, or one part of the other."""
    by_fold = {each.casefold(): each for each in sorted(names)}
    folded = name.casefold()
    near = get_close_matches(folded, list(by_fold), n=most, cutoff=0.6)
    part = [each for each in by_fold if folded in each or (len(each) > 2 and each in folded)]
    return tuple(by_fold[each] for each in dict.fromkeys((*near, *part)))[:most]


def _unknown(service: str, names: Collection[str], unread: Sequence[Unread]) -> ToolFailed:
    meant = alike(service, names)
    if meant:
        advice = f"did you mean {' or '.join(repr(each) for each in meant)}?"
    elif names:
        advice = f"known are {listed(sorted(names), most=12)}"
    else:
        advice = "nothing is known of any service; check the sources with `aiops doctor`"
    if unread and not meant:
        missing = "; ".join(f"{each.what} was not read: {each.reason}" for each in unread)
        reason = f"no service {service!r} is known to what could be read ({missing}); {advice}"
        return ToolFailed("unreachable", reason, retryable=True)
    return ToolFailed("not_found", f"no service {service!r} is known here; {advice}")
