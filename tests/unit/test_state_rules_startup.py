"""Pods that have a node and do not start."""

import pytest
from clusters import deployment, event, first, pod, seen


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("lookup r.test: no such host", "image_registry_name_not_resolved_by_dns"),
        ("failed to authorize: 401 Unauthorized", "image_pull_secret_missing_or_refused"),
        ("manifest unknown: not found", "image_reference_wrong"),
        ("x509: certificate signed by unknown authority", "image_registry_certificate_not_trusted"),
        ("429 toomanyrequests", "image_registry_rate_limit"),
    ],
)
def test_a_failed_pull_is_named_by_what_it_says(said: str, kind: str) -> None:
    message = f'Failed to pull image "r.test/web:1": {said}'
    scene = seen(
        deployment("web", 0),
        pod("web", "ImagePullBackOff"),
        event("Pod", "web-1", "Failed", message),
    )
    assert first(scene) == ("service", "web", kind)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ('secret "a" not found', "referenced_secret_missing"),
        ('configmap "a" not found', "referenced_config_map_missing"),
        ("couldn't find key k in ConfigMap shop/a", "key_missing_in_config_map"),
        (
            "container has runAsNonRoot and image will run as root",
            "image_runs_as_root_where_forbidden",
        ),
    ],
)
def test_a_container_that_cannot_be_made_is_named(message: str, kind: str) -> None:
    scene = seen(
        deployment("web", 0),
        pod("web", "CreateContainerConfigError"),
        event("Pod", "web-1", "Failed", f"Error: {message}"),
    )
    assert first(scene) == ("service", "web", kind)
