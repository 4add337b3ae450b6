"""Experiments of Chaos Mesh on the lab's API: what they say, whom they hit, how they end."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab_kubernetes import ROOT, Lab

from aiops.errors import WrongState
from aiops_lab.chaos_mesh.fields import seconds_of
from aiops_lab.chaos_mesh.scope import Scope, Target, choose
from aiops_lab.chaos_mesh.workflow import Template, Workflow, timetable
from aiops_lab.faults.effects import Edited, Effect, Killed, Linked, Removed, Strained, Unresolved
from aiops_lab.kubelet.images import PAUSE
from aiops_lab.kubernetes.deleting import DeleteOptions, delete
from aiops_lab.kubernetes.problems import Refused
from aiops_lab.kubernetes.writing import Write
from aiops_lab.topology.load import SHOP, load
from aiops_lab.topology.model import Behaviour

SELECTOR = {"labelSelectors": {"app": "carts"}}
EVERY = {"mode": "all", "selector": SELECTOR}


class Remembered:
    """An Enactor that only remembers what it was told."""

    def __init__(self) -> None:
        self.topology = replace(load(SHOP), namespace="default")
        self.held: dict[str, tuple[Effect, ...]] = {}
        self.refuses = False

    def enact(self, owner: str, effects: tuple[Effect, ...]) -> None:
        if self.refuses:
            raise WrongState("the pod", "is changed already")
        self.held[owner] = effects

    def revert(self, owner: str) -> None:
        self.held.pop(owner, None)

    @property
    def effects(self) -> list[Effect]:
        """All that holds."""
        return [one for effects in self.held.values() for one in effects]


class Chaos:
    """A control plane with pods of two services, and experiments on them."""

    def __init__(self) -> None:
        self.lab, self.enactor = Lab(), Remembered()
        self.lab.plane.enact_with(self.enactor)
        for name, service in (("carts-1", "carts"), ("carts-2", "carts"), ("db-1", "carts-db")):
            container = {
                "name": "main",
                "image": "x:1",
                "resources": {"limits": {"cpu": "1", "memory": "100Mi"}},
            }
            side = {"name": "side", "image": "y:1"}
            self.lab.create(
                "pods",
                {
                    "metadata": {"name": name, "labels": {"app": service}},
                    "spec": {"containers": [container, side]},
                },
            )

    def apply(self, kind: str, name: str = "x", how: Write = ROOT, **spec: Any) -> dict[str, Any]:
        """Create it in the default namespace, on all pods of carts unless said otherwise."""
        wanted = {**EVERY, **spec} if kind != "Workflow" else spec
        body = {
            "apiVersion": "chaos-mesh.org/v1alpha1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": wanted,
        }
        return self.lab.create(resource(kind), body, how)

    def get(self, kind: str, name: str = "x") -> dict[str, Any]:
        return self.lab.get(resource(kind), name)

    def conditions(self, kind: str, name: str = "x") -> dict[str, bool]:
        found = self.get(kind, name)["status"]["conditions"]
        return {one["type"]: one["status"] == "True" for one in found}

    def reason(self, kind: str, name: str = "x") -> str:
        """Why it is not enacted."""
        found = self.get(kind, name)["status"]["conditions"]
        return next(str(one.get("message", "")) for one in found if one["type"] == "AllInjected")

    def delete(self, kind: str, name: str = "x") -> None:
        cluster = self.lab.cluster
        delete(cluster, cluster.kind(resource(kind)), "default", name, DeleteOptions())
        self.lab.settle()


def resource(kind: str) -> str:
    plural = "workflows" if kind == "Workflow" else kind.lower()
    return f"{plural}.chaos-mesh.org"


@pytest.fixture
def chaos() -> Chaos:
    return Chaos()


def both(behaviour: Behaviour) -> list[Effect]:
    return [Strained("carts", behaviour, only=frozenset({"carts-1", "carts-2"}))]


def test_killed_pods_are_removed_at_once_and_nothing_is_left_to_recover(chaos: Chaos) -> None:
    chaos.apply("PodChaos", action="pod-kill", gracePeriod=3)
    assert chaos.enactor.effects == [Removed("pods", "carts-1", 3), Removed("pods", "carts-2", 3)]
    assert chaos.conditions("PodChaos")["AllInjected"]
    chaos.lab.forward(1000)
    assert chaos.conditions("PodChaos")["AllInjected"]


def test_a_failing_pod_runs_an_image_that_does_nothing(chaos: Chaos) -> None:
    chaos.apply("PodChaos", action="pod-failure", mode="fixed", value="2")
    assert len(chaos.enactor.effects) == 4
    assert (
        Edited("pods", "carts-2", ("spec", "containers", 1, "image"), PAUSE)
        in chaos.enactor.effects
    )


def test_only_the_named_container_is_killed(chaos: Chaos) -> None:
    chaos.apply("PodChaos", action="container-kill", containerNames=["side"])
    assert chaos.enactor.effects == [Killed("carts-1", "side"), Killed("carts-2", "side")]
    records = chaos.get("PodChaos")["status"]["experiment"]["containerRecords"]
    assert [one["id"] for one in records] == ["default/carts-1/side", "default/carts-2/side"]


def test_a_network_fault_hits_what_its_pods_send_and_get(chaos: Chaos) -> None:
    chaos.apply("NetworkChaos", action="delay", delay={"latency": "100ms", "jitter": "20ms"})
    links = [one.link for one in chaos.enactor.effects if isinstance(one, Linked)]
    assert [(link.caller, link.callee) for link in links] == [("carts", None), (None, "carts")]
    assert {len(link.caller_pods + link.callee_pods) for link in links} == {2}
    assert {round(link.delay_s, 3) for link in links} == {0.08}
    assert {round(link.jitter_s, 3) for link in links} == {0.04}


def test_a_network_fault_towards_a_target_leaves_other_links_alone(chaos: Chaos) -> None:
    target = {"mode": "all", "selector": {"labelSelectors": {"app": "carts-db"}}}
    chaos.apply("NetworkChaos", action="partition", direction="both", target=target)
    links = [one.link for one in chaos.enactor.effects if isinstance(one, Linked)]
    ends = {(link.caller, link.callee) for link in links}
    assert ends == {("carts", "carts-db"), ("carts-db", "carts")}
    assert all(link.partition for link in links)
    records = chaos.get("NetworkChaos")["status"]["experiment"]["containerRecords"]
    assert [one["selectorKey"] for one in records] == [".", ".", ".Target"]


def test_loss_and_bandwidth_are_those_asked_for(chaos: Chaos) -> None:
    chaos.apply("NetworkChaos", "a", action="loss", loss={"loss": "25"})
    chaos.apply("NetworkChaos", "b", action="bandwidth", bandwidth={"rate": "8mbit"})
    links = [one.link for one in chaos.enactor.effects if isinstance(one, Linked)]
    assert {link.loss for link in links} == {0.25, 0.0}
    assert {link.bandwidth for link in links} == {None, 1e6}


def test_stress_stays_within_what_the_container_has(chaos: Chaos) -> None:
    stressors = {"cpu": {"workers": 1, "load": 30}, "memory": {"workers": 1, "size": "50%"}}
    chaos.apply("StressChaos", stressors=stressors)
    behaviours = [one.behaviour for one in chaos.enactor.effects if isinstance(one, Strained)]
    assert behaviours == [Behaviour(hog_cores=0.3, ballast_bytes=50 << 20)] * 2


def test_answers_are_late_or_cut_off(chaos: Chaos) -> None:
    chaos.apply("HTTPChaos", target="Request", port=80, delay="300ms")
    assert chaos.enactor.effects == both(Behaviour(delay_s=0.3))
    chaos.apply("HTTPChaos", "y", target="Response", port=80, abort=True)
    (cut,) = (one.link for one in chaos.enactor.effects if isinstance(one, Linked))
    assert (cut.callee, cut.reset) == ("carts", 1.0)


def test_a_store_reads_and_writes_late_or_not_at_all(chaos: Chaos) -> None:
    on_store = {"selector": {"labelSelectors": {"app": "carts-db"}}, "volumePath": "/data"}
    chaos.apply("IOChaos", "a", action="latency", delay="10ms", **on_store)
    chaos.apply("IOChaos", "b", action="fault", errno=5, percent=40, **on_store)
    behaviours = [one.behaviour for one in chaos.enactor.effects if isinstance(one, Strained)]
    assert behaviours == [Behaviour(delay_s=0.01), Behaviour(error_rate=0.4)]


def test_a_clock_is_shifted(chaos: Chaos) -> None:
    chaos.apply("TimeChaos", timeOffset="-10m30s")
    assert chaos.enactor.effects == both(Behaviour(clock_offset_s=-630.0))


def test_names_that_fit_a_pattern_do_not_resolve(chaos: Chaos) -> None:
    chaos.apply("DNSChaos", action="error", patterns=["carts-d*", "user-db.default.svc"])
    lookups = [one.lookup for one in chaos.enactor.effects if isinstance(one, Unresolved)]
    assert {(one.caller, one.name, one.answer) for one in lookups} == {
        ("carts", "carts-db", "SERVFAIL"),
        ("carts", "user-db", "SERVFAIL"),
    }


@pytest.mark.parametrize(
    ("kind", "spec", "says"),
    [
        ("NetworkChaos", {"action": "duplicate", "duplicate": {"duplicate": "9"}}, "duplicate"),
        ("HTTPChaos", {"target": "Request", "port": 80, "abort": True, "path": "/x"}, "path"),
        ("IOChaos", {"action": "fault", "errno": 5, "volumePath": "/data"}, "volume"),
        ("TimeChaos", {"timeOffset": "1s", "clockIds": ["CLOCK_MONOTONIC"]}, "CLOCK_REALTIME"),
        ("DNSChaos", {"action": "error", "patterns": ["example.com"]}, "example.com"),
        ("DNSChaos", {"action": "random"}, "random"),
    ],
)
def test_what_nothing_in_the_lab_is_like_is_stored_and_says_so(
    chaos: Chaos, kind: str, spec: dict[str, Any], says: str
) -> None:
    chaos.apply(kind, **spec)
    assert chaos.enactor.effects == []
    assert not chaos.conditions(kind)["AllInjected"]
    assert says in chaos.reason(kind)
    assert "NotEnacted" in chaos.lab.reasons()


def test_an_experiment_ends_after_its_duration_and_says_so(chaos: Chaos) -> None:
    chaos.apply("TimeChaos", timeOffset="1h", duration="30s")
    chaos.lab.forward(29)
    assert chaos.enactor.effects
    chaos.lab.forward(1)
    assert not chaos.enactor.effects
    assert chaos.conditions("TimeChaos") == {
        "Selected": True,
        "AllInjected": False,
        "AllRecovered": True,
        "Paused": False,
    }
    experiment = chaos.get("TimeChaos")["status"]["experiment"]
    assert experiment["desiredPhase"] == "Stop"
    (first, _) = experiment["containerRecords"]
    assert (first["phase"], first["injectedCount"], first["recoveredCount"]) == (
        "Not Injected",
        1,
        1,
    )
    assert [event["operation"] for event in first["events"]] == ["Apply", "Recover"]


def test_deleting_an_experiment_recovers_it_before_it_goes(chaos: Chaos) -> None:
    chaos.apply("TimeChaos", timeOffset="1h")
    assert chaos.get("TimeChaos")["metadata"]["finalizers"] == ["chaos-mesh/records"]
    chaos.delete("TimeChaos")
    assert not chaos.enactor.effects
    assert chaos.lab.find(resource("TimeChaos"), "x") is None


def test_a_paused_experiment_stops_and_goes_on_for_what_is_left(chaos: Chaos) -> None:
    chaos.apply("TimeChaos", timeOffset="1h", duration="60s")

    def pause(value: str) -> None:
        note = {"metadata": {"annotations": {"experiment.chaos-mesh.org/pause": value}}}
        chaos.lab.patch(resource("TimeChaos"), "x", note)

    pause("true")
    assert not chaos.enactor.effects
    assert chaos.conditions("TimeChaos")["Paused"]
    chaos.lab.forward(20)
    pause("false")
    assert chaos.enactor.effects
    assert not chaos.conditions("TimeChaos")["Paused"]
    chaos.lab.forward(40)
    assert not chaos.enactor.effects


def test_an_experiment_that_selects_nobody_waits_for_pods(chaos: Chaos) -> None:
    absent = {"labelSelectors": {"app": "late"}}
    chaos.apply("TimeChaos", timeOffset="1h", selector=absent)
    assert not chaos.conditions("TimeChaos")["Selected"]
    late = {"metadata": {"name": "late", "labels": {"app": "late"}}}
    chaos.lab.create("pods", {**late, "spec": {"containers": [{"name": "a", "image": "b"}]}})
    chaos.lab.forward(6)
    assert chaos.conditions("TimeChaos")["AllInjected"]
    assert chaos.enactor.effects


def test_what_the_lab_refuses_is_said_in_the_status(chaos: Chaos) -> None:
    chaos.enactor.refuses = True
    chaos.apply("PodChaos", action="pod-failure")
    assert "is changed already" in chaos.reason("PodChaos")


def test_a_dry_run_enacts_nothing(chaos: Chaos) -> None:
    chaos.apply("PodChaos", action="pod-kill", how=Write(ROOT.user, "test", dry_run=True))
    assert not chaos.enactor.effects
    assert chaos.lab.find(resource("PodChaos"), "x") is None


def test_the_spec_of_an_experiment_cannot_be_changed(chaos: Chaos) -> None:
    chaos.apply("TimeChaos", timeOffset="1h")
    with pytest.raises(Refused, match="cannot be changed"):
        chaos.lab.patch(resource("TimeChaos"), "x", {"spec": {"timeOffset": "2h"}})


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


def template(name: str, kind: str, deadline_s: float = inf, *children: str) -> Template:
    return Template(name, kind, deadline_s, children)


def test_a_workflow_is_a_timetable() -> None:
    listed = [
        template("all", "Serial", inf, "first", "rest", "both"),
        template("first", "PodChaos", 10),
        template("rest", "Suspend", 5),
        template("both", "Parallel", 20, "short", "long"),
        template("short", "TimeChaos", 8),
        template("long", "DNSChaos", 60),
    ]
    steps, over = timetable(Workflow("all", {one.name: one for one in listed}))
    assert [(step.template.name, step.begins_s, step.ends_s) for step in steps] == [
        ("first", 0, 10),
        ("short", 15, 23),
        ("long", 15, 35),
    ]
    assert over == 35


def test_a_workflow_makes_and_deletes_its_experiments(chaos: Chaos) -> None:
    shift = {"timeOffset": "1h", **EVERY}
    chaos.apply(
        "Workflow",
        entry="all",
        templates=[
            {"name": "all", "templateType": "Serial", "deadline": "10m", "children": ["a", "b"]},
            {"name": "a", "templateType": "Suspend", "deadline": "10s"},
            {"name": "b", "templateType": "TimeChaos", "deadline": "20s", "timeChaos": shift},
        ],
    )
    assert not chaos.enactor.effects
    chaos.lab.forward(10)
    assert chaos.enactor.effects
    assert not chaos.conditions("Workflow")["Accomplished"]
    chaos.lab.forward(20)
    assert not chaos.enactor.effects
    assert chaos.lab.every(resource("TimeChaos")) == []
    assert chaos.conditions("Workflow")["Accomplished"]
    assert chaos.get("Workflow")["status"]["endTime"]


def test_deleting_a_workflow_takes_its_experiments_along(chaos: Chaos) -> None:
    shift = {"timeOffset": "1h", **EVERY}
    only = {"name": "b", "templateType": "TimeChaos", "deadline": "20s", "timeChaos": shift}
    chaos.apply("Workflow", entry="b", templates=[only])
    assert chaos.enactor.effects
    chaos.delete("Workflow")
    assert not chaos.enactor.effects


def test_a_workflow_with_a_task_is_stored_and_says_so(chaos: Chaos) -> None:
    task = {"name": "t", "templateType": "Task", "task": {"container": {"image": "x"}}}
    chaos.apply("Workflow", entry="t", templates=[task])
    assert not chaos.conditions("Workflow")["Scheduled"]
    assert "NotEnacted" in chaos.lab.reasons()
