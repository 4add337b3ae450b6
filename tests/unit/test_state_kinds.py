"""What breaks on any cluster: each fault is named first, and its healed twin accuses nobody.

The twin keeps the events of the fault: what has cleared since is history.
"""

import pytest
from cluster_faults.fault import WEB
from cluster_faults.placing import ADMISSION, SCHEDULING
from cluster_faults.starting import RUNNING, STARTING
from cluster_faults.storage import STORAGE
from cluster_faults.surroundings import MACHINES, ROUTING, TRUST, fenced
from cluster_faults.workloads import LOW, WORKLOADS, job, left_behind
from clusters import event, first, healthy, pod, raised, seen, service

FAULTS = {
    **ADMISSION,
    **SCHEDULING,
    **STORAGE,
    **STARTING,
    **RUNNING,
    **WORKLOADS,
    **ROUTING,
    **TRUST,
    **MACHINES,
}


@pytest.mark.parametrize("what", FAULTS)
def test_the_fault_is_named_first(what: str) -> None:
    fault = FAULTS[what]
    scene = seen(*fault.broken, *fault.events, logs=fault.logs)
    assert first(scene) == (*fault.entity, fault.kind)


@pytest.mark.parametrize("what", [name for name in FAULTS if "controller calls" not in name])
def test_its_healed_twin_accuses_nobody_whatever_was_said_before(what: str) -> None:
    fault = FAULTS[what]
    assert [one.kind for one in raised(seen(*fault.healed, *fault.events))] == []


def test_an_expired_certificate_of_an_hour_ago_is_history() -> None:
    old = event("Certificate", "web-tls", "Expired", "Certificate expired", last=3600)
    assert raised(seen(*healthy(WEB), old)) == []


def test_an_eviction_that_a_budget_forbids_is_named() -> None:
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    blocked = event("Pod", "web-1", "EvictionBlocked", message)
    assert first(seen(*healthy(WEB), blocked))[2] == "disruption_budget_blocks_eviction"
    old = event("Pod", "web-1", "EvictionBlocked", message, last=3600)
    assert raised(seen(*healthy(WEB), old)) == []


def test_a_namespace_closed_by_default_and_opened_where_needed_is_in_order() -> None:
    closed = fenced(podSelector={}, policyTypes=["Ingress"])
    opened = fenced(podSelector={"matchLabels": {"app": WEB}}, ingress=[{"from": []}])
    opened["metadata"]["name"] = "web"
    assert raised(seen(*healthy(WEB), closed, opened)) == []
    (forgotten,) = raised(seen(*healthy(WEB), *healthy("cart"), closed, opened))
    assert forgotten.entity.name == "cart"


def test_a_headless_service_without_a_selector_is_not_accused() -> None:
    by_hand = service("outside", selector={}, clusterIP="None")
    assert raised(seen(*healthy(WEB), by_hand)) == []


def test_one_dead_pod_among_replacements_hides_no_new_one_that_fails() -> None:
    last = {"terminated": {"exitCode": 139, "reason": "Error"}}
    failing = pod(WEB, "CrashLoopBackOff", status={"restartCount": 4, "lastState": last})
    failing["metadata"]["name"] = "web-3"
    assert first(seen(*left_behind(LOW), failing))[2] == "container_segmentation_fault"


def test_jobs_of_a_cron_job_that_was_not_read_are_called_after_it() -> None:
    (one,) = job({"conditions": [{"type": "Failed", "status": "True"}]})
    one["metadata"] |= {
        "name": "nightly-29100000",
        "ownerReferences": [{"kind": "CronJob", "name": "nightly"}],
    }
    assert first(seen(one)) == ("service", "nightly", "job_failed")
