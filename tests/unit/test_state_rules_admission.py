"""Objects the API server turns away."""

import pytest
from clusters import deployment, event, first, raised, seen

from aiops.model import Entity


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        ("requests.cpu=1", "cpu_quota_of_namespace_used_up"),
        ("limits.memory=1Gi", "memory_quota_of_namespace_used_up"),
        ("pods=1", "pod_quota_of_namespace_used_up"),
        ("count/deployments.apps=1", "deployment_quota_of_namespace_used_up"),
    ],
)
def test_a_full_quota_accuses_its_namespace_and_explains_what_it_blocks(
    resource: str, kind: str
) -> None:
    message = f'pods "web-" is forbidden: exceeded quota: q, requested: {resource}, used: 9'
    scene = seen(deployment("web", 0), event("Deployment", "web", "FailedCreate", message))
    assert first(scene) == ("namespace", "shop", kind)
    assert raised(scene)[0].explains == (Entity("service", "web", namespace="shop"),)


def test_a_missing_service_account_that_still_blocks_is_named() -> None:
    message = 'error looking up service account shop/webb: serviceaccount "webb" not found'
    scene = seen(deployment("web", 0), event("Deployment", "web", "FailedCreate", message))
    assert first(scene) == ("service", "web", "service_account_not_found")


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("maximum memory usage per Container is 1Gi", "limit_range_violated"),
        ('violates PodSecurity "restricted:latest"', "pod_security_standard_violated"),
        ('no PriorityClass with name "high" was found', "priority_class_missing"),
        ('failed calling webhook "a.b": connection refused', "admission_webhook_unreachable"),
    ],
)
def test_other_refusals_are_named(message: str, kind: str) -> None:
    scene = seen(deployment("web", 0), event("Deployment", "web", "FailedCreate", message))
    assert first(scene) == ("service", "web", kind)
