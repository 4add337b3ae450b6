"""Experiments of Chaos Mesh, applied with kubectl, are felt in a running lab and pass."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lab_kubectl import Kubectl, kubectls
from small_lab import Seen, broken_lab, eventually

pytestmark = pytest.mark.skipif(not kubectls(), reason="there is no kubectl")
Apply = Callable[..., None]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    with broken_lab(tmp_path_factory.mktemp("kiosk")) as up:
        yield up


@pytest.fixture(scope="module")
def kubectl(seen: Seen) -> Kubectl:
    return Kubectl(kubectls()[0], Path(seen.lab.status().kubernetes or ""), "kiosk")


@pytest.fixture
def apply(kubectl: Kubectl) -> Iterator[Apply]:
    """Apply an experiment called x on the pods of a service; what is left of it goes at the end."""
    kinds: list[str] = []

    def run(kind: str, service: str, **spec: Any) -> None:
        selector = {"namespaces": ["kiosk"], "labelSelectors": {"name": service}}
        body = {
            "apiVersion": "chaos-mesh.org/v1alpha1",
            "kind": kind,
            "metadata": {"name": "x", "namespace": "kiosk"},
            "spec": {"mode": "all", "selector": selector, **spec},
        }
        kinds.append(kind)
        kubectl("apply", "-f", "-", text=json.dumps(body))

    yield run
    for kind in kinds:
        kubectl("delete", kind.lower(), "x", "--ignore-not-found")


def serves(seen: Seen) -> bool:
    return seen.get()[0] == 200


def uids(seen: Seen, service: str) -> set[str]:
    return {uid for name, _, uid, _ in seen.lab.orchestrator.pods() if name == service}


def test_a_killed_pod_is_replaced(seen: Seen, apply: Apply) -> None:
    eventually(lambda: serves(seen))
    before = uids(seen, "shelf")
    apply("PodChaos", "shelf", action="pod-kill")
    eventually(lambda: seen.ready("shelf") and not before & uids(seen, "shelf"))
    eventually(lambda: serves(seen))


def test_a_killed_container_is_started_again_in_its_pod(seen: Seen, apply: Apply) -> None:
    before = seen.container("scale")
    assert before is not None
    apply("PodChaos", "scale", action="container-kill", containerNames=["scale"])

    def restarted() -> bool:
        now = seen.container("scale")
        return now is not None and now.restarts == before.restarts + 1 and now.ready

    eventually(restarted)
    now = seen.container("scale")
    assert now is not None
    assert now.last_exit_code == 137


def test_a_failing_pod_serves_nothing_until_the_experiment_is_deleted(
    seen: Seen, apply: Apply, kubectl: Kubectl
) -> None:
    eventually(lambda: serves(seen))
    apply("PodChaos", "shelf", action="pod-failure", duration="1h")
    eventually(lambda: not seen.ready("shelf") and not serves(seen))
    assert "pause" in kubectl("get", "pods", "-l", "name=shelf", "-o", "yaml")
    kubectl("delete", "podchaos", "x")
    eventually(lambda: seen.ready("shelf") and serves(seen))


def test_a_slow_network_is_felt_until_its_duration_is_over(
    seen: Seen, apply: Apply, kubectl: Kubectl
) -> None:
    apply("NetworkChaos", "shelf", action="delay", delay={"latency": "300ms"}, duration="5s")
    eventually(lambda: seen.seconds() > 0.3)
    assert "AllInjected" in kubectl("describe", "networkchaos", "x")
    kubectl("wait", "--for=condition=AllRecovered", "networkchaos/x", "--timeout=60s")
    eventually(lambda: seen.seconds() < 0.3)


def test_stress_takes_memory_and_gives_it_back(seen: Seen, apply: Apply, kubectl: Kubectl) -> None:
    def resident() -> float:
        return seen.metric("scale", "process_resident_memory_bytes")

    eventually(lambda: resident() > 0)
    before = resident()
    stressors = {"memory": {"workers": 1, "size": "24MB"}, "cpu": {"workers": 1, "load": 10}}
    apply("StressChaos", "scale", stressors=stressors)
    eventually(lambda: resident() > before + (20 << 20))
    held = resident()
    kubectl("delete", "stresschaos", "x")
    eventually(lambda: 0 < resident() < held - (16 << 20))


def test_aborted_requests_are_reset(seen: Seen, apply: Apply, kubectl: Kubectl) -> None:
    eventually(lambda: serves(seen))
    apply("HTTPChaos", "shelf", target="Request", port=8081, abort=True)
    eventually(lambda: seen.get()[0] == 503)
    kubectl("delete", "httpchaos", "x")
    eventually(lambda: serves(seen))


def test_failing_reads_of_a_store_fail_who_asks_it(
    seen: Seen, apply: Apply, kubectl: Kubectl
) -> None:
    eventually(lambda: serves(seen))
    apply("IOChaos", "shelf-db", action="fault", errno=5, volumePath="/data")
    eventually(lambda: seen.get()[0] == 500)
    kubectl("delete", "iochaos", "x")
    eventually(lambda: serves(seen))


def test_a_shifted_clock_is_in_the_logs(seen: Seen, apply: Apply, kubectl: Kubectl) -> None:
    eventually(lambda: serves(seen))
    year = datetime.now(UTC).year + 2
    apply("TimeChaos", "shelf", timeOffset="17520h")

    def logged() -> str:
        seen.get()
        return kubectl("logs", "-l", "name=shelf", "--tail=3")

    eventually(lambda: f'"ts": "{year}' in logged())
    kubectl("delete", "timechaos", "x")
    eventually(lambda: f'"ts": "{year}' not in logged())


def test_names_do_not_resolve(seen: Seen, apply: Apply, kubectl: Kubectl) -> None:
    apply("DNSChaos", "door", action="error", patterns=["scale*"])
    eventually(lambda: "server misbehaving" in seen.get("/weight")[1])
    kubectl("delete", "dnschaos", "x")
    eventually(lambda: seen.get("/weight")[0] == 200)


def test_a_workflow_runs_its_experiments_one_after_the_other(seen: Seen, kubectl: Kubectl) -> None:
    selector = {"labelSelectors": {"name": "shelf"}}
    late = {"target": "Request", "port": 8081, "delay": "300ms", "mode": "all"}
    templates = [
        {"name": "all", "templateType": "Serial", "children": ["pause", "late"]},
        {"name": "pause", "templateType": "Suspend", "deadline": "1s"},
        {
            "name": "late",
            "templateType": "HTTPChaos",
            "deadline": "5s",
            "httpChaos": {**late, "selector": selector},
        },
    ]
    body = {
        "apiVersion": "chaos-mesh.org/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "w"},
        "spec": {"entry": "all", "templates": templates},
    }
    kubectl("apply", "-f", "-", text=json.dumps(body))
    eventually(lambda: seen.seconds() > 0.3)
    kubectl("wait", "--for=condition=Accomplished", "workflow/w", "--timeout=60s")
    eventually(lambda: seen.seconds() < 0.3)
    kubectl("delete", "workflow", "w")
