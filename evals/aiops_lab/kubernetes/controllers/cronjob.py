"""CronJobs: a Job whenever the schedule says so (pkg/controller/cronjob)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from aiops_lab.kubernetes.cluster import Cluster, moment_of, timestamp
from aiops_lab.kubernetes.controllers.common import (
    SYSTEM,
    Name,
    condition,
    owned_by,
    owner_reference,
    touched_owner,
)
from aiops_lab.kubernetes.controllers.events import Events
from aiops_lab.kubernetes.deleting import DeleteOptions, delete
from aiops_lab.kubernetes.problems import Refused
from aiops_lab.kubernetes.schedules import read_schedule
from aiops_lab.kubernetes.store import Change, Object
from aiops_lab.kubernetes.writing import Writer

RESOURCE, JOBS = "cronjobs.batch", "jobs.batch"
BY = "cronjob-controller"
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"


class CronJobs:
    """Makes Jobs on time, and drops the oldest of those that have ended."""

    locks = True

    def __init__(self, cluster: Cluster, writer: Writer, events: Events) -> None:
        self._cluster, self._writer, self._events = cluster, writer, events

    def touched(self, change: Change) -> Iterable[Name]:
        """A CronJob, or one whose Job changed."""
        if change.now.key[0] == RESOURCE:
            return [change.now.key[1:]]
        return touched_owner(change, "CronJob") if change.now.key[0] == JOBS else ()

    def reconcile(self, name: Name) -> float | None:
        """Make the Job that is due, then the status; seconds until the next is."""
        cron = self._cluster.find(RESOURCE, *name)
        if cron is None or cron["metadata"].get("deletionTimestamp"):
            return None
        spec, now = cron["spec"], self._cluster.clock.now()
        schedule = read_schedule(spec["schedule"], spec.get("timeZone"))
        due = None if spec.get("suspend") else schedule.latest(now)
        if due is not None and self._is_missed(cron, due, now):
            due = None
        made = due is not None and self._run(cron, due)
        self._prune(cron)
        self._report(cron, due if made else None)
        if spec.get("suspend"):
            return None
        return max((schedule.following(now) - now).total_seconds(), 0.001)

    def _is_missed(self, cron: Object, due: datetime, now: datetime) -> bool:
        """Whether a time is done with: it was before the CronJob, was seen to, or is too old."""
        status = cron.get("status") or {}
        since = status.get("lastScheduleTime") or cron["metadata"]["creationTimestamp"]
        deadline_s = cron["spec"].get("startingDeadlineSeconds")
        late = deadline_s is not None and now - due > timedelta(seconds=deadline_s)
        return due <= moment_of(since) or late

    def _run(self, cron: Object, due: datetime) -> bool:
        """Make a Job, unless one that still runs is in its way; whether it is there."""
        active = [job for job in self._jobs(cron) if not _ended(job)]
        policy = cron["spec"]["concurrencyPolicy"]
        if active and policy == "Forbid":  # it begins when that one has ended
            text = "Not starting job because prior execution is running and policy is Forbid"
            self._events.normal(cron, "JobAlreadyActive", text, BY)
            return False
        if policy == "Replace":
            for job in active:
                self._delete(cron, job)
        metadata, template = cron["metadata"], cron["spec"]["jobTemplate"]
        own = template.get("metadata") or {}
        body = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": f"{metadata['name']}-{int(due.timestamp()) // 60}",
                "namespace": metadata["namespace"],
                "labels": own.get("labels") or {},
                "annotations": {**(own.get("annotations") or {}), SCHEDULED: timestamp(due)},
                "ownerReferences": [owner_reference(cron)],
            },
            "spec": template["spec"],
        }
        try:
            kind = self._cluster.kind(JOBS)
            made = self._writer.create(kind, metadata["namespace"], body, SYSTEM).object
        except Refused as refused:
            self._events.warning(cron, "FailedCreate", f"Error creating job: {refused}", BY)
            return refused.reason == "AlreadyExists"
        text = f"Created job {made['metadata']['name']}"
        self._events.normal(cron, "SuccessfulCreate", text, BY)
        return True

    def _jobs(self, cron: Object) -> list[Object]:
        return owned_by(cron, self._cluster.every(JOBS, cron["metadata"]["namespace"]))

    def _prune(self, cron: Object) -> None:
        spec = cron["spec"]
        for outcome, limit in (
            ("Complete", spec["successfulJobsHistoryLimit"]),
            ("Failed", spec["failedJobsHistoryLimit"]),
        ):
            ended = [job for job in self._jobs(cron) if _ended(job) == outcome]
            ended.sort(key=lambda job: job["metadata"]["creationTimestamp"])
            for job in ended[: max(len(ended) - limit, 0)]:
                self._delete(cron, job)

    def _delete(self, cron: Object, job: Object) -> None:
        kind, name = self._cluster.kind(JOBS), job["metadata"]["name"]
        delete(self._cluster, kind, job["metadata"]["namespace"], name, DeleteOptions())
        self._events.normal(cron, "SuccessfulDelete", f"Deleted job {name}", BY)

    def _report(self, cron: Object, due: datetime | None) -> None:
        jobs, status = self._jobs(cron), dict(cron.get("status") or {})
        active = [job for job in jobs if not _ended(job)]
        status.pop("active", None)
        if active:
            status["active"] = [_reference(job) for job in active]
        if due is not None:
            status["lastScheduleTime"] = timestamp(due)
        done = [job["status"]["completionTime"] for job in jobs if _ended(job) == "Complete"]
        if done:
            status["lastSuccessfulTime"] = max(done)
        self._cluster.change(cron, status=status)


def _ended(job: Object) -> str:
    """How a Job has ended; empty: it has not."""
    for outcome in ("Complete", "Failed"):
        if condition(job, outcome).get("status") == "True":
            return outcome
    return ""


def _reference(job: Object) -> Object:
    metadata = job["metadata"]
    kept = {name: metadata[name] for name in ("name", "namespace", "uid", "resourceVersion")}
    return {"apiVersion": job["apiVersion"], "kind": job["kind"], **kept}
