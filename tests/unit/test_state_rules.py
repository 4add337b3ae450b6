"""Rules over general Kubernetes semantics, each on a small cluster made for it."""

from clusters import crashing, event, healthy, node, pending, raised, seen


def test_a_cluster_in_order_accuses_nobody() -> None:
    scene = seen(*healthy("web"), *healthy("cart"), node("n1"))
    assert [h.kind for h in raised(scene)] == []


def test_noise_from_before_everything_came_up_accuses_nobody() -> None:
    scene = seen(
        *healthy("web"),
        event("Deployment", "web", "FailedCreate", 'serviceaccount "web" not found', last=100),
        event("Pod", "web-1", "Unhealthy", "Readiness probe failed: connection refused", last=90),
        event("Pod", "web-1", "FailedScheduling", "0/1 nodes: 1 Insufficient cpu", last=100),
        event("Pod", "web-1", "FailedMount", "timed out waiting for the condition", last=80),
    )
    assert raised(scene) == []


def test_every_hypothesis_says_what_would_refute_it() -> None:
    message = "0/1 nodes are available: 1 Insufficient cpu."
    for scene in (pending(message, node("n1")), seen(*crashing())):
        assert all(hypothesis.refuted_by for hypothesis in raised(scene))
