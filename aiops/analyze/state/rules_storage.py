"""Claims without a volume, and volumes that cannot be mounted."""

import re
from collections.abc import Iterator

from aiops.analyze.state.holds_now import current, short
from aiops.analyze.state.raising import CONTRADICTION, FITS, NAMED, SYMPTOM, raised
from aiops.analyze.state.scene import App, Scene
from aiops.analyze.wording import quantity
from aiops.model import Evidence, FaultType, Hypothesis
from aiops.model.cluster import Claim, Event, PersistentVolume

_TAKEN = 2.0
"""Misfits that a volume left behind by a deleted claim counts for: such volumes lie about in every
cluster, while one that a living claim holds was taken away from somebody."""
_MOUNTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"Multi-Attach error"), "volume_attached_to_another_node"),
    (
        re.compile(r"permission denied|access denied|operation not permitted", re.I),
        "volume_mount_permission_denied_by_node",
    ),
    (
        re.compile(r"hostPath type check failed|no such file or directory|does not exist", re.I),
        "volume_path_missing_on_node",
    ),
    (
        re.compile(r"wrong fs type|bad superblock|mount failed: exit status 32"),
        "volume_file_system_not_mountable",
    ),
    (re.compile(r"no space left", re.I), "volume_full"),
    (
        re.compile(r"Connection (?:refused|timed out)|No route to host", re.I),
        "volume_server_unreachable",
    ),
    (re.compile(r"driver name .* not found|CSI"), "volume_driver_missing"),
)
"""What the kubelet says of a volume it cannot mount."""


def claims(scene: Scene) -> Iterator[Hypothesis]:
    """A claim that is not bound: what it asks for against what the volumes offer."""
    for claim in scene.state.claims:
        if not claim.observed or claim.phase in ("Bound", ""):
            continue
        app = _user(scene, claim)
        if app is None or not short(app):
            continue
        events = scene.events_about.get(claim.key, ())
        support = [
            scene.read(
                f"claim {claim.name} is {claim.phase.lower()}: {event.message}",
                (event.source,),
                "event",
            )
            for event in events[-1:]
        ] or [scene.read(f"claim {claim.name} is {claim.phase.lower()}", claim.sources)]
        for rank, (kind, telling, evidence) in enumerate(_unbound(scene, claim, events)):
            yield raised(
                app.entity,
                FaultType.STORAGE,
                kind,
                telling if rank == 0 else telling * SYMPTOM,
                [*support, evidence],
                affected=max(short(app), 1),
                indicator=claim.name,
                refuted_by=f"claim {claim.name} being bound",
            )


def missing_claims(scene: Scene) -> Iterator[Hypothesis]:
    """A pod mounts a claim that does not exist."""
    for app in scene.apps:
        if not short(app):
            continue
        for event in scene.events_of(app):
            found = re.search(r'persistentvolumeclaim "([\w.-]+)" not found', event.message)
            if found and not any(
                one.name == found[1] and one.namespace == app.entity.namespace and one.observed
                for one in scene.state.claims
            ):
                yield raised(
                    app.entity,
                    FaultType.STORAGE,
                    "referenced_claim_missing",
                    FITS,
                    [scene.read(event.message, (event.source,), "event")],
                    refuted_by=f"claim {found[1]} listed by the API server",
                )
                break


def mounts(scene: Scene) -> Iterator[Hypothesis]:
    """The kubelet cannot attach or mount a volume of a pod that waits for it."""
    for app in scene.apps:
        if not short(app):
            continue
        for event in scene.events_of(app):
            if event.reason not in ("FailedMount", "FailedAttachVolume", "FailedMapVolume"):
                continue
            if not current(event) or not _waits(app, event):
                continue
            found = re.search(r'(secret|configmap) "([\w.-]+)" not found', event.message)
            kind, fault = _mount_kind(event, found[1] if found else "")
            yield raised(
                app.entity,
                fault,
                kind,
                NAMED if kind != "volume_not_mounted" else SYMPTOM,
                [scene.read(event.message, (event.source,), "event")],
                affected=short(app),
                refuted_by=f"the volumes of {app.name} being mounted",
            )
            break


def _mount_kind(event: Event, missing: str) -> tuple[str, FaultType]:
    if missing:
        return f"referenced_{missing}_missing".replace(
            "configmap", "config_map"
        ), FaultType.BAD_CONFIG
    for pattern, kind in _MOUNTS:
        if pattern.search(event.message):
            return kind, FaultType.STORAGE
    return "volume_not_mounted", FaultType.STORAGE


