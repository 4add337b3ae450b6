"""The log reader on small worlds with a planted fault, and on recorded ones."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from aiops.analyze.logs.reader import LogReader
from aiops.app.evidence import resolve
from aiops.model import (
    CaseData,
    Entity,
    Episode,
    FaultType,
    LogTable,
    MetricTable,
    Reading,
    Reference,
    Series,
    SpanTable,
    TelemetryWindow,
    Trigger,
)

ROOT = Path(
    os.environ.get("AIOPS_DATASETS", Path(__file__).parents[2].parent / "shared" / "datasets")
)
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
ONSET = START + timedelta(minutes=5)
END = START + timedelta(minutes=10)
Line = tuple[float, str, str, str]  # seconds after START, service, span, message


def logs(lines: list[Line], source: str = "logs.csv") -> LogTable:
    services = tuple(sorted({line[1] for line in lines}))
    return LogTable(
        times=np.array([START.timestamp() + line[0] for line in lines]),
        services=services,
        service_of=np.array([services.index(line[1]) for line in lines], dtype=np.int32),
        messages=np.array([line[3] for line in lines], dtype=object),
        trace_ids=np.array([line[2].partition(".")[0] for line in lines], dtype=object),
        span_ids=np.array([line[2] for line in lines], dtype=object),
        source=source,
    )


def world(lines: list[Line], **more: object) -> CaseData:
    window = TelemetryWindow(START, END, logs=logs(lines), **more)  # type: ignore[arg-type]
    return CaseData("x", window, Trigger(ONSET))


def requests(fails: bool) -> list[Line]:
    """A request a second: front calls back. Since the onset, back stops after its first line."""
    lines: list[Line] = []
    for second in range(600):
        broken = fails and second >= 300
        span, at = f"t{second}", float(second)
        lines.append((at, "front", f"{span}.f", f"12:00 INFO  f.Front#10 order {second} arrived"))
        lines.append((at + 0.1, "back", f"{span}.b", f"12:00 INFO  b.Back#20 loading {second}"))
        if not broken:
            lines.append((at + 0.2, "back", f"{span}.b", f"12:00 INFO  b.Back#25 loaded {second}"))
            lines.append((at + 0.3, "front", f"{span}.f", f"12:00 INFO  f.Front#30 done {second}"))
    return lines


def spans(operation: str = "Back.load") -> SpanTable:
    starts = START.timestamp() + np.arange(600.0)
    ids = [f"t{i}.{part}" for i in range(600) for part in "fb"]
    return SpanTable(
        trace_ids=np.array([one.partition(".")[0] for one in ids], dtype=object),
        span_ids=np.array(ids, dtype=object),
        parent_ids=np.array(
            [f"{one[:-1]}f" if one.endswith("b") else "" for one in ids], dtype=object
        ),
        services=("front", "back"),
        service_of=np.tile(np.array([0, 1], dtype=np.int32), 600),
        operations=("Front.order", operation),
        operation_of=np.tile(np.array([0, 1], dtype=np.int32), 600),
        starts=np.repeat(starts, 2) + np.tile([0.0, 0.09], 600),
        durations=np.full(1200, 0.4),
    )


def read(case: CaseData, onset: datetime = ONSET) -> Reading:
    return LogReader().read(case, Episode(onset, END, ONSET))


def accused(reading: Reading) -> list[str]:
    return list(dict.fromkeys(h.entity.name for h in reading.hypotheses))


def test_a_service_that_stops_halfway_is_accused_with_the_two_statements() -> None:
    reading = read(world(requests(fails=True), spans=spans()))
    first = reading.hypotheses[0]
    assert (first.entity.name, first.fault) == ("back", FaultType.ERROR)
    assert first.indicator is not None
    assert first.indicator.name == "b.Back#20_b.Back#25"
    assert first.size == pytest.approx(1.0)
    assert first.unit == "probability"


def test_its_caller_that_falls_quiet_with_it_is_explained_by_it() -> None:
    reading = read(world(requests(fails=True), spans=spans()))
    strength = {h.entity.name: h.strength for h in reading.hypotheses}
    assert strength["back"] > 3 * strength["front"]
    assert Entity("service", "front") in reading.hypotheses[0].explains


def test_a_span_that_writes_nothing_at_all_breaks_at_its_start() -> None:
    lines = [
        line
        for line in requests(fails=False)
        if not (line[1] == "back" and line[0] >= 300) and not line[2].endswith("x")
    ]
    first = read(world(lines, spans=spans())).hypotheses[0]
    assert first.indicator is not None
    assert first.indicator.name == "Back.load start_b.Back#20"
    assert first.support[0].kind == "trace"


def test_a_healthy_window_raises_nothing() -> None:
    assert read(world(requests(fails=False), spans=spans())).hypotheses == ()


def test_a_window_that_is_faulty_from_its_start_is_seen_against_a_normal_time() -> None:
    faulty = [line for line in requests(fails=True) if line[0] >= 300]
    normal = [line for line in requests(fails=False) if line[0] < 200]
    blind = read(world(faulty))
    seeing = read(world(faulty, reference=Reference(logs=logs(normal, "normal.csv"))), START)
    assert blind.hypotheses == ()
    assert accused(seeing)[0] == "back"


def test_lines_in_any_order_give_the_same_reading() -> None:
    lines = requests(fails=True)
    shuffled = [lines[i] for i in np.random.default_rng(3).permutation(len(lines))]
    one, other = read(world(lines, spans=spans())), read(world(shuffled, spans=spans()))
    assert [(h.entity, h.kind, h.strength) for h in one.hypotheses] == [
        (h.entity, h.kind, h.strength) for h in other.hypotheses
    ]


def errors(text: str, services: tuple[str, ...] = ("shop", "ledger-db")) -> list[Line]:
    calm = [(float(s), name, "", f"all is well at {s}") for s in range(600) for name in services]
    return calm + [(300.0 + s, services[0], "", f"ERROR {text}") for s in range(0, 300, 5)]


def test_refused_connections_accuse_the_peer_and_explain_the_writer() -> None:
    first = read(world(errors("dial ledger-db:3306: connection refused"))).hypotheses[0]
    assert (first.entity.name, first.fault) == ("ledger-db", FaultType.DEPENDENCY)
    assert first.explains == (Entity("service", "shop"),)
    assert "12 lines/min" in first.support[0].claim


def test_whoever_passes_a_complaint_on_is_accused_less_than_the_end_of_the_chain() -> None:
    lines = errors("call cart-api:80: connection refused", ("shop", "cart-api", "ledger-db"))
    lines += [
        (300.0 + s, "cart-api", "", "ERROR ledger-db:3306: connection refused")
        for s in range(0, 300, 5)
    ]
    reading = read(world(lines))
    assert accused(reading)[0] == "ledger-db"
    assert Entity("service", "shop") in reading.hypotheses[0].explains


def test_one_line_is_enough_where_a_program_says_it_only_once() -> None:
    lines = [*errors("x")[:1200], (400.0, "shop", "", "ERROR java.lang.OutOfMemoryError: heap")]
    (found,) = read(world(lines)).hypotheses
    assert (found.entity.name, found.fault) == ("shop", FaultType.OOM)


def test_errors_that_stop_accuse_nobody() -> None:
    lines = [(599 - at, service, span, text) for at, service, span, text in errors("charge failed")]
    assert read(world(lines)).hypotheses == ()


def test_a_service_that_fell_silent_is_named_weakly() -> None:
    lines = [line for line in errors("x")[:1200] if line[1] == "shop" or line[0] < 300]
    (found,) = read(world(lines)).hypotheses
    assert (found.entity.name, found.kind) == ("ledger-db", "fell_silent")
    assert found.strength < 1


def test_a_metric_that_rises_with_the_errors_is_cited() -> None:
    lines = errors("charge failed: out of luck")
    times = START.timestamp() + np.arange(0, 601, 15.0)
    series = Series(Entity("service", "shop"), "failures", "shop_failures")
    values = np.where(times > ONSET.timestamp(), 20.0, 1.0) + 0.01 * np.arange(len(times))
    metrics = MetricTable(times, values[:, None], (series,))
    first = read(world(lines, metrics=metrics)).hypotheses[0]
    assert [e.ref for e in first.support if e.kind == "metric"] == ["shop_failures"]


def test_every_piece_of_evidence_resolves() -> None:
    for lines in (requests(fails=True), errors("ledger-db:3306: connection refused (try 7)")):
        case = world(lines, spans=spans())
        for hypothesis in read(case).hypotheses:
            for evidence in hypothesis.support:
                assert resolve(case, evidence) is not None


def test_a_case_without_logs_is_missing_them() -> None:
    assert read(CaseData("x", TelemetryWindow(START, END))).missing
    assert read(world([(0.0, "shop", "", "only line")])).missing is False


def test_hostile_lines_are_bounded_and_counted() -> None:
    odd = ["\x00\x01\x02" * 100, "x" * 1_000_000, "", "\ud800", "\n\n", "ERROR " + "(" * 5_000]
    lines = [(float(i), "shop", f"s{i}", text) for i, text in enumerate(odd * 20)]
    reading = read(world(lines))
    assert any("binary" in note for note in reading.notes)
    assert any("64 k" in note for note in reading.notes)


def test_lines_without_times_are_read_as_a_snapshot() -> None:
    case = world(errors("dial ledger-db:3306: connection refused"))
    table = case.window.logs
    assert table is not None
    timeless = replace(table, times=np.full(len(table.times), np.nan), span_ids=None)
    reading = read(replace(case, window=replace(case.window, logs=timeless)))
    assert accused(reading)[0] == "ledger-db"
    assert any("no times" in note for note in reading.notes)


def test_an_alert_after_the_last_line_still_reads_the_lines() -> None:
    case = world(errors("ledger-db:3306: connection refused"))
    assert accused(read(case, END + timedelta(hours=1)))[0] == "ledger-db"


@pytest.mark.skipif(
    not (ROOT / "nezha-trainticket").is_dir(), reason="no public data sets; set AIOPS_DATASETS"
)
@pytest.mark.parametrize("shift", [0, -60])
def test_recorded_code_faults_are_found_down_to_the_statement(shift: int) -> None:
    from aiops_datasets.catalog import load_case, locations

    right = wrong = 0
    for location in list(locations(ROOT, "nezha-trainticket"))[:15:3]:
        case = load_case(location)
        assert case.data.trigger.at is not None
        onset = case.data.trigger.at + timedelta(seconds=shift)
        first = LogReader().read(case.data, Episode(onset, case.data.window.end)).hypotheses[0]
        assert first.indicator is not None
        hit = first.indicator.name == case.answers.inner
        right, wrong = right + hit, wrong + (not hit)
        for evidence in first.support:
            resolve(case.data, evidence)
    assert right >= 4
    assert wrong <= 1
