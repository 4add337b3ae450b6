"""Pods of which only a line of a list was read: its one word, and nothing of its containers."""

from collections.abc import Iterator

from aiops.analyze.state.holds_now import unwell
from aiops.analyze.state.raising import FITS, SYMPTOM, raised
from aiops.analyze.state.scene import Scene
from aiops.model import FaultType, Hypothesis
from aiops.model.cluster import Pod

_WORDS: dict[str, tuple[str, FaultType, float]] = {
    "CrashLoopBackOff": ("container_keeps_crashing", FaultType.CRASH, SYMPTOM),
    "Error": ("container_keeps_crashing", FaultType.CRASH, SYMPTOM),
    "OOMKilled": ("container_memory_limit_too_low_oom_killed", FaultType.OOM, FITS),
    "RunContainerError": ("container_not_startable", FaultType.BAD_DEPLOY, SYMPTOM),
    "StartError": ("container_not_startable", FaultType.BAD_DEPLOY, SYMPTOM),
    "CreateContainerConfigError": ("referenced_settings_missing", FaultType.BAD_CONFIG, FITS),
    "CreateContainerError": ("container_not_creatable", FaultType.BAD_DEPLOY, SYMPTOM),
    "Unknown": ("pod_on_lost_node", FaultType.NODE, SYMPTOM),
    "NodeLost": ("pod_on_lost_node", FaultType.NODE, SYMPTOM),
    "ContainerStatusUnknown": ("pod_on_lost_node", FaultType.NODE, SYMPTOM),
}
"""kubectl's word for a pod, and what it means where nothing else is known."""
_NOT_READY = ("pod_not_ready", FaultType.UNKNOWN, SYMPTOM * SYMPTOM)


def words(scene: Scene) -> Iterator[Hypothesis]:
    """What the list says of pods that do not serve."""
    for app in scene.apps:
        bad = [pod for pod in app.pods if unwell(pod) and not pod.spec.containers]
        told = [(pod, found) for pod in bad if (found := _told(pod)) is not None]
        if not told:
            continue
        pod, (kind, fault, telling) = max(told, key=lambda one: one[1][2])
        yield raised(
            app.entity,
            fault,
            kind,
            telling,
            [scene.read(f"{pod.name} is listed as {pod.status or 'not ready'}", pod.sources)],
            affected=len(bad),
            refuted_by=f"a description of {pod.name} that gives another reason",
            explains=scene.caller_entities(app.name),
        )


def _told(pod: Pod) -> tuple[str, FaultType, float] | None:
    if pod.status.startswith("Init:"):
        return "init_container_fails", FaultType.BAD_DEPLOY, SYMPTOM
    if pod.status in ("Running", "Pending"):
        return _NOT_READY
    return _WORDS.get(pod.status)


RULES = (words,)
