"""Questions about telemetry: what they answer, what they leave out, and what they refuse."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from small_world import BROKEN, NOON, answer, ask, told, tool, world

from aiops.errors import SourceUnavailable, ToolFailed, UnknownName
from aiops.model import LogTable
from aiops.model.canonical import parsed
from aiops.model.rows import LogLine, log_table
from aiops_tools.telemetry.toolset import Telemetry


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry.connect("telemetry", {}, world())


class Lines:
    """A source of logs alone."""

    name = "loki"

    def __init__(self, lines: Sequence[LogLine] = (), failure: SourceUnavailable | None = None):
        self.lines, self.failure = lines, failure

    def logs(self, services: Sequence[str] | None, start: datetime, end: datetime) -> LogTable:
        if self.failure is not None:
            raise self.failure
        low, high = start.timestamp(), end.timestamp()
        return log_table(
            line
            for line in self.lines
            if low <= (line.time or low) < high and (services is None or line.service in services)
        )

    def check(self) -> str:
        return f"{len(self.lines)} lines"

    def close(self) -> None:
        pass


def with_source(source: Lines, **options: object) -> Telemetry:
    service = replace(world(), sources=((source.name, source),))
    return Telemetry.connect("telemetry", options, service)


def test_metrics_are_answered_with_window_source_and_numbers(telemetry):
    found = told(telemetry, "metrics", services=["store"], kinds=["cpu"])
    (row,) = found["series"]
    assert (row["entity"], row["metric"], row["ref"]) == ("store", "cpu_usage", "store_cpu_usage")
    assert row["lowest"] < 12
    assert row["highest"] > 90
    assert row["samples"] == 180
    assert found["sources"] == ["kept"]
    assert found["window"] == {"start": "2026-11-20T11:30:00Z", "end": "2026-11-20T12:00:00Z"}


def test_a_curve_is_as_short_as_it_is_asked_for(telemetry):
    (row,) = told(telemetry, "metrics", services=["store"], kinds=["cpu"], points=6)["series"]
    assert len(row["points"]) == 6
    assert row["points"][0] < 12 < 90 < row["points"][-1]


def test_what_does_not_fit_is_counted(telemetry):
    result = ask(telemetry, "metrics", services=["web", "api", "store"], limit=2)
    found = parsed(result.content)
    assert (found["total"], found["left_out"], len(found["series"])) == (6, 4, 2)
    assert "4 left out" in result.summary


def test_a_misspelt_service_is_refused_with_what_was_meant(telemetry):
    for verb in ("metrics", "compare"):
        with pytest.raises(ToolFailed, match=r"no service 'stroe' is known.*'store'") as refused:
            ask(telemetry, verb, services=["stroe"])
        assert refused.value.kind == "not_found"
    with pytest.raises(ToolFailed, match="'store'"):
        ask(telemetry, "logs", services=["stroe"])
    with pytest.raises(ToolFailed, match="'store'"):
        ask(telemetry, "traces", service="stroe")
    with pytest.raises(ToolFailed, match="'store'"):
        ask(telemetry, "service_graph", service="Store")


def test_a_known_service_without_data_says_so(telemetry):
    result = ask(telemetry, "logs", services=["web"])
    assert parsed(result.content)["total"] == 0
    assert [(one.what, "known" in one.reason) for one in result.unread] == [("logs of web", True)]


def test_a_service_that_only_logs_is_known_to_those_who_ask_for_its_metrics():
    line = LogLine(NOON.timestamp() - 60, "mailer", "INFO sent")
    result = ask(with_source(Lines([line])), "metrics", services=["mailer"])
    assert parsed(result.content)["total"] == 0
    assert result.unread[0].what == "metrics of mailer"


def test_a_source_that_is_down_is_named_and_the_rest_answers():
    down = Lines(failure=SourceUnavailable("loki", "no answer in 5 s"))
    result = ask(with_source(down), "logs", services=["store"])
    assert parsed(result.content)["total"] == 100
    assert [(one.what, one.reason) for one in result.unread] == [
        ("logs of loki", "loki: no answer in 5 s")
    ]


def test_an_unknown_service_is_no_certainty_while_a_source_is_down():
    down = Lines(failure=SourceUnavailable("loki", "no answer in 5 s"))
    with pytest.raises(ToolFailed, match=r"could be read.*no answer in 5 s") as failed:
        ask(with_source(down), "logs", services=["zebra"])
    assert (failed.value.kind, failed.value.retryable) == ("unreachable", True)


def test_lines_that_are_kept_and_in_a_source_count_once():
    moment = BROKEN.timestamp()
    twice = LogLine(moment, "store", "ERROR disk full: cannot write block 0")
    other = LogLine(moment + 1, "store", "ERROR another")
    found = told(with_source(Lines([twice, other])), "logs", services=["store"])
    assert found["total"] == 101
    assert found["sources"] == ["kept", "loki"]


def test_whoever_asks_a_source_probes_and_observers_read_what_is_kept(telemetry):
    assert {one.spec.capability for one in telemetry.tools()} == {"observer"}
    assert {one.spec.capability for one in with_source(Lines()).tools()} == {"probe"}
    kept = with_source(Lines([LogLine(NOON.timestamp() - 5, "other", "x")]), sources=[])
    assert {one.spec.capability for one in kept.tools()} == {"observer"}
    assert told(kept, "logs", text="x")["sources"] == ["kept"]


def test_a_source_that_is_not_configured_is_refused():
    with pytest.raises(UnknownName, match="loki"):
        with_source(Lines(), sources=["lokki"])


def test_comparing_puts_what_moved_most_first(telemetry):
    found = told(
        telemetry,
        "compare",
        services=["web", "store"],
        start="-10m",
        baseline_start="-40m",
        baseline_end="-10m",
    )
    first = found["series"][0]
    assert first["service"] == "store"
    assert first["after"] > 5 * first["before"]
    assert first["notable"]
    still = next(row for row in found["series"] if row["ref"] == "web_cpu_usage")
    assert not still["notable"]
    assert found["notable"] == 3


def test_a_comparison_with_itself_is_refused(telemetry):
    with pytest.raises(ToolFailed, match="before the window begins"):
        ask(telemetry, "compare", services=["web"], baseline_start="-15m", baseline_end="-5m")
    with pytest.raises(ToolFailed, match="give both"):
        ask(telemetry, "compare", services=["web"], baseline_start="-30m")


def test_anomalies_are_stretches_outside_the_usual_band(telemetry):
    found = told(telemetry, "anomalies", start="-15m")
    assert found["watched"] == 6
    assert {row["ref"] for row in found["anomalies"]} == {
        "store_cpu_usage",
        "web_latency_p95",
        "api_latency_p95",
        "store_latency_p95",
    }
    cpu = next(row for row in found["anomalies"] if row["ref"] == "store_cpu_usage")
    assert (cpu["direction"], cpu["since"]) == ("above", "2026-11-20T11:50:00Z")


def test_a_quiet_window_has_no_anomalies(telemetry):
    quiet = told(telemetry, "anomalies", start="-25m", end="-11m", baseline_minutes=30)
    assert quiet["anomalies"] == []
    assert quiet["watched"] == 6


def test_series_without_a_past_are_never_said_to_have_no_anomalies(telemetry):
    # Before the first row of the world there is nothing to compare with.
    result = ask(telemetry, "anomalies", start="-6h", end="now")
    assert "cannot be told" in result.summary
    assert "0 anomalies" not in result.summary
    assert [missing.what for missing in result.unread] == ["what is usual"]


def test_series_that_fell_silent_are_never_said_to_have_no_anomalies(telemetry):
    later = NOON + timedelta(minutes=40)
    result = ask(
        telemetry,
        "anomalies",
        start=f"{later - timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}",
        end=f"{later:%Y-%m-%dT%H:%M:%SZ}",
        baseline_minutes=60,
    )
    assert "cannot be told: none of the rows of 6 series lie after" in result.summary
    assert [missing.what for missing in result.unread][-1] == "the end of the window"


def test_logs_are_found_by_text_pattern_and_level(telemetry):
    assert told(telemetry, "logs", text="DISK FULL")["total"] == 100
    assert told(telemetry, "logs", pattern=r"block [12]\d$")["total"] == 20
    assert told(telemetry, "logs", level="error")["total"] == 100
    assert told(telemetry, "logs", text="disk", pattern="request")["total"] == 0


def test_the_newest_lines_are_shown_and_the_others_counted(telemetry):
    found = told(telemetry, "logs", services=["store"], limit=3)
    assert [line["text"][-2:] for line in found["lines"]] == ["97", "98", "99"]
    assert (found["total"], found["left_out"]) == (100, 97)


def test_a_pattern_that_backtracks_for_ages_elsewhere_is_answered():
    line = LogLine(NOON.timestamp() - 5, "api", "a" * 5000 + "!")
    found = told(with_source(Lines([line])), "logs", services=["api"], pattern="(a+)+b$")
    assert found["total"] == 0


def test_a_pattern_that_is_none_is_refused(telemetry):
    with pytest.raises(ToolFailed, match="pattern") as refused:
        ask(telemetry, "logs", pattern="(unclosed")
    assert refused.value.kind == "invalid"


def test_statements_that_are_new_come_first(telemetry):
    found = told(telemetry, "log_templates", start="-10m")
    first = found["templates"][0]
    assert (first["service"], first["trend"], first["before"]) == ("store", "new", 0)
    assert first["lines"] == 100
    assert first["level"] == "error"
    usual = next(row for row in found["templates"] if row["service"] == "api")
    assert usual["trend"] is None
    changed = told(telemetry, "log_templates", start="-10m", only="changed")
    assert [row["service"] for row in changed["templates"]] == ["store"]


def test_a_statement_that_stopped_is_seen(telemetry):
    service = world()
    lines = [LogLine(NOON.timestamp() - 1200 + i, "api", f"INFO heartbeat {i}") for i in range(300)]
    toolset = Telemetry.connect("t", {}, replace(service, sources=(("loki", Lines(lines)),)))
    changed = told(toolset, "log_templates", start="-10m", services=["api"], only="changed")
    assert [(row["trend"], row["lines"]) for row in changed["templates"]] == [("vanished", 0)]


def test_slow_and_failed_traces_are_found(telemetry):
    slow = told(telemetry, "traces", service="store", longer_than_s=0.5, limit=5)
    assert slow["total"] == 20
    assert all(row["duration_s"] > 0.5 for row in slow["traces"])
    failed = told(telemetry, "traces", service="api", failed=True)
    assert failed["total"] == 10
    one = told(telemetry, "traces", trace_id="trace003")["traces"]
    assert [(row["trace_id"], row["matching"]) for row in one] == [("trace003", 3)]


def test_the_critical_path_of_a_trace_leads_to_what_it_waited_for(telemetry):
    found = told(telemetry, "critical_path", trace_id="trace059")
    longest = max(found["steps"], key=lambda step: step["waited_s"])
    assert (longest["service"], longest["failed"]) == ("store", True)
    assert longest["share"] > 0.9
    assert sum(step["waited_s"] for step in found["steps"]) == pytest.approx(0.63, rel=1e-3)
    assert found["services"] == ["web", "api", "store"]


def test_a_trace_outside_the_window_is_not_found_with_advice(telemetry):
    with pytest.raises(ToolFailed, match="widen the window") as failed:
        ask(telemetry, "critical_path", trace_id="trace059", start="-30m", end="-20m")
    assert failed.value.kind == "not_found"


def test_the_graph_around_a_service_has_its_callers_and_callees(telemetry):
    found = told(telemetry, "service_graph", service="api")
    assert (found["callers"], found["callees"]) == (["web"], ["store"])
    inner = next(row for row in found["calls"] if row["callee"] == "store")
    assert (inner["calls"], inner["failed"]) == (60, 10)
    assert told(telemetry, "service_graph", service="web")["callees"] == ["api"]
    far = told(telemetry, "service_graph", service="web", hops=2)["calls"]
    assert {row["callee"] for row in far} == {"api", "store"}


def test_all_services_are_named(telemetry):
    assert told(telemetry, "services")["services"] == ["api", "store", "web"]


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        ("-10m", "-20m", "ends before it begins"),
        ("-3d", "now", "longer than a day"),
        ("2026-11-20T11:00:00+01:00", "2026-11-20T10:00:00Z", "ends before it begins"),
        ("2026-02-30T11:00:00Z", "now", "no time"),
    ],
)
def test_a_window_that_cannot_be_is_refused(telemetry, start, end, reason):
    with pytest.raises(ToolFailed, match=reason) as refused:
        ask(telemetry, "logs", start=start, end=end)
    assert refused.value.kind == "invalid"


def test_a_time_without_a_zone_does_not_pass_the_schema(telemetry):
    from jsonschema import ValidationError

    with pytest.raises(ValidationError):
        answer(tool(telemetry, "logs"), {"start": "2026-11-20T11:00:00"})


def test_zones_are_understood(telemetry):
    found = told(telemetry, "logs", start="2026-11-20T12:50:00+01:00", end="2026-11-20T12:00:00Z")
    assert found["window"]["start"] == "2026-11-20T11:50:00Z"
    assert found["total"] == 220


def test_a_source_that_lists_no_names_is_heard_for_them():
    line = LogLine(NOON.timestamp() - 60, "mailer", "INFO sent")
    toolset = with_source(Lines([line]))
    assert told(toolset, "services")["services"] == ["api", "mailer", "store", "web"]
    with pytest.raises(ToolFailed, match="did you mean 'mailer'"):
        ask(toolset, "metrics", services=["mailr"])


def test_names_that_could_not_be_read_are_missing_from_the_list():
    down = Lines(failure=SourceUnavailable("loki", "no answer in 5 s"))
    result = ask(with_source(down), "services")
    assert [one.what for one in result.unread] == ["logs of loki"]


def test_expressions_are_offered_only_where_a_source_takes_them(telemetry):
    assert "telemetry.promql" not in {one.spec.name for one in telemetry.tools()}


def test_a_check_reads_and_tells_numbers(telemetry):
    assert telemetry.check() == "3 services known"
    assert "loki: 0 lines" in with_source(Lines()).check()
