"""Where else to look while nothing found so far settles it: from the pods outwards.

What runs, what was wanted, what moved, how it is reached, what its users' side says, whom they
blame, and last the machines' own plumbing. Each lead costs more calls than the one before, or
answers less often.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from aiops.agents.policies.behind import Lead, Seen, described, sick
from aiops.agents.policies.wants import Want
from aiops.analyze.state.holds_now import short
from aiops.analyze.state.scene import Scene

_PORT: Final = re.compile(r"[a-z0-9][a-z0-9.-]*:([0-9]{2,5})\b")
_LOOKED_UP: Final = re.compile(r"lookup ([a-z0-9-]+)")
_FAILED: Final = (
    *("refused", "no such host", "unable to connect", "unabletoconnect", "unreachable"),
    *("not possible to connect", "timed out", "timeout", "unavailable", "unknownhost", "deadline"),
)
"""Words of a line that says that somebody could not be reached."""
_EXPOSED: Final = ("NodePort", "LoadBalancer")
BLAMED: Final = 3
"""Services that one log is followed to."""
FRONT: Final = 2
_FORWARDING: Final = "kube-proxy"


def pods(seen: Seen) -> Iterator[Want]:
    """What runs."""
    del seen
    yield Want("list", "pod")


def failing(seen: Seen) -> Iterator[Want]:
    """What a container that starts and fails says, and how the app is declared."""
    for app, pod in sick(seen.scene)[:2]:
        if described(pod):
            if pod.node:
                yield Want("logs", name=app.name)
            yield Want("manifest", name=app.name)


def workloads(seen: Seen) -> Iterator[Want]:
    """What was wanted: what never started is in no list of pods."""
    del seen
    yield Want("list", "deployment")


def missing(seen: Seen) -> Iterator[Want]:
    """Pods that are wanted and were never made: a quota, or what their maker says."""
    for app in seen.scene.apps:
        made = app.workload
        if made is None or not made.observed or app.pods or not short(app):
            continue
        yield Want("list", "quota")
        yield Want("list", "replicaset")
        for one in seen.scene.state.workloads:
            if one.type == "replicaset" and one.desired and one.name.startswith(f"{made.name}-"):
                yield Want("describe", "replicaset", one.name)
                yield Want("events", "replicaset", one.name)
        yield Want("manifest", name=app.name)


def unready(seen: Seen) -> Iterator[Want]:
    """Pods that look well and do not count: what their machine last heard is old."""
    unwell = {app.name for app, _ in sick(seen.scene)}
    for app in seen.scene.apps:
        wanted = app.workload is not None and app.workload.observed
        if wanted and app.pods and app.name not in unwell and short(app):
            yield Want("list", "node")


def alerts(seen: Seen) -> Iterator[Want]:
    """What moved."""
    del seen
    yield Want("alerts")


def slow(seen: Seen) -> Iterator[Want]:
    """Who calls whom among the slow, and what they run on."""
    slowest = sorted((s for s in seen.scene.signs if s.sign == "latency"), key=lambda s: -s.after)
    for name in list(dict.fromkeys(sign.entity.service_name for sign in slowest))[:2]:
        yield Want("calls", name=name)
    if slowest:
        yield Want("list", "node")


def doors(seen: Seen) -> Iterator[Want]:
    """How it is reached."""
    del seen
    yield Want("list", "service")
    yield Want("list", "endpoints")


def behind_no_door(seen: Seen) -> Iterator[Want]:
    """A service that leads nowhere, and the app it was meant for."""
    for one in seen.scene.state.endpoints:
        if one.ready == 0 and one.name in seen.scene.by_name:
            yield Want("manifest", name=one.name)


def alerted(seen: Seen) -> Iterator[Want]:
    """What those say whose requests fail."""
    for sign in seen.scene.signs:
        if sign.sign in ("request", "errors"):
            yield Want("logs", name=sign.entity.service_name)


def deeper(seen: Seen) -> Iterator[Want]:
    """Whom those call, and what they say of it."""
    for sign in seen.scene.signs:
        if sign.sign == "request":
            name = sign.entity.service_name
            yield Want("calls", name=name)
            yield from (Want("logs", name=one) for one in _called_by(seen.scene, name))
            return


def front(seen: Seen) -> Iterator[Want]:
    """What those say whom users reach first: they see every failure behind them."""
    for name in list(dict.fromkeys(_exposed(seen.scene)))[:FRONT]:
        yield Want("logs", name=name)


def _exposed(scene: Scene) -> Iterator[str]:
    names = sorted(scene.by_name, key=len, reverse=True)
    for service in scene.state.services:
        if service.type in _EXPOSED:
            found = next((name for name in names if service.name.startswith(name)), None)
            if found is not None:
                yield found


def blamed(seen: Seen) -> Iterator[Want]:
    """How those are declared whom the logs could not reach."""
    for name, _ in _blame(seen.scene):
        if name in seen.scene.by_name:
            yield Want("manifest", name=name)


def routing(seen: Seen) -> Iterator[Want]:
    """Where those send requests whom users reach first."""
    for name in list(dict.fromkeys(_exposed(seen.scene)))[:FRONT]:
        yield Want("manifest", name=name)


def quota(seen: Seen) -> Iterator[Want]:
    """What the namespace may not have more of."""
    del seen
    yield Want("list", "quota")


def reached(seen: Seen) -> Iterator[Want]:
    """Whether they answer, from inside the cluster."""
    services = {service.name: service for service in seen.scene.state.services}
    for name, _ in _blame(seen.scene):
        service = services.get(name)
        if service is not None and service.ports:
            yield Want("reach", name=name, port=service.ports[0].number)


def forwarding(seen: Seen) -> Iterator[Want]:
    """Answered from one machine and not from another: who forwards there?"""
    if any(one.ok and one.failed for one in seen.scene.reach):
        yield Want("list", "node")
        for node in seen.scene.state.nodes:
            yield Want("daemon", _FORWARDING, node.name)


def blaming(seen: Seen) -> Iterator[Want]:
    """What the blamed say themselves, and how those are declared who blame them."""
    found = list(_blame(seen.scene))
    yield from (Want("logs", name=name) for name, _ in found)
    yield from (Want("manifest", name=by) for _, by in found)


def callers(seen: Seen) -> Iterator[Want]:
    """How the others are declared who call the blamed: they may ask for what is not there."""
    for name in list(dict.fromkeys(name for name, _ in _blame(seen.scene)))[:1]:
        yield Want("calls", name=name)
        for caller in sorted(by for by, called in seen.scene.calls if called == name):
            yield Want("manifest", name=caller)


def _called_by(scene: Scene, name: str) -> list[str]:
    return sorted(called for by, called in scene.calls if by == name)


def _blame(scene: Scene) -> Iterator[tuple[str, str]]:
    """(service that could not be reached, service that says so), most often said first."""
    by_port: dict[str, list[str]] = {}
    for service in scene.state.services:
        for port in service.ports:
            by_port.setdefault(str(port.number), []).append(service.name)
    for by, said in scene.logs.items():
        named: Counter[str] = Counter()
        for line in (line for one in said for line in one.lower.splitlines()):
            if any(word in line for word in _FAILED):
                for port in _PORT.findall(line):
                    named.update(by_port.get(port, ()))
                named.update(s.name for s in scene.state.services if _names(line, s.name))
                named.update(_LOOKED_UP.findall(line))
        yield from ((name, by) for name, _ in named.most_common(BLAMED) if name != by)


def _names(line: str, name: str) -> bool:
    return name in line and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", line) is not None


LEADS: Final[tuple[Lead, ...]] = (
    pods,
    failing,
    workloads,
    missing,
    unready,
    alerts,
    slow,
    doors,
    behind_no_door,
    alerted,
    deeper,
    front,
    blamed,
    quota,
    reached,
    forwarding,
    blaming,
    callers,
    routing,
)
