"""Jobs: pods that run until enough of them have succeeded (pkg/controller/job)."""

from collections.abc import Iterable
from datetime import timedelta

from aiops_lab.kubernetes.cluster import Cluster, moment_of
from aiops_lab.kubernetes.controllers.common import (
    SYSTEM,
    Name,
    is_active,
    is_ready,
    owned_by,
    pod_from,
    touched_with_pods,
    with_condition,
)
from aiops_lab.kubernetes.controllers.events import Events
from aiops_lab.kubernetes.deleting import DeleteOptions, delete
from aiops_lab.kubernetes.problems import Refused
from aiops_lab.kubernetes.store import Change, Object
from aiops_lab.kubernetes.writing import Writer

RESOURCE = "jobs.batch"
BY = "job-controller"
RETRY_S = 10.0


class Jobs:
    """Starts a Job's pods, counts how they end, and says when it is complete or has failed."""

    locks = True

    def __init__(self, cluster: Cluster, writer: Writer, events: Events) -> None:
        self._cluster, self._writer, self._events = cluster, writer, events

    def touched(self, change: Change) -> Iterable[Name]:
        """A Job, or one whose pod changed."""
        return touched_with_pods(change, RESOURCE, "Job")

    def reconcile(self, name: Name) -> float | None:
        """Start what is missing, or end it; then the status."""
        job = self._cluster.find(RESOURCE, *name)
        if job is None or job["metadata"].get("deletionTimestamp"):
            return None
        status = job.get("status") or {}
        if any(c["type"] in ("Complete", "Failed") for c in status.get("conditions") or ()):
            return self._expire(job)
        pods = owned_by(job, self._cluster.every("pods", name[0]))
        ended = [p["status"].get("phase") for p in pods]
        succeeded, failed = ended.count("Succeeded"), ended.count("Failed")
        active = [pod for pod in pods if is_active(pod)]
        later: float | None = None
        if not job["spec"].get("suspend"):
            later = self._start(job, active, succeeded, failed)
            pods = owned_by(job, self._cluster.every("pods", name[0]))
            active = [pod for pod in pods if is_active(pod)]
        new: Object = {
            "startTime": status.get("startTime") or self._cluster.now(),
            "active": len(active),
            "ready": sum(map(is_ready, active)),
            "succeeded": succeeded,
            "failed": failed,
            "conditions": status.get("conditions") or [],
        }
        wait_s = self._conclude(job, new, active)
        kept = {k: v for k, v in new.items() if v or k in ("ready", "startTime")}
        self._cluster.change(job, status=kept)
        waits = [wait for wait in (later, wait_s) if wait is not None]
        return min(waits) if waits else None

    def _start(
        self, job: Object, active: list[Object], succeeded: int, failed: int
    ) -> float | None:
        spec = job["spec"]
        if failed > spec["backoffLimit"]:
            return None
        wanted = spec["parallelism"]
        if "completions" in spec:
            wanted = min(wanted, spec["completions"] - succeeded)
        elif succeeded:
            wanted = len(active)
        for _ in range(wanted - len(active)):
            pod = pod_from(spec["template"], job)
            namespace = job["metadata"]["namespace"]
            try:
                made = self._writer.create(self._cluster.kind("pods"), namespace, pod, SYSTEM)
            except Refused as refused:
                text = f"Error creating: {refused.message}"
                self._events.warning(job, "FailedCreate", text, BY)
                return RETRY_S
            text = f"Created pod: {made.object['metadata']['name']}"
            self._events.normal(job, "SuccessfulCreate", text, BY)
        return None

    def _conclude(self, job: Object, status: Object, active: list[Object]) -> float | None:
        """Say that it is over where it is; else after how many seconds its deadline passes."""
        spec, later = job["spec"], None
        done = spec.get("completions", 1)
        reason = ""
        if status["succeeded"] >= done and not active:
            text = "Reached expected number of succeeded pods"
            self._end(status, "Complete", "CompletionsReached", text)
            status["completionTime"] = self._cluster.now()
            self._events.normal(job, "Completed", "Job completed", BY)
        elif status["failed"] > spec["backoffLimit"]:
            reason, text = "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        elif "activeDeadlineSeconds" in spec:
            end = moment_of(status["startTime"]) + timedelta(seconds=spec["activeDeadlineSeconds"])
            later = (end - self._cluster.clock.now()).total_seconds()
            if later <= 0:
                reason, later = "DeadlineExceeded", None
                text = "Job was active longer than specified deadline"
        if reason:
            for pod in active:
                namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
                delete(self._cluster, self._cluster.kind("pods"), namespace, name, DeleteOptions())
            status["active"] = 0
            self._end(status, "Failed", reason, text)
            self._events.warning(job, reason, text, BY)
        return later

    def _end(self, status: Object, kind: str, reason: str, text: str) -> None:
        now = self._cluster.now()
        new = {
            "type": kind,
            "status": "True",
            "lastProbeTime": now,
            "reason": reason,
            "message": text,
        }
        status["conditions"] = with_condition(status["conditions"], new, now)

    def _expire(self, job: Object) -> float | None:
        """Delete it some time after its end, where it asks for that."""
        ttl_s = job["spec"].get("ttlSecondsAfterFinished")
        if ttl_s is None:
            return None
        ended = max(c["lastTransitionTime"] for c in job["status"]["conditions"])
        left = (
            moment_of(ended) + timedelta(seconds=ttl_s) - self._cluster.clock.now()
        ).total_seconds()
        if left > 0:
            return left
        namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
        delete(self._cluster, self._cluster.kind(RESOURCE), namespace, name, DeleteOptions())
        return None
