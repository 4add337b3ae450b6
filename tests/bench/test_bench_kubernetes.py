"""Questions about 500 pods: promised (issue 6) are 300 ms and 4,000 tokens for list and describe,
on the lab's API with objects only.
"""

import statistics
import time
from collections.abc import Callable, Iterator

import pytest
from lab_kubectl import Kubectl, kubectls
from objects_lab import objects_lab
from probing import TOKEN_CHARACTERS, Asking
from pytest_benchmark.fixture import BenchmarkFixture
from small_lab import eventually

from aiops_tools.kubernetes.kinds import POD

pytestmark = pytest.mark.skipif(not kubectls(), reason="there is no kubectl")
PODS = 500
DEARER = 4.0
"""What an answer may cost, in times of reading the pods alone."""


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    folder = tmp_path_factory.mktemp("pods")
    with objects_lab(folder) as served:
        kubectl = Kubectl(kubectls()[0], served / "admin.kubeconfig", "kiosk")
        kubectl("scale", "deployment/door", f"--replicas={PODS}")
        ready = ("get", "deployment/door", "-o", "jsonpath={.status.readyReplicas}")
        eventually(lambda: kubectl(*ready) == str(PODS), within_s=300)
        asking = Asking(served / "reader.kubeconfig")
        yield asking
        asking.close()


def median_s(work: Callable[[], object], rounds: int = 7) -> float:
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("list", {"kind": "Pod", "namespace": "kiosk"}),
        ("describe", {"kind": "Deployment", "namespace": "kiosk", "name": "door"}),
    ],
    ids=["list", "describe"],
)
@pytest.mark.benchmark(group="500 pods told")
def test_five_hundred_pods_are_told_in_little_more_than_their_reading(
    benchmark: BenchmarkFixture, ask: Asking, verb: str, arguments: dict[str, str]
) -> None:
    found = benchmark.pedantic(ask.result, (verb, arguments), rounds=7, warmup_rounds=1)
    took = median_s(lambda: ask.result(verb, arguments))
    bare = median_s(lambda: ask.reader.every(POD, "kiosk"))
    tokens = (len(found.content) + len(found.summary)) // TOKEN_CHARACTERS
    benchmark.extra_info.update(
        asked="300 ms, 4,000 tokens", reached=f"{took * 1e3:.0f} ms, {tokens:,} tokens"
    )
    print(f"\n{verb} of {PODS} pods in {took * 1e3:.0f} ms, {tokens} tokens")  # noqa: T201
    assert tokens <= 4000
    assert took <= DEARER * bare
