"""Experiments of Chaos Mesh on the lab's API: whom they hit, what they do, how they end."""

from typing import Any

import pytest
from chaos_mesh_bench import Chaos, resource
from lab_kubernetes import ROOT

from aiops_lab.faults.effects import Edited, Effect, Killed, Linked, Removed, Strained, Unresolved
from aiops_lab.kubelet.images import PAUSE
from aiops_lab.kubernetes.problems import Refused
from aiops_lab.kubernetes.writing import Write
from aiops_lab.topology.model import Behaviour


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
