"""PromQL through the tool, against a real Prometheus that scrapes a small shop."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from monitoring import monitored_shop
from small_world import ask, told

from aiops.bootstrap.service import in_memory
from aiops.errors import ToolFailed
from aiops.ingest.prometheus.queries import QUANTILES
from aiops.ingest.prometheus.source import Prometheus
from aiops.settings import Settings
from aiops_tools.telemetry.toolset import Telemetry

RATE = "sum by (service) (rate(http_requests_total[10s]))"


@pytest.fixture(scope="module")
def telemetry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Telemetry]:
    with monitored_shop(tmp_path_factory.mktemp("shop"), "http://127.0.0.1:9/") as shop:
        source = Prometheus.connect("prom", {"url": shop.prometheus, "step_s": 1})
        service = replace(in_memory(Settings()), sources=(("prom", source),))
        toolset = Telemetry.connect("telemetry", {}, service)
        deadline = time.monotonic() + 60
        while not scraped(toolset):
            assert time.monotonic() < deadline, "Prometheus scraped no rate of three services"
            time.sleep(0.5)
        yield toolset
        source.close()


def scraped(toolset: Telemetry) -> bool:
    """Whether rates are there of all three, and at a row of the grid, too: a scrape later."""
    rates = told(toolset, "promql", expression=RATE, start="-30s")["total"]
    asked = {"services": ["web", "api", "store"], "kinds": ["latency"], "start": "-1m"}
    return rates == 3 and told(toolset, "metrics", **asked)["total"] == 3 * len(QUANTILES)


def test_an_expression_is_answered_with_its_series(telemetry):
    found = told(telemetry, "promql", expression=RATE, start="-1m")
    assert {row["labels"]["service"] for row in found["series"]} == {"web", "api", "store"}
    assert all(row["highest"] > 0 for row in found["series"])
    assert found["sources"] == ["prom"]
    assert found["step_s"] == 1


def test_series_beyond_the_limit_are_counted_not_answered(telemetry):
    result = ask(telemetry, "promql", expression="up", limit=1, points=3)
    assert "the lowest 2 left out" in result.summary
    found = told(telemetry, "promql", expression="up", limit=1, points=3)
    assert (found["total"], found["left_out"], len(found["series"])) == (3, 2, 1)
    assert len(found["series"][0]["points"]) <= 3


def test_a_question_that_matches_everything_is_refused_before_it_is_read(telemetry):
    with pytest.raises(ToolFailed, match=r"series, and at most 20 are read; aggregate") as refused:
        ask(telemetry, "promql", expression='{__name__=~".+"}', limit=1)
    assert refused.value.kind == "invalid"


def test_what_is_no_promql_is_refused_in_the_servers_words(telemetry):
    for wrong in ("rate(", 'up{"'):
        with pytest.raises(ToolFailed, match="parse error") as refused:
            ask(telemetry, "promql", expression=wrong)
        assert refused.value.kind == "invalid"
    assert told(telemetry, "promql", expression="up # and )")["total"] == 3


def test_a_plain_number_and_an_empty_answer_are_answers(telemetry):
    assert told(telemetry, "promql", expression="1 + 1")["series"][0]["last"] == 2
    assert told(telemetry, "promql", expression="no_such_metric")["total"] == 0


def test_the_points_of_long_windows_are_bounded(telemetry):
    found = told(telemetry, "promql", expression="up", start="-1d")
    assert found["step_s"] >= 86_400 / 240


def test_metrics_by_service_and_kind_come_from_it_too(telemetry):
    found = told(telemetry, "metrics", services=["api"], kinds=["latency"], start="-1m")
    assert found["sources"] == ["kept", "prom"]
    assert {row["service"] for row in found["series"]} == {"api"}
    with pytest.raises(ToolFailed, match="did you mean 'store'"):
        ask(telemetry, "metrics", services=["stor"], start="-1m")


def test_another_source_than_there_is_is_refused(telemetry):
    with pytest.raises(ToolFailed, match="no source 'other' takes expressions; there are prom"):
        ask(telemetry, "promql", expression="up", source="other")