def _waits(app: App, event: Event) -> bool:
    return any(
        (
            pod.key == event.about
            and pod.status in ("ContainerCreating", "Pending", "PodInitializing")
        )
        or (pod.key == event.about and pod.status.startswith("Init:"))
        for pod in app.pods
    )


def _unbound(
    scene: Scene, claim: Claim, events: tuple[Event, ...]
) -> Iterator[tuple[str, float, Evidence | None]]:
    for event in events:
        if re.search(r'storageclass\S* "[^"]*" not found', event.message):
            yield "storage_class_of_claim_missing", NAMED, None
            return
    classes = {one.name for one in scene.state.storage_classes}
    if claim.storage_class and classes and claim.storage_class not in classes:
        yield "storage_class_of_claim_missing", CONTRADICTION, None
        return
    fitting = sorted(
        (_misfits(scene, claim, volume), _apart(claim, volume), volume.name, volume)
        for volume in scene.state.volumes
        if volume.observed and volume.phase != "Failed"
    )
    if not fitting:
        yield "no_volume_for_claim", FITS, None
        return
    misfits, _, _, best = fitting[0]
    for kind, words in misfits.kinds:
        evidence = scene.read(f"volume {best.name}: {words}", best.sources)
        yield kind, CONTRADICTION if len(misfits.kinds) == 1 else FITS, evidence
    if not misfits.kinds:
        yield "no_volume_for_claim", SYMPTOM, None


class _Misfits:
    """Why a volume is not what a claim asks for; compared by how much is wrong."""

    def __init__(self) -> None:
        self.kinds: list[tuple[str, str]] = []
        self.weight = 0.0

    def add(self, kind: str, words: str, weight: float = 1.0) -> None:
        self.kinds.append((kind, words))
        self.weight += weight

    def __lt__(self, other: "_Misfits") -> bool:
        return self.weight < other.weight

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Misfits) and self.weight == other.weight

    def __hash__(self) -> int:
        return hash(self.weight)


def _misfits(scene: Scene, claim: Claim, volume: PersistentVolume) -> _Misfits:
    found = _Misfits()
    own = f"{claim.namespace}/{claim.name}"
    if volume.claim and volume.claim != own:
        alive = any(
            f"{one.namespace}/{one.name}" == volume.claim and one.observed
            for one in scene.state.claims
        )
        found.add(
            "volume_already_bound_by_another_claim",
            f"held by {volume.claim}",
            1.0 if alive else _TAKEN,
        )
    elif volume.phase in ("Released", "Bound"):
        found.add("volume_already_bound_by_another_claim", f"is {volume.phase.lower()}", _TAKEN)
    if claim.volume and claim.volume != volume.name:
        found.add("claim_names_another_volume", f"the claim asks for {claim.volume}")
    wanted = claim.storage_class or ""
    if wanted != volume.storage_class:
        found.add(
            "storage_class_of_claim_differs_from_volume",
            f"class {volume.storage_class!r}, wanted {wanted!r}",
        )
    if claim.requested and volume.capacity is not None and claim.requested > volume.capacity:
        found.add(
            "claim_asks_more_capacity_than_volume",
            f"{quantity(volume.capacity, 'B')}, wanted {quantity(claim.requested, 'B')}",
        )
    lacking = set(claim.access_modes) - set(volume.access_modes)
    if lacking and volume.access_modes:
        found.add(
            "access_mode_of_claim_not_offered_by_volume",
            f"offers {', '.join(volume.access_modes)}, wanted {', '.join(sorted(lacking))}",
        )
    if not claim.selector.items() <= volume.labels.items():
        found.add(
            "selector_of_claim_matches_no_volume",
            f"labels {dict(volume.labels)}, wanted {dict(claim.selector)}",
        )
    if claim.volume_mode != volume.volume_mode:
        found.add(
            "volume_mode_of_claim_differs", f"mode {volume.volume_mode}, wanted {claim.volume_mode}"
        )
    return found


def _apart(claim: Claim, volume: PersistentVolume) -> float:
    """Seconds between the making of the two: those meant for each other are made together."""
    if claim.age_s is None or volume.age_s is None:
        return 0.0
    return abs(claim.age_s - volume.age_s)


def _user(scene: Scene, claim: Claim) -> App | None:
    for app in scene.apps:
        if app.entity.namespace != claim.namespace:
            continue
        specs = (app.spec, *(pod.spec for pod in app.pods))
        for spec in specs:
            if any(
                v.origin and v.origin.kind == "claim" and v.origin.name == claim.name
                for v in spec.volumes
            ):
                return app
    # Claims of a stateful set's template are called <template>-<pod>.
    for app in scene.apps:
        if any(claim.name.endswith(f"-{pod.name}") for pod in app.pods):
            return app
    return None


RULES = (claims, missing_claims, mounts)
