"""What stands behind what was found: asked also when the suspects look settled.

A symptom names its object at once and its cause one question later: why does this pod wait, what
stopped this machine, who refused this claim. Each lead gives what is worth a look, most telling
first, from what was seen so far.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aiops.agents.policies.wants import Want
from aiops.analyze.state.holds_now import RESTARTED_LATELY_S, unwell
from aiops.analyze.state.scene import App, Scene
from aiops.model.cluster import Node, Pod
from aiops.model.ranking import Suspect

LOOKED_AT: Final = 2
"""Apps that are looked at in one round: what ails many at once shows in the first ones."""
TOGETHER: Final = 3
"""Apps that fail on one machine from which the machine is asked about first."""
_STORAGE: Final = ("persistentvolumeclaim", "volume node affinity", "unbound")
_UNRESOLVED: Final = ("unknownhost", "no such host", "name resolution", "name or service not known")
_MACHINE: Final = ("kubelet", "containerd")
_PLACING: Final = "kube-scheduler"
_IN_CONTROL: Final = ("control-plane", "master")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen so far.

    Attributes:
        suspects: as the analyzers rank them now.
    """

    scene: Scene
    suspects: Sequence[Suspect] = ()

    def has_list(self, kind: str) -> bool:
        """Whether all objects of a kind were read."""
        return any(listed == kind for listed, _ in self.scene.state.listed)


Lead = Callable[[Seen], Iterator[Want]]


def sick(scene: Scene) -> list[tuple[App, Pod]]:
    """Apps of which a pod does not serve, then those of which one keeps dying, with that pod."""
    down = [(app, pod) for app in scene.apps if (pod := _first(app, unwell)) is not None]
    known = {app.name for app, _ in down}
    dying = [(app, pod) for app in scene.apps if (pod := _first(app, _dying)) is not None]
    return down + [(app, pod) for app, pod in dying if app.name not in known]


def _first(app: App, what: Callable[[Pod], bool]) -> Pod | None:
    return next((pod for pod in app.pods if what(pod)), None)


def _dying(pod: Pod) -> bool:
    lately = pod.restarted_s if pod.restarted_s is not None else pod.age_s
    return pod.restarts >= 2 and (lately is None or lately <= RESTARTED_LATELY_S)


def described(pod: Pod) -> bool:
    """More is known of it than its line in a list."""
    return bool(pod.spec.containers)


def one_machine(seen: Seen) -> Iterator[Want]:
    """Many fail, and all of them in one place."""
    on: dict[str, set[str]] = {}
    for app, pod in sick(seen.scene):
        if pod.node and unwell(pod):
            on.setdefault(pod.node, set()).add(app.name)
    if len(on) == 1 and len(next(iter(on.values()))) >= TOGETHER:
        yield Want("list", "node")


def machines(seen: Seen) -> Iterator[Want]:
    """A machine that is not ready: which of its daemons died."""
    for node in seen.scene.state.nodes:
        if node.ready is False:
            yield from (Want("daemon", unit, node.name) for unit in _MACHINE)


def pods(seen: Seen) -> Iterator[Want]:
    """What a pod that does not serve says of itself; on a lost machine none says anything."""
    if not any(node.ready is False for node in seen.scene.state.nodes):
        for _, pod in sick(seen.scene)[:LOOKED_AT]:
            yield Want("describe", "pod", pod.name)
            yield Want("events", "pod", pod.name)


def waiting(seen: Seen) -> Iterator[Want]:
    """What a pod waits for: its storage, else a machine that takes it."""
    for app, pod in sick(seen.scene)[:LOOKED_AT]:
        if not _waits(pod):
            continue
        said = " ".join(e.message.lower() for e in seen.scene.events_of(app) if e.warning)
        if any(word in said for word in _STORAGE):
            yield Want("list", "claim")
            yield Want("list", "volume")
            yield Want("manifest", name=app.name)
        else:
            yield Want("list", "node")


def _waits(pod: Pod) -> bool:
    early = pod.status in ("Pending", "ContainerCreating") or pod.status.startswith("Init:")
    return described(pod) and (early or pod.phase == "Pending")


def nobody_places(seen: Seen) -> Iterator[Want]:
    """A pod that waits for a machine, and nobody says why: does anybody place pods at all?"""
    scene = seen.scene
    if any(_waits(p) and not p.node and not any(scene.events_of(a)) for a, p in sick(scene)):
        yield from (Want("daemon", _PLACING, n.name) for n in scene.state.nodes if _controls(n))


def _controls(node: Node) -> bool:
    """A machine of the control plane, by its labels."""
    return any(
        label.endswith(_IN_CONTROL) or value in _IN_CONTROL for label, value in node.labels.items()
    )


def refused(seen: Seen) -> Iterator[Want]:
    """Something is declared and is not there: did a quota refuse it?"""
    state = seen.scene.state
    read = {"claim": state.claims, "service": state.services}
    for kind, objects in read.items():
        if seen.has_list(kind) and any(not one.observed for one in objects):
            yield Want("list", "quota")


def owners(seen: Seen) -> Iterator[Want]:
    """Who made the pod that is accused: a pod is nobody's name for a service."""
    for suspect in seen.suspects[:1]:
        app = seen.scene.by_name.get(suspect.entity.name)
        if app is not None and app.workload is None and app.pods and app.pods[0].owner is None:
            yield Want("describe", "pod", app.pods[0].name)


def unresolved(seen: Seen) -> Iterator[Want]:
    """A name that does not resolve: is there such a service?"""
    for app, _ in sick(seen.scene):
        said = seen.scene.logs.get(app.name, ())
        if any(word in one.lower for one in said for word in _UNRESOLVED):
            yield Want("list", "service")


LEADS: Final[tuple[Lead, ...]] = (
    one_machine,
    machines,
    pods,
    waiting,
    nobody_places,
    refused,
    owners,
    unresolved,
)
