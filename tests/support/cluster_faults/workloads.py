"""Workloads that do not run as many as they should, each kind of them."""

from typing import Any

from clusters import Api, deployment, event, healthy, meta, pod, pod_spec, service

from cluster_faults.fault import WEB, Fault

LOW = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi."
SCRATCH = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi."


def autoscaler(current: int, **status: Any) -> Api:
    return {
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta(WEB),
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": WEB}, "maxReplicas": 4},
        "status": {"currentReplicas": current, "desiredReplicas": current} | status,
    }


def evicted(message: str) -> list[Api]:
    one = pod(WEB)
    one["status"] = {"phase": "Failed", "reason": "Evicted", "message": message}
    return [deployment(WEB, 0), one, service(WEB)]


def left_behind(message: str) -> list[Api]:
    old = evicted(message)[1]
    old["metadata"]["name"] = "web-0"
    return [*healthy(WEB), old]


def gated(ready: bool) -> list[Api]:
    one = pod(WEB)
    status = {"type": "Ready", "status": "True" if ready else "False"}
    if not ready:
        status |= {
            "reason": "ReadinessGatesNotReady",
            "message": 'corresponding condition of pod readiness gate "lb/up" does not exist.',
        }
    one["status"]["conditions"] = [status]
    return [deployment(WEB, int(ready)), one, service(WEB)]


def job(status: Api, **spec: Any) -> list[Api]:
    return [
        {
            "kind": "Job",
            "metadata": meta("report"),
            "spec": {"completions": 1, "template": {"spec": pod_spec("report")}} | spec,
            "status": status,
        }
    ]


def cron_job(suspend: bool) -> list[Api]:
    template = {"spec": {"template": {"spec": pod_spec("nightly")}}}
    return [
        {
            "kind": "CronJob",
            "metadata": meta("nightly"),
            "spec": {"schedule": "0 3 * * *", "suspend": suspend, "jobTemplate": template},
        }
    ]


def daemon_set(ready: int) -> list[Api]:
    one = deployment("agent") | {
        "kind": "DaemonSet",
        "status": {"desiredNumberScheduled": 1, "numberReady": ready},
    }
    del one["spec"]["replicas"]
    made = pod("agent", "" if ready else "CreateContainerConfigError")
    made["metadata"]["ownerReferences"] = [{"kind": "DaemonSet", "name": "agent"}]
    return [one, made]


def paused(ready: int) -> list[Api]:
    one = deployment(WEB, ready, 2)
    one["spec"]["paused"] = True
    second = pod(WEB)
    second["metadata"]["name"] = "web-2"
    pods = [pod(WEB), second] if ready == 2 else [pod(WEB)]
    return [one, *pods, service(WEB)]


WORKLOADS = {
    "zero replicas": Fault(
        "workload_scaled_to_zero_replicas", [deployment(WEB, 0, 0), service(WEB)]
    ),
    "a paused rollout": Fault("rollout_paused", paused(1), healed=paused(2)),
    "an eviction": Fault("pod_evicted_for_memory", evicted(LOW), healed=left_behind(LOW)),
    "an eviction for scratch space": Fault(
        "pod_evicted_for_ephemeral_storage", evicted(SCRATCH), healed=left_behind(SCRATCH)
    ),
    "an autoscaler at its end": Fault(
        "autoscaler_at_maximum",
        [*healthy(WEB), autoscaler(4)],
        healed=[*healthy(WEB), autoscaler(2)],
    ),
    "an autoscaler that is blind": Fault(
        "autoscaler_without_metrics",
        [
            *healthy(WEB),
            autoscaler(
                2,
                conditions=[
                    {
                        "type": "ScalingActive",
                        "status": "False",
                        "reason": "FailedGetResourceMetric",
                        "message": "unable to get metrics for resource cpu",
                    }
                ],
            ),
        ],
        healed=[
            *healthy(WEB),
            autoscaler(2, conditions=[{"type": "ScalingActive", "status": "True"}]),
        ],
    ),
    "a readiness gate": Fault("readiness_gate_not_satisfied", gated(False), healed=gated(True)),
    "a job that gave up": Fault(
        "job_failed",
        job(
            {
                "failed": 7,
                "conditions": [
                    {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
                ],
            }
        ),
        healed=job({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}),
        entity=("service", "report"),
    ),
    "a suspended job": Fault(
        "job_suspended",
        job({}, suspend=True),
        healed=job({}),
        entity=("service", "report"),
    ),
    "a suspended cron job": Fault(
        "cron_job_suspended",
        cron_job(True),
        healed=cron_job(False),
        entity=("service", "nightly"),
    ),
    "a daemon set": Fault(
        "referenced_config_map_missing",
        daemon_set(0),
        [event("Pod", "agent-1", "Failed", 'Error: configmap "agent" not found')],
        daemon_set(1),
        entity=("service", "agent"),
    ),
}
