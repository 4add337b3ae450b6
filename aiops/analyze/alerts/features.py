"""Numbers about one candidate of an alert list, for rules and for what is learned from the past.

Every number is about signs, shares and places in the graph. Nothing is named after an entity, so
what is learned can be asked about a system with other services.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from aiops.analyze.alerts.graph import Incident, Place
from aiops.analyze.alerts.signs import sign_of, template_of

Features = Mapping[str, float]


def describe(incident: Incident, rarity: Mapping[str, float] | None = None) -> tuple[Features, ...]:
    """One sparse row of features per candidate, in the order of ``incident.places``.

    Args:
        rarity: nats by which a log template surprises, from past incidents; without it, from how
            few candidates of this incident logged it.
    """
    places = incident.places
    if not places:
        return ()
    signs = [_counts(place) for place in places]
    totals: Counter[str] = Counter()
    for counted in signs:
        totals.update(counted)
    surprise = rarity if rarity is not None else rarity_within(incident)
    rows = [
        _row(place, counted, totals, incident, surprise)
        for place, counted in zip(places, signs, strict=True)
    ]
    holders = Counter(name for row in rows for name in row if name.startswith("has "))
    return tuple(_compared(rows, holders, i, places[i]) for i in range(len(rows)))


def rarity_within(incident: Incident) -> Mapping[str, float]:
    """Nats of surprise of each log template: few candidates of this incident logged it."""
    holders: dict[str, set[int]] = defaultdict(set)
    for i, place in enumerate(incident.places):
        for alert in place.own:
            if alert.modality == "log":
                holders[template_of(alert)].add(i)
    n = len(incident.places)
    return {name: math.log((n + 1) / (len(own) + 1)) for name, own in holders.items()}


def rarity_over(incidents: Sequence[Incident]) -> Mapping[str, float]:
    """Nats of surprise of each (candidate's) log template: few past incidents raised it."""
    seen: Counter[str] = Counter()
    for incident in incidents:
        seen.update(
            {
                template_of(alert)
                for place in incident.places
                for alert in place.own
                if alert.modality == "log"
            }
        )
    n = len(incidents)
    return {name: math.log((n + 1) / (count + 0.5)) for name, count in seen.items()}


def _counts(place: Place) -> Counter[str]:
    counted: Counter[str] = Counter()
    for alert in place.own:
        counted[str(sign_of(alert))] += 1
    for where, alerts in (
        ("in", place.incoming),
        ("out", place.outgoing),
        ("inside", place.inside),
    ):
        for alert in alerts:
            counted[f"{where} {sign_of(alert)}"] += 1
    return counted


def _row(
    place: Place,
    counted: Counter[str],
    totals: Counter[str],
    incident: Incident,
    surprise: Mapping[str, float],
) -> dict[str, float]:
    row: dict[str, float] = {}
    for sign, count in counted.items():
        row[f"has {sign}"] = 1.0
        row[f"n {sign}"] = math.log1p(count)
        row[f"share {sign}"] = count / totals[sign]
    for alert in place.own:
        if alert.modality not in ("log", "trace"):
            row[f"metric {alert.name} {alert.detail[:24]}"] = 1.0
    row |= _by_modality(place, incident)
    row |= _logs(place, surprise)
    row |= _calls(place, incident)
    return row


def _by_modality(place: Place, incident: Incident) -> dict[str, float]:
    every = sum(other.raised for other in incident.places) or 1
    modality = Counter(alert.modality for alert in place.own)
    return {
        "alerts": math.log1p(place.raised),
        "share of alerts": place.raised / every,
        "metric alerts": math.log1p(modality["metric"] + modality["service"]),
        "log alerts": math.log1p(modality["log"]),
        "trace alerts": math.log1p(len(place.incoming) + len(place.inside)),
        "silent": float(place.raised == 0),
    }


def _logs(place: Place, surprise: Mapping[str, float]) -> dict[str, float]:
    # A template never seen before is as rare as the rarest.
    unseen = max(surprise.values(), default=0.0)
    nats = [
        surprise.get(template_of(alert), unseen) for alert in place.own if alert.modality == "log"
    ]
    return {"log surprise": max(nats, default=0.0), "log surprise sum": sum(nats)}


def _calls(place: Place, incident: Incident) -> dict[str, float]:
    every_in = sum(len(other.incoming) for other in incident.places) or 1
    every_out = sum(len(other.outgoing) for other in incident.places) or 1
    into, out_of = len(place.incoming), len(place.outgoing)
    callers = {alert.peer for alert in place.incoming}
    callees = {alert.entity for alert in place.outgoing}
    near = [incident.places[i] for i in place.neighbours]
    return {
        "in share": into / every_in,
        "out share": out_of / every_out,
        "in minus out": (into - out_of) / (into + out_of + 1),
        "callers alerting": math.log1p(len(callers)),
        "callees alerting": math.log1p(len(callees)),
        "operations": math.log1p(len({a.name for a in place.incoming + place.inside})),
        "degree": len(place.neighbours) / len(incident.places),
        "neighbours raised": math.log1p(sum(p.raised for p in near) / max(1, len(near))),
        "leaf of calls": float(into + len(place.inside) > 0 and out_of == 0),
        "replicas": float(len(place.siblings)),
        "calls in": math.log1p(place.calls_in),
        "calls out": math.log1p(place.calls_out),
        "loops": math.log1p(place.loops),
    }


def _compared(
    rows: list[dict[str, float]], holders: Counter[str], i: int, place: Place
) -> dict[str, float]:
    """The row of candidate ``i``, with what sets it apart from its replicas and the others, and
    what its neighbours show: a cause is seen in those around it."""
    row = dict(rows[i])
    twins = [rows[j] for j in place.siblings]
    if twins:
        names = set(rows[i]).union(*twins)
        for name in names:
            if name.startswith(("n ", "alerts", "log surprise", "in share", "out share")):
                theirs = sum(twin.get(name, 0.0) for twin in twins) / len(twins)
                row[f"{name} beyond replicas"] = row.get(name, 0.0) - theirs
    for name in rows[i]:
        if name.startswith("has "):
            row[f"alone {name[4:]}"] = 1.0 / holders[name]
    for j in place.neighbours:
        for name in rows[j]:
            if name.startswith("has "):
                near = f"near {name[4:]}"
                row[near] = row.get(near, 0.0) + 1.0 / len(place.neighbours)
    return row


def overview(incident: Incident) -> Features:
    """What the whole incident shows: how much of each sign, and how widely.

    One fault leaves its mark on everybody (a killed pod drains its callers, a slow link slows
    them), which the culprit's own row does not hold.
    """
    counted: Counter[str] = Counter()
    holders: Counter[str] = Counter()
    for place in incident.places:
        own = _counts(place)
        counted.update(own)
        holders.update(own.keys())
        holders.update({f"template {template_of(a)}" for a in place.own if a.modality == "log"})
    for _, alerts in incident.hosts:
        counted.update(f"host {sign_of(alert)}" for alert in alerts)
    n = max(1, len(incident.places))
    return {
        **{f"all {name}": math.log1p(count) for name, count in counted.items()},
        **{f"held {name}": count / n for name, count in holders.items()},
        "all calls": math.log1p(sum(place.calls_in for place in incident.places)),
        "all loops": math.log1p(sum(place.loops for place in incident.places)),
        "looping": sum(place.loops > 0 for place in incident.places) / n,
        "cut off": sum(not place.neighbours for place in incident.places) / n,
    }
