"""Which services a Prometheus names beside those of an incident."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from telemetry_servers import Asked, Server, serving

from aiops.errors import InvalidWindow
from aiops.ingest.prometheus.source import Prometheus
from aiops.ports.telemetry import ServiceSource

START = datetime(2026, 11, 20, 3, tzinfo=UTC)
END = START + timedelta(minutes=30)
VALUES = {
    "service": ["scraper"],
    "pod": [
        "cart-6f7d8c9b5d-x2k4z",
        "cart-6f7d8c9b5d-q8w9t",
        "ledger-0",
        "billing-5b8f7c6d9-zzzzz",
    ],
    "container": ["main", "proxy"],
}


def speak(asked: Asked) -> Any:
    label = asked.path.removeprefix("/api/v1/label/").removesuffix("/values")
    return {"status": "success", "data": VALUES.get(label, [])}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(speak) as running:
        yield running


def named(server: Server, *services: str, **place: str | None) -> tuple[str, ...]:
    source = Prometheus.connect("mine", {"url": server.url, "cluster": "east"})
    assert isinstance(source, ServiceSource)
    try:
        return source.beside(services, place.get("namespace"), place.get("cluster"), START, END)
    finally:
        source.close()


def test_others_are_named_by_the_label_that_names_the_service(server: Server) -> None:
    assert named(server, "cart", namespace="shop") == ("billing", "cart", "ledger")


def test_nobody_is_beside_a_service_that_is_not_there(server: Server) -> None:
    assert named(server, "elsewhere", namespace="shop") == ()


def test_only_series_of_the_place_are_asked_for(server: Server) -> None:
    named(server, "cart", namespace='sh"op', cluster="east")
    matchers = server.asked[0].params["match[]"].split("\n")
    assert r'{namespace="sh\"op",cluster=~"east|",k8s_cluster_name=~"east|"}' in matchers
    server.asked.clear()
    named(server, "cart", cluster="east")
    assert server.asked[0].params["match[]"].startswith('{__name__=~".+",cluster=~"east|"')
    server.asked.clear()
    named(server, "cart")
    assert "match[]" not in server.asked[0].params


def test_another_clusters_server_names_nobody_and_is_not_asked(server: Server) -> None:
    assert named(server, "cart", namespace="shop", cluster="west") == ()
    assert server.asked == []


def test_a_window_that_cannot_be_read_is_refused(server: Server) -> None:
    source = Prometheus.connect("mine", {"url": server.url})
    with pytest.raises(InvalidWindow):
        source.beside(["cart"], None, None, END, START)
    source.close()
