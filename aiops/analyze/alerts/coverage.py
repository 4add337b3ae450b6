"""How much of an incident's slow and failing calls each candidate touches.

The culprit stands on most of the calls that alert, where they end if it fails itself and on both
sides of it if its network does; a victim stands on its own share only.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from aiops.analyze.alerts.features import Features
from aiops.analyze.alerts.graph import Incident
from aiops.analyze.alerts.signs import sign_of

Edges = AbstractSet[tuple[int, int]]
ANY = "any"


def coverage(incident: Incident) -> tuple[Features, ...]:
    """One sparse row per candidate, in the order of ``incident.places``."""
    calls = _alerting_calls(incident)
    rows: list[dict[str, float]] = [{} for _ in incident.places]
    for family, edges in calls.items():
        for here, row in enumerate(rows):
            row |= _share(incident, here, family, edges)
    around = calls.get(ANY, frozenset())
    signs = [{str(sign_of(alert)) for alert in place.own} for place in incident.places]
    for here, row in enumerate(rows):
        sides = {
            "callers": {caller for caller, callee in around if callee == here},
            "callees": {callee for caller, callee in around if caller == here},
        }
        for side, near in sides.items():
            shown = Counter(sign for other in near for sign in signs[other])
            row |= {f"{side} show {sign}": count / len(near) for sign, count in shown.items()}
    return tuple(rows)


def _alerting_calls(incident: Incident) -> Mapping[str, Edges]:
    """Family of sign, and ANY -> (caller, callee) of the calls that alert so."""
    position = {place.entity: i for i, place in enumerate(incident.places)}
    found: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for callee, place in enumerate(incident.places):
        for alert in place.incoming:
            caller = position.get(alert.peer) if alert.peer is not None else None
            if caller is not None:
                found[sign_of(alert).family].add((caller, callee))
                found[ANY].add((caller, callee))
    return found


def _share(incident: Incident, here: int, family: str, edges: Edges) -> Features:
    into = sum(callee == here for _, callee in edges)
    out_of = sum(caller == here for caller, _ in edges)
    if not into + out_of:
        return {}
    pairs = {frozenset(edge) for edge in edges}
    own = sum(here in pair for pair in pairs)
    return {
        f"cover {family}": (into + out_of) / len(edges),
        f"cover pairs {family}": own / len(pairs),
        f"of its calls {family}": own / max(1, len(incident.places[here].neighbours)),
        f"both ways {family}": float(into > 0 and out_of > 0),
        f"ends here {family}": 0.0 if out_of else into / len(edges),
    }
