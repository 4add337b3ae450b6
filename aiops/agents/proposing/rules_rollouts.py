"""Rules about what was rolled out, and of how much: back to what it was before."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from aiops.agents.proposing.patient import Patient, Version
from aiops.agents.proposing.remedy import Move, Remedy
from aiops.analyze.state.changes import LAG_S, LEAD_S
from aiops.analyze.state.holds_now import short
from aiops.analyze.wording import duration
from aiops.model.pod_spec import PodSpec

_STUCK: Final = "ProgressDeadlineExceeded"
"""What a Deployment says of a rollout that does not get on (Kubernetes documentation,
"Deployments", "Failed Deployment")."""


def undo(patient: Patient) -> Iterator[Remedy]:
    """Back to the version before, where a new one came shortly before the trouble or is stuck."""
    if not patient.versions():
        return
    newest, *others = patient.versions()
    why = _to_blame(patient, newest, others)
    for earlier in others if why else ():
        other = _difference(earlier.spec, newest.spec)
        if other:
            yield Remedy(
                (Move("rollout_undo", {**patient.place, "to_revision": earlier.number}),),
                f"{patient.workload.name} {why}, and {other}; revision {earlier.number} is the "
                "one before that differs",
            )
            return


def _to_blame(patient: Patient, newest: Version, others: Sequence[Version]) -> str:
    """Why the newest version is, in words; "" where it is not."""
    serving = [one.number for one in others if one.ready]
    stuck = any(one.reason == _STUCK for one in patient.workload.conditions)
    if stuck and not newest.ready and serving:
        return (
            f"does not get on with revision {newest.number}, none of whose pods is ready while "
            f"revision {serving[0]} still serves"
        )
    if newest.age_s is None or not others:
        return ""
    before_s = newest.age_s - patient.onset_ago_s
    # A replica set that is older than lower revisions was taken up again: somebody went back.
    went_back = any(newest.age_s > (one.age_s or 0.0) for one in others)
    if went_back or not -LAG_S <= before_s <= LEAD_S:
        return ""
    when = f"{duration(before_s)} before" if before_s >= 0 else "at"
    return f"got revision {newest.number} {when} the onset"


def scale_back(patient: Patient) -> Iterator[Remedy]:
    """Replicas for what was scaled to nothing: as many as it had."""
    workload = patient.workload
    if workload.desired != 0 or workload.type not in ("deployment", "statefulset"):
        return
    had, said = _had(patient)
    yield Remedy(
        (Move("scale", {**patient.place, "replicas": had}),),
        f"{workload.name} wants 0 replicas, so nothing serves; {said}",
    )


def replicas_back(patient: Patient) -> Iterator[Remedy]:
    """As many replicas as before, where some were taken away shortly before the trouble.

    Not where an autoscaler chooses how many there are.
    """
    workload, newest = patient.workload, next(iter(patient.versions()), None)
    if newest is None or not workload.desired or patient.autoscaler is not None:
        return
    for event in patient.scene.events_of(patient.app):
        found = _TAKEN.search(event.message)
        if found is None or found["set"] != newest.name or event.last_s is None:
            continue
        had, left = int(found["had"] or found["from"]), int(found["left"] or found["to"])
        before_s = event.last_s - patient.onset_ago_s
        if left == workload.desired < had and -LAG_S <= before_s <= LEAD_S:
            yield Remedy(
                (Move("scale", {**patient.place, "replicas": had}),),
                f"{workload.name} had {had} replicas until shortly before the onset: "
                f'"{event.message}"',
            )
            return


def resume(patient: Patient) -> Iterator[Remedy]:
    """A paused rollout that leaves it short goes on."""
    if patient.workload.paused and patient.workload.type == "deployment" and short(patient.app):
        place = {name: value for name, value in patient.place.items() if name != "kind"}
        yield Remedy(
            (Move("rollout_resume", place),),
            f"the rollout of {patient.workload.name} is paused, and {short(patient.app)} of its "
            "pods are missing or not ready",
        )


def _difference(earlier: PodSpec, newest: PodSpec) -> str:
    """What the newest template has otherwise, in words; "" where nothing that matters."""
    if earlier == newest:
        return ""
    before = {one.name: one for one in earlier.containers}
    for one in newest.containers:
        was = before.get(one.name)
        if was is not None and was.image != one.image:
            return f"runs image {one.image} where it ran {was.image}"
        if was is not None and was.variables != one.variables:
            then = {each.name: each for each in was.variables}
            names = [each.name for each in one.variables if then.get(each.name) != each]
            return f"has another {', '.join(names) or 'environment'}"
        if was is not None and (was.limits, was.requests) != (one.limits, one.requests):
            return "has other resources"
    return "has another pod template"


_TAKEN = re.compile(
    r"Scaled down replica set (?P<set>\S+) "
    r"(?:to (?P<left>\d{1,4}) from (?P<had>\d{1,4})|from (?P<from>\d{1,4}) to (?P<to>\d{1,4}))"
)
_SCALED = re.compile(r"from (?P<from>\d{1,4})(?: to \d|$)|to 0 from (?P<was>\d{1,4})")


def _had(patient: Patient) -> tuple[int, str]:
    """How many replicas it had, and how that is known."""
    events = sorted(patient.scene.events_of(patient.app), key=lambda one: one.last_s or 0.0)
    for event in events:
        found = _SCALED.search(event.message)
        number = int(found["from"] or found["was"]) if found else 0
        if number:
            return number, f'it had {number}: "{event.message}"'
    return 1, "how many it had is not told, so one"
