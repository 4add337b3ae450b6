"""Slowness told by alerts: which service or machine leaves the fewest slow services unexplained.

A slow service slows its callers; the network of its pod also slows what it calls, but less than
itself; the network of a machine slows every service on it and their callers.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from aiops.analyze.state.alerts_text import Moved
from aiops.analyze.state.raising import FITS, HINT, NAMED, SYMPTOM, raised
from aiops.analyze.state.scene import Scene
from aiops.model import Entity, FaultType, Hypothesis

LATENCY_FLOOR_MS = 20.0
"""Milliseconds a percentile must rise by to count: less is lost in the noise of one network hop
and one garbage collection."""
CPU_FLOOR_CORES = 0.05
"""Cores of additional use: a twentieth of a core is what an idle service's housekeeping takes."""
RETRANSMITTED_FLOOR = 2.0
"""Retransmitted segments a second of a machine: healthy ones show less than one, and a lossy
interface many."""
LEFT_OVER = 0.1
"""Share of the slowness that even the best service may leave unexplained before a machine is
suspected instead: callers always suffer with their callee, so one culprit leaves next to nothing,
and a tenth is room for one unrelated alert of many."""


@dataclass(frozen=True, slots=True)
class _Slow:
    """How much slower a service became; ``median`` where its middle request did too."""

    entity: Entity
    ms: float
    median: bool
    sign: Moved

    @property
    def weight(self) -> float:
        return math.log1p(self.ms / LATENCY_FLOOR_MS)


def cpu(scene: Scene) -> Iterator[Hypothesis]:
    """A service that uses up its CPU: it uses more, and is throttled."""
    throttled = {sign.entity.name: sign for sign in scene.signs if sign.sign == "throttled"}
    rising = _rising_cpu(scene)
    for name in sorted(throttled.keys() | rising.keys()):
        signs = [sign for sign in (rising.get(name), throttled.get(name)) if sign is not None]
        rise = _rise(rising[name]) if name in rising else CPU_FLOOR_CORES
        telling = NAMED if len(signs) == 2 else (SYMPTOM if name in rising else HINT)
        hypothesis = raised(
            _entity(scene, signs[0].entity),
            FaultType.CPU,
            "pod_cpu_saturated_and_throttled",
            telling,
            [scene.read(one.text, (one.alert,), "event") for one in signs],
            refuted_by=f"the CPU use of {name} going back while it stays slow",
            explains=_entities(scene, scene.callers_of(name)),
        )
        yield replace(
            hypothesis,
            size=rise * 100,
            unit="percentage points",
            floor=CPU_FLOOR_CORES * 100,
            strength=math.log1p(rise / CPU_FLOOR_CORES) * telling,
        )


def packet_loss(scene: Scene) -> Iterator[Hypothesis]:
    """A machine that sends much of its traffic twice."""
    slow = len(_slow_services(scene))
    for sign in scene.signs:
        if sign.sign != "retransmitted" or sign.after - (sign.before or 0.0) < RETRANSMITTED_FLOOR:
            continue
        yield raised(
            Entity("node", sign.entity.name, cluster=sign.entity.cluster),
            FaultType.NETWORK_LOSS,
            "node_network_packets_retransmitted",
            NAMED,
            [scene.read(sign.text, (sign.alert,), "event")],
            affected=max(slow, 1) * sign.after / RETRANSMITTED_FLOOR,
            refuted_by=f"retransmissions of {sign.entity.name} going back while services stay slow",
            explains=_on_node(scene, sign.entity.name),
        )


def latency(scene: Scene) -> Iterator[Hypothesis]:
    """Slow services, each by how much of all slowness it explains through its callers."""
    slow = _slow_services(scene)
    total = sum(one.weight for one in slow.values())
    if total <= 0:
        return
    busy = {s.entity.name for s in scene.signs if s.sign == "throttled"} & _rising_cpu(scene).keys()
    left: dict[str, float] = {}
    for name, one in sorted(slow.items()):
        explained = _explained_by(scene, name, slow)
        left[name] = sum(o.weight for n, o in slow.items() if n not in explained) / total
        slower_callees = [
            callee
            for caller, callee in scene.calls
            if caller == name and callee in slow and callee != name
        ]
        # Of two that explain as much, the callee: it cannot be slow because of its caller.
        telling = FITS * (1 - left[name]) * (1.0 if not slower_callees else 0.8)
        if name in busy or busy & _callees_of(scene, name):
            telling *= SYMPTOM
        own = {n: o for n, o in slow.items() if n in explained}
        yield _slowness(scene, one, telling, own, f"it leaves {left[name]:.0%} of all slowness")
    yield from _machines(scene, slow, min(left.values(), default=1.0))


