"""Alert lists laid out over their graph, and what each alert says."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.analyze.alerts import graph
from aiops.analyze.alerts.features import describe, overview, rarity_over
from aiops.analyze.alerts.graph import lay_out
from aiops.analyze.alerts.signs import Sign, sign_of, template_of
from aiops.model import AlertSignal, Call, Entity, ServiceGraph, TelemetryWindow

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def pod(name: str) -> Entity:
    return Entity("instance", name, service=name.rsplit("-", 1)[0])


A0, A1, B0, C0 = pod("a-0"), pod("a-1"), pod("b-0"), pod("c-0")
GRAPH = ServiceGraph((A0, A1, B0, C0), (Call(A0, B0), Call(A1, B0), Call(B0, C0), Call(B0, B0)))


def window(*alerts: AlertSignal, calls: ServiceGraph | None = GRAPH) -> TelemetryWindow:
    return TelemetryWindow(NOW, NOW, alerts=alerts, graph=calls)


def test_each_alert_is_counted_where_it_stands() -> None:
    incident = lay_out(
        window(
            AlertSignal("metric", B0, "cpu_usage", "up"),
            AlertSignal("trace", B0, "/x", "PD", A0),
            AlertSignal("trace", C0, "/y", "PD", B0),
            AlertSignal("trace", B0, "/x", "PD", B0),
        )
    )
    place = next(place for place in incident.places if place.entity == B0)
    assert [len(group) for group in (place.own, place.inside, place.incoming, place.outgoing)] == [
        *(1, 1, 1, 1)
    ]
    assert place.raised == 3
    assert place.loops == 1.0
    assert place.calls_in == 2.0


def test_replicas_of_one_service_know_each_other_and_nobody_else() -> None:
    incident = lay_out(window())
    twins = {
        place.entity.name: [incident.places[i].entity.name for i in place.siblings]
        for place in incident.places
    }
    assert twins == {"a-0": ["a-1"], "a-1": ["a-0"], "b-0": [], "c-0": []}


def test_an_exact_repeat_of_an_alert_counts_once() -> None:
    alert = AlertSignal("metric", B0, "cpu_usage", "up")
    assert lay_out(window(alert, alert)) == lay_out(window(alert))


def test_an_unknown_instance_is_a_candidate_and_is_noted() -> None:
    incident = lay_out(window(AlertSignal("metric", pod("z-9"), "cpu_usage", "up")))
    assert "z-9" in [place.entity.name for place in incident.places]
    assert incident.notes == ("Alerting entities that are not in the graph: 1.",)


def test_a_machine_is_no_candidate_but_is_kept_with_its_alerts() -> None:
    alert = AlertSignal("metric", Entity("node", "host-1"), "node_cpu_usage", "up")
    incident = lay_out(window(alert))
    assert incident.hosts == ((Entity("node", "host-1"), (alert,)),)
    assert all(place.entity.kind != "node" for place in incident.places)


def test_a_storm_is_read_up_to_a_bound_and_the_rest_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(graph, "MOST_ALERTS", 3)
    alerts = [AlertSignal("log", B0, f"t{i}", "") for i in range(5)]
    incident = lay_out(window(*alerts))
    assert sum(place.raised for place in incident.places) == 3
    assert incident.notes == ("2 of 5 alerts were not read.",)


def test_of_too_many_entities_those_that_alerted_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "MOST_CANDIDATES", 2)
    incident = lay_out(window(AlertSignal("metric", C0, "cpu_usage", "up")))
    assert [place.entity.name for place in incident.places] == ["a-0", "c-0"]
    assert incident.notes == ("2 entities were left out.",)


@pytest.mark.parametrize(
    ("name", "detail", "sign"),
    [
        ("cpu_usage", "up", Sign("cpu", "", "up")),
        ("net_transmit", "down", Sign("network", "sent", "down")),
        ("net_receive", "up", Sign("network", "received", "up")),
        ("src_qps", "down", Sign("load", "sent", "down")),
        ("dest_p95", "up", Sign("latency", "received", "up")),
        ("docker_diskio_read_wait_time", "up", Sign("disk", "", "up")),
        ("docker_network_in_bytes", "up", Sign("network", "received", "up")),
        ("threads", "up", Sign("threads", "", "up")),
        ("THROUGHPUT_DROP [RPS]", "11.7req/s -> 3.8req/s (-67.3%)", Sign("load", "", "down")),
        ("TRAFFIC_ANOMALY [Network Drop]", "Inbound (-66%)", Sign("network", "", "down")),
        ("packets_dropped", "up", Sign("errors", "", "up")),
        ("flux", "", Sign("other")),
    ],
)
def test_a_metric_alert_is_read_as_family_side_and_direction(
    name: str, detail: str, sign: Sign
) -> None:
    assert sign_of(AlertSignal("metric", B0, name, detail)) == sign


@pytest.mark.parametrize(("detail", "family"), [("PD", "slow"), ("500", "error"), ("", "slow")])
def test_a_trace_alert_is_slow_or_an_error(detail: str, family: str) -> None:
    assert sign_of(AlertSignal("trace", B0, "/x", detail)).family == family


def test_a_template_is_the_same_statement_on_every_replica() -> None:
    one, other = AlertSignal("log", A0, "a-0-17", ""), AlertSignal("log", A1, "a-1-17", "")
    assert template_of(one) == template_of(other) == "17"
    assert template_of(AlertSignal("log", A0, "b-0-17", "")) == "b-0-17"


def test_features_name_no_entity() -> None:
    incident = lay_out(
        window(
            AlertSignal("metric", B0, "cpu_usage", "up"),
            AlertSignal("trace", B0, "/x", "PD", A0),
            AlertSignal("log", C0, "c-0-5", ""),
        )
    )
    named = {name for row in (*describe(incident), overview(incident)) for name in row}
    assert not [name for name in named if any(e.name in name for e in GRAPH.nodes)]


def test_a_template_seen_in_few_past_incidents_is_rarer() -> None:
    common, rare = AlertSignal("log", B0, "1", ""), AlertSignal("log", B0, "2", "")
    past = [lay_out(window(common)), lay_out(window(common)), lay_out(window(common, rare))]
    rarity = rarity_over(past)
    assert rarity["2"] > rarity["1"]


def test_no_alerts_and_no_graph_give_no_candidates() -> None:
    incident = lay_out(window(calls=None))
    assert incident.places == ()
    assert describe(incident) == ()


_ENTITIES = st.sampled_from(
    [A0, A1, B0, C0, pod("x-0"), Entity("node", "n"), Entity("service", "")]
)
_ALERTS = st.builds(
    AlertSignal,
    modality=st.sampled_from(["metric", "trace", "log", "service"]),
    entity=_ENTITIES,
    name=st.text(max_size=12),
    detail=st.text(max_size=6),
    peer=st.none() | _ENTITIES,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_ALERTS, max_size=12), st.randoms(use_true_random=False))
def test_any_alert_list_is_laid_out_the_same_in_any_order(
    alerts: list[AlertSignal], random: object
) -> None:
    mixed = list(alerts)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    tidy, messy = lay_out(window(*alerts)), lay_out(window(*mixed))
    assert tidy == messy
    assert describe(tidy) == describe(messy)
    reversed_graph = ServiceGraph(GRAPH.nodes[::-1], GRAPH.calls[::-1])
    assert lay_out(replace(window(*alerts), graph=reversed_graph)) == tidy
