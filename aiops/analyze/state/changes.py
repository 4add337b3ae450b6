"""What changed just before the trouble: the first question of every incident.

A snapshot tells when objects were made and what controllers did. A change counts where it stands
out: in a system that was just set up as a whole, everything is new and nothing is a change.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from aiops.analyze.state.raising import FITS, SYMPTOM, raised
from aiops.analyze.state.scene import App, Scene, scene
from aiops.analyze.wording import duration
from aiops.model import CaseData, Entity, Episode, Evidence, FaultType, Hypothesis, Reading
from aiops.model.cluster import ClusterObject, Event, Workload

LEAD_S = 1800.0
"""Seconds before the onset within which a change is a candidate: rollouts bite at once or within
the minutes it takes caches to expire and pods to be replaced."""
LAG_S = 120.0
"""Seconds after the onset that a change may still seem to come: clocks and alert delays."""
RARE = 0.2
"""Share of the objects of its kind that may have changed as lately, for a change to stand out."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was done.

    Attributes:
        ago_s: seconds before the snapshot.
        kind: in plain words.
    """

    entity: Entity
    kind: str
    fault: FaultType
    ago_s: float
    claim: str
    source: str
    event: bool = False


class ChangeReader:
    """Reads rollouts, scalings, new settings and policies out of the cluster's state."""

    name = "changes"
    modality = "changes"

    def read(self, case: CaseData, episode: Episode, *, seed: int = 0) -> Reading:
        """One hypothesis a change shortly before the onset; see Reader.read."""
        del seed
        seen = scene(case)
        if seen.state.empty:
            return Reading(missing=True)
        onset_ago = (case.window.end - episode.onset).total_seconds()
        changes = list(changes_of(seen))
        near = [one for one in changes if onset_ago - LAG_S <= one.ago_s <= onset_ago + LEAD_S]
        found: dict[tuple[Entity, str], Hypothesis] = {}
        for one in near:
            hypothesis = _raised(seen, one, onset_ago)
            key = (one.entity, one.kind)
            if key not in found or hypothesis.strength > found[key].strength:
                found[key] = hypothesis
        ordered = sorted(found.values(), key=lambda h: (-h.strength, h.entity.name, h.kind))
        return Reading(tuple(ordered), notes=seen.state.notes)


def changes_of(scene: Scene) -> Iterator[Change]:
    """Every change the snapshot tells of that is not part of setting up everything."""
    yield from _rollouts(scene)
    yield from _scalings(scene)
    yield from _young(scene)
    yield from _machines(scene)


def _rollouts(scene: Scene) -> Iterator[Change]:
    """A replica set much younger than its deployment is a new version of it."""
    for workload in scene.state.workloads:
        app = scene.app_of.get(workload.key)
        if workload.type != "replicaset" or app is None or app.workload is None:
            continue
        if not workload.desired or workload.age_s is None or not _second(app.workload, workload):
            continue
        yield Change(
            app.entity,
            "new_version_rolled_out",
            FaultType.BAD_DEPLOY,
            workload.age_s,
            f"{app.name} got a new version ({workload.name}) {duration(workload.age_s)} before the "
            "cluster was read",
            _source(workload),
        )


def _scalings(scene: Scene) -> Iterator[Change]:
    """Controllers tell of scaling that is not part of a first rollout."""
    for event in scene.state.events:
        app = scene.app_of.get(event.about)
        if event.reason not in ("ScalingReplicaSet", "SuccessfulRescale") or app is None:
            continue
        if event.last_s is None or not event.message or _first_rollout(app, event):
            continue
        yield Change(
            app.entity,
            "replicas_changed",
            FaultType.BAD_DEPLOY,
            event.last_s,
            f"{app.name}: {event.message}",
            event.source,
            event=True,
        )


def _young(scene: Scene) -> Iterator[Change]:
    """Settings, policies and services that are younger than most of their kind."""
    families: tuple[tuple[str, FaultType, tuple[ClusterObject, ...]], ...] = (
        ("config_map_created", FaultType.BAD_CONFIG, scene.state.config_maps),
        ("network_policy_created", FaultType.NETWORK_PARTITION, scene.state.policies),
        ("quota_created", FaultType.QUOTA, scene.state.quotas),
        ("service_created", FaultType.BAD_CONFIG, scene.state.services),
    )
    workloads = [one.age_s for one in scene.state.workloads if one.age_s is not None]
    for kind, fault, objects in families:
        for one in objects:
            if one.age_s is None or not one.observed or _share_younger(workloads, one.age_s) > RARE:
                continue
            entity = Entity("namespace", one.namespace or "", cluster=one.cluster)
            if kind == "service_created" and one.name in scene.app_of_service:
                entity = scene.app_of_service[one.name].entity
            yield Change(
                entity, kind, fault, one.age_s, f"{one.kind} {one.name} is new", _source(one)
            )


def _machines(scene: Scene) -> Iterator[Change]:
    """What happened to machines: cordons, reboots, new ones."""
    for event in scene.state.events:
        if event.about[0] == "node" and event.last_s is not None:
            kind = {
                "NodeNotSchedulable": "node_cordoned",
                "Rebooted": "node_rebooted",
                "RegisteredNode": "node_registered",
            }.get(event.reason)
            if kind is not None:
                yield Change(
                    Entity("node", event.about[2]),
                    kind,
                    FaultType.NODE,
                    event.last_s,
                    f"node {event.about[2]}: {event.message or event.reason}",
                    event.source,
                    event=True,
                )


def _raised(scene: Scene, one: Change, onset_ago: float) -> Hypothesis:
    before_s = max(0.0, one.ago_s - onset_ago)
    nearness = math.exp(-before_s / LEAD_S)
    evidence = Evidence(
        "", "event" if one.event else "change", one.claim, "cluster state", scene.window, one.source
    )
    hypothesis = raised(
        one.entity,
        one.fault,
        one.kind,
        SYMPTOM * (FITS + (1 - FITS) * nearness),
        [evidence],
        refuted_by="undoing the change without effect, or trouble that began before it",
    )
    return replace(hypothesis, explains=tuple(scene.caller_entities(one.entity.name)))


def _second(owner: Workload, made: Workload) -> bool:
    """Not the first version: the owner is much older, or counts further than one."""
    if owner.age_s is not None and made.age_s is not None and owner.age_s > 2 * made.age_s + LAG_S:
        return True
    return (made.revision or owner.revision or 1) > 1


def _first_rollout(app: App, event: Event) -> bool:
    age = app.workload.age_s if app.workload else None
    return age is not None and event.last_s is not None and age - event.last_s < LAG_S


def _share_younger(ages: list[float], age: float) -> float:
    return sum(one <= age * 1.5 for one in ages) / len(ages) if ages else 1.0


def _source(one: ClusterObject) -> str:
    return one.sources[0] if one.sources else ""
