"""Experiments of Chaos Mesh as they are written: what is refused, what is read, who is chosen."""

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from chaos_mesh_bench import EVERY, Chaos
from hypothesis import given
from hypothesis import strategies as st

from aiops_lab.chaos_mesh.fields import seconds_of
from aiops_lab.chaos_mesh.scope import Scope, Target, choose
from aiops_lab.kubernetes.problems import Refused


@pytest.fixture
def chaos() -> Chaos:
    return Chaos()


@pytest.mark.parametrize(
    ("kind", "spec", "field"),
    [
        ("PodChaos", {"action": "pod-explode"}, "spec.action"),
        ("PodChaos", {"action": "pod-kill", "mode": "some"}, "spec.mode"),
        ("PodChaos", {"action": "pod-kill", "selector": {}}, "spec.selector"),
        ("PodChaos", {"action": "container-kill"}, "spec.containerNames"),
        ("PodChaos", {"action": "pod-kill", "mode": "fixed", "value": "0"}, "spec.value"),
        ("PodChaos", {"action": "pod-kill", "mode": "fixed-percent"}, "spec.value"),
        ("PodChaos", {"action": "pod-failure", "duration": "soon"}, "spec.duration"),
        ("PodChaos", {"action": "pod-failure", "duration": "0s"}, "spec.duration"),
        ("NetworkChaos", {"action": "delay"}, "spec.delay"),
        ("NetworkChaos", {"action": "delay", "delay": {"latency": 5}}, "spec.delay.latency"),
        ("NetworkChaos", {"action": "loss", "loss": {"loss": "120"}}, "spec.loss.loss"),
        ("NetworkChaos", {"action": "bandwidth", "bandwidth": {"rate": "fast"}},
         "spec.bandwidth.rate"),
        ("StressChaos", {}, "spec.stressors"),
        ("StressChaos", {"stressors": {"cpu": {"workers": 0}}}, "spec.stressors.cpu.workers"),
        ("StressChaos", {"stressors": {"memory": {"workers": 1, "size": "all"}}},
         "spec.stressors.memory.size"),
        ("HTTPChaos", {"target": "Request", "port": 0, "abort": True}, "spec.port"),
        ("HTTPChaos", {"target": "Request", "port": 80}, "spec.abort"),
        ("IOChaos", {"action": "latency", "delay": "1s"}, "spec.volumePath"),
        ("TimeChaos", {}, "spec.timeOffset"),
        ("DNSChaos", {"action": "lie"}, "spec.action"),
        ("Workflow", {"entry": "a", "templates": [{"name": "b", "templateType": "Suspend",
                                                   "deadline": "1s"}]}, "spec.entry"),
        ("Workflow", {"entry": "a", "templates": [{"name": "a", "templateType": "Serial",
                                                   "children": ["a"]}]}, "spec.templates"),
        ("Workflow", {"entry": "a", "templates": [{"name": "a", "templateType": "PodChaos",
                                                   "podChaos": {"action": "no", **EVERY}}]},
         "spec.templates[0].podChaos.action"),
    ],
)  # fmt: skip
def test_an_invalid_experiment_is_refused_with_the_field(
    chaos: Chaos, kind: str, spec: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        chaos.apply(kind, **spec)
    assert refused.value.code == 422
    assert field in {cause.field for cause in refused.value.causes}
    assert not chaos.enactor.effects


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
NAMES = "action mode value selector duration delay loss target stressors port abort templates entry"


@given(
    kind=st.sampled_from(["PodChaos", "NetworkChaos", "StressChaos", "HTTPChaos", "Workflow"]),
    spec=st.dictionaries(st.sampled_from(NAMES.split()), json, max_size=6),
)
def test_whatever_is_sent_is_kept_or_refused(kind: str, spec: Mapping[str, Any]) -> None:
    from aiops_lab.chaos_mesh.reading import faults_in

    body = {"kind": kind, "metadata": {"name": "x", "namespace": "default"}, "spec": spec}
    for cause in faults_in(body):
        assert cause.field.startswith("spec")


@given(st.integers(min_value=0, max_value=10**9))
def test_durations_are_read_as_go_writes_them(milliseconds: int) -> None:
    span = timedelta(milliseconds=milliseconds)
    minutes, rest = divmod(span, timedelta(minutes=1))
    text = f"{minutes // 60}h{minutes % 60}m{rest // timedelta(milliseconds=1)}ms"
    assert seconds_of(text) == pytest.approx(span.total_seconds())
    assert seconds_of(f"-{text}") == pytest.approx(-span.total_seconds())


@given(
    mode=st.sampled_from(["one", "all", "fixed", "fixed-percent", "random-max-percent"]),
    value=st.integers(min_value=1, max_value=100),
    count=st.integers(min_value=0, max_value=30),
    seed=st.integers(),
)
def test_no_mode_hits_more_than_it_may(mode: Any, value: int, count: int, seed: int) -> None:
    pods = [Target("default", f"p{n}", "carts", "", ("a",)) for n in range(count)]
    scope = Scope(mode, float(value), namespaces=("default",))
    chosen = choose(scope, pods, random.Random(seed))  # noqa: S311 - no secrets
    most = {
        "one": min(1, count),
        "all": count,
        "fixed": min(value, count),
        "fixed-percent": count * value // 100,
        "random-max-percent": count * value // 100,
    }[mode]
    assert len(chosen) <= most
    assert mode == "random-max-percent" or len(chosen) == most
    assert len({pod.id for pod in chosen}) == len(chosen)


def test_named_pods_and_other_namespaces_are_told_apart() -> None:
    here, there = Target("a", "p", "s", "", ("c",)), Target("b", "p", "s", "", ("c",))
    named = Scope("all", pods={"b": ("p",)}, namespaces=("a",))
    assert choose(named, [here, there], random.Random(0)) == (there,)  # noqa: S311
    by_namespace = Scope("all", namespaces=("a",))
    assert choose(by_namespace, [here, there], random.Random(0)) == (here,)  # noqa: S311