def requests(scene: Scene) -> Iterator[Hypothesis]:
    """A service whose requests fail at the entry: a symptom."""
    for sign in scene.signs:
        if sign.sign == "request" and sign.entity.name in scene.by_name:
            yield raised(
                scene.by_name[sign.entity.name].entity,
                FaultType.ERROR,
                "requests_fail",
                HINT,
                [scene.read(sign.text, (sign.alert,), "event")],
                refuted_by=f"requests to {sign.entity.name} succeeding",
            )


def _slowness(
    scene: Scene, one: _Slow, telling: float, explained: dict[str, _Slow], words: str
) -> Hypothesis:
    """Its size is the worst slowness it explains: callers multiply what a callee costs them."""
    name = one.entity.name
    worst = max(other.ms for other in explained.values())
    hypothesis = raised(
        _entity(scene, one.entity),
        FaultType.NETWORK_DELAY,
        "pod_network_delayed",
        telling,
        [scene.read(one.sign.text, (one.sign.alert,), "event")],
        refuted_by=f"time spent inside {name}, not on the way to it ({words})",
        explains=_entities(scene, explained.keys() - {name}),
    )
    return replace(
        hypothesis,
        size=worst,
        unit="ms",
        floor=LATENCY_FLOOR_MS,
        strength=math.log1p(worst / LATENCY_FLOOR_MS) * telling,
    )


def _machines(scene: Scene, slow: dict[str, _Slow], left: float) -> Iterator[Hypothesis]:
    """Machines, where no single service explains the slowness."""
    if left <= LEFT_OVER or len(slow) < 2:
        return
    total = sum(one.weight for one in slow.values())
    for node in scene.state.nodes:
        names = {entity.name for entity in _on_node(scene, node.name)}
        on = {name for name in names if name in slow}
        if not on:
            continue
        callers = set().union(*(scene.callers_of(name) for name in on))
        direct = sum(slow[name].weight for name in on)
        away = sum(o.weight for n, o in slow.items() if n not in on and n not in callers)
        share = max(0.0, (direct - away) / total)
        hypothesis = raised(
            Entity("node", node.name, cluster=node.cluster),
            FaultType.NETWORK_DELAY,
            "node_network_delayed",
            FITS * share,
            [
                scene.read(slow[name].sign.text, (slow[name].sign.alert,), "event")
                for name in sorted(on)
            ],
            refuted_by=f"services on {node.name} answering each other and others fast",
            explains=[slow[name].entity for name in sorted(on | (callers & set(slow)))],
        )
        worst = max(slow[name].ms for name in on)
        yield replace(
            hypothesis,
            size=worst,
            unit="ms",
            floor=LATENCY_FLOOR_MS,
            strength=math.log1p(worst / LATENCY_FLOOR_MS) * (FITS + share * (NAMED - FITS)),
        )


def _slow_services(scene: Scene) -> dict[str, _Slow]:
    found: dict[str, _Slow] = {}
    for sign in scene.signs:
        if sign.sign != "latency" or sign.before is None or sign.entity.kind == "node":
            continue
        rise = sign.after - sign.before
        if rise < LATENCY_FLOOR_MS:
            continue
        old = found.get(sign.entity.name)
        median = sign.percentile == 50 or (old is not None and old.median)
        best = max(rise, old.ms if old else 0.0)
        found[sign.entity.name] = _Slow(sign.entity, best, median, sign)
    return found


def _explained_by(scene: Scene, name: str, slow: dict[str, _Slow]) -> set[str]:
    explained = {name} | scene.callers_of(name)
    if slow[name].median:
        explained |= {
            callee
            for caller, callee in scene.calls
            if caller == name and callee in slow and not slow[callee].median
        }
    return explained


def _callees_of(scene: Scene, name: str) -> set[str]:
    seen: set[str] = set()
    front = [name]
    while front:
        current = front.pop()
        for caller, callee in scene.calls:
            if caller == current and callee not in seen:
                seen.add(callee)
                front.append(callee)
    return seen - {name}


def _rising_cpu(scene: Scene) -> dict[str, Moved]:
    return {
        sign.entity.name: sign
        for sign in scene.signs
        if sign.sign == "cpu"
        and sign.unit.startswith("core")
        and sign.entity.kind != "node"
        and _rise(sign) >= CPU_FLOOR_CORES
    }


def _rise(sign: Moved) -> float:
    return sign.after - (sign.before or 0.0)


def _entity(scene: Scene, entity: Entity) -> Entity:
    return scene.by_name[entity.name].entity if entity.name in scene.by_name else entity


def _entities(scene: Scene, names: Iterable[str]) -> list[Entity]:
    return [scene.by_name[name].entity for name in sorted(names) if name in scene.by_name]


def _on_node(scene: Scene, node: str) -> list[Entity]:
    return [app.entity for app in scene.apps if any(pod.node == node for pod in app.pods)]


RULES = (cpu, packet_loss, latency, requests)
